#include "codec/api/detail_writer.h"

#include "codec/detail/layout.h"
#include "codec/stage_clock.h"
#include "kernels/detail.h"

namespace glint {
namespace {

constexpr double kWorthOfChunk = 14 * 8;  // bits: frame, head and the coder's end
constexpr uint64_t kSectionBytes = 64;    // heads and frames, at most
// A sample of noise that must not be lost takes little more than its 8 bits. At the worst all its
// bits are a surprise to their models: some 16 of them, of 10 bits each.
constexpr uint64_t kMostBytesPerSample = 20;

}  // namespace

DetailWriter::DetailWriter(const PictureInfo& info, const detail::EncoderSettings& settings,
                           Report* report, BitsGrid* bits)
    : info_(info),
      settings_(settings),
      source_(size_t{info.width} * info.channels, info.height),
      base_(size_t{info.width} * info.channels, info.height),
      report_(*report),
      bits_(bits) {}

uint64_t DetailWriter::MemoryNeeded() const {
  return detail::SectionEncoder::MemoryNeeded(info_.width, info_.channels) +
         source_.MemoryNeeded() + base_.MemoryNeeded();
}

uint64_t DetailWriter::ExpectedOutput() const {
  return Samples() + Samples() / 4 + detail::Sections(info_.height) * kSectionBytes;
}

uint64_t DetailWriter::MostOutput() const {
  return Samples() * kMostBytesPerSample + detail::Sections(info_.height) * kSectionBytes;
}

Status DetailWriter::Take(int64_t row, const uint8_t* source, const uint8_t* base) {
  const StageClock clock(&report_.times.detail);
  if (row == 0) {
    source_.Allocate();
    base_.Allocate();
    encoder_ = std::make_unique<detail::SectionEncoder>(info_.width, info_.channels,
                                                        TopLevel(info_), settings_);
  }
  if (row % detail::kSectionRows == 0) encoder_->Begin();
  source_.Add(source);
  base_.Add(base);
  if (source_.IsWhole()) EncodeBlocks();
  if ((row + 1) % detail::kSectionRows == 0 || row + 1 == static_cast<int64_t>(info_.height)) {
    sections_.emplace_back();
    encoder_->Finish(&sections_.back());
  }
  return Status::Ok();
}

void DetailWriter::EncodeBlocks() {
  const size_t samples = size_t{info_.width} * info_.channels;
  DetailReport& report = report_.detail;
  const auto error = [&] {
    uint64_t sum = 0;
    for (size_t y = 0; y < source_.rows(); ++y) {
      sum += kernels::SquaredError(source_.Row(y), base_.Row(y), samples);
    }
    return static_cast<double>(sum) / static_cast<double>(Samples());
  };
  report.base_error += error();
  encoder_->EncodeRow(source_.Row(0), samples, base_.Block());
  AddBits();
  report.error += error();
  source_.Advance();
  base_.Advance();
}

void DetailWriter::AddBits() {
  if (bits_ == nullptr) return;
  constexpr int64_t kSide = detail::kBlock;
  const auto y = static_cast<int64_t>(source_.begin()), rows = static_cast<int64_t>(source_.rows());
  int64_t x = 0;
  for (const float bits : encoder_->block_bits()) {
    bits_->Add({x, y, kSide, rows}, bits);
    x += kSide;
  }
}

bool DetailWriter::PaysOff() const { return encoder_ && encoder_->worth() > kWorthOfChunk; }

// Until details are worth more than their chunk sections wait, and may never be written.
Status DetailWriter::EndSegment(int64_t, SegmentPlaces* places) {
  if (!PaysOff()) return Status::Ok();
  for (const Bytes& section : sections_) {
    ++written_;
    const int64_t end =
        std::min(written_ * detail::kSectionRows, static_cast<int64_t>(info_.height));
    GLINT_TRY(places->AddBehind(places->SegmentOf(end - 1), chunk::kDetail, section));
    report_.detail.bytes += section.size();
  }
  sections_.clear();
  return Status::Ok();
}

Status DetailWriter::Finish(SegmentPlaces* places) {
  GLINT_TRY(EndSegment(0, places));
  DetailReport& report = report_.detail;
  const auto& blocks = encoder_->blocks();
  const auto of = [&](detail::BlockKind kind) { return blocks[static_cast<size_t>(kind)]; };
  const uint64_t transforms = of(detail::BlockKind::kTransform);
  const uint64_t pixels = of(detail::BlockKind::kPixels) + of(detail::BlockKind::kNear);
  report.blocks = transforms + pixels + of(detail::BlockKind::kOff);
  if (PaysOff()) {
    report.transform_blocks = transforms;
    report.pixel_blocks = pixels;
  } else {
    report.error = report.base_error;
  }
  return Status::Ok();
}

}  // namespace glint
