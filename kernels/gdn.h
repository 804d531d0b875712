// Generalised divisive normalisation over the channels of each pixel, FP32, close class:
//   kAbs   norm = beta + gamma |x|          (Johnston et al. 2019; `light`)
//   kSqrt  norm = sqrt(beta + gamma x^2)    (Balle et al. 2016; CompressAI)
// y = x / norm, inverse: y = x * norm; then an optional gain per channel.
// Called by engine/ only. Immutable after construction, may run on many threads at once.
#ifndef GLINT_KERNELS_GDN_H_
#define GLINT_KERNELS_GDN_H_

#include <cstddef>
#include <memory>

namespace glint::kernels {

class Gdn {
 public:
  enum class Form { kAbs, kSqrt };
  // beta [C], gamma [C][C] (row = output channel), effective values. Packs for the current target.
  Gdn(size_t channels, Form form, bool inverse, const float* beta, const float* gamma);
  ~Gdn();
  Gdn(Gdn&&) noexcept;
  Gdn& operator=(Gdn&&) noexcept;

  // `pixels` pixels of C contiguous channels, pixel stride in floats; out may be in. `scratch`:
  // ScratchFloats() floats, 64-byte aligned, of the calling thread.
  void Run(const float* in, float* out, size_t pixels, size_t pixel_stride, const float* gain,
           float* scratch) const;
  size_t ScratchFloats() const;
  double MacsPerPixel() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glint::kernels

#endif  // GLINT_KERNELS_GDN_H_
