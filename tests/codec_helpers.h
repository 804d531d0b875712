// Models, pictures and calls for the tests of the whole codec.
// Used by tests/ only.
// Thread rules: functions of their arguments; TargetScope changes the process.
#ifndef GLINT_TESTS_CODEC_HELPERS_H_
#define GLINT_TESTS_CODEC_HELPERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "glint/glint.hpp"
#include "tests/draws.h"

namespace glint::testing {

// The tiny model of tests/model_builder.h with segments of that many rows of latents.
std::vector<uint8_t> TinyModelFile(int segment_rows = 64, uint32_t seed = 1);
// The model of integers, likewise.
std::vector<uint8_t> IntegerModelFile(int segment_rows = 64, uint32_t seed = 1);
std::vector<uint8_t> Float16ModelFile(int segment_rows = 64, uint32_t seed = 1);
// The one with dynamic ranges, likewise.
std::vector<uint8_t> DynamicModelFile(int segment_rows = 64, uint32_t seed = 1);
// The least model there is, likewise.
std::vector<uint8_t> MiniModelFile(int segment_rows = 64, uint32_t seed = 1);
// The tiny model with graphs for a quarter of the size, and for an eighth from the first half of
// the channels.
std::vector<uint8_t> ShrinkingModelFile(int segment_rows = 64, uint32_t seed = 1);
std::vector<uint8_t> WavefrontModelFile(uint32_t seed = 1);
Model LoadModel(const std::vector<uint8_t>& file);
// Does everything that multiplies do it in integers? Such a graph is exact.
bool AllInteger(const Graph& graph);
std::string ShippedPath(const std::string& name);  // "light-int8"
std::string LightPath();                           // the shipped model
Model LoadLight();

// Slopes, waves and a little noise in every channel, as photographs have them; the same for a seed.
Picture SmoothPicture(const PictureInfo& info, uint32_t seed);
// The part of tools/samples/NAME.png from `left`, `top` on.
Picture SampleCrop(const std::string& name, uint32_t left, uint32_t top, uint32_t width,
                   uint32_t height);
// A profile, EXIF and two texts.
Metadata SomeMetadata();

// Succeed or fail the test.
std::vector<uint8_t> MustEncode(const Model& model, const Picture& picture,
                                const EncodeOptions& options = {}, Report* report = nullptr);
Picture MustDecode(const Model& model, const std::vector<uint8_t>& stream,
                   const DecodeOptions& options = {}, Report* report = nullptr);

// The same without details, for tests of what models do.
std::vector<uint8_t> EncodeModelAlone(const Model& model, const Picture& picture,
                                      EncodeOptions options = {}, Report* report = nullptr);

// The same with the stream coming piece by piece.
Picture DecodeInPieces(const Model& model, const std::vector<uint8_t>& stream,
                       const DecodeOptions& options);

// A part of a picture, often of one pixel; and that part of one that is there as a whole.
Crop DrawCrop(const PictureInfo& info, Draws* draws);
Picture PartOf(const Picture& whole, const Crop& crop);
bool SameForm(const PictureInfo& a, const PictureInfo& b);

// The largest difference of two pictures' samples; they must have the same form.
uint32_t LargestDifference(const Picture& a, const Picture& b);
bool SameMetadata(const Metadata& a, const Metadata& b);

// Another SIMD target while it lives; the best one afterwards.
class TargetScope {
 public:
  explicit TargetScope(const std::string& name);
  ~TargetScope();
  TargetScope(const TargetScope&) = delete;
  TargetScope& operator=(const TargetScope&) = delete;

 private:
  std::string before_;
};

}  // namespace glint::testing

#endif  // GLINT_TESTS_CODEC_HELPERS_H_
