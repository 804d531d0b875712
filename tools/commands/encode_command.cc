#include "tools/commands/encode_command.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "glint/image_io.hpp"
#include "tools/commands/coding_flags.h"
#include "tools/commands/encode_file.h"
#include "tools/commands/file_flags.h"
#include "tools/commands/file_plan.h"
#include "tools/commands/many_files.h"
#include "tools/commands/metadata_flags.h"
#include "tools/commands/rate_flags.h"
#include "tools/common/console.h"
#include "tools/common/messages.h"
#include "tools/common/models.h"
#include "tools/common/output.h"
#include "tools/program/detail_flags.h"
#include "tools/program/effort_flag.h"
#include "tools/program/flag_texts.h"

namespace glint::tools {
namespace {

const FileKinds kKinds = {"picture", "stream", /*reads_streams=*/false, ".glint"};

struct EncodeFlags {
  FileFlags files;
  RateFlags rate;
  int effort = 0;
  LossFlags loss;
  bool exact = false;
  uint32_t metadata = kMetadataAll;
  CodingFlags coding;
};

// Of a picture, by its header; 0 where it can be read but once.
uint64_t PixelsOf(const std::string& path) {
  if (!IsStoredFile(path)) return 0;
  const Expected<std::unique_ptr<PictureReader>> reader = PictureReader::Open(path);
  return reader ? uint64_t{(*reader)->info().width} * (*reader)->info().height : 0;
}

Error EncodeOne(const EncodeFlags& flags, const FilePair& pair, const Model& model,
                EncodeOptions options) {
  CodingStatus status("encoding");
  if (status.visible()) status.set_pixels(PixelsOf(pair.in));
  static_cast<CallOptions&>(options) = CallFor(flags.coding, &status);
  const Expected<CodingSummary> summary =
      EncodeFile(model, pair.in, pair.out, options, flags.rate.target, flags.metadata);
  status.Clear();
  if (!summary) return summary.error();
  Warn(kGlint, InputName(pair.in), summary->warnings);
  if (flags.coding.verbose) SaySummary(OutputName(pair.out), *summary);
  return {};
}

Expected<int> Encode(const EncodeFlags& flags) {
  const Error target = UseTarget(flags.coding.target);
  if (!target.ok()) return target;
  EncodeOptions options;
  options.exact = flags.exact;
  options.effort = flags.effort;
  Error error = SetLoss(flags.loss, &options);
  if (!error.ok()) return error;
  const Expected<std::string> path = FindModel(flags.coding.model, kCodingModel);
  if (!path) return path.error();
  Expected<FilePlan> plan = PlanFiles(flags.files, kKinds, *path);
  if (!plan) return plan.error();
  const Expected<Model> model = LoadModel(*path, flags.coding.threads);
  if (!model) return model.error();
  error = SetRate(flags.rate, model->info(), &options);
  if (error.ok()) error = CheckEffort(*model, options);
  if (!error.ok()) return error;
  if (!plan->many) {
    error = EncodeOne(flags, plan->pairs.front(), *model, options);
    return error.ok() ? Expected<int>(kExitOk) : error;
  }
  const auto encode = [&flags, &model, options](const FilePair& pair, const CallOptions& call) {
    EncodeOptions with_call = options;
    static_cast<CallOptions&>(with_call) = call;
    return EncodeFile(*model, pair.in, pair.out, with_call, flags.rate.target, flags.metadata,
                      pair.existing);
  };
  const ManyFiles many = {std::move(*plan), kKinds.in, "encoding", "encoded", encode};
  return CodeMany(many, flags.files, flags.coding);
}

}  // namespace

Command AddEncodeCommand(CLI::App* app) {
  const auto flags = std::make_shared<EncodeFlags>();
  CLI::App* encode = app->add_subcommand("encode", "Makes .glint streams of pictures");
  AddFileFlags(encode, kKinds.in, &flags->files);
  AddRateFlags(encode, &flags->rate);
  AddEffortFlag(encode, "; with a target, for each of its encodings", &flags->effort)
      ->group(kRateGroup);
  AddLossFlags(encode, &flags->loss);
  encode
      ->add_flag("--exact", flags->exact,
                 "Keep colours where alpha is 0, and an alpha that is opaque everywhere")
      ->group(kPictureGroup);
  AddMetadataFlags(encode, &flags->metadata);
  AddCodingFlags(encode, "$GLINT_MODEL, else light-int8, which came with Glint", &flags->coding);
  SetHelp(encode,
          {{"[FLAGS] PICTURE STREAM", "[FLAGS] PICTURE... --out FOLDER"},
           "Pictures are PNG, JPEG, PPM, PGM or PAM; - is standard input or output. A folder "
           "stands for "
           "the pictures in it.",
           {"glint encode photo.png photo.glint", "glint encode --quality 50 photo.png photo.glint",
            "glint encode --target-size 64K -v photo.png photo.glint",
            "glint encode --lossless drawing.png drawing.glint",
            "glint encode - photo.glint < photo.jpg",
            "glint encode photos --recursive --out streams --jobs 4",
            "glint encode photos --out streams --shard 2/4"},
           {}});
  return {encode, [flags] {
            const Expected<int> exit_code = Encode(*flags);
            return exit_code ? *exit_code : ExitCodeFor(kGlint, exit_code.error());
          }};
}

}  // namespace glint::tools
