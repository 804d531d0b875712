#include "kernels/tap_gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tap_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

size_t Lanes() { return hn::Lanes(D()); }
size_t Tile() { return kTile; }

struct Fused {
  static HWY_INLINE V Step(V x, V w, V sum) { return hn::MulAdd(x, w, sum); }
};
struct Separate {
  static HWY_INLINE V Step(V x, V w, V sum) { return hn::Add(sum, hn::Mul(w, x)); }
};

struct Place {
  float* out;
  const float* residual;
  const float* gain;  // of the block's first channel
  size_t count;       // channels that exist from here, at most a vector
};

HWY_INLINE V LoadCount(const float* from, size_t count) {
  const D d;
  return count >= hn::Lanes(d) ? hn::LoadU(d, from) : hn::LoadN(d, from, count);
}

HWY_INLINE void StoreCount(V v, float* to, size_t count) {
  const D d;
  if (HWY_LIKELY(count >= hn::Lanes(d))) {
    hn::StoreU(v, d, to);
  } else {
    hn::StoreN(v, d, to, count);
  }
}

// One vector of finished sums: arithmetic of the epilogue, then the store.
HWY_INLINE void Finish(V v, const Place& at, TapStore store, const Epilogue& epilogue) {
  const D d;
  if (store == TapStore::kPlain) {
    if (at.residual != nullptr) v = hn::Add(v, LoadCount(at.residual, at.count));
    if (epilogue.leaky_relu) v = hn::Max(v, hn::Mul(v, hn::Set(d, epilogue.slope)));
  } else if (store != TapStore::kSplitRows) {
    const V x = LoadCount(at.residual, at.count);
    if (store == TapStore::kDivideRoot || store == TapStore::kMultiplyRoot) v = hn::Sqrt(v);
    const bool divide = store == TapStore::kDivide || store == TapStore::kDivideRoot;
    v = divide ? hn::Div(x, v) : hn::Mul(x, v);
  }
  if (at.gain != nullptr) v = hn::Mul(v, LoadCount(at.gain, at.count));
  StoreCount(v, at.out, at.count);
}

// P pixels x W vectors. Sums live in registers: the arrays are indexed by constants only.
template <class Policy, size_t P, size_t W>
HWY_NOINLINE void RunTile(const PackedTaps& packed, const TapRow& row, size_t first_pixel,
                          size_t vector, TapStore store, const Epilogue& epilogue) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float* HWY_RESTRICT w = packed.weights.get() + vector * lanes * packed.depth;
  V sum[P][W];
  {
    const V bias0 = hn::Load(d, packed.bias.get() + vector * lanes);
    const V bias1 = hn::Load(d, packed.bias.get() + (vector + W - 1) * lanes);
#pragma GCC unroll 12
    for (size_t p = 0; p < P; ++p) {
      sum[p][0] = bias0;
      if (W == 2) sum[p][W - 1] = bias1;
    }
  }
  const size_t taps = packed.runs.size();
  for (size_t t = 0; t < taps; ++t) {
    const size_t step = row.steps[t];
    // Four bases and one step reach all pixels, so that no address is spilled.
    const float* in0 = static_cast<const float*>(row.taps[t]) + first_pixel * step;
    const float* in1 = in0 + 3 * step;
    const float* in2 = in1 + 3 * step;
    const float* in3 = in2 + 3 * step;
    const size_t run = packed.runs[t];
    for (size_t k = 0; k < run; ++k) {
      const V w0 = hn::Load(d, w);
      const V w1 = W == 2 ? hn::Load(d, w + lanes) : w0;
#pragma GCC unroll 12
      for (size_t p = 0; p < P; ++p) {
        const float* base = p < 3 ? in0 : p < 6 ? in1 : p < 9 ? in2 : in3;
        const size_t offset = (p % 3) == 0 ? 0 : (p % 3) == 1 ? step : 2 * step;
        const V x = hn::Set(d, base[offset]);
        sum[p][0] = Policy::Step(x, w0, sum[p][0]);
        if (W == 2) sum[p][W - 1] = Policy::Step(x, w1, sum[p][W - 1]);
      }
      w += W * lanes;
      ++in0;
      ++in1;
      ++in2;
      ++in3;
    }
  }
#pragma GCC unroll 12
  for (size_t p = 0; p < P; ++p) {
    if (store == TapStore::kSplitRows) {
      HWY_ALIGN float values[W * HWY_MAX_BYTES / sizeof(float)];
      hn::Store(sum[p][0], d, values);
      if (W == 2) hn::Store(sum[p][W - 1], d, values + lanes);
      SplitPixel(values, row, packed.out_channels, first_pixel + p);
      continue;
    }
#pragma GCC unroll 2
    for (size_t v = 0; v < W; ++v) {
      const size_t channel = (vector + v) * lanes;
      Place at;
      at.out = static_cast<float*>(row.out) + (first_pixel + p) * row.out_step + channel;
      at.residual = row.residual == nullptr ? nullptr
                                            : static_cast<const float*>(row.residual) +
                                                  (first_pixel + p) * row.residual_step + channel;
      at.gain = epilogue.gain == nullptr ? nullptr : epilogue.gain + channel;
      at.count = packed.out_channels - channel;
      Finish(sum[p][v], at, store, epilogue);
    }
  }
}

template <class Policy>
struct PolicyTile {
  const PackedTaps& packed;
  const TapRow& row;
  TapStore store;
  const Epilogue& epilogue;

  template <size_t P, size_t W>
  HWY_INLINE void Run(size_t pixel, size_t vector) const {
    RunTile<Policy, P, W>(packed, row, pixel, vector, store, epilogue);
  }
};

void Run(const PackedTaps& packed, const TapRow& row, Numerics numerics, TapStore store,
         const Epilogue& epilogue, size_t block_begin, size_t block_end) {
  if (numerics == Numerics::kExact) {
    ForTiles(row.pixels, packed.vectors(), block_begin, block_end,
             PolicyTile<Separate>{packed, row, store, epilogue});
  } else {
    ForTiles(row.pixels, packed.vectors(), block_begin, block_end,
             PolicyTile<Fused>{packed, row, store, epilogue});
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Lanes);
HWY_EXPORT(Tile);
HWY_EXPORT(Run);

size_t TilePixels() { return HWY_DYNAMIC_DISPATCH(Tile)(); }
size_t VectorLanes() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }

PackedTaps PackTaps(const std::vector<uint32_t>& runs, size_t out_channels, const float* weights,
                    const float* bias) {
  PackedTaps packed;
  packed.runs = runs;
  for (const uint32_t run : runs) packed.depth += run;
  packed.out_channels = out_channels;
  packed.lanes = HWY_DYNAMIC_DISPATCH(Lanes)();
  const size_t lanes = packed.lanes, vectors = packed.vectors();
  packed.weights = hwy::AllocateAligned<float>(packed.depth * vectors * lanes);
  packed.bias = hwy::AllocateAligned<float>((vectors + 1) * lanes);
  for (size_t c = 0; c < (vectors + 1) * lanes; ++c) {
    packed.bias[c] = c < out_channels && bias != nullptr ? bias[c] : 0.0f;
  }
  for (size_t block = 0; block < packed.blocks(); ++block) {
    const size_t first = 2 * block, width = (first + 2 <= vectors ? 2 : 1) * lanes;
    float* to = packed.weights.get() + first * lanes * packed.depth;
    for (size_t k = 0; k < packed.depth; ++k) {
      for (size_t c = 0; c < width; ++c) {
        const size_t channel = first * lanes + c;
        *to++ = channel < out_channels ? weights[k * out_channels + channel] : 0.0f;
      }
    }
  }
  return packed;
}

void RunTaps(const PackedTaps& packed, const TapRow& row, Numerics numerics, TapStore store,
             const Epilogue& epilogue, size_t block_begin, size_t block_end) {
  HWY_DYNAMIC_DISPATCH(Run)(packed, row, numerics, store, epilogue, block_begin, block_end);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
