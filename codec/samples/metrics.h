// PSNR and MS-SSIM between two pictures of interleaved 8-bit RGB samples.
// Used by PsnrRgb and MsSsimRgb of glint/pictures.hpp, and by codec/samples/psnr_meter. Pure
// numbers: any sizes, no files.
// Thread rules: pure functions.
#ifndef GLINT_CODEC_SAMPLES_METRICS_H_
#define GLINT_CODEC_SAMPLES_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace glint {

// Interleaved RGB, rows one behind the other.
struct Rgb8View {
  const uint8_t* data = nullptr;
  size_t width = 0;
  size_t height = 0;
};

// Of samples of 8 bits whose squared differences sum up to `squares`: infinity where that is 0.
double PsnrOf(uint64_t squares, uint64_t count);
// Infinity when all samples are equal. Both views have the same size, at least one pixel.
double Psnr(const Rgb8View& a, const Rgb8View& b);

// Wang 2003 with 5 scales as pytorch_msssim has it: window of 11 with sigma 1.5, only where it fits
// whole; 2x2 averages between scales, odd sides padded by a zero in front. Nothing when the smaller
// side is below kLeastSideForMsSsim.
std::optional<double> MsSsim(const Rgb8View& a, const Rgb8View& b);

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_METRICS_H_
