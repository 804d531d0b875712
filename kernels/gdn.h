// Generalised divisive normalisation over the channels of each pixel:
//   kAbs   norm = beta + gamma |x|          (Johnston et al. 2019; `light`)
//   kSqrt  norm = sqrt(beta + gamma x^2)    (Balle et al. 2016; CompressAI)
// y = x / norm, inverse: y = x * norm; then an optional gain per channel. In float (close class),
// and with integer sums (exact class). Called by engine/ only.
// Thread rules: a Gdn is immutable after construction and may run on many threads at once.
#ifndef GLINT_KERNELS_GDN_H_
#define GLINT_KERNELS_GDN_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/element.h"

namespace glint::kernels {

class Gdn {
 public:
  enum class Form { kAbs, kSqrt };
  // beta [C], gamma [C][C] (row = output channel), effective values. Packs for the current target.
  // `input`, `kept`: as a Conv's. The epilogue's residual members say how x is kept in kF16.
  Gdn(size_t channels, Form form, bool inverse, const float* beta, const float* gamma,
      Element input = Element::kF32, Element kept = Element::kF32);
  // Over integers: `input` is kI16, or kU8 with the given zero. gamma is int16, of kAbs within int8
  // for kU8. The epilogue has scale, beta (as `bias`), and how x is kept (its residual members).
  //   kAbs   norm = float(sum of gamma |q|) * scale + beta
  //   kSqrt  norm = sqrt(float(sum of gamma m) * 2^k * scale + beta), m = (q^2 + 2^(k-1)) >> k
  // q are the integers of the pixel less `zero`, k the least for which no q^2 of the pixel is above
  // kMostSquare 2^k: so m has the 15 leading bits of the pixel's greatest square. No sum may leave
  // int32.
  Gdn(size_t channels, Form form, Element input, int zero, bool inverse, const int16_t* gamma);
  ~Gdn();
  Gdn(Gdn&&) noexcept;
  Gdn& operator=(Gdn&&) noexcept;

  // `pixels` pixels of C contiguous channels; strides between pixels in elements. out may be in
  // when their types and strides are the same. `scratch`: ScratchFloats() floats, 64-byte aligned,
  // that no other thread uses.
  void Run(const void* in, size_t in_stride, void* out, size_t out_stride, size_t pixels,
           const Epilogue& epilogue, float* scratch) const;
  Element input() const;
  size_t ScratchFloats() const;
  size_t packed_bytes() const;
  double MacsPerPixel() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_GDN_H_
