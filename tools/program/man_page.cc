#include "tools/program/man_page.h"

#include <sstream>

#include "glint/glint.hpp"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

// Plain text as roff shows it: dashes that can be copied, and no line that begins a request.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (escaped.empty() || escaped.back() == '\n')) escaped += "\\&";
      escaped += c;
    }
  }
  return escaped;
}

std::string Paragraph(const std::string& text) { return ".PP\n" + Escaped(text) + "\n"; }

std::string Usage(const CommandText& command) {
  std::string text;
  for (const std::string& usage : command.help.usage) {
    text += (text.empty() ? "" : ".br\n") + ("\\fB" + Escaped(command.full_name) + "\\fR ") +
            Escaped(usage) + "\n";
  }
  return text;
}

std::string Flag(const FlagText& flag) {
  std::string text = ".TP\n";
  for (size_t i = 0; i < flag.names.size(); ++i) {
    text += (i > 0 ? ", " : "") + ("\\fB" + Escaped(flag.names[i]) + "\\fR");
  }
  if (!flag.value.empty()) text += " \\fI" + Escaped(flag.value) + "\\fR";
  return text + "\n" + Escaped(flag.help) + "\n";
}

std::string Flags(const CommandText& command) {
  std::string text;
  for (const FlagGroup& group : command.groups) {
    text += ".PP\n\\fI" + Escaped(group.title) + "\\fR\n";
    for (const FlagText& flag : group.flags) text += Flag(flag);
  }
  return text;
}

std::string Examples(const CommandText& command) {
  std::string text;
  for (const std::string& example : command.help.examples) text += Escaped(example) + "\n";
  return ".nf\n.RS\n" + text + ".RE\n.fi\n";
}

std::string About(const CommandText& command) {
  return Paragraph(command.description + ". " + command.help.about);
}

}  // namespace

std::string ManPage(const CommandText& program) {
  const std::string version = std::string("Glint ") + Version();
  std::string text = ".TH \"" + Upper(program.name) + "\" \"1\" \"\" \"" + version + "\" \"\"\n";
  text += ".SH NAME\n" + program.name + " \\- " + Escaped(program.description) + "\n";
  text += ".SH SYNOPSIS\n" + Usage(program);
  for (const CommandText& command : program.commands) text += ".br\n" + Usage(command);
  text += ".SH DESCRIPTION\n" + About(program) + ".SH OPTIONS\n" + Flags(program);
  for (const CommandText& command : program.commands) {
    text += ".SH \"" + Upper(command.full_name) + "\"\n" + About(command) + Flags(command);
    text += ".PP\n\\fIExamples\\fR\n" + Examples(command);
  }
  if (!program.help.examples.empty()) text += ".SH EXAMPLES\n" + Examples(program);
  for (const auto& [title, note] : program.help.notes) {
    text += ".SH \"" + Upper(title) + "\"\n" + Escaped(note) + "\n";
  }
  return text;
}

}  // namespace glint::tools
