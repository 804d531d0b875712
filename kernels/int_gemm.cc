#include "kernels/int_gemm.h"

#include <algorithm>

#include "kernels/targets.h"
#include "kernels/words.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/int_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/int_sums-inl.h"
#include "kernels/int_tiles-inl.h"
#include "kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

size_t Lanes() { return hn::Lanes(DI()); }
bool FastBytes() { return HWY_TARGET <= HWY_AVX3_DL || UsesAvxVnni(); }  // VNNI

// The products of P pixels x W vectors.
template <class Policy, size_t P, size_t W>
HWY_NOINLINE void SumTile(const PackedIntTaps& packed, const TapRow& row, size_t first_pixel,
                          size_t vector, int32_t* HWY_RESTRICT sums) {
  const DI d;
  const size_t lanes = hn::Lanes(d);
  VI sum[P][W];
  Products<Policy, P, W>(packed, row, first_pixel, vector, sum).Rest(sum);
#pragma GCC unroll 12
  for (size_t p = 0; p < P; ++p) {
    hn::Store(sum[p][0], d, sums + p * W * lanes);
    if (W == 2) hn::Store(sum[p][W - 1], d, sums + (p * W + 1) * lanes);
  }
}

// The tiles of a chunk that begins at `first_pixel`.
template <class Policy>
struct ChunkTile {
  using Sum = int32_t;
  const PackedIntTaps& packed;
  const TapRow& row;
  size_t first_pixel;
  int32_t* sums;

  template <size_t P, size_t W>
  HWY_INLINE void Run(size_t pixel, size_t vector) const {
    SumTile<Policy, P, W>(packed, row, first_pixel + pixel, vector,
                          sums + pixel * W * hn::Lanes(DI()));
  }
};

#if HWY_TARGET <= HWY_AVX3_DL  // 32 registers and VNNI
template <class Policy, Join J, Element R, Element Out>
void RunRegisterTiles(const PackedIntTaps& packed, const TapRow& row, const Epilogue& epilogue,
                      const Finisher<int32_t>& finisher, size_t block_begin, size_t block_end) {
  const RegisterTiles<Policy, J, R, Out> whole{packed, row, epilogue};
  RunBlocks<ChunkTile<Policy>>(packed, row, epilogue, finisher, whole, block_begin, block_end);
}

using RunFunction = void (*)(const PackedIntTaps& packed, const TapRow& row,
                             const Epilogue& epilogue, const Finisher<int32_t>& finisher,
                             size_t block_begin, size_t block_end);

// Or nullptr, for what is added or made as floats.
template <class Policy, Join J, Element R>
RunFunction RegisterTilesFor(const Epilogue& epilogue) {
  if (epilogue.out == Element::kI16) return RunRegisterTiles<Policy, J, R, Element::kI16>;
  if (epilogue.out == Element::kU8) return RunRegisterTiles<Policy, J, R, Element::kU8>;
  return nullptr;
}
template <class Policy, Join J>
RunFunction RegisterTilesFor(const Epilogue& epilogue) {
  const bool words = epilogue.residual == Element::kI16;
  if (words) return RegisterTilesFor<Policy, J, Element::kI16>(epilogue);
  if (epilogue.residual == Element::kU8) return RegisterTilesFor<Policy, J, Element::kU8>(epilogue);
  return nullptr;
}
template <class Policy>
RunFunction RegisterTilesFor(Join join, const Epilogue& epilogue) {
  switch (join) {
    case Join::kNone:
      return RegisterTilesFor<Policy, Join::kNone, Element::kI16>(epilogue);
    case Join::kAdd:
      return RegisterTilesFor<Policy, Join::kAdd>(epilogue);
    case Join::kDivide:
      return RegisterTilesFor<Policy, Join::kDivide>(epilogue);
    case Join::kMultiply:
      return RegisterTilesFor<Policy, Join::kMultiply>(epilogue);
    case Join::kDivideRoot:
      return RegisterTilesFor<Policy, Join::kDivideRoot>(epilogue);
    case Join::kMultiplyRoot:
      return RegisterTilesFor<Policy, Join::kMultiplyRoot>(epilogue);
  }
  return nullptr;
}
#endif

void Run(const PackedIntTaps& packed, const TapRow& row, Join join, const Epilogue& epilogue,
         size_t block_begin, size_t block_end) {
  const bool bytes = packed.input == Element::kU8;
  const Finisher<int32_t> finisher = FinisherFor(join, epilogue);
#if HWY_TARGET <= HWY_AVX3_DL
  if (HaveRegisterTiles(packed)) {
    const auto in_registers =
        bytes ? RegisterTilesFor<Quads>(join, epilogue) : RegisterTilesFor<Pairs>(join, epilogue);
    if (in_registers != nullptr) {
      in_registers(packed, row, epilogue, finisher, block_begin, block_end);
      return;
    }
  }
#endif
  auto run = bytes ? RunBlocks<ChunkTile<Quads>, PackedIntTaps, NoTiles>
                   : RunBlocks<ChunkTile<Pairs>, PackedIntTaps, NoTiles>;
  if (UsesAvxVnni()) {
    run = bytes ? RunBlocks<ChunkTile<VnniQuads>, PackedIntTaps, NoTiles>
                : RunBlocks<ChunkTile<VnniPairs>, PackedIntTaps, NoTiles>;
  }
  const NoTiles none;
  run(packed, row, epilogue, finisher, none, block_begin, block_end);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Lanes);
HWY_EXPORT(FastBytes);
HWY_EXPORT(Run);

bool HasFastBytes() { return HWY_DYNAMIC_DISPATCH(FastBytes)(); }

namespace {

// Words of `count` outputs: weights of the inputs in `rows`.
template <size_t kGroup>
void FillWords(const int16_t* const (&rows)[4], size_t count, int32_t* words) {
  constexpr uint32_t kMask = (uint64_t{1} << 32 / kGroup) - 1;
  for (size_t c = 0; c < count; ++c) {
    uint32_t word = 0;
    for (size_t i = 0; i < kGroup; ++i) {
      word |= (static_cast<uint32_t>(rows[i][c]) & kMask) << ShiftInWord(kGroup, i);
    }
    words[c] = static_cast<int32_t>(word);
  }
}

}  // namespace

PackedIntTaps PackIntTaps(Element input, const std::vector<uint32_t>& runs, size_t out_channels,
                          const int16_t* weights, int zero) {
  PackedIntTaps packed;
  packed.input = input;
  const size_t group = GroupOf(input);
  size_t inputs = 0;
  for (const uint32_t run : runs) {
    packed.groups.push_back(static_cast<uint32_t>((run + group - 1) / group));
    packed.depth += packed.groups.back();
    inputs += run;
  }
  packed.out_channels = out_channels;
  packed.lanes = HWY_DYNAMIC_DISPATCH(Lanes)();
  const size_t lanes = packed.lanes, vectors = packed.vectors();
  packed.weights = NewAlignedArray<int32_t>(packed.depth * vectors * lanes);
  packed.start = NewAlignedArray<int32_t>((vectors + 1) * lanes);
  const std::vector<int16_t> zeros(2 * lanes, 0);
  for (size_t block = 0; block < packed.blocks(); ++block) {
    const size_t first = 2 * block * lanes, width = (2 * block + 2 <= vectors ? 2 : 1) * lanes;
    const size_t exist = std::min(width, out_channels - first);
    int32_t* to = packed.weights.get() + first * packed.depth;
    const int16_t* row = weights + first;
    for (const uint32_t run : runs) {
      for (size_t k = 0; k < run; k += group, to += width) {
        const int16_t* rows[4] = {};
        for (size_t i = 0; i < group; ++i) {
          rows[i] = k + i < run ? row + (k + i) * out_channels : zeros.data();
        }
        (group == 4 ? FillWords<4> : FillWords<2>)(rows, exist, to);
        std::fill(to + exist, to + width, 0);
      }
      row += run * out_channels;
    }
  }
  packed.nonnegative =
      std::all_of(weights, weights + inputs * out_channels, [](int16_t w) { return w >= 0; });
  std::vector<int64_t> sums(out_channels, 0);
  for (size_t k = 0; zero != 0 && k < inputs; ++k) {
    for (size_t c = 0; c < out_channels; ++c) sums[c] += weights[k * out_channels + c];
  }
  for (size_t c = 0; c < (vectors + 1) * lanes; ++c) {
    packed.start[c] = c < out_channels ? static_cast<int32_t>(-zero * sums[c]) : 0;
  }
  return packed;
}

void RunIntTaps(const PackedIntTaps& packed, const TapRow& row, Join join, const Epilogue& epilogue,
                size_t block_begin, size_t block_end) {
  HWY_DYNAMIC_DISPATCH(Run)(packed, row, join, epilogue, block_begin, block_end);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
