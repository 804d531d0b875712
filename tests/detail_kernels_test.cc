// Kernels of the detail layer: the numbers of kernels/detail.h on every SIMD target, and what the
// transforms there are worth.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kernels/detail.h"
#include "kernels/targets.h"
#include "tests/seed.h"

namespace glint::kernels {
namespace {

constexpr size_t kMostWidth = 200;
constexpr size_t kSide = kDetailTransform;
constexpr int64_t kMost = kDetailMostCoefficient;

void OnAllTargets(uint32_t test, const std::function<void(std::mt19937* random)>& run) {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    std::mt19937 random(TestSeed() + test);
    INFO(target);
    run(&random);
  }
  SetTarget("");
}

int Draw(std::mt19937* random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(*random);
}

// A sum that the header promises to be within int32.
int32_t Sum(int64_t sum) {
  const bool fits = sum == static_cast<int32_t>(sum);
  if (!fits) FAIL("a sum of ", sum);
  return static_cast<int32_t>(sum);
}

int64_t Limited(int64_t v, int64_t least, int64_t most) { return std::clamp(v, least, most); }

// ---- rows --------------------------------------------------------------------------------------

// Samples of 0..top: any, both ends, or one end.
std::vector<uint8_t> Samples(std::mt19937* random, size_t n, int top) {
  const int kind = Draw(random, 0, 3);
  std::vector<uint8_t> samples(n);
  for (uint8_t& s : samples) {
    s = static_cast<uint8_t>(kind == 0   ? Draw(random, 0, top)
                             : kind == 1 ? top * Draw(random, 0, 1)
                             : kind == 2 ? top
                                         : 0);
  }
  return samples;
}

std::vector<int> PlainPlanes(const uint8_t* source, const uint8_t* base, size_t channels) {
  const auto d = [&](size_t c) { return int64_t{source[c]} - base[c]; };
  if (channels == 1) return {static_cast<int>(16 * d(0))};
  return {Sum(37837 * (d(0) + d(1) + d(2)) + (1 << 11)) >> 12,
          Sum(46341 * (d(0) - d(2)) + (1 << 11)) >> 12,
          Sum(26755 * (d(0) - 2 * d(1) + d(2)) + (1 << 11)) >> 12};
}

std::vector<int> PlainPixel(const uint8_t* base, const std::vector<int64_t>& p, int top) {
  std::vector<int> difference;
  if (p.size() == 1) {
    difference = {Sum(p[0] + 8) >> 4};
  } else {
    difference = {Sum(2365 * p[0] + 2896 * p[1] + 1672 * p[2] + (1 << 15)) >> 16,
                  Sum(2365 * p[0] - 3344 * p[2] + (1 << 15)) >> 16,
                  Sum(2365 * p[0] - 2896 * p[1] + 1672 * p[2] + (1 << 15)) >> 16};
  }
  for (size_t c = 0; c < p.size(); ++c) {
    difference[c] = static_cast<int>(Limited(base[c] + difference[c], 0, top));
  }
  return difference;
}

TEST_CASE("detail kernels: planes of differences") {
  OnAllTargets(101, [](std::mt19937* random) {
    size_t wrong = 0;
    for (size_t width = 0; width <= kMostWidth; ++width) {
      for (const size_t channels : {size_t{1}, size_t{3}}) {
        const std::vector<uint8_t> source = Samples(random, width * channels, 255);
        const std::vector<uint8_t> base = Samples(random, width * channels, 255);
        std::vector<std::vector<int16_t>> planes(channels, std::vector<int16_t>(width + 1, 77));
        int16_t* pointers[3] = {};
        for (size_t p = 0; p < channels; ++p) pointers[p] = planes[p].data();
        DetailPlanes(source.data(), base.data(), width, channels, pointers);
        for (size_t x = 0; x < width; ++x) {
          const size_t at = x * channels;
          const std::vector<int> want = PlainPlanes(&source[at], &base[at], channels);
          for (size_t p = 0; p < channels; ++p) wrong += planes[p][x] != want[p];
        }
        for (size_t p = 0; p < channels; ++p) wrong += planes[p][width] != 77;
      }
    }
    CHECK(wrong == 0);
  });
}

// A plane depends on one sum of differences: every sum there is, each made of differences that are
// as even as they can be.
TEST_CASE("detail kernels: planes of every sum of differences, near the rotation") {
  OnAllTargets(102, [](std::mt19937*) {
    struct Form {
      int most;
      double divisor;
      int weights[3];
    };
    const Form forms[] = {{765, std::sqrt(3.0), {1, 1, 1}},
                          {510, std::sqrt(2.0), {1, 0, -1}},
                          {1020, std::sqrt(6.0), {1, -2, 1}}};
    for (size_t p = 0; p < 3; ++p) {
      const Form& form = forms[p];
      size_t wrong = 0;
      double farthest = 0;
      for (int sum = -form.most; sum <= form.most; ++sum) {
        int rest = sum;
        std::vector<uint8_t> source(3, 0), base(3, 0);
        for (const size_t c : {size_t{1}, size_t{0}, size_t{2}}) {
          const int weight = form.weights[c];
          if (weight == 0) continue;
          const int d = static_cast<int>(Limited(rest / weight, -255, 255));
          rest -= weight * d;
          source[c] = static_cast<uint8_t>(std::max(d, 0));
          base[c] = static_cast<uint8_t>(std::max(-d, 0));
        }
        REQUIRE(rest == 0);
        int16_t planes[3];
        int16_t* const pointers[3] = {&planes[0], &planes[1], &planes[2]};
        DetailPlanes(source.data(), base.data(), 1, 3, pointers);
        wrong += planes[p] != PlainPlanes(source.data(), base.data(), 3)[p];
        farthest = std::max(farthest, std::abs(planes[p] - 16.0 * sum / form.divisor));
      }
      CHECK(wrong == 0);
      // Half a unit for the result, and half a unit of the factor, in 4096ths.
      CHECK(farthest <= 0.5 + 0.5 * form.most / 4096);
    }
  });
}

TEST_CASE("detail kernels: pixels of planes, also in place") {
  OnAllTargets(103, [](std::mt19937* random) {
    size_t wrong = 0;
    for (size_t width = 0; width <= kMostWidth; ++width) {
      for (const size_t channels : {size_t{1}, size_t{3}}) {
        const int tops[] = {1, 3, 15, 255};
        const int top = tops[Draw(random, 0, 3)];
        const std::vector<uint8_t> base = Samples(random, width * channels, top);
        const int ranges[] = {20, 400, 8192, 32767};
        const int range = ranges[Draw(random, 0, 3)];
        std::vector<std::vector<int16_t>> planes(channels, std::vector<int16_t>(width));
        const bool ends = Draw(random, 0, 3) == 0;
        const int16_t* pointers[3] = {};
        for (size_t p = 0; p < channels; ++p) {
          for (int16_t& v : planes[p]) {
            v = static_cast<int16_t>(ends ? range * (2 * Draw(random, 0, 1) - 1)
                                          : Draw(random, -range - 1, range));
          }
          pointers[p] = planes[p].data();
        }
        std::vector<uint8_t> out(width * channels + 1, 77), in_place = base;
        in_place.push_back(77);
        DetailPixels(base.data(), pointers, width, channels, top, out.data());
        DetailPixels(in_place.data(), pointers, width, channels, top, in_place.data());
        wrong += in_place != out;
        wrong += out.back() != 77;
        for (size_t x = 0; x < width; ++x) {
          std::vector<int64_t> p;
          for (const std::vector<int16_t>& plane : planes) p.push_back(plane[x]);
          const std::vector<int> want = PlainPixel(&base[x * channels], p, top);
          for (size_t c = 0; c < channels; ++c) wrong += out[x * channels + c] != want[c];
        }
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("detail kernels: activity of blocks") {
  OnAllTargets(104, [](std::mt19937* random) {
    size_t wrong = 0;
    for (size_t width = 0; width <= kMostWidth; ++width) {
      for (const size_t channels : {size_t{1}, size_t{3}}) {
        const size_t height = static_cast<size_t>(Draw(random, 1, 8));
        const size_t bytes = width * channels;
        const size_t stride = bytes + static_cast<size_t>(Draw(random, 0, 5));
        const std::vector<uint8_t> rows = Samples(random, (height - 1) * stride + bytes, 255);
        const size_t blocks = (width + 7) / 8;
        std::vector<uint32_t> activity(blocks + 1, 77), want(blocks, 0);
        DetailActivity(rows.data(), stride, width, height, channels, activity.data());
        const auto s = [&](size_t x, size_t y) {
          const uint8_t* const p = &rows[y * stride + x * channels];
          return channels == 1 ? int{p[0]} : p[0] + 2 * p[1] + p[2];
        };
        for (size_t y = 0; y < height; ++y) {
          for (size_t x = 0; x < width; ++x) {
            const bool right = x + 1 < width && (x + 1) % 8 != 0, below = y + 1 < height;
            const int sum = (right ? std::abs(s(x + 1, y) - s(x, y)) : 0) +
                            (below ? std::abs(s(x, y + 1) - s(x, y)) : 0);
            want[x / 8] += static_cast<uint32_t>(sum);
          }
        }
        want.push_back(77);
        wrong += activity != want;
      }
    }
    // The most there can be: each pixel is black beside white.
    std::vector<uint8_t> board(8 * 64 * 3);
    for (size_t i = 0; i < board.size(); ++i) {
      board[i] = (i / 192 + i % 192 / 3) % 2 == 0 ? 0 : 255;
    }
    std::vector<uint32_t> activity(8);
    DetailActivity(board.data(), 192, 64, 8, 3, activity.data());
    wrong += activity != std::vector<uint32_t>(8, 2 * 7 * 8 * 1020);
    CHECK(wrong == 0);
  });
}

TEST_CASE("detail kernels: what levels are expected to be") {
  OnAllTargets(111, [](std::mt19937* random) {
    size_t wrong = 0;
    for (int run = 0; run < 200; ++run) {
      std::array<std::vector<uint8_t>, 4> magnitudes;
      for (auto& m : magnitudes) m = Samples(random, 64, run % 5 == 0 ? 63 : run % 7);
      if (run == 0) magnitudes.fill(std::vector<uint8_t>(64, 63));
      const auto given = [&](size_t i) {
        return run > 0 && Draw(random, 0, 3) == 0 ? nullptr : magnitudes[i].data();
      };
      const DetailKnown known{given(0), given(1), given(2), given(3),
                              static_cast<uint16_t>(run == 0 ? 1023 : Draw(random, 0, 400))};
      const auto at = [](const uint8_t* from, int v, int u) {
        const bool inside = from != nullptr && v >= 0 && v < 8 && u >= 0 && u < 8;
        return inside ? int{from[8 * v + u]} : 0;
      };
      const auto s = [&](int v, int u) { return at(known.left, v, u) + at(known.above, v, u); };
      const int factor = known.second_plane == nullptr ? 6 : 3;
      std::array<uint16_t, 64> of{};
      const uint32_t sum = DetailExpect(known, of.data());
      uint32_t want_sum = 0;
      for (int v = 0; v < 8; ++v) {
        for (int u = 0; u < 8; ++u) {
          const int want = known.activity + 2 * s(v, u) + s(v, u - 1) + s(v, u + 1) + s(v - 1, u) +
                           s(v + 1, u) +
                           factor * (at(known.first_plane, v, u) + at(known.second_plane, v, u));
          wrong += of[static_cast<size_t>(8 * v + u)] != want;
          want_sum += static_cast<uint32_t>(want);
        }
      }
      wrong += sum != want_sum;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("detail kernels: squared errors, also more than 32 bits of them") {
  OnAllTargets(105, [](std::mt19937* random) {
    size_t wrong = 0;
    std::vector<size_t> lengths = {70001, 1200007};
    for (size_t n = 0; n <= kMostWidth; ++n) lengths.push_back(n);
    for (const size_t n : lengths) {
      const std::vector<uint8_t> a = Samples(random, n, 255), b = Samples(random, n, 255);
      uint64_t want = 0;
      for (size_t i = 0; i < n; ++i) want += static_cast<uint64_t>((a[i] - b[i]) * (a[i] - b[i]));
      wrong += SquaredError(a.data(), b.data(), n) != want;
    }
    const std::vector<uint8_t> black(1200007, 0), white(1200007, 255);
    wrong += SquaredError(black.data(), white.data(), black.size()) != 1200007ull * 255 * 255;
    CHECK(wrong == 0);
  });
}

// ---- transforms --------------------------------------------------------------------------------

const std::vector<std::vector<int64_t>>& Matrix() {
  static const std::vector<std::vector<int64_t>> matrix = [] {
    std::vector<std::vector<int64_t>> m(kSide, std::vector<int64_t>(kSide));
    for (size_t u = 0; u < kSide; ++u) {
      for (size_t x = 0; x < kSide; ++x) {
        const double angle = static_cast<double>((2 * x + 1) * u) * std::acos(-1.0) / 16;
        m[u][x] = std::lround(4096 * (u == 0 ? std::sqrt(0.125) : 0.5) * std::cos(angle));
      }
    }
    return m;
  }();
  return matrix;
}

std::vector<int32_t> PlainForward(const int16_t* plane, size_t stride) {
  const auto& m = Matrix();
  std::vector<int32_t> t(kDetailCoefficients), out(kDetailCoefficients);
  for (size_t i = 0; i < kDetailCoefficients; ++i) {
    const size_t y = i / kSide, u = i % kSide;
    int64_t sum = 1 << 9;
    for (size_t x = 0; x < kSide; ++x) sum += m[u][x] * plane[y * stride + x];
    t[i] = Sum(sum) >> 10;
  }
  for (size_t i = 0; i < kDetailCoefficients; ++i) {
    const size_t v = i / kSide, u = i % kSide;
    int64_t sum = 1 << 13, magnitude = 1 << 13;
    for (size_t y = 0; y < kSide; ++y) {
      sum += m[v][y] * t[y * kSide + u];
      magnitude += std::abs(m[v][y] * t[y * kSide + u]);
    }
    Sum(magnitude);  // in whatever order
    out[i] = Sum(sum) >> 14;
    if (std::abs(out[i]) > kMost) FAIL("a coefficient of ", out[i]);
  }
  return out;
}

std::vector<int> PlainInverse(const int16_t* levels, int32_t step) {
  const auto& m = Matrix();
  std::vector<int64_t> w(kDetailCoefficients), t(kDetailCoefficients);
  std::vector<int> plane(kDetailCoefficients);
  for (size_t i = 0; i < kDetailCoefficients; ++i) {
    w[i] = Limited(Sum(int64_t{levels[i]} * step), -kMost, kMost);
  }
  for (size_t i = 0; i < kDetailCoefficients; ++i) {
    const size_t y = i / kSide, u = i % kSide;
    int64_t sum = 1 << 11, magnitude = 1 << 11;
    for (size_t v = 0; v < kSide; ++v) {
      sum += m[v][y] * w[v * kSide + u];
      magnitude += std::abs(m[v][y] * w[v * kSide + u]);
    }
    Sum(magnitude);
    t[i] = Limited(sum >> 12, -kMost, kMost);
  }
  for (size_t i = 0; i < kDetailCoefficients; ++i) {
    const size_t y = i / kSide, x = i % kSide;
    int64_t sum = 1 << 11, magnitude = 1 << 11;
    for (size_t u = 0; u < kSide; ++u) {
      sum += m[u][x] * t[y * kSide + u];
      magnitude += std::abs(m[u][x] * t[y * kSide + u]);
    }
    Sum(magnitude);
    plane[i] = static_cast<int>(Limited(sum >> 12, -32767, 32767));
  }
  return plane;
}

// The kernel's planes, whose rows stand `stride` apart, against the plain ones.
size_t WrongInverse(const std::vector<int16_t>& levels, int32_t step, size_t stride) {
  std::vector<int16_t> plane(7 * stride + kSide, 77);
  DetailInverse(levels.data(), step, plane.data(), stride);
  const std::vector<int> want = PlainInverse(levels.data(), step);
  size_t wrong = 0;
  for (size_t i = 0; i < plane.size(); ++i) {
    const size_t y = i / stride, x = i % stride;
    wrong += plane[i] != (x < kSide ? want[y * kSide + x] : 77);
  }
  return wrong;
}

size_t WrongForward(const std::vector<int16_t>& plane, size_t stride) {
  std::vector<int32_t> out(kDetailCoefficients + 1, 77);
  DetailForward(plane.data(), stride, out.data());
  std::vector<int32_t> want = PlainForward(plane.data(), stride);
  want.push_back(77);
  return out != want;
}

TEST_CASE("detail kernels: forward transform") {
  OnAllTargets(106, [](std::mt19937* random) {
    size_t wrong = 0;
    for (int n = 0; n < 300; ++n) {
      const size_t stride = kSide + static_cast<size_t>(n % 3 == 0 ? 0 : Draw(random, 1, 100));
      const int range = 1 << Draw(random, 0, 13);
      const bool ends = n % 4 == 0;
      std::vector<int16_t> plane(7 * stride + kSide);
      for (int16_t& v : plane) {
        v = static_cast<int16_t>(ends ? range * (2 * Draw(random, 0, 1) - 1)
                                      : Draw(random, -range, range));
      }
      wrong += WrongForward(plane, stride);
    }
    // The signs of each basis function, as far out as planes go: the greatest sums.
    const auto& m = Matrix();
    for (size_t i = 0; i < kDetailCoefficients; ++i) {
      for (const int sign : {-1, 1}) {
        std::vector<int16_t> plane(kDetailCoefficients);
        for (size_t j = 0; j < kDetailCoefficients; ++j) {
          const int64_t value = m[i / kSide][j / kSide] * m[i % kSide][j % kSide];
          plane[j] = static_cast<int16_t>((value < 0 ? -sign : sign) * (1 << 13));
        }
        wrong += WrongForward(plane, kSide);
      }
    }
    CHECK(wrong == 0);
  });
}

// Levels of which `used` frequencies of either direction may not be zero, within +-range.
std::vector<int16_t> Levels(std::mt19937* random, size_t used, int range) {
  const int density = Draw(random, 1, 4);
  const bool ends = Draw(random, 0, 3) == 0;
  std::vector<int16_t> levels(kDetailCoefficients, 0);
  for (size_t i = 0; i < kDetailCoefficients; ++i) {
    if (i / kSide >= used || i % kSide >= used || Draw(random, 1, 4) > density) continue;
    levels[i] = static_cast<int16_t>(ends ? range * (2 * Draw(random, 0, 1) - 1)
                                          : Draw(random, -range, range));
  }
  return levels;
}

TEST_CASE("detail kernels: inverse transform of levels few and many, small and great") {
  OnAllTargets(107, [](std::mt19937* random) {
    size_t wrong = 0;
    for (int n = 0; n < 1500; ++n) {
      const size_t used = static_cast<size_t>(Draw(random, 0, 8));
      const int32_t step = n % 10 == 0 ? 1 : n % 10 == 1 ? 8192 : 1 << Draw(random, 0, 13);
      const int range = std::min(32767, (1 << Draw(random, 0, 18)) / step + Draw(random, 0, 1));
      const size_t stride = kSide + static_cast<size_t>(n % 3 == 0 ? 0 : Draw(random, 1, 100));
      wrong += WrongInverse(Levels(random, used, range), step, stride);
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("detail kernels: inverse transform of single levels and of the greatest") {
  OnAllTargets(108, [](std::mt19937*) {
    const auto& m = Matrix();
    size_t wrong = 0;
    for (size_t i = 0; i < kDetailCoefficients; ++i) {
      for (const int level : {-32768, -32767, -1, 1, 32767}) {
        for (const int32_t step : {1, 2, 3, 8192}) {
          std::vector<int16_t> levels(kDetailCoefficients, 0);
          levels[i] = static_cast<int16_t>(level);
          wrong += WrongInverse(levels, step, kSide);
          // With another one the sum of magnitudes is 32767 and 32768.
          for (const int other : {0, 1, 2}) {
            levels[63 - i] = static_cast<int16_t>(other);
            wrong += WrongInverse(levels, step, kSide);
          }
          // Signs that make the pixel (i % 8, i / 8) the greatest.
          for (size_t j = 0; j < kDetailCoefficients; ++j) {
            const int64_t value = m[j / kSide][i / kSide] * m[j % kSide][i % kSide];
            levels[j] = static_cast<int16_t>(value < 0 ? std::min(-level, 32767) : level);
          }
          wrong += WrongInverse(levels, step, kSide);
        }
      }
    }
    CHECK(wrong == 0);
  });
}

// ---- what they are worth -----------------------------------------------------------------------

// Levels -> planes -> coefficients, at step 1: planes are rounded, so coefficients are as well.
TEST_CASE("detail kernels: coefficients of planes that levels made are those levels") {
  OnAllTargets(109, [](std::mt19937* random) {
    double squares = 0;
    int farthest = 0;
    constexpr int kBlocks = 200;
    for (int n = 0; n < kBlocks; ++n) {
      const std::vector<int16_t> levels = Levels(random, 8, 900);
      int16_t plane[kDetailCoefficients];
      int32_t back[kDetailCoefficients];
      DetailInverse(levels.data(), 1, plane, kSide);
      DetailForward(plane, kSide, back);
      for (size_t i = 0; i < kDetailCoefficients; ++i) {
        const int error = back[i] - levels[i];
        squares += error * error;
        farthest = std::max(farthest, std::abs(error));
      }
    }
    // t, planes and results are off by up to half a unit, evenly: a twelfth each, in squares; what
    // the matrix lacks to be orthonormal is much less.
    CHECK(squares / (kDetailCoefficients * kBlocks) <= 0.3);
    CHECK(farthest <= 4);
  });
}

// Blocks of a picture and of another one near to it, coded with levels at a step: the mean of
// squared errors of samples.
double CodedError(std::mt19937* random, size_t channels, int32_t step) {
  constexpr size_t kBlocks = 100;
  const size_t bytes = kDetailCoefficients * channels;
  uint64_t squares = 0;
  for (size_t n = 0; n < kBlocks; ++n) {
    std::vector<uint8_t> source(bytes), base(bytes);
    for (size_t i = 0; i < bytes; ++i) {
      source[i] = static_cast<uint8_t>(Draw(random, 60, 195));
      base[i] = static_cast<uint8_t>(source[i] + Draw(random, -60, 60));
    }
    int16_t planes[3][kDetailCoefficients];
    int16_t* const to[3] = {planes[0], planes[1], planes[2]};
    const int16_t* const from[3] = {planes[0], planes[1], planes[2]};
    DetailPlanes(source.data(), base.data(), kDetailCoefficients, channels, to);
    for (size_t p = 0; p < channels; ++p) {
      int32_t coefficients[kDetailCoefficients];
      int16_t levels[kDetailCoefficients];
      DetailForward(planes[p], kSide, coefficients);
      for (size_t i = 0; i < kDetailCoefficients; ++i) {
        levels[i] = static_cast<int16_t>(std::lround(1.0 * coefficients[i] / step));
      }
      DetailInverse(levels, step, planes[p], kSide);
    }
    DetailPixels(base.data(), from, kDetailCoefficients, channels, 255, base.data());
    squares += SquaredError(source.data(), base.data(), bytes);
  }
  return static_cast<double>(squares) / static_cast<double>(bytes * kBlocks);
}

TEST_CASE("detail kernels: step 1 loses nothing, others what a rotation loses") {
  OnAllTargets(110, [](std::mt19937* random) {
    for (const size_t channels : {size_t{1}, size_t{3}}) {
      CHECK(CodedError(random, channels, 1) == 0);
      for (const int32_t step : {32, 64, 128}) {
        // Coefficients are off by up to half a step, evenly, samples by half a level besides.
        const double levels = step / 16.0, want = (levels * levels + 1) / 12;
        const double ratio = CodedError(random, channels, step) / want;
        CHECK(ratio >= 0.9);
        CHECK(ratio <= 1.1);
      }
    }
  });
}

}  // namespace
}  // namespace glint::kernels
