#include "tools/program/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/common/console.h"
#include "tools/common/signals.h"
#include "tools/common/text.h"
#include "tools/program/completion.h"
#include "tools/program/flag_texts.h"
#include "tools/program/man_page.h"
#include "tools/program/spelling.h"

namespace glint::tools {
namespace {

// The first line only: CLI11 adds a hint of its own behind some messages.
std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// A pipe that does not wait, as event loops make them, is opened once more, for what is printed is
// lost where it is full. Whoever else has it keeps it as it is. Where that fails, nothing changes.
void WaitWhereFull(int fd) {
  struct stat info {};
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) == 0 || fstat(fd, &info) != 0 || !S_ISFIFO(info.st_mode)) {
    return;
  }
  // Without O_NONBLOCK this would wait for somebody who reads.
  const int again =
      open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (again < 0) return;
  if (fcntl(again, F_SETFL, 0) == 0) dup2(again, fd);
  close(again);
}

int FlushOutput(const std::string& tool, int exit_code) {
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!failed) return exit_code;
  Complain(tool, std::string("standard output: ") + std::strerror(errno));
  return std::max(exit_code, kExitBad);
}

bool LooksLikeFlag(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// ---- what stands behind -- ---------------------------------------------------------------------

// What stands behind "--" is no flag. CLI11 forgets that where a command takes many files, so names
// that look like flags get "./" in front.
std::vector<std::string> Arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  bool all_files = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--" && !all_files) {
      all_files = true;
    } else {
      arguments.push_back((all_files && LooksLikeFlag(argument) ? "./" : "") + argument);
    }
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  return arguments;
}

// ---- flags that there are not ------------------------------------------------------------------

std::string DidYouMean(const std::string& word, const std::vector<std::string>& known) {
  std::string text;
  for (const std::string& near : NearestWords(word, known)) {
    text += (text.empty() ? "; did you mean " : " or ") + near;
  }
  return text.empty() ? "" : text + "?";
}

// A message about a word that CLI11 did not know. It says more than CLI11's own about what is then
// missing: "--thread 4 a b" makes 4 a file. Empty: CLI11's own message will do.
std::string UnknownWord(CLI::App* app) {
  const std::vector<CLI::App*> parsed = app->get_subcommands();
  const CommandText command = Describe(parsed.empty() ? *app : *parsed.front());
  const std::vector<std::string> left = app->remaining(/*recurse=*/true);
  const auto flag = std::find_if(left.begin(), left.end(), LooksLikeFlag);
  if (flag != left.end()) {
    const std::string name = flag->substr(0, flag->find('='));
    std::vector<std::string> known;
    for (const FlagText& text : AllFlags(command)) {
      known.insert(known.end(), text.names.begin(), text.names.end());
    }
    const std::string near = DidYouMean(name, known);
    const bool is_long = name.rfind("--", 0) == 0;
    return command.full_name + " has no flag " + name +
           (near.empty() && !is_long ? "; a file of that name goes behind --" : near);
  }
  std::vector<std::string> commands;
  for (const CommandText& known : command.commands) commands.push_back(known.name);
  if (commands.empty() || left.empty()) return "";
  return "there is no command " + left.front() + DidYouMean(left.front(), commands);
}

// ---- descriptions for other programs -----------------------------------------------------------

std::optional<std::string> Generated(const CommandText& program, const std::string& kind) {
  if (kind == "man") return ManPage(program);
  if (kind == "bash") return BashCompletion(program);
  if (kind == "zsh") return ZshCompletion(program);
  if (kind == "fish") return FishCompletion(program);
  return std::nullopt;
}

// In quotes where a shell would read it otherwise.
std::string ShellWord(std::string_view word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./,:=+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') text += "'\\'";  // ends the quotes, and begins new ones
    text += c;
  }
  return text + '\'';
}

}  // namespace

std::string ProgramName(const char* path) {
  const std::string text = path == nullptr ? "glint" : path;  // execve may give none
  return text.substr(text.rfind('/') + 1);
}

std::string CommandLineText(const std::string& tool, int argc, char** argv) {
  std::string text;
  for (const char* const name : {"GLINT_MODEL", "GLINT_TARGET"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != 0) text += std::string(name) + '=' + ShellWord(value) + ' ';
  }
  text += tool;
  for (int i = 1; i < argc; ++i) text += ' ' + ShellWord(argv[i]);
  return text;
}

int RunTool(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  const std::string tool = app.get_name();
  WaitWhereFull(STDOUT_FILENO);
  WaitWhereFull(STDERR_FILENO);
  for (CLI::Option* option : {app.get_help_ptr(), app.get_version_ptr()}) {
    if (option != nullptr) option->group(kMessageGroup);
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->get_help_ptr()->group(kMessageGroup);
  }
  if (argc == 3 && std::strcmp(argv[1], "--generate") == 0) {
    if (const std::optional<std::string> text = Generated(Describe(app), argv[2])) {
      std::fputs(text->c_str(), stdout);
      return FlushOutput(tool, kExitOk);
    }
  }
  try {
    app.parse(Arguments(argc, argv));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return FlushOutput(tool, app.exit(error));
    const std::string unknown = UnknownWord(&app);
    Complain(tool, (unknown.empty() ? FirstLine(error.what()) : unknown) + " (--help explains)");
    return kExitBad;
  }
  CatchSignals();
  int exit_code = kExitBad;
  try {
    exit_code = FlushOutput(tool, body());
  } catch (const std::bad_alloc&) {
    Complain(tool, "out of memory");
  } catch (const std::exception& error) {
    Complain(tool, error.what());
  }
  EndIfInterrupted();
  return exit_code;
}

CLI::Option* AddByteSizeOption(CLI::App* app, const std::string& name, uint64_t* value,
                               const std::string& help) {
  const auto parse = [value, name](const std::string& text) {
    const std::optional<uint64_t> bytes = ParseByteSize(text);
    if (!bytes || *bytes == 0) throw CLI::ValidationError(name, "'" + text + "' is no size");
    *value = *bytes;
  };
  return app->add_option_function<std::string>(name, parse, help)->type_name("SIZE");
}

}  // namespace glint::tools
