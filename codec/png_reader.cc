#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <utility>

#include "codec/picture_files.h"

namespace glint {
namespace {

constexpr uint64_t kMaxMetadataBytes = uint64_t{64} << 20;

// Watches the bytes of a PNG on their way to libpng and keeps the chunks that are metadata, as they
// are. libpng checks their CRCs; it would also interpret, correct or drop what they say.
class ChunkTap {
 public:
  ChunkTap(Metadata* metadata, uint64_t max_bytes) : metadata_(metadata), max_bytes_(max_bytes) {}

  // False when metadata is beyond the limit.
  bool Watch(const uint8_t* data, size_t size) noexcept {
    try {
      while (size != 0) {
        const size_t taken = Step(data, size);
        data += taken;
        size -= taken;
      }
    } catch (const std::exception&) {  // out of memory
      return false;
    }
    return bytes_ <= max_bytes_;
  }

 private:
  static constexpr size_t kSignature = 8, kHeader = 8, kCrc = 4;

  size_t Step(const uint8_t* data, size_t size) {
    if (signature_left_ != 0) return Skip(&signature_left_, size);
    if (header_fill_ < kHeader) {
      header_[header_fill_++] = *data;
      if (header_fill_ == kHeader) Begin();
      return 1;
    }
    if (body_left_ != 0) {
      const size_t part = Skip(&body_left_, size);
      if (wanted_) bytes_ += part;
      if (wanted_ && bytes_ <= max_bytes_) body_.insert(body_.end(), data, data + part);
      return part;
    }
    const size_t part = Skip(&crc_left_, size);
    if (crc_left_ == 0) End();
    return part;
  }

  static size_t Skip(size_t* left, size_t size) {
    const size_t part = std::min(*left, size);
    *left -= part;
    return part;
  }

  void Begin() {
    body_left_ = size_t{header_[0]} << 24 | size_t{header_[1]} << 16 | size_t{header_[2]} << 8 |
                 size_t{header_[3]};
    type_.assign(header_.begin() + 4, header_.end());
    crc_left_ = kCrc;
    wanted_ = type_ == "iCCP" || type_ == "eXIf" || IsKeptChunk(type_, body_left_);
    body_.clear();
  }

  void End() {
    header_fill_ = 0;
    if (!wanted_) return;
    if (type_ == "iCCP") {
      if (metadata_->icc.empty()) InflateProfile();
    } else if (type_ == "eXIf") {
      if (metadata_->exif.empty()) metadata_->exif.swap(body_);
    } else if (MayRepeat(type_) || !Has(type_)) {
      metadata_->chunks.emplace_back(type_, std::move(body_));
      body_ = {};
    }
  }

  bool Has(const std::string& type) const {
    for (const auto& chunk : metadata_->chunks) {
      if (chunk.first == type) return true;
    }
    return false;
  }

  // Name, NUL, method 0, zlib data. A profile that cannot be read is as good as none.
  void InflateProfile() {
    constexpr size_t kMaxName = 79;
    const size_t scan = std::min(body_.size(), kMaxName + 1);
    const void* nul = scan == 0 ? nullptr : std::memchr(body_.data(), 0, scan);
    if (nul == nullptr) return;
    const size_t start = static_cast<size_t>(static_cast<const uint8_t*>(nul) - body_.data()) + 2;
    if (start >= body_.size() || body_[start - 1] != 0) return;

    z_stream stream{};
    stream.next_in = body_.data() + start;
    stream.avail_in = static_cast<uInt>(body_.size() - start);
    if (inflateInit(&stream) != Z_OK) return;
    int status = Z_OK;
    std::array<uint8_t, 16384> part;
    while (status == Z_OK && bytes_ <= max_bytes_) {
      stream.next_out = part.data();
      stream.avail_out = static_cast<uInt>(part.size());
      status = inflate(&stream, Z_NO_FLUSH);
      const size_t count = part.size() - stream.avail_out;
      bytes_ += count;
      if (TryAppend(part.data(), count)) continue;
      status = Z_MEM_ERROR;
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END) metadata_->icc.clear();
  }

  bool TryAppend(const uint8_t* data, size_t count) {
    if (count == 0) return true;
    const size_t old = metadata_->icc.size();
    if (!TryResize(&metadata_->icc, old + count)) return false;
    std::memcpy(metadata_->icc.data() + old, data, count);
    return true;
  }

  Metadata* metadata_;
  uint64_t max_bytes_;
  uint64_t bytes_ = 0;
  size_t signature_left_ = kSignature;
  size_t header_fill_ = 0;
  size_t body_left_ = 0;
  size_t crc_left_ = 0;
  bool wanted_ = false;
  std::array<uint8_t, kHeader> header_{};
  std::string type_;
  std::vector<uint8_t> body_;
};

class PngReader final : public PictureReader {
 public:
  PngReader(std::unique_ptr<ByteSource> source, const Limits& limits)
      : source_(std::move(source)),
        limits_(limits),
        tap_(&metadata_, std::min(limits.max_memory, kMaxMetadataBytes)) {}
  ~PngReader() override { png_destroy_read_struct(&png_, &png_info_, nullptr); }

  Error Start();
  const PictureInfo& info() const override { return info_; }
  const Metadata& metadata() const override { return metadata_; }
  Error ReadRow(void* row) override;
  Error Finish() override;

 private:
  static void OnRead(png_structp png, png_bytep out, size_t size);
  [[noreturn]] static void OnError(png_structp png, png_const_charp message);
  static void OnWarning(png_structp, png_const_charp) {}
  bool Deliver(uint8_t* out, size_t size);

  // Runs calls of libpng; false when one of them failed, reason_ says why. libpng leaves by
  // longjmp, so `body` and what it calls may own nothing: no object with a destructor lives between
  // here and there.
  template <typename Body>
  bool Guarded(const Body& body) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    body();
    return true;
  }

  Error Broken();  // the failure of Guarded, kept for later calls
  void ChooseFormat();
  Error CheckSize() const;
  Error DecodeWhole();

  std::unique_ptr<ByteSource> source_;
  Limits limits_;
  PictureInfo info_;
  Metadata metadata_;
  ChunkTap tap_;
  png_structp png_ = nullptr;
  png_infop png_info_ = nullptr;
  bool interlaced_ = false;
  bool metadata_too_large_ = false;
  std::array<char, 160> reason_{};
  Error failure_;
  uint32_t next_row_ = 0;
  std::vector<uint8_t> whole_;  // interlaced pictures only
};

void PngReader::OnRead(png_structp png, png_bytep out, size_t size) {
  auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
  if (!reader->Deliver(out, size)) png_error(png, "the file ends too early");
}

bool PngReader::Deliver(uint8_t* out, size_t size) {
  if (source_->Read(out, size) != size) return false;
  metadata_too_large_ = !tap_.Watch(out, size);
  return !metadata_too_large_;
}

void PngReader::OnError(png_structp png, png_const_charp message) {
  auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
  std::strncpy(reader->reason_.data(), message, reader->reason_.size() - 1);
  png_longjmp(png, 1);
}

Error PngReader::Broken() {
  if (metadata_too_large_) {
    failure_ =
        FileError(ErrorCode::kLimit, source_->name(),
                  "its metadata is larger than " +
                      std::to_string(std::min(limits_.max_memory, kMaxMetadataBytes)) + " bytes");
  } else {
    failure_ = source_->ErrorAtEnd(std::string("damaged PNG: ") + reason_.data());
  }
  return failure_;
}

// What Picture promises: RGB for palettes, alpha for colour keys, whole samples in native byte
// order.
void PngReader::ChooseFormat() {
  const png_byte color = png_get_color_type(png_, png_info_);
  const png_byte depth = png_get_bit_depth(png_, png_info_);
  const bool has_key = png_get_valid(png_, png_info_, PNG_INFO_tRNS) != 0;
  info_.width = png_get_image_width(png_, png_info_);
  info_.height = png_get_image_height(png_, png_info_);
  info_.channels = (color & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
  info_.has_alpha = (color & PNG_COLOR_MASK_ALPHA) != 0 || has_key;
  // Alpha of a colour key would not fit into fewer bits.
  const bool to_bytes = color == PNG_COLOR_TYPE_PALETTE || (depth < 8 && has_key);
  info_.bit_depth = to_bytes ? 8 : depth;
  interlaced_ = png_get_interlace_type(png_, png_info_) != PNG_INTERLACE_NONE;

  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
  if (has_key) png_set_tRNS_to_alpha(png_);
  if (info_.bit_depth < 8) png_set_packing(png_);
  if (info_.bit_depth == 16 && std::endian::native == std::endian::little) png_set_swap(png_);
  if (interlaced_) png_set_interlace_handling(png_);
}

Error PngReader::CheckSize() const {
  // libpng holds two rows of up to 8 bytes per pixel, and another for interlaced pictures.
  uint64_t working = uint64_t{info_.width} * 24;
  if (interlaced_ && info_.height != 0) {
    if (info_.RowBytes() > (limits_.max_memory / info_.height)) {
      working = UINT64_MAX;
    } else {
      working += uint64_t{info_.RowBytes()} * info_.height;
    }
  }
  return CheckPictureSize(source_->name(), info_, working, limits_);
}

Error PngReader::Start() {
  png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning);
  if (png_ != nullptr) png_info_ = png_create_info_struct(png_);
  if (png_info_ == nullptr) return FileError(ErrorCode::kLimit, source_->name(), "out of memory");
  if (!Guarded([this] {
        png_set_read_fn(png_, this, OnRead);
        png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        // The tap has them already.
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_read_info(png_, png_info_);
        ChooseFormat();
      })) {
    return Broken();
  }
  const Error size = CheckSize();
  if (!size.ok()) return size;
  if (!Guarded([this] { png_read_update_info(png_, png_info_); })) return Broken();
  if (png_get_rowbytes(png_, png_info_) != info_.RowBytes()) {
    return FileError(ErrorCode::kUnsupported, source_->name(), "an unknown kind of PNG");
  }
  return {};
}

Error PngReader::DecodeWhole() {
  const size_t row_bytes = info_.RowBytes();
  if (!TryResize(&whole_, row_bytes * info_.height)) {
    return FileError(ErrorCode::kLimit, source_->name(), "out of memory");
  }
  constexpr int kPasses = 7;
  const bool done = Guarded([this, row_bytes] {
    for (int pass = 0; pass < kPasses; ++pass) {
      for (uint32_t y = 0; y < info_.height; ++y) {
        png_read_row(png_, whole_.data() + size_t{y} * row_bytes, nullptr);
      }
    }
  });
  return done ? Error{} : Broken();
}

Error PngReader::ReadRow(void* row) {
  if (!failure_.ok()) return failure_;
  if (next_row_ == info_.height) {
    return FileError(ErrorCode::kInvalidArgument, source_->name(), "has no more rows");
  }
  if (interlaced_) {
    if (next_row_ == 0) {
      const Error error = DecodeWhole();
      if (!error.ok()) return failure_ = error;
    }
    std::memcpy(row, whole_.data() + size_t{next_row_} * info_.RowBytes(), info_.RowBytes());
  } else if (!Guarded([this, row] { png_read_row(png_, static_cast<png_bytep>(row), nullptr); })) {
    return Broken();
  }
  ++next_row_;
  return {};
}

Error PngReader::Finish() {
  if (!failure_.ok()) return failure_;
  if (next_row_ != info_.height) {
    return FileError(ErrorCode::kInvalidArgument, source_->name(), "not all rows were read");
  }
  std::vector<uint8_t>().swap(whole_);
  if (!Guarded([this] { png_read_end(png_, nullptr); })) return Broken();
  return {};
}

}  // namespace

Expected<std::unique_ptr<PictureReader>> OpenPng(std::unique_ptr<ByteSource> source,
                                                 const Limits& limits) {
  auto reader = std::make_unique<PngReader>(std::move(source), limits);
  const Error error = reader->Start();
  if (!error.ok()) return error;
  return std::unique_ptr<PictureReader>(std::move(reader));
}

}  // namespace glint
