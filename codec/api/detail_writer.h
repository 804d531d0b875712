// The encoder's second layer: what is missing between the source and the decoded picture, in chunks
// of their own. Called by codec/api/encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_API_DETAIL_WRITER_H_
#define GLINT_CODEC_API_DETAIL_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codec/api/bits_grid.h"
#include "codec/api/reconstruction.h"
#include "codec/detail/block_rows.h"
#include "codec/detail/section_encoder.h"
#include "codec/stream/container.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

class DetailWriter final : public ReconstructionTaker {
 public:
  // Adds to *report and, where there is one, what blocks take to *bits; both must outlive the
  // writer.
  DetailWriter(const PictureInfo& info, const detail::EncoderSettings& settings, Report* report,
               BitsGrid* bits);

  uint64_t MemoryNeeded() const override;
  uint64_t ExpectedOutput() const override;
  uint64_t MostOutput() const override;
  Status Take(int64_t row, const uint8_t* source, const uint8_t* base) override;
  Status EndSegment(int64_t segment, SegmentPlaces* places) override;
  Status Finish(SegmentPlaces* places) override;

 private:
  uint64_t Samples() const { return uint64_t{info_.width} * info_.height * info_.channels; }
  void EncodeBlocks();
  void AddBits();  // of the blocks that were encoded last
  bool PaysOff() const;

  const PictureInfo info_;
  const detail::EncoderSettings settings_;
  // Made with the first row, when its memory has been planned.
  std::unique_ptr<detail::SectionEncoder> encoder_;
  detail::BlockRows source_, base_;
  Report& report_;
  BitsGrid* const bits_;
  std::vector<Bytes> sections_;  // whole, and not yet in the stream
  int64_t written_ = 0;          // sections that are
};

}  // namespace glint

#endif  // GLINT_CODEC_API_DETAIL_WRITER_H_
