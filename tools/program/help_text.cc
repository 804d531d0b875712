#include "tools/program/help_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace glint::tools {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kIndent = 2;
constexpr size_t kLongestLeft = 22;  // longer names have a line of their own

using Row = std::pair<std::string, std::string>;

// Two columns; the right one is wrapped.
std::string Rows(const std::vector<Row>& rows, size_t left) {
  std::string text;
  for (const auto& [name, what] : rows) {
    const size_t column = kIndent + left + 2;
    std::string wrapped = Wrapped(what, column, kWidth);
    const std::string start = std::string(kIndent, ' ') + name;
    if (name.size() > left) {
      text += start + "\n" + wrapped;
    } else {
      text += wrapped.empty() ? start + "\n" : wrapped.replace(0, start.size(), start);
    }
  }
  return text;
}

std::string NameColumn(const FlagText& flag) {
  std::string names;
  for (const std::string& name : flag.names) names += (names.empty() ? "" : ", ") + name;
  return names + (flag.value.empty() ? "" : " " + flag.value);
}

std::string UsageText(const CommandText& command) {
  std::string text;
  for (const std::string& usage : command.help.usage) {
    text += (text.empty() ? "Usage: " : "       ") + command.full_name + " " + usage + "\n";
  }
  return text;
}

std::string CommandSection(const CommandText& command) {
  std::vector<Row> rows;
  size_t left = 0;
  for (const CommandText& one : command.commands) {
    rows.emplace_back(one.name, one.description);
    left = std::max(left, one.name.size());
  }
  return rows.empty() ? "" : "\nCommands:\n" + Rows(rows, left);
}

std::string FlagSections(const CommandText& command) {
  std::vector<std::pair<std::string, std::vector<Row>>> groups;
  size_t left = 0;
  for (const FlagGroup& group : command.groups) {
    std::vector<Row> rows;
    for (const auto& flag : group.flags) {
      rows.emplace_back(NameColumn(flag), flag.help);
      const size_t size = rows.back().first.size();
      if (size <= kLongestLeft) left = std::max(left, size);
    }
    groups.emplace_back(group.title, std::move(rows));
  }
  std::string text;
  for (const auto& [title, rows] : groups) text += "\n" + title + ":\n" + Rows(rows, left);
  return text;
}

}  // namespace

std::string HelpText(const CommandText& command) {
  const HelpTexts& texts = command.help;
  std::string text = UsageText(command) + "\n";
  text += Wrapped(command.description + ". " + texts.about, 0, kWidth);
  text += CommandSection(command) + FlagSections(command);
  if (!texts.examples.empty()) text += "\nExamples:\n";
  for (const std::string& example : texts.examples) {
    text += std::string(kIndent, ' ') + example + "\n";
  }
  for (const auto& [title, note] : texts.notes) {
    text += "\n" + Wrapped(title + ": " + note, 0, kWidth);
  }
  return text;
}

}  // namespace glint::tools
