// Decode, DecodeRows and Inspect: the container to segments, segments to latents, latents to pixels
// in bands.

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "codec/api/call_context.h"
#include "codec/api/memory_plan.h"
#include "codec/latents/latent_coder.h"
#include "codec/memory_limit.h"
#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/samples/flatten.h"
#include "codec/stage_clock.h"
#include "codec/stream/alpha.h"
#include "codec/stream/container.h"
#include "codec/stream/rans.h"
#include "engine/float_env.h"
#include "engine/rate.h"
#include "engine/strips.h"
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
        pixels_(output_, model.document.picture_offset, stream.header.gray),
        latent_row_(geometry_.width() * static_cast<size_t>(model.document.latent_channels)) {}

  // Nothing but what Run would hold.
  Result<uint64_t> Plan() {
    GLINT_TRY(context_.Init());
    const ExecutorOptions synthesis = SynthesisOptions(0);
    const StripTransform strips(model_.g_s, model_.graph("g_s"), synthesis, Shape());
    const bool in_strips = strips.PaysOff(StripBuffers());
    LatentCoder coder(model_, geometry_,
                      {0, context_.runner(), false, in_strips ? nullptr : &synthesis});
    GLINT_TRY(coder.Plan());
    GLINT_TRY(in_strips ? PlanStrips(coder, strips, 0)
                        : PlanMemory(coder, synthesis, {{&coder.latents(), 0}}, 0));
    return report_.planned_bytes;
  }

  // `more_bytes`: metadata, and the picture that the caller allocates.
  Status Run(const Sink& sink, uint64_t more_bytes) {
    GLINT_TRY(CheckHeader());
    GLINT_TRY(context_.Init());
    const double t = RateToT(model_.document.rate, stream_.header.lrd);
    const ExecutorOptions synthesis = SynthesisOptions(t);
    StripTransform strips(model_.g_s, model_.graph("g_s"), synthesis, Shape());
    if (strips.PaysOff(StripBuffers())) return RunStrips(t, &strips, sink, more_bytes);
    LatentCoder coder(model_, geometry_, {t, context_.runner(), options_.profile, &synthesis});
    GLINT_TRY(coder.Plan());
    const std::vector<Executor::BoundInput> inputs = {{&coder.latents(), 0}};
    GLINT_TRY(PlanMemory(coder, synthesis, inputs, more_bytes));
    pixels_.Allocate();
    GLINT_TRY(coder.Allocate());
    GLINT_ASSIGN(g_s_, Executor::Make(model_.g_s, synthesis, inputs));
    GLINT_TRY(Start(sink));
    const auto synthesise = [&](long s) { return Synthesise(geometry_.LatentEnd(s), sink); };
    GLINT_TRY(DecodeSegments(&coder, synthesise));
    if (options_.profile) {
      coder.AppendProfile(&report_.layers);
      AppendProfile(g_s_->profile());
    }
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
      return BadStream("its lrd of " + std::to_string(header.lrd) + " is none of the model's");
    }
    const size_t segments = static_cast<size_t>(geometry_.segments());
    if (stream_.segments.size() != segments) {
      return BadStream("it has " + std::to_string(stream_.segments.size()) +
                       " segments, its size wants " + std::to_string(segments));
    }
    return Status::Ok();
  }

  ExecutorOptions SynthesisOptions(double t) const {
    const ModelDocument& document = model_.document;
    ExecutorOptions options;
    options.in_width = geometry_.width();
    options.in_height = geometry_.height();
    options.bands.rows = context_.BandLatentRows(document, geometry_) * document.latent_stride;
    options.t = t;
    options.runner = context_.runner();
    options.profile = options_.profile;
    return options;
  }

  Status PlanMemory(const LatentCoder& coder, const ExecutorOptions& synthesis,
                    const std::vector<Executor::BoundInput>& inputs, uint64_t more_bytes) {
    GLINT_ASSIGN(const uint64_t coder_bytes, coder.MemoryNeeded());
    GLINT_ASSIGN(const uint64_t g_s, Executor::MemoryNeeded(*model_.g_s, synthesis, inputs));
    report_.planned_bytes = coder_bytes + g_s + pixels_.MemoryNeeded() + more_bytes + AlphaBytes();
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
  Status DecodeSegments(LatentCoder* coder, const std::function<Status(long s)>& then) {
    DecoderPort port(model_);
    for (long s = 0; s < geometry_.segments(); ++s) {
      const Status status = DecodeSegment(s, coder, &port);
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

  Status DecodeSegment(long s, LatentCoder* coder, DecoderPort* port) {
    ByteSpan payload = stream_.segments[static_cast<size_t>(s)];
    constexpr size_t kCrcBytes = 4;
    if (payload.size() < kCrcBytes) return DecoderPort::Damaged();
    const ByteSpan crc = payload.last(kCrcBytes);
    payload = payload.first(payload.size() - kCrcBytes);
    const uint64_t symbols = geometry_.Symbols(s);
    if (!port->rans().Begin(payload.data(), payload.size(), RansStates(symbols))) {
      return DecoderPort::Damaged();
    }
    GLINT_TRY(coder->CodeSegment(s, port, &report_.times));
    const StageClock clock(&report_.times.entropy);
    if (!port->rans().Finish()) return DecoderPort::Damaged();
    if (coder->LatentCrc(s) != LoadU32(crc.data())) {
      return BadStream(
          "its latents differ from those that were encoded (their CRC does not match)");
    }
    report_.symbols += symbols;
    report_.latent_crc = Crc32(report_.latent_crc, crc);
    return Status::Ok();
  }

  // All bands of pixels that the first `latent_end` rows of latents suffice for.
  Status Synthesise(long latent_end, const Sink& sink) {
    const long height = geometry_.padded_height();
    while (rows_done_ < height && g_s_->InputEnd() <= latent_end) {
      {
        const StageClock clock(&report_.times.synthesis);
        g_s_->Advance();
      }
      for (; rows_done_ < g_s_->end(); ++rows_done_) {
        if (IsInside(rows_done_)) GLINT_TRY(WriteRow(rows_done_, sink));
      }
      GLINT_TRY(context_.Progress(static_cast<double>(rows_done_) / static_cast<double>(height)));
    }
    return Status::Ok();
  }

  // Whether a row of the padded picture is one of the picture.
  bool IsInside(long padded_row) const {
    const long row = padded_row - geometry_.top();
    return row >= 0 && row < static_cast<long>(output_.height);
  }

  // ---- in strips

  StripShape Shape() const {
    const auto unit = static_cast<size_t>(model_.document.latent_stride);
    return {geometry_.width(), 1, unit, std::max<size_t>(1, kStripPixels / unit)};
  }

  size_t ColourRowBytes() const { return size_t{output_.width} * output_.channels; }

  // All of y_hat, then all colour.
  uint64_t StripBuffers() const {
    return LatentBytes() + uint64_t{ColourRowBytes()} * output_.height;
  }
  uint64_t LatentBytes() const {
    return latent_row_ * static_cast<uint64_t>(geometry_.height()) * sizeof(int16_t);
  }

  Status PlanStrips(const LatentCoder& coder, const StripTransform& strips, uint64_t more_bytes) {
    GLINT_ASSIGN(const uint64_t coder_bytes, coder.MemoryNeeded());
    GLINT_ASSIGN(const uint64_t strip_bytes, strips.MemoryNeeded());
    const uint64_t colour = uint64_t{ColourRowBytes()} * output_.height;
    report_.planned_bytes = LatentBytes() + std::max(coder_bytes, strip_bytes + colour) +
                            pixels_.MemoryNeeded() + more_bytes + AlphaBytes();
    return context_.CheckPlan(report_.planned_bytes);
  }

  // First all latents, then all colour, then the rows.
  Status RunStrips(double t, StripTransform* strips, const Sink& sink, uint64_t more_bytes) {
    auto coder = std::make_unique<LatentCoder>(
        model_, geometry_, LatentCoderOptions{t, context_.runner(), options_.profile, nullptr});
    GLINT_TRY(coder->Plan());
    GLINT_TRY(PlanStrips(*coder, *strips, more_bytes));
    pixels_.Allocate();
    GLINT_TRY(coder->Allocate());
    GLINT_TRY(Start(sink));
    AlignedBuffer<int16_t> y_hat;
    if (!y_hat.Allocate(latent_row_ * static_cast<size_t>(geometry_.height()))) return NoMemory();
    GLINT_TRY(DecodeSegments(coder.get(), [&](long s) {
      CopyLatents(*coder, s, y_hat.get());
      return Status::Ok();
    }));
    if (options_.profile) coder->AppendProfile(&report_.layers);
    coder.reset();
    AlignedBuffer<uint8_t> colour;
    if (!colour.Allocate(ColourRowBytes() * output_.height)) return NoMemory();
    GLINT_TRY(SynthesiseStrips(strips, y_hat.get(), colour.get()));
    if (options_.profile) AppendProfile(strips->profile());
    for (long row = 0; row < static_cast<long>(output_.height); ++row) {
      if (alpha_) GLINT_TRY(alpha_->ReadRow(pixels_.alpha()));
      const uint8_t* from = colour.get() + static_cast<size_t>(row) * ColourRowBytes();
      GLINT_TRY(Deliver(row, pixels_.FromColour(from), sink));
    }
    return alpha_ ? alpha_->Finish() : Status::Ok();
  }

  void CopyLatents(const LatentCoder& coder, long s, int16_t* y_hat) const {
    const RowRing& ring = coder.latents();
    for (long row = geometry_.LatentEnd(s - 1); row < geometry_.LatentEnd(s); ++row) {
      int16_t* to = y_hat + static_cast<size_t>(row) * latent_row_;
      if (ring.element() == kernels::Element::kF32) {
        kernels::FloatToFixed(ring.Floats(row), to, latent_row_, FixedScale());
      } else {
        std::memcpy(to, ring.Row(row), latent_row_ * sizeof(int16_t));
      }
    }
  }

  Status SynthesiseStrips(StripTransform* strips, const int16_t* y_hat, uint8_t* colour) {
    const StageClock clock(&report_.times.synthesis);
    const auto channels = static_cast<size_t>(model_.document.latent_channels);
    const auto read = [&](long row, size_t first, size_t count, float* values) {
      kernels::FixedToFloat(y_hat + static_cast<size_t>(row) * latent_row_ + first * channels,
                            values, count * channels, FixedScale());
    };
    const auto write = [&](long row, size_t first, size_t count, const float* values,
                           size_t stride) {
      const size_t left = geometry_.left();
      const size_t begin = std::max(first, left);
      const size_t end = std::min(first + count, left + output_.width);
      if (!IsInside(row) || begin >= end) return;
      uint8_t* to = colour + static_cast<size_t>(row - geometry_.top()) * ColourRowBytes() +
                    (begin - left) * output_.channels;
      pixels_.ToColour(values + (begin - first) * stride, stride, end - begin, to);
    };
    return strips->Run(read, write, [&](double done) { return context_.Progress(done); });
  }

  float FixedScale() const { return static_cast<float>(1 << model_.document.fraction_bits); }
  static Status NoMemory() {
    return Status::Error(StatusCode::kLimit, "out of memory for the picture");
  }

  // ---- rows

  Status WriteRow(long padded_row, const Sink& sink) {
    if (alpha_) GLINT_TRY(alpha_->ReadRow(pixels_.alpha()));
    const uint8_t* samples = nullptr;
    {
      const StageClock clock(&report_.times.synthesis);
      const size_t stride = g_s_->output_pixel_stride();
      const float* values = g_s_->OutputRow(padded_row) + geometry_.left() * stride;
      samples = pixels_.FromFloats(values, stride);
    }
    return Deliver(padded_row - geometry_.top(), samples, sink);
  }

  Status Deliver(long row, const uint8_t* samples, const Sink& sink) {
    if (sink.write(static_cast<uint32_t>(row), samples)) return Status::Ok();
    return Status::Error(StatusCode::kCancelled, "row " + std::to_string(row) + " was not taken");
  }

  void AppendProfile(const std::vector<StepProfile>& steps) {
    for (const StepProfile& step : steps) {
      report_.layers.push_back({"g_s", step.name, step.kernel, step.macs, step.seconds});
    }
  }

  const Model::Impl& model_;
  const ParsedStream& stream_;
  const DecodeOptions& options_;
  Report& report_;
  CallContext context_;
  const PictureInfo output_;
  const LatentGeometry geometry_;
  PixelWriter pixels_;
  const size_t latent_row_;  // values of a row of y
  std::unique_ptr<Executor> g_s_;
  std::unique_ptr<AlphaReader> alpha_;
  long rows_done_ = 0;
};

Status DecodeInto(const Model& model, ByteSpan bytes, const Sink& sink,
                  const DecodeOptions& options, bool whole, Report* report) {
  if (!sink.start || !sink.write) {
    return Status::Error(StatusCode::kInvalidArgument, "a start or row callback is missing");
  }
  GLINT_ASSIGN(const ParsedStream stream, ParseStream(bytes, FreeLimits(options.limits)));
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
  return ToError(
      WithoutBadAlloc([&] { return DecodeInto(model, bytes, sink, options, whole, report); }));
}

}  // namespace

Result<uint64_t> PlanDecoding(const Model::Impl& model, const PictureInfo& source,
                              const CallOptions& options) {
  GLINT_TRY(CheckPictureInfo(source, options.limits));
  ParsedStream stream;
  stream.header.source = source;
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
}

Expected<StreamInfo> Inspect(const void* stream, size_t size, const Limits& limits) {
  const ByteSpan bytes(static_cast<const uint8_t*>(stream), size);
  auto info = WithoutBadAlloc([&]() -> Result<StreamInfo> {
    GLINT_ASSIGN(ParsedStream parsed, ParseStream(bytes, FreeLimits(limits)));
    StreamInfo result;
    result.source = parsed.header.source;
    result.output = OutputInfo(parsed.header.source);
    result.model_id = ToHex(parsed.header.model);
    result.lrd = static_cast<double>(parsed.header.lrd);
    result.gray = parsed.header.gray;
    result.bytes = size;
    for (const ChunkView& view : parsed.chunks) {
      result.chunks.push_back({view.type, view.offset, view.bytes});
    }
    result.metadata = std::move(parsed.metadata);
    return result;
  });
  if (!info.ok()) return ToError(info.status());
  return std::move(*info);
}

bool IsStream(const void* data, size_t size) {
  return HasSignature({static_cast<const uint8_t*>(data), size});
}

}  // namespace glint
