#include "codec/stream/alpha_packer.h"

#include <algorithm>

namespace glint {
namespace {

template <typename Sample>
bool AllAre(const Sample* samples, size_t count, uint32_t value) {
  return std::all_of(samples, samples + count, [value](Sample s) { return s == value; });
}

}  // namespace

// Deflate leaves alone what it cannot make smaller.
uint64_t MostPackedAlpha(const PictureInfo& info) {
  if (!info.has_alpha) return 0;
  const uint64_t filtered = (uint64_t{info.width} * info.SampleBytes() + 1) * info.height;
  return filtered + filtered / 1000 + 64;
}

Status AlphaPacker::AddRow(const uint8_t* samples) {
  if (!writer_ && !begin_at_once_ && IsOpaque(samples)) {
    ++opaque_rows_;
    return Status::Ok();
  }
  if (!writer_) GLINT_TRY(Begin());
  return writer_->AddRow(samples);
}

bool AlphaPacker::IsOpaque(const uint8_t* samples) const {
  const uint32_t opaque = (1U << info_.bit_depth) - 1;
  if (info_.SampleBytes() == 1) return AllAre(samples, info_.width, opaque);
  return AllAre(reinterpret_cast<const uint16_t*>(samples), info_.width, opaque);
}

Status AlphaPacker::Begin() {
  // So that it does not grow by doubling; what stays empty costs no memory.
  packed_->reserve(static_cast<size_t>(MostPackedAlpha(info_)));
  GLINT_ASSIGN(writer_, AlphaWriter::Make(info_.width, info_.SampleBytes(), packed_));
  if (opaque_rows_ == 0) return Status::Ok();
  // All bits of 16 are the same, and in 8 those of the depth.
  const Bytes row(size_t{info_.width} * info_.SampleBytes(),
                  static_cast<uint8_t>((1U << std::min(info_.bit_depth, 8U)) - 1));
  for (; opaque_rows_ > 0; --opaque_rows_) GLINT_TRY(writer_->AddRow(row.data()));
  return Status::Ok();
}

}  // namespace glint
