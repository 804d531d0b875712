// The decoder's second layer: rows of the model's picture, and the chunks of details, to rows of
// the picture. Called by codec/api/decoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_API_DETAIL_READER_H_
#define GLINT_CODEC_API_DETAIL_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "codec/detail/block_rows.h"
#include "codec/detail/section_decoder.h"
#include "codec/stream/container.h"
#include "engine/status.h"
#include "glint/glint.hpp"

namespace glint {

class DetailReader {
 public:
  using RowSink = std::function<Status(int64_t row, const uint8_t* levels)>;

  // `stream` has details; both must outlive the reader. `begin`: the row that comes first, with
  // which a section begins. `skip_damaged`: the picture stays without those of damaged sections,
  // which *report names.
  DetailReader(const ParsedStream& stream, const PictureInfo& output, uint32_t begin,
               bool skip_damaged, Report* report);
  static uint64_t MemoryNeeded(const PictureInfo& output);

  // The next row of the model's picture, its channels not averaged to gray. Rows that are ready go
  // to `sink`.
  Status Add(const uint8_t* levels, const RowSink& sink);

 private:
  Status BeginSection(size_t section);
  Status DecodeBlocks();
  Status EndSection(size_t section);
  Status Fault(const Status& status);
  void MakeGray();

  const ParsedStream& stream_;
  const PictureInfo output_;
  const bool skip_damaged_;
  Report& report_;
  detail::SectionDecoder decoder_;
  detail::GrayRows gray_;
  detail::BlockRows rows_;
  bool is_lost_ = false;  // what is left of the section
};

}  // namespace glint

#endif  // GLINT_CODEC_API_DETAIL_READER_H_
