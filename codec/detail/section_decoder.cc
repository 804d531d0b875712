#include "codec/detail/section_decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/detail.h"

namespace glint::detail {
namespace {

constexpr size_t kPlane = kBlock * kBlock;

Status Damaged(const char* what) { return Status::Error(StatusCode::kBadStream, what); }

}  // namespace

SectionDecoder::SectionDecoder(size_t width, size_t channels, int top)
    : state_(width, channels, top), gray_(width), planes_(3 * kPlane) {}

uint64_t SectionDecoder::MemoryNeeded(size_t width, size_t channels) {
  return sizeof(SectionDecoder) + SectionState::MemoryNeeded(width) + 3 * kPlane * sizeof(int16_t) +
         (channels == 3 ? GrayRows::MemoryNeeded(width) : 0);
}

Status SectionDecoder::Begin(std::span<const uint8_t> payload) {
  GLINT_ASSIGN(const ParsedSection section, ParseSection(payload));
  bits_.Begin(section.bits.data(), section.bits.size());
  raw_.Begin(section.raw.data(), section.raw.size());
  state_.Begin(section.head);
  return Status::Ok();
}

Status SectionDecoder::DecodeRow(const BlockRow& row) {
  ReadPort port(&bits_, &raw_);
  const bool gray = state_.CodeGray(&port, false);
  state_.BeginRow(gray ? gray_.FromColour(row.rows, row.stride, row.height) : row, gray);
  for (size_t block = 0; block < state_.blocks(); ++block) {
    if (!DecodeBlock(block, &port))
      return Damaged("its details have a level or a colour that cannot be");
  }
  state_.EndRow();
  if (gray) gray_.ToColour(row);
  return Status::Ok();
}

Status SectionDecoder::Finish() const {
  if (bits_.AtEnd() && raw_.AtEnd()) return Status::Ok();
  return Damaged("its details do not end where their data end");
}

bool SectionDecoder::DecodeBlock(size_t block, ReadPort* port) {
  const BlockKind kind = state_.CodeKind(port, block, BlockKind::kOff);
  if (kind == BlockKind::kTransform) return DecodeTransforms(block, port);
  state_.magnitudes().Clear(block * kTransformsAcross, (state_.WidthOf(block) + 7) / 8);
  return !HasPixels(kind) || DecodePixels(block, kind, port);
}

bool SectionDecoder::DecodeTransforms(size_t block, ReadPort* port) {
  const size_t channels = state_.channels();
  std::fill(planes_.begin(), planes_.begin() + static_cast<std::ptrdiff_t>(channels * kPlane),
            int16_t{0});
  const bool good =
      state_.ForTransforms(block, [&](size_t plane, size_t v, size_t u,
                                      const Expectation& expectation, Magnitudes* magnitudes) {
        Levels levels{};
        int last = -1;
        if (!CodeLevels(port, &state_.models().planes[plane], expectation, &levels, magnitudes,
                        &last)) {
          return -1;
        }
        if (last >= 0) {
          kernels::DetailInverse(levels.data(), state_.step(),
                                 planes_.data() + plane * kPlane + (v * kBlock + u) * 8, kBlock);
        }
        return last + 1;
      });
  if (good) state_.AddPlanes(block, planes_.data());
  return good;
}

bool SectionDecoder::DecodePixels(size_t block, BlockKind kind, ReadPort* port) {
  state_.Fill(block, &field_);
  PixelCoder::Block pixels;
  pixels.width = static_cast<int>(state_.WidthOf(block));
  pixels.height = static_cast<int>(state_.row().height);
  pixels.near = kind == BlockKind::kNear ? state_.head().near : 0;
  if (!state_.pixels().Code(port, pixels, &field_)) return false;
  state_.StorePixels(block, field_);
  return true;
}

}  // namespace glint::detail
