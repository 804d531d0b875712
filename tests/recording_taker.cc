#include "tests/recording_taker.h"

#include <cstdint>
#include <cstring>

#include "codec/samples/whole_picture.h"

namespace glint::testing {

std::vector<uint8_t> LevelsOf(const Picture& picture) {
  const PictureInfo& info = picture.info;
  const size_t stride = info.SamplesPerPixel();
  std::vector<uint8_t> levels;
  levels.reserve(size_t{info.width} * info.height * info.channels);
  for (size_t pixel = 0; pixel < size_t{info.width} * info.height; ++pixel) {
    for (size_t c = 0; c < info.channels; ++c) {
      const size_t at = pixel * stride + c;
      if (info.SampleBytes() == 1) {
        levels.push_back(picture.samples[at]);
        continue;
      }
      uint16_t sample = 0;
      std::memcpy(&sample, picture.samples.data() + 2 * at, 2);
      levels.push_back(static_cast<uint8_t>(sample / 257.0 + 0.5));
    }
  }
  return levels;
}

Status RecordingTaker::Take(int64_t row, const uint8_t* source, const uint8_t* base) {
  if (row != rows_ || finished_) fault_ = "row " + std::to_string(row) + " is out of order";
  ++rows_;
  const size_t count = size_t{info_.width} * info_.channels;
  source_.insert(source_.end(), source, source + count);
  base_.insert(base_.end(), base, base + count);
  return Status::Ok();
}

Status RecordingTaker::EndSegment(int64_t segment, SegmentPlaces*) {
  if (segment != segments_ || finished_) {
    fault_ = "segment " + std::to_string(segment) + " is out of order";
  }
  ++segments_;
  return Status::Ok();
}

Status RecordingTaker::Finish(SegmentPlaces*) {
  if (finished_) fault_ = "it ends twice";
  finished_ = true;
  return Status::Ok();
}

std::string RecordingTaker::Fault(int64_t segments) const {
  if (!fault_.empty()) return fault_;
  if (!finished_) return "it has no end";
  if (rows_ != static_cast<int64_t>(info_.height)) return std::to_string(rows_) + " rows came";
  return segments_ == segments ? "" : std::to_string(segments_) + " segments came";
}

Expected<std::vector<uint8_t>> EncodeWith(const Model& model, const Picture& picture,
                                          const EncodeOptions& options,
                                          const EncodingExtras& extras, Report* report) {
  return EncodeRows(model, picture.info, picture.metadata, RowsOf(picture), options, extras,
                    report);
}

}  // namespace glint::testing
