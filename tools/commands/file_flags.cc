#include "tools/commands/file_flags.h"

#include "CLI/CLI.hpp"
#include "tools/common/text.h"
#include "tools/program/flag_checks.h"

namespace glint::tools {

void AddFileFlags(CLI::App* app, const std::string& what, FileFlags* flags) {
  constexpr const char* kGroup = "Many files";
  app->add_option("FILES", flags->files, "What to read, and without --out what to write")
      ->check(NotEmpty())
      ->required();
  app->add_option("--out", flags->out,
                  "Write into this folder, which is made if it is not there; existing files "
                  "stay as they are, unless --force")
      ->check(NotEmpty())
      ->type_name("FOLDER")
      ->group(kGroup);
  app->add_flag("-r,--recursive", flags->recursive,
                "Of folders, the folders inside as well; --out gets the same ones")
      ->group(kGroup);
  app->add_option("--jobs", flags->jobs,
                  Upper(what.substr(0, 1)) + what.substr(1) +
                      "s at a time (default 1), each with its part of --max-memory, and of the "
                      "machine's threads unless --threads says how many")
      ->check(WholeNumber())
      ->check(CLI::Range(1, 1024))
      ->group(kGroup);
  AddShardFlag(app, "A part of the " + what + "s, for several machines", &flags->shard)
      ->group(kGroup);
  app->add_flag("-f,--force", flags->force, "Replace existing files of --out; write to a terminal")
      ->group(kGroup);
}

}  // namespace glint::tools
