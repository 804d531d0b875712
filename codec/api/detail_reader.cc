#include "codec/api/detail_reader.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "codec/detail/layout.h"
#include "codec/stage_clock.h"

namespace glint {
namespace {

size_t SectionOf(size_t row) { return row / static_cast<size_t>(detail::kSectionRows); }

}  // namespace

DetailReader::DetailReader(const ParsedStream& stream, const PictureInfo& output, uint32_t begin,
                           bool skip_damaged, Report* report)
    : stream_(stream),
      output_(output),
      skip_damaged_(skip_damaged),
      report_(*report),
      decoder_(output.width, output.channels, TopLevel(output)),
      gray_(output.width),
      rows_(size_t{output.width} * output.channels, output.height, begin) {}

uint64_t DetailReader::MemoryNeeded(const PictureInfo& output) {
  const detail::BlockRows rows(size_t{output.width} * output.channels, output.height);
  return sizeof(DetailReader) +
         detail::SectionDecoder::MemoryNeeded(output.width, output.channels) + rows.MemoryNeeded() +
         (output.channels == 3 ? detail::GrayRows::MemoryNeeded(output.width) : 0);
}

Status DetailReader::Add(const uint8_t* levels, const RowSink& sink) {
  {
    const StageClock clock(&report_.times.detail);
    if (!rows_.IsAllocated()) rows_.Allocate();
    rows_.Add(levels);
    if (!rows_.IsWhole()) return Status::Ok();
    GLINT_TRY(DecodeBlocks());
  }
  for (size_t y = 0; y < rows_.rows(); ++y) {
    GLINT_TRY(sink(static_cast<int64_t>(rows_.begin() + y), rows_.Row(y)));
  }
  rows_.Advance();
  return Status::Ok();
}

Status DetailReader::DecodeBlocks() {
  const size_t begin = rows_.begin(), end = begin + rows_.rows();
  const size_t section = SectionOf(begin);
  if (begin % static_cast<size_t>(detail::kSectionRows) == 0) GLINT_TRY(BeginSection(section));
  if (!is_lost_) GLINT_TRY(Fault(decoder_.DecodeRow(rows_.Block())));
  if (is_lost_) {
    MakeGray();
  } else if (end == output_.height || SectionOf(end) != section) {
    GLINT_TRY(Fault(decoder_.Finish()));
  }
  return Status::Ok();
}

Status DetailReader::BeginSection(size_t section) {
  is_lost_ = false;
  const DetailSection& details = stream_.details[section];
  report_.detail.bytes += details.payload.size();
  if (details.is_damaged) {
    return Fault(Status::Error(StatusCode::kBadStream, "its CRC does not match"));
  }
  return Fault(decoder_.Begin(details.payload));
}

// An error, or one section less.
Status DetailReader::Fault(const Status& status) {
  if (status.ok()) return status;
  if (skip_damaged_ && status.code() == StatusCode::kBadStream) {
    is_lost_ = true;
    report_.detail.damaged_rows.push_back(RowsOfDetails(SectionOf(rows_.begin()), output_.height));
    return Status::Ok();
  }
  return status.WithContext("details of rows from " + std::to_string(rows_.begin()));
}

// The model's picture as it is without details.
void DetailReader::MakeGray() {
  if (!stream_.header.gray) return;
  const detail::BlockRow row = rows_.Block();
  gray_.FromColour(row.rows, row.stride, row.height);
  gray_.ToColour(row);
}

}  // namespace glint
