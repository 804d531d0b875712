// Choosing the rate: by a quality of 0 to 100, by the size of the stream, by PSNR.
// Part of the public interface (C++17). Errors and ownership as in glint.hpp.
// Thread rules: as in glint.hpp.
#ifndef GLINT_RATE_HPP_
#define GLINT_RATE_HPP_

#include <cstdint>
#include <vector>

#include "glint/glint.hpp"

namespace glint {

// The lrd (EncodeOptions::lrd) of a quality from 0, the lowest rate of the model with its details,
// to 100, the highest. `detail`: as in EncodeOptions; kOff: from the model's own lowest rate to its
// own highest. For the models that come with Glint equal steps of quality are equal steps of the
// mean PSNR of the Kodak pictures, to within 15 %. For others, with details: equal steps of log lrd
// up to the default, and others above, so that PSNR grows about as much below as above; without:
// equal steps of log lrd. Errors: kInvalidArgument for a quality outside of 0..100 or no number,
// kUnsupported for a model of one fixed rate without details.
GLINT_API Expected<double> LrdOfQuality(const ModelInfo& model, double quality,
                                        Detail detail = Detail::kAuto);

struct Target {
  enum class Kind {
    kBytes,         // the whole stream has so many at most
    kBitsPerPixel,  // the same, in bits for each pixel of the picture
    kPsnr,          // dB at least, over RGB in 8 bits, as PsnrAsSeen has it
  };
  Kind kind = Kind::kBytes;
  double value = 0;  // positive and finite
};

struct TargetResult {
  std::vector<uint8_t> stream;
  double lrd = 0;   // Encode with this lrd gives the same bytes; five significant digits at most
                    // unless it is the lowest or highest that is possible
  double psnr = 0;  // dB; infinity when nothing is lost; 0 when the target is no PSNR
  int probes = 0;   // how many times the picture was encoded
};

inline constexpr int kMostProbes = 8;

// Encodes at several rates, kMostProbes at most, and gives the best stream that is not beyond the
// target: the largest that is not larger, or the smallest whose PSNR is not less. The search ends
// when a stream is within 1 % or 16 bytes of a size, or within 0.05 dB of a PSNR; where size or
// PSNR jump as the rate moves, it may end further off. Rates are those of model and details
// together (ModelInfo::detail_lrd_min to detail_lrd_max), or, with options.detail kOff, of the
// model alone. A size that not even the highest rate fills gives that rate; a PSNR below that of
// the lowest rate gives the lowest rate.
//
// PSNR is of this machine's decoder; another may differ in the third digit after the point.
// options.lrd must be 0, and errors must have no limit (options.max_error, options.lossless).
// options.effort is that of each encoding. A limit on memory holds for each encoding and decoding
// and what is kept beside it. progress runs over the whole search, and ends early when fewer probes
// are needed. `report` is that of the encoding whose stream came out.
//
// Errors: kUnreachable when even the lowest rate is larger, or no rate that was tried reaches the
// PSNR: the message says what can be reached, with its lrd. kUnsupported for a model of one fixed
// rate without details. kInvalidArgument for a value or options as above, and what Encode and
// Decode have.
GLINT_API Expected<TargetResult> EncodeToTarget(const Model& model, const Picture& picture,
                                                const Target& target,
                                                const EncodeOptions& options = {},
                                                Report* report = nullptr);

// Rows by callback, all of them for each probe (and once more where PSNR is measured): `y` begins
// at 0 again. The rows must be the same each time. `metadata` is looked at after the last row of
// each pass.
GLINT_API Expected<TargetResult> EncodeRowsToTarget(const Model& model, const PictureInfo& info,
                                                    const Metadata& metadata, const RowReader& read,
                                                    const Target& target,
                                                    const EncodeOptions& options = {},
                                                    Report* report = nullptr);

}  // namespace glint

#endif  // GLINT_RATE_HPP_
