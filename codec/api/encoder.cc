// Encode and EncodeRows: rows of pixels to rows of latents, segments of latents into the container.

#include "codec/api/encoder.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "codec/api/analysis.h"
#include "codec/api/bits_grid.h"
#include "codec/api/call_context.h"
#include "codec/api/detail_writer.h"
#include "codec/api/memory_plan.h"
#include "codec/api/quantising_port.h"
#include "codec/api/reconstruction.h"
#include "codec/api/refinement.h"
#include "codec/api/synthesis.h"
#include "codec/call_log.h"
#include "codec/latents/latent_coder.h"
#include "codec/memory_limit.h"
#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/rate/layer_rates.h"
#include "codec/samples/plain_rows.h"
#include "codec/samples/source_rows.h"
#include "codec/samples/whole_picture.h"
#include "codec/stage_clock.h"
#include "codec/stream/alpha_packer.h"
#include "codec/stream/container.h"
#include "codec/stream/metadata_chunks.h"
#include "codec/stream/rans.h"
#include "engine/float_env.h"
#include "engine/rate.h"

namespace glint {
namespace {

HiddenColours HiddenColoursOf(const EncodeOptions& options) {
  if (options.exact || options.lossless) return HiddenColours::kKept;
  return options.max_error >= 0 ? HiddenColours::kBlack : HiddenColours::kContinued;
}

// A byte for each symbol, where noise at the highest rate takes 0.4; and what container and
// segments take besides, which counts where the picture is tiny.
constexpr uint64_t kExpectedBytesPerSymbol = 1;
constexpr uint64_t kExpectedBytes = 32 * 1024;

// Symbols from y and z into rANS; and where there is a grid, what they take to their places there.
class EncoderPort final : public QuantisingPort {
 public:
  EncoderPort(const Model::Impl& model, const Analysis& analysis, const LatentGeometry& geometry,
              BitsGrid* bits)
      : QuantisingPort(model.document, analysis),
        model_(model),
        geometry_(geometry),
        bits_(bits),
        rans_(&model.tables) {}

  RansEncoder& rans() { return rans_; }

 private:
  void Take(Coded coded, const SymbolLine& line, const Symbols& symbols) override {
    if (bits_ != nullptr) AddBits(coded, line, symbols);
    const LineTables& tables = symbols.tables;
    rans_.SetFirstTable(tables.first);
    if (tables.narrow != nullptr) {
      rans_.Put(tables.narrow, symbols.values, line.symbols);
    } else {
      rans_.Put(tables.wide, symbols.values, line.symbols);
    }
  }

  void AddBits(Coded coded, const SymbolLine& line, const Symbols& symbols) {
    const ModelDocument& document = model_.document;
    const int64_t side = coded == Coded::kHyper ? document.hyper_stride : document.latent_stride;
    size_t next = 0;
    line.ForEachRun([&](size_t position, const ChannelRun& run) {
      double bits = 0;
      for (const size_t end = next + run.count; next < end; ++next) {
        const EntropyTables::Table& table = model_.tables.tables()[symbols.tables.At(next)];
        bits += SymbolBits(model_.tables, table, symbols.values[next]);
      }
      const auto column = static_cast<int64_t>(line.ColumnOf(position));
      bits_->Add({column * side - static_cast<int64_t>(geometry_.left()),
                  line.RowOf(position) * side - geometry_.top(), side, side},
                 bits);
    });
  }

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  BitsGrid* const bits_;
  RansEncoder rans_;
};

// kInvalidArgument where the options say two things at once.
Status CheckOptions(const EncodeOptions& options, const PictureInfo& info) {
  const auto invalid = [](const char* what) {
    return Status::Error(StatusCode::kInvalidArgument, what);
  };
  const bool limited = options.lossless || options.max_error >= 0;
  if (options.max_error < -1 || options.max_error > detail::kMostNear) {
    return invalid("max_error is not in -1..127");
  }
  if (options.detail < Detail::kAuto || options.detail > Detail::kOn) {
    return invalid("detail is none of kAuto, kOff, kOn");
  }
  if (options.effort < 0 || options.effort > kMostEffort) return invalid("effort is not in 0..9");
  if (options.lossless && options.max_error > 0) return invalid("lossless allows no error");
  if (options.lossless && info.bit_depth > 8) {
    return invalid("pictures of 16 bits cannot be coded without loss, as 8 bits come out");
  }
  if (limited && options.detail == Detail::kOff) {
    return invalid("errors have a limit only with details");
  }
  if (limited && options.lrd != 0) return invalid("where errors have a limit, lrd has no meaning");
  return Status::Ok();
}

// -1: none.
int MostError(const EncodeOptions& options) { return options.lossless ? 0 : options.max_error; }

// How far the stages are; their shares of the time are rough.
class EncodingProgress {
  using Shares = std::array<double, 4>;

 public:
  explicit EncodingProgress(bool reconstructs = false, int passes = 0)
      : shares_(reconstructs ? Shares{0.4, 0, 0.25, 0.35} : Shares{0.6, 0, 0.4, 0}) {
    // A pass takes three times what the other stages take, and measuring the curvature two passes.
    if (passes == 0) return;
    const double others = 1.0 / (1 + 3 * (passes + 2));
    for (double& share : shares_) share *= others;
    shares_[1] = 1 - others;
  }

  double analysis = 0, effort = 0, coding = 0, synthesis = 0;  // 0..1

  double done() const {
    return 1 - (shares_[0] * (1 - analysis) + shares_[1] * (1 - effort) +
                shares_[2] * (1 - coding) + shares_[3] * (1 - synthesis));
  }

 private:
  Shares shares_;
};

// A pipeline over segments: as soon as the rows of y and z are there that a segment codes, it is
// coded and appended; with a taker its part of the picture is decoded too.
class Encoder final : private SegmentPlaces {
 public:
  Encoder(const Model::Impl& model, const PictureInfo& info, const EncodeOptions& options,
          const EncodingExtras& extras, Report* report)
      : model_(model),
        info_(info),
        options_(options),
        flow_(extras.flow),
        taker_(extras.taker),
        report_(*report),
        context_(options),
        window_(info),
        body_(&stream_) {}

  // Nothing but what Run would hold.
  Result<EncodingMemory> Plan() {
    const RowReader nothing;
    GLINT_TRY(Prepare(nothing));
    GLINT_TRY(PlanMemory({}));
    return EncodingMemory{working_bytes_ + expected_output_, expected_output_};
  }

  Result<Bytes> Run(const Metadata& metadata, const RowReader& read) {
    GLINT_TRY(Prepare(read));
    GLINT_TRY(PlanMemory(metadata));
    GLINT_TRY(HoldOutput(0));
    if (bits_) bits_->Allocate();
    if (detail_bits_) detail_bits_->Allocate();
    // So that it does not grow by doubling; what stays empty costs no memory.
    stream_.reserve(static_cast<size_t>(expected_output_));
    if (taker_ != nullptr) GLINT_TRY(window_.Allocate());
    GLINT_TRY(analysis_->Allocate());
    if (refinement_) GLINT_TRY(refinement_->Allocate());
    if (info_.has_alpha) {
      alpha_packer_.emplace(info_, options_.exact || options_.lossless, &alpha_);
    }
    GLINT_TRY(CodeSegments());
    FreeStages();
    GiveBits();
    GLINT_TRY(body_.Add(chunk::kEnd, {}));
    GLINT_TRY(AddHead(metadata));
    if (stream_.size() < expected_output_ / 2) stream_.shrink_to_fit();
    return std::move(stream_);
  }

 private:
  Status Prepare(const RowReader& read) {
    GLINT_TRY(CheckPictureInfo(info_, options_.limits));
    GLINT_TRY(context_.Init());
    GLINT_TRY(CheckOptions(options_, info_));
    const bool details = taker_ == nullptr && options_.detail != Detail::kOff;
    GLINT_ASSIGN(const LayerRates rates, RatesOf(model_.document.rate, options_.lrd, details));
    if (options_.map_bits) {
      const auto cell = static_cast<uint32_t>(model_.document.latent_stride);
      bits_.emplace(info_.width, info_.height, cell);
      if (details) detail_bits_ = bits_;
    }
    if (details) AddDetails(rates);
    lrd_ = rates.model_lrd;
    const double t = RateToT(model_.document.rate, lrd_);
    geometry_.emplace(model_.document, model_.graphs(), info_.width, info_.height);
    SynthesisBehind behind;
    if (taker_ != nullptr) {
      synthesis_.emplace(model_, *geometry_, OutputInfo(info_),
                         Synthesis::Options{context_, options_, model_.WholeSynthesis(), t,
                                            Synthesis::Colour::kThree});
      behind = synthesis_->behind_segments();
    }
    coder_ = std::make_unique<LatentCoder>(
        model_, *geometry_, LatentCoderOptions{t, context_.runner(), options_.profile, behind});
    GLINT_TRY(coder_->Plan());
    source_.emplace(info_, read, HiddenColoursOf(options_));
    plain_.emplace(info_, details ? BlocksOfPixels() : PlainBlocks::kNone, rates.drawn_lambda,
                   &*source_);
    analysis_.emplace(model_, *geometry_, info_, context_, options_, t, &*plain_);
    const int passes = MostError(options_) >= 0 ? 0 : RefinementPasses(options_.effort);
    progress_ = EncodingProgress(taker_ != nullptr, passes);
    if (passes > 0) return PrepareRefinement(t, passes);
    return ChooseFlow();
  }

  // It wants all rows of y before the first is coded.
  Status PrepareRefinement(double t, int passes) {
    const double lambda = model_.document.rate.LambdaAt(lrd_);
    refinement_.emplace(model_, *geometry_, info_,
                        Refinement::Options{context_, options_, t, lambda, passes});
    GLINT_TRY(refinement_->Plan());
    return SetFlow(Analysis::Flow::kAtOnce);
  }

  // Where errors have a limit all blocks are pixels, which need no base: the model sees nothing.
  PlainBlocks BlocksOfPixels() const {
    return MostError(options_) >= 0 ? PlainBlocks::kAll : PlainBlocks::kDrawn;
  }

  void AddDetails(const LayerRates& rates) {
    detail::EncoderSettings settings;
    settings.lambda = rates.drawn_lambda;
    settings.photograph_lambda = rates.photograph_lambda;
    settings.max_error = MostError(options_);
    settings.every_block = options_.detail == Detail::kOn;
    settings.exact_base = settings.max_error < 0 && HasExactSynthesis(model_);
    details_.emplace(OutputInfo(info_), settings, &report_,
                     detail_bits_ ? &*detail_bits_ : nullptr);
    taker_ = &*details_;
  }

  // The one that takes less memory: by segment where the picture is tall. The stream is the same.
  Status ChooseFlow() {
    using Flow = Analysis::Flow;
    if (flow_) return SetFlow(*flow_);
    GLINT_TRY(SetFlow(Flow::kAtOnce));
    GLINT_ASSIGN(const uint64_t at_once, StagesBytes());
    GLINT_TRY(SetFlow(Flow::kBySegment));
    GLINT_ASSIGN(const uint64_t by_segment, StagesBytes());
    return at_once <= by_segment ? SetFlow(Flow::kAtOnce) : Status::Ok();
  }

  Status SetFlow(Analysis::Flow flow) {
    const SynthesisBehind behind =
        taker_ == nullptr ? SynthesisBehind() : synthesis_->behind_segments();
    GLINT_TRY(analysis_->Plan(flow, behind));
    window_.SetSize(analysis_->source_rows());
    return Status::Ok();
  }

  // ---- memory

  // From the first row to the last segment.
  Result<uint64_t> StagesBytes() const {
    GLINT_ASSIGN(uint64_t transforms, analysis_->TransformBytes());
    GLINT_ASSIGN(uint64_t coding,
                 taker_ == nullptr ? coder_->MemoryNeeded() : synthesis_->MemoryWith(*coder_));
    if (info_.has_alpha) transforms += kAlphaStateBytes + 4 * info_.RowBytes();
    coding += RansEncoder::MemoryNeeded(geometry_->MostSymbols());
    const bool at_once = analysis_->flow() == Analysis::Flow::kAtOnce;
    if (refinement_) {
      GLINT_ASSIGN(const uint64_t refining, refinement_->MemoryNeeded());
      transforms = std::max(transforms + refinement_->SourceBytes(), refining);
    }
    uint64_t bytes = at_once ? std::max(transforms, coding) : transforms + coding;
    bytes += analysis_->LatentBytes();
    return taker_ == nullptr ? bytes : AddBytes(bytes, window_.MemoryNeeded());
  }

  Status PlanMemory(const Metadata& metadata) {
    GLINT_ASSIGN(const uint64_t stages, StagesBytes());
    // Metadata are packed after all others are done.
    stages_bytes_ = std::max(stages, MetadataWorkingBytes(metadata));
    working_bytes_ = stages_bytes_;
    if (taker_ != nullptr) working_bytes_ += taker_->MemoryNeeded();
    for (const auto* grid : {&bits_, &detail_bits_}) {
      if (*grid) working_bytes_ += (*grid)->MemoryNeeded();
    }
    symbols_ = geometry_->AllSymbols();
    ExpectOutput(metadata);
    return Status::Ok();
  }

  // Alpha and metadata are there twice when they go into the stream.
  void ExpectOutput(const Metadata& metadata) {
    other_output_ = kExpectedBytes + 2 * (MostPackedAlpha(info_) + MetadataBytes(metadata));
    if (taker_ != nullptr) {
      const auto segments = static_cast<uint64_t>(geometry_->segments());
      other_output_ +=
          taker_->ExpectedOutput() + 2 * sizeof(size_t) * segments;  // and their places
    }
    expected_output_ = other_output_ + symbols_ * kExpectedBytesPerSymbol;
  }

  // What goes out grows beside the working memory. The plan has room for more than streams are seen
  // to take; a picture that needs yet more is told what would do in any case.
  Status HoldOutput(uint64_t bytes) {
    constexpr uint64_t kMostBytesPerSymbol = 5;  // table, head of an escape and its bits
    const uint64_t planned = working_bytes_ + std::max(expected_output_, bytes);
    report_.planned_bytes = std::max(report_.planned_bytes, planned);
    const uint64_t taken = taker_ == nullptr ? 0 : taker_->MostOutput();
    const uint64_t most =
        working_bytes_ + other_output_ + 2 * (taken + symbols_ * kMostBytesPerSymbol);
    return context_.CheckPlan(report_.planned_bytes, bytes > expected_output_ ? most : 0);
  }

  // With what came of the last segment.
  Status HoldBody() {
    const bool fits = stream_.size() + alpha_.size() <= expected_output_;
    return HoldOutput(fits ? 0 : stream_.capacity() + alpha_.size());
  }

  // ---- segments

  Status CodeSegments() {
    EncoderPort port(model_, *analysis_, *geometry_, bits_ ? &*bits_ : nullptr);
    const Analysis::Sink rows = {
        [&](const uint8_t* colour, const uint8_t* seen, const uint8_t* alpha) {
          return TakeSource(colour, seen, alpha);
        },
        [&](double done) { return Progress(&EncodingProgress::analysis, done); }};
    const int64_t segments = geometry_->segments();
    for (int64_t s = 0; s < segments; ++s) {
      GLINT_TRY(analysis_->PrepareSegment(rows, &report_.times));
      if (s == 0) {
        GLINT_TRY(Refine());
        GLINT_TRY(AllocateCoding());
      }
      GLINT_TRY(CodeSegment(s, &port));
      analysis_->EndSegment();
      GLINT_TRY(Progress(&EncodingProgress::coding,
                         static_cast<double>(s + 1) / static_cast<double>(segments)));
      if (taker_ != nullptr) GLINT_TRY(Reconstruct(s));
    }
    return Status::Ok();
  }

  // In time for the first segment: where the transforms are gone by then, this takes their place.
  Status AllocateCoding() {
    GLINT_TRY(coder_->Allocate());
    return taker_ == nullptr ? Status::Ok() : synthesis_->Allocate(*coder_);
  }

  // Better symbols, once all of y is there.
  Status Refine() {
    if (!refinement_) return Status::Ok();
    const StageClock clock(&report_.times.effort);
    // All rows have been read. Where the three channels are the same, decoders average them, or
    // details do.
    const auto colour = source_->gray() ? Synthesis::Colour::kMean : Synthesis::Colour::kThree;
    GLINT_TRY(refinement_->Run(&*analysis_, colour, [&](double done) {
      return Progress(&EncodingProgress::effort, done);
    }));
    if (options_.profile) refinement_->AppendProfile(&report_.layers);
    refinement_.reset();
    return Status::Ok();
  }

  Status TakeSource(const uint8_t* colour, const uint8_t* seen, const uint8_t* alpha) {
    if (taker_ != nullptr) window_.Add(colour);
    if (refinement_) refinement_->AddSource(seen);
    ++source_rows_;
    if (!alpha_packer_) return Status::Ok();
    GLINT_TRY(alpha_packer_->AddRow(alpha));
    if (source_rows_ < info_.height) return Status::Ok();
    GLINT_TRY(alpha_packer_->Finish());
    has_alpha_ = alpha_packer_->says_something();
    alpha_packer_.reset();
    return Status::Ok();
  }

  Status CodeSegment(int64_t s, EncoderPort* port) {
    GLINT_TRY(coder_->CodeSegment(s, port, &report_.times));
    const StageClock clock(&report_.times.entropy);
    report_.estimated_bits += port->rans().bits();
    report_.symbols += port->rans().symbols();
    payload_.clear();
    port->rans().Finish(&payload_);
    const size_t crc_at = payload_.size();
    AppendU32(coder_->LatentCrc(s), &payload_);
    report_.latent_crc = Crc32(report_.latent_crc, ByteSpan(payload_).subspan(crc_at));
    GLINT_TRY(body_.Add(chunk::kSegment, payload_));
    if (taker_ != nullptr) segment_ends_.push_back(stream_.size());
    return HoldBody();
  }

  Status Progress(double EncodingProgress::*stage, double done) {
    progress_.*stage = done;
    return context_.Progress(progress_.done());
  }

  // ---- with a taker

  // The rows that segments up to this one suffice for.
  Status Reconstruct(int64_t s) {
    const Synthesis::Sink rows = {
        [&](int64_t row, const uint8_t* base) { return taker_->Take(row, window_.Row(row), base); },
        [&](double done) { return Progress(&EncodingProgress::synthesis, done); }};
    double* seconds = &report_.times.synthesis;
    GLINT_TRY(synthesis_->AddSegment(*coder_, s, rows, seconds));
    const bool last = s + 1 == geometry_->segments();
    if (last) {
      FreeCoder();
      GLINT_TRY(synthesis_->Finish(rows, seconds));
    }
    GLINT_TRY(taker_->EndSegment(s, this));
    if (last) GLINT_TRY(taker_->Finish(this));
    return HoldBody();
  }

  int64_t SegmentOf(int64_t row) const override { return geometry_->SegmentOf(row); }

  // At the end of what is there, and from there to its place.
  Status AddBehind(int64_t segment, char type, ByteSpan payload) override {
    const auto from = static_cast<size_t>(segment);
    const size_t place = segment_ends_[from], end = stream_.size();
    GLINT_TRY(body_.Add(type, payload));
    const auto at = [&](size_t i) { return stream_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::rotate(at(place), at(end), stream_.end());
    for (size_t s = from; s < segment_ends_.size(); ++s) segment_ends_[s] += stream_.size() - end;
    return Status::Ok();
  }

  // ---- the end

  void FreeCoder() {
    if (coder_ == nullptr) return;
    if (options_.profile) {
      analysis_->AppendProfile(&report_.layers);
      coder_->AppendProfile(&report_.layers);
    }
    coder_.reset();
  }

  void GiveBits() {
    if (!bits_) return;
    if (detail_bits_ && report_.detail.bytes > 0) bits_->Add(*detail_bits_);
    report_.bits = bits_->Take();
  }

  // All but the stream, alpha and the taker.
  void FreeStages() {
    report_.saturated_latents = analysis_->saturated();
    report_.detail.plain_blocks = plain_->plain_blocks();
    FreeCoder();
    if (taker_ != nullptr && options_.profile) synthesis_->AppendProfile(&report_.layers);
    analysis_.reset();
    synthesis_.reset();
    window_.Free();
    Bytes().swap(payload_);
  }

  // Only the last row tells what all rows have in common, and what a picture file has behind its
  // pixels belongs to the metadata. So what a stream begins with is written last, and then put
  // before the rest within the one vector.
  Status AddHead(const Metadata& metadata) {
    StreamHeader header{info_, model_.file->id(), lrd_, source_->gray()};
    header.source.has_alpha = has_alpha_;
    const size_t body = stream_.size();
    GLINT_TRY(HoldHead(metadata));
    GLINT_TRY(body_.AddHeader(header));
    GLINT_TRY(WriteMetadata(metadata, &body_));
    if (has_alpha_) GLINT_TRY(body_.Add(chunk::kAlpha, alpha_));
    if (HasWholeBase()) GLINT_TRY(body_.Add(chunk::kWholeBase, {}));
    std::rotate(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(body),
                stream_.end());
    return Status::Ok();
  }

  // The stream has details, but what decodes without them is the whole picture all the same.
  bool HasWholeBase() const {
    return details_ && report_.detail.bytes > 0 && BlocksOfPixels() == PlainBlocks::kDrawn &&
           report_.detail.plain_blocks == 0;
  }

  // There is often room for it beside what was expected, and to pack metadata where the stages
  // were.
  Status HoldHead(const Metadata& metadata) {
    constexpr uint64_t kFrames = 1024;  // the header, and what chunks have around their payloads
    const uint64_t packing = MetadataWorkingBytes(metadata);
    const uint64_t head = alpha_.size() + MetadataBytes(metadata);
    const uint64_t size = stream_.size() + head + kFrames;
    uint64_t known = size + head + packing - std::min(packing, stages_bytes_);
    const bool grows = size > stream_.capacity();
    if (grows) known += stream_.size();  // twice while it moves
    if (known > expected_output_) ExpectOutput(metadata);
    GLINT_TRY(HoldOutput(known));
    if (grows) stream_.reserve(static_cast<size_t>(size));
    return Status::Ok();
  }

  const Model::Impl& model_;
  const PictureInfo info_;
  const EncodeOptions& options_;
  const std::optional<Analysis::Flow> flow_;
  ReconstructionTaker* taker_;                  // nullptr: nobody looks at what will be decoded
  std::optional<DetailWriter> details_;         // `taker_`, where there are details
  std::optional<BitsGrid> bits_, detail_bits_;  // where they are asked for
  Report& report_;
  CallContext context_;
  float lrd_ = 0;
  std::optional<LatentGeometry> geometry_;
  std::optional<SourceRows> source_;
  std::optional<PlainRows> plain_;
  std::optional<Analysis> analysis_;
  std::optional<Refinement> refinement_;  // until the first segment, where it is asked for
  std::optional<Synthesis> synthesis_;    // with a taker only
  std::unique_ptr<LatentCoder> coder_;
  SourceWindow window_;  // likewise
  EncodingProgress progress_;
  uint32_t source_rows_ = 0;
  std::optional<AlphaPacker> alpha_packer_;  // until the last row
  bool has_alpha_ = false;
  Bytes alpha_, payload_, stream_;
  std::vector<size_t> segment_ends_;  // in the stream, with what a taker has added; with one only
  ContainerWriter body_;
  uint64_t working_bytes_ = 0;
  uint64_t stages_bytes_ = 0;  // of that what is free before the head is written
  uint64_t symbols_ = 0;
  uint64_t other_output_ = 0;     // alpha and metadata, at most; what a taker adds
  uint64_t expected_output_ = 0;  // with the symbols
};

}  // namespace

Result<EncodingMemory> PlanEncoding(const Model::Impl& model, const PictureInfo& info,
                                    const EncodeOptions& options, const EncodingExtras& extras) {
  Report report;
  return Encoder(model, info, options, extras, &report).Plan();
}

Result<EncodingMemory> PlanEncoding(const Model::Impl& model, const PictureInfo& info,
                                    const EncodeOptions& options) {
  return PlanEncoding(model, info, options, {});
}

Expected<std::vector<uint8_t>> EncodeRows(const Model& model, const PictureInfo& info,
                                          const Metadata& metadata, const RowReader& read,
                                          const EncodeOptions& options,
                                          const EncodingExtras& extras, Report* report) {
  const ScopedFloatEnv float_env;
  Report own_report;
  if (report == nullptr) report = &own_report;
  *report = Report();
  Expected<Bytes> stream = [&] {
    const StageClock clock(&report->times.total);
    return PublicCall([&]() -> Result<Bytes> {
      if (!read) return Status::Error(StatusCode::kInvalidArgument, "there is no row reader");
      return Encoder(model.impl(), info, options, extras, report).Run(metadata, read);
    });
  }();
  Log(options.log, {"encoded", info, stream ? stream->size() : 0, *report, stream.error()});
  return stream;
}

Expected<std::vector<uint8_t>> EncodeRows(const Model& model, const PictureInfo& info,
                                          const Metadata& metadata, const RowReader& read,
                                          const EncodeOptions& options, Report* report) {
  return EncodeRows(model, info, metadata, read, options, {}, report);
}

Expected<std::vector<uint8_t>> Encode(const Model& model, const Picture& picture,
                                      const EncodeOptions& options, Report* report) {
  return PublicCall([&]() -> Expected<std::vector<uint8_t>> {
    const Status status = CheckPicture(picture, options.limits);
    if (!status.ok()) return ToError(status);
    return EncodeRows(model, picture.info, picture.metadata, RowsOf(picture), options, report);
  });
}

}  // namespace glint
