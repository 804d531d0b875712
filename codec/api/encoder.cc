// Encode and EncodeRows: pixels to latents in bands, latents to segments, segments into the
// container.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "codec/api/call_context.h"
#include "codec/api/memory_plan.h"
#include "codec/latents/latent_coder.h"
#include "codec/memory_limit.h"
#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/samples/source_rows.h"
#include "codec/samples/whole_picture.h"
#include "codec/stage_clock.h"
#include "codec/stream/alpha_packer.h"
#include "codec/stream/container.h"
#include "codec/stream/metadata_chunks.h"
#include "codec/stream/rans.h"
#include "engine/float_env.h"
#include "engine/rate.h"
#include "engine/strips.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

// Share of the work that ends with the last row of y, for the progress callback.
constexpr double kAnalysisShare = 0.6;

// A byte for each symbol, where noise at the highest rate takes 0.4; and what container and
// segments take besides, which counts where the picture is tiny.
constexpr uint64_t kExpectedBytesPerSymbol = 1;
constexpr uint64_t kExpectedBytes = 32 * 1024;

// g_a and h_a over the picture: y and z, whole, in fixed point.
class Analysis {
 public:
  Analysis(const Model::Impl& model, const LatentGeometry& geometry, const PictureInfo& info,
           const CallContext& context, const CallOptions& options, double t)
      : model_(model),
        geometry_(geometry),
        info_(info),
        context_(context),
        pixels_(info, geometry, model.document),
        y_row_(geometry.width() * static_cast<size_t>(model.document.latent_channels)),
        z_row_(geometry.hyper_width() * static_cast<size_t>(model.document.hyper_channels)),
        fixed_scale_(static_cast<float>(1 << model.document.fraction_bits)),
        picture_bytes_(MultiplyBytes(pixels_.ColourBytes(), info.height)),
        y_options_(Options(model, geometry, context, options, t)),
        z_options_(y_options_),
        strips_(model.g_a, model.graph("g_a"), y_options_, Shape(model, geometry)) {
    z_options_.in_width = geometry.width();
    z_options_.in_height = geometry.height();
    z_options_.bands.rows = 1;
    in_strips_ = strips_.PaysOff(picture_bytes_);
  }

  // Of y and z, which stay.
  uint64_t LatentBytes() const {
    return (y_row_ * static_cast<uint64_t>(geometry_.height()) +
            z_row_ * static_cast<uint64_t>(geometry_.hyper_height())) *
           sizeof(int16_t);
  }
  // Of what FreeTransforms gives back.
  Result<uint64_t> TransformBytes() const {
    GLINT_ASSIGN(uint64_t y, in_strips_ ? strips_.MemoryNeeded()
                                        : Executor::MemoryNeeded(*model_.g_a, y_options_));
    if (in_strips_) y += picture_bytes_;
    if (model_.h_a != nullptr) {
      GLINT_ASSIGN(const uint64_t z, Executor::MemoryNeeded(*model_.h_a, z_options_));
      y += z;
    }
    return y + pixels_.MemoryNeeded();
  }

  Status Allocate() {
    pixels_.Allocate();
    if (!in_strips_) {
      GLINT_ASSIGN(g_a_, Executor::Make(model_.g_a, y_options_));
    }
    if (model_.h_a != nullptr) {
      GLINT_ASSIGN(h_a_, Executor::Make(model_.h_a, z_options_));
    }
    if (in_strips_ && !picture_.Allocate(static_cast<size_t>(picture_bytes_))) {
      return Status::Error(StatusCode::kLimit, "out of memory for the picture");
    }
    if (!y_.Allocate(y_row_ * static_cast<size_t>(geometry_.height())) ||
        !z_.Allocate(z_row_ * static_cast<size_t>(geometry_.hyper_height()))) {
      return Status::Error(StatusCode::kLimit, "out of memory for the latents");
    }
    return Status::Ok();
  }

  // `take_alpha` gets the alpha samples of every row; empty for pictures without.
  using AlphaSink = std::function<Status(const uint8_t* samples)>;
  Status Run(SourceRows* source, const AlphaSink& take_alpha, StageTimes* times) {
    if (in_strips_) return RunStrips(source, take_alpha, times);
    const long height = geometry_.height();
    for (long done = 0; done < height;) {
      for (const long end = g_a_->InputEnd(); rows_read_ < end; ++rows_read_) {
        GLINT_TRY(ReadRow(source, take_alpha, times));
      }
      {
        const StageClock clock(&times->analysis);
        g_a_->Advance();
        for (; done < g_a_->end(); ++done) {
          ToFixed(g_a_->OutputRow(done), y_row_, fixed_scale_,
                  y_.get() + static_cast<size_t>(done) * y_row_);
        }
      }
      RunHyper(done, times);
      GLINT_TRY(context_.Progress(kAnalysisShare * static_cast<double>(done) /
                                  static_cast<double>(height)));
    }
    return Status::Ok();
  }

  void FreeTransforms() {
    g_a_.reset();
    h_a_.reset();
    pixels_.Free();
    picture_ = {};
  }

  uint64_t saturated() const { return saturated_; }  // values of y and z
  const int16_t* y_row(long row) const { return y_.get() + static_cast<size_t>(row) * y_row_; }
  const int16_t* z_row(long row) const { return z_.get() + static_cast<size_t>(row) * z_row_; }

  void AppendProfile(std::vector<LayerProfile>* layers) const {
    for (const StepProfile& step : in_strips_ ? strips_.profile() : g_a_->profile()) {
      layers->push_back({"g_a", step.name, step.kernel, step.macs, step.seconds});
    }
    if (h_a_ == nullptr) return;
    for (const StepProfile& step : h_a_->profile()) {
      layers->push_back({"h_a", step.name, step.kernel, step.macs, step.seconds});
    }
  }

 private:
  static ExecutorOptions Options(const Model::Impl& model, const LatentGeometry& geometry,
                                 const CallContext& context, const CallOptions& call, double t) {
    ExecutorOptions options;
    options.in_width = geometry.padded_width();
    options.in_height = geometry.padded_height();
    options.bands.rows = context.BandLatentRows(model.document, geometry);
    options.t = t;
    options.runner = context.runner();
    options.profile = call.profile;
    return options;
  }

  static StripShape Shape(const Model::Impl& model, const LatentGeometry& geometry) {
    const auto unit = static_cast<size_t>(model.document.latent_stride);
    return {geometry.width(), unit, 1, std::max<size_t>(1, kStripPixels / unit)};
  }

  // The whole picture first, then y strip by strip.
  Status RunStrips(SourceRows* source, const AlphaSink& take_alpha, StageTimes* times) {
    const size_t row_bytes = pixels_.ColourBytes();
    for (long row = 0; row < static_cast<long>(info_.height); ++row) {
      GLINT_TRY(source->Next(pixels_.samples()));
      std::memcpy(picture_.get() + static_cast<size_t>(row) * row_bytes, pixels_.Colour(),
                  row_bytes);
      if (take_alpha) GLINT_TRY(take_alpha(pixels_.Alpha()));
    }
    const auto columns = [&](long row, size_t first, size_t count, float* values) {
      const std::optional<long> inside = pixels_.PictureRow(row);
      if (!inside) return pixels_.Zeros(count, values);
      pixels_.Convert(picture_.get() + static_cast<size_t>(*inside) * row_bytes, first, count,
                      values);
    };
    const auto latents = [&](long row, size_t first, size_t count, const float* values, size_t) {
      const auto channels = static_cast<size_t>(model_.document.latent_channels);
      ToFixed(values, count * channels, fixed_scale_,
              y_.get() + static_cast<size_t>(row) * y_row_ + first * channels);
    };
    const auto progress = [&](double done) { return context_.Progress(kAnalysisShare * done); };
    {
      const StageClock clock(&times->analysis);
      GLINT_TRY(strips_.Run(columns, latents, progress));
    }
    RunHyper(geometry_.height(), times);
    return Status::Ok();
  }

  // The next row of g_a's input.
  Status ReadRow(SourceRows* source, const AlphaSink& take_alpha, StageTimes* times) {
    const std::optional<long> row = pixels_.PictureRow(rows_read_);
    const bool is_new = row && *row == source_rows_;
    if (is_new) {
      GLINT_TRY(source->Next(pixels_.samples()));
      ++source_rows_;
    }
    {
      const StageClock clock(&times->analysis);
      float* values = g_a_->InputRow(0, rows_read_);
      row ? pixels_.ToFloats(values) : pixels_.Zeros(geometry_.padded_width(), values);
      g_a_->StoreInput(0, rows_read_);
    }
    return is_new && take_alpha ? take_alpha(pixels_.Alpha()) : Status::Ok();
  }

  // All rows of z that the first `y_end` rows of y suffice for.
  void RunHyper(long y_end, StageTimes* times) {
    const StageClock clock(&times->hyper);
    for (; z_done_ < geometry_.hyper_height(); ++z_done_) {
      const long need = h_a_->InputEnd();
      if (need > y_end) return;
      for (; y_fed_ < need; ++y_fed_) {
        kernels::FixedToFloat(y_row(y_fed_), h_a_->InputRow(0, y_fed_), y_row_, fixed_scale_);
        h_a_->StoreInput(0, y_fed_);
      }
      h_a_->Advance();
      ToFixed(h_a_->OutputRow(z_done_), z_row_, 1.0f,
              z_.get() + static_cast<size_t>(z_done_) * z_row_);
    }
  }

  void ToFixed(const float* values, size_t count, float scale, int16_t* out) {
    saturated_ += kernels::FloatToFixed(values, out, count, scale);
  }

  const Model::Impl& model_;
  const LatentGeometry& geometry_;
  const PictureInfo info_;
  const CallContext& context_;
  PixelReader pixels_;
  const size_t y_row_;  // values of a row
  const size_t z_row_;
  const float fixed_scale_;
  const uint64_t picture_bytes_;  // of colour
  ExecutorOptions y_options_, z_options_;
  StripTransform strips_;
  bool in_strips_ = false;
  AlignedBuffer<uint8_t> picture_;  // in strips only
  std::unique_ptr<Executor> g_a_, h_a_;
  AlignedBuffer<int16_t> y_, z_;
  long rows_read_ = 0;    // of the padded picture
  long source_rows_ = 0;  // of the picture
  long y_fed_ = 0;
  long z_done_ = 0;
  uint64_t saturated_ = 0;
};

// Symbols from y and z into rANS.
class EncoderPort final : public SymbolPort {
 public:
  EncoderPort(const Model::Impl& model, const Analysis& analysis)
      : analysis_(analysis),
        hyper_channels_(static_cast<size_t>(model.document.hyper_channels)),
        latent_channels_(static_cast<size_t>(model.document.latent_channels)),
        fraction_bits_(model.document.fraction_bits),
        rans_(&model.tables) {}

  Status CodeLine(Coded coded, const SymbolLine& line, const int16_t* mean,
                  const LineTables& tables, int16_t* decoded) override {
    const bool is_hyper = coded == Coded::kHyper;
    const size_t channels = is_hyper ? hyper_channels_ : latent_channels_;
    values_.resize(std::max(values_.size(), line.symbols));
    symbols_.resize(values_.size());
    int16_t* value = values_.data();
    line.ForEachRun([&](size_t position, const ChannelRun& run) {
      const long row = line.RowOf(position);
      const int16_t* latents = is_hyper ? analysis_.z_row(row) : analysis_.y_row(row);
      std::memcpy(value, latents + line.ColumnOf(position) * channels + run.channel,
                  run.count * sizeof(int16_t));
      value += run.count;
    });
    kernels::Quantise(values_.data(), mean, symbols_.data(), decoded, line.symbols,
                      is_hyper ? 0 : fraction_bits_);
    rans_.SetFirstTable(tables.first);
    if (tables.narrow != nullptr) {
      rans_.Put(tables.narrow, symbols_.data(), line.symbols);
    } else {
      rans_.Put(tables.wide, symbols_.data(), line.symbols);
    }
    return Status::Ok();
  }

  RansEncoder& rans() { return rans_; }

 private:
  const Analysis& analysis_;
  const size_t hyper_channels_, latent_channels_;
  const int fraction_bits_;
  RansEncoder rans_;
  std::vector<int16_t> values_;  // of a line, in the order of the stream
  std::vector<int16_t> symbols_;
};

// 0 for the model's default; rounded to the float that the stream carries.
Result<float> ChooseLrd(const RateControl& rate, double wanted) {
  const float lrd = static_cast<float>(wanted == 0 ? rate.default_value : wanted);
  if (lrd >= static_cast<float>(rate.min) && lrd <= static_cast<float>(rate.max)) return lrd;
  char text[160];
  std::snprintf(text, sizeof(text), "lrd is %g, the model takes %g to %g", wanted, rate.min,
                rate.max);
  return Status::Error(StatusCode::kInvalidArgument, text);
}

class Encoder {
 public:
  Encoder(const Model::Impl& model, const PictureInfo& info, const EncodeOptions& options,
          Report* report)
      : model_(model), info_(info), options_(options), report_(*report), context_(options) {}

  // Nothing but what Run would hold.
  Result<EncodingMemory> Plan() {
    GLINT_TRY(CheckPictureInfo(info_, options_.limits));
    GLINT_TRY(context_.Init());
    const LatentGeometry geometry(model_.document, model_.graphs(), info_.width, info_.height);
    const Analysis analysis(model_, geometry, info_, context_, options_, 0);
    LatentCoder coder(model_, geometry, {0, context_.runner(), false, nullptr});
    GLINT_TRY(coder.Plan());
    const RowReader nothing;
    const SourceRows source(info_, nothing, options_.exact);
    GLINT_TRY(PlanMemory(geometry, source, analysis, coder, {}));
    return EncodingMemory{working_bytes_ + expected_output_, expected_output_};
  }

  Result<Bytes> Run(const Metadata& metadata, const RowReader& read) {
    GLINT_TRY(CheckPictureInfo(info_, options_.limits));
    GLINT_TRY(context_.Init());
    GLINT_ASSIGN(const float lrd, ChooseLrd(model_.document.rate, options_.lrd));
    const double t = RateToT(model_.document.rate, lrd);
    const LatentGeometry geometry(model_.document, model_.graphs(), info_.width, info_.height);
    SourceRows source(info_, read, options_.exact);
    Analysis analysis(model_, geometry, info_, context_, options_, t);
    LatentCoder coder(model_, geometry, {t, context_.runner(), options_.profile, nullptr});
    GLINT_TRY(coder.Plan());
    GLINT_TRY(PlanMemory(geometry, source, analysis, coder, metadata));
    GLINT_TRY(HoldOutput(0));

    Bytes stream;
    // So that it does not grow by doubling; what stays empty costs no memory.
    stream.reserve(static_cast<size_t>(expected_output_));
    ContainerWriter container(&stream);
    source.Allocate();
    GLINT_TRY(analysis.Allocate());
    Bytes alpha;
    StreamHeader header{info_, model_.file->id(), lrd, false};
    GLINT_ASSIGN(header.source.has_alpha, Analyse(&source, &analysis, &alpha));
    header.gray = source.gray();
    report_.saturated_latents = analysis.saturated();
    if (options_.profile) analysis.AppendProfile(&report_.layers);
    analysis.FreeTransforms();
    source.Free();
    // Not before: only the last row tells what all rows have in common, and what a picture file has
    // behind its pixels belongs to the metadata.
    GLINT_TRY(container.AddHeader(header));
    // There is often room for them beside what was expected, and to pack them where the transforms
    // were.
    const uint64_t packing = MetadataWorkingBytes(metadata);
    const uint64_t known =
        2 * (alpha.size() + MetadataBytes(metadata)) + packing - std::min(packing, stages_bytes_);
    if (known > expected_output_) ExpectOutput(metadata);
    GLINT_TRY(HoldOutput(known));
    GLINT_TRY(WriteMetadata(metadata, &container));
    if (header.source.has_alpha) GLINT_TRY(container.Add(chunk::kAlpha, alpha));
    Bytes().swap(alpha);
    GLINT_TRY(coder.Allocate());
    GLINT_TRY(CodeSegments(geometry, analysis, &coder, &container, &stream));
    GLINT_TRY(container.Add(chunk::kEnd, {}));
    if (options_.profile) coder.AppendProfile(&report_.layers);
    if (stream.size() < expected_output_ / 2) stream.shrink_to_fit();
    return stream;
  }

 private:
  Status PlanMemory(const LatentGeometry& geometry, const SourceRows& source,
                    const Analysis& analysis, const LatentCoder& coder, const Metadata& metadata) {
    // Items and words of the entropy coder for its largest segment, and the segment itself.
    constexpr uint64_t kBytesPerSymbol = 10;
    GLINT_ASSIGN(uint64_t transforms, analysis.TransformBytes());
    GLINT_ASSIGN(uint64_t coding, coder.MemoryNeeded());
    transforms += source.MemoryNeeded();
    if (info_.has_alpha) transforms += kAlphaStateBytes + 4 * info_.RowBytes();
    coding += geometry.MostSymbols() * kBytesPerSymbol;
    // One after the other; metadata are packed between the two.
    stages_bytes_ = std::max({transforms, coding, MetadataWorkingBytes(metadata)});
    working_bytes_ = analysis.LatentBytes() + stages_bytes_;
    symbols_ = geometry.AllSymbols();
    ExpectOutput(metadata);
    return Status::Ok();
  }

  // Alpha and metadata are there twice when they go into the stream.
  void ExpectOutput(const Metadata& metadata) {
    other_output_ = kExpectedBytes + 2 * (MostPackedAlpha(info_) + MetadataBytes(metadata));
    expected_output_ = other_output_ + symbols_ * kExpectedBytesPerSymbol;
  }

  // What goes out grows beside the working memory. The plan has room for more than streams are seen
  // to take; a picture that needs yet more is told what would do in any case.
  Status HoldOutput(uint64_t bytes) {
    constexpr uint64_t kMostBytesPerSymbol = 5;  // table, head of an escape and its bits
    const uint64_t planned = working_bytes_ + std::max(expected_output_, bytes);
    report_.planned_bytes = std::max(report_.planned_bytes, planned);
    const uint64_t most = working_bytes_ + other_output_ + symbols_ * 2 * kMostBytesPerSymbol;
    return context_.CheckPlan(report_.planned_bytes, bytes > expected_output_ ? most : 0);
  }

  // Whether the stream has an alpha channel.
  Result<bool> Analyse(SourceRows* source, Analysis* analysis, Bytes* packed_alpha) {
    if (!info_.has_alpha) {
      GLINT_TRY(analysis->Run(source, {}, &report_.times));
      return false;
    }
    AlphaPacker alpha(info_, options_.exact, packed_alpha);
    const Analysis::AlphaSink take_alpha = [&](const uint8_t* samples) {
      return alpha.AddRow(samples);
    };
    GLINT_TRY(analysis->Run(source, take_alpha, &report_.times));
    GLINT_TRY(alpha.Finish());
    return alpha.says_something();
  }

  Status CodeSegments(const LatentGeometry& geometry, const Analysis& analysis, LatentCoder* coder,
                      ContainerWriter* container, const Bytes* stream) {
    EncoderPort port(model_, analysis);
    Bytes payload;
    for (long s = 0; s < geometry.segments(); ++s) {
      payload.clear();
      GLINT_TRY(coder->CodeSegment(s, &port, &report_.times));
      {
        const StageClock clock(&report_.times.entropy);
        report_.estimated_bits += port.rans().bits();
        report_.symbols += port.rans().symbols();
        port.rans().Finish(&payload);
        const size_t crc_at = payload.size();
        AppendU32(coder->LatentCrc(s), &payload);
        report_.latent_crc = Crc32(report_.latent_crc, ByteSpan(payload).subspan(crc_at));
        GLINT_TRY(container->Add(chunk::kSegment, payload));
        GLINT_TRY(HoldOutput(stream->size() <= expected_output_ ? 0 : stream->capacity()));
      }
      GLINT_TRY(
          context_.Progress(kAnalysisShare + (1 - kAnalysisShare) * static_cast<double>(s + 1) /
                                                 static_cast<double>(geometry.segments())));
    }
    return Status::Ok();
  }

  const Model::Impl& model_;
  const PictureInfo info_;
  const EncodeOptions& options_;
  Report& report_;
  CallContext context_;
  uint64_t working_bytes_ = 0;
  uint64_t stages_bytes_ = 0;  // of that what one stage after the other has
  uint64_t symbols_ = 0;
  uint64_t other_output_ = 0;     // alpha and metadata, at most
  uint64_t expected_output_ = 0;  // with the symbols
};

}  // namespace

Result<EncodingMemory> PlanEncoding(const Model::Impl& model, const PictureInfo& info,
                                    const CallOptions& options) {
  EncodeOptions encode;
  static_cast<CallOptions&>(encode) = options;
  Report report;
  return Encoder(model, info, encode, &report).Plan();
}

Expected<std::vector<uint8_t>> EncodeRows(const Model& model, const PictureInfo& info,
                                          const Metadata& metadata, const RowReader& read,
                                          const EncodeOptions& options, Report* report) {
  const ScopedFloatEnv float_env;
  Report own_report;
  if (report == nullptr) report = &own_report;
  *report = Report();
  const StageClock clock(&report->times.total);
  auto stream = WithoutBadAlloc([&]() -> Result<Bytes> {
    if (!read) return Status::Error(StatusCode::kInvalidArgument, "there is no row reader");
    return Encoder(model.impl(), info, options, report).Run(metadata, read);
  });
  if (!stream.ok()) return ToError(stream.status());
  return std::move(*stream);
}

Expected<std::vector<uint8_t>> Encode(const Model& model, const Picture& picture,
                                      const EncodeOptions& options, Report* report) {
  const Status status = CheckPicture(picture, options.limits);
  if (!status.ok()) return ToError(status);
  return EncodeRows(model, picture.info, picture.metadata, RowsOf(picture), options, report);
}

}  // namespace glint
