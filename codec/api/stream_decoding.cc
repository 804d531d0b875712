#include "codec/api/stream_decoding.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
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

bool IsWithin(const Crop& crop, const PictureInfo& info) {
  const auto fits = [](uint32_t begin, uint32_t size, uint32_t all) {
    return size > 0 && size <= all && begin <= all - size;
  };
  return fits(crop.x, crop.width, info.width) && fits(crop.y, crop.height, info.height);
}

// Gray of fewer than 8 bits comes with 8: means lie between its levels.
PictureInfo ShrunkInfo(PictureInfo info, int shrink) {
  if (shrink == 1) return info;
  info.width = ShrunkSize(info.width, static_cast<uint32_t>(shrink));
  info.height = ShrunkSize(info.height, static_cast<uint32_t>(shrink));
  info.bit_depth = std::max(info.bit_depth, 8u);
  return info;
}

constexpr uint32_t kTopDeep = 65535;

// The greatest sample of its alpha.
uint32_t TopAlpha(const PictureInfo& info) { return (1u << info.bit_depth) - 1; }

// The rows that a crop needs of a picture with details: of whole sections above it, and of whole
// blocks.
Crop WithDetails(const Crop& crop, const PictureInfo& info) {
  constexpr auto kSection = static_cast<uint32_t>(detail::kSectionRows);
  constexpr auto kBlock = uint64_t{detail::kBlock};
  const uint32_t begin = crop.y / kSection * kSection;
  const uint64_t end = (uint64_t{crop.y} + crop.height + kBlock - 1) / kBlock * kBlock;
  const uint64_t height = std::min<uint64_t>(info.height, end) - begin;
  return {0, begin, info.width, static_cast<uint32_t>(height)};
}

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
      whole_(OutputInfo(stream.header.source, options.deep)),
      output_(ShrunkInfo(whole_, options.shrink)),
      crop_(options.crop.value_or(Crop{0, 0, output_.width, output_.height})),
      cropped_(InfoOfPart(output_, crop_)),
      given_(FlatInfo(cropped_, options.alpha, options.background)),
      sink_(sink),
      report_(*report),
      context_(options),
      geometry_(model.document, model.graphs(), whole_.width, whole_.height),
      pixels_(cropped_),
      port_(model) {
  rows_.take = [this](int64_t row, const uint8_t* levels) {
    return details_ ? AddDetails(row, levels) : TakeRow(row, levels, synthesis_->deep_levels());
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
  if (IsWithin(crop_, output_)) return Status::Ok();
  const auto text = [](uint32_t a, const char* between, uint32_t b) {
    return std::to_string(a) + between + std::to_string(b);
  };
  return Status::Error(StatusCode::kInvalidArgument,
                       "a crop of " + text(crop_.width, " x ", crop_.height) + " pixels from " +
                           text(crop_.x, ", ", crop_.y) + " on is not within the picture of " +
                           text(output_.width, " x ", output_.height));
}

Result<uint64_t> StreamDecoding::Plan() {
  GLINT_TRY(Prepare(0));
  GLINT_TRY(PlanMemory(0));
  return report_.planned_bytes;
}

// Its model has a graph for it, whose pixels lie where those of the picture do. Colours weigh what
// their alpha does, which a graph knows nothing of.
bool StreamDecoding::ModelShrinks() const {
  if (whole_.has_alpha && options_.alpha != AlphaOutput::kDrop) return false;
  return model_.document.shrunk.count(options_.shrink) != 0 && geometry_.left() % shrink() == 0 &&
         geometry_.top() % options_.shrink == 0;
}

bool StreamDecoding::LeavesDetailsOut() const {
  return options_.detail == DetailOutput::kSkip || (stream_.has_whole_base && ModelShrinks());
}

Crop StreamDecoding::CropOfMade() const {
  if (!averages()) return crop_;
  const auto part = [this](uint32_t begin, uint32_t size, uint32_t all) {
    const uint64_t end = (uint64_t{begin} + size) * shrink();
    return static_cast<uint32_t>(std::min<uint64_t>(end, all)) - begin * shrink();
  };
  return {crop_.x * shrink(), crop_.y * shrink(), part(crop_.x, crop_.width, whole_.width),
          part(crop_.y, crop_.height, whole_.height)};
}

Status StreamDecoding::Prepare(double t) {
  GLINT_TRY(context_.Init());
  has_details_ = !stream_.details.empty() && !LeavesDetailsOut();
  shrinks_by_model_ = options_.shrink > 1 && ModelShrinks() && !has_details_;
  SynthesisForm form = model_.WholeSynthesis();
  if (shrinks_by_model_) {
    GLINT_ASSIGN(form, model_.ShrunkSynthesis(options_.shrink));
  }
  steps_ = options_.latents ? model_.steps.size() : form.steps;  // whose rows are all wanted
  const PictureInfo made = MadeInfo();
  const bool mean = stream_.header.gray && !has_details_;
  const auto colour = mean ? Synthesis::Colour::kMean : Synthesis::Colour::kThree;
  made_crop_ = CropOfMade();
  made_ = options_.crop && has_details_ ? WithDetails(made_crop_, made) : made_crop_;
  const auto part = options_.crop ? std::optional<Crop>(made_) : std::nullopt;
  const bool deep = made.SampleBytes() > 1 && options_.deep;
  synthesis_.emplace(model_, geometry_, made,
                     Synthesis::Options{context_, options_, form, t, colour, part, deep});
  if (has_details_ && deep) {
    deep_rows_.SetSize(size_t{made.width} * made.channels, detail::kBlock);
  }
  coder_ = std::make_unique<LatentCoder>(model_, geometry_,
                                         LatentCoderOptions{t, context_.runner(), options_.profile,
                                                            synthesis_->behind_segments(), steps_});
  return coder_->Plan();
}

Status StreamDecoding::PlanMemory(uint64_t more_bytes) {
  GLINT_ASSIGN(const uint64_t coding, synthesis_->MemoryWith(*coder_));
  report_.planned_bytes =
      coding + pixels_.MemoryNeeded() + more_bytes + AlphaBytes() + AverageBytes();
  if (has_details_) report_.planned_bytes += DetailReader::MemoryNeeded(whole_);
  if (deep_rows_.row_values() > 0) {
    report_.planned_bytes += deep_rows_.MemoryNeeded() + deep_rows_.row_values() * sizeof(uint16_t);
  }
  return context_.CheckPlan(report_.planned_bytes);
}

BoxAverage::Options StreamDecoding::ColourAverage() const {
  BoxAverage::Options options{made_crop_.width, whole_.channels, shrink()};
  const bool deep = options_.deep && whole_.SampleBytes() > 1;
  options.in_top = deep ? kTopDeep : static_cast<uint32_t>(TopLevel(whole_));
  options.out_top = deep ? kTopDeep : static_cast<uint32_t>(TopLevel(output_));
  options.has_weights = whole_.has_alpha && options_.alpha != AlphaOutput::kDrop;
  return options;
}

BoxAverage::Options StreamDecoding::AlphaAverage() const {
  return {made_crop_.width, 1, shrink(), TopAlpha(whole_), TopAlpha(output_)};
}

uint64_t StreamDecoding::AverageBytes() const {
  if (!averages()) return 0;
  const uint64_t row = uint64_t{crop_.width} * whole_.channels * sizeof(uint16_t);
  const uint64_t colour = BoxAverage::MemoryNeeded(ColourAverage()) + row;
  if (!whole_.has_alpha) return colour;
  return colour + BoxAverage::MemoryNeeded(AlphaAverage()) +
         uint64_t{made_crop_.width} * sizeof(uint16_t);
}

uint64_t StreamDecoding::AlphaBytes() const {
  if (!output_.has_alpha) return 0;
  const uint64_t flat_row = given_.has_alpha ? 0 : given_.RowBytes();
  const uint64_t row = uint64_t{whole_.width} * whole_.SampleBytes();
  return kAlphaStateBytes + 2 * whole_.RowBytes() + row + flat_row;
}

Status StreamDecoding::Begin(uint64_t more_bytes) {
  GLINT_TRY(Prepare(RateToT(model_.document.rate, stream_.header.lrd)));
  GLINT_TRY(PlanMemory(more_bytes));
  if (has_details_) {
    const bool skip_damaged = options_.detail == DetailOutput::kSkipDamaged;
    details_ = std::make_unique<DetailReader>(stream_, whole_, made_.y, skip_damaged, &report_);
  }
  if (deep_rows_.row_values() > 0) {
    if (!deep_rows_.Allocate()) {
      return Status::Error(StatusCode::kLimit, "out of memory for rows of 16 bits");
    }
    deep_row_.resize(deep_rows_.row_values());
  }
  if (averages()) AllocateAverages();
  pixels_.Allocate();
  GLINT_TRY(coder_->Allocate());
  GLINT_TRY(synthesis_->Allocate(*coder_));
  return Start();
}

void StreamDecoding::AllocateAverages() {
  colour_average_.emplace(ColourAverage());
  const size_t samples = size_t{crop_.width} * whole_.channels;
  if (options_.deep && whole_.SampleBytes() > 1) {
    average_deep_.resize(samples);
  } else {
    average_levels_.resize(samples);
  }
  if (!whole_.has_alpha) return;
  alpha_average_.emplace(AlphaAverage());
  alpha_weights_.resize(made_crop_.width);
}

Status StreamDecoding::Start() {
  if (output_.has_alpha) {
    GLINT_ASSIGN(alpha_, AlphaReader::Make(whole_.width, whole_.SampleBytes(), stream_.alpha));
    alpha_row_.resize(size_t{whole_.width} * whole_.SampleBytes());
    if (!given_.has_alpha) flattener_.emplace(cropped_, options_.alpha, options_.background);
  }
  if (sink_.start(given_, stream_.metadata)) return Status::Ok();
  return Status::Error(StatusCode::kCancelled, "stopped by the start callback");
}

// ---- segments ----------------------------------------------------------------------------------

Status StreamDecoding::DecodeLatents(int64_t segment) {
  if (CropIsDone()) return Status::Ok();
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
  report_.symbols += geometry_.Symbols(segment, steps_);
  // What is left of the segment is not known then.
  if (steps_ < model_.steps.size()) return Status::Ok();
  const StageClock clock(&report_.times.entropy);
  if (!port_.rans().Finish()) return DecoderPort::Damaged();
  if (coder_->LatentCrc(segment) != LoadU32(crc.data())) {
    return BadStream("its latents differ from those that were encoded (their CRC does not match)");
  }
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
  if (CropIsDone()) return true;
  return synthesis_->AddSegment(*coder_, segment, RowEnd(), rows_, &report_.times.synthesis);
}

// Of rows whose details are there.
int64_t StreamDecoding::RowEnd() const {
  const auto height = static_cast<int64_t>(MadeInfo().height);
  const auto sections = static_cast<int64_t>(stream_.details.size());
  return has_details_ ? std::min(height, detail::kSectionRows * sections) : height;
}

Status StreamDecoding::Finish() {
  if (options_.profile) coder_->AppendProfile(&report_.layers);
  coder_.reset();
  GLINT_TRY(synthesis_->Finish(rows_, &report_.times.synthesis));
  if (options_.profile) synthesis_->AppendProfile(&report_.layers);
  const bool all_alpha = alpha_ && alpha_rows_ == static_cast<int64_t>(whole_.height);
  return all_alpha ? alpha_->Finish() : Status::Ok();
}

Status StreamDecoding::AddDetails(int64_t row, const uint8_t* levels) {
  if (synthesis_->deep_levels() != nullptr) {
    std::copy_n(synthesis_->deep_levels(), deep_rows_.row_values(), deep_rows_.WriteRow(row));
  }
  return details_->Add(levels, [this](int64_t y, const uint8_t* with_details) {
    return TakeRow(y, with_details, DeepLevels(y, with_details));
  });
}

// Samples that details left as they were keep what is below 8 bits; others are those of 8 bits.
const uint16_t* StreamDecoding::DeepLevels(int64_t row, const uint8_t* levels) {
  if (deep_row_.empty()) return nullptr;
  constexpr int kStep = 257;
  const uint16_t* base = deep_rows_.Row(row);
  const size_t group = stream_.header.gray ? whole_.channels : 1;  // samples of one level
  for (size_t i = 0; i < deep_row_.size(); i += group) {
    const auto first = base + i;
    const int sum = std::accumulate(first, first + group, 0);
    const int mean = (sum + static_cast<int>(group) / 2) / static_cast<int>(group);
    const int level = levels[i] * kStep;
    const bool is_kept = std::abs(mean - level) <= kStep / 2;
    std::fill_n(&deep_row_[i], group, static_cast<uint16_t>(is_kept ? mean : level));
  }
  return deep_row_.data();
}

// A row of what is made, of all columns of `made_`.
Status StreamDecoding::TakeRow(int64_t row, const uint8_t* levels, const uint16_t* deep) {
  const int64_t y = row - static_cast<int64_t>(made_crop_.y);
  if (y < 0 || AllGiven()) return Status::Ok();
  const size_t at = (made_crop_.x - made_.x) * size_t{output_.channels};
  if (!averages()) return WriteRow(y, levels + at, deep == nullptr ? nullptr : deep + at);
  GLINT_TRY(AddToAverages(row, levels + at, deep == nullptr ? nullptr : deep + at));
  const bool is_last = y + 1 == static_cast<int64_t>(made_crop_.height);
  if ((y + 1) % options_.shrink != 0 && !is_last) return Status::Ok();
  if (alpha_average_) TakeAlphaAverage();
  if (average_deep_.empty()) {
    colour_average_->Take(average_levels_.data());
    return WriteRow(y / options_.shrink, average_levels_.data(), nullptr);
  }
  colour_average_->Take(average_deep_.data());
  return WriteRow(y / options_.shrink, nullptr, average_deep_.data());
}

// A row of whole_, from the first column of the crop on.
Status StreamDecoding::AddToAverages(int64_t row, const uint8_t* levels, const uint16_t* deep) {
  const uint16_t* weights = nullptr;
  if (alpha_) {
    for (; alpha_rows_ <= row; ++alpha_rows_) GLINT_TRY(alpha_->ReadRow(alpha_row_.data()));
    const auto* const wide = reinterpret_cast<const uint16_t*>(alpha_row_.data());
    for (size_t x = 0; x < alpha_weights_.size(); ++x) {
      const size_t at = made_crop_.x + x;
      alpha_weights_[x] = whole_.SampleBytes() == 2 ? wide[at] : alpha_row_[at];
    }
    alpha_average_->Add(alpha_weights_.data());
    if (options_.alpha != AlphaOutput::kDrop) weights = alpha_weights_.data();
  }
  const StageClock clock(&report_.times.synthesis);
  if (average_deep_.empty()) {
    colour_average_->Add(levels, weights);
  } else {
    colour_average_->Add(deep, weights);
  }
  return Status::Ok();
}

void StreamDecoding::TakeAlphaAverage() {
  if (whole_.SampleBytes() == 2) {
    alpha_average_->Take(reinterpret_cast<uint16_t*>(pixels_.alpha()));
  } else {
    alpha_average_->Take(pixels_.alpha());
  }
}

// A row of the crop, and no more columns.
Status StreamDecoding::WriteRow(int64_t row, const uint8_t* levels, const uint16_t* deep) {
  if (alpha_ && !averages()) GLINT_TRY(ReadAlpha(row + static_cast<int64_t>(crop_.y)));
  const uint8_t* samples = nullptr;
  {
    const StageClock clock(&report_.times.synthesis);
    samples = deep != nullptr ? pixels_.FromDeep(deep) : pixels_.FromColour(levels);
    if (flattener_) samples = flattener_->Row(samples);
  }
  ++rows_given_;
  if (sink_.write(static_cast<uint32_t>(row), samples)) return Status::Ok();
  return Status::Error(StatusCode::kCancelled, "row " + std::to_string(row) + " was not taken");
}

// The alpha of a row, and of those above it, which are packed before it. Of a picture that the
// model shrinks nobody wants it.
Status StreamDecoding::ReadAlpha(int64_t row) {
  if (options_.shrink > 1) return Status::Ok();
  for (; alpha_rows_ <= row; ++alpha_rows_) GLINT_TRY(alpha_->ReadRow(alpha_row_.data()));
  const size_t sample = whole_.SampleBytes();
  std::copy_n(alpha_row_.data() + crop_.x * sample, crop_.width * sample, pixels_.alpha());
  return Status::Ok();
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
  if (options.shrink != 1 &&
      std::find(kShrinks.begin(), kShrinks.end(), options.shrink) == kShrinks.end()) {
    return Status::Error(StatusCode::kInvalidArgument,
                         "shrink is " + std::to_string(options.shrink) + ", not 1, 2, 4 or 8");
  }
  if (options.detail < DetailOutput::kDecode || options.detail > DetailOutput::kSkipDamaged) {
    return invalid("detail is none of kDecode, kSkip, kSkipDamaged");
  }
  return Status::Ok();
}

}  // namespace glint
