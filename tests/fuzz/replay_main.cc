// Replays fuzz inputs with any compiler: glint_fuzz_replay FOLDER_OR_FILE... runs each file with
// the target that the folder it lies in is named after; the last line is "N passed, N failed".
//   --target NAME          the files that follow are for that target, wherever they lie
//   --write-seeds FOLDER [BYTES]   writes each target's seeds to FOLDER/NAME, those that are not
//                          larger than BYTES
// Inputs run in a child process. One that ends it is counted, and the rest go on in another.
// One thread; targets make their own.
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "glint/image_io.hpp"
#include "tests/fuzz/target.h"

namespace glint::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostFileBytes = uint64_t{1} << 26;
// A single input takes milliseconds, under a sanitizer and unoptimised less than this: of the
// processor, and of the clock for those that wait for ever.
constexpr unsigned kMostSeconds = 60, kMostSecondsOfClock = 600;

struct Case {
  const Target* target;
  std::string path;
};

// Adds a file, or all files below a folder. Files that name no target by their folder are errors.
bool AddCases(const fs::path& path, const Target* target, std::vector<Case>* cases) {
  std::vector<fs::path> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  for (const fs::path& file : files) {
    const std::string folder = fs::absolute(file).parent_path().filename().string();
    const Target* const found = target != nullptr ? target : FindTarget(folder);
    if (found == nullptr) {
      std::fprintf(stderr, "%s: there is no target '%s'; name one with --target\n",
                   file.string().c_str(), folder.c_str());
      return false;
    }
    cases->push_back({found, file.string()});
  }
  return true;
}

void RunCase(const Case& one) {
  const auto bytes = ReadFile(one.path, kMostFileBytes);
  if (!bytes.ok()) Fail(bytes.error().message);
  itimerval limit{};
  limit.it_value.tv_sec = kMostSeconds;
  setitimer(ITIMER_PROF, &limit, nullptr);
  alarm(kMostSecondsOfClock);
  RunInput(*one.target, *bytes);
}

// Runs cases from `first` on in a child; returns the number of the one that ended it, or the count.
// `*status` is the child's.
size_t RunInChild(const std::vector<Case>& cases, size_t first, int* status) {
  int ends[2];
  if (pipe(ends) != 0) Fail("no pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) Fail("no child process");
  if (child == 0) {
    close(ends[0]);
    for (size_t i = first; i < cases.size(); ++i) {
      RunCase(cases[i]);
      const char done = 1;
      if (write(ends[1], &done, 1) != 1) std::abort();
    }
    close(ends[1]);
    std::exit(0);  // a leak is found here
  }
  close(ends[1]);
  size_t done = first;
  char buffer[256];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    done += static_cast<size_t>(got);
  }
  close(ends[0]);
  waitpid(child, status, 0);
  return done;
}

int Replay(const std::vector<Case>& cases) {
  size_t failed = 0;
  for (size_t at = 0; at < cases.size();) {
    int status = 0;
    at = RunInChild(cases, at, &status);
    if (status == 0) continue;
    ++failed;
    const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const bool is_slow = signal == SIGALRM || signal == SIGPROF;
    if (at < cases.size()) {
      std::printf("FAILED: %s (%s)%s\n", cases[at].path.c_str(), cases[at].target->name,
                  is_slow ? ": too slow" : "");
    } else {
      std::printf("FAILED: one of these, after the last\n");
    }
    ++at;
  }
  const size_t passed = cases.size() - std::min(failed, cases.size());
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 && !cases.empty() ? 0 : 1;
}

int WriteSeeds(const fs::path& folder, uint64_t most_bytes) {
  for (const Target& target : Targets()) {
    fs::create_directories(folder / target.name);
    for (const Seed& seed : target.seeds()) {
      if (seed.input.size() > most_bytes) continue;
      const std::string path = (folder / target.name / seed.name).string();
      const Error error = WriteFile(path, seed.input.data(), seed.input.size());
      if (error.ok()) continue;
      std::fprintf(stderr, "%s\n", error.message.c_str());
      return 1;
    }
  }
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  std::vector<Case> cases;
  const Target* target = nullptr;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool has_more = i + 1 < arguments.size();
    if (arguments[i] == "--write-seeds" && has_more) {
      const bool limited = i + 2 < arguments.size();
      return WriteSeeds(arguments[i + 1], limited ? std::stoull(arguments[i + 2])
                                                  : std::numeric_limits<uint64_t>::max());
    }
    if (arguments[i] == "--target" && has_more) {
      target = FindTarget(arguments[++i]);
      if (target != nullptr) continue;
      std::fprintf(stderr, "there is no target '%s'\n", arguments[i].c_str());
      return 2;
    }
    if (!AddCases(arguments[i], target, &cases)) return 2;
  }
  return Replay(cases);
}

}  // namespace
}  // namespace glint::fuzz

int main(int argc, char** argv) {
  return glint::fuzz::Main(std::vector<std::string>(argv + 1, argv + argc));
}
