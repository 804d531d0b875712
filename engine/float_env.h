// The floating-point environment that exact results need: round to nearest, denormals kept, no
// traps. Used at every public entry and around every task of a runner. Cheap when nothing has to
// change.
// Thread rules: the environment is the calling thread's; construct and destroy on the same thread.
#ifndef GLINT_ENGINE_FLOAT_ENV_H_
#define GLINT_ENGINE_FLOAT_ENV_H_

#include <cstdint>

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#include <cfenv>
#endif

namespace glint {

class ScopedFloatEnv {
 public:
  ScopedFloatEnv() : saved_(Read()) {
    if (Wanted(saved_) != saved_) Write(Wanted(saved_));
  }
  ~ScopedFloatEnv() {
    if (Wanted(saved_) != saved_) Write(saved_);
  }
  ScopedFloatEnv(const ScopedFloatEnv&) = delete;
  ScopedFloatEnv& operator=(const ScopedFloatEnv&) = delete;

 private:
#if defined(__SSE2__) || defined(_M_X64)
  using Word = uint32_t;  // MXCSR
  static Word Read() { return _mm_getcsr(); }
  static void Write(Word word) { _mm_setcsr(word); }
  static constexpr Word Wanted(Word word) {
    constexpr Word kRounding = 0x6000, kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
    constexpr Word kMaskAllExceptions = 0x1F80;
    return (word & ~(kRounding | kFlushToZero | kDenormalsAreZero)) | kMaskAllExceptions;
  }
#elif defined(__aarch64__)
  using Word = uint64_t;  // FPCR
  static Word Read() {
    Word word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void Write(Word word) { __asm__ volatile("msr fpcr, %0" : : "r"(word) : "memory"); }
  static constexpr Word Wanted(Word word) {
    constexpr Word kRounding = 0x00C00000, kFlushToZero = 0x01080000, kAlternate = 0x3;
    constexpr Word kTraps = 0x9F00;
    return word & ~(kRounding | kFlushToZero | kAlternate | kTraps);
  }
#else
  using Word = int;  // the rounding mode is all that the language gives
  static Word Read() { return std::fegetround(); }
  static void Write(Word word) { std::fesetround(word); }
  static constexpr Word Wanted(Word) { return FE_TONEAREST; }
#endif

  const Word saved_;
};

}  // namespace glint

#endif  // GLINT_ENGINE_FLOAT_ENV_H_
