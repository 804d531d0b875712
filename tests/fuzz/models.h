// Small models of every kind for the targets, made in memory and loaded when one is first asked
// for.
// Used by tests/fuzz/ only.
// Thread rules: one thread at a time.
#ifndef GLINT_TESTS_FUZZ_MODELS_H_
#define GLINT_TESTS_FUZZ_MODELS_H_

#include <cstdint>

#include "tests/fuzz/input.h"

namespace glint::fuzz {

// Their numbers stand in inputs: new kinds come at the end.
enum ModelKind : uint8_t {
  kTinyModel,       // FP32, every operator of light, segments of two rows of latents
  kMiniModel,       // FP32, the least that there is
  kWavefrontModel,  // serial coding steps
  kIntegerModel,
  kDynamicModel,  // integers with ranges of the picture
  kFloat16Model,
  kLatticeModel,  // no hyper latents, a fixed rate of its own positions
  kMiniIntegerModel,
  kShrinkingModel,  // with graphs for shrunk pictures
  kModelKinds
};

struct SmallModel {
  Bytes file;
  Model model;
  bool exact_pictures = false;  // g_s is of integers
};

// Kind number % kModelKinds.
const SmallModel& ModelOf(uint32_t number);
// tests/drawn_model.h: a form drawn by its seed. Not every one loads.
Bytes DrawnModelFile(uint32_t seed);

}  // namespace glint::fuzz

#endif  // GLINT_TESTS_FUZZ_MODELS_H_
