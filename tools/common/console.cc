#include "tools/common/console.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "glint/image_io.hpp"
#include "tools/common/machine.h"
#include "tools/common/messages.h"
#include "tools/common/signals.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

constexpr size_t kNoLimit = static_cast<size_t>(-1);

size_t TerminalWidth() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool CanRewriteLines() {
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || *terminal == '\0' || std::strcmp(terminal, "dumb") == 0;
  return !dumb && isatty(STDERR_FILENO) == 1;
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

bool IsStoredFile(const std::string& path) {
  struct stat info {};
  return path != "-" && (stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode));
}

bool IsStandardOutput(const std::string& path) {
  if (path == "-") return true;
  struct stat named {};
  struct stat open {};
  return !WritesStoredFile(path) && stat(path.c_str(), &named) == 0 &&
         fstat(STDOUT_FILENO, &open) == 0 && named.st_dev == open.st_dev &&
         named.st_ino == open.st_ino;
}

int ExitCodeFor(const std::string& tool, const Error& error) {
  if (error.ok()) return kExitOk;
  EndIfInterrupted();
  Complain(tool, MessageOf(error));
  return kExitBad;
}

StatusLine::StatusLine() : visible_(CanRewriteLines()) {}

// Spaces over what was there do without escape codes.
void StatusLine::Show(const std::string& text) {
  if (!visible_ || Now() < next_) return;
  next_ = Now() + 0.1;
  const size_t room = TerminalWidth() - 1;
  std::string line = Printable(text, text.size());
  while (DisplayWidth(line) > room) line.pop_back();  // what matters stands in front
  const size_t width = DisplayWidth(line);
  if (width < shown_) line.append(shown_ - width, ' ');
  SetLineBegun(true);
  std::fprintf(stderr, "\r%s", line.c_str());
  std::fflush(stderr);
  shown_ = width;
}

void StatusLine::ShowProgress(const std::string& what, double done, const std::string& more) {
  static constexpr size_t kMostBar = 30, kLeastBar = 5;
  const double part = std::clamp(done, 0.0, 1.0);
  const std::string percent = Fixed(100 * part, 0) + " %" + more;
  // The bar has what the text leaves of the line; where that is next to nothing, there is none.
  const size_t taken = DisplayWidth(what) + DisplayWidth(percent) + 4;
  const size_t room = TerminalWidth() - 1;
  const size_t bar = std::min(kMostBar, room - std::min(room, taken));
  if (bar < kLeastBar) return Show(what + " " + percent);
  const auto full = static_cast<size_t>(part * static_cast<double>(bar));
  Show(what + " [" + std::string(full, '#') + std::string(bar - full, '.') + "] " + percent);
}

void StatusLine::Clear() {
  if (shown_ == 0) return;
  std::fprintf(stderr, "\r%s\r", std::string(shown_, ' ').c_str());
  std::fflush(stderr);
  SetLineBegun(false);
  shown_ = 0;
  next_ = 0;
}

}  // namespace glint::tools
