// glint: encodes pictures to .glint streams, decodes them, and says what a stream or model is. A
// command-line tool over the public interface. Here is the list of its commands; each has a file of
// its own.
// Thread rules: one main thread; the library makes the workers that --threads asks for.
#include "glint/glint.hpp"

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/commands/command.h"
#include "tools/commands/decode_command.h"
#include "tools/commands/encode_command.h"
#include "tools/commands/info_command.h"
#include "tools/common/console.h"
#include "tools/program/flag_texts.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("Codes pictures by a learned model, and restores them", kGlint);
  app.set_version_flag("--version", std::string("glint ") + Version());
  app.require_subcommand(1);
  SetHelp(&app, {{"COMMAND [FLAGS] FILES"},
                 "`glint COMMAND --help` has the flags of a command.",
                 {"glint encode photo.png photo.glint", "glint decode photo.glint photo.png"},
                 {{"Exit code",
                   "0; 1 when some of many files failed; 2, with one message, when a flag, file, "
                   "model or stream is bad. Output files appear only when they are complete."},
                  {"Environment",
                   "GLINT_MODEL is a model file, or a folder that holds light-int8.safetensors, or "
                   "what streams need to be decoded. GLINT_TARGET is a SIMD target."}}});
  const std::vector<Command> commands = {AddEncodeCommand(&app), AddDecodeCommand(&app),
                                         AddInfoCommand(&app)};
  return RunTool(app, argc, argv, [&commands] {
    for (const Command& command : commands) {
      if (command.app->parsed()) return command.run();
    }
    return kExitBad;
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
