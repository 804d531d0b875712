// The state of a section of the detail layer, and its blocks' syntax, once for encoder and decoder.
// docs/BITSTREAM.md, "Details". Called by codec/detail/section_decoder and section_encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_DETAIL_SECTION_H_
#define GLINT_CODEC_DETAIL_SECTION_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/detail/binary_coder.h"
#include "codec/detail/coefficients.h"
#include "codec/detail/layout.h"
#include "codec/detail/pixels.h"
#include "engine/status.h"

namespace glint::detail {

// Head of a chunk, and its two sequences.
struct ParsedSection {
  SectionHead head;
  std::span<const uint8_t> bits, raw;
};
void AppendSection(const SectionHead& head, std::span<const uint8_t> bits,
                   std::span<const uint8_t> raw, std::vector<uint8_t>* out);
// kBadStream, or kUnsupported for samples of more than 8 bits.
Result<ParsedSection> ParseSection(std::span<const uint8_t> payload);

// A row of blocks: interleaved samples, at first those of the base, in the end the picture's. The
// two rows of the picture above it lie in front of `rows`; they are looked at unless it is the
// section's first.
struct BlockRow {
  uint8_t* rows = nullptr;
  size_t stride = 0;
  size_t height = 0;  // 1 to kBlock
};

// What was coded left of a transform and above it.
class MagnitudeField {
 public:
  explicit MagnitudeField(size_t transforms_across) : above_(transforms_across) {}
  void Reset() { above_.assign(above_.size(), Transform()); }
  void BeginRow() { left_.fill(Transform()); }
  // Of a plane, in row v of a block, at column x of the picture's transforms.
  void Look(size_t plane, size_t v, size_t x, Neighbours* neighbours) const;
  void Store(size_t plane, size_t v, size_t x, const Magnitudes& magnitudes, bool any);
  // A block without levels, from column x on.
  void Clear(size_t x, size_t columns);

 private:
  struct Transform {
    std::array<Magnitudes, 3> magnitudes{};
    std::array<bool, 3> any{};
  };

 public:
  // What storing in a block changes, to take it back.
  struct Saved {
    std::array<Transform, kTransformsAcross> above, left;
  };
  void Save(size_t x, size_t columns, Saved* saved) const;
  void Restore(size_t x, size_t columns, const Saved& saved);

 private:
  std::vector<Transform> above_;                   // the last that was stored at a column
  std::array<Transform, kTransformsAcross> left_;  // the last in a row of the block
};

struct SectionModels {
  AdaptiveBit gray;
  AdaptiveBit kind[kBlockKinds * kBlockKinds]
                  [4];  // by the kinds left and above: a tree of two bits
  PlaneModels planes[3];
};

// What an encoder and a decoder of sections have in common.
class SectionState {
 public:
  // A picture `width` pixels wide, of `channels` (1 or 3) samples of 0..top.
  SectionState(size_t width, size_t channels, int top);
  static uint64_t MemoryNeeded(size_t width);

  void Begin(const SectionHead& head);
  // Whether the next row is gray: its three channels are the same everywhere, and only one is
  // coded, over the mean of the three. Never in pictures of one channel.
  template <class Port>
  bool CodeGray(Port* port, bool gray);
  // The row, of one channel where it is gray.
  void BeginRow(const BlockRow& row, bool gray);
  void EndRow();

  size_t blocks() const { return kinds_.size(); }
  size_t channels() const { return channels_; }  // of the row
  int step() const { return step_; }             // likewise
  size_t WidthOf(size_t block) const { return std::min(kBlock, width_ - block * kBlock); }
  const SectionHead& head() const { return head_; }
  const BlockRow& row() const { return row_; }
  uint8_t* BlockRows(size_t block) const { return row_.rows + block * kBlock * channels_; }
  SectionModels& models() { return models_; }
  MagnitudeField& magnitudes() { return magnitudes_; }
  PixelCoder& pixels() { return pixels_; }
  int top() const { return top_; }

  // The kind of the block; remembers it.
  template <class Port>
  BlockKind CodeKind(Port* port, size_t block, BlockKind kind);
  float CostOfKind(size_t block, BlockKind kind);

  // Calls code(plane, v, u, expectation, &magnitudes) for every plane of every transform of a
  // block, u and v its place in the block; `code` gives how many places of the scan are used, 0
  // when all levels are 0, and -1 to stop. False when it did.
  template <class Code>
  bool ForTransforms(size_t block, const Code& code);

  // The block's base, and around it what is known of the picture to the last bit.
  void Fill(size_t block, PixelField* field) const;
  void StorePixels(size_t block, const PixelField& field) const;
  // Adds planes of differences, kBlock values a row, to the block.
  void AddPlanes(size_t block, const int16_t* planes) const;

 private:
  AdaptiveBit* KindModels(size_t block);
  bool IsKnown(BlockKind kind) const { return head_.exact_base || HasPixels(kind); }
  Colour ColourAt(const uint8_t* pixel) const;
  void CopyColours(const uint8_t* from, size_t count, Colour* to) const;

  const size_t width_, picture_channels_;
  const int top_;
  size_t channels_;
  int step_ = 1;
  SectionHead head_;
  BlockRow row_;
  bool is_first_row_ = true;  // nothing above is known
  SectionModels models_;
  MagnitudeField magnitudes_;
  PixelCoder pixels_;
  std::vector<BlockKind> kinds_above_, kinds_;
  std::vector<uint32_t> activities_;  // of the row's transforms, as expectations
};

// ---- implementation

template <class Port>
bool SectionState::CodeGray(Port* port, bool gray) {
  return picture_channels_ == 3 && port->Code(&models_.gray, gray);
}

template <class Port>
BlockKind SectionState::CodeKind(Port* port, size_t block, BlockKind kind) {
  AdaptiveBit* const models = KindModels(block);
  const int wanted = static_cast<int>(kind);
  int node = 1;
  node = 2 * node + (port->Code(&models[node], (wanted >> 1) != 0) ? 1 : 0);
  node = 2 * node + (port->Code(&models[node], (wanted & 1) != 0) ? 1 : 0);
  kinds_[block] = static_cast<BlockKind>(node - 4);
  return kinds_[block];
}

template <class Code>
bool SectionState::ForTransforms(size_t block, const Code& code) {
  const size_t across = (WidthOf(block) + 7) / 8, down = (row_.height + 7) / 8;
  for (size_t v = 0; v < down; ++v) {
    for (size_t u = 0; u < across; ++u) {
      const size_t x = block * kTransformsAcross + u;
      Magnitudes planes[3];
      for (size_t p = 0; p < channels_; ++p) {
        Neighbours neighbours;
        neighbours.activity =
            head_.exact_base ? static_cast<int>(activities_[v * kTransformsAcross * blocks() + x])
                             : 0;
        magnitudes_.Look(p, v, x, &neighbours);
        if (p > 0) neighbours.first_plane = &planes[0];
        if (p > 1) neighbours.second_plane = &planes[1];
        Expectation expectation;
        Expect(neighbours, &expectation);
        const int used = code(p, v, u, expectation, &planes[p]);
        if (used < 0) return false;
        magnitudes_.Store(p, v, x, planes[p], used > 0);
      }
    }
  }
  return true;
}

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_SECTION_H_
