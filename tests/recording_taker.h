// A taker of decoded rows that keeps them all, and what may be said of them. Used by tests of the
// encoder.
// Thread rules: one encoding at a time.
#ifndef GLINT_TESTS_RECORDING_TAKER_H_
#define GLINT_TESTS_RECORDING_TAKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codec/api/encoder.h"
#include "glint/glint.hpp"

namespace glint::testing {

// Colour without alpha, in 8 bits at most: what a taker should get of a picture.
std::vector<uint8_t> LevelsOf(const Picture& picture);

class RecordingTaker final : public ReconstructionTaker {
 public:
  explicit RecordingTaker(const PictureInfo& info) : info_(info) {}

  uint64_t MemoryNeeded() const override { return 0; }
  uint64_t ExpectedOutput() const override { return 0; }
  uint64_t MostOutput() const override { return 0; }
  Status Take(int64_t row, const uint8_t* source, const uint8_t* base) override;
  Status EndSegment(int64_t segment, SegmentPlaces* places) override;
  Status Finish(SegmentPlaces* places) override;

  const std::vector<uint8_t>& source() const { return source_; }
  const std::vector<uint8_t>& base() const { return base_; }
  // What is wrong with the order of calls; empty when nothing is.
  std::string Fault(int64_t segments) const;

 private:
  const PictureInfo info_;
  std::vector<uint8_t> source_, base_;
  std::string fault_;
  int64_t rows_ = 0, segments_ = 0;
  bool finished_ = false;
};

// A picture through the internal interface.
Expected<std::vector<uint8_t>> EncodeWith(const Model& model, const Picture& picture,
                                          const EncodeOptions& options,
                                          const EncodingExtras& extras, Report* report = nullptr);

}  // namespace glint::testing

#endif  // GLINT_TESTS_RECORDING_TAKER_H_
