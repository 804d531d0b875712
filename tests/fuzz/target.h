// The fuzz targets: each calls the library with an input and holds it to its promises.
// Used by tests/fuzz/ only.
// Thread rules: one input at a time.
#ifndef GLINT_TESTS_FUZZ_TARGET_H_
#define GLINT_TESTS_FUZZ_TARGET_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/input.h"

namespace glint::fuzz {

// What kind of file the data of inputs are, for a mutator that knows its checksums.
enum class Form { kBytes, kStream, kPng, kModel };

struct Seed {
  std::string name;
  Bytes input;
};

struct Target {
  const char* name;
  Form form;
  void (*run)(Input* input);
  std::vector<Seed> (*seeds)();
};

std::span<const Target> Targets();
// nullptr: there is none of that name.
const Target* FindTarget(std::string_view name);

// One input, split and run.
void RunInput(const Target& target, std::span<const uint8_t> bytes);

// Each target's record, in the file of its name.
extern const Target kStreamTarget, kModelTarget, kInspectTarget, kPngTarget, kPnmTarget,
    kJpegTarget, kAlphaTarget, kPictureTarget, kCCallsTarget;

}  // namespace glint::fuzz

#endif  // GLINT_TESTS_FUZZ_TARGET_H_
