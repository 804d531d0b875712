// What the programs say of their flags, and what they make of their files.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "doctest/doctest.h"
#include "tools/commands/file_plan.h"
#include "tools/common/output.h"
#include "tools/common/pictures.h"
#include "tools/common/text.h"
#include "tools/program/completion.h"
#include "tools/program/flag_texts.h"
#include "tools/program/help_text.h"
#include "tools/program/man_page.h"
#include "tools/program/spelling.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "glint_files_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  std::string File(const std::string& name) const {
    const fs::path path = path_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << name;
    return path.string();
  }
  std::string Path(const std::string& name = "") const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

TEST_CASE("tools: the nearest words") {
  CHECK(EditDistance("", "abc") == 3);
  CHECK(EditDistance("threads", "threads") == 0);
  CHECK(EditDistance("threds", "threads") == 1);
  CHECK(EditDistance("trheads", "threads") == 1);  // neighbours
  CHECK(EditDistance("kitten", "sitting") == 3);
  const std::vector<std::string> flags = {"-v",       "--verbose",    "--threads",
                                          "--target", "--max-memory", "--max-pixels"};
  using Words = std::vector<std::string>;
  CHECK(NearestWords("--threds", flags) == Words{"--threads"});
  CHECK(NearestWords("-threads", flags) == Words{"--threads"});
  CHECK(NearestWords("--max", flags) == Words{"--max-memory", "--max-pixels"});
  CHECK(NearestWords("--t", flags).empty());
  CHECK(NearestWords("--quality", flags).empty());
  CHECK(NearestWords("", flags).empty());
  CHECK(NearestWords("--", flags).empty());
}

TEST_CASE("tools: durations") {
  CHECK(Duration(0) == "0 s");
  CHECK(Duration(0.2) == "1 s");
  CHECK(Duration(59) == "59 s");
  CHECK(Duration(60) == "1 min");
  CHECK(Duration(80) == "1 min 20 s");
  CHECK(Duration(7500) == "2 h 5 min");
  CHECK(Duration(-1) == "0 s");
}

TEST_CASE("tools: wrapped text") {
  CHECK(Wrapped("", 2, 10).empty());
  CHECK(Wrapped("one two three", 2, 10) == "  one two\n  three\n");
  CHECK(Wrapped("a-word-that-is-too-long is", 1, 8) == " a-word-that-is-too-long\n is\n");
  CHECK(Wrapped("first\nsecond line", 0, 80) == "first\nsecond line\n");
}

struct Example {
  Example() {
    command->add_option("--format", format, "What is written (default png)")
        ->check(CLI::IsMember({"png", "it's"}))
        ->group("Picture");
    command
        ->add_option("--out", out,
                     "Where [all] of it goes: a folder that has a long story "
                     "told about it, which takes more than one line")
        ->type_name("FOLDER");
    command->add_flag("-v,--verbose", loud, "Say more")->group(kMessageGroup);
    command->add_option("FILES", out, "What to read");
    SetHelp(command, {{"FILES"}, "Nothing more.", {"tool do .x"}, {{"Exit code", "0."}}});
  }
  CLI::App app{"Does things", "tool"};
  CLI::App* command = app.add_subcommand("do", "Does one thing");
  std::string format, out;
  bool loud = false;
};

TEST_CASE("tools: a program describes itself") {
  const Example example;
  const CommandText text = Describe(example.app);
  CHECK(text.name == "tool");
  REQUIRE(text.commands.size() == 1);
  const CommandText& command = text.commands[0];
  CHECK(command.full_name == "tool do");
  REQUIRE(command.groups.size() == 3);
  CHECK(command.groups[0].title == "Picture");
  CHECK(command.groups[2].title == kMessageGroup);
  const FlagText& format = command.groups[0].flags[0];
  CHECK(format.value == "png|it's");
  CHECK(format.choices == std::vector<std::string>{"png", "it's"});
  const std::vector<FlagText> all = AllFlags(command);
  REQUIRE(all.size() == 4);
  CHECK(all[1].names == std::vector<std::string>{"-h", "--help"});
  CHECK(all[2].value == "FOLDER");
  CHECK(all[3].names == std::vector<std::string>{"-v", "--verbose"});

  const std::string help = example.command->help();
  CHECK(help.rfind("Usage: tool do FILES\n\nDoes one thing. Nothing more.\n\nPicture:\n", 0) == 0);
  CHECK(help.find("\nExamples:\n  tool do .x\n\nExit code: 0.\n") != std::string::npos);
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
}

TEST_CASE("tools: texts for other programs are quoted") {
  const CommandText text = Describe(Example().app);
  const auto has = [](const std::string& all, const std::string& part) {
    return all.find(part) != std::string::npos;
  };
  const std::string man = ManPage(text);
  CHECK(has(man, "\n.SH \"TOOL DO\"\n"));
  CHECK(has(man, "\n\\fB\\-\\-format\\fR \\fIpng|it's\\fR\n"));
  CHECK(has(man, "\ntool do .x\n"));
  CHECK(has(BashCompletion(text), "'do --format') words='png it'\\''s' ;;"));
  CHECK(has(BashCompletion(text), "'do --out') kind=directory ;;"));
  CHECK(has(ZshCompletion(text), "'*--out=[Where \\[all\\] of it goes\\: a folder"));
  CHECK(has(FishCompletion(text), "-l format -x -a 'png it'\\''s' -d 'What is written'"));
}

TEST_CASE("tools: files that are read are known by whatever name") {
  const Folder folder;
  const std::string file = folder.File("a");
  fs::create_symlink(file, folder.Path("link"));
  fs::create_hard_link(file, folder.Path("hard"));
  InputFiles inputs;
  inputs.Add(file);
  inputs.Add(folder.Path("missing"));
  CHECK(!inputs.Check(file).ok());
  CHECK(!inputs.Check(folder.Path("./a")).ok());
  CHECK(!inputs.Check(folder.Path("link")).ok());
  const Error hard = inputs.Check(folder.Path("hard"));
  CHECK(hard.message.find("hard: would overwrite") != std::string::npos);
  CHECK(hard.message.find(file) != std::string::npos);
  CHECK(inputs.Check(folder.File("b")).ok());
  CHECK(inputs.Check(folder.Path("missing")).ok());
  CHECK(inputs.Check(folder.Path()).ok());
}

TEST_CASE("tools: outputs in one folder have names of their own") {
  std::vector<PictureFile> files;
  for (const char* name : {"a.png", "a.ppm", "a.png.png", "b.png"}) {
    files.push_back({name, name, fs::path(name).stem().string()});
  }
  SeparateOutputs(&files);
  std::vector<std::string> outputs;
  for (const PictureFile& file : files) outputs.push_back(file.output);
  CHECK(outputs == std::vector<std::string>{"a.png", "a.ppm", "a.png.png", "b"});
}

const FileKinds kEncode = {"picture", "stream", false, ".glint"};

std::vector<std::string> Outputs(const Expected<FilePlan>& plan, const std::string& root) {
  std::vector<std::string> outputs;
  if (!plan) return {plan.error().message};
  for (const FilePair& pair : plan->pairs) {
    outputs.push_back(fs::path(pair.out).lexically_relative(root).string());
  }
  std::sort(outputs.begin(), outputs.end());
  return outputs;
}

TEST_CASE("tools: many files have a plan") {
  const Folder folder;
  for (const char* name : {"in/b.png", "in/b.ppm", "in/c.png", "in/text.txt", "in/deep/b.png",
                           "in/.hidden/d.png", "in/out/e.png", "other/c.png"}) {
    folder.File(name);
  }
  FileFlags flags;
  flags.files = {folder.Path("in")};
  flags.out = folder.Path("in/out");
  Expected<FilePlan> plan = PlanFiles(flags, kEncode, "");
  using Names = std::vector<std::string>;
  CHECK(Outputs(plan, folder.Path("in/out")) == Names{"b.png.glint", "b.ppm.glint", "c.glint"});
  CHECK(plan->skipped == 1);
  flags.recursive = true;
  plan = PlanFiles(flags, kEncode, "");
  CHECK(Outputs(plan, folder.Path("in/out")) ==
        Names{"b.png.glint", "b.ppm.glint", "c.glint", "deep/b.glint"});

  flags.files = {folder.Path("in/c.png"), folder.Path("other/c.png")};
  plan = PlanFiles(flags, kEncode, "");
  REQUIRE(!plan);
  CHECK(plan.error().message.find("both would become") != std::string::npos);
  flags.files = {folder.Path("in/c.png"), folder.Path("gone.png")};
  CHECK(Outputs(PlanFiles(flags, kEncode, ""), *flags.out) == Names{"c.glint", "gone.glint"});
}

TEST_CASE("tools: one file has a plan") {
  const Folder folder;
  const std::string picture = folder.File("a.png");
  FileFlags flags;
  flags.files = {picture, folder.Path("a.glint")};
  const Expected<FilePlan> plan = PlanFiles(flags, kEncode, "");
  REQUIRE(plan);
  CHECK(!plan->many);
  CHECK(plan->pairs[0].out == folder.Path("a.glint"));
  const auto refused = [&](std::vector<std::string> files, const std::string& model = "") {
    flags.files = std::move(files);
    return !PlanFiles(flags, kEncode, model);
  };
  CHECK(refused({picture, picture}));
  CHECK(refused({picture}));
  CHECK(refused({picture, picture, "x"}));
  CHECK(refused({picture, folder.Path()}));
  CHECK(refused({folder.Path(), "x"}));
  CHECK(refused({picture, folder.File("model")}, folder.Path("model")));
}

}  // namespace
}  // namespace glint::tools
