#include "tools/program/flag_texts.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "CLI/CLI.hpp"
#include "tools/program/help_text.h"

namespace glint::tools {
namespace {

constexpr const char* kNoGroup = "Options";  // CLI11's name for it

// CLI11 asks it for the text of --help; it also keeps what HelpOf gives back.
class Formatter final : public CLI::FormatterBase {
 public:
  explicit Formatter(HelpTexts texts) : texts_(std::move(texts)) {}
  const HelpTexts& texts() const { return texts_; }
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    return HelpText(Describe(*app));
  }

 private:
  HelpTexts texts_;
};

std::vector<std::string> SplitAt(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// CLI11 gives "TEXT:{png,ppm}" or "INT:INT in [0 - 1024]": a type, and what its checks say.
void SetValue(const CLI::Option& option, FlagText* flag) {
  if (option.get_expected_max() == 0) return;
  const std::string type = option.get_type_name();
  const size_t open = type.find(":{");
  const size_t close = type.find('}', open);
  flag->value = type.substr(0, type.find(':'));
  if (flag->value == "INT" || flag->value == "UINT" || flag->value == "FLOAT") flag->value = "N";
  if (open == std::string::npos || close == std::string::npos) return;
  flag->choices = SplitAt(type.substr(open + 2, close - open - 2), ',');
  if (flag->value != "TEXT") return;
  flag->value.clear();
  for (const std::string& choice : flag->choices) {
    flag->value += (flag->value.empty() ? "" : "|") + choice;
  }
}

FlagText TextOf(const CLI::Option& option) {
  FlagText flag;
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  SetValue(option, &flag);
  flag.help = option.get_description();
  if (!option.get_default_str().empty()) {
    flag.help += " (default " + option.get_default_str() + ")";
  }
  return flag;
}

std::vector<FlagGroup> GroupsOf(const CLI::App& app) {
  std::vector<FlagGroup> groups;
  for (const CLI::Option* option : app.get_options()) {
    const std::string& title = option->get_group();
    if (title.empty() || !option->nonpositional()) continue;
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&title](const FlagGroup& g) { return g.title == title; });
    if (group == groups.end()) group = groups.insert(group, FlagGroup{title, {}});
    group->flags.push_back(TextOf(*option));
  }
  for (const char* const last : {kNoGroup, kMessageGroup}) {
    std::stable_partition(groups.begin(), groups.end(),
                          [last](const FlagGroup& group) { return group.title != last; });
  }
  return groups;
}

std::string FullName(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return (parent == nullptr ? "" : FullName(*parent) + " ") + app.get_name();
}

// One line of Wrapped: all words of `text` from `*from` that fit into `width` columns.
std::string TakeLine(const std::vector<std::string>& words, size_t width, size_t* from) {
  std::string line = words[(*from)++];
  while (*from < words.size() && line.size() + 1 + words[*from].size() <= width) {
    line += " " + words[(*from)++];
  }
  return line;
}

}  // namespace

void SetHelp(CLI::App* app, HelpTexts texts) {
  app->formatter(std::make_shared<Formatter>(std::move(texts)));
}

CommandText Describe(const CLI::App& app) {
  CommandText text;
  text.name = app.get_name();
  text.full_name = FullName(app);
  text.description = app.get_description();
  const auto* formatter = dynamic_cast<const Formatter*>(app.get_formatter().get());
  if (formatter != nullptr) text.help = formatter->texts();
  text.groups = GroupsOf(app);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    text.commands.push_back(Describe(*command));
  }
  return text;
}

std::vector<FlagText> AllFlags(const CommandText& command) {
  std::vector<FlagText> all;
  for (const FlagGroup& group : command.groups) {
    all.insert(all.end(), group.flags.begin(), group.flags.end());
  }
  return all;
}

std::string Wrapped(const std::string& text, size_t indent, size_t width) {
  std::string lines;
  for (const std::string& paragraph : SplitAt(text, '\n')) {
    std::vector<std::string> words;
    for (const std::string& word : SplitAt(paragraph, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    for (size_t from = 0; from < words.size();) {
      lines += std::string(indent, ' ') + TakeLine(words, width - indent, &from) + "\n";
    }
  }
  return lines;
}

}  // namespace glint::tools
