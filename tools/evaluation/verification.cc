#include "tools/evaluation/verification.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tools/common/console.h"
#include "tools/common/machine.h"
#include "tools/common/text.h"

namespace glint::tools {
namespace {

constexpr int kLatentRows = 16;  // picture rows of one row of latents: the lowest band

bool SameForm(const PictureInfo& a, const PictureInfo& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels &&
         a.has_alpha == b.has_alpha && a.bit_depth == b.bit_depth;
}

// Takes the rows of the second decoding and stops at the first that differs from `expected`.
class RowComparison {
 public:
  explicit RowComparison(const Picture& expected) : expected_(expected) {}

  bool Start(const PictureInfo& info) {
    if (!SameForm(info, expected_.info)) difference_ = "a picture of another form";
    return difference_.empty();
  }

  bool Take(uint32_t y, const void* row) {
    const size_t row_bytes = expected_.info.RowBytes();
    const uint8_t* const expected = expected_.samples.data() + size_t{y} * row_bytes;
    if (std::memcmp(expected, row, row_bytes) == 0) return true;
    if (expected_.info.SampleBytes() == 2) {
      // What has 16 bits carries colours of 8, spread over the whole range.
      CompareSamples<uint16_t>(y, expected, row, 257);
    } else {
      CompareSamples<uint8_t>(y, expected, row, 1);
    }
    return difference_.empty();
  }

  const std::string& difference() const { return difference_; }  // empty: none

 private:
  template <typename Sample>
  void CompareSamples(uint32_t y, const void* expected, const void* row, int level) {
    const size_t count = size_t{expected_.info.width} * expected_.info.SamplesPerPixel();
    std::vector<Sample> a(count);
    std::vector<Sample> b(count);
    std::memcpy(a.data(), expected, count * sizeof(Sample));
    std::memcpy(b.data(), row, count * sizeof(Sample));
    int most = 0;
    for (size_t i = 0; i < count; ++i) {
      most = std::max(most, std::abs(int{a[i]} - int{b[i]}));
    }
    const int levels = most / level;
    difference_ = "another picture: row " + std::to_string(y) + " differs by " +
                  (levels == 0 ? std::to_string(most) + "/" + std::to_string(level) + " level"
                               : Count(static_cast<size_t>(levels), "level"));
  }

  const Picture& expected_;
  std::string difference_;
};

}  // namespace

WorkSplit OtherSplit(int threads, uint32_t seed) {
  if (threads == 0) threads = HardwareThreads();
  return {threads == 1 ? 2 : threads / 2,
          kLatentRows * static_cast<int>(1 + seed % (kMostVerifiedBand / kLatentRows))};
}

Error VerifyDecoding(const Model& model, const Decoding& first, const WorkSplit& split,
                     const std::function<bool(double done)>& progress, const Limits& limits) {
  DecodeOptions options;
  options.limits = limits;
  options.threads = split.threads;
  options.band_rows = split.band_rows;
  options.progress = progress;
  RowComparison comparison(first.picture);
  Report report;
  const Error decoded = DecodeRows(
      model, first.stream.data(), first.stream.size(),
      [&comparison](const PictureInfo& info, const Metadata&) { return comparison.Start(info); },
      [&comparison](uint32_t y, const void* row) { return comparison.Take(y, row); }, options,
      &report);
  const std::string how = "decoding it again with " +
                          Count(static_cast<size_t>(split.threads), "thread") + " and bands of " +
                          std::to_string(split.band_rows) + " rows";
  if (!comparison.difference().empty()) {
    return MakeError(ErrorCode::kBadStream, how + " gave " + comparison.difference());
  }
  if (!decoded.ok()) return At(how, decoded);
  if (report.latent_crc != first.latent_crc) {
    return MakeError(ErrorCode::kBadStream, how + " gave other latents");
  }
  return {};
}

}  // namespace glint::tools
