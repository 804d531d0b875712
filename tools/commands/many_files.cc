#include "tools/commands/many_files.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "tools/commands/command.h"
#include "tools/common/console.h"
#include "tools/common/machine.h"
#include "tools/common/messages.h"
#include "tools/common/pace.h"
#include "tools/common/signals.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

// What has been done and what is left, as one line; and what is said meanwhile.
class Progress {
 public:
  Progress(const std::string& doing, const std::string& kind, const std::vector<FilePair>& pairs)
      : doing_(doing), pace_(kind), weights_(pairs.size()), parts_(pairs.size(), 0.0) {
    for (size_t i = 0; i < pairs.size(); ++i) {
      std::error_code error;
      const uintmax_t bytes = fs::file_size(pairs[i].in, error);
      weights_[i] = 1 + (error ? 0 : static_cast<double>(bytes));
      all_ += weights_[i];
    }
  }

  void Show(size_t index, const std::string& name, double part) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Move(index, part);
    if (!status_.visible()) return;
    status_.ShowProgress(doing_ + " " + Grouped(finished_ + 1) + "/" + Grouped(weights_.size()),
                         done_ / all_,
                         pace_.Text(done_, all_, count_) + ", " + Printable(name, 30));
  }

  // A file is done or failed; `lines` are what there is to say of it.
  void Finish(size_t index, const std::vector<std::string>& lines) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Move(index, 1);
    ++finished_;
    if (lines.empty()) return;
    status_.Clear();
    for (const std::string& line : lines) Complain(kGlint, line);
  }

  void Clear() { status_.Clear(); }
  double seconds() const { return pace_.seconds(); }

 private:
  void Move(size_t index, double part) {
    done_ += (part - parts_[index]) * weights_[index];
    count_ += part - parts_[index];
    parts_[index] = part;
  }

  std::string doing_;
  Pace pace_;
  std::mutex mutex_;
  StatusLine status_;
  std::vector<double> weights_, parts_;  // of the files: bytes, and how much is done
  double all_ = 0, done_ = 0;
  double count_ = 0;  // of files, by their parts
  size_t finished_ = 0;
};

class Batch {
 public:
  Batch(const ManyFiles& files, const FileFlags& flags, const CodingFlags& coding)
      : files_(files),
        flags_(flags),
        coding_(coding),
        pairs_(files.plan.pairs),
        progress_(files.doing, files.kind, pairs_) {}

  int Run() {
    for (const std::string& note : files_.plan.notes) Complain(kGlint, note);
    for (const Error& failure : files_.plan.failures) Complain(kGlint, failure.message);
    too_large_.reserve(pairs_.size());
    untold_.reserve(pairs_.size());
    std::vector<size_t> all(pairs_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    RunAll(all, std::min(static_cast<size_t>(flags_.jobs), pairs_.size()));
    // What was too large for its part of the memory may have all of it.
    RunAll(too_large_, 1);
    progress_.Clear();
    EndIfInterrupted();
    for (const size_t index : untold_) Complain(kGlint, pairs_[index].in + ": out of memory");
    failed_ += untold_.size();
    SaySum();
    return failed_ + files_.plan.failures.size() == 0 ? kExitOk : kExitSomeFailed;
  }

 private:
  void RunAll(const std::vector<size_t>& indices, size_t jobs) {
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t i = next++; i < indices.size() && !Interrupted(); i = next++) {
        RunOne(indices[i], jobs);
      }
    };
    std::vector<std::thread> helpers;
    StartThreads(jobs, work, &helpers);
    work();
    for (std::thread& helper : helpers) helper.join();
  }

  // Fewer where the system gives no more: those that there are do the work.
  template <typename Work>
  static void StartThreads(size_t jobs, const Work& work, std::vector<std::thread>* helpers) {
    try {
      helpers->reserve(jobs);
      while (helpers->size() + 1 < jobs) helpers->emplace_back(work);
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
  }

  CallOptions Call(size_t index, size_t jobs) {
    CallOptions call;
    const int parts = static_cast<int>(jobs);
    call.threads = coding_.threads;
    if (call.threads == 0 && parts > 1) call.threads = std::max(1, HardwareThreads() / parts);
    call.band_rows = coding_.band;
    call.limits = coding_.limits;
    call.limits.max_memory /= jobs;
    call.progress = [this, index](double part) {
      progress_.Show(index, pairs_[index].in, part);
      return !Interrupted();
    };
    return call;
  }

  // Where memory runs out, this takes none and throws nothing, for nobody catches what a thread
  // throws.
  void RunOne(size_t index, size_t jobs) {
    bool is_coded = false;
    try {
      const Expected<CodingSummary> summary = Code(pairs_[index], Call(index, jobs));
      if (Interrupted()) return;
      is_coded = summary.ok();
      const bool too_large = !is_coded && summary.error().code == ErrorCode::kLimit;
      if (!too_large || jobs == 1) return Tell(index, summary);
    } catch (const std::bad_alloc&) {
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!is_coded && jobs > 1) {
      too_large_.push_back(index);
    } else {
      untold_.push_back(index);
      progress_.Finish(index, {});
    }
  }

  void Tell(size_t index, const Expected<CodingSummary>& summary) {
    const FilePair& pair = pairs_[index];
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::string> lines;
    if (!summary) {
      lines.push_back(MessageOf(summary.error()));
    } else {
      for (const std::string& text : summary->warnings) lines.push_back(WarningOf(pair.in, text));
      if (coding_.verbose) {
        for (std::string& line : SummaryLines(pair.out, *summary)) {
          lines.push_back(std::move(line));
        }
      }
    }
    progress_.Finish(index, lines);
    if (!summary) {
      ++failed_;
    } else {
      stream_bytes_ += summary->stream_bytes;
      pixels_ += static_cast<double>(summary->picture.width) * summary->picture.height;
    }
  }

  Expected<CodingSummary> Code(const FilePair& pair, const CallOptions& call) {
    std::error_code ignored, error;
    if (pair.existing == Existing::kKeep && fs::exists(fs::symlink_status(pair.out, ignored))) {
      return MakeError(ErrorCode::kInvalidArgument,
                       pair.out + ": is there already (--force replaces it)");
    }
    const fs::path folder = fs::path(pair.out).parent_path();
    if (!folder.empty()) fs::create_directories(folder, error);
    if (error) return MakeError(ErrorCode::kIo, folder.string() + ": " + error.message());
    return files_.code(pair, call);
  }

  void SaySum() {
    const size_t done = pairs_.size() - failed_;
    std::string text = Grouped(done) + " of " + Count(pairs_.size(), files_.kind) + " " +
                       files_.done + " into " + *flags_.out;
    if (done > 0) {
      text += ": " + Grouped(stream_bytes_) + " bytes of streams, " +
              Fixed(8 * static_cast<double>(stream_bytes_) / pixels_, 3) + " bpp, " +
              Fixed(progress_.seconds(), 2) + " s";
    }
    if (failed_ > 0) text += "; " + Grouped(failed_) + " failed";
    if (!files_.plan.failures.empty()) {
      text += "; " + Count(files_.plan.failures.size(), "folder") + " could not be read";
    }
    if (files_.plan.skipped > 0) {
      text += "; " + Count(files_.plan.skipped, "other file") + " left out";
    }
    Complain(kGlint, text);
  }

  const ManyFiles& files_;
  const FileFlags& flags_;
  const CodingFlags& coding_;
  const std::vector<FilePair>& pairs_;
  Progress progress_;
  std::mutex mutex_;  // of what follows
  std::vector<size_t> too_large_;
  std::vector<size_t> untold_;  // failed for want of memory, which is said at the end
  size_t failed_ = 0;
  uint64_t stream_bytes_ = 0;
  double pixels_ = 0;
};

}  // namespace

int CodeMany(const ManyFiles& files, const FileFlags& flags, const CodingFlags& coding) {
  return Batch(files, flags, coding).Run();
}

}  // namespace glint::tools
