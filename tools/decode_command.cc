#include "tools/decode_command.h"

#include <memory>
#include <string>

#include "tools/coding_flags.h"
#include "tools/console.h"
#include "tools/decode_file.h"
#include "tools/models.h"

namespace glint::tools {
namespace {

struct DecodeFlags {
  std::string in, out, format = "png";
  CodingFlags coding;
};

Error Decode(const DecodeFlags& flags) {
  const Expected<StreamFile> stream = ReadStream(flags.in, flags.coding.limits);
  if (!stream) return stream.error();
  const Error target = UseTarget(flags.coding.target);
  if (!target.ok()) return target;
  const Expected<Model> model = LoadModelOf(stream->info.model_id, flags.coding.model);
  if (!model) return model.error();
  DecodeOptions options;
  StatusLine status;
  SetCallOptions(flags.coding, "decoding", &status, &options);
  const Expected<CodingSummary> summary =
      DecodeFile(*model, *stream, flags.out, flags.format, options);
  status.Clear();
  if (!summary) return summary.error();
  if (flags.coding.verbose) SaySummary(*summary);
  return {};
}

}  // namespace

Command AddDecodeCommand(CLI::App* app) {
  const auto flags = std::make_shared<DecodeFlags>();
  CLI::App* decode = app->add_subcommand("decode", ".glint stream to picture");
  decode->add_option("IN", flags->in, "Stream; -: standard input")->required();
  decode->add_option("OUT", flags->out, "Picture (.png, .ppm, .pgm, .pam); -: standard output")
      ->required();
  decode->add_option("--format", flags->format, "What goes to standard output (default png)")
      ->check(CLI::IsMember({"png", "ppm", "pgm", "pam"}));
  AddCodingFlags(decode, &flags->coding);
  decode->footer(
      "Examples:\n"
      "  glint decode photo.glint photo.png\n"
      "  glint decode photo.glint - --format ppm | cjpeg > photo.jpg");
  return {decode, [flags] { return ExitCodeFor(kGlint, Decode(*flags)); }};
}

}  // namespace glint::tools
