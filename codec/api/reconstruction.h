// Encoding with an eye on what will be decoded: whoever wants to code the difference between source
// and decoded picture gets both, row by row, while the picture is encoded, and may add chunks of
// its own to the stream. Internal to codec/api.
// Thread rules: a taker belongs to one encoding at a time, which calls it from its caller's thread.
#ifndef GLINT_CODEC_API_RECONSTRUCTION_H_
#define GLINT_CODEC_API_RECONSTRUCTION_H_

#include <cstddef>
#include <cstdint>

#include "codec/latents/row_window.h"
#include "codec/stream/container.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

// Where chunks of a taker go: their places depend on the picture's size alone, not on when the rows
// came.
class SegmentPlaces {
 public:
  virtual ~SegmentPlaces() = default;
  // The segment that has the latents of a row of the picture.
  virtual int64_t SegmentOf(int64_t row) const = 0;
  // A chunk behind the chunk of a segment that is in the stream, and behind what was added there.
  virtual Status AddBehind(int64_t segment, char type, ByteSpan payload) = 0;
};

class ReconstructionTaker {
 public:
  virtual ~ReconstructionTaker() = default;

  // Of the picture that is encoded, counted against Limits::max_memory: bytes that the taker holds
  // while it works; that its chunks take in the stream as a rule; and at most. A stream that needs
  // more than the rule and more than its limit is an error midway, which names what would do.
  virtual uint64_t MemoryNeeded() const = 0;
  virtual uint64_t ExpectedOutput() const = 0;
  virtual uint64_t MostOutput() const = 0;

  // Each row of the picture once, from top to bottom: width x channels levels, channels as in
  // OutputInfo, of 8 bits at most, without alpha; they are there until Take returns. `source`: as
  // the encoder reads it, so hidden pixels have the colours that are coded; samples of 16 bits are
  // rounded to 8. `base`: as every decoder will make it on a machine and target that sum alike, but
  // three channels are never averaged to gray.
  virtual Status Take(int64_t row, const uint8_t* source, const uint8_t* base) = 0;
  // The segment is in the stream, and all rows have been taken that segments up to it suffice for;
  // after the last segment all that there are.
  virtual Status EndSegment(int64_t segment, SegmentPlaces* places) = 0;
  // After the last segment.
  virtual Status Finish(SegmentPlaces* places) = 0;
};

// Rows of the source, as levels, until their decoded rows are there.
class SourceWindow {
 public:
  explicit SourceWindow(const PictureInfo& info) : info_(info) {}
  void SetSize(int64_t rows) { rows_.SetSize(size_t{info_.width} * info_.channels, rows); }
  uint64_t MemoryNeeded() const { return rows_.MemoryNeeded(); }
  Status Allocate();
  void Free() { rows_.Free(); }

  // The next row: samples of the picture without alpha.
  void Add(const uint8_t* colour);
  const uint8_t* Row(int64_t row) const { return rows_.Row(row); }

 private:
  const PictureInfo info_;
  RowWindow<uint8_t> rows_;
  int64_t end_ = 0;
};

}  // namespace glint

#endif  // GLINT_CODEC_API_RECONSTRUCTION_H_
