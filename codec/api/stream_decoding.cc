#include "codec/api/stream_decoding.h"

#include <algorithm>
#include <string>

#include "codec/detail/layout.h"
#include "codec/memory_limit.h"
#include "codec/short_number.h"
#include "codec/stage_clock.h"
#include "engine/rate.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

Status BadStream(const std::string& what) { return Status::Error(StatusCode::kBadStream, what); }

}  // namespace

// ---- symbols -----------------------------------------------------------------------------------

Status DecoderPort::CodeLine(Coded coded, const SymbolLine& line, const int16_t* mean,
                             const LineTables& tables, int16_t* decoded) {
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

Status DecoderPort::Damaged() { return BadStream("its entropy-coded data are damaged"); }

// ---- before the first segment ------------------------------------------------------------------

StreamDecoding::StreamDecoding(const Model::Impl& model, const ParsedStream& stream,
                               const DecodeOptions& options, const PictureSink& sink,
                               Report* report)
    : model_(model),
      stream_(stream),
      options_(options),
      output_(OutputInfo(stream.header.source)),
      given_(FlatInfo(output_, options.alpha, options.background)),
      sink_(sink),
      report_(*report),
      context_(options),
      geometry_(model.document, model.graphs(), output_.width, output_.height),
      pixels_(output_),
      port_(model) {
  rows_.take = [this](int64_t row, const uint8_t* levels) {
    const DetailReader::RowSink write = [this](int64_t y, const uint8_t* row_levels) {
      return WriteRow(y, row_levels);
    };
    return details_ ? details_->Add(row, levels, write) : WriteRow(row, levels);
  };
  rows_.progress = [this](double done) { return context_.Progress(done); };
}

Status StreamDecoding::CheckHeader() const {
  const StreamHeader& header = stream_.header;
  if (header.model != model_.file->id()) {
    return Status::Error(StatusCode::kWrongModel, "the stream needs model " + ToHex(header.model) +
                                                      ", this is model " + model_.info.id + " (" +
                                                      model_.info.name + ", " + model_.info.form +
                                                      ")");
  }
  const RateControl& rate = model_.document.rate;
  if (!(header.lrd >= static_cast<float>(rate.min) && header.lrd <= static_cast<float>(rate.max))) {
    return BadStream("its lrd of " + ShortNumber(header.lrd) + " is none of the model's");
  }
  return Status::Ok();
}

Result<uint64_t> StreamDecoding::Plan() {
  GLINT_TRY(Prepare(0));
  GLINT_TRY(PlanMemory(0));
  return report_.planned_bytes;
}

Status StreamDecoding::Prepare(double t) {
  GLINT_TRY(context_.Init());
  has_details_ = !stream_.details.empty() && options_.detail != DetailOutput::kSkip;
  const bool mean = stream_.header.gray && !has_details_;
  const auto colour = mean ? Synthesis::Colour::kMean : Synthesis::Colour::kThree;
  synthesis_.emplace(model_, geometry_, output_, Synthesis::Options{context_, options_, t, colour});
  coder_ = std::make_unique<LatentCoder>(
      model_, geometry_,
      LatentCoderOptions{t, context_.runner(), options_.profile, synthesis_->behind_segments()});
  return coder_->Plan();
}

Status StreamDecoding::PlanMemory(uint64_t more_bytes) {
  GLINT_ASSIGN(const uint64_t coding, synthesis_->MemoryWith(*coder_));
  report_.planned_bytes = coding + pixels_.MemoryNeeded() + more_bytes + AlphaBytes();
  if (has_details_) report_.planned_bytes += DetailReader::MemoryNeeded(output_);
  return context_.CheckPlan(report_.planned_bytes);
}

uint64_t StreamDecoding::AlphaBytes() const {
  if (!output_.has_alpha) return 0;
  const uint64_t flat_row = given_.has_alpha ? 0 : given_.RowBytes();
  return kAlphaStateBytes + 2 * output_.RowBytes() + flat_row;
}

Status StreamDecoding::Begin(uint64_t more_bytes) {
  GLINT_TRY(Prepare(RateToT(model_.document.rate, stream_.header.lrd)));
  GLINT_TRY(PlanMemory(more_bytes));
  if (has_details_) {
    const bool skip_damaged = options_.detail == DetailOutput::kSkipDamaged;
    details_ = std::make_unique<DetailReader>(stream_, output_, skip_damaged, &report_);
  }
  pixels_.Allocate();
  GLINT_TRY(coder_->Allocate());
  GLINT_TRY(synthesis_->Allocate(*coder_));
  return Start();
}

Status StreamDecoding::Start() {
  if (output_.has_alpha) {
    GLINT_ASSIGN(alpha_, AlphaReader::Make(output_.width, output_.SampleBytes(), stream_.alpha));
    if (!given_.has_alpha) flattener_.emplace(output_, options_.alpha, options_.background);
  }
  if (sink_.start(given_, stream_.metadata)) return Status::Ok();
  return Status::Error(StatusCode::kCancelled, "stopped by the start callback");
}

// ---- segments ----------------------------------------------------------------------------------

Status StreamDecoding::DecodeLatents(int64_t segment) {
  const Status status = DecodeSegment(segment);
  if (status.ok()) return status;
  return Blame(status).WithContext("segment " + std::to_string(segment));
}

// The chunk's CRC was right, so what does not decode was written so: by the fault that is named, by
// another, or on purpose.
Status StreamDecoding::Blame(const Status& status) const {
  if (status.code() != StatusCode::kBadStream || geometry_.segments() == 1) return status;
  return BadStream(status.message() +
                   "; the bytes are as they were written, so the encoder was at fault. Builds of "
                   "Glint from before 26 November 2026 may have made such streams of pictures "
                   "with more than one segment (CHANGELOG.md): encode the picture again");
}

Status StreamDecoding::DecodeSegment(int64_t segment) {
  ByteSpan payload = stream_.segments[static_cast<size_t>(segment)];
  constexpr size_t kCrcBytes = 4;
  if (payload.size() < kCrcBytes) return DecoderPort::Damaged();
  const ByteSpan crc = payload.last(kCrcBytes);
  payload = payload.first(payload.size() - kCrcBytes);
  const uint64_t symbols = geometry_.Symbols(segment);
  if (!port_.rans().Begin(payload.data(), payload.size(), RansStates(symbols))) {
    return DecoderPort::Damaged();
  }
  GLINT_TRY(coder_->CodeSegment(segment, &port_, &report_.times));
  const StageClock clock(&report_.times.entropy);
  if (!port_.rans().Finish()) return DecoderPort::Damaged();
  if (coder_->LatentCrc(segment) != LoadU32(crc.data())) {
    return BadStream("its latents differ from those that were encoded (their CRC does not match)");
  }
  report_.symbols += symbols;
  report_.latent_crc = Crc32(report_.latent_crc, crc);
  return GiveLatents(segment);
}

Status StreamDecoding::GiveLatents(int64_t segment) {
  if (!options_.latents) return Status::Ok();
  LatentRow row;
  row.rows = static_cast<uint32_t>(geometry_.height());
  row.columns = static_cast<uint32_t>(geometry_.width());
  row.channels = static_cast<uint32_t>(coder_->fixed_row_values() / geometry_.width());
  row.fraction_bits = model_.document.fraction_bits;
  for (int64_t y = geometry_.LatentEnd(segment - 1); y < geometry_.LatentEnd(segment); ++y) {
    row.y = static_cast<uint32_t>(y);
    row.values = coder_->FixedRow(y);
    if (options_.latents(row)) continue;
    return Status::Error(StatusCode::kCancelled,
                         "row " + std::to_string(y) + " of the latents was not taken");
  }
  return Status::Ok();
}

// ---- rows --------------------------------------------------------------------------------------

Result<bool> StreamDecoding::GiveRows(int64_t segment) {
  return synthesis_->AddSegment(*coder_, segment, RowEnd(), rows_, &report_.times.synthesis);
}

// Of rows whose details are there.
int64_t StreamDecoding::RowEnd() const {
  const auto height = static_cast<int64_t>(output_.height);
  const auto sections = static_cast<int64_t>(stream_.details.size());
  return has_details_ ? std::min(height, detail::kSectionRows * sections) : height;
}

Status StreamDecoding::Finish() {
  if (options_.profile) coder_->AppendProfile(&report_.layers);
  coder_.reset();
  GLINT_TRY(synthesis_->Finish(rows_, &report_.times.synthesis));
  if (options_.profile) synthesis_->AppendProfile(&report_.layers);
  return alpha_ ? alpha_->Finish() : Status::Ok();
}

Status StreamDecoding::WriteRow(int64_t row, const uint8_t* levels) {
  if (alpha_) GLINT_TRY(alpha_->ReadRow(pixels_.alpha()));
  const uint8_t* samples = nullptr;
  {
    const StageClock clock(&report_.times.synthesis);
    samples = pixels_.FromColour(levels);
    if (flattener_) samples = flattener_->Row(samples);
  }
  ++rows_given_;
  if (sink_.write(static_cast<uint32_t>(row), samples)) return Status::Ok();
  return Status::Error(StatusCode::kCancelled, "row " + std::to_string(row) + " was not taken");
}

// ---- checks ------------------------------------------------------------------------------------

Limits FreeLimits(const Limits& limits) {
  Limits free = limits;
  free.max_memory = FreeMemory(limits);
  free.held_memory = 0;
  return free;
}

Status WrongSegments(size_t has, int64_t wants) {
  return BadStream("it has " + std::to_string(has) + " segments, its size wants " +
                   std::to_string(wants));
}

Status CheckCall(const PictureSink& sink, const DecodeOptions& options) {
  const auto invalid = [](const char* what) {
    return Status::Error(StatusCode::kInvalidArgument, what);
  };
  if (!sink.start || !sink.write) return invalid("a start or row callback is missing");
  if (options.alpha < AlphaOutput::kKeep || options.alpha > AlphaOutput::kBlend) {
    return invalid("alpha is none of kKeep, kDrop, kBlend");
  }
  if (options.detail < DetailOutput::kDecode || options.detail > DetailOutput::kSkipDamaged) {
    return invalid("detail is none of kDecode, kSkip, kSkipDamaged");
  }
  return Status::Ok();
}

}  // namespace glint
