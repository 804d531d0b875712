#include "tools/common/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "glint/image_io.hpp"

namespace glint::tools {
namespace {

// Those that end a program and may come from outside, or from a limit on its time. Not those of
// faults, after which nothing can be relied on.
constexpr int kEnding[] = {
    SIGINT,    SIGQUIT, SIGTERM, SIGHUP, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2,
#ifdef SIGPOLL  // SIGIO by its other name; systems that have none ignore SIGIO
    SIGPOLL,
#endif
#ifdef SIGPWR
    SIGPWR,
#endif
#ifdef SIGSTKFLT
    SIGSTKFLT,
#endif
};

// A handler may use atomics without locks only. The order of the two matters: the handler sets the
// first and reads the second, UnfinishedFile the other way round, so one of them sees the other.
std::atomic<int> caught{0};      // the signal
std::atomic<int> unfinished{0};  // files
std::atomic<bool> line_begun{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

// Calls nothing that a signal handler may not call.
void EndBy(int number) {
  if (line_begun.exchange(false)) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, "\n", 1);
  }
  std::signal(number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::raise(number);
  _exit(128 + number);  // the first process of a container survives its signals
}

void OnSignal(int number) {
  const bool again = caught.exchange(number) == number;
  const bool is_urgent = again && (number == SIGINT || number == SIGQUIT);
  if (unfinished.load() == 0 || is_urgent) EndBy(number);
}

// What is ignored stays so, and what a profiler has taken stays its own.
void Catch(int number) {
  struct sigaction action {};
  if (sigaction(number, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
  action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

void CatchSignals() {
  for (const int number : kEnding) Catch(number);
#ifdef SIGRTMIN
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) Catch(number);
#endif
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void SetLineBegun(bool begun) { line_begun = begun; }

bool Interrupted() { return caught.load() != 0; }

void EndIfInterrupted() {
  if (const int number = caught.load(); number != 0) EndBy(number);
}

UnfinishedFile::UnfinishedFile(const std::string& path) : counts_(WritesStoredFile(path)) {
  if (counts_) ++unfinished;
  allowed_ = !Interrupted();
}

UnfinishedFile::~UnfinishedFile() {
  if (counts_) --unfinished;
}

}  // namespace glint::tools
