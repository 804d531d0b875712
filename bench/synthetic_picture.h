// A picture that is made, for measurements of speed: smooth shapes, an edge, a texture and a little
// noise, so that symbols are neither all zero nor all wild.
// Used by bench/stages_bench.cc and bench/peers_bench.cc.
// Thread rules: pure functions.
#ifndef GLINT_BENCH_SYNTHETIC_PICTURE_H_
#define GLINT_BENCH_SYNTHETIC_PICTURE_H_

#include <cstdint>
#include <string>

#include "glint/glint.hpp"

namespace glint::bench {

Picture SyntheticPicture(uint32_t width, uint32_t height);

// "768x512"; false where it is no size.
bool ParseSize(const std::string& text, uint32_t* width, uint32_t* height);

}  // namespace glint::bench

#endif  // GLINT_BENCH_SYNTHETIC_PICTURE_H_
