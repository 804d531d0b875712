#include "tools/program/completion.h"

#include <algorithm>
#include <array>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {
namespace {

// ---- what all shells have in common ------------------------------------------------------------

enum class ValueKind { kNone, kChoice, kFile, kFolder, kOther };

ValueKind KindOf(const FlagText& flag) {
  static const std::array<std::string, 5> kFiles = {"FILE", "MODEL", "PICTURE", "STREAM", "PATH"};
  if (!flag.choices.empty()) return ValueKind::kChoice;
  if (flag.value.empty()) return ValueKind::kNone;
  if (flag.value == "FOLDER") return ValueKind::kFolder;
  const bool file = std::find(kFiles.begin(), kFiles.end(), flag.value) != kFiles.end();
  return file ? ValueKind::kFile : ValueKind::kOther;
}

bool IsLong(const std::string& name) { return name.rfind("--", 0) == 0; }

std::string Joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string Replaced(const std::string& text, char from, const std::string& to) {
  std::string replaced;
  for (const char c : text) replaced += c == from ? to : std::string(1, c);
  return replaced;
}

std::string Quoted(const std::string& text) { return "'" + Replaced(text, '\'', "'\\''") + "'"; }

// The first statement of a flag's help: what fits beside it in a list.
std::string Brief(const std::string& help) {
  size_t end = help.size();
  for (const char* const stop : {"; ", " (", ". "}) end = std::min(end, help.find(stop));
  return help.substr(0, end);
}

std::vector<std::string> CommandNames(const CommandText& program) {
  std::vector<std::string> names;
  for (const CommandText& command : program.commands) names.push_back(command.name);
  return names;
}

// The program itself, then its commands.
std::vector<const CommandText*> Everything(const CommandText& program) {
  std::vector<const CommandText*> all = {&program};
  for (const CommandText& command : program.commands) all.push_back(&command);
  return all;
}

std::string Origin(const CommandText& program, const std::string& shell) {
  return "# Glint " + std::string(Version()) + ", made by `" + program.name + " --generate " +
         shell + "`\n";
}

// ---- bash --------------------------------------------------------------------------------------

// "encode --out", as the function compares them; a program without commands has none in front.
std::string BashCase(const std::string& command, const FlagText& flag) {
  std::vector<std::string> patterns;
  for (const std::string& name : flag.names) patterns.push_back("'" + command + " " + name + "'");
  return "    " + Joined(patterns, " | ") + ") ";
}

std::string BashValues(const std::string& command, const CommandText& part) {
  std::string text;
  for (const FlagText& flag : AllFlags(part)) {
    const ValueKind kind = KindOf(flag);
    if (kind == ValueKind::kNone) continue;
    text += BashCase(command, flag);
    if (kind == ValueKind::kChoice) text += "words=" + Quoted(Joined(flag.choices, " ")) + " ;;\n";
    if (kind == ValueKind::kFile) text += "kind=file ;;\n";
    if (kind == ValueKind::kFolder) text += "kind=directory ;;\n";
    if (kind == ValueKind::kOther) text += "return ;;\n";
  }
  return text;
}

std::string BashFlags(const std::string& command, const CommandText& part) {
  std::vector<std::string> names;
  for (const FlagText& flag : AllFlags(part)) {
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return "    '" + command + " -'*) words=" + Quoted(Joined(names, " ")) + " ;;\n";
}

// ---- zsh ---------------------------------------------------------------------------------------

std::string ZshText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// A flag for _arguments: '(-v --verbose)'{-v,--verbose}'[help]', or '*--out=[help]:FOLDER:_files'.
std::string ZshFlag(const FlagText& flag) {
  std::string text;
  const ValueKind kind = KindOf(flag);
  std::string value;
  if (kind != ValueKind::kNone) value = ":" + ZshText(flag.value) + ":";
  if (kind == ValueKind::kChoice) value += "(" + Joined(flag.choices, " ") + ")";
  if (kind == ValueKind::kFile) value += "_files";
  if (kind == ValueKind::kFolder) value += "_files -/";
  for (const std::string& name : flag.names) {
    const std::string exclusive =
        kind == ValueKind::kNone ? "(" + Joined(flag.names, " ") + ")" : "*";
    const std::string sign = kind == ValueKind::kNone ? "" : IsLong(name) ? "=" : "+";
    text += " \\\n    " +
            Quoted(exclusive + name + sign + "[" + ZshText(Brief(flag.help)) + "]" + value);
  }
  return text;
}

std::string ZshArguments(const CommandText& part) {
  std::string text = "_arguments -C -s -S";
  for (const FlagText& flag : AllFlags(part)) text += ZshFlag(flag);
  return text;
}

// ---- fish --------------------------------------------------------------------------------------

std::string FishFlag(const FlagText& flag) {
  std::string text;
  for (const std::string& name : flag.names) {
    text += IsLong(name) ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  const ValueKind kind = KindOf(flag);
  if (kind == ValueKind::kChoice) text += " -x -a " + Quoted(Joined(flag.choices, " "));
  if (kind == ValueKind::kFile) text += " -r -F";
  if (kind == ValueKind::kFolder) text += " -x -a '(__fish_complete_directories)'";
  if (kind == ValueKind::kOther) text += " -x";
  return text + " -d " + Quoted(Brief(flag.help));
}

}  // namespace

std::string BashCompletion(const CommandText& program) {
  const std::string function = "_" + Replaced(program.name, '-', "_");
  const std::vector<std::string> commands = CommandNames(program);
  std::string values, flags;
  for (const CommandText* part : Everything(program)) {
    const std::string command = part == &program ? "" : part->name;
    values += BashValues(command, *part);
    flags += BashFlags(command, *part);
  }
  std::string text = Origin(program, "bash") + function + "() {\n" +
                     "  local current=${COMP_WORDS[COMP_CWORD]} "
                     "previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "  local command='' words='' kind=file word\n"
                     "  if [[ $current == = ]]; then\n"
                     "    current=''\n"
                     "  elif [[ $previous == = ]]; then\n"
                     "    previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
                     "  fi\n";
  if (!commands.empty()) {
    text += "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD - 1}\"; do\n    case $word in\n      " +
            Joined(commands, " | ") + ") command=$word && break ;;\n    esac\n  done\n";
  }
  text += "  COMPREPLY=()\n  case \"$command $previous\" in\n" + values +
          "    *)\n  case \"$command $current\" in\n" + flags;
  if (!commands.empty()) text += "    ' '*) words=" + Quoted(Joined(commands, " ")) + " ;;\n";
  text +=
      "  esac ;;\n  esac\n"
      "  if [[ -n $words ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "  else\n"
      "    compopt -o filenames 2>/dev/null\n"
      "    mapfile -t COMPREPLY < <(compgen -A $kind -- \"$current\")\n"
      "  fi\n}\n";
  return text + "complete -F " + function + " " + program.name + "\n";
}

std::string ZshCompletion(const CommandText& program) {
  const std::string name = program.name;
  std::string text = "#compdef " + name + "\n" + Origin(program, "zsh");
  if (program.commands.empty()) return text + ZshArguments(program) + " \\\n    '*:file:_files'\n";
  std::string commands, cases;
  for (const CommandText& command : program.commands) {
    commands += " " + Quoted(command.name + ":" + ZshText(command.description));
    cases +=
        "  " + command.name + ")\n    " + ZshArguments(command) + " \\\n    '*:file:_files' ;;\n";
  }
  return text + "local state line\nlocal -a commands=(" + commands + ")\n" + ZshArguments(program) +
         " \\\n    '1:command:->command' \\\n    '*::argument:->arguments'\n" +
         "case $state in\n  command) _describe command commands ;;\n  arguments)\n" +
         "  case $words[1] in\n" + cases + "  esac ;;\nesac\n";
}

std::string FishCompletion(const CommandText& program) {
  const std::string start = "complete -c " + program.name;
  std::string text = Origin(program, "fish");
  for (const CommandText& command : program.commands) {
    text += start + " -n __fish_use_subcommand -f -a " + command.name + " -d " +
            Quoted(command.description) + "\n";
  }
  for (const CommandText* part : Everything(program)) {
    std::string condition;
    if (part != &program) {
      condition = " -n " + Quoted("__fish_seen_subcommand_from " + part->name);
    } else if (!program.commands.empty()) {
      condition = " -n __fish_use_subcommand";
    }
    for (const FlagText& flag : AllFlags(*part)) text += start + condition + FishFlag(flag) + "\n";
  }
  return text;
}

}  // namespace glint::tools
