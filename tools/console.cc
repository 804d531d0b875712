#include "tools/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "tools/machine.h"
#include "tools/messages.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

constexpr size_t kNoLimit = static_cast<size_t>(-1);

volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int) { interrupted = 1; }

size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// The first line only: CLI11 adds a hint of its own behind some messages.
std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

int FlushOutput(const std::string& tool, int exit_code) {
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!failed) return exit_code;
  Complain(tool, std::string("standard output: ") + std::strerror(errno));
  return std::max(exit_code, kExitBad);
}

}  // namespace

void Complain(const std::string& tool, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", tool.c_str(), Printable(message, kNoLimit).c_str());
}

Error MakeError(ErrorCode code, std::string message) { return Error{code, std::move(message)}; }

Error At(const std::string& place, const Error& error) {
  if (error.ok() || error.message.rfind(place + ":", 0) == 0) return error;
  Error placed = error;
  placed.message = place + ": " + error.message;
  return placed;
}

std::string InputName(const std::string& path) { return path == "-" ? "standard input" : path; }

std::string OutputName(const std::string& path) { return path == "-" ? "standard output" : path; }

int RunTool(const std::string& tool, CLI::App& app, int argc, char** argv,
            const std::function<int()>& body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return FlushOutput(tool, app.exit(error));
    Complain(tool, FirstLine(error.what()) + " (--help explains)");
    return kExitBad;
  }
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write with a message
  try {
    return FlushOutput(tool, body());
  } catch (const std::bad_alloc&) {
    Complain(tool, "out of memory");
  } catch (const std::exception& error) {
    Complain(tool, error.what());
  }
  return kExitBad;
}

int ExitCodeFor(const std::string& tool, const Error& error) {
  if (error.ok()) return kExitOk;
  if (Interrupted()) {
    Complain(tool, "interrupted");
    return kExitInterrupted;
  }
  Complain(tool, MessageOf(error));
  return kExitBad;
}

void CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return interrupted != 0; }

CLI::Option* AddByteSizeOption(CLI::App* app, const std::string& name, uint64_t* value,
                               const std::string& help) {
  const auto parse = [value, name](const std::string& text) {
    const std::optional<uint64_t> bytes = ParseByteSize(text);
    if (!bytes || *bytes == 0) throw CLI::ValidationError(name, "'" + text + "' is no size");
    *value = *bytes;
  };
  return app->add_option_function<std::string>(name, parse, help)->type_name("SIZE");
}

StatusLine::StatusLine() : visible_(isatty(STDERR_FILENO) == 1) {}

void StatusLine::Show(const std::string& text) {
  if (!visible_ || Now() < next_) return;
  next_ = Now() + 0.1;
  const size_t width = TerminalWidth();
  std::fprintf(stderr, "\r\x1b[K%s", Printable(text, width > 1 ? width - 1 : 1).c_str());
  std::fflush(stderr);
  dirty_ = true;
}

void StatusLine::ShowProgress(const std::string& what, double done) {
  static constexpr size_t kBar = 30;
  const double part = std::clamp(done, 0.0, 1.0);
  const auto full = static_cast<size_t>(part * kBar);
  Show(what + " [" + std::string(full, '#') + std::string(kBar - full, '.') + "] " +
       Fixed(100 * part, 0) + " %");
}

void StatusLine::Clear() {
  if (!dirty_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  dirty_ = false;
  next_ = 0;
}

}  // namespace glint::tools
