// Decode, DecodeRows and Inspect of whole streams.

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "codec/api/memory_plan.h"
#include "codec/api/stream_decoding.h"
#include "codec/call_log.h"
#include "codec/memory_limit.h"
#include "codec/public_error.h"
#include "codec/stage_clock.h"
#include "codec/stream/container.h"
#include "engine/float_env.h"

namespace glint {
namespace {

// All of its segments.
Status Run(const ParsedStream& stream, uint64_t more_bytes, StreamDecoding* decoding) {
  GLINT_TRY(decoding->CheckHeader());
  const int64_t segments = decoding->geometry().segments();
  if (stream.segments.size() != static_cast<size_t>(segments)) {
    return WrongSegments(stream.segments.size(), segments);
  }
  GLINT_TRY(decoding->Begin(more_bytes));
  for (int64_t s = 0; s < segments; ++s) {
    GLINT_TRY(decoding->DecodeLatents(s));
    GLINT_TRY(decoding->GiveRows(s).status());
  }
  return decoding->Finish();
}

Status DecodeInto(const Model& model, ByteSpan bytes, const PictureSink& sink,
                  const DecodeOptions& options, bool whole, PictureInfo* given, Report* report) {
  GLINT_TRY(CheckCall(sink, options));
  const bool damaged_details = options.detail != DetailOutput::kDecode;
  GLINT_ASSIGN(const ParsedStream stream,
               ParseStream(bytes, FreeLimits(options.limits), damaged_details));
  StreamDecoding decoding(model.impl(), stream, options, sink, report);
  uint64_t more_bytes = MetadataBytes(stream.metadata);
  *given = decoding.given();
  if (whole) more_bytes += more_bytes + MultiplyBytes(given->height, given->RowBytes());
  return Run(stream, more_bytes, &decoding);
}

Error DecodeAny(const Model& model, const void* stream, size_t size, const PictureSink& sink,
                const DecodeOptions& options, bool whole, Report* report) {
  const ScopedFloatEnv float_env;
  Report own_report;
  if (report == nullptr) report = &own_report;
  *report = Report();
  PictureInfo given;
  const Error error = [&] {
    const StageClock clock(&report->times.total);
    const ByteSpan bytes(static_cast<const uint8_t*>(stream), size);
    return PublicCall(
        [&] { return DecodeInto(model, bytes, sink, options, whole, &given, report); });
  }();
  Log(options.log, {"decoded", given, size, *report, error});
  return error;
}

}  // namespace

Result<uint64_t> PlanDecoding(const Model::Impl& model, const PictureInfo& source,
                              const CallOptions& options) {
  GLINT_TRY(CheckPictureInfo(source, options.limits));
  ParsedStream stream;
  stream.header.source = source;
  stream.details.resize(1);  // any: it has some
  DecodeOptions decode;
  static_cast<CallOptions&>(decode) = options;
  Report report;
  return StreamDecoding(model, stream, decode, {}, &report).Plan();
}

Error DecodeRows(const Model& model, const void* stream, size_t size,
                 const std::function<bool(const PictureInfo&, const Metadata&)>& start,
                 const RowWriter& write, const DecodeOptions& options, Report* report) {
  return DecodeAny(model, stream, size, {start, write}, options, false, report);
}

Expected<Picture> Decode(const Model& model, const void* stream, size_t size,
                         const DecodeOptions& options, Report* report) {
  return PublicCall([&]() -> Expected<Picture> {
    Picture picture;
    const std::function<bool(const PictureInfo&, const Metadata&)> start =
        [&](const PictureInfo& info, const Metadata& metadata) {
          picture.info = info;
          picture.metadata = metadata;
          picture.samples.resize(info.RowBytes() * info.height);
          return true;
        };
    const RowWriter write = [&](uint32_t y, const void* row) {
      const size_t row_bytes = picture.info.RowBytes();
      std::memcpy(picture.samples.data() + size_t{y} * row_bytes, row, row_bytes);
      return true;
    };
    Error error = DecodeAny(model, stream, size, {start, write}, options, true, report);
    if (!error.ok()) return error;
    return picture;
  });
}

Expected<StreamInfo> Inspect(const void* stream, size_t size, const Limits& limits,
                             bool damaged_details) {
  const ByteSpan bytes(static_cast<const uint8_t*>(stream), size);
  return PublicCall([&]() -> Result<StreamInfo> {
    GLINT_ASSIGN(ParsedStream parsed, ParseStream(bytes, FreeLimits(limits), damaged_details));
    StreamInfo result;
    result.source = parsed.header.source;
    result.output = OutputInfo(parsed.header.source);
    result.model_id = ToHex(parsed.header.model);
    result.lrd = static_cast<double>(parsed.header.lrd);
    result.gray = parsed.header.gray;
    result.detail = !parsed.details.empty();
    for (size_t s = 0; s < parsed.details.size(); ++s) {
      if (!parsed.details[s].is_damaged) continue;
      result.damaged_rows.push_back(RowsOfDetails(s, result.source.height));
    }
    result.bytes = size;
    for (const ChunkView& view : parsed.chunks) {
      result.chunks.push_back({view.type, view.offset, view.bytes});
    }
    result.metadata = std::move(parsed.metadata);
    return result;
  });
}

bool IsStream(const void* data, size_t size) {
  return HasSignature({static_cast<const uint8_t*>(data), size});
}

}  // namespace glint
