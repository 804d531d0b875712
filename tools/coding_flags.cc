#include "tools/coding_flags.h"

#include <cstdio>

#include "tools/command.h"
#include "tools/info_text.h"
#include "tools/machine.h"
#include "tools/text.h"

namespace glint::tools {
namespace {

constexpr double kPatience = 0.5;  // seconds after which progress is worth a line

}  // namespace

void AddTargetFlag(CLI::App* app, std::string* target) {
  app->add_option("--target", *target,
                  "SIMD target, such as AVX2 (default: $GLINT_TARGET, else the best here)");
}

void AddLimitFlags(CLI::App* app, Limits* limits) {
  AddByteSizeOption(app, "--max-pixels", &limits->max_pixels,
                    "Refuse pictures with more pixels (K, M, G: powers of 1024; default 1G)");
  AddByteSizeOption(app, "--max-memory", &limits->max_memory,
                    "Refuse work that needs more memory, in bytes (default 4G)");
}

void AddCodingFlags(CLI::App* app, CodingFlags* flags) {
  app->add_option("--model", flags->model,
                  "Model file (default: $GLINT_MODEL, else, of those that came with Glint, "
                  "light-int8, and to decode the one that the stream names)");
  app->add_option("--threads", flags->threads, "Threads; 0: all that the machine has (default)")
      ->check(CLI::Range(0, 1024));
  app->add_option("--band", flags->band,
                  "Picture rows worked on at a time; 0: chosen (default). Never changes the result")
      ->check(CLI::Range(0, 1 << 20));
  app->add_flag("-v,--verbose", flags->verbose, "Say on standard error what was done");
  AddTargetFlag(app, &flags->target);
  AddLimitFlags(app, &flags->limits);
}

void SetCallOptions(const CodingFlags& flags, const std::string& what, StatusLine* status,
                    CallOptions* options) {
  options->threads = flags.threads;
  options->band_rows = flags.band;
  options->limits = flags.limits;
  options->progress = [what, status, start = Now()](double done) {
    if (Now() - start > kPatience) status->ShowProgress(what, done);
    return !Interrupted();
  };
}

void SaySummary(const CodingSummary& summary) {
  const double pixels = static_cast<double>(summary.picture.width) * summary.picture.height;
  const double bits = 8 * static_cast<double>(summary.stream_bytes);
  std::fprintf(
      stderr, "%s: %s, %s bytes, %s bpp%s, %s s, %s at the most\n", kGlint,
      PictureText(summary.picture).c_str(), Grouped(summary.stream_bytes).c_str(),
      Fixed(bits / pixels, 3).c_str(), (summary.found.empty() ? "" : ", " + summary.found).c_str(),
      Fixed(summary.report.times.total, 3).c_str(), ByteSize(PeakRssMib() * 1024 * 1024).c_str());
}

}  // namespace glint::tools
