#include "bench/peak.h"

#include <algorithm>
#include <chrono>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peak.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace glint::bench {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Twelve independent sums hide the latency of any unit and fit 16 registers with their operands.
#define GLINT_TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

template <class D, class Step>
HWY_INLINE float TwelveChains(D d, size_t iterations, const Step& step) {
#define GLINT_DECLARE(i) auto s##i = hn::Set(d, static_cast<hn::TFromD<D>>(i));
#define GLINT_STEP(i) s##i = step(s##i);
  GLINT_TWELVE(GLINT_DECLARE)
  for (size_t n = 0; n < iterations; ++n) {
    GLINT_TWELVE(GLINT_STEP)
  }
#undef GLINT_DECLARE
#undef GLINT_STEP
  const auto sum = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
                           hn::Add(hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)),
                                   hn::Add(hn::Add(s8, s9), hn::Add(s10, s11))));
  return static_cast<float>(hn::GetLane(sum));
}

double Peak(PeakKind kind, size_t iterations, float* sink) {
  const double rounds = 12.0 * static_cast<double>(iterations);
  const hn::ScalableTag<float> df;
  const hn::ScalableTag<int32_t> di32;
  if (kind == PeakKind::kFp32Fma || kind == PeakKind::kFp32MulAdd) {
    const auto a = hn::Set(df, 1.0f - 1e-7f * *sink), b = hn::Set(df, 1e-9f);
    if (kind == PeakKind::kFp32Fma) {
      *sink = TwelveChains(df, iterations, [&](auto s) HWY_ATTR { return hn::MulAdd(s, a, b); });
    } else {
      *sink =
          TwelveChains(df, iterations, [&](auto s) HWY_ATTR { return hn::Add(hn::Mul(s, a), b); });
    }
    return rounds * 2.0 * static_cast<double>(hn::Lanes(df));
  }
  if (kind == PeakKind::kU8I8) {
    const hn::ScalableTag<uint8_t> du8;
    const hn::ScalableTag<int8_t> di8;
    const auto b = hn::Set(di8, int8_t{3});
    // The sums are operands too: emulated products must not move out of the loop.
    *sink = TwelveChains(di32, iterations, [&](auto s) HWY_ATTR {
      return hn::SumOfMulQuadAccumulate(di32, hn::BitCast(du8, s), b, s);
    });
    return rounds * 2.0 * static_cast<double>(hn::Lanes(du8));
  }
  if (kind == PeakKind::kI16) {
    const hn::ScalableTag<int16_t> di16;
    const auto b = hn::Set(di16, int16_t{3});
    *sink = TwelveChains(di32, iterations, [&](auto s) HWY_ATTR {
      auto unused = hn::Zero(di32);
      return hn::ReorderWidenMulAccumulate(di32, hn::BitCast(di16, s), b, s, unused);
    });
    return rounds * 2.0 * static_cast<double>(hn::Lanes(di16));
  }
#if HWY_HAVE_FLOAT16
  const hn::ScalableTag<hwy::float16_t> dh;
  const auto a = hn::Set(dh, hwy::ConvertScalarTo<hwy::float16_t>(1.0f)),
             b = hn::Set(dh, hwy::ConvertScalarTo<hwy::float16_t>(*sink * 1e-6f));
  auto s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b, s6 = b, s7 = b, s8 = b, s9 = b, s10 = b,
       s11 = b;
  for (size_t n = 0; n < iterations; ++n) {
#define GLINT_STEP(i) s##i = hn::MulAdd(s##i, a, b);
    GLINT_TWELVE(GLINT_STEP)
#undef GLINT_STEP
  }
  const auto sum = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
                           hn::Add(hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)),
                                   hn::Add(hn::Add(s8, s9), hn::Add(s10, s11))));
  *sink = hwy::ConvertScalarTo<float>(hn::GetLane(sum));
  return rounds * 2.0 * static_cast<double>(hn::Lanes(dh));
#else
  return 0.0;
#endif
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
}  // namespace glint::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace glint::bench {

HWY_EXPORT(Peak);
HWY_EXPORT(Read);

double RunPeak(PeakKind kind, size_t iterations, float* sink) {
  return HWY_DYNAMIC_DISPATCH(Peak)(kind, iterations, sink);
}

double MeasurePeakFp32Gflops() {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kIterations = 200000;
  float sink = 0.0f;
  double best = 0.0;
  for (int run = 0; run < 12; ++run) {
    const auto start = Clock::now();
    const double operations = RunPeak(PeakKind::kFp32Fma, kIterations, &sink);
    best = std::max(best, operations / std::chrono::duration<double>(Clock::now() - start).count());
  }
  return sink > 1e30f ? 0.0 : best * 1e-9;
}

float ReadAll(const float* data, size_t bytes) { return HWY_DYNAMIC_DISPATCH(Read)(data, bytes); }

}  // namespace glint::bench
#endif  // HWY_ONCE
