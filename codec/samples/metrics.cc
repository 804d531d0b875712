#include "codec/samples/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "glint/pictures.hpp"
#include "kernels/detail.h"

namespace glint {
namespace {

constexpr size_t kWindow = 11;
constexpr size_t kHalf = kWindow / 2;
constexpr double kSigma = 1.5;
constexpr double kC1 = (0.01 * 255) * (0.01 * 255);
constexpr double kC2 = (0.03 * 255) * (0.03 * 255);
constexpr size_t kScales = 5;
constexpr std::array<double, kScales> kScaleWeights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
static_assert(kLeastSideForMsSsim == ((kWindow - 1) << (kScales - 1)) + 1);

// One channel at one scale: of the picture itself, or averaged.
class Plane {
 public:
  Plane(const Rgb8View& picture, size_t channel)
      : width_(picture.width), height_(picture.height), bytes_(picture.data + channel) {}

  size_t width() const { return width_; }
  size_t height() const { return height_; }

  void Row(size_t y, double* row) const {
    if (bytes_ != nullptr) {
      const uint8_t* from = bytes_ + 3 * y * width_;
      for (size_t x = 0; x < width_; ++x) row[x] = from[3 * x];
    } else {
      const float* from = floats_.data() + y * width_;
      for (size_t x = 0; x < width_; ++x) row[x] = double{from[x]};
    }
  }

  // Averages of 2x2 pixels. An odd side has a zero in front of its first pixel, and that zero
  // counts. Float is exact: 8 bits before the point, at most 8 behind it.
  Plane Halved() const {
    const size_t odd_x = width_ % 2, odd_y = height_ % 2;
    Plane half((width_ + odd_x) / 2, (height_ + odd_y) / 2);
    std::vector<double> above(width_ + odd_x), below(width_ + odd_x);
    for (size_t y = 0; y < half.height_; ++y) {
      if (odd_y != 0 && y == 0) {
        std::fill(above.begin(), above.end(), 0.0);
      } else {
        Row(2 * y - odd_y, above.data() + odd_x);
      }
      Row(2 * y + 1 - odd_y, below.data() + odd_x);
      float* to = half.floats_.data() + y * half.width_;
      for (size_t x = 0; x < half.width_; ++x) {
        const double sum = above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1];
        to[x] = static_cast<float>(sum * 0.25);
      }
    }
    return half;
  }

 private:
  Plane(size_t width, size_t height) : width_(width), height_(height), floats_(width * height) {}

  size_t width_, height_;
  const uint8_t* bytes_ = nullptr;  // every third, if this is the picture itself
  std::vector<float> floats_;
};

// The half of the symmetric window from its edge to its centre.
std::array<double, kHalf + 1> WindowHalf() {
  std::array<double, kWindow> window;
  double sum = 0;
  for (size_t i = 0; i < kWindow; ++i) {
    const double d = static_cast<double>(i) - static_cast<double>(kHalf);
    window[i] = std::exp(-d * d / (2 * kSigma * kSigma));
    sum += window[i];
  }
  std::array<double, kHalf + 1> half;
  for (size_t i = 0; i <= kHalf; ++i) half[i] = window[i] / sum;
  return half;
}

// What is blurred: a, b, a^2 + b^2, ab. The two variances are only needed as a sum.
constexpr size_t kMoments = 4;

struct Similarity {
  double structure = 0;  // mean of the contrast-structure term
  double whole = 0;      // mean of luminance times contrast-structure
};

// Blurs both planes row by row, with the last 11 rows kept, and averages the terms of SSIM.
class Comparison {
 public:
  Comparison(const Plane& a, const Plane& b)
      : a_(a), b_(b), out_width_(a.width() - kWindow + 1), half_(WindowHalf()) {
    for (auto& row : rows_) row.resize(a.width());
    for (auto& row : blurred_) row.resize(out_width_);
    for (auto& ring : rings_) ring.resize(kWindow * out_width_);
  }

  Similarity Run() {
    Similarity sum;
    for (size_t y = 0; y < a_.height(); ++y) {
      BlurRow(y);
      if (y + 1 < kWindow) continue;
      BlurColumns(y + 1 - kWindow);
      AddRow(&sum);
    }
    const double count =
        static_cast<double>(out_width_) * static_cast<double>(a_.height() - kWindow + 1);
    return {sum.structure / count, sum.whole / count};
  }

 private:
  void BlurRow(size_t y) {
    double* const a = rows_[0].data();
    double* const b = rows_[1].data();
    a_.Row(y, a);
    b_.Row(y, b);
    double* const squares = rows_[2].data();
    double* const products = rows_[3].data();
    for (size_t x = 0; x < a_.width(); ++x) {
      squares[x] = a[x] * a[x] + b[x] * b[x];
      products[x] = a[x] * b[x];
    }
    for (size_t m = 0; m < kMoments; ++m) {
      const double* const row = rows_[m].data();
      Blend({row, row + 1, row + 2, row + 3, row + 4, row + 5, row + 6, row + 7, row + 8, row + 9,
             row + 10},
            RingRow(m, y));
    }
  }

  void BlurColumns(size_t top) {
    for (size_t m = 0; m < kMoments; ++m) {
      std::array<const double*, kWindow> taps;
      for (size_t i = 0; i < kWindow; ++i) taps[i] = RingRow(m, top + i);
      Blend(taps, blurred_[m].data());
    }
  }

  double* RingRow(size_t moment, size_t y) {
    return rings_[moment].data() + (y % kWindow) * out_width_;
  }

  // The window over 11 rows of numbers, which may be one row at 11 offsets.
  void Blend(const std::array<const double*, kWindow>& t, double* __restrict out) const {
    const auto& h = half_;
    for (size_t x = 0; x < out_width_; ++x) {
      out[x] = h[0] * (t[0][x] + t[10][x]) + h[1] * (t[1][x] + t[9][x]) +
               h[2] * (t[2][x] + t[8][x]) + h[3] * (t[3][x] + t[7][x]) +
               h[4] * (t[4][x] + t[6][x]) + h[5] * t[5][x];
    }
  }

  void AddRow(Similarity* sum) const {
    const double* const mean_a = blurred_[0].data();
    const double* const mean_b = blurred_[1].data();
    const double* const squares = blurred_[2].data();
    const double* const products = blurred_[3].data();
    double structure = 0, whole = 0;
    for (size_t x = 0; x < out_width_; ++x) {
      const double mean_squares = mean_a[x] * mean_a[x] + mean_b[x] * mean_b[x];
      const double mean_product = mean_a[x] * mean_b[x];
      const double cs =
          (2 * (products[x] - mean_product) + kC2) / (squares[x] - mean_squares + kC2);
      structure += cs;
      whole += cs * (2 * mean_product + kC1) / (mean_squares + kC1);
    }
    sum->structure += structure;
    sum->whole += whole;
  }

  const Plane& a_;
  const Plane& b_;
  size_t out_width_;
  std::array<double, kHalf + 1> half_;
  std::array<std::vector<double>, kMoments> rows_;
  std::array<std::vector<double>, kMoments> blurred_;
  std::array<std::vector<double>, kMoments> rings_;
};

double MsSsimOfChannel(Plane a, Plane b) {
  double product = 1;
  for (size_t scale = 0; scale < kScales; ++scale) {
    const Similarity similarity = Comparison(a, b).Run();
    const bool last = scale + 1 == kScales;
    const double term = last ? similarity.whole : similarity.structure;
    product *= std::pow(std::max(term, 0.0), kScaleWeights[scale]);
    if (last) break;
    a = a.Halved();
    b = b.Halved();
  }
  return product;
}

// A view of a picture that is 8-bit RGB and holds all its samples; data is null otherwise.
Rgb8View ViewOf(const Picture& picture) {
  const PictureInfo& info = picture.info;
  const bool rgb8 = info.channels == 3 && !info.has_alpha && info.bit_depth == 8;
  const bool whole =
      !picture.samples.empty() && picture.samples.size() == info.RowBytes() * info.height;
  if (!rgb8 || !whole) return {};
  return {picture.samples.data(), info.width, info.height};
}

bool Comparable(const Rgb8View& a, const Rgb8View& b) {
  return a.data != nullptr && b.data != nullptr && a.width == b.width && a.height == b.height;
}

}  // namespace

double PsnrOf(uint64_t squares, uint64_t count) {
  if (squares == 0) return std::numeric_limits<double>::infinity();
  const double mse = static_cast<double>(squares) / static_cast<double>(count);
  return 10 * std::log10(255.0 * 255.0 / mse);
}

double Psnr(const Rgb8View& a, const Rgb8View& b) {
  const size_t count = 3 * a.width * a.height;
  return PsnrOf(kernels::SquaredError(a.data, b.data, count), count);
}

std::optional<double> MsSsim(const Rgb8View& a, const Rgb8View& b) {
  if (std::min(a.width, a.height) < kLeastSideForMsSsim) return std::nullopt;
  double sum = 0;
  for (size_t channel = 0; channel < 3; ++channel) {
    sum += MsSsimOfChannel(Plane(a, channel), Plane(b, channel));
  }
  return sum / 3;
}

double PsnrRgb(const Picture& a, const Picture& b) {
  const Rgb8View view_a = ViewOf(a), view_b = ViewOf(b);
  if (!Comparable(view_a, view_b)) return std::numeric_limits<double>::quiet_NaN();
  return Psnr(view_a, view_b);
}

std::optional<double> MsSsimRgb(const Picture& a, const Picture& b) {
  const Rgb8View view_a = ViewOf(a), view_b = ViewOf(b);
  if (!Comparable(view_a, view_b)) return std::nullopt;
  try {
    return MsSsim(view_a, view_b);
  } catch (const std::bad_alloc&) {
    return std::nullopt;  // out of memory: no value rather than an exception
  }
}

}  // namespace glint
