#include "tools/commands/error_check.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tools/common/console.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

constexpr int kSamplesOfLevel = 257;  // a level of 8 bits in samples of 16 bits

// Samples of a row, whatever their size.
class Samples {
 public:
  Samples(const PictureInfo& info, const void* row)
      : bytes_(static_cast<const uint8_t*>(row)), wide_(info.SampleBytes() == 2) {}

  int operator[](size_t i) const {
    if (!wide_) return bytes_[i];
    uint16_t sample = 0;
    std::memcpy(&sample, bytes_ + 2 * i, sizeof(sample));
    return sample;
  }
  // The same as a level of at most 8 bits.
  int Level(size_t i) const {
    const int sample = (*this)[i];
    return wide_ ? (sample + kSamplesOfLevel / 2) / kSamplesOfLevel : sample;
  }

 private:
  const uint8_t* bytes_;
  const bool wide_;
};

class SourceComparison {
 public:
  SourceComparison(const PictureInfo& info, const RowReader& source, const WantedFidelity& wanted)
      : info_(info), source_(source), wanted_(wanted), row_(info.RowBytes()) {}

  bool Start(const PictureInfo& decoded) {
    decoded_ = decoded;
    const bool alike = decoded.width == info_.width && decoded.height == info_.height &&
                       decoded.channels == info_.channels &&
                       std::min(decoded.bit_depth, 8u) == std::min(info_.bit_depth, 8u) &&
                       (info_.has_alpha || !decoded.has_alpha);
    if (!alike) difference_ = "a picture of another form";
    return alike;
  }

  bool Take(uint32_t y, const void* row) {
    if (!source_(y, row_.data())) return false;
    const Samples source(info_, row_.data()), decoded(decoded_, row);
    int most = 0;
    for (size_t x = 0; x < info_.width; ++x) {
      const size_t from = x * info_.SamplesPerPixel(), to = x * decoded_.SamplesPerPixel();
      if (info_.has_alpha) {
        const int alpha = source[from + info_.channels];
        if (alpha != (decoded_.has_alpha ? decoded[to + info_.channels] : Opaque())) {
          return Differs(y, "in alpha");
        }
        if (alpha == 0 && !wanted_.exact) continue;
      }
      for (size_t c = 0; c < info_.channels; ++c) {
        most = std::max(most, std::abs(source.Level(from + c) - decoded.Level(to + c)));
      }
    }
    if (most <= wanted_.max_error) return true;
    return Differs(y, "by " + Count(static_cast<size_t>(most), "level"));
  }

  const std::string& difference() const { return difference_; }  // empty: none

 private:
  int Opaque() const { return (1 << info_.bit_depth) - 1; }

  bool Differs(uint32_t y, const std::string& how) {
    difference_ = "another picture: row " + std::to_string(y) + " differs " + how;
    return false;
  }

  const PictureInfo info_;
  const RowReader& source_;
  const WantedFidelity wanted_;
  PictureInfo decoded_;
  std::vector<uint8_t> row_;
  std::string difference_;
};

}  // namespace

WantedFidelity FidelityOf(const EncodeOptions& options) {
  if (options.lossless) return {0, true};
  return {options.max_error, options.exact};
}

Error CheckErrors(const Model& model, const std::vector<uint8_t>& stream, const PictureInfo& info,
                  const RowReader& source, const WantedFidelity& wanted, const CallOptions& call) {
  DecodeOptions options;
  static_cast<CallOptions&>(options) = call;
  options.limits.held_memory += stream.size() + info.RowBytes();
  SourceComparison comparison(info, source, wanted);
  const Error decoded = DecodeRows(
      model, stream.data(), stream.size(),
      [&](const PictureInfo& picture, const Metadata&) { return comparison.Start(picture); },
      [&](uint32_t y, const void* row) { return comparison.Take(y, row); }, options);
  if (comparison.difference().empty()) return decoded;
  return MakeError(ErrorCode::kBadStream, "decoding what was encoded gave " +
                                              comparison.difference() + ", at most " +
                                              std::to_string(wanted.max_error) + " is wanted");
}

}  // namespace glint::tools
