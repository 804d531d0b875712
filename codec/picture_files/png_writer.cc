#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <utility>

#include "codec/picture_files/picture_files.h"
#include "codec/picture_files/png_memory.h"

namespace glint {
namespace {

constexpr size_t kMaxChunk = 0x7fffffff;
// Half the time of zlib's default for photographs, and files from 6 % smaller to 4 % larger.
constexpr int kCompressionLevel = 3;

// Deflates `data` and gives it to `take` a part at a time; false: out of memory.
template <typename Take>
bool Pack(const std::vector<uint8_t>& data, const Take& take) {
  z_stream zip{};
  if (deflateInit(&zip, Z_BEST_COMPRESSION) != Z_OK) return false;
  std::array<uint8_t, 4096> out{};
  size_t given = 0;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (zip.avail_in == 0) {
      zip.avail_in = static_cast<uInt>(std::min(data.size() - given, kMaxChunk));
      zip.next_in = const_cast<Bytef*>(data.data() + given);  // zlib only reads
      given += zip.avail_in;
    }
    zip.next_out = out.data();
    zip.avail_out = static_cast<uInt>(out.size());
    state = deflate(&zip, given == data.size() ? Z_FINISH : Z_NO_FLUSH);
    take(out.data(), out.size() - zip.avail_out);
  }
  deflateEnd(&zip);
  return true;
}

class PngWriter final : public PictureWriter {
 public:
  PngWriter(std::unique_ptr<ByteSink> sink, const PictureInfo& info)
      : sink_(std::move(sink)), info_(info) {}
  ~PngWriter() override { png_destroy_write_struct(&png_, &png_info_); }

  Error Start(const Metadata& metadata);
  Error WriteRow(const void* row) override;
  Error Finish() override;

 private:
  static void OnWrite(png_structp png, png_bytep data, size_t size);
  static void OnFlush(png_structp) {}
  [[noreturn]] static void OnError(png_structp png, png_const_charp message);
  static void OnWarning(png_structp, png_const_charp) {}
  bool Take(const uint8_t* data, size_t size);

  // As in PngReader: `body` and what it calls own nothing, for libpng leaves by longjmp.
  template <typename Body>
  bool Guarded(const Body& body) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    body();
    return true;
  }

  Error Broken();
  void WriteHeader();
  Error WriteMetadata(const Metadata& metadata);
  Error WriteProfile(const std::vector<uint8_t>& icc);
  Error TooLarge(uint64_t bytes) const;
  Error WriteChunk(const std::string& type, const std::vector<uint8_t>& body);
  Error CheckPacked(const uint8_t* row) const;

  std::unique_ptr<ByteSink> sink_;
  PictureInfo info_;
  PngMemory png_memory_;
  png_structp png_ = nullptr;
  png_infop png_info_ = nullptr;
  std::array<char, 160> reason_{};
  Error failure_;
  uint32_t next_row_ = 0;
};

void PngWriter::OnWrite(png_structp png, png_bytep data, size_t size) {
  auto* writer = static_cast<PngWriter*>(png_get_io_ptr(png));
  if (!writer->Take(data, size)) png_error(png, "cannot be written");
}

bool PngWriter::Take(const uint8_t* data, size_t size) {
  failure_ = sink_->Write(data, size);
  return failure_.ok();
}

void PngWriter::OnError(png_structp png, png_const_charp message) {
  auto* writer = static_cast<PngWriter*>(png_get_error_ptr(png));
  std::strncpy(writer->reason_.data(), message, writer->reason_.size() - 1);
  png_longjmp(png, 1);
}

Error PngWriter::Broken() {
  if (failure_.ok() && png_memory_.ran_out()) {
    failure_ = FileError(ErrorCode::kLimit, sink_->name(), "out of memory");
  }
  if (failure_.ok()) failure_ = FileError(ErrorCode::kIo, sink_->name(), reason_.data());
  return failure_;
}

void PngWriter::WriteHeader() {
  png_set_write_fn(png_, this, OnWrite, OnFlush);
  png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  int color = info_.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
  if (info_.has_alpha) color |= PNG_COLOR_MASK_ALPHA;
  png_set_IHDR(png_, png_info_, info_.width, info_.height, static_cast<int>(info_.bit_depth), color,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png_, kCompressionLevel);
  png_write_info(png_, png_info_);
  if (info_.bit_depth < 8) png_set_packing(png_);
  if (info_.bit_depth == 16 && std::endian::native == std::endian::little) png_set_swap(png_);
}

Error PngWriter::Start(const Metadata& metadata) {
  png_ = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning, &png_memory_,
                                   PngMemory::Allocate, PngMemory::Free);
  if (png_ != nullptr) png_info_ = png_create_info_struct(png_);
  if (png_info_ == nullptr) return FileError(ErrorCode::kLimit, sink_->name(), "out of memory");
  if (!Guarded([this] { WriteHeader(); })) return Broken();
  return WriteMetadata(metadata);
}

// The length of a chunk stands before it. So the profile is packed twice, once to count and once to
// write, and needs no buffer that grows with it.
Error PngWriter::WriteProfile(const std::vector<uint8_t>& icc) {
  static constexpr char kName[] = "ICC profile";  // then NUL and method 0
  constexpr size_t kHeadBytes = sizeof(kName) + 1;
  uint64_t packed = 0;
  const auto out_of_memory = [this] {
    return FileError(ErrorCode::kLimit, sink_->name(), "out of memory");
  };
  if (!Pack(icc, [&](const uint8_t*, size_t size) { packed += size; })) return out_of_memory();
  if (packed > kMaxChunk - kHeadBytes) return TooLarge(icc.size());
  bool written = Guarded([&] {
    uint8_t head[kHeadBytes] = {};
    std::memcpy(head, kName, sizeof(kName));
    png_write_chunk_start(png_, reinterpret_cast<png_const_bytep>("iCCP"),
                          static_cast<png_uint_32>(kHeadBytes + packed));
    png_write_chunk_data(png_, head, kHeadBytes);
  });
  const bool had_memory = Pack(icc, [&](const uint8_t* data, size_t size) {
    written = written && Guarded([&] { png_write_chunk_data(png_, data, size); });
  });
  if (!had_memory) return out_of_memory();
  written = written && Guarded([&] { png_write_chunk_end(png_); });
  return written ? Error{} : Broken();
}

Error PngWriter::TooLarge(uint64_t bytes) const {
  return FileError(ErrorCode::kInvalidArgument, sink_->name(),
                   "metadata of " + std::to_string(bytes) + " bytes does not fit into PNG");
}

Error PngWriter::WriteMetadata(const Metadata& metadata) {
  if (!metadata.icc.empty()) {
    const Error error = WriteProfile(metadata.icc);
    if (!error.ok()) return error;
  }
  if (!metadata.exif.empty()) {
    const Error error = WriteChunk("eXIf", metadata.exif);
    if (!error.ok()) return error;
  }
  for (const auto& [type, body] : metadata.chunks) {
    if (!IsKeptChunk(type, body.size())) continue;
    const Error error = WriteChunk(type, body);
    if (!error.ok()) return error;
  }
  return {};
}

Error PngWriter::WriteChunk(const std::string& type, const std::vector<uint8_t>& body) {
  if (body.size() > kMaxChunk) return TooLarge(body.size());
  const auto* name = reinterpret_cast<png_const_bytep>(type.data());
  const uint8_t* data = body.data();
  const size_t size = body.size();
  if (!Guarded([this, name, data, size] { png_write_chunk(png_, name, data, size); })) {
    return Broken();
  }
  return {};
}

Error PngWriter::CheckPacked(const uint8_t* row) const {
  for (size_t x = 0; x < info_.width; ++x) {
    if (row[x] >> info_.bit_depth != 0) {
      return FileError(ErrorCode::kInvalidArgument, sink_->name(),
                       "a sample of " + std::to_string(row[x]) + " in a picture of " +
                           std::to_string(info_.bit_depth) + " bits");
    }
  }
  return {};
}

Error PngWriter::WriteRow(const void* row) {
  if (!failure_.ok()) return failure_;
  if (next_row_ == info_.height) {
    return FileError(ErrorCode::kInvalidArgument, sink_->name(), "more rows than the picture has");
  }
  if (info_.bit_depth < 8) {
    const Error error = CheckPacked(static_cast<const uint8_t*>(row));
    if (!error.ok()) return error;
  }
  if (!Guarded([this, row] { png_write_row(png_, static_cast<png_const_bytep>(row)); })) {
    return Broken();
  }
  ++next_row_;
  return {};
}

Error PngWriter::Finish() {
  if (!failure_.ok()) return failure_;
  if (next_row_ != info_.height) {
    return FileError(ErrorCode::kInvalidArgument, sink_->name(),
                     "only " + std::to_string(next_row_) + " of " + std::to_string(info_.height) +
                         " rows were written");
  }
  if (!Guarded([this] { png_write_end(png_, nullptr); })) return Broken();
  return failure_ = sink_->Finish();
}

}  // namespace

Expected<std::unique_ptr<PictureWriter>> CreatePng(std::unique_ptr<ByteSink> sink,
                                                   const PictureInfo& info,
                                                   const Metadata& metadata) {
  if (info.has_alpha && info.bit_depth < 8) {
    return FileError(ErrorCode::kInvalidArgument, sink->name(),
                     "PNG has no gray of " + std::to_string(info.bit_depth) +
                         " bits with alpha; use .pam, or decode over a background");
  }
  auto writer = std::make_unique<PngWriter>(std::move(sink), info);
  const Error error = writer->Start(metadata);
  if (!error.ok()) return error;
  return std::unique_ptr<PictureWriter>(std::move(writer));
}

}  // namespace glint
