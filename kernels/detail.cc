#include "kernels/detail.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/detail.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kSide = kDetailTransform;
using D32 = hn::CappedTag<int32_t, kSide>;  // a row of a block, or half of it
using D16 = hn::Repartition<int16_t, D32>;  // as many pairs
using DHalf = hn::Rebind<int16_t, D32>;
using DRow = hn::FixedTag<int16_t, kSide>;
using V32 = hn::Vec<D32>;
using V16 = hn::Vec<D16>;

constexpr int16_t kMatrix[kSide][kSide] = {
    {1448, 1448, 1448, 1448, 1448, 1448, 1448, 1448},
    {2009, 1703, 1138, 400, -400, -1138, -1703, -2009},
    {1892, 784, -784, -1892, -1892, -784, 784, 1892},
    {1703, -400, -2009, -1138, 1138, 2009, 400, -1703},
    {1448, -1448, -1448, 1448, 1448, -1448, -1448, 1448},
    {1138, -2009, 400, 1703, -1703, -400, 2009, -1138},
    {784, -1892, 1892, -784, -784, 1892, -1892, 784},
    {400, -1138, 1703, -2009, 2009, -1703, 1138, -400},
};

// Factors of pairs, a pair a lane: pairs [k][i] are those of x = 2k, 2k + 1 for frequency i
// (forward), and of frequencies 2k, 2k + 1 for x = i (inverse).
struct PairFactors {
  int16_t forward[kSide / 2][2 * kSide] = {};
  int16_t inverse[kSide / 2][2 * kSide] = {};

  constexpr PairFactors() {
    for (size_t k = 0; k < kSide / 2; ++k) {
      for (size_t i = 0; i < kSide; ++i) {
        for (size_t j = 0; j < 2; ++j) {
          forward[k][2 * i + j] = kMatrix[i][2 * k + j];
          inverse[k][2 * i + j] = static_cast<int16_t>(16 * kMatrix[2 * k + j][i]);
        }
      }
    }
  }
};
alignas(64) constexpr PairFactors kPairFactors;

HWY_INLINE V32 SumPairs(V16 a, V16 b) { return hn::WidenMulPairwiseAdd(D32(), a, b); }

// Two values in all lanes.
HWY_INLINE V16 BroadcastPair(const int16_t* from) {
  int32_t pair;
  std::memcpy(&pair, from, sizeof(pair));
  return hn::BitCast(D16(), hn::Set(D32(), pair));
}

HWY_INLINE V32 Times(V32 v, int factor) { return hn::Mul(v, hn::Set(D32(), factor)); }

// Sums over y are folded: M[v][7 - y] = M[v][y] for even v and -M[v][y] for odd v.
HWY_INLINE void ForwardColumns(const int32_t* t, int32_t* out) {
  const D32 d;
  const auto row = [&](size_t y) HWY_ATTR { return hn::LoadU(d, t + y * kSide); };
  const auto store = [&](V32 sum, size_t v) HWY_ATTR {
    hn::StoreU(hn::ShiftRight<14>(hn::Add(sum, hn::Set(d, 1 << 13))), d, out + v * kSide);
  };
  const auto s0 = hn::Add(row(0), row(7)), s1 = hn::Add(row(1), row(6));
  const auto s2 = hn::Add(row(2), row(5)), s3 = hn::Add(row(3), row(4));
  const auto outer = hn::Add(s0, s3), inner = hn::Add(s1, s2);
  const auto a = hn::Sub(s0, s3), b = hn::Sub(s1, s2);
  store(Times(hn::Add(outer, inner), kMatrix[0][0]), 0);
  store(Times(hn::Sub(outer, inner), kMatrix[4][0]), 4);
  store(hn::Add(Times(a, kMatrix[2][0]), Times(b, kMatrix[2][1])), 2);
  store(hn::Add(Times(a, kMatrix[6][0]), Times(b, kMatrix[6][1])), 6);
  const auto d0 = hn::Sub(row(0), row(7)), d1 = hn::Sub(row(1), row(6));
  const auto d2 = hn::Sub(row(2), row(5)), d3 = hn::Sub(row(3), row(4));
  for (size_t v = 1; v < kSide; v += 2) {
    const int16_t* const m = kMatrix[v];
    store(hn::Add(hn::Add(Times(d0, m[0]), Times(d1, m[1])),
                  hn::Add(Times(d2, m[2]), Times(d3, m[3]))),
          v);
  }
}

void DetailForwardT(const int16_t* plane, size_t stride, int32_t* coefficients) {
  const D32 d;
  const D16 d16;
  for (size_t i = 0; i < kSide; i += hn::Lanes(d)) {
    alignas(64) int32_t t[kDetailCoefficients];  // of these lanes' frequencies
    for (size_t y = 0; y < kSide; ++y) {
      const int16_t* const from = plane + y * stride;
      auto sum = hn::Set(d, 1 << 9);
      for (size_t k = 0; k < kSide / 2; ++k) {
        const auto factors = hn::LoadU(d16, kPairFactors.forward[k] + 2 * i);
        sum = hn::Add(sum, SumPairs(BroadcastPair(from + 2 * k), factors));
      }
      hn::StoreU(hn::ShiftRight<10>(sum), d, t + y * kSide);
    }
    ForwardColumns(t, coefficients + i);
  }
}

HWY_INLINE void FillBlock(int16_t value, int16_t* plane, size_t stride) {
  const auto v = hn::Set(DRow(), value);
  for (size_t y = 0; y < kSide; ++y) hn::StoreU(v, DRow(), plane + y * stride);
}

int32_t Within(int32_t v) { return std::clamp(v, -kDetailMostCoefficient, kDetailMostCoefficient); }

void InverseOfMean(int32_t level, int32_t step, int16_t* plane, size_t stride) {
  const int32_t t = Within((kMatrix[0][0] * Within(level * step) + (1 << 11)) >> 12);
  const int32_t value = (kMatrix[0][0] * t + (1 << 11)) >> 12;
  FillBlock(static_cast<int16_t>(value), plane, stride);  // at most 16381
}

// Where the sum of all |w| fits into int16, so does each value on the way, for no factor of the
// matrix is above a half: limits change nothing. Sums are 16 times the header's, so that a value is
// the upper half of its sum. Only the first kUsed frequencies of either direction count.
template <size_t kUsed>
HWY_INLINE void InverseOfSmall(const int16_t* levels, int32_t step, int16_t* plane, size_t stride) {
  const DRow drow;
  const D32 d;
  const D16 d16;
  alignas(16) int16_t w[kUsed / 2][2 * kSide];  // pairs of two rows
  const auto steps = hn::Set(drow, static_cast<int16_t>(step));
  for (size_t k = 0; k < kUsed / 2; ++k) {
    const auto a = hn::Mul(hn::LoadU(drow, levels + 2 * k * kSide), steps);
    const auto b = hn::Mul(hn::LoadU(drow, levels + (2 * k + 1) * kSide), steps);
    hn::Store(hn::InterleaveLower(drow, a, b), drow, w[k]);
    if constexpr (kUsed > 4) hn::Store(hn::InterleaveUpper(drow, a, b), drow, w[k] + kSide);
  }
  alignas(64) int16_t rows[kDetailCoefficients];
  const auto half = hn::Set(d, 1 << 15);
  for (size_t i = 0; i < kSide; i += hn::Lanes(d)) {
    const auto column = [&](size_t u) HWY_ATTR {  // t[y][u], a y a lane
      auto sum = half;
      for (size_t k = 0; k < kUsed / 2; ++k) {
        const auto factors = hn::LoadU(d16, kPairFactors.inverse[k] + 2 * i);
        sum = hn::Add(sum, SumPairs(BroadcastPair(w[k] + 2 * u), factors));
      }
      return sum;
    };
    const auto t02 = UpperHalves(column(0), column(2)), t13 = UpperHalves(column(1), column(3));
    auto t46 = hn::Zero(d16), t57 = hn::Zero(d16);
    if constexpr (kUsed > 4) {
      t46 = UpperHalves(column(4), column(6));
      t57 = UpperHalves(column(5), column(7));
    }
    const auto sum = [&](V16 a, V16 b, size_t u, size_t x) HWY_ATTR {  // over u, u + 2, ...
      const auto factor = [&](size_t f) HWY_ATTR { return 16 * kMatrix[f][x]; };
      auto s = SumPairs(a, SetPair(d, factor(u), factor(u + 2)));
      if constexpr (kUsed > 4) {
        s = hn::Add(s, SumPairs(b, SetPair(d, factor(u + 4), factor(u + 6))));
      }
      return s;
    };
    // plane[y][x] and plane[y][7 - x], a y a lane.
    const auto even = [&](size_t x) HWY_ATTR { return hn::Add(sum(t02, t46, 0, x), half); };
    const auto odd = [&](size_t x) HWY_ATTR { return sum(t13, t57, 1, x); };
    const auto e0 = even(0), e1 = even(1), e2 = even(2), e3 = even(3);
    const auto o0 = odd(0), o1 = odd(1), o2 = odd(2), o3 = odd(3);
    const auto as32 = [&](V16 v) HWY_ATTR { return hn::BitCast(d, v); };
    hn::StoreInterleaved4(as32(UpperHalves(hn::Add(e0, o0), hn::Add(e1, o1))),
                          as32(UpperHalves(hn::Add(e2, o2), hn::Add(e3, o3))),
                          as32(UpperHalves(hn::Sub(e3, o3), hn::Sub(e2, o2))),
                          as32(UpperHalves(hn::Sub(e1, o1), hn::Sub(e0, o0))), d,
                          reinterpret_cast<int32_t*>(rows) + 4 * i);
  }
  for (size_t y = 0; y < kSide; ++y) {
    hn::StoreU(hn::Load(drow, rows + y * kSide), drow, plane + y * stride);
  }
}

// As the header has it.
HWY_NOINLINE void InverseOfAny(const int16_t* levels, int32_t step, int16_t* plane, size_t stride) {
  const D32 d;
  const DHalf dhalf;
  const auto most = hn::Set(d, kDetailMostCoefficient), least = hn::Neg(most);
  const auto half = hn::Set(d, 1 << 11);
  const auto within = [&](V32 v) HWY_ATTR { return hn::Min(hn::Max(v, least), most); };
  alignas(64) int32_t w[kDetailCoefficients], t[kDetailCoefficients];
  for (size_t i = 0; i < kDetailCoefficients; i += hn::Lanes(d)) {
    hn::StoreU(within(Times(hn::PromoteTo(d, hn::LoadU(dhalf, levels + i)), step)), d, w + i);
  }
  for (size_t i = 0; i < kSide; i += hn::Lanes(d)) {
    for (size_t y = 0; y < kSide; ++y) {
      auto sum = half;
      for (size_t v = 0; v < kSide; ++v) {
        sum = hn::Add(sum, Times(hn::LoadU(d, w + v * kSide + i), kMatrix[v][y]));
      }
      hn::StoreU(within(hn::ShiftRight<12>(sum)), d, t + y * kSide + i);
    }
  }
  for (size_t i = 0; i < kSide; i += hn::Lanes(d)) {
    for (size_t y = 0; y < kSide; ++y) {
      auto sum = half;
      for (size_t u = 0; u < kSide; ++u) {
        const auto factors = hn::PromoteTo(d, hn::LoadU(dhalf, kMatrix[u] + i));
        sum = hn::Add(sum, Times(factors, t[y * kSide + u]));
      }
      const auto value = hn::DemoteTo(dhalf, hn::ShiftRight<12>(sum));
      hn::StoreU(hn::Max(value, hn::Set(dhalf, -32767)), dhalf, plane + y * stride + i);
    }
  }
}

void DetailInverseT(const int16_t* levels, int32_t step, int16_t* plane, size_t stride) {
  const DRow d;
  const hn::RebindToUnsigned<DRow> du;
  const hn::RepartitionToWide<decltype(du)> du32;
  const hn::Repartition<uint64_t, DRow> du64;
  const auto magnitudes = [&](size_t v) HWY_ATTR {  // of four rows
    const auto row = [&](size_t r) HWY_ATTR {
      return hn::BitCast(du, hn::Abs(hn::LoadU(d, levels + (v + r) * kSide)));
    };
    return hn::SaturatedAdd(hn::SaturatedAdd(row(0), row(1)), hn::SaturatedAdd(row(2), row(3)));
  };
  const auto upper = magnitudes(0), lower = magnitudes(4);
  const uint64_t sum = hn::ReduceSum(du32, hn::SumsOf2(hn::SaturatedAdd(upper, lower)));
  if (sum == static_cast<uint64_t>(std::abs(int{levels[0]}))) {
    InverseOfMean(levels[0], step, plane, stride);
  } else if (sum * static_cast<uint64_t>(step) > 32767) {
    InverseOfAny(levels, step, plane, stride);
  } else {
    const auto right = hn::InterleaveUpper(du64, hn::BitCast(du64, upper), hn::Zero(du64));
    const auto outside = hn::Or(right, hn::BitCast(du64, lower));
    if (hn::AllTrue(du64, hn::Eq(outside, hn::Zero(du64)))) {
      InverseOfSmall<4>(levels, step, plane, stride);
    } else {
      InverseOfSmall<8>(levels, step, plane, stride);
    }
  }
}

constexpr uint8_t kNoMagnitudes[kDetailCoefficients] = {};

uint32_t DetailExpectT(const DetailKnown& known, uint16_t* of) {
  const hn::RebindToUnsigned<DRow> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const hn::RepartitionToWide<decltype(d)> d32;
  using V = hn::Vec<decltype(d)>;
  const auto given = [](const uint8_t* magnitudes)
                         HWY_ATTR { return magnitudes == nullptr ? kNoMagnitudes : magnitudes; };
  const uint8_t *const left = given(known.left), *const above = given(known.above);
  const uint8_t *const first = given(known.first_plane), *const second = given(known.second_plane);
  const auto row = [&](const uint8_t* from, size_t v)
                       HWY_ATTR { return hn::PromoteTo(d, hn::LoadU(d8, from + v * kSide)); };
  const auto beside = [&](size_t v) HWY_ATTR { return hn::Add(row(left, v), row(above, v)); };
  const auto activity = hn::Set(d, known.activity);
  const auto factor = hn::Set(d, static_cast<uint16_t>(known.second_plane == nullptr ? 6 : 3));
  V before = hn::Zero(d), here = beside(0), sum = hn::Zero(d);
  for (size_t v = 0; v < kSide; ++v) {
    const V after = v + 1 < kSide ? beside(v + 1) : hn::Zero(d);
    const V cross =
        hn::Add(hn::Add(hn::ShiftLeftLanes<1>(d, here), hn::ShiftRightLanes<1>(d, here)),
                hn::Add(before, after));
    const V planes = hn::Mul(hn::Add(row(first, v), row(second, v)), factor);
    const V all = hn::Add(hn::Add(hn::Add(here, here), cross), hn::Add(planes, activity));
    hn::StoreU(all, d, of + v * kSide);
    sum = hn::Add(sum, all);
    before = here;
    here = after;
  }
  return hn::ReduceSum(d32, hn::SumsOf2(sum));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(DetailForwardT);
HWY_EXPORT(DetailInverseT);
HWY_EXPORT(DetailExpectT);

void DetailForward(const int16_t* plane, size_t stride, int32_t* coefficients) {
  HWY_DYNAMIC_DISPATCH(DetailForwardT)(plane, stride, coefficients);
}
void DetailInverse(const int16_t* levels, int32_t step, int16_t* plane, size_t stride) {
  HWY_DYNAMIC_DISPATCH(DetailInverseT)(levels, step, plane, stride);
}
uint32_t DetailExpect(const DetailKnown& known, uint16_t* of) {
  return HWY_DYNAMIC_DISPATCH(DetailExpectT)(known, of);
}

}  // namespace glint::kernels
#endif  // HWY_ONCE
