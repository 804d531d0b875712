// What there is to say of a program's flags and commands, taken from its CLI11 definition: the one
// description from which help, manual pages and completion are made.
// Used by tools/program/program.cc and the files of the commands, and by the makers of those texts.
// Thread rules: pure functions, but for SetHelp.
#ifndef GLINT_TOOLS_PROGRAM_FLAG_TEXTS_H_
#define GLINT_TOOLS_PROGRAM_FLAG_TEXTS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace glint::tools {

// The texts of a program or command that CLI11 has no place for.
struct HelpTexts {
  std::vector<std::string> usage;     // what stands behind the command's name: "[FLAGS] IN OUT"
  std::string about;                  // more sentences behind the description's
  std::vector<std::string> examples;  // whole command lines
  std::vector<std::pair<std::string, std::string>> notes;  // titled: "Exit code", ...
};
// Makes --help, the manual page and so on of `app` say this too.
void SetHelp(CLI::App* app, HelpTexts texts);

inline constexpr const char* kRateGroup = "Rate";         // bits, and what they are worth
inline constexpr const char* kPictureGroup = "Picture";   // what becomes of it
inline constexpr const char* kMessageGroup = "Messages";  // --help, --version, --verbose

struct FlagText {
  std::vector<std::string> names;    // "-v", "--verbose"
  std::string value;                 // "N", "FILE", "png|ppm"; empty: a switch
  std::vector<std::string> choices;  // all that the value may be; empty: not a choice
  std::string help;                  // with the default, where the definition has one
};
struct FlagGroup {
  std::string title;
  std::vector<FlagText> flags;
};

// All of a program, or of a command of it.
struct CommandText {
  std::string name;       // "encode"
  std::string full_name;  // "glint encode"
  std::string description;
  HelpTexts help;
  // In the order of the definition, but for flags without a group and those of kMessageGroup, which
  // come last.
  std::vector<FlagGroup> groups;
  std::vector<CommandText> commands;
};
CommandText Describe(const CLI::App& app);

std::vector<FlagText> AllFlags(const CommandText& command);

// Lines of at most `width` columns, each beginning with `indent` spaces and ending in a line feed.
// Breaks between words, and where the text has a line feed.
std::string Wrapped(const std::string& text, size_t indent, size_t width);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_PROGRAM_FLAG_TEXTS_H_
