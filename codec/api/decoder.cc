// Decode, DecodeRows and Inspect: the container to segments, segments to latents, latents to pixels
// in bands.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "codec/api/call_context.h"
#include "codec/api/detail_reader.h"
#include "codec/api/memory_plan.h"
#include "codec/api/synthesis.h"
#include "codec/latents/latent_coder.h"
#include "codec/memory_limit.h"
#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/samples/flatten.h"
#include "codec/short_number.h"
#include "codec/stage_clock.h"
#include "codec/stream/alpha.h"
#include "codec/stream/container.h"
#include "codec/stream/rans.h"
#include "engine/float_env.h"
#include "engine/rate.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

Status BadStream(const std::string& what) { return Status::Error(StatusCode::kBadStream, what); }

// Symbols out of rANS.
class DecoderPort final : public SymbolPort {
 public:
  explicit DecoderPort(const Model::Impl& model)
      : fraction_bits_(model.document.fraction_bits), rans_(&model.tables) {}

  Status CodeLine(Coded coded, const SymbolLine& line, const int16_t* mean,
                  const LineTables& tables, int16_t* decoded) override {
    symbols_.resize(std::max(symbols_.size(), line.symbols));
    rans_.SetFirstTable(tables.first);
    const bool good = tables.narrow != nullptr
                          ? rans_.Get(tables.narrow, line.symbols, symbols_.data())
                          : rans_.Get(tables.wide, line.symbols, symbols_.data());
    if (!good) return Damaged();
    kernels::Dequantise(symbols_.data(), mean, decoded, line.symbols,
                        coded == Coded::kHyper ? 0 : fraction_bits_);
    return Status::Ok();
  }

  RansDecoder& rans() { return rans_; }
  static Status Damaged() { return BadStream("its entropy-coded data are damaged"); }

 private:
  const int fraction_bits_;
  RansDecoder rans_;
  std::vector<int16_t> symbols_;
};

// Without what the caller holds.
Limits FreeLimits(const Limits& limits) {
  Limits free = limits;
  free.max_memory = FreeMemory(limits);
  free.held_memory = 0;
  return free;
}

struct Sink {
  const std::function<bool(const PictureInfo&, const Metadata&)>& start;
  const RowWriter& write;
};

class Decoder {
 public:
  Decoder(const Model::Impl& model, const ParsedStream& stream, const DecodeOptions& options,
          Report* report)
      : model_(model),
        stream_(stream),
        options_(options),
        report_(*report),
        context_(options),
        output_(OutputInfo(stream.header.source)),
        geometry_(model.document, model.graphs(), output_.width, output_.height),
        pixels_(output_) {}

  // Nothing but what Run would hold.
  Result<uint64_t> Plan() {
    GLINT_TRY(Prepare(0));
    GLINT_TRY(PlanMemory(0));
    return report_.planned_bytes;
  }

  // `more_bytes`: metadata, and the picture that the caller allocates.
  Status Run(const Sink& sink, uint64_t more_bytes) {
    GLINT_TRY(CheckHeader());
    GLINT_TRY(Prepare(RateToT(model_.document.rate, stream_.header.lrd)));
    GLINT_TRY(PlanMemory(more_bytes));
    if (has_details_) {
      const bool skip_damaged = options_.detail == DetailOutput::kSkipDamaged;
      details_ = std::make_unique<DetailReader>(stream_, output_, skip_damaged, &report_);
    }
    pixels_.Allocate();
    GLINT_TRY(coder_->Allocate());
    GLINT_TRY(synthesis_->Allocate(*coder_));
    GLINT_TRY(Start(sink));
    const DetailReader::RowSink write = [&](int64_t row, const uint8_t* levels) {
      return WriteRow(row, levels, sink);
    };
    const Synthesis::Sink rows = {[&](int64_t row, const uint8_t* levels) {
                                    return details_ ? details_->Add(row, levels, write)
                                                    : write(row, levels);
                                  },
                                  [&](double done) { return context_.Progress(done); }};
    double* seconds = &report_.times.synthesis;
    GLINT_TRY(DecodeSegments(
        [&](int64_t s) { return synthesis_->AddSegment(*coder_, s, rows, seconds); }));
    if (options_.profile) coder_->AppendProfile(&report_.layers);
    coder_.reset();
    GLINT_TRY(synthesis_->Finish(rows, seconds));
    if (options_.profile) synthesis_->AppendProfile(&report_.layers);
    return alpha_ ? alpha_->Finish() : Status::Ok();
  }

 private:
  Status CheckHeader() const {
    const StreamHeader& header = stream_.header;
    if (header.model != model_.file->id()) {
      return Status::Error(StatusCode::kWrongModel, "the stream needs model " +
                                                        ToHex(header.model) + ", this is model " +
                                                        model_.info.id + " (" + model_.info.name +
                                                        ", " + model_.info.form + ")");
    }
    const RateControl& rate = model_.document.rate;
    if (!(header.lrd >= static_cast<float>(rate.min) &&
          header.lrd <= static_cast<float>(rate.max))) {
      return BadStream("its lrd of " + ShortNumber(header.lrd) + " is none of the model's");
    }
    const size_t segments = static_cast<size_t>(geometry_.segments());
    if (stream_.segments.size() != segments) {
      return BadStream("it has " + std::to_string(stream_.segments.size()) +
                       " segments, its size wants " + std::to_string(segments));
    }
    return Status::Ok();
  }

  Status Prepare(double t) {
    GLINT_TRY(context_.Init());
    has_details_ = !stream_.details.empty() && options_.detail != DetailOutput::kSkip;
    const bool mean = stream_.header.gray && !has_details_;
    const auto colour = mean ? Synthesis::Colour::kMean : Synthesis::Colour::kThree;
    synthesis_.emplace(model_, geometry_, output_,
                       Synthesis::Options{context_, options_, t, colour});
    coder_ = std::make_unique<LatentCoder>(
        model_, geometry_,
        LatentCoderOptions{t, context_.runner(), options_.profile, synthesis_->behind_segments()});
    return coder_->Plan();
  }

  Status PlanMemory(uint64_t more_bytes) {
    GLINT_ASSIGN(const uint64_t coding, synthesis_->MemoryWith(*coder_));
    report_.planned_bytes = coding + pixels_.MemoryNeeded() + more_bytes + AlphaBytes();
    if (has_details_) report_.planned_bytes += DetailReader::MemoryNeeded(output_);
    return context_.CheckPlan(report_.planned_bytes);
  }

  uint64_t AlphaBytes() const {
    return output_.has_alpha ? kAlphaStateBytes + 2 * output_.RowBytes() : 0;
  }

  Status Start(const Sink& sink) {
    if (output_.has_alpha) {
      GLINT_ASSIGN(alpha_, AlphaReader::Make(output_.width, output_.SampleBytes(), stream_.alpha));
    }
    if (sink.start(output_, stream_.metadata)) return Status::Ok();
    return Status::Error(StatusCode::kCancelled, "stopped by the start callback");
  }

  // `then`: after each segment.
  Status DecodeSegments(const std::function<Status(int64_t s)>& then) {
    DecoderPort port(model_);
    for (int64_t s = 0; s < geometry_.segments(); ++s) {
      const Status status = DecodeSegment(s, &port);
      if (!status.ok()) return Blame(status).WithContext("segment " + std::to_string(s));
      GLINT_TRY(then(s));
    }
    return Status::Ok();
  }

  // The chunk's CRC was right, so what does not decode was written so: by the fault that is named,
  // by another, or on purpose.
  Status Blame(const Status& status) const {
    if (status.code() != StatusCode::kBadStream || geometry_.segments() == 1) return status;
    return BadStream(status.message() +
                     "; the bytes are as they were written, so the encoder was at fault. Builds of "
                     "Glint from before 26 November 2026 may have made such streams of pictures "
                     "with more than one segment (CHANGELOG.md): encode the picture again");
  }

  Status DecodeSegment(int64_t s, DecoderPort* port) {
    ByteSpan payload = stream_.segments[static_cast<size_t>(s)];
    constexpr size_t kCrcBytes = 4;
    if (payload.size() < kCrcBytes) return DecoderPort::Damaged();
    const ByteSpan crc = payload.last(kCrcBytes);
    payload = payload.first(payload.size() - kCrcBytes);
    const uint64_t symbols = geometry_.Symbols(s);
    if (!port->rans().Begin(payload.data(), payload.size(), RansStates(symbols))) {
      return DecoderPort::Damaged();
    }
    GLINT_TRY(coder_->CodeSegment(s, port, &report_.times));
    const StageClock clock(&report_.times.entropy);
    if (!port->rans().Finish()) return DecoderPort::Damaged();
    if (coder_->LatentCrc(s) != LoadU32(crc.data())) {
      return BadStream(
          "its latents differ from those that were encoded (their CRC does not match)");
    }
    report_.symbols += symbols;
    report_.latent_crc = Crc32(report_.latent_crc, crc);
    return GiveLatents(s);
  }

  Status GiveLatents(int64_t s) {
    if (!options_.latents) return Status::Ok();
    LatentRow row;
    row.rows = static_cast<uint32_t>(geometry_.height());
    row.columns = static_cast<uint32_t>(geometry_.width());
    row.channels = static_cast<uint32_t>(coder_->fixed_row_values() / geometry_.width());
    row.fraction_bits = model_.document.fraction_bits;
    for (int64_t y = geometry_.LatentEnd(s - 1); y < geometry_.LatentEnd(s); ++y) {
      row.y = static_cast<uint32_t>(y);
      row.values = coder_->FixedRow(y);
      if (options_.latents(row)) continue;
      return Status::Error(StatusCode::kCancelled,
                           "row " + std::to_string(y) + " of the latents was not taken");
    }
    return Status::Ok();
  }

  Status WriteRow(int64_t row, const uint8_t* levels, const Sink& sink) {
    if (alpha_) GLINT_TRY(alpha_->ReadRow(pixels_.alpha()));
    const uint8_t* samples = nullptr;
    {
      const StageClock clock(&report_.times.synthesis);
      samples = pixels_.FromColour(levels);
    }
    if (sink.write(static_cast<uint32_t>(row), samples)) return Status::Ok();
    return Status::Error(StatusCode::kCancelled, "row " + std::to_string(row) + " was not taken");
  }

  const Model::Impl& model_;
  const ParsedStream& stream_;
  const DecodeOptions& options_;
  Report& report_;
  CallContext context_;
  const PictureInfo output_;
  const LatentGeometry geometry_;
  PixelWriter pixels_;
  std::unique_ptr<LatentCoder> coder_;
  std::optional<Synthesis> synthesis_;
  bool has_details_ = false;
  std::unique_ptr<DetailReader> details_;  // from when there is memory for it
  std::unique_ptr<AlphaReader> alpha_;
};

Status CheckOutputs(const DecodeOptions& options) {
  const auto invalid = [](const char* what) {
    return Status::Error(StatusCode::kInvalidArgument, what);
  };
  if (options.alpha < AlphaOutput::kKeep || options.alpha > AlphaOutput::kBlend) {
    return invalid("alpha is none of kKeep, kDrop, kBlend");
  }
  if (options.detail < DetailOutput::kDecode || options.detail > DetailOutput::kSkipDamaged) {
    return invalid("detail is none of kDecode, kSkip, kSkipDamaged");
  }
  return Status::Ok();
}

Status DecodeInto(const Model& model, ByteSpan bytes, const Sink& sink,
                  const DecodeOptions& options, bool whole, Report* report) {
  if (!sink.start || !sink.write) {
    return Status::Error(StatusCode::kInvalidArgument, "a start or row callback is missing");
  }
  GLINT_TRY(CheckOutputs(options));
  const bool damaged_details = options.detail != DetailOutput::kDecode;
  GLINT_ASSIGN(const ParsedStream stream,
               ParseStream(bytes, FreeLimits(options.limits), damaged_details));
  const PictureInfo output = OutputInfo(stream.header.source);
  const PictureInfo given = FlatInfo(output, options.alpha, options.background);
  uint64_t more_bytes = MetadataBytes(stream.metadata);
  if (whole) more_bytes += more_bytes + MultiplyBytes(given.height, given.RowBytes());
  Decoder decoder(model.impl(), stream, options, report);
  if (output.has_alpha == given.has_alpha) return decoder.Run(sink, more_bytes);

  more_bytes += given.RowBytes();
  std::optional<Flattener> flattener;  // made when memory is planned
  const std::function<bool(const PictureInfo&, const Metadata&)> start =
      [&](const PictureInfo&, const Metadata& metadata) {
        flattener.emplace(output, options.alpha, options.background);
        return sink.start(given, metadata);
      };
  const RowWriter write = [&](uint32_t y, const void* row) {
    return sink.write(y, flattener->Row(row));
  };
  return decoder.Run({start, write}, more_bytes);
}

Error DecodeAny(const Model& model, const void* stream, size_t size, const Sink& sink,
                const DecodeOptions& options, bool whole, Report* report) {
  const ScopedFloatEnv float_env;
  Report own_report;
  if (report == nullptr) report = &own_report;
  *report = Report();
  const StageClock clock(&report->times.total);
  const ByteSpan bytes(static_cast<const uint8_t*>(stream), size);
  return PublicCall([&] { return DecodeInto(model, bytes, sink, options, whole, report); });
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
  return Decoder(model, stream, decode, &report).Plan();
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
