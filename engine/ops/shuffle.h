// What pixel_shuffle and pixel_unshuffle have in common. Called by both in engine/ops/.
// Thread rules: as engine/op.h.
#ifndef GLINT_ENGINE_OPS_SHUFFLE_H_
#define GLINT_ENGINE_OPS_SHUFFLE_H_

#include <string>

#include "engine/json.h"

namespace glint::ops {

inline constexpr int kMostShuffle = 8;

// 2, 4 or 8.
inline Status ReadShuffleFactor(ObjectReader* reader, int* factor) {
  GLINT_TRY(reader->Int("factor", 2, kMostShuffle, factor));
  if (*factor == 2 || *factor == 4 || *factor == kMostShuffle) return Status::Ok();
  return reader->Fail("factor is " + std::to_string(*factor) + ", not 2, 4 or 8");
}

}  // namespace glint::ops

#endif  // GLINT_ENGINE_OPS_SHUFFLE_H_
