// Curves of picture codecs: bits, qualities and speeds at each setting, over the same pictures.
// Used by bench/codecs_bench.cc.
// Thread rules: one thread.
#ifndef GLINT_BENCH_CODECS_MEASUREMENT_H_
#define GLINT_BENCH_CODECS_MEASUREMENT_H_

#include <optional>
#include <vector>

#include "bench/codecs/picture_codec.h"
#include "tools/evaluation/curves.h"

namespace glint::bench {

inline constexpr double kExactPsnr = 100;

// What one setting gave: means over the pictures, and speeds as all their pixels by all the time.
struct SettingMeans {
  double setting = 0;
  double bpp = 0;   // bits per pixel
  double psnr = 0;  // dB, over RGB; a picture that comes back exactly counts as kExactPsnr
  // 0..1, and the bits per pixel, of the pictures that are large enough for it; nothing where none
  // is.
  std::optional<double> ms_ssim;
  double ms_ssim_bpp = 0;
  double encode_mps = 0, decode_mps = 0;  // 1e6 pixels a second
};

struct CodecCurve {
  std::string name, version;
  std::vector<SettingMeans> settings;  // from few bits to many
};

tools::QualityCurve QualityCurveOf(const CodecCurve& curve);

// Where a curve has this PSNR: between its neighbours the logarithms of bits and speeds are linear
// over PSNR. Nothing beyond its ends. `setting` and MS-SSIM stay empty.
std::optional<SettingMeans> AtPsnr(const CodecCurve& curve, double psnr);

// Runs all codecs on one picture after the other, so that what the machine does meanwhile meets
// them alike.
class CodecMeasurement {
 public:
  // rounds: each coding is done so often, and the quickest counts
  CodecMeasurement(PictureCodecs codecs, int rounds);

  // An error names codec and setting; the picture is left out then, of all codecs.
  Error Add(const Picture& rgb8);
  std::vector<CodecCurve> curves() const;

 private:
  struct Sums {
    double bpp = 0, psnr = 0, encode_seconds = 0, decode_seconds = 0;
    double ms_ssim = 0, ms_ssim_bpp = 0, with_ms_ssim = 0;
  };

  Error Measure(PictureCodec* codec, double setting, const Picture& picture, Sums* sums) const;

  PictureCodecs codecs_;
  int rounds_;
  std::vector<std::vector<Sums>> sums_;  // of each codec at each setting
  double pictures_ = 0, megapixels_ = 0;
};

}  // namespace glint::bench

#endif  // GLINT_BENCH_CODECS_MEASUREMENT_H_
