#include "tools/commands/coding_flags.h"

#include "CLI/CLI.hpp"
#include "tools/commands/command.h"
#include "tools/commands/info_text.h"
#include "tools/common/detail_text.h"
#include "tools/common/machine.h"
#include "tools/common/signals.h"
#include "tools/common/text.h"
#include "tools/program/flag_checks.h"
#include "tools/program/flag_texts.h"
#include "tools/program/program.h"

namespace glint::tools {
namespace {

constexpr const char* kModelGroup = "Model and speed";
constexpr const char* kLimitGroup = "Limits";
constexpr double kPatience = 0.5;  // seconds after which progress is worth a line

}  // namespace

void AddTargetFlag(CLI::App* app, std::string* target) {
  app->add_option("--target", *target,
                  "SIMD target, such as AVX2 (default: $GLINT_TARGET, else the best here)")
      ->type_name("NAME")
      ->group(kModelGroup);
}

void AddLimitFlags(CLI::App* app, Limits* limits) {
  AddByteSizeOption(app, "--max-pixels", &limits->max_pixels,
                    "Refuse pictures with more pixels (default 1G; K, M, G: powers of 1024)")
      ->group(kLimitGroup);
  AddByteSizeOption(app, "--max-memory", &limits->max_memory,
                    "Refuse work that needs more memory, in bytes (default 4G)")
      ->group(kLimitGroup);
}

void AddCodingFlags(CLI::App* app, const std::string& default_model, CodingFlags* flags) {
  app->add_option(
         "--model", flags->model,
         "Model: a file, or the name of one that came with Glint (default: " + default_model + ")")
      ->check(NotEmpty())
      ->type_name("FILE")
      ->group(kModelGroup);
  app->add_option("--threads", flags->threads, "Threads; 0: all that the machine has (default)")
      ->check(WholeNumber())
      ->check(CLI::Range(0, 1024))
      ->group(kModelGroup);
  app->add_option("--band", flags->band,
                  "Picture rows worked on at a time; 0: chosen (default). Never changes the result")
      ->check(WholeNumber())
      ->check(CLI::Range(0, 1 << 20))
      ->group(kModelGroup);
  AddTargetFlag(app, &flags->target);
  AddLimitFlags(app, &flags->limits);
  app->add_flag("-v,--verbose", flags->verbose, "Say on standard error what was done")
      ->group(kMessageGroup);
}

void CodingStatus::Show(double done) {
  if (pace_.seconds() < kPatience) return;
  const double megapixels = static_cast<double>(pixels_) / 1e6;
  line_.ShowProgress(what_, done, pace_.Text(done, 1, done * megapixels));
}

CallOptions CallFor(const CodingFlags& flags, CodingStatus* status) {
  CallOptions call;
  call.threads = flags.threads;
  call.band_rows = flags.band;
  call.limits = flags.limits;
  call.progress = [status](double done) {
    status->Show(done);
    return !Interrupted();
  };
  return call;
}

std::vector<std::string> SummaryLines(const std::string& name, const CodingSummary& summary) {
  const double pixels = static_cast<double>(summary.pixels);
  const double bits = 8 * static_cast<double>(summary.stream_bytes);
  const StageTimes& times = summary.report.times;
  std::vector<std::string> lines = {
      name + ": " + PictureText(summary.picture) + ", " + Grouped(summary.stream_bytes) +
      " bytes, " + Fixed(bits / pixels, 3) + " bpp, " +
      (summary.found.empty() ? "" : summary.found + ", ") + Fixed(times.total, 3) + " s, " +
      (times.effort > 0 ? Fixed(times.effort, 3) + " s of it effort, " : "") +
      ByteSize(PeakRssMib() * 1024 * 1024) + " at the most" +
      (summary.left_out.empty() ? "" : "; left out: " + summary.left_out)};
  const std::string details =
      DetailText(summary.report.detail, summary.picture, summary.stream_bytes);
  if (!details.empty()) lines.push_back(name + ": " + details);
  return lines;
}

void SaySummary(const std::string& name, const CodingSummary& summary) {
  for (const std::string& line : SummaryLines(name, summary)) Complain(kGlint, line);
}

}  // namespace glint::tools
