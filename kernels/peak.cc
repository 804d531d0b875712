#include "kernels/peak.h"

#include <algorithm>
#include <chrono>

#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/int_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace glint::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A tile as the kernels have it: six operands, broadcast from L1, by two vectors of weights, twelve
// sums in registers: that hides the latency of any unit and fits 16 registers. The sums end in
// memory: were they added up here, GCC would reassociate the loop's additions, all products before
// all sums, and spill most of them.
template <class DSum, class DIn, class DX, class DW, class Accumulate>
HWY_INLINE double TilePeak(DSum ds, DIn din, DX dx, DW dw, size_t iterations, float* sink,
                           const Accumulate& accumulate) {
  constexpr size_t kRound = 64;  // products before operands repeat
  using In = hn::TFromD<DIn>;
  using W = hn::TFromD<DW>;
  In in[6][kRound];
  HWY_ALIGN W weights[2 * kRound * HWY_MAX_BYTES / sizeof(W)];
  const size_t lanes = hn::Lanes(dw);
  const float one = *sink > 1.0f ? 2.0f : 1.0f;
  for (auto& row : in) std::fill(row, row + kRound, hwy::ConvertScalarTo<In>(one));
  std::fill(weights, weights + 2 * kRound * lanes, hwy::ConvertScalarTo<W>(one));
  hn::Vec<DSum> sum[6][2];
#pragma GCC unroll 6
  for (size_t p = 0; p < 6; ++p) sum[p][0] = sum[p][1] = hn::Zero(ds);
  const size_t rounds = (iterations + kRound - 1) / kRound;
  for (size_t n = 0; n < rounds; ++n) {
    const W* HWY_RESTRICT w = weights;
    for (size_t k = 0; k < kRound; ++k, w += 2 * lanes) {
      const auto w0 = hn::Load(dw, w), w1 = hn::Load(dw, w + lanes);
#pragma GCC unroll 6
      for (size_t p = 0; p < 6; ++p) {
        const auto x = hn::BitCast(dx, hn::Set(din, in[p][k]));
        sum[p][0] = accumulate(x, w0, sum[p][0]);
        sum[p][1] = accumulate(x, w1, sum[p][1]);
      }
    }
  }
  using Sum = hn::TFromD<DSum>;
  HWY_ALIGN Sum sums[12 * HWY_MAX_BYTES / sizeof(Sum)];
#pragma GCC unroll 6
  for (size_t p = 0; p < 6; ++p) {
    hn::Store(sum[p][0], ds, sums + 2 * p * hn::Lanes(ds));
    hn::Store(sum[p][1], ds, sums + (2 * p + 1) * hn::Lanes(ds));
  }
  *sink = 0.0f;
  for (size_t i = 0; i < 12 * hn::Lanes(ds); ++i) *sink += hwy::ConvertScalarTo<float>(sums[i]);
  return 2.0 * 12.0 * static_cast<double>(rounds * kRound * lanes);
}

// Of the products of the integer kernels; `dw`: of a weight.
template <class Policy, class DW>
double IntegerPeak(DW dw, size_t iterations, float* sink) {
  const hn::ScalableTag<int32_t> d;
  return TilePeak(d, d, d, dw, iterations, sink, [d](auto x, auto w, auto sum) HWY_ATTR {
    return Policy::Accumulate(x, hn::BitCast(d, w), sum);
  });
}

double Peak(PeakKind kind, size_t iterations, float* sink) {
  const hn::ScalableTag<float> df;
  const hn::ScalableTag<int16_t> di16;
  const hn::ScalableTag<int8_t> di8;
  switch (kind) {
    case PeakKind::kFp32Fma:
      return TilePeak(df, df, df, df, iterations, sink,
                      [](auto x, auto w, auto sum) HWY_ATTR { return hn::MulAdd(x, w, sum); });
    case PeakKind::kFp32MulAdd:
      return TilePeak(df, df, df, df, iterations, sink, [](auto x, auto w, auto sum) HWY_ATTR {
        return hn::Add(sum, hn::Mul(x, w));
      });
    case PeakKind::kU8I8:
      return UsesAvxVnni() ? IntegerPeak<VnniQuads>(di8, iterations, sink)
                           : IntegerPeak<Quads>(di8, iterations, sink);
    case PeakKind::kI16:
      return UsesAvxVnni() ? IntegerPeak<VnniPairs>(di16, iterations, sink)
                           : IntegerPeak<Pairs>(di16, iterations, sink);
    case PeakKind::kFp16: {
#if HWY_HAVE_FLOAT16
      const hn::ScalableTag<hwy::float16_t> dh;
      return TilePeak(dh, dh, dh, dh, iterations, sink,
                      [](auto x, auto w, auto sum) HWY_ATTR { return hn::MulAdd(x, w, sum); });
#else
      return 0.0;
#endif
    }
  }
  return 0.0;
}

float Read(const float* HWY_RESTRICT data, size_t bytes) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d), count = bytes / sizeof(float);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, data + i));
    b = hn::Add(b, hn::LoadU(d, data + i + lanes));
    c = hn::Add(c, hn::LoadU(d, data + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, data + i + 3 * lanes));
  }
  return hn::GetLane(hn::Add(hn::Add(a, b), hn::Add(c, e)));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace glint::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::kernels {

HWY_EXPORT(Peak);
HWY_EXPORT(Read);

double RunPeak(PeakKind kind, size_t iterations, float* sink) {
  return HWY_DYNAMIC_DISPATCH(Peak)(kind, iterations, sink);
}

double MeasurePeakGops(PeakKind kind) {
  using Clock = std::chrono::steady_clock;
  // Short runs, so that some of them are disturbed by nothing else on the machine.
  constexpr size_t kIterations = 20000;
  float sink = 0.0f;
  double best = 0.0;
  for (int run = 0; run < 1000; ++run) {
    const auto start = Clock::now();
    const double operations = RunPeak(kind, kIterations, &sink);
    best = std::max(best, operations / std::chrono::duration<double>(Clock::now() - start).count());
  }
  return sink > 1e30f ? 0.0 : best * 1e-9;
}

float ReadAll(const float* data, size_t bytes) { return HWY_DYNAMIC_DISPATCH(Read)(data, bytes); }

}  // namespace glint::kernels
#endif  // HWY_ONCE
