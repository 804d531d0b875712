// Drawn cases of whole streams: a model, a picture, and settings to encode and decode it with; and
// what must hold of every case.
// Used by tests/stream_property_test.cc only.
// Thread rules: one thread at a time; CheckCase changes the process's SIMD target while it runs.
#ifndef GLINT_TESTS_STREAM_CASES_H_
#define GLINT_TESTS_STREAM_CASES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::testing {

// Loaded models by name, segment rows and target. A name is that of a shipped model, or a kind of
// small model and its seed ("drawn 17"), so it says how to make the same model again.
class StreamModels {
 public:
  // The target must be the process's while the model is used. Fails the test when there is no such
  // model.
  const Model& Get(const std::string& name, int segment_rows, const std::string& target);
  void Clear();

 private:
  const std::vector<uint8_t>& File(const std::string& name);

  std::map<std::string, std::vector<uint8_t>> files_;
  std::map<std::string, Model> models_;
};

struct StreamSetting {
  std::string target;
  int threads = 1;
  int band_rows = 0;
};

enum class Content { kNoise, kFlat, kGradient, kSaturated, kPhotograph, kDrawing };

struct StreamCase {
  std::string model;
  int segment_rows = 64;
  PictureInfo info;
  Content content = Content::kNoise;
  uint32_t content_seed = 0;
  double lrd = 0;
  Detail detail = Detail::kOff;
  int max_error = -1;
  bool lossless = false;
  int effort = 0;
  StreamSetting encode, encode_again;  // of one target
  std::vector<StreamSetting> decode;   // the first one's target is the encoder's
  bool whole = false;                  // also against one segment for all rows
};

// Case number `index` of a run with that seed, on a machine with these SIMD targets. Of five cases
// one has a shipped model. Each hundred cases share the targets and segment rows of their shipped
// models, whose loading takes longer than a case.
StreamCase DrawCase(uint32_t seed, uint32_t index, StreamModels* models);
constexpr uint32_t kCasesWithSameModels = 100;

// All of the case in a line.
std::string Describe(const StreamCase& stream_case);

// What is wrong, one line each; empty when all holds:
// - no row of a ring is read that is not there (engine/row_ledger.h);
// - both encodings are the same stream, one in the flow that takes less memory, one segment by
//   segment with a taker; an encoder of integers gives it on every target, without effort;
// - without details the taker gets every row of the source, and the picture that decoders of the
//   target make;
// - with details the picture is as far from the source as the encoder says, and where errors have a
//   limit no sample is further off, on any target;
// - every decoder finds the encoder's latents;
// - pictures are the same on one target; on two they are when g_s is of integers, else they are
//   within a level (small models in float16 aside, whose random weights make more of a rounding);
// - with one segment for all rows the symbols, their bits and the picture are the same.
std::vector<std::string> CheckCase(const StreamCase& stream_case, StreamModels* models);

}  // namespace glint::testing

#endif  // GLINT_TESTS_STREAM_CASES_H_
