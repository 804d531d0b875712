#include "codec/api/call_context.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "codec/memory_limit.h"
#include "codec/public_error.h"
#include "kernels/pointwise.h"

namespace glint {

Status CallContext::Init() {
  if (options_.band_rows < 0) {
    return Status::Error(StatusCode::kInvalidArgument,
                         "band_rows is " + std::to_string(options_.band_rows));
  }
  return workers_.Init(options_.threads, options_.runner);
}

int64_t CallContext::BandLatentRows(const ModelDocument& document,
                                    const LatentGeometry& geometry) const {
  constexpr size_t kWide = 2048;  // pixels: from here on one row of latents fills the caches
  // Higher bands gain nothing, and planning walks through as many of them as fill whole segments.
  constexpr int64_t kMost = 4096;
  int64_t rows = geometry.padded_width() > kWide ? 1 : 2;
  const int64_t stride = document.latent_stride;
  if (options_.band_rows > 0) rows = (int64_t{options_.band_rows} + stride - 1) / stride;
  return std::min({rows, kMost, geometry.height()});
}

Status CallContext::CheckPlan(uint64_t planned, uint64_t most) const {
  if (planned <= FreeMemory(options_.limits)) return Status::Ok();
  return ToStatus(CheckMemory("this picture", std::max(planned, most), options_.limits));
}

Status CallContext::Progress(double done) const {
  if (!options_.progress || options_.progress(done)) return Status::Ok();
  return Status::Error(StatusCode::kCancelled, "stopped by the progress callback");
}

// ---- samples to floats -------------------------------------------------------------------------

PixelReader::PixelReader(const PictureInfo& info, const LatentGeometry& geometry,
                         const ModelDocument& document)
    : info_(info),
      padded_width_(geometry.padded_width()),
      left_(geometry.left()),
      top_(geometry.top()),
      padding_(document.padding),
      offset_(document.picture_offset) {}

std::optional<int64_t> PixelReader::PictureRow(int64_t padded_row) const {
  const int64_t last = static_cast<int64_t>(info_.height) - 1;
  if (padding_ == Padding::kEdge) return std::min(padded_row, last);
  if (padded_row < top_ || padded_row - top_ > last) return std::nullopt;
  return padded_row - top_;
}

uint64_t PixelReader::MemoryNeeded() const {
  return uint64_t{info_.RowBytes()} * (info_.has_alpha ? 2 : 1);
}

void PixelReader::Allocate() {
  samples_.resize(info_.RowBytes());
  if (!info_.has_alpha) return;
  const size_t plane = size_t{info_.width} * info_.SampleBytes();
  colour_.resize(plane * info_.channels);
  alpha_.resize(plane);
}

void PixelReader::Free() {
  for (std::vector<uint8_t>* buffer : {&samples_, &colour_, &alpha_}) {
    std::vector<uint8_t>().swap(*buffer);
  }
}

template <typename Sample>
void PixelReader::SplitColour() {
  const Sample* in = reinterpret_cast<const Sample*>(samples_.data());
  Sample* colour = reinterpret_cast<Sample*>(colour_.data());
  Sample* alpha = reinterpret_cast<Sample*>(alpha_.data());
  for (size_t x = 0; x < info_.width; ++x) {
    for (size_t c = 0; c < info_.channels; ++c) *colour++ = *in++;
    *alpha++ = *in++;
  }
}

const uint8_t* PixelReader::Colour() {
  if (!info_.has_alpha) return samples_.data();
  info_.SampleBytes() == 2 ? SplitColour<uint16_t>() : SplitColour<uint8_t>();
  return colour_.data();
}

void PixelReader::Convert(const uint8_t* colour, size_t first, size_t count, float* row) const {
  // Columns of the padded picture: [begin, end) of what is asked for lie in the picture, or the
  // last one of it, where that is what follows it.
  const size_t right = left_ + info_.width;
  const bool repeats = padding_ == Padding::kEdge;
  const size_t begin = std::clamp(first, left_, repeats ? right - 1 : right);
  const size_t end = std::clamp(first + count, begin + (repeats ? 1 : 0), right);
  const size_t before = std::min(count, begin - std::min(begin, first));
  Zeros(before, row);
  row += 3 * before;
  const size_t samples = (end - begin) * info_.channels;
  const float max_value = MaxLevel(info_.bit_depth);
  const uint8_t* from = colour + (begin - left_) * PixelBytes();
  if (info_.SampleBytes() == 2) {
    kernels::PixelsToFloat(reinterpret_cast<const uint16_t*>(from), row, samples, max_value,
                           offset_);
  } else {
    kernels::PixelsToFloat(from, row, samples, max_value, offset_);
  }
  if (info_.channels == 1) {
    for (size_t x = end - begin; x-- > 0;) row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = row[x];
  }
  row += 3 * (end - begin);
  const size_t after = count - before - (end - begin);
  if (!repeats) return Zeros(after, row);
  for (size_t x = 0; x < after; ++x) std::copy(row - 3, row, row + 3 * x);
}

// ---- levels to samples -------------------------------------------------------------------------

void PixelWriter::Allocate() {
  const bool direct = !output_.has_alpha && output_.SampleBytes() == 1;
  if (!direct) samples_.resize(output_.RowBytes());
  if (output_.has_alpha) alpha_.resize(size_t{output_.width} * output_.SampleBytes());
}

template <typename Sample, typename Colour>
void PixelWriter::Interleave(const Colour* colour, Sample factor) {
  const Sample* alpha = reinterpret_cast<const Sample*>(alpha_.data());
  Sample* out = reinterpret_cast<Sample*>(samples_.data());
  for (size_t x = 0; x < output_.width; ++x) {
    for (size_t c = 0; c < output_.channels; ++c) *out++ = static_cast<Sample>(*colour++ * factor);
    if (output_.has_alpha) *out++ = *alpha++;
  }
}

const uint8_t* PixelWriter::FromColour(const uint8_t* colour) {
  if (samples_.empty()) return colour;
  if (output_.SampleBytes() == 2) {
    Interleave<uint16_t>(colour, 257);  // 65535 / 255
  } else {
    Interleave<uint8_t>(colour, 1);
  }
  return samples_.data();
}

const uint8_t* PixelWriter::FromDeep(const uint16_t* colour) {
  Interleave<uint16_t>(colour, 1);
  return samples_.data();
}

}  // namespace glint
