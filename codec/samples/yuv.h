// RGB to YUV and back in fixed point, the same on every machine (glint/pixels.hpp has the
// formulas). Called by codec/samples/pixel_rows. Thread rules: values.
#ifndef GLINT_CODEC_SAMPLES_YUV_H_
#define GLINT_CODEC_SAMPLES_YUV_H_

#include <algorithm>
#include <cstdint>

#include "glint/pixels.hpp"

namespace glint {

struct Rgb {
  int32_t r = 0, g = 0, b = 0;
};
struct Yuv {
  int32_t y = 0, u = 0, v = 0;
};

class YuvConverter {
 public:
  // `rgb_top`: the greatest level of R, G and B, up to 65535. layout.bit_depth is that of YUV.
  YuvConverter(const PixelLayout& layout, int32_t rgb_top) : rgb_top_(rgb_top) {
    const bool is_709 = layout.matrix == YuvMatrix::kBt709;
    const double kr = is_709 ? 0.2126 : 0.299, kb = is_709 ? 0.0722 : 0.114;
    const bool limited = layout.range == YuvRange::kLimited;
    const int32_t unit = 1 << (layout.bit_depth - 8);
    top_ = (1 << layout.bit_depth) - 1;
    black_ = limited ? 16 * unit : 0;
    middle_ = 128 * unit;
    const double y_range = limited ? 219 * unit : top_, c_range = limited ? 224 * unit : top_;

    const double y_scale = y_range / rgb_top, c_scale = c_range / rgb_top;
    // The factors of gray are exact: those of G are what the others leave.
    y_r_ = Fixed(y_scale * kr);
    y_b_ = Fixed(y_scale * kb);
    y_g_ = Fixed(y_scale) - y_r_ - y_b_;
    u_r_ = Fixed(-c_scale * kr / (2 - 2 * kb));
    u_b_ = Fixed(c_scale / 2);
    u_g_ = -u_r_ - u_b_;
    v_r_ = u_b_;
    v_b_ = Fixed(-c_scale * kb / (2 - 2 * kr));
    v_g_ = -v_r_ - v_b_;

    from_y_ = Fixed(1 / y_scale);
    r_v_ = Fixed((2 - 2 * kr) / c_scale);
    b_u_ = Fixed((2 - 2 * kb) / c_scale);
    g_u_ = Fixed(-(2 - 2 * kb) * kb / (1 - kr - kb) / c_scale);
    g_v_ = Fixed(-(2 - 2 * kr) * kr / (1 - kr - kb) / c_scale);
  }

  int32_t Y(const Rgb& c) const {
    return black_ + Rounded(y_r_ * c.r + y_g_ * c.g + y_b_ * c.b, kBits);
  }
  // Of the mean of 2^`shift` pixels, whose sum is `c`.
  int32_t U(const Rgb& c, int shift) const {
    return Limited(middle_ + Rounded(u_r_ * c.r + u_g_ * c.g + u_b_ * c.b, kBits + shift), top_);
  }
  int32_t V(const Rgb& c, int shift) const {
    return Limited(middle_ + Rounded(v_r_ * c.r + v_g_ * c.g + v_b_ * c.b, kBits + shift), top_);
  }

  // U and V are 2^`shift` times what they are.
  Rgb ToRgb(const Yuv& c, int shift) const {
    const int64_t y = (from_y_ * (c.y - black_)) << shift;
    const int64_t u = c.u - (middle_ << shift), v = c.v - (middle_ << shift);
    return {Limited(Rounded(y + r_v_ * v, kBits + shift), rgb_top_),
            Limited(Rounded(y + g_u_ * u + g_v_ * v, kBits + shift), rgb_top_),
            Limited(Rounded(y + b_u_ * u, kBits + shift), rgb_top_)};
  }

 private:
  static constexpr int kBits = 32;  // of fractions

  // No factor times its greatest sample is beyond 2^27, so that sums stay within 64 bits.
  static int64_t Fixed(double factor) {
    const double scaled = factor * 0x1p32;
    return static_cast<int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  static int32_t Rounded(int64_t value, int bits) {
    return static_cast<int32_t>((value + (int64_t{1} << (bits - 1))) >> bits);
  }
  static int32_t Limited(int32_t value, int32_t top) { return std::clamp(value, 0, top); }

  int32_t rgb_top_, top_, black_, middle_;
  int64_t y_r_, y_g_, y_b_, u_r_, u_g_, u_b_, v_r_, v_g_, v_b_;
  int64_t from_y_, r_v_, b_u_, g_u_, g_v_;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_YUV_H_
