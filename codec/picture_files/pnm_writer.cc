#include <cstring>
#include <utility>

#include "codec/picture_files/picture_files.h"

namespace glint {
namespace {

class PnmWriter final : public PictureWriter {
 public:
  PnmWriter(std::unique_ptr<ByteSink> sink, PnmKind kind, const PictureInfo& info)
      : sink_(std::move(sink)),
        kind_(kind),
        info_(info),
        repeat_(kind == PnmKind::kPpm && info.channels == 1 ? 3 : 1) {}

  Error Start();
  Error WriteRow(const void* row) override;
  Error Finish() override;

 private:
  Error Unfit(const std::string& reason) const {
    return FileError(ErrorCode::kInvalidArgument, sink_->name(), reason);
  }
  std::string Header() const;
  Error Convert(const uint8_t* row);

  std::unique_ptr<ByteSink> sink_;
  PnmKind kind_;
  PictureInfo info_;
  size_t repeat_;  // how often each sample is written
  Error failure_;
  uint32_t next_row_ = 0;
  std::vector<uint8_t> raw_;
};

std::string PnmWriter::Header() const {
  const std::string width = std::to_string(info_.width);
  const std::string height = std::to_string(info_.height);
  const std::string maxval = std::to_string((1u << info_.bit_depth) - 1);
  if (kind_ != PnmKind::kPam) {
    return (kind_ == PnmKind::kPgm ? "P5\n" : "P6\n") + width + " " + height + "\n" + maxval + "\n";
  }
  std::string tuple = info_.channels == 3 ? "RGB" : "GRAYSCALE";
  if (info_.bit_depth == 1) tuple = "BLACKANDWHITE";
  if (info_.has_alpha) tuple += "_ALPHA";
  return "P7\nWIDTH " + width + "\nHEIGHT " + height + "\nDEPTH " +
         std::to_string(info_.SamplesPerPixel()) + "\nMAXVAL " + maxval + "\nTUPLTYPE " + tuple +
         "\nENDHDR\n";
}

Error PnmWriter::Start() {
  if (info_.has_alpha && kind_ != PnmKind::kPam) {
    return Unfit("PPM and PGM have no alpha; use .png or .pam, or decode over a background");
  }
  if (info_.channels == 3 && kind_ == PnmKind::kPgm) {
    return Unfit("PGM has no colour; use .ppm, .png or .pam");
  }
  if (!TryResize(&raw_, info_.RowBytes() * repeat_)) {
    return FileError(ErrorCode::kLimit, sink_->name(), "out of memory");
  }
  const std::string header = Header();
  return sink_->Write(header.data(), header.size());
}

Error PnmWriter::WriteRow(const void* row) {
  if (!failure_.ok()) return failure_;
  if (next_row_ == info_.height) return Unfit("more rows than the picture has");
  const auto* bytes = static_cast<const uint8_t*>(row);
  if (info_.bit_depth != 8 || repeat_ != 1) {
    const Error unfit = Convert(bytes);
    if (!unfit.ok()) return unfit;
    bytes = raw_.data();
  }
  failure_ = sink_->Write(bytes, info_.RowBytes() * repeat_);
  if (failure_.ok()) ++next_row_;
  return failure_;
}

// To the file's samples.
Error PnmWriter::Convert(const uint8_t* row) {
  const size_t samples = size_t{info_.width} * info_.SamplesPerPixel();
  uint8_t* to = raw_.data();
  for (size_t i = 0; i < samples; ++i) {
    uint16_t value = row[i];
    if (info_.bit_depth == 16) std::memcpy(&value, row + 2 * i, sizeof(value));
    if (value >> info_.bit_depth != 0) {
      return Unfit("a sample of " + std::to_string(value) + " in a picture of " +
                   std::to_string(info_.bit_depth) + " bits");
    }
    for (size_t r = 0; r < repeat_; ++r) {
      if (info_.bit_depth == 16) *to++ = static_cast<uint8_t>(value >> 8);
      *to++ = static_cast<uint8_t>(value & 0xff);
    }
  }
  return {};
}

Error PnmWriter::Finish() {
  if (!failure_.ok()) return failure_;
  if (next_row_ != info_.height) {
    return Unfit("only " + std::to_string(next_row_) + " of " + std::to_string(info_.height) +
                 " rows were written");
  }
  return failure_ = sink_->Finish();
}

}  // namespace

Expected<std::unique_ptr<PictureWriter>> CreatePnm(std::unique_ptr<ByteSink> sink, PnmKind kind,
                                                   const PictureInfo& info) {
  auto writer = std::make_unique<PnmWriter>(std::move(sink), kind, info);
  const Error error = writer->Start();
  if (!error.ok()) return error;
  return std::unique_ptr<PictureWriter>(std::move(writer));
}

}  // namespace glint
