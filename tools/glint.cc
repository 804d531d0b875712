// glint: encodes pictures to .glint streams, decodes them, and says what a stream or model is.
// A command-line tool over the public interface. Here is the list of its commands; each has a file
// of its own. Thread rules: one main thread; the library makes the workers that --threads asks for.
#include "glint/glint.hpp"

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tools/command.h"
#include "tools/console.h"
#include "tools/decode_command.h"
#include "tools/encode_command.h"
#include "tools/info_command.h"

namespace glint::tools {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("Glint, a learned image codec", kGlint);
  app.set_version_flag("--version", std::string("glint ") + Version());
  app.require_subcommand(1);
  app.footer(
      "`glint COMMAND --help` has the flags of a command. Exit code: 0, or 2 with one message "
      "when\n"
      "a flag, file, model or stream is bad; output files appear only when they are complete.\n"
      "Environment: GLINT_MODEL (model file or folder), GLINT_TARGET (SIMD target).");
  const std::vector<Command> commands = {AddEncodeCommand(&app), AddDecodeCommand(&app),
                                         AddInfoCommand(&app)};
  return RunTool(kGlint, app, argc, argv, [&commands] {
    CatchInterrupts();
    for (const Command& command : commands) {
      if (command.app->parsed()) return command.run();
    }
    return kExitBad;
  });
}

}  // namespace
}  // namespace glint::tools

int main(int argc, char** argv) { return glint::tools::Main(argc, argv); }
