#include "tools/encode_command.h"

#include <memory>
#include <string>

#include "tools/coding_flags.h"
#include "tools/console.h"
#include "tools/encode_file.h"
#include "tools/messages.h"
#include "tools/models.h"
#include "tools/rate_flags.h"

namespace glint::tools {
namespace {

struct EncodeFlags {
  std::string in, out;
  RateFlags rate;
  CodingFlags coding;
};

Error Encode(const EncodeFlags& flags) {
  const Error target = UseTarget(flags.coding.target);
  if (!target.ok()) return target;
  const Expected<std::string> path = FindModel(flags.coding.model, kCodingModel);
  if (!path) return path.error();
  const Expected<Model> model = LoadModel(*path);
  if (!model) return model.error();
  EncodeOptions options;
  const Error rate = SetRate(flags.rate, model->info(), &options);
  if (!rate.ok()) return rate;
  StatusLine status;
  SetCallOptions(flags.coding, "encoding", &status, &options);
  const Expected<CodingSummary> summary =
      EncodeFile(*model, flags.in, flags.out, options, flags.rate.target);
  status.Clear();
  if (!summary) return summary.error();
  Warn(kGlint, InputName(flags.in), summary->warnings);
  if (flags.coding.verbose) SaySummary(*summary);
  return {};
}

}  // namespace

Command AddEncodeCommand(CLI::App* app) {
  const auto flags = std::make_shared<EncodeFlags>();
  CLI::App* encode =
      app->add_subcommand("encode", "Picture (PNG, JPEG, PPM, PGM, PAM) to .glint stream");
  encode->add_option("IN", flags->in, "Picture; -: standard input")->required();
  encode->add_option("OUT", flags->out, "Stream; -: standard output")->required();
  AddRateFlags(encode, &flags->rate);
  AddCodingFlags(encode, &flags->coding);
  encode->footer(
      "Examples:\n"
      "  glint encode photo.png photo.glint\n"
      "  glint encode --quality 90 photo.png photo.glint\n"
      "  glint encode --target-size 64K -v photo.png photo.glint\n"
      "  glint encode photo.jpg photo.glint");
  return {encode, [flags] { return ExitCodeFor(kGlint, Encode(*flags)); }};
}

}  // namespace glint::tools
