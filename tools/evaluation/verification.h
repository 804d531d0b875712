// Proof, with every picture that `evaluate` measures, that what a stream decodes to depends neither
// on the number of threads nor on the height of bands: the stream is decoded again with others.
// Used by tools/evaluation/measurement.cc.
// Thread rules: free functions; the library makes the workers.
#ifndef GLINT_TOOLS_EVALUATION_VERIFICATION_H_
#define GLINT_TOOLS_EVALUATION_VERIFICATION_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

// How a decoding is cut into work.
struct WorkSplit {
  int threads = 1;
  int band_rows = 0;  // picture rows
};

inline constexpr int kMostVerifiedBand = 7 * 16;  // picture rows

// Another number of threads, and a band of 1 to 7 times 16 rows. `seed` chooses the band: different
// pictures try different ones, and what failed once fails again.
WorkSplit OtherSplit(int threads, uint32_t seed);

// A decoding of `stream`; all of it is the caller's.
struct Decoding {
  const std::vector<uint8_t>& stream;
  const Picture& picture;
  uint32_t latent_crc;  // Report::latent_crc
};

// Decodes the stream again. An error says how the latents or the picture differ from those of
// `first`, or why the stream could not be decoded so. The second picture is never whole in memory.
Error VerifyDecoding(const Model& model, const Decoding& first, const WorkSplit& split,
                     const std::function<bool(double done)>& progress = nullptr,
                     const Limits& limits = {});

}  // namespace glint::tools

#endif  // GLINT_TOOLS_EVALUATION_VERIFICATION_H_
