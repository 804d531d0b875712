#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/memory_limit.h"
#include "codec/picture_files/picture_files.h"

namespace glint {
namespace {

constexpr uint32_t kMaxNumber = 0x7fffffff;
constexpr size_t kMaxWord = 64;

bool IsSpace(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(int c) { return c >= '0' && c <= '9'; }

// PGM and PPM in text and bytes (P2, P3, P5, P6) and PAM (P7), any maxval.
//
// Gray of maxval 1, 3 or 15 without alpha keeps its 1, 2 or 4 bits. Every other maxval is scaled,
// with rounding, to 8 bits if it is at most 255, else to 16.
class PnmReader final : public PictureReader {
 public:
  PnmReader(std::unique_ptr<ByteSource> source, const Limits& limits)
      : source_(std::move(source)), limits_(limits) {}

  Error Start();
  const PictureInfo& info() const override { return info_; }
  const Metadata& metadata() const override { return metadata_; }
  const std::string& format() const override { return format_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }
  uint64_t memory() const override { return memory_; }
  Error ReadRow(void* row) override;
  Error Finish() override;
  Metadata TakeMetadata() override { return std::exchange(metadata_, {}); }

 private:
  Error Bad(const std::string& reason) const {
    return FileError(ErrorCode::kBadImage, source_->name(), reason);
  }
  Error ReadNumber(const char* what, uint32_t max, uint32_t* value);
  Error ReadNumbersHeader(int kind);
  Error ReadPamHeader();
  Error ReadPamLine(const std::string& key, std::string* tuple);
  Error SetPamChannels(uint32_t depth, const std::string& tuple);
  void SkipComment();
  void SkipSpace();
  std::string ReadWord();
  Error ChooseDepth();
  Error CheckClaims() const;
  Error Begin();
  Error ReadBytes(void* bytes, size_t count);
  Error ReadSamples(uint16_t* samples);
  void Store(const uint16_t* samples, void* row) const;

  std::unique_ptr<ByteSource> source_;
  Limits limits_;
  PictureInfo info_;
  Metadata metadata_;  // always empty
  std::vector<std::string> warnings_;
  std::string format_;
  uint64_t memory_ = 0;
  bool text_ = false;
  uint32_t maxval_ = 0;
  uint32_t scale_to_ = 0;  // the maximum of what is delivered
  size_t row_samples_ = 0;
  uint32_t next_row_ = 0;
  Error failure_;
  std::vector<uint8_t> raw_;
  std::vector<uint16_t> samples_;
};

void PnmReader::SkipComment() {
  int c = source_->GetByte();
  while (c >= 0 && c != '\n') c = source_->GetByte();
}

void PnmReader::SkipSpace() {
  while (true) {
    const int c = source_->PeekByte();
    if (c == '#') {
      SkipComment();
    } else if (IsSpace(c)) {
      source_->GetByte();
    } else {
      return;
    }
  }
}

Error PnmReader::ReadNumber(const char* what, uint32_t max, uint32_t* value) {
  SkipSpace();
  if (source_->PeekByte() < 0) return source_->ErrorAtEnd("the file ends too early");
  if (!IsDigit(source_->PeekByte())) return Bad(std::string("no number for the ") + what);
  uint64_t number = 0;
  while (IsDigit(source_->PeekByte())) {
    number = number * 10 + static_cast<uint64_t>(source_->GetByte() - '0');
    if (number > max)
      return Bad(std::string("the ") + what + " is more than " + std::to_string(max));
  }
  *value = static_cast<uint32_t>(number);
  return {};
}

Error PnmReader::ReadNumbersHeader(int kind) {
  text_ = kind == '2' || kind == '3';
  info_.channels = kind == '2' || kind == '5' ? 1 : 3;
  Error error = ReadNumber("width", kMaxNumber, &info_.width);
  if (error.ok()) error = ReadNumber("height", kMaxNumber, &info_.height);
  if (error.ok()) error = ReadNumber("maximum", 65535, &maxval_);
  if (!error.ok()) return error;
  // One character of white space; samples begin right behind it.
  if (!IsSpace(source_->GetByte())) return source_->ErrorAtEnd("no space behind the header");
  return {};
}

std::string PnmReader::ReadWord() {
  SkipSpace();
  std::string word;
  while (source_->PeekByte() >= 0 && !IsSpace(source_->PeekByte()) && word.size() < kMaxWord) {
    word += static_cast<char>(source_->GetByte());
  }
  return word;
}

Error PnmReader::ReadPamLine(const std::string& key, std::string* tuple) {
  if (key == "WIDTH") return ReadNumber("width", kMaxNumber, &info_.width);
  if (key == "HEIGHT") return ReadNumber("height", kMaxNumber, &info_.height);
  if (key == "DEPTH") return ReadNumber("depth", 65535, &info_.channels);
  if (key == "MAXVAL") return ReadNumber("maximum", 65535, &maxval_);
  if (key == "TUPLTYPE") {
    *tuple = ReadWord();
    return {};
  }
  if (key.empty()) return source_->ErrorAtEnd("the file ends too early");
  return Bad("the header has an unknown line " + key);
}

Error PnmReader::ReadPamHeader() {
  std::string tuple;
  info_.channels = 0;
  for (std::string key = ReadWord(); key != "ENDHDR"; key = ReadWord()) {
    const Error error = ReadPamLine(key, &tuple);
    if (!error.ok()) return error;
  }
  if (source_->GetByte() != '\n') return source_->ErrorAtEnd("no line end behind ENDHDR");
  return SetPamChannels(info_.channels, tuple);
}

Error PnmReader::SetPamChannels(uint32_t depth, const std::string& tuple) {
  static constexpr struct {
    const char* tuple;
    uint32_t depth;
  } kTuples[] = {{"BLACKANDWHITE", 1},
                 {"GRAYSCALE", 1},
                 {"BLACKANDWHITE_ALPHA", 2},
                 {"GRAYSCALE_ALPHA", 2},
                 {"RGB", 3},
                 {"RGB_ALPHA", 4},
                 {"", 1},
                 {"", 2},
                 {"", 3},
                 {"", 4}};
  for (const auto& known : kTuples) {
    if (tuple != known.tuple || depth != known.depth) continue;
    info_.channels = depth < 3 ? 1 : 3;
    info_.has_alpha = depth % 2 == 0;
    return {};
  }
  return FileError(ErrorCode::kUnsupported, source_->name(),
                   "PAM of type \"" + tuple + "\" with depth " + std::to_string(depth));
}

Error PnmReader::ChooseDepth() {
  if (maxval_ == 0) return Bad("the maximum is missing or 0");
  const bool plain_gray = info_.channels == 1 && !info_.has_alpha;
  info_.bit_depth = maxval_ > 255 ? 16 : 8;
  if (plain_gray && maxval_ == 1) info_.bit_depth = 1;
  if (plain_gray && maxval_ == 3) info_.bit_depth = 2;
  if (plain_gray && maxval_ == 15) info_.bit_depth = 4;
  scale_to_ = (1u << info_.bit_depth) - 1;
  return {};
}

// A file that is known to be too short is not begun: two characters for every sample in text (the
// last may go without its space), whole samples otherwise; the header counts as nothing.
Error PnmReader::CheckClaims() const {
  const uint64_t samples =
      MultiplyBytes(uint64_t{info_.width} * info_.SamplesPerPixel(), info_.height);
  const uint64_t claimed = MultiplyBytes(samples, text_ || maxval_ > 255 ? 2 : 1);
  if (!source_->size() || claimed <= *source_->size() + (text_ ? 1 : 0)) return {};
  return Bad("the file ends too early: its " + std::to_string(*source_->size()) +
             " bytes cannot be " + std::to_string(info_.width) + "x" +
             std::to_string(info_.height) + " pixels");
}

Error PnmReader::Start() {
  source_->GetByte();  // 'P', as the caller saw
  const int kind = source_->GetByte();
  Error error = kind == '7' ? ReadPamHeader() : ReadNumbersHeader(kind);
  if (error.ok()) error = ChooseDepth();
  if (error.ok()) error = CheckPictureSize(source_->name(), info_, limits_);
  if (error.ok()) error = CheckClaims();
  format_ = kind == '7' ? "PAM" : info_.channels == 1 ? "PGM" : "PPM";
  if (text_) format_ += ", text";
  const uint64_t row_samples = uint64_t{info_.width} * info_.SamplesPerPixel();
  memory_ = kSourceBytes + row_samples * (sizeof(uint16_t) + (maxval_ > 255 ? 2 : 1));
  row_samples_ = static_cast<size_t>(row_samples);
  return error;
}

Error PnmReader::Begin() {
  const Error error = CheckMemory(source_->name() + ":", memory_, limits_);
  if (!error.ok()) return error;
  const size_t raw_bytes = text_ ? 0 : row_samples_ * (maxval_ > 255 ? 2 : 1);
  if (!TryResize(&samples_, row_samples_) || !TryResize(&raw_, raw_bytes)) {
    return FileError(ErrorCode::kLimit, source_->name(), "out of memory");
  }
  return {};
}

Error PnmReader::ReadBytes(void* bytes, size_t count) {
  if (source_->Read(bytes, count) == count) return {};
  return source_->ErrorAtEnd("the file ends too early");
}

Error PnmReader::ReadSamples(uint16_t* samples) {
  if (text_) {
    for (size_t i = 0; i < row_samples_; ++i) {
      uint32_t value = 0;
      const Error error = ReadNumber("sample", maxval_, &value);
      if (!error.ok()) return error;
      samples[i] = static_cast<uint16_t>(value);
    }
    return {};
  }
  const Error error = ReadBytes(raw_.data(), raw_.size());
  if (!error.ok()) return error;
  uint32_t largest = 0;
  for (size_t i = 0; i < row_samples_; ++i) {
    const uint32_t value =
        maxval_ > 255 ? uint32_t{raw_[2 * i]} << 8 | raw_[2 * i + 1] : uint32_t{raw_[i]};
    largest = std::max(largest, value);
    samples[i] = static_cast<uint16_t>(value);
  }
  if (largest > maxval_) {
    return Bad("a sample of " + std::to_string(largest) + ", the maximum is " +
               std::to_string(maxval_));
  }
  return {};
}

void PnmReader::Store(const uint16_t* samples, void* row) const {
  const auto scaled = [this](uint32_t value) {
    return maxval_ == scale_to_ ? value : (value * scale_to_ + maxval_ / 2) / maxval_;
  };
  auto* bytes = static_cast<uint8_t*>(row);
  for (size_t i = 0; i < row_samples_; ++i) {
    const uint32_t value = scaled(samples[i]);
    if (info_.bit_depth <= 8) {
      bytes[i] = static_cast<uint8_t>(value);
    } else {
      const auto wide = static_cast<uint16_t>(value);
      std::memcpy(bytes + 2 * i, &wide, sizeof(wide));
    }
  }
}

Error PnmReader::ReadRow(void* row) {
  if (!failure_.ok()) return failure_;
  if (next_row_ == info_.height) {
    return FileError(ErrorCode::kInvalidArgument, source_->name(), "has no more rows");
  }
  if (next_row_ == 0) failure_ = Begin();
  const bool plain = !text_ && maxval_ == 255;  // the file's bytes are the row's
  if (failure_.ok()) failure_ = plain ? ReadBytes(row, row_samples_) : ReadSamples(samples_.data());
  if (!failure_.ok()) return failure_;
  if (!plain) Store(samples_.data(), row);
  ++next_row_;
  return {};
}

// The format has no end marker, and a pipe may stay open: only of files it is seen what follows.
Error PnmReader::Finish() {
  if (!failure_.ok()) return failure_;
  if (next_row_ != info_.height) {
    return FileError(ErrorCode::kInvalidArgument, source_->name(), "not all rows were read");
  }
  if (!source_->size() || !warnings_.empty()) return {};
  while (IsSpace(source_->PeekByte())) source_->GetByte();
  if (source_->PeekByte() >= 0) warnings_.emplace_back("more follows the picture: left out");
  return {};
}

}  // namespace

Expected<std::unique_ptr<PictureReader>> OpenPnm(std::unique_ptr<ByteSource> source,
                                                 const Limits& limits) {
  auto reader = std::make_unique<PnmReader>(std::move(source), limits);
  const Error error = reader->Start();
  if (!error.ok()) return error;
  return std::unique_ptr<PictureReader>(std::move(reader));
}

}  // namespace glint
