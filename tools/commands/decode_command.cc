#include "tools/commands/decode_command.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "tools/commands/alpha_flags.h"
#include "tools/commands/coding_flags.h"
#include "tools/commands/decode_file.h"
#include "tools/commands/file_flags.h"
#include "tools/commands/file_plan.h"
#include "tools/commands/many_files.h"
#include "tools/commands/metadata_flags.h"
#include "tools/commands/part_flags.h"
#include "tools/common/console.h"
#include "tools/common/messages.h"
#include "tools/common/models.h"
#include "tools/common/output.h"
#include "tools/program/detail_flags.h"
#include "tools/program/flag_texts.h"

namespace glint::tools {
namespace {

struct DecodeFlags {
  FileFlags files;
  std::string format = "png";
  DecodeOptions options;  // of alpha and details
  uint32_t metadata = kMetadataAll;
  CodingFlags coding;
};

Expected<CodingSummary> Decode(const DecodeFlags& flags, const FilePair& pair,
                               const StreamFile& stream, ModelFinder* models,
                               const CallOptions& call) {
  const Expected<Model> model = models->Find(stream.info.model_id);
  if (!model) return At(stream.name, model.error());
  DecodeOptions options = flags.options;
  static_cast<CallOptions&>(options) = call;
  return DecodeFile(*model, stream, pair.out, flags.format, options, flags.metadata, pair.existing);
}

Error DecodeOne(const DecodeFlags& flags, const FilePair& pair, ModelFinder* models) {
  const Expected<StreamFile> stream =
      ReadStream(pair.in, flags.coding.limits, flags.options.detail);
  if (!stream) return stream.error();
  CodingStatus status("decoding");
  status.set_pixels(uint64_t{stream->info.source.width} * stream->info.source.height);
  const Expected<CodingSummary> summary =
      Decode(flags, pair, *stream, models, CallFor(flags.coding, &status));
  status.Clear();
  if (!summary) return summary.error();
  Warn(kGlint, InputName(pair.in), summary->warnings);
  if (flags.coding.verbose) SaySummary(OutputName(pair.out), *summary);
  return {};
}

Expected<int> Decode(const DecodeFlags& flags) {
  const Error target = UseTarget(flags.coding.target);
  if (!target.ok()) return target;
  const FileKinds kinds = {"stream", "picture", /*reads_streams=*/true, "." + flags.format};
  Expected<FilePlan> plan = PlanFiles(flags.files, kinds, flags.coding.model);
  if (!plan) return plan.error();
  ModelFinder models(flags.coding.model, flags.coding.threads,
                     plan->many ? Loading::kQuiet : Loading::kShown);
  if (!plan->many) {
    const Error error = DecodeOne(flags, plan->pairs.front(), &models);
    return error.ok() ? Expected<int>(kExitOk) : error;
  }
  const auto decode = [&](const FilePair& pair,
                          const CallOptions& call) -> Expected<CodingSummary> {
    const Expected<StreamFile> stream = ReadStream(pair.in, call.limits, flags.options.detail);
    if (!stream) return stream.error();
    return Decode(flags, pair, *stream, &models, call);
  };
  const ManyFiles many = {std::move(*plan), kinds.in, "decoding", "decoded", decode};
  return CodeMany(many, flags.files, flags.coding);
}

}  // namespace

Command AddDecodeCommand(CLI::App* app) {
  const auto flags = std::make_shared<DecodeFlags>();
  CLI::App* decode = app->add_subcommand("decode", "Makes pictures of .glint streams");
  AddFileFlags(decode, "stream", &flags->files);
  decode
      ->add_option("--format", flags->format,
                   "What goes to standard output, pipes and --out (default png)")
      ->check(CLI::IsMember({"png", "ppm", "pgm", "pam"}))
      ->group(kPictureGroup);
  AddAlphaFlags(decode, &flags->options);
  AddPartFlags(decode, &flags->options);
  AddDetailOutputFlags(decode, &flags->options);
  AddMetadataFlags(decode, &flags->metadata);
  AddCodingFlags(
      decode,
      "the one that the stream names, of those in $GLINT_MODEL and those that came with Glint",
      &flags->coding);
  SetHelp(decode,
          {{"[FLAGS] STREAM PICTURE", "[FLAGS] STREAM... --out FOLDER"},
           "The picture's ending says what it is: .png, .ppm, .pgm or .pam; - is standard input or "
           "output. A folder stands for the .glint files in it.",
           {"glint decode photo.glint photo.png",
            "glint decode photo.glint - --format ppm | cjpeg > photo.jpg",
            "glint decode --background white logo.glint logo.ppm",
            "glint decode --crop 640x480+1000+2000 map.glint part.png",
            "glint decode streams --recursive --out pictures"},
           {}});
  return {decode, [flags] {
            const Expected<int> exit_code = Decode(*flags);
            return exit_code ? *exit_code : ExitCodeFor(kGlint, exit_code.error());
          }};
}

}  // namespace glint::tools
