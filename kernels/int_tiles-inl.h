// Tiles of integer products: P pixels by W vectors of outputs, word after word of inputs, and small
// ones that stay in registers from the products to what is stored. Included by kernels/int_gemm.cc
// only, once per SIMD target. Thread rules: functions of their arguments.

// The guard toggles: every target compiles its own copy.
#if defined(GLINT_KERNELS_INT_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GLINT_KERNELS_INT_TILES_INL_H_
#undef GLINT_KERNELS_INT_TILES_INL_H_
#else
#define GLINT_KERNELS_INT_TILES_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/int_gemm.h"
#include "kernels/int_sums-inl.h"
#include "kernels/tap_gemm.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE int32_t LoadWord(const uint8_t* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

// The products of a tile. Strides are in bytes, because two element types share it.
template <class Policy, size_t P, size_t W>
class Products {
 public:
  HWY_INLINE Products(const PackedIntTaps& packed, const TapRow& row, size_t first_pixel,
                      size_t vector, VI (&sum)[P][W])
      : packed_(packed),
        row_(row),
        first_pixel_(first_pixel),
        weights_(packed.weights.get() + vector * packed.depth * hn::Lanes(DI())) {
    const DI d;
    const size_t lanes = hn::Lanes(d);
    const VI start0 = hn::Load(d, packed.start.get() + vector * lanes);
    const VI start1 = hn::Load(d, packed.start.get() + (vector + W - 1) * lanes);
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      sum[p][0] = start0;
      if (W == 2) sum[p][W - 1] = start1;
    }
  }

  // Of the next word. There has to be one.
  HWY_INLINE void Step(VI (&sum)[P][W]) {
    if (left_ == 0) BeginTap();
    AddWord(sum);
    --left_;
  }

  // Of all that are left. Written as it is so that GCC neither copies sums nor jumps twice a word.
  HWY_INLINE void Rest(VI (&sum)[P][W]) {
    const size_t taps = packed_.groups.size();
    while (left_ != 0 || tap_ != taps) {
      if (left_ == 0) BeginTap();
      do {
        AddWord(sum);
      } while (--left_ != 0);
    }
  }

 private:
  HWY_INLINE void BeginTap() {
    stride_ = row_.strides[tap_] * (packed_.input == Element::kU8 ? 1 : 2);
    in0_ = static_cast<const uint8_t*>(row_.taps[tap_]) + first_pixel_ * stride_;
    in1_ = in0_ + 3 * stride_;
    in2_ = in1_ + 3 * stride_;
    in3_ = in2_ + 3 * stride_;
    left_ = packed_.groups[tap_];
    ++tap_;
  }

  HWY_INLINE void AddWord(VI (&sum)[P][W]) {
    const DI d;
    const size_t lanes = hn::Lanes(d);
    const VI w0 = hn::Load(d, weights_);
    const VI w1 = W == 2 ? hn::Load(d, weights_ + lanes) : w0;
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      const uint8_t* base = p < 3 ? in0_ : p < 6 ? in1_ : p < 9 ? in2_ : in3_;
      const size_t offset = (p % 3) == 0 ? 0 : (p % 3) == 1 ? stride_ : 2 * stride_;
      const VI x = hn::Set(d, LoadWord(base + offset));
      sum[p][0] = Policy::Accumulate(x, w0, sum[p][0]);
      if (W == 2) sum[p][W - 1] = Policy::Accumulate(x, w1, sum[p][W - 1]);
    }
    weights_ += W * lanes;
    in0_ += 4;
    in1_ += 4;
    in2_ += 4;
    in3_ += 4;
  }

  const PackedIntTaps& packed_;
  const TapRow& row_;
  const size_t first_pixel_;
  const int32_t* HWY_RESTRICT weights_;
  size_t tap_ = 0, left_ = 0, stride_ = 0;
  const uint8_t *in0_ = nullptr, *in1_ = nullptr, *in2_ = nullptr, *in3_ = nullptr;
};

// Pixels of a tile that stays in registers while the next one is summed.
constexpr size_t kRegisterTile = 6;

// There have to be words to multiply beside every pixel that is finished. Small tiles load weights
// twice as often as those of kTile pixels do, which is for weights that L1 holds.
HWY_INLINE bool HaveRegisterTiles(const PackedIntTaps& packed) {
  constexpr size_t kMostBytes = 32 * 1024;
  return packed.depth >= kRegisterTile && packed.depth * 2 * packed.lanes * 4 <= kMostBytes;
}

// Whole tiles, from products to what is stored, in registers. What converts, adds, limits and packs
// takes other pipes than products, so each pixel of a tile is finished behind a word of the next
// one's products: in two steps, so that little waits in the CPU's window.
template <class Policy, Join J, Element R, Element Out>
struct RegisterTiles {
  const PackedIntTaps& packed;
  const TapRow& row;
  const Epilogue& epilogue;

  // Of `vector` and the one after it, as many as pixels [begin, end) have. Returns the first pixel
  // that is left.
  HWY_NOINLINE size_t Run(size_t vector, size_t begin, size_t end) const {
    constexpr size_t P = kRegisterTile;
    constexpr bool kBounded = J <= Join::kAdd;
    const size_t channel = vector * packed.lanes, count = 2 * hn::Lanes(DI());
    if (begin + P > end || channel + count > packed.out_channels) return begin;
    Factors<2> factors;
    LoadFactors<J, R>(epilogue, channel, &factors);
    // What a GDN sums are magnitudes.
    if (!factors.template AreWithin<J>(kBounded ? kWords : kNumbers, packed.nonnegative)) {
      return begin;
    }
    // From memory, one by one: all registers hold sums.
    const Factors<2>* f = &factors;
    hwy::PreventElision(f);
    const Rounding<Out, kBounded> rounding(epilogue, kBounded, true);
    const size_t other_bytes = row.residual_stride * BytesOf(R);
    const size_t out_bytes = row.out_stride * BytesOf(Out);
    PixelPlace at = PlaceOf<J, R, Out>(begin, row);
    VI before[P][2];
    Products<Policy, P, 2>(packed, row, begin, vector, before).Rest(before);
    for (begin += P; begin + P <= end; begin += P) {
      VI sums[P][2];
      VF values[P][2];
      Products<Policy, P, 2> products(packed, row, begin, vector, sums);
      uint8_t* out = at.out;
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
        products.Step(sums);
        Values<J, R>(before[p], at, *f, channel, count, values[p]);
        Advance<J>(other_bytes, out_bytes, &at);
        if (p == 0) continue;
        StorePixel<Out>(values[p - 1], out, channel, count, rounding);
        out += out_bytes;
      }
      products.Rest(sums);
      StorePixel<Out>(values[P - 1], out, channel, count, rounding);
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
        before[p][0] = sums[p][0];
        before[p][1] = sums[p][1];
      }
    }
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      VF values[2];
      Values<J, R>(before[p], at, *f, channel, count, values);
      StorePixel<Out>(values, at.out, channel, count, rounding);
      Advance<J>(other_bytes, out_bytes, &at);
    }
    return begin;
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#endif  // GLINT_KERNELS_INT_TILES_INL_H_
