// Pictures and options of calls, chosen by an input. All of it is small: a call takes milliseconds.
// Used by tests/fuzz/ only.
// Thread rules: functions of their arguments.
#ifndef GLINT_TESTS_FUZZ_CALLS_H_
#define GLINT_TESTS_FUZZ_CALLS_H_

#include <cstdint>
#include <span>

#include "tests/fuzz/input.h"

namespace glint::fuzz {

// Calls in the plainest way stay within these.
inline constexpr uint64_t kMostPixels = uint64_t{1} << 14;
inline constexpr uint64_t kMostMemory = uint64_t{64} << 20;

// Most often `usual`, else 1 to 64 steps: an input can be just too large.
uint64_t ChooseMemory(Choices* choices, uint64_t usual, uint64_t step);
// Of a coding: most often kMostPixels and kMostMemory, else less.
Limits ChooseLimits(Choices* choices);
// 1 to 3 threads, bands of any height; limits as above.
void ChooseCall(Choices* choices, CallOptions* options);

// Up to `most` rows and columns, 1 at least; every form that a picture can have.
PictureInfo ChooseForm(Choices* choices, uint32_t most);
// Samples are `data` over and over, or a smooth picture that `data` disturb.
Picture ChoosePicture(Choices* choices, uint32_t most, std::span<const uint8_t> data);
// Options that go with each other and with the picture: rate, details, limits of errors, effort.
EncodeOptions ChooseEncode(Choices* choices, const ModelInfo& model, const PictureInfo& picture);
DecodeOptions ChooseDecode(Choices* choices);

bool SameMetadata(const Metadata& a, const Metadata& b);
bool SameForm(const PictureInfo& a, const PictureInfo& b);

}  // namespace glint::fuzz

#endif  // GLINT_TESTS_FUZZ_CALLS_H_
