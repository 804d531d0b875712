#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "codec/memory_limit.h"
#include "codec/picture_files/picture_files.h"
#include "codec/picture_files/png_chunks.h"
#include "codec/picture_files/png_memory.h"

namespace glint {
namespace {

// Room for metadata behind the pixels, where the file cannot be looked through beforehand.
constexpr uint64_t kLateMetadata = uint64_t{1} << 20;
// zlib's window, libpng's structs, and the buffers of both.
constexpr uint64_t kLibraryBytes = 128 * 1024;

class PngReader final : public PictureReader {
 public:
  PngReader(std::unique_ptr<ByteSource> source, const Limits& limits)
      : source_(std::move(source)),
        limits_(limits),
        tap_(&metadata_, std::min(FreeMemory(limits), kMostMetadata)) {}
  ~PngReader() override { png_destroy_read_struct(&png_, &png_info_, nullptr); }

  Error Start();
  const PictureInfo& info() const override { return info_; }
  const Metadata& metadata() const override { return metadata_; }
  const std::string& format() const override { return format_; }
  const std::vector<std::string>& warnings() const override { return tap_.warnings().texts(); }
  uint64_t memory() const override { return memory_; }
  Error ReadRow(void* row) override;
  Error Finish() override;
  Metadata TakeMetadata() override { return std::exchange(metadata_, {}); }

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
  Error CheckClaims() const;
  void PlanMemory();
  Error Begin();
  Error DecodeWhole();

  std::unique_ptr<ByteSource> source_;
  Limits limits_;
  PictureInfo info_;
  Metadata metadata_;
  PngChunkTap tap_;
  std::optional<PngScan> scan_;
  std::string format_;
  uint64_t memory_ = 0;
  PngMemory png_memory_;
  png_structp png_ = nullptr;
  png_infop png_info_ = nullptr;
  bool interlaced_ = false;
  bool has_palette_ = false;
  bool metadata_too_large_ = false;
  std::array<char, 160> reason_{};
  Error failure_;
  uint32_t next_row_ = 0;
  std::unique_ptr<uint8_t[]> whole_;  // interlaced pictures only
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
  if (png_memory_.ran_out() || tap_.out_of_memory()) {
    failure_ = FileError(ErrorCode::kLimit, source_->name(), "out of memory");
  } else if (metadata_too_large_ && tap_.limit() == kMostMetadata) {
    failure_ = MetadataBeyondAll(source_->name());
  } else if (metadata_too_large_) {
    std::string reason = "its metadata takes more than " + MemoryText(tap_.limit());
    if (!scan_) reason += "; from a file, not a pipe, more can be read";
    failure_ = FileError(ErrorCode::kLimit, source_->name(), reason);
  } else if (tap_.is_apple()) {
    failure_ = FileError(ErrorCode::kUnsupported, source_->name(),
                         "Apple's variant of PNG (CgBI), made for iPhones: `pngcrush "
                         "-revert-iphone-optimizations` makes a PNG of it");
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
  has_palette_ = color == PNG_COLOR_TYPE_PALETTE;
}

// Whether the compressed pixels can inflate to what the header claims.
Error PngReader::CheckClaims() const {
  if (!scan_) return {};
  const uint64_t pixel_bits =
      uint64_t{png_get_channels(png_, png_info_)} * png_get_bit_depth(png_, png_info_);
  const auto bytes_of = [&](uint64_t width, uint64_t height) {
    return width == 0 ? 0 : MultiplyBytes(1 + (width * pixel_bits + 7) / 8, height);
  };
  uint64_t claimed = 0;
  if (interlaced_) {
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
      claimed = AddBytes(
          claimed, bytes_of(PNG_PASS_COLS(info_.width, pass), PNG_PASS_ROWS(info_.height, pass)));
    }
  } else {
    claimed = bytes_of(info_.width, info_.height);
  }
  if (claimed <= MultiplyBytes(scan_->image_bytes, kMostInflation)) return {};
  return FileError(ErrorCode::kBadImage, source_->name(),
                   "damaged PNG: " + std::to_string(scan_->image_bytes) +
                       " bytes of compressed pixels cannot be " + std::to_string(info_.width) +
                       "x" + std::to_string(info_.height) + " pixels");
}

void PngReader::PlanMemory() {
  // libpng holds two rows of up to 8 bytes per pixel, and another for interlaced pictures.
  memory_ = kSourceBytes + kLibraryBytes + uint64_t{info_.width} * 24;
  if (interlaced_) memory_ = AddBytes(memory_, MultiplyBytes(info_.RowBytes(), info_.height));
  const uint64_t late = scan_ ? scan_->late_metadata : kLateMetadata;
  const uint64_t metadata = std::min(tap_.bytes() + late, kMostMetadata);
  tap_.SetLimit(metadata);
  memory_ = AddBytes(memory_, metadata);
}

Error PngReader::Start() {
  png_ = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning, &png_memory_,
                                  PngMemory::Allocate, PngMemory::Free);
  if (png_ != nullptr) png_info_ = png_create_info_struct(png_);
  if (png_info_ == nullptr) return FileError(ErrorCode::kLimit, source_->name(), "out of memory");
  if (!Guarded([this] {
        png_set_read_fn(png_, this, OnRead);
        // Damaged chunks that a picture can do without are left out; the tap says so.
        png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
        png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        // The tap has them already.
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        png_read_info(png_, png_info_);
        ChooseFormat();
      })) {
    return Broken();
  }
  format_ = "PNG";
  if (has_palette_) format_ += ", palette";
  if (interlaced_) format_ += ", interlaced";
  scan_ = ScanPng(*source_);
  Error error = CheckPictureSize(source_->name(), info_, limits_);
  if (error.ok()) error = CheckClaims();
  const bool has_room = tap_.has_room();
  PlanMemory();
  if (error.ok() && !has_room) error = CheckMemory(source_->name() + ":", memory_, limits_);
  return error;
}

// Before the first row: everything that is large.
Error PngReader::Begin() {
  const Error error = CheckMemory(source_->name() + ":", memory_, limits_);
  if (!error.ok()) return error;
  if (!Guarded([this] { png_read_update_info(png_, png_info_); })) return Broken();
  if (png_get_rowbytes(png_, png_info_) != info_.RowBytes()) {
    return FileError(ErrorCode::kUnsupported, source_->name(), "an unknown kind of PNG");
  }
  return interlaced_ ? DecodeWhole() : Error{};
}

Error PngReader::DecodeWhole() {
  const size_t row_bytes = info_.RowBytes();
  // Not zeroed: the passes write every byte, and memory is touched only as data come.
  whole_.reset(new (std::nothrow) uint8_t[row_bytes * info_.height]);
  if (!whole_) return FileError(ErrorCode::kLimit, source_->name(), "out of memory");
  constexpr int kPasses = PNG_INTERLACE_ADAM7_PASSES;
  const bool done = Guarded([this, row_bytes] {
    for (int pass = 0; pass < kPasses; ++pass) {
      for (uint32_t y = 0; y < info_.height; ++y) {
        png_read_row(png_, whole_.get() + size_t{y} * row_bytes, nullptr);
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
  if (next_row_ == 0) {
    const Error error = Begin();
    if (!error.ok()) return failure_ = error;
  }
  if (interlaced_) {
    std::memcpy(row, whole_.get() + size_t{next_row_} * info_.RowBytes(), info_.RowBytes());
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
  whole_.reset();
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
