// Sequences of C calls: whatever order and arguments they come in, as long as buffers are as large
// as the header says, each gives a status, sets what it gives, and leaves its handles sound.
#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "glint/glint.h"
#include "tests/fuzz/c_structs.h"
#include "tests/fuzz/mend.h"
#include "tests/fuzz/models.h"
#include "tests/fuzz/target.h"

namespace glint::fuzz {
namespace {

constexpr int kMostCalls = 16;
constexpr uint32_t kMostSide = 24;
constexpr uint64_t kMostPixels = uint64_t{1} << 14, kMostMemory = uint64_t{32} << 20;

#define GLINT_FUZZ_SET(options, type, field, value) \
  (options).Set(offsetof(type, field), static_cast<decltype(type::field)>(value))

// A model that was loaded once: most sequences need not load their own.
const glint_model* SharedModel(uint32_t number) {
  static Owned<glint_model> models[kModelKinds];
  Owned<glint_model>& model = models[number % kModelKinds];
  if (model == nullptr) {
    const Bytes& file = ModelOf(number).file;
    glint_model* loaded = nullptr;
    Require(
        glint_model_from_memory(file.data(), file.size(), nullptr, &loaded, nullptr) == GLINT_OK,
        "no model");
    model.reset(loaded);
  }
  return model.get();
}

class Session {
 public:
  explicit Session(Choices* choices) : choices_(*choices) {}

  void Run() {
    model_ = SharedModel(choices_.Byte());
    for (int call = 0; call < kMostCalls && !choices_.empty(); ++call) {
      constexpr std::array kCalls = {
          &Session::Encode,        &Session::Decode,       &Session::EditMetadata,
          &Session::EncodeRows,    &Session::DecodeInto,   &Session::DecodeRows,
          &Session::InspectStream, &Session::Damage,       &Session::EncodeToTarget,
          &Session::LoadModel,     &Session::AskModel,     &Session::AskPicture,
          &Session::CallWithNull,  &Session::Drop,         &Session::AskMetadata,
          &Session::AskRate,       &Session::Targets,      &Session::InitStructs,
          &Session::PushStream,    &Session::EncodePixels, &Session::DecodePixels};
      (this->*kCalls[choices_.Below(kCalls.size())])();
    }
  }

 private:
  // What every call promises: its status stands in the error, with a text unless it is well.
  glint_status Checked(glint_status status) {
    Require(status >= GLINT_OK && status <= GLINT_UNREACHABLE, "an unknown status");
    if (!wants_error_) return status;
    Require(error_.status == status, "the error has another status");
    const bool has_text = error_.message[0] != '\0';
    Require(has_text == (status != GLINT_OK), "a text without an error, or an error without");
    Require(std::memchr(error_.message, 0, sizeof(error_.message)) != nullptr, "a text has no end");
    return status;
  }
  glint_error* WantedError() {
    wants_error_ = !choices_.OneIn(8);
    std::memset(&error_, 0x55, sizeof(error_));
    return wants_error_ ? &error_ : nullptr;
  }

  void LoadModel() {
    const Bytes& file = ModelOf(choices_.Byte()).file;
    SizedStruct<glint_load_options> options(ChooseSize<glint_load_options>(&choices_),
                                            glint_load_options_init);
    const uint8_t kind = choices_.Byte();
    const int32_t threads = kind % 16 == 15 ? -1 : 1 + kind % 2;
    GLINT_FUZZ_SET(options, glint_load_options, threads, threads);
    GLINT_FUZZ_SET(options, glint_load_options, access, kind % 16 == 14 ? kind : kind % 3);
    if (kind >= 240) GLINT_FUZZ_SET(options, glint_load_options, max_memory, (kind - 239U) << 13);
    if (kind % 4 == 1) {
      progress_ = 0;
      GLINT_FUZZ_SET(options, glint_load_options, progress, &Progress);
      GLINT_FUZZ_SET(options, glint_load_options, progress_opaque, &progress_);
    }
    // Cut short now and then.
    const size_t size = kind % 16 == 13 ? file.size() / 2 : file.size();
    glint_model* model = nullptr;
    const bool plainly = kind % 4 == 0;
    glint_error* error = WantedError();
    const glint_status status =
        Checked(plainly ? glint_model_from_memory(file.data(), size, nullptr, &model, error)
                        : glint_model_from_memory_with(file.data(), size, "m", options.get(),
                                                       &model, error));
    Require((model != nullptr) == (status == GLINT_OK), "a model with an error, or none without");
    // The one before stays when this one is refused.
    if (model == nullptr) return;
    own_model_.reset(model);
    model_ = model;
  }

  void EditMetadata() {
    if (metadata_ == nullptr) {
      glint_metadata* metadata = nullptr;
      Checked(glint_metadata_create(&metadata, WantedError()));
      metadata_.reset(metadata);
    }
    const uint8_t kind = choices_.Byte();
    const auto type = choices_.Take(4);
    const auto taken = choices_.Take(kind >> 2);
    const Bytes content(taken.begin(), taken.end());
    glint_error* error = WantedError();
    switch (kind % 4) {
      case 0:
        Checked(glint_metadata_set_icc(metadata_.get(), content.data(), content.size(), error));
        return;
      case 1:
        Checked(glint_metadata_set_exif(metadata_.get(), content.data(), content.size(), error));
        return;
      case 2: {
        std::string name(type.begin(), type.end());
        if (kind >= 128) name = "tEXt";
        Checked(glint_metadata_add_chunk(metadata_.get(), name.c_str(), content.data(),
                                         content.size(), error));
        return;
      }
      default:
        Require(glint_metadata_keep(metadata_.get(), kind) == GLINT_OK, "nothing is kept");
    }
  }

  static void Touch(const uint8_t* data, size_t size) {
    static volatile uint8_t sum;
    for (size_t i = 0; i < size; ++i) sum = static_cast<uint8_t>(sum ^ data[i]);
  }

  static void ReadMetadata(const glint_metadata* metadata) {
    const uint8_t* data = nullptr;
    size_t size = 0, count = 0;
    Require(glint_metadata_get_icc(metadata, &data, &size) == GLINT_OK, "no profile");
    Require((data == nullptr) == (size == 0), "bytes without size, or size without bytes");
    Touch(data, size);
    Require(glint_metadata_get_exif(metadata, &data, &size) == GLINT_OK, "no EXIF");
    Touch(data, size);
    Require(glint_metadata_get_chunk_count(metadata, &count) == GLINT_OK, "no count");
    for (size_t i = 0; i <= count; ++i) {
      const char* type = nullptr;
      const glint_status status = glint_metadata_get_chunk(metadata, i, &type, &data, &size);
      Require((status == GLINT_OK) == (i < count), "a chunk too many or too few");
      if (status != GLINT_OK) continue;
      Require(std::strlen(type) == 4, "a type of another length");
      Touch(data, size);
    }
    uint64_t bytes = 0;
    Require(glint_metadata_get_size(metadata, GLINT_METADATA_ALL, &bytes) == GLINT_OK, "no size");
  }
  void AskMetadata() {
    if (metadata_ != nullptr) ReadMetadata(metadata_.get());
  }

  // ---- encoding

  struct Rows {
    Bytes samples;  // as many as the picture needs with that stride, no more
    size_t stride = 0, row_bytes = 0;
    uint32_t height = 0, stop_at = UINT32_MAX;
  };

  static glint_picture_info EmptyInfo() {
    glint_picture_info info;
    Require(glint_picture_info_init(&info, sizeof(info)) == GLINT_OK, "no info");
    return info;
  }
  // A picture of any form, and a buffer for it unless it must be refused.
  glint_picture_info ChooseInfo(Rows* rows) {
    const uint8_t kind = choices_.Byte();
    glint_picture_info info = EmptyInfo();
    info.width = 1 + choices_.Below(kMostSide);
    info.height = 1 + choices_.Below(kMostSide);
    info.channels = kind % 2 == 1 ? 1U : 3U;
    info.has_alpha = kind >> 1 & 1U;
    info.bit_depth = kind % 8 == 7 ? 16U : 8U;
    if (kind >= 192) {  // mostly wrong
      const auto raw = choices_.Take(4);
      const uint8_t which = kind % 5;
      uint32_t value = 0;
      for (const uint8_t byte : raw) value = value << 8 | byte;
      (which == 0   ? info.width
       : which == 1 ? info.height
       : which == 2 ? info.channels
       : which == 3 ? info.bit_depth
                    : info.has_alpha) = value;
    }
    rows->row_bytes = glint_row_bytes(&info);
    const uint8_t stride = choices_.Byte();
    rows->stride = stride % 4 == 0   ? 0
                   : stride % 4 == 3 ? rows->row_bytes - std::min<size_t>(stride, rows->row_bytes)
                                     : rows->row_bytes + stride;
    rows->height = info.height;
    if (stride >= 240) rows->stop_at = stride - 240;
    // Beyond kMostPixels every call has to refuse, before it looks at a sample.
    const bool is_small =
        uint64_t{info.width} * info.height <= kMostPixels && rows->row_bytes < size_t{1} << 20;
    if (is_small && info.height > 0) {
      const size_t step = std::max(rows->stride, rows->row_bytes);
      rows->samples.resize((info.height - 1) * step + rows->row_bytes);
      const auto content = choices_.Take(8);
      for (size_t i = 0; i < rows->samples.size() && !content.empty(); ++i) {
        rows->samples[i] = static_cast<uint8_t>(content[i % content.size()] + i / 64);
      }
      // Values above what few bits hold are the caller's fault, and must do no harm.
    }
    return info;
  }

  static int ReadRow(void* opaque, uint32_t y, void* row) {
    const Rows& rows = *static_cast<const Rows*>(opaque);
    Require(y < rows.height, "a row beyond the picture is wanted");
    if (y == rows.stop_at) return 0;
    std::memset(row, static_cast<int>(y * 37), rows.row_bytes);
    return 1;
  }
  static int Progress(void* opaque, double done) {
    double* last = static_cast<double*>(opaque);
    if (last == nullptr) return 0;  // of a struct that ends before the pointer
    Require(done >= *last && done <= 1, "progress falls or goes beyond 1");
    *last = done;
    return 1;
  }
  static void Layer(void*, const char* stage, const char* name, const char* kernel, double macs,
                    double seconds) {
    Require(stage != nullptr && name != nullptr && kernel != nullptr, "a layer without a name");
    Require(macs >= 0 && seconds >= 0, "a layer with less than nothing");
  }

  // The options that encoding and decoding share. Limits stay low.
  template <typename T>
  void SetCall(SizedStruct<T>* options) {
    const uint8_t kind = choices_.Byte();
    const int32_t threads = kind % 16 == 15 ? 5000 : 1 + kind % 3;
    GLINT_FUZZ_SET(*options, T, threads, threads);
    GLINT_FUZZ_SET(*options, T, band_rows, kind % 32 == 13 ? -kind : kind / 4);
    GLINT_FUZZ_SET(*options, T, max_pixels, kMostPixels);
    GLINT_FUZZ_SET(*options, T, max_memory, kind >= 248 ? kMostMemory >> 7 : kMostMemory);
    if (kind % 2 == 1) {
      progress_ = 0;
      GLINT_FUZZ_SET(*options, T, progress, &Progress);
      GLINT_FUZZ_SET(*options, T, progress_opaque, &progress_);
      GLINT_FUZZ_SET(*options, T, layer, &Layer);
      glint_report_init(&report_, sizeof(report_));
      GLINT_FUZZ_SET(*options, T, report, &report_);
    }
  }

  using EncodeStruct = SizedStruct<glint_encode_options>;
  // Without its limits a struct would allow anything, and a fuzzer would find slow pictures.
  size_t ChooseEncodeSize() {
    return std::max(ChooseSize<glint_encode_options>(&choices_),
                    offsetof(glint_encode_options, runner));
  }
  size_t ChooseDecodeSize() {
    return std::max(ChooseSize<glint_decode_options>(&choices_),
                    offsetof(glint_decode_options, runner));
  }
  void SetEncode(EncodeStruct* options) {
    SetCall(options);
    const uint8_t kind = choices_.Byte();
    const uint8_t rate = choices_.Byte();
    GLINT_FUZZ_SET(*options, glint_encode_options, exact, kind >> 2 & 1);
    GLINT_FUZZ_SET(*options, glint_encode_options, detail, kind % 4);
    if (kind >= 128) GLINT_FUZZ_SET(*options, glint_encode_options, lrd, rate * 1e-5);
    if (kind % 32 == 8) GLINT_FUZZ_SET(*options, glint_encode_options, max_error, rate - 2);
    if (kind % 32 == 16) GLINT_FUZZ_SET(*options, glint_encode_options, lossless, 1);
    if (kind % 64 == 33) GLINT_FUZZ_SET(*options, glint_encode_options, effort, rate % 16 == 0);
    if (kind == 255) GLINT_FUZZ_SET(*options, glint_encode_options, reserved, rate);
  }

  void Keep(glint_status status, uint8_t* stream, size_t size) {
    Require((stream != nullptr) == (status == GLINT_OK), "a stream with an error, or none without");
    Require((size != 0) == (status == GLINT_OK), "a size with an error, or none without");
    if (stream != nullptr) stream_.assign(stream, stream + size);
    glint_free(stream);
  }

  void Encode() {
    EncodeBy([&](const auto& info, Rows* rows, const auto* options, auto* stream, auto* size) {
      return glint_encode(model_, &info, rows->samples.data(), rows->stride, metadata_.get(),
                          options, stream, size, WantedError());
    });
  }
  void EncodeRows() {
    EncodeBy([&](const auto& info, Rows* rows, const auto* options, auto* stream, auto* size) {
      return glint_encode_rows(model_, &info, &ReadRow, rows, metadata_.get(), options, stream,
                               size, WantedError());
    });
  }
  template <typename Call>
  void EncodeBy(const Call& call) {
    Rows rows;
    const glint_picture_info info = ChooseInfo(&rows);
    EncodeStruct options(ChooseEncodeSize(), glint_encode_options_init);
    SetEncode(&options);
    uint8_t* stream = nullptr;
    size_t size = 0;
    const glint_status status = Checked(call(info, &rows, options.get(), &stream, &size));
    Keep(status, stream, size);
  }
  void EncodeToTarget() {
    // It encodes up to eight times.
    if (++searches_ > 1) return;
    Rows rows;
    const glint_picture_info info = ChooseInfo(&rows);
    EncodeStruct options(ChooseEncodeSize(), glint_encode_options_init);
    SetEncode(&options);
    const uint8_t kind = choices_.Byte();
    glint_target target = {kind % 5U, 0, static_cast<double>(choices_.Byte())};
    if (target.kind == GLINT_TARGET_BYTES) target.value *= 8;
    SizedStruct<glint_target_result> result(ChooseSize<glint_target_result>(&choices_),
                                            glint_target_result_init);
    uint8_t* stream = nullptr;
    size_t size = 0;
    glint_error* error = WantedError();
    const bool by_rows = kind >= 128;
    const glint_status status =
        Checked(by_rows ? glint_encode_rows_to_target(model_, &info, &ReadRow, &rows,
                                                      metadata_.get(), &target, options.get(),
                                                      &stream, &size, result.get(), error)
                        : glint_encode_to_target(model_, &info, rows.samples.data(), rows.stride,
                                                 metadata_.get(), &target, options.get(), &stream,
                                                 &size, result.get(), error));
    if (status == GLINT_OK && target.kind == GLINT_TARGET_BYTES) {
      Require(static_cast<double>(size) <= target.value, "a stream larger than its target");
    }
    Keep(status, stream, size);
  }

  // ---- decoding

  void SetDecode(SizedStruct<glint_decode_options>* options) {
    SetCall(options);
    const uint8_t kind = choices_.Byte();
    GLINT_FUZZ_SET(*options, glint_decode_options, alpha, kind % 4);
    GLINT_FUZZ_SET(*options, glint_decode_options, detail, kind / 4 % 4);
    GLINT_FUZZ_SET(*options, glint_decode_options, background, kind * 65793U);
    if (kind == 255) GLINT_FUZZ_SET(*options, glint_decode_options, reserved, 1);
    const uint8_t part = choices_.Byte();
    GLINT_FUZZ_SET(*options, glint_decode_options, deep, part & 1U);
    GLINT_FUZZ_SET(*options, glint_decode_options, shrink, part >> 1 & 15U);
    if (part < 128) return;
    GLINT_FUZZ_SET(*options, glint_decode_options, crop_x, choices_.Byte());
    GLINT_FUZZ_SET(*options, glint_decode_options, crop_y, choices_.Byte());
    GLINT_FUZZ_SET(*options, glint_decode_options, crop_width, choices_.Byte());
    GLINT_FUZZ_SET(*options, glint_decode_options, crop_height, choices_.Byte());
  }

  void Damage() {
    if (stream_.empty()) return;
    const uint8_t kind = choices_.Byte();
    stream_[choices_.Word() % stream_.size()] ^= kind;
    if (kind % 4 != 0) MendChecksums(&stream_);
  }

  void Decode() {
    SizedStruct<glint_decode_options> options(ChooseDecodeSize(), glint_decode_options_init);
    SetDecode(&options);
    glint_picture* picture = nullptr;
    const glint_status status = Checked(glint_decode(model_, stream_.data(), stream_.size(),
                                                     options.get(), &picture, WantedError()));
    Require((picture != nullptr) == (status == GLINT_OK), "a picture with an error, or none");
    if (picture != nullptr) picture_.reset(picture);
  }
  void DecodeInto() {
    SizedStruct<glint_decode_options> options(ChooseDecodeSize(), glint_decode_options_init);
    SetDecode(&options);
    Bytes samples(size_t{choices_.Byte()} << 6);
    const size_t stride = choices_.Byte();
    glint_picture_info info = EmptyInfo();
    Checked(glint_decode_into(model_, stream_.data(), stream_.size(), options.get(), samples.data(),
                              samples.size(), stride, &info, WantedError()));
  }

  struct Sink {
    size_t row_bytes = 0;
    uint32_t next = 0, height = 0, stop_at = UINT32_MAX;
    static int Start(void* opaque, const glint_picture_info* info, const glint_metadata* metadata) {
      Sink& sink = *static_cast<Sink*>(opaque);
      sink.row_bytes = glint_row_bytes(info);
      sink.height = info->height;
      ReadMetadata(metadata);
      return sink.stop_at == 0 ? 0 : 1;
    }
    static int Write(void* opaque, uint32_t y, const void* row) {
      Sink& sink = *static_cast<Sink*>(opaque);
      Require(y == sink.next++ && y < sink.height, "a row out of its order");
      Touch(static_cast<const uint8_t*>(row), sink.row_bytes);
      return y + 1 == sink.stop_at ? 0 : 1;
    }
  };
  void DecodeRows() {
    SizedStruct<glint_decode_options> options(ChooseDecodeSize(), glint_decode_options_init);
    SetDecode(&options);
    Sink sink;
    const uint8_t stop = choices_.Byte();
    if (stop >= 192) sink.stop_at = stop - 192;
    const glint_status status =
        Checked(glint_decode_rows(model_, stream_.data(), stream_.size(), options.get(),
                                  &Sink::Start, &Sink::Write, &sink, WantedError()));
    if (status == GLINT_OK) Require(sink.next == sink.height, "not all rows came");
  }

  // Piece by piece, and not always to its end.
  void PushStream() {
    SizedStruct<glint_decode_options> options(ChooseDecodeSize(), glint_decode_options_init);
    SetDecode(&options);
    Sink sink;
    const uint8_t stop = choices_.Byte();
    if (stop >= 192) sink.stop_at = stop - 192;
    glint_stream_decoder* made = nullptr;
    glint_status status = Checked(glint_stream_decoder_create(
        model_, options.get(), &Sink::Start, &Sink::Write, &sink, &made, WantedError()));
    Require((made != nullptr) == (status == GLINT_OK), "a handle with an error, or none without");
    if (made == nullptr) return;
    const Owned<glint_stream_decoder> decoder(made);
    const size_t piece = size_t{1} << choices_.Below(12);
    for (size_t at = 0; at < stream_.size() && status == GLINT_OK; at += piece) {
      status = Checked(glint_stream_decoder_push(
          decoder.get(), stream_.data() + at, std::min(piece, stream_.size() - at), WantedError()));
    }
    if (stop % 8 == 7) return;
    status = Checked(glint_stream_decoder_finish(decoder.get(), WantedError()));
    if (status == GLINT_OK) Require(sink.next == sink.height, "not all rows came");
  }

  // A buffer of any layout, whose planes are as large as it says, no larger.
  struct Pixels {
    explicit Pixels(size_t size)
        : is_whole(size >= sizeof(glint_pixels)), in_c(size, glint_pixels_init) {}
    const bool is_whole;  // else it has no strides
    SizedStruct<glint_pixels> in_c;
    Bytes planes[3];
  };
  void SetPixels(Pixels* to) {
    SizedStruct<glint_pixels>& pixels = to->in_c;
    const uint8_t kind = choices_.Byte();
    const uint32_t format = choices_.Below(10), depth = choices_.Of({8U, 16U, 10U, 12U, 9U});
    const uint32_t width = 1 + choices_.Below(kMostSide), height = 1 + choices_.Below(kMostSide);
    GLINT_FUZZ_SET(pixels, glint_pixels, format, format);
    GLINT_FUZZ_SET(pixels, glint_pixels, bit_depth, depth);
    GLINT_FUZZ_SET(pixels, glint_pixels, matrix, kind % 16 == 15 ? 2 : kind % 2);
    GLINT_FUZZ_SET(pixels, glint_pixels, range, kind % 16 == 14 ? 2 : kind / 2 % 2);
    GLINT_FUZZ_SET(pixels, glint_pixels, width, width);
    GLINT_FUZZ_SET(pixels, glint_pixels, height, height);
    const bool is_yuv = format >= GLINT_PIXELS_YUV444;
    const size_t samples = is_yuv || format == GLINT_PIXELS_GRAY ? 1
                           : format <= GLINT_PIXELS_BGR          ? 3
                                                                 : 4;
    const size_t gap = kind >= 128 ? 5 : 0;
    for (size_t p = 0; p < (is_yuv ? 3 : 1); ++p) {
      const bool halved = format == GLINT_PIXELS_YUV420 && p > 0;
      const size_t columns = halved ? (width + 1) / 2 : width,
                   rows = halved ? (height + 1) / 2 : height;
      const size_t row = columns * samples * (depth > 8 ? 2 : 1), stride = row + gap;
      Bytes& plane = to->planes[p];
      plane.assign(stride * (rows - 1) + row, static_cast<uint8_t>(kind * (p + 1)));
      const bool upside_down = kind % 4 == 3 && to->is_whole;
      const ptrdiff_t step = static_cast<ptrdiff_t>(stride);
      void* const top = plane.data() + (upside_down ? stride * (rows - 1) : 0);
      pixels.Set(offsetof(glint_pixels, planes) + p * sizeof(top), top);
      pixels.Set(offsetof(glint_pixels, strides) + p * sizeof(step), upside_down ? -step : step);
    }
  }
  void EncodePixels() {
    EncodeStruct options(ChooseEncodeSize(), glint_encode_options_init);
    SetEncode(&options);
    Pixels pixels(ChooseSize<glint_pixels>(&choices_));
    SetPixels(&pixels);
    uint8_t* stream = nullptr;
    size_t size = 0;
    const glint_status status = Checked(glint_encode_pixels(
        model_, pixels.in_c.get(), metadata_.get(), options.get(), &stream, &size, WantedError()));
    Keep(status, stream, size);
  }
  void DecodePixels() {
    SizedStruct<glint_decode_options> options(ChooseDecodeSize(), glint_decode_options_init);
    SetDecode(&options);
    Pixels pixels(ChooseSize<glint_pixels>(&choices_));
    SetPixels(&pixels);
    Checked(glint_decode_pixels(model_, stream_.data(), stream_.size(), options.get(),
                                pixels.in_c.get(), WantedError()));
  }

  void InspectStream() {
    SizedStruct<glint_decode_options> options(ChooseDecodeSize(), glint_decode_options_init);
    SetDecode(&options);
    glint_stream_info* info = nullptr;
    const glint_status status =
        Checked(glint_inspect(stream_.data(), stream_.size(), options.get(), &info, WantedError()));
    Require((info != nullptr) == (status == GLINT_OK), "a handle with an error, or none without");
    if (info == nullptr) return;
    const Owned<glint_stream_info> owned(info);
    SizedStruct<glint_stream_properties> properties(ChooseSize<glint_stream_properties>(&choices_),
                                                    glint_stream_properties_init);
    static_cast<void>(glint_stream_get_properties(info, properties.get()));
    glint_stream_chunk chunk;
    static_cast<void>(glint_stream_get_chunk(info, choices_.Byte(), &chunk));
    const glint_metadata* metadata = nullptr;
    Require(glint_stream_get_metadata(info, &metadata) == GLINT_OK, "no metadata");
    ReadMetadata(metadata);
  }

  // ---- the rest

  void AskModel() {
    SizedStruct<glint_model_info> info(ChooseSize<glint_model_info>(&choices_),
                                       glint_model_info_init);
    static_cast<void>(glint_model_get_info(model_, info.get()));
    char* text = nullptr;
    const glint_status status = Checked(glint_model_explain(model_, &text, WantedError()));
    Require((text != nullptr) == (status == GLINT_OK), "a text with an error, or none without");
    glint_free(text);
  }
  void AskPicture() {
    glint_picture_info info = EmptyInfo();
    const void* samples = nullptr;
    const glint_metadata* metadata = nullptr;
    size_t size = 0;
    const bool there = picture_ != nullptr;
    Require((glint_picture_get_info(picture_.get(), &info) == GLINT_OK) == there, "a wrong status");
    static_cast<void>(glint_picture_get_samples(picture_.get(), &samples, &size));
    static_cast<void>(glint_picture_get_metadata(picture_.get(), &metadata));
    if (!there) return;
    Require(size == info.height * glint_row_bytes(&info), "not a whole picture");
    Touch(static_cast<const uint8_t*>(samples), size);
    ReadMetadata(metadata);
  }
  void AskRate() {
    EncodeStruct options(ChooseEncodeSize(), glint_encode_options_init);
    SetEncode(&options);
    const double quality = static_cast<double>(choices_.Byte()) - 50;
    double lrd = 0;
    Checked(glint_lrd_of_quality(model_, quality, &lrd, WantedError()));
    Checked(glint_lrd_of_quality_with(model_, quality, options.get(), &lrd, WantedError()));
  }
  void Targets() {
    char* names = nullptr;
    Require(glint_current_target(&names, nullptr) == GLINT_OK, "no target");
    Require(glint_set_target("no such target", WantedError()) == GLINT_INVALID_ARGUMENT,
            "a target that is none");
    glint_free(names);
    names = nullptr;
    Require(glint_supported_targets(&names, nullptr) == GLINT_OK, "no targets");
    glint_free(names);
    static_cast<void>(glint_status_text(static_cast<glint_status>(choices_.Byte() % 16)));
    static_cast<void>(glint_version());
    static_cast<void>(glint_is_stream(stream_.data(), stream_.size()));
  }
  void InitStructs() {
    const size_t size = choices_.Byte();
    const SizedStruct<glint_report> report(size, glint_report_init);
    const SizedStruct<glint_model_info> info(size, glint_model_info_init);
    const SizedStruct<glint_picture_info> picture(size, glint_picture_info_init);
    const SizedStruct<glint_decode_options> decode(size, glint_decode_options_init);
    const SizedStruct<glint_target_result> result(size, glint_target_result_init);
    const SizedStruct<glint_pixels> pixels(size, glint_pixels_init);
  }
  void Drop() {
    switch (choices_.Below(4)) {
      case 0:
        return picture_.reset();
      case 1:
        return metadata_.reset();
      case 2:
        return stream_.clear();
      default:
        model_ = nullptr;
        own_model_.reset();
    }
  }
  void CallWithNull() {
    glint_picture_info info = EmptyInfo();
    info.width = info.height = 1;
    uint8_t* stream = nullptr;
    size_t size = 0;
    glint_status status = GLINT_OK;
    switch (choices_.Below(6)) {
      case 0:
        status =
            glint_encode(model_, nullptr, "", 0, nullptr, nullptr, &stream, &size, WantedError());
        break;
      case 1:
        status = glint_encode(model_, &info, nullptr, 0, nullptr, nullptr, &stream, &size,
                              WantedError());
        break;
      case 2:
        status = glint_encode_rows(nullptr, &info, nullptr, nullptr, nullptr, nullptr, &stream,
                                   &size, WantedError());
        break;
      case 3:
        status = glint_decode(model_, nullptr, 5, nullptr, nullptr, WantedError());
        break;
      case 4:
        status = glint_inspect(nullptr, 9, nullptr, nullptr, WantedError());
        break;
      default:
        status = glint_model_from_memory(nullptr, 9, nullptr, nullptr, WantedError());
    }
    Require(Checked(status) == GLINT_INVALID_ARGUMENT, "NULL is taken where there must be one");
  }

  Choices& choices_;
  const glint_model* model_ = nullptr;
  Owned<glint_model> own_model_;
  Owned<glint_metadata> metadata_;
  Owned<glint_picture> picture_;
  Bytes stream_;
  glint_error error_{};
  glint_report report_{};
  double progress_ = 0;
  int searches_ = 0;
  bool wants_error_ = false;
};

#undef GLINT_FUZZ_SET

// The data are the calls and their arguments.
void RunCCalls(Input* input) {
  Choices choices(input->data);
  Session(&choices).Run();
}

std::vector<Seed> CCallsSeeds() {
  std::vector<Seed> seeds;
  // Calls by their numbers with arguments of all kinds: what comes of it is the fuzzer's matter.
  for (uint8_t kind = 0; kind < 2 * kModelKinds; ++kind) {
    Bytes calls = {kind};
    for (uint32_t i = 0; i < 160; ++i) {
      const uint32_t mixed = (i + 1) * 2654435761U * (kind + 1U);
      calls.push_back(static_cast<uint8_t>(i % 5 == 0 ? mixed >> 24 : mixed >> 27));
    }
    seeds.push_back({"calls-" + std::to_string(kind), calls});
  }
  return seeds;
}

}  // namespace

const Target kCCallsTarget = {"c_calls", Form::kBytes, RunCCalls, CCallsSeeds};

}  // namespace glint::fuzz
