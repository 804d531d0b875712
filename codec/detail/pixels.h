// How the pixels of a block are coded one by one, exactly or nearly: screens, text, line art, and
// everything when nothing may be lost. docs/BITSTREAM.md, "Details".
// A pixel is first compared with colours that are likely: those that followed when the pixels
// around were the same, its neighbours, colours of late. Only what is none of these is coded by its
// difference from a prediction.
// Called by codec/detail/drawn, section_decoder and section_encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_DETAIL_PIXELS_H_
#define GLINT_CODEC_DETAIL_PIXELS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "codec/detail/binary_coder.h"
#include "codec/detail/layout.h"

namespace glint::detail {

using Colour = uint32_t;                          // first channel in the lowest byte
inline constexpr Colour kNoColour = 0xFFFFFFFFu;  // of a pixel that is not known yet, or is none
inline constexpr int kPixelHalo = 3;              // columns left of a block that are looked at
inline constexpr int kPixelHaloRight = 2;
inline constexpr int kPixelHaloRows = 2;  // rows above

// The pixels of a block and of what lies around it.
class PixelField {
 public:
  static constexpr int kStride = 72;
  PixelField() { Clear(); }
  Colour& at(int x, int y) { return pixels_[(y + kPixelHaloRows) * kStride + x + kPixelHalo]; }
  Colour at(int x, int y) const { return pixels_[(y + kPixelHaloRows) * kStride + x + kPixelHalo]; }
  // At (x, y); the rest at offsets of kStride.
  const Colour* pointer(int x, int y) const {
    return pixels_ + (y + kPixelHaloRows) * kStride + x + kPixelHalo;
  }
  void Clear() { std::memset(pixels_, 0xFF, sizeof(pixels_)); }

 private:
  Colour pixels_[(kBlock + kPixelHaloRows) * kStride];
};

// How the pixels of a block are coded.
enum class PixelMode {
  kDrawn,    // likely colours are offered
  kMixed,    // likewise; predictions of what is none of them are corrected by what they missed
  kNatural,  // all are predicted, with corrections
  kRaw,      // samples as they are, of noise
};

struct PixelModels {
  static constexpr int kCandidates = 6;
  static constexpr int kActivities = 17;
  static constexpr int kSizes = 4;
  static constexpr int kMostDigits = 8;  // below the first of a difference
  AdaptiveBit mode[3];
  AdaptiveBit deep[16 * 8];
  AdaptiveBit brief[16 * 32];
  AdaptiveBit neighbour[4][64 * 4];
  AdaptiveBit recent[4];
  AdaptiveBit recent_place[32];
  AdaptiveBit exact[3][kActivities][kSizes];
  AdaptiveBit above[3][3];
  AdaptiveBit digits[3][kActivities][kSizes][kMostDigits];
  AdaptiveBit first_digit[3][kActivities][kMostDigits + 1];
};

// What lives through a section.
class PixelCoder {
 public:
  // `top`: the greatest sample.
  explicit PixelCoder(int top);

  // For a section of pixels of 1 or 3 channels.
  void Reset(int channels);
  static uint64_t MemoryNeeded();

  struct Block {
    int width = 0, height = 0;           // pixels
    int near = 0;                        // how far a sample may be off
    PixelMode mode = PixelMode::kDrawn;  // encoder
    const uint8_t* source = nullptr;     // encoder: interleaved samples
    size_t source_stride = 0;
  };
  // Codes all pixels of `field` from (0, 0) on; the halo is there. False when a decoder meets a
  // colour that there is not.
  template <class Port>
  bool Code(Port* port, const Block& block, PixelField* field);

  // What one call of Code changed can be taken back.
  void Mark();
  void Restore();

 private:
  static constexpr int kHashBits = 16;
  static constexpr int kRecent = 32;
  static constexpr size_t kMostChanges = 2 * kBlock * kBlock;  // of a block
  static constexpr int kPredictors = 6;
  static constexpr int kMostDigits = PixelModels::kMostDigits;

  // The colour that followed a context.
  struct Memory {
    Colour colour = kNoColour;
    uint16_t tag = 0;   // of the context: another one may want the same place
    uint8_t trust = 0;  // 0 to 15
  };
  struct Change {
    Memory* place;
    Memory old;
  };
  struct Around {
    Colour w, n, nw, ne, ww, nn, nne, nee, nww, nnw, www;
  };
  // What predictions missed in one context, in eighths.
  struct Bias {
    int Mean() const { return sum / count; }
    void Learn(int missed) {
      sum += missed;
      if (++count < 128) return;
      count /= 2;
      sum /= 2;
    }
    int sum = 0, count = 8;
  };
  // What survives a pixel besides the models.
  struct State {
    PixelModels models;
    Bias bias[3][PixelModels::kActivities / 2 + 1][64];  // by channel, activity, pattern
    std::array<Colour, kRecent> recent;
    int surprise = 0;  // 0 to 3: grows with pixels that were not expected
  };
  // Of the block's pixels that were predicted.
  struct Errors {
    static constexpr int kStride = static_cast<int>(kBlock) + 2;
    static constexpr int kSize = (static_cast<int>(kBlock) + 1) * kStride;
    static int Place(int x, int y) { return (y + 1) * kStride + x + 1; }
    std::array<uint8_t, kSize> residual[3];
    std::array<uint8_t, kSize> predictor[3][kPredictors];
  };

  // What followed the colours around a pixel when they were seen last: few of them, and many.
  struct Memories {
    Memory *brief, *deep;
    uint16_t brief_tag, deep_tag;
  };
  // Samples of one channel around a pixel, or their differences from green.
  struct Samples {
    int w, n, nw, ne, nn, ww;
  };

  Around Look(const Colour* at) const;
  Memories Recall(const Around& around);
  bool Near(Colour a, Colour b, int near) const;
  template <class Port>
  void Learn(Memory* memory, uint16_t tag, Colour colour);
  template <class Port>
  bool CodeKnown(Port* port, const Around& around, const Memories& memories, Colour wanted,
                 int near, Colour* colour);
  template <class Port>
  bool CodeRecent(Port* port, Colour wanted, int near, int* place, Colour* colour);
  template <class Port>
  Colour CodeRaw(Port* port, Colour wanted);
  template <class Port>
  PixelMode CodeMode(Port* port, PixelMode mode);
  template <class Port>
  bool CodeOffered(Port* port, const Block& block, int x, int y, const Around& around,
                   Colour wanted, Colour* colour);
  template <class Port>
  Colour CodeNew(Port* port, const Block& block, int x, int y, const Around& around, Colour wanted);
  template <class Port>
  int CodeResidual(Port* port, int channel, int activity, int size, int sign_context, int value);
  int Predict(const Samples& samples, int place, int channel, int* predictions) const;
  static size_t Pattern(const Samples& samples, int fine);
  void BeginErrors();

  int channels_ = 3;
  Colour middle_ = 0;  // stands for neighbours where nothing is known
  const int top_;
  State state_, marked_;
  std::vector<Memory> deep_, brief_;
  bool is_used_ = false;  // since Reset: photographs leave the memories alone
  std::vector<Change> changes_;
  Errors errors_;
  PixelMode mode_ = PixelMode::kDrawn;  // of the block
};

}  // namespace glint::detail

#endif  // GLINT_CODEC_DETAIL_PIXELS_H_
