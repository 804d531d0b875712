// Pictures in memory: their forms, and how far two are apart (PSNR, MS-SSIM).
// Part of the public interface (C++17). None of these functions throws or touches files.
// Thread rules: pure functions.
#ifndef GLINT_PICTURES_HPP_
#define GLINT_PICTURES_HPP_

#include <cstddef>
#include <optional>

#include "glint/glint.hpp"

namespace glint {

// The same picture as 8-bit RGB (gray repeated, depth scaled and rounded), for metrics. Alpha is
// left out and not looked at: Flatten it first where there may be one. Without samples when
// `picture` lacks some or has a form that no picture has, or memory runs out.
GLINT_API Picture ToRgb8(const Picture& picture);
// The same picture blended over a background, as DecodeOptions::background says; without alpha, and
// with 8 bits at most. A picture without alpha comes back as it is. Without samples in the
// same cases.
GLINT_API Picture Flatten(const Picture& picture, const Rgb8& background);
// dB over all RGB samples of two 8-bit RGB pictures of the same size; infinity when they are equal.
GLINT_API double PsnrRgb(const Picture& a, const Picture& b);
// PsnrRgb of a picture and of what a stream of it decodes to. Both may have any form; they are
// compared as ToRgb8 gives them. Where the original has alpha, they are compared as they are seen:
// blended over middle gray, and over those pixels alone whose alpha is not 0. NaN when sizes
// differ, samples are missing, or memory runs out.
GLINT_API double PsnrAsSeen(const Picture& original, const Picture& decoded);
// Of the smaller side of a picture that MS-SSIM can be had of: too little is left for the window at
// the fifth scale below it.
inline constexpr size_t kLeastSideForMsSsim = 161;
// 5-scale MS-SSIM (Wang 2003) with pytorch_msssim's borders and weights, mean over channels.
// Nothing when the smaller side is less.
GLINT_API std::optional<double> MsSsimRgb(const Picture& a, const Picture& b);

}  // namespace glint

#endif  // GLINT_PICTURES_HPP_
