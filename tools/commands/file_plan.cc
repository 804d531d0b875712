#include "tools/commands/file_plan.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>
#include <system_error>
#include <utility>

#include "tools/common/console.h"
#include "tools/common/output.h"
#include "tools/common/pictures.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

Error Invalid(const std::string& what) { return MakeError(ErrorCode::kInvalidArgument, what); }

bool IsFolder(const std::string& path) {
  std::error_code error;
  return path != "-" && fs::is_directory(path, error);
}

// ---- one file ----------------------------------------------------------------------------------

Expected<FilePlan> PlanOne(const FileFlags& flags, const FileKinds& kinds, InputFiles inputs) {
  const std::vector<std::string>& files = flags.files;
  for (const auto& [flag, given] :
       {std::pair("--recursive", flags.recursive), std::pair("--jobs", flags.jobs != 1),
        std::pair("--shard", flags.shard.has_value())}) {
    if (given) return Invalid(std::string(flag) + ": is for many files, which go with --out");
  }
  if (IsFolder(files.front())) return Invalid(files.front() + ": is a folder; name another: --out");
  if (files.size() == 1) {
    return Invalid(files.front() + ": where shall the " + kinds.out +
                   " go? Name a file, or a folder: --out");
  }
  if (files.size() > 2) {
    return Invalid(Count(files.size(), "file") + ": several " + kinds.in +
                   "s need a folder: --out");
  }
  if (IsFolder(files[1])) {
    return Invalid(files[1] + ": is a folder; to write into it: --out " + files[1]);
  }
  inputs.Add(files[0]);
  Error error = inputs.Check(files[1]);
  if (error.ok() && !flags.force) error = CheckNoTerminal(files[1]);
  if (!error.ok()) return error;
  FilePlan plan;
  plan.pairs.push_back({files[0], files[1]});
  return plan;
}

// ---- many files --------------------------------------------------------------------------------

// Finds the files and names what becomes of them.
class Planner {
 public:
  Planner(const FileFlags& flags, const FileKinds& kinds, InputFiles inputs)
      : flags_(flags), kinds_(kinds), inputs_(std::move(inputs)) {}

  Expected<FilePlan> Plan() {
    for (const std::string& file : flags_.files) {
      Error error;
      if (file == "-") {
        error = Invalid("standard input: has no name to call a file of --out by");
      } else if (IsFolder(file)) {
        AddFolder(file, *flags_.out);
      } else {
        AddFile(file);
      }
      if (!error.ok()) return error;
    }
    if (files_.empty() && !plan_.failures.empty()) return plan_.failures.front();
    if (files_.empty()) {
      return MakeError(ErrorCode::kNotFound,
                       flags_.files.front() + ": there is no " + kinds_.in + " in this folder" +
                           (flags_.recursive ? "" : " (--recursive looks into those inside)"));
    }
    const Existing existing = flags_.force ? Existing::kReplace : Existing::kKeep;
    for (auto& [folder, files] : files_) {
      SeparateOutputs(&files);
      for (const PictureFile& file : files) {
        const std::string name = file.output + kinds_.extension;
        plan_.pairs.push_back({file.path, (fs::path(folder) / name).string(), existing});
      }
    }
    const Error error = CheckPairs();
    if (!error.ok()) return error;
    TakeShard();
    plan_.many = true;
    return std::move(plan_);
  }

 private:
  Expected<PictureList> List(const std::string& path) const {
    if (!kinds_.reads_streams) return ListPictures(path);
    static const FilesWanted kStreams = {{".glint"}, ".glint file"};
    return ListFiles(path, kStreams);
  }

  void Add(const PictureList& list, const std::string& to) {
    if (list.files.empty()) return;
    std::vector<PictureFile>& files = files_[fs::path(to).lexically_normal().string()];
    for (PictureFile file : list.files) {
      file.output = fs::path(file.name).stem().string();
      files.push_back(std::move(file));
    }
    plan_.skipped += list.skipped;
  }

  void Note(const std::string& folder, PictureList list) {
    list.skipped = 0;  // they are counted
    std::istringstream lines(LeftOutText(list));
    for (std::string line; std::getline(lines, line);) {
      plan_.notes.push_back(folder + ": " + line);
    }
  }

  // A file that does not exist is added too: it fails later like any other, without stopping the
  // rest.
  void AddFile(const fs::path& path) {
    PictureList list;
    list.files.push_back({path.string(), path.filename().string(), ""});
    Add(list, *flags_.out);
  }

  // A folder that cannot be read does not stop the rest either.
  void AddFolder(const fs::path& path, const fs::path& to) {
    const Expected<PictureList> list = List(path.string());
    if (list) {
      Add(*list, to.string());
      Note(path.string(), *list);
    }
    if (!list && list.error().code != ErrorCode::kNotFound) {  // not found: none of ours is in it
      plan_.failures.push_back(list.error());
      return;
    }
    if (!flags_.recursive) return;
    std::error_code error;
    for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      if (!IsFolder(entry->path().string()) || IsLeftOut(*entry)) continue;
      AddFolder(entry->path(), to / entry->path().filename());
    }
  }

  // Left out are hidden folders; links to folders, which may lead in circles; and the output's
  // folder.
  bool IsLeftOut(const fs::directory_entry& folder) const {
    std::error_code error;
    return folder.path().filename().string().front() == '.' || folder.is_symlink(error) ||
           fs::equivalent(folder.path(), *flags_.out, error);
  }

  // The names of outputs are those of the whole, whatever the part.
  void TakeShard() {
    if (!flags_.shard) return;
    std::vector<FilePair> part;
    for (size_t i = 0; i < plan_.pairs.size(); ++i) {
      if (flags_.shard->Has(i)) part.push_back(std::move(plan_.pairs[i]));
    }
    plan_.pairs = std::move(part);
  }

  Error CheckPairs() {
    std::map<std::string, std::string> made;  // output to input
    for (const FilePair& pair : plan_.pairs) {
      inputs_.Add(pair.in);
      const auto [other, is_new] = made.emplace(pair.out, pair.in);
      if (is_new) continue;
      std::error_code error;
      if (fs::equivalent(other->second, pair.in, error)) {
        return Invalid(pair.in + ": is named twice");
      }
      return Invalid(pair.in + " and " + other->second + ": both would become " + pair.out +
                     "; give them different names or folders");
    }
    for (const FilePair& pair : plan_.pairs) {
      const Error error = inputs_.Check(pair.out);
      if (!error.ok()) return error;
    }
    return {};
  }

  const FileFlags& flags_;
  const FileKinds& kinds_;
  InputFiles inputs_;
  FilePlan plan_;
  std::map<std::string, std::vector<PictureFile>> files_;  // by the folder that they go to
};

}  // namespace

Expected<FilePlan> PlanFiles(const FileFlags& flags, const FileKinds& kinds,
                             const std::string& model) {
  InputFiles inputs;
  if (!model.empty()) inputs.Add(model);
  if (!flags.out) return PlanOne(flags, kinds, std::move(inputs));
  std::error_code error;
  if (flags.out->empty()) return Invalid("--out: names no folder");
  if (fs::exists(*flags.out, error) && !IsFolder(*flags.out)) {
    return Invalid("--out " + *flags.out + ": is a file, and no folder");
  }
  return Planner(flags, kinds, std::move(inputs)).Plan();
}

}  // namespace glint::tools
