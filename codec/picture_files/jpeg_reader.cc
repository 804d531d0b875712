// JPEG through libjpeg: baseline and progressive, gray, YCbCr and RGB, 8 bits. Corrupt data are an
// error here, though libjpeg would go on with a warning. Faults that cannot change pixels stay
// warnings.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

// These want <cstdio> before them.
#include <jerror.h>
#include <jpeglib.h>

#include "codec/memory_limit.h"
#include "codec/picture_files/jpeg_markers.h"
#include "codec/picture_files/picture_files.h"

namespace glint {
namespace {

constexpr size_t kInputBytes = size_t{1} << 14;
// libjpeg's tables, and what its pools lose.
constexpr uint64_t kLibraryBytes = 512 * 1024;
// Scans of a progressive file take time whether they bring anything or not. Encoders make about 10.
constexpr int kMostScans = 100;
constexpr const char* kEndsEarly = "the file ends too early";
constexpr const char* kLacksComponent = "no scan has one of its components";
constexpr const char* kTooManyScans = "it has more than 100 scans";
constexpr const char* kWrongOrder = "its scans do not follow from each other";

uint64_t RoundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

class JpegReader final : public PictureReader {
 public:
  JpegReader(std::unique_ptr<ByteSource> source, const Limits& limits)
      : source_(std::move(source)),
        limits_(limits),
        tap_(&metadata_, std::min(FreeMemory(limits), kMostMetadata)) {}
  ~JpegReader() override { jpeg_destroy_decompress(&jpeg_); }

  Error Start();
  const PictureInfo& info() const override { return info_; }
  const Metadata& metadata() const override { return metadata_; }
  const std::string& format() const override { return format_; }
  const std::vector<std::string>& warnings() const override { return tap_.warnings().texts(); }
  uint64_t memory() const override { return memory_; }
  Error ReadRow(void* row) override;
  Error SkipRows() override;
  Error Finish() override;
  Metadata TakeMetadata() override { return std::exchange(metadata_, {}); }

 private:
  static JpegReader* Of(j_common_ptr jpeg) { return static_cast<JpegReader*>(jpeg->client_data); }
  [[noreturn]] static void OnError(j_common_ptr jpeg);
  static void OnMessage(j_common_ptr jpeg, int level);
  static void OnOutput(j_common_ptr) {}
  static void OnProgress(j_common_ptr jpeg);
  static boolean OnFill(j_decompress_ptr jpeg);
  static void OnSkip(j_decompress_ptr jpeg, long count);
  static void OnInit(j_decompress_ptr) {}
  static void OnTerm(j_decompress_ptr) {}
  bool Fill();
  void SetReason(const char* reason);
  [[noreturn]] void Leave(const char* reason);

  // Runs calls of libjpeg; false when one of them failed, reason_ says why. libjpeg leaves by
  // longjmp, so `body` and what it calls may own nothing: no object with a destructor lives between
  // here and there.
  template <typename Body>
  bool Guarded(const Body& body) {
    if (setjmp(jump_) != 0) return false;
    body();
    return true;
  }

  Error Broken();
  Error CheckProcess() const;
  Error CheckClaims() const;
  void PlanMemory();
  void NameFormat();
  void TellWarnings();
  Error Unsupported(const std::string& what) const {
    return FileError(ErrorCode::kUnsupported, source_->name(), what);
  }

  std::unique_ptr<ByteSource> source_;
  Limits limits_;
  PictureInfo info_;
  Metadata metadata_;
  JpegMarkerTap tap_;
  std::string format_;
  uint64_t memory_ = 0;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_source_mgr input_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  std::array<uint8_t, kInputBytes> buffer_{};
  std::array<char, JMSG_LENGTH_MAX> reason_{};
  bool metadata_too_large_ = false;
  bool out_of_memory_ = false;
  bool has_extra_bytes_ = false, has_unknown_transform_ = false, has_wrong_scan_ = false;
  Error failure_;
  uint32_t next_row_ = 0;
  bool skipped_ = false;
};

// ---- called by libjpeg --------------------------------------------------------------------------

void JpegReader::SetReason(const char* reason) {
  std::strncpy(reason_.data(), reason, reason_.size() - 1);
}

void JpegReader::Leave(const char* reason) {
  SetReason(reason);
  std::longjmp(jump_, 1);
}

void JpegReader::OnError(j_common_ptr jpeg) {
  JpegReader* const reader = Of(jpeg);
  reader->out_of_memory_ = jpeg->err->msg_code == JERR_OUT_OF_MEMORY;
  jpeg->err->format_message(jpeg, reader->reason_.data());
  std::longjmp(reader->jump_, 1);
}

// A negative level means corrupt data in the place of which libjpeg would make something up.
void JpegReader::OnMessage(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  JpegReader* const reader = Of(jpeg);
  switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:  // cameras pad
      reader->has_extra_bytes_ = true;
      return;
    case JWRN_ADOBE_XFORM:
      reader->has_unknown_transform_ = true;
      return;
    case JWRN_NOT_SEQUENTIAL:  // old encoders leave these bytes 0
      reader->has_wrong_scan_ = true;
      return;
    case JWRN_JFIF_MAJOR:
      return;
    default:
      OnError(jpeg);
  }
}

void JpegReader::OnProgress(j_common_ptr jpeg) {
  const auto* decompress = reinterpret_cast<j_decompress_ptr>(jpeg);
  JpegReader* const reader = Of(jpeg);
  if (decompress->input_scan_number > kMostScans) reader->Leave(kTooManyScans);
}

bool JpegReader::Fill() {
  const size_t count = source_->Read(buffer_.data(), buffer_.size());
  metadata_too_large_ = !tap_.Watch(buffer_.data(), count);
  input_.next_input_byte = buffer_.data();
  input_.bytes_in_buffer = count;
  return count != 0 && !metadata_too_large_;
}

boolean JpegReader::OnFill(j_decompress_ptr jpeg) {
  JpegReader* const reader = Of(reinterpret_cast<j_common_ptr>(jpeg));
  if (!reader->Fill()) reader->Leave(kEndsEarly);
  return TRUE;
}

void JpegReader::OnSkip(j_decompress_ptr jpeg, long count) {
  jpeg_source_mgr* const input = jpeg->src;
  auto left = static_cast<size_t>(std::max(0L, count));
  while (left > input->bytes_in_buffer) {
    left -= input->bytes_in_buffer;
    OnFill(jpeg);
  }
  input->next_input_byte += left;
  input->bytes_in_buffer -= left;
}

// ---- reading ------------------------------------------------------------------------------------

Error JpegReader::Broken() {
  const Error process = CheckProcess();
  if (out_of_memory_ || tap_.out_of_memory()) {
    failure_ = FileError(ErrorCode::kLimit, source_->name(), "out of memory");
  } else if (metadata_too_large_) {
    failure_ = MetadataBeyondAll(source_->name());
  } else if (!process.ok()) {
    failure_ = process;
  } else {
    failure_ = source_->ErrorAtEnd(std::string("damaged JPEG: ") + reason_.data());
  }
  return failure_;
}

// Refuses CMYK, and what a libjpeg may not support by its version and how it was built.
Error JpegReader::CheckProcess() const {
  const JpegFrame& frame = tap_.frame();
  const char* const help = "; convert it to an ordinary JPEG or to PNG";
  switch (frame.process) {
    case 0:
    case 0xC0:
    case 0xC1:
    case 0xC2:
      break;
    case 0xC3:
      return Unsupported(std::string("a lossless JPEG") + help);
    case 0xC9:
    case 0xCA:
      return Unsupported(std::string("a JPEG with arithmetic coding") + help +
                         ", as by `jpegtran IN > OUT.jpg`");
    case 0xF7:
      return Unsupported(std::string("JPEG-LS") + help);
    default:
      return Unsupported(std::string("a hierarchical or lossless JPEG") + help);
  }
  if (frame.process != 0 && frame.precision != 8) {
    return Unsupported("a JPEG of " + std::to_string(frame.precision) + " bits" + help);
  }
  if (frame.components == 4) {
    return Unsupported(
        "a CMYK JPEG, made for printing; convert it to RGB with its profile, as by "
        "`magick IN -profile sRGB.icc OUT.png`");
  }
  if (frame.process != 0 && frame.components != 1 && frame.components != 3) {
    return Unsupported("a JPEG of " + std::to_string(frame.components) + " components");
  }
  return {};
}

// Every block has a code for its mean, of a bit at least.
Error JpegReader::CheckClaims() const {
  if (!source_->size()) return {};
  uint64_t blocks = 0;
  for (int i = 0; i < jpeg_.num_components; ++i) {
    blocks += uint64_t{jpeg_.comp_info[i].width_in_blocks} * jpeg_.comp_info[i].height_in_blocks;
  }
  if (blocks / 8 <= *source_->size()) return {};
  return FileError(ErrorCode::kBadImage, source_->name(),
                   "damaged JPEG: its " + std::to_string(*source_->size()) + " bytes cannot be " +
                       std::to_string(info_.width) + "x" + std::to_string(info_.height) +
                       " pixels");
}

void JpegReader::PlanMemory() {
  const bool whole = jpeg_has_multiple_scans(&jpeg_) != 0;
  memory_ = sizeof(*this) + kSourceBytes + kLibraryBytes + tap_.bytes();
  const auto most_across = static_cast<uint64_t>(jpeg_.max_h_samp_factor);
  for (int i = 0; i < jpeg_.num_components; ++i) {
    const jpeg_component_info& component = jpeg_.comp_info[i];
    const auto factor = static_cast<uint64_t>(component.v_samp_factor);
    const uint64_t across =
        RoundUp(component.width_in_blocks, static_cast<uint64_t>(component.h_samp_factor));
    // 8 groups of rows and 2 around them; rows of full width that chroma is widened into.
    memory_ += across * DCTSIZE * factor * (DCTSIZE + 2);
    memory_ += RoundUp(info_.width, most_across * DCTSIZE) *
               static_cast<uint64_t>(jpeg_.max_v_samp_factor);
    if (whole) memory_ += across * RoundUp(component.height_in_blocks, factor) * sizeof(JBLOCK);
  }
}

void JpegReader::NameFormat() {
  const JpegFrame& frame = tap_.frame();
  format_ = frame.process == 0xC2   ? "JPEG, progressive"
            : frame.process == 0xC1 ? "JPEG, extended"
                                    : "JPEG, baseline";
  if (jpeg_.num_components != 3) return;
  if (jpeg_.jpeg_color_space == JCS_RGB) {
    format_ += ", RGB";
    return;
  }
  const auto is_single = [](const jpeg_component_info& component) {
    return component.h_samp_factor == 1 && component.v_samp_factor == 1;
  };
  const jpeg_component_info* const component = jpeg_.comp_info;
  if (!is_single(component[1]) || !is_single(component[2])) return;
  static constexpr struct {
    int across, down;
    const char* name;
  } kNames[] = {{1, 1, "4:4:4"}, {2, 1, "4:2:2"}, {2, 2, "4:2:0"},
                {1, 2, "4:4:0"}, {4, 1, "4:1:1"}, {4, 2, "4:1:0"}};
  for (const auto& known : kNames) {
    if (known.across == component[0].h_samp_factor && known.down == component[0].v_samp_factor) {
      format_ += std::string(", ") + known.name;
    }
  }
}

Error JpegReader::Start() {
  jpeg_.err = jpeg_std_error(&errors_);
  errors_.error_exit = OnError;
  errors_.emit_message = OnMessage;
  errors_.output_message = OnOutput;
  jpeg_.client_data = this;
  input_.init_source = OnInit;
  input_.fill_input_buffer = OnFill;
  input_.skip_input_data = OnSkip;
  input_.resync_to_restart = jpeg_resync_to_restart;
  input_.term_source = OnTerm;
  progress_.progress_monitor = OnProgress;
  if (!Guarded([this] {
        jpeg_create_decompress(&jpeg_);
        jpeg_.src = &input_;
        jpeg_.progress = &progress_;
        jpeg_read_header(&jpeg_, TRUE);
      })) {
    return Broken();
  }
  Error error = CheckProcess();
  if (!error.ok()) return error;
  info_.width = jpeg_.image_width;
  info_.height = jpeg_.image_height;
  info_.channels = jpeg_.num_components == 1 ? 1 : 3;
  error = CheckPictureSize(source_->name(), info_, limits_);
  if (error.ok()) error = CheckClaims();
  PlanMemory();
  if (error.ok() && !tap_.has_room()) error = CheckMemory(source_->name() + ":", memory_, limits_);
  NameFormat();
  TellWarnings();
  return error;
}

void JpegReader::TellWarnings() {
  Warnings* const warnings = tap_.warnings();
  if (has_extra_bytes_) warnings->Add("bytes that mean nothing stand before a marker: passed over");
  if (has_unknown_transform_) warnings->Add("its Adobe marker is unknown: taken as YCbCr");
  if (has_wrong_scan_) warnings->Add("the header of a scan has wrong numbers: passed over");
  if (tap_.at_end() && !tap_.has_all_coefficients()) {
    warnings->Add("scans are missing: the picture is coarser than it was made");
  }
}

Error JpegReader::ReadRow(void* row) {
  if (!failure_.ok()) return failure_;
  if (next_row_ == info_.height) {
    return FileError(ErrorCode::kInvalidArgument, source_->name(), "has no more rows");
  }
  if (next_row_ == 0) {
    failure_ = CheckMemory(source_->name() + ":", memory_, limits_);
    if (!failure_.ok()) return failure_;
    if (!Guarded([this] {
          jpeg_.mem->max_memory_to_use =
              static_cast<int64_t>(std::min<uint64_t>(memory_, uint64_t{1} << 62));
          jpeg_.out_color_space = jpeg_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
          jpeg_.dct_method = JDCT_ISLOW;
          jpeg_.do_fancy_upsampling = TRUE;
          jpeg_.do_block_smoothing = FALSE;
          jpeg_start_decompress(&jpeg_);
          if (jpeg_has_multiple_scans(&jpeg_) && !tap_.has_all_components()) {
            Leave(kLacksComponent);
          }
        })) {
      return Broken();
    }
  }
  if (!Guarded([this, row] {
        JSAMPROW to = static_cast<JSAMPROW>(row);
        if (jpeg_read_scanlines(&jpeg_, &to, 1) != 1) Leave("a row is missing");
      })) {
    return Broken();
  }
  ++next_row_;
  return {};
}

Error JpegReader::SkipRows() {
  if (!failure_.ok()) return failure_;
  if (next_row_ != 0 || jpeg_has_multiple_scans(&jpeg_) == 0) return PictureReader::SkipRows();
  while (!tap_.at_end() && Fill()) {
  }
  const char* const reason = !tap_.at_end()               ? kEndsEarly
                             : tap_.scans() > kMostScans  ? kTooManyScans
                             : !tap_.has_scans_in_order() ? kWrongOrder
                             : !tap_.has_all_components() ? kLacksComponent
                                                          : nullptr;
  if (reason != nullptr) {
    SetReason(reason);
    return Broken();
  }
  skipped_ = true;
  next_row_ = info_.height;
  return {};
}

Error JpegReader::Finish() {
  if (!failure_.ok()) return failure_;
  if (next_row_ != info_.height) {
    return FileError(ErrorCode::kInvalidArgument, source_->name(), "not all rows were read");
  }
  if (!skipped_ && !Guarded([this] { jpeg_finish_decompress(&jpeg_); })) return Broken();
  TellWarnings();
  return {};
}

}  // namespace

bool ReadsJpeg() { return true; }

Expected<std::unique_ptr<PictureReader>> OpenJpeg(std::unique_ptr<ByteSource> source,
                                                  const Limits& limits) {
  auto reader = std::make_unique<JpegReader>(std::move(source), limits);
  const Error error = reader->Start();
  if (!error.ok()) return error;
  return std::unique_ptr<PictureReader>(std::move(reader));
}

}  // namespace glint
