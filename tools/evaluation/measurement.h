// Measures what a model makes of a picture: encodes to bytes, decodes those bytes with a model that
// was loaded separately, compares. And the means over many pictures.
// Used by tools/evaluation/runner.cc, and for shrunk pictures by tools/quantising.
// Thread rules: one thread; the library makes its own workers.
#ifndef GLINT_TOOLS_EVALUATION_MEASUREMENT_H_
#define GLINT_TOOLS_EVALUATION_MEASUREMENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

struct Measurement {
  std::string name;
  std::string source;  // path
  size_t picture = 0;  // its place in the list of pictures
  size_t point = 0;    // which rate of the evaluation
  double lrd = 0;
  uint32_t width = 0, height = 0;
  uint64_t bytes = 0;  // of the whole stream
  double bpp = 0;
  double estimated_bpp = 0;        // of the symbols under the model's tables
  uint64_t saturated_latents = 0;  // Report::saturated_latents
  DetailReport detail;             // of encoding; all 0 where details are off
  // Of colour samples, without details and with them; both or none, see BasePsnr.
  std::optional<double> base_psnr, repaired_psnr;
  double psnr = 0;                              // infinity when nothing was lost
  std::optional<double> ms_ssim;                // nothing when the picture is too small
  double encoding_time = 0, decoding_time = 0;  // medians over the repetitions
  StageTimes encoding_stages, decoding_stages;  // of the median repetition
};

struct MeasureOptions {
  double lrd = 0;
  Detail detail = Detail::kAuto;
  int effort = 0;
  int threads = 1;
  int repeat = 1;
  // Decode once more, untimed, with other threads and bands; it is an error when that differs.
  bool verify = true;
  Limits limits;
  std::function<bool(const char* what, double done)> progress;  // return false to stop
};

struct Coded {
  Measurement measurement;
  std::vector<uint8_t> stream;
  Picture decoded;
  uint32_t latent_crc = 0;  // of the latents that were decoded
};

// ReadToMeasure reads a picture if options.limits have room for it and for Measure with each of the
// models. Else the error is kLimit and says how much memory that takes. `warnings` are about the
// file.
struct MeasuringModels {
  const Model& encoder;
  const Model& decoder;
};
Expected<Picture> ReadToMeasure(const std::string& path, const std::vector<MeasuringModels>& models,
                                const MeasureOptions& options, std::vector<std::string>* warnings);

// What says which measurement it is, `name` to `point`, is the caller's to fill.
Expected<Coded> Measure(const Model& encoder, const Model& decoder, const Picture& original,
                        const MeasureOptions& options);

// Where the bits of coded.stream went: encodes once more, so that this is in no time. Empty where
// there is no memory for it beside the pictures.
Expected<BitsMap> MapBits(const Model& encoder, const Picture& original, const Coded& coded,
                          const MeasureOptions& options);

// What MS-SSIM compares: 8-bit RGB; what has alpha over middle gray, as PsnrAsSeen has it.
Picture AsSeen(const Picture& picture);

// Arithmetic means, each picture weighing the same (as CompressAI and the seed have it).
struct Means {
  double lrd = 0;    // 0: of several rates, or of models of one fixed rate
  std::string rate;  // what the rate is called: "0.0004", or the model that has it
  size_t pictures = 0;
  size_t with_ms_ssim = 0;
  double bytes = 0, bpp = 0, estimated_bpp = 0, psnr = 0;
  std::optional<double> ms_ssim;   // over those pictures that have one
  double ms_ssim_bpp = 0;          // over the same
  uint64_t saturated_latents = 0;  // of all pictures
  // Blocks and bytes of all pictures.
  DetailReport detail;
  std::optional<double> base_psnr, repaired_psnr;  // over those pictures that have both, finite
  double encoding_time = 0, decoding_time = 0;
  StageTimes encoding_stages, decoding_stages;
};
Means MeansOf(const std::vector<Measurement>& measurements);
Means MeansOf(const std::vector<Measurement>& measurements, size_t point);  // of those at one rate

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_MEASUREMENT_H_
