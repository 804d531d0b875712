#include "codec/stream/alpha.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace glint {
namespace {

enum Filter : uint8_t { kNone, kSub, kUp, kAverage, kPaeth, kFilters };

int Paeth(int left, int up, int corner) {
  const int estimate = left + up - corner;
  const int to_left = std::abs(estimate - left);
  const int to_up = std::abs(estimate - up);
  const int to_corner = std::abs(estimate - corner);
  if (to_left <= to_up && to_left <= to_corner) return left;
  return to_up <= to_corner ? up : corner;
}

// What filter `filter` expects of a byte from its neighbours.
int Predict(uint8_t filter, int left, int up, int corner) {
  switch (filter) {
    case kSub:
      return left;
    case kUp:
      return up;
    case kAverage:
      return (left + up) / 2;
    case kPaeth:
      return Paeth(left, up, corner);
    default:
      return 0;
  }
}

// Rows as bytes, 16-bit samples with the high byte first.
class RowBytes {
 public:
  RowBytes(size_t width, size_t sample_bytes)
      : width_(width), sample_bytes_(sample_bytes), bytes_(width * sample_bytes) {}

  void Load(const void* samples) {
    if (sample_bytes_ == 1) {
      std::memcpy(bytes_.data(), samples, width_);
      return;
    }
    for (size_t x = 0; x < width_; ++x) {
      uint16_t sample = 0;
      std::memcpy(&sample, static_cast<const uint8_t*>(samples) + 2 * x, 2);
      bytes_[2 * x] = static_cast<uint8_t>(sample >> 8);
      bytes_[2 * x + 1] = static_cast<uint8_t>(sample);
    }
  }
  void Store(void* samples) const {
    if (sample_bytes_ == 1) {
      std::memcpy(samples, bytes_.data(), width_);
      return;
    }
    for (size_t x = 0; x < width_; ++x) {
      const uint16_t sample = static_cast<uint16_t>(bytes_[2 * x] << 8 | bytes_[2 * x + 1]);
      std::memcpy(static_cast<uint8_t*>(samples) + 2 * x, &sample, 2);
    }
  }
  std::vector<uint8_t>& bytes() { return bytes_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  uint8_t Left(size_t i) const {
    return i < sample_bytes_ ? uint8_t{0} : bytes_[i - sample_bytes_];
  }

 private:
  size_t width_;
  size_t sample_bytes_;
  std::vector<uint8_t> bytes_;
};

Status OutOfMemory() {
  return Status::Error(StatusCode::kLimit, "out of memory for the alpha channel");
}

class AlphaWriterImpl final : public AlphaWriter {
 public:
  AlphaWriterImpl(size_t width, size_t sample_bytes, std::vector<uint8_t>* out)
      : above_(width, sample_bytes),
        row_(width, sample_bytes),
        filtered_(width * sample_bytes + 1),
        best_(filtered_.size()),
        out_(out) {}
  ~AlphaWriterImpl() override {
    if (ready_) deflateEnd(&zlib_);
  }

  Status Init() {
    ready_ = deflateInit(&zlib_, Z_DEFAULT_COMPRESSION) == Z_OK;
    return ready_ ? Status::Ok() : OutOfMemory();
  }

  Status AddRow(const void* samples) override {
    row_.Load(samples);
    uint64_t best_cost = UINT64_MAX;
    for (uint8_t filter = 0; filter < kFilters; ++filter) {
      const uint64_t cost = Apply(filter);
      if (cost >= best_cost) continue;
      best_cost = cost;
      std::swap(best_, filtered_);
    }
    std::swap(row_, above_);
    return Deflate(best_.data(), best_.size(), Z_NO_FLUSH);
  }

  Status Finish() override { return Deflate(nullptr, 0, Z_FINISH); }

 private:
  // Fills filtered_; the sum of magnitudes is the usual estimate of what deflate makes of it.
  uint64_t Apply(uint8_t filter) {
    uint64_t cost = 0;
    filtered_[0] = filter;
    for (size_t i = 0; i < row_.bytes().size(); ++i) {
      const int expected = Predict(filter, row_.Left(i), above_.bytes()[i], above_.Left(i));
      const uint8_t rest = static_cast<uint8_t>(row_.bytes()[i] - expected);
      filtered_[i + 1] = rest;
      cost += rest < 128 ? rest : 256U - rest;
    }
    return cost;
  }

  Status Deflate(uint8_t* data, size_t size, int flush) {
    constexpr size_t kMost = size_t{1} << 30;  // zlib counts in 32 bits
    do {
      const size_t part = std::min(size, kMost);
      zlib_.next_in = data;
      zlib_.avail_in = static_cast<uInt>(part);
      const int mode = part == size ? flush : Z_NO_FLUSH;
      int code = Z_OK;
      do {
        uint8_t buffer[16384];
        zlib_.next_out = buffer;
        zlib_.avail_out = sizeof(buffer);
        code = deflate(&zlib_, mode);
        if (code == Z_STREAM_ERROR) return OutOfMemory();
        out_->insert(out_->end(), buffer, buffer + (sizeof(buffer) - zlib_.avail_out));
      } while (zlib_.avail_out == 0);
      data += part;
      size -= part;
    } while (size > 0);
    return Status::Ok();
  }

  RowBytes above_;
  RowBytes row_;
  std::vector<uint8_t> filtered_;
  std::vector<uint8_t> best_;
  std::vector<uint8_t>* out_;
  z_stream zlib_{};
  bool ready_ = false;
};

class AlphaReaderImpl final : public AlphaReader {
 public:
  AlphaReaderImpl(size_t width, size_t sample_bytes, std::span<const uint8_t> packed)
      : above_(width, sample_bytes), row_(width, sample_bytes), rest_(packed) {}
  ~AlphaReaderImpl() override {
    if (ready_) inflateEnd(&zlib_);
  }

  Status Init() {
    ready_ = inflateInit(&zlib_) == Z_OK;
    return ready_ ? Status::Ok() : OutOfMemory();
  }

  Status ReadRow(void* samples) override {
    uint8_t filter = 0;
    GLINT_TRY(Inflate(&filter, 1));
    if (filter >= kFilters) {
      return Status::Error(StatusCode::kBadStream,
                           "the alpha chunk has an unknown filter " + std::to_string(filter));
    }
    std::vector<uint8_t>& bytes = row_.bytes();
    GLINT_TRY(Inflate(bytes.data(), bytes.size()));
    for (size_t i = 0; i < bytes.size(); ++i) {
      const int expected = Predict(filter, row_.Left(i), above_.bytes()[i], above_.Left(i));
      bytes[i] = static_cast<uint8_t>(bytes[i] + expected);
    }
    row_.Store(samples);
    std::swap(row_, above_);
    return Status::Ok();
  }

  Status Finish() override {
    uint8_t more = 0;
    const Status status = Inflate(&more, 1);
    if (status.code() == StatusCode::kLimit) return status;
    if (!status.ok() && at_end_ && rest_.empty()) return Status::Ok();
    return Status::Error(StatusCode::kBadStream, "the alpha chunk does not end with the last row");
  }

 private:
  // Exactly `size` bytes, or an error.
  Status Inflate(uint8_t* out, size_t size) {
    constexpr size_t kMost = size_t{1} << 30;
    while (size > 0) {
      const size_t in_part = std::min(rest_.size(), kMost);
      const size_t out_part = std::min(size, kMost);
      zlib_.next_in = const_cast<uint8_t*>(rest_.data());
      zlib_.avail_in = static_cast<uInt>(in_part);
      zlib_.next_out = out;
      zlib_.avail_out = static_cast<uInt>(out_part);
      const int code = at_end_ ? Z_BUF_ERROR : inflate(&zlib_, Z_NO_FLUSH);
      rest_ = rest_.subspan(in_part - zlib_.avail_in);
      const size_t made = out_part - zlib_.avail_out;
      out += made;
      size -= made;
      if (code == Z_STREAM_END) at_end_ = true;
      if (code == Z_MEM_ERROR) return OutOfMemory();
      if (code != Z_OK && !(code == Z_STREAM_END && size == 0)) {
        return Status::Error(StatusCode::kBadStream, "the alpha chunk does not inflate");
      }
    }
    return Status::Ok();
  }

  RowBytes above_;
  RowBytes row_;
  std::span<const uint8_t> rest_;
  z_stream zlib_{};
  bool ready_ = false;
  bool at_end_ = false;
};

}  // namespace

Result<std::unique_ptr<AlphaWriter>> AlphaWriter::Make(size_t width, size_t sample_bytes,
                                                       std::vector<uint8_t>* out) {
  auto writer = std::make_unique<AlphaWriterImpl>(width, sample_bytes, out);
  GLINT_TRY(writer->Init());
  return std::unique_ptr<AlphaWriter>(std::move(writer));
}

Result<std::unique_ptr<AlphaReader>> AlphaReader::Make(size_t width, size_t sample_bytes,
                                                       std::span<const uint8_t> packed) {
  auto reader = std::make_unique<AlphaReaderImpl>(width, sample_bytes, packed);
  GLINT_TRY(reader->Init());
  return std::unique_ptr<AlphaReader>(std::move(reader));
}

}  // namespace glint
