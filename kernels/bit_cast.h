// std::bit_cast for libraries of compilers that lack it (Emscripten 3.1.6, which Debian 12 has).
// Thread rules: a function of its argument.
#ifndef GLINT_KERNELS_BIT_CAST_H_
#define GLINT_KERNELS_BIT_CAST_H_

namespace glint {

template <typename To, typename From>
constexpr To BitCast(const From& from) {
  return __builtin_bit_cast(To, from);
}

}  // namespace glint

#endif  // GLINT_KERNELS_BIT_CAST_H_
