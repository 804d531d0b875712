#include "tools/evaluation/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/common/console.h"

namespace glint::tools {
namespace {

constexpr uint64_t kMostBytes = uint64_t{1} << 30;

// When each of the pictures of the run's shard was written last, in nanoseconds; 0 where there is
// none.
Json ChangesJson(const EvaluationRun& run, const std::vector<std::string>& paths) {
  Json changes = Json::array();
  for (const size_t picture : PicturesOf(run)) {
    struct stat info {};
    if (stat(paths[picture].c_str(), &info) != 0) info = {};
    changes.push_back(
        Json{{"name", run.pictures[picture].name},
             {"modified", int64_t{info.st_mtim.tv_sec} * 1000000000 + info.st_mtim.tv_nsec}});
  }
  return changes;
}

std::string LineOf(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// The first line of a journal.
Json HeaderJson(const EvaluationRun& run, const std::vector<std::string>& paths) {
  return Json{{"journal", "glint evaluate"},
              {"shard", run.shard ? Json(ShardText(*run.shard)) : Json(nullptr)},
              {"run", RunJson(run)},
              {"changes", ChangesJson(run, paths)}};
}

Error Invalid(const std::string& what) { return MakeError(ErrorCode::kInvalidArgument, what); }

// Whether the first line of a journal, `found`, is that of the run at hand.
Error CheckHeader(const Json& found, const Json& header) {
  const Json wanted = ParseJson(LineOf(header));
  if (!found.is_object() || !found.contains("journal") || found["journal"] != wanted["journal"]) {
    return Invalid("is no journal of evaluate");
  }
  for (const char* key : {"shard", "run"}) {
    const std::string difference =
        DifferenceText(found.contains(key) ? found[key] : Json(nullptr), wanted[key], key);
    if (!difference.empty()) {
      return Invalid("is of another run, and --resume cannot go on with it: " + difference);
    }
  }
  if (found == wanted) return {};
  for (size_t i = 0; i < wanted["changes"].size(); ++i) {
    const Json& picture = wanted["changes"][i];
    const Json changes = found.contains("changes") ? found["changes"] : Json::array();
    if (changes.is_array() && i < changes.size() && changes[i] == picture) continue;
    return Invalid("is of another run, and --resume cannot go on with it: " +
                   picture["name"].get<std::string>() + " has changed since");
  }
  return Invalid("is no journal of evaluate");
}

Error SystemError(const std::string& path) {
  return MakeError(ErrorCode::kIo, path + ": " + std::strerror(errno));
}

// All that is in the file, within kMostBytes.
Expected<std::string> ReadAll(int file, const std::string& path) {
  struct stat info {};
  if (fstat(file, &info) != 0) return SystemError(path);
  if (!S_ISREG(info.st_mode)) {
    return Invalid(path + ": is no file");
  }
  if (static_cast<uint64_t>(info.st_size) > kMostBytes) {
    return MakeError(ErrorCode::kLimit, path + ": is larger than any journal");
  }
  std::string text(static_cast<size_t>(info.st_size), '\0');
  size_t got = 0;
  while (got < text.size()) {
    const ssize_t count =
        pread(file, text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path);
    if (count == 0) break;
    got += static_cast<size_t>(count);
  }
  text.resize(got);
  return text;
}

}  // namespace

std::string JournalPath(const std::string& json) { return json + ".journal"; }

Expected<std::unique_ptr<EvaluationJournal>> EvaluationJournal::Open(
    const std::string& path, const EvaluationRun& run, const std::vector<std::string>& paths) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  if (file < 0) return SystemError(path);
  std::unique_ptr<EvaluationJournal> journal(new EvaluationJournal(path, file));
  // Where the file system has no locks there is nobody to ask.
  if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Invalid(path + ": another run writes it");
  }
  const Error error = journal->Continue(HeaderJson(run, paths), run);
  if (!error.ok()) return error;
  return journal;
}

EvaluationJournal::~EvaluationJournal() { close(file_); }

Error EvaluationJournal::Append(const Step& step) { return Write(LineOf(StepJson(step))); }

void EvaluationJournal::Remove() { unlink(path_.c_str()); }

// What was written by halves when a program was ended is not followed by a line feed.
Error EvaluationJournal::Continue(const Json& header, const EvaluationRun& run) {
  Expected<std::string> text = ReadAll(file_, path_);
  if (!text) return text.error();
  const size_t whole = text->rfind('\n') + 1;  // 0 where there is none
  // Before anything is cut it has to be clear whose it is.
  const std::string first = LineOf(header);
  if (whole == 0 && !first.starts_with(*text)) {
    return At(path_, Invalid("is no journal of evaluate"));
  }
  size_t line = 1;
  for (size_t begin = 0; begin < whole; ++line) {
    const size_t end = text->find('\n', begin);
    const Json json = ParseJson(text->substr(begin, end - begin));
    begin = end + 1;
    if (line > 1 && json.is_discarded()) {
      return At(path_, Invalid("line " + std::to_string(line) + ": is damaged: it is no JSON"));
    }
    const Error error = line == 1 ? CheckHeader(json, header) : ReadLine(json, run);
    if (!error.ok())
      return At(path_, line == 1 ? error : At("line " + std::to_string(line), error));
  }
  if (whole < text->size() && ftruncate(file_, static_cast<off_t>(whole)) != 0) {
    return SystemError(path_);
  }
  return whole == 0 ? Write(first) : Error{};
}

// A step that is there twice was made again, for what it had saved was gone.
Error EvaluationJournal::ReadLine(const Json& json, const EvaluationRun& run) {
  std::string fault;
  Step step = ReadStep(JsonFields(json, &fault), run, &fault);
  if (!fault.empty()) return Invalid("is damaged: " + fault);
  done_[{step.picture, step.point}] = std::move(step);
  return {};
}

// With one call, so that no more than the last line is ever unfinished.
Error EvaluationJournal::Write(const std::string& text) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = write(file_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path_);
    written += static_cast<size_t>(count);
  }
  return {};
}

}  // namespace glint::tools
