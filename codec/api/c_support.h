// What the functions of the C interface share: errors across the border, structs that grow, the
// caller's options, handles. Internal to codec/api/c_api*.cc.
// Thread rules: functions of their arguments.
#ifndef GLINT_CODEC_API_C_SUPPORT_H_
#define GLINT_CODEC_API_C_SUPPORT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "codec/public_error.h"
#include "glint/glint.h"
#include "glint/glint.hpp"

namespace glint::c {

// ---- errors ------------------------------------------------------------------------------------

constexpr bool Mirrors(ErrorCode code, glint_status status) {
  return static_cast<int>(code) == static_cast<int>(status);
}
static_assert(Mirrors(ErrorCode::kOk, GLINT_OK) &&
              Mirrors(ErrorCode::kInvalidArgument, GLINT_INVALID_ARGUMENT) &&
              Mirrors(ErrorCode::kNotFound, GLINT_NOT_FOUND) && Mirrors(ErrorCode::kIo, GLINT_IO) &&
              Mirrors(ErrorCode::kBadModel, GLINT_BAD_MODEL) &&
              Mirrors(ErrorCode::kBadStream, GLINT_BAD_STREAM) &&
              Mirrors(ErrorCode::kWrongModel, GLINT_WRONG_MODEL) &&
              Mirrors(ErrorCode::kBadImage, GLINT_BAD_IMAGE) &&
              Mirrors(ErrorCode::kLimit, GLINT_LIMIT) &&
              Mirrors(ErrorCode::kUnsupported, GLINT_UNSUPPORTED) &&
              Mirrors(ErrorCode::kCancelled, GLINT_CANCELLED) &&
              Mirrors(ErrorCode::kUnreachable, GLINT_UNREACHABLE));

// Allocates nothing. Cuts a long message where a character of UTF-8 begins.
inline glint_status Give(ErrorCode code, std::string_view message, glint_error* error) {
  const glint_status status = static_cast<glint_status>(code);
  if (error == nullptr) return status;
  size_t size = std::min(message.size(), sizeof(error->message) - 1);
  if (size < message.size()) {
    while (size > 0 && (static_cast<uint8_t>(message[size]) & 0xC0) == 0x80) --size;
  }
  error->status = status;
  message.copy(error->message, size);
  error->message[size] = '\0';
  return status;
}

// Runs body(), which returns an Error. Nothing is thrown across the border.
template <typename Body>
glint_status Guarded(glint_error* error, Body&& body) noexcept {
  try {
    const Error result = PublicCall(std::forward<Body>(body));
    return Give(result.code, result.message, error);
  } catch (...) {
    // The library throws nothing else.
    return Give(ErrorCode::kCancelled, "a callback threw an exception", error);
  }
}

inline Error Invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

struct Argument {
  const char* name;
  bool given;
};

inline Error Need(std::initializer_list<Argument> arguments) {
  for (const Argument& argument : arguments) {
    if (!argument.given) return Invalid(std::string(argument.name) + " is NULL");
  }
  return {};
}

// ---- structs with a struct_size ----------------------------------------------------------------

constexpr size_t kMostStructBytes = 4096;

inline bool PossibleSize(size_t struct_size) {
  return struct_size >= sizeof(size_t) && struct_size <= kMostStructBytes;
}

// A struct of the caller may be smaller than T: only these bytes of it are touched.
inline size_t StructSize(const void* caller) {
  size_t size = 0;
  std::memcpy(&size, caller, sizeof(size));
  return size;
}

// Writes `value` as far as there is room, and zeros what lies beyond it.
template <typename T>
void StoreStruct(T value, size_t struct_size, void* caller) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);
  value.struct_size = struct_size;
  const size_t known = std::min(struct_size, sizeof(T));
  std::memcpy(caller, &value, known);
  std::memset(static_cast<uint8_t*>(caller) + known, 0, struct_size - known);
}

template <typename T>
glint_status InitStruct(const T& value, size_t struct_size, void* caller) {
  if (caller == nullptr || !PossibleSize(struct_size)) return GLINT_INVALID_ARGUMENT;
  StoreStruct(value, struct_size, caller);
  return GLINT_OK;
}

template <typename T>
glint_status GiveStruct(const T& value, void* caller) {
  if (caller == nullptr) return GLINT_INVALID_ARGUMENT;
  return InitStruct(value, StructSize(caller), caller);
}

inline Error UninitialisedError(const char* name, size_t struct_size) {
  return Invalid(std::string(name) + " has a struct_size of " + std::to_string(struct_size) +
                 ": it was not initialised");
}

// A copy of the caller's struct that knows which fields the caller has.
template <typename T>
class SizedStruct {
 public:
  Error Read(const char* name, const void* caller) {
    if (caller == nullptr) return {};
    const size_t size = StructSize(caller);
    if (!PossibleSize(size)) return UninitialisedError(name, size);
    const auto* bytes = static_cast<const uint8_t*>(caller);
    const auto* tail = bytes + std::min(size, sizeof(T));
    if (std::any_of(tail, bytes + size, [](uint8_t byte) { return byte != 0; })) {
      return {ErrorCode::kUnsupported,
              std::string(name) + " has fields that version " + Version() + " does not know"};
    }
    size_ = std::min(size, sizeof(T));
    std::memcpy(&copy_, caller, size_);
    return {};
  }

  // Whether the caller has all of the field.
  template <typename Field>
  bool Has(Field T::*field) const {
    const auto* begin = reinterpret_cast<const uint8_t*>(&copy_);
    const auto* end = reinterpret_cast<const uint8_t*>(&(copy_.*field) + 1);
    return static_cast<size_t>(end - begin) <= size_;
  }
  // Its value, or `otherwise`.
  template <typename Field>
  Field Get(Field T::*field, std::type_identity_t<Field> otherwise) const {
    return Has(field) ? copy_.*field : otherwise;
  }
  // For fields that are arrays, if the caller has them.
  const T& fields() const { return copy_; }

 private:
  T copy_{};
  size_t size_ = 0;
};

// ---- options and report ------------------------------------------------------------------------

inline Error ReservedError() {
  return {ErrorCode::kUnsupported,
          std::string("something reserved is set that version ") + Version() + " does not know"};
}

// Of structs that have room for what comes later.
template <typename COptions>
Error CheckReserved(const SizedStruct<COptions>& caller) {
  return caller.Get(&COptions::reserved, 0) == 0 ? Error() : ReservedError();
}

inline glint_load_options LoadDefaultsInC() {
  const LoadOptions defaults;
  glint_load_options options{};
  options.threads = defaults.threads;
  options.runner.workers = defaults.runner.workers;
  options.max_memory = defaults.max_memory;
  return options;
}

// The callback that a struct of options names, or none.
template <typename COptions>
std::function<bool(double done)> ReadProgress(const SizedStruct<COptions>& caller) {
  const glint_progress_fn progress = caller.Get(&COptions::progress, nullptr);
  if (progress == nullptr) return nullptr;
  void* const opaque = caller.Get(&COptions::progress_opaque, nullptr);
  return [progress, opaque](double done) { return progress(opaque, done) != 0; };
}

template <typename COptions>
LogFunction ReadLog(const SizedStruct<COptions>& caller) {
  const glint_log_fn log = caller.Get(&COptions::log, nullptr);
  if (log == nullptr) return nullptr;
  void* const opaque = caller.Get(&COptions::log_opaque, nullptr);
  return [log, opaque](const std::string& line) { log(opaque, line.c_str()); };
}

// NULL: the defaults.
inline Error ReadLoadOptions(const glint_load_options* given, LoadOptions* options) {
  SizedStruct<glint_load_options> caller;
  const Error error = caller.Read("options", given);
  if (!error.ok()) return error;
  options->threads = caller.Get(&glint_load_options::threads, options->threads);
  const uint32_t access = caller.Get(&glint_load_options::access, GLINT_ACCESS_MAP_LARGE);
  if (access > GLINT_ACCESS_MAP) return Invalid("access is " + std::to_string(access));
  options->access = static_cast<ModelAccess>(access);
  options->max_memory = caller.Get(&glint_load_options::max_memory, options->max_memory);
  const glint_runner runner = caller.Get(&glint_load_options::runner, {});
  options->runner = {runner.run, runner.opaque, runner.workers};
  options->progress = ReadProgress(caller);
  options->log = ReadLog(caller);
  return {};
}

// What only one of the two calls has.
inline Error ReadOwn(const SizedStruct<glint_encode_options>& caller, EncodeOptions* options) {
  options->lrd = caller.Get(&glint_encode_options::lrd, options->lrd);
  options->exact = caller.Get(&glint_encode_options::exact, 0) != 0;
  const uint32_t detail = caller.Get(&glint_encode_options::detail, GLINT_DETAIL_AUTO);
  if (detail > GLINT_DETAIL_ON) return Invalid("detail is " + std::to_string(detail));
  options->detail = static_cast<Detail>(detail);
  options->max_error = caller.Get(&glint_encode_options::max_error, options->max_error);
  options->lossless = caller.Get(&glint_encode_options::lossless, 0) != 0;
  options->effort = caller.Get(&glint_encode_options::effort, options->effort);
  return CheckReserved(caller);
}
static_assert(static_cast<int>(Detail::kAuto) == GLINT_DETAIL_AUTO &&
              static_cast<int>(Detail::kOff) == GLINT_DETAIL_OFF &&
              static_cast<int>(Detail::kOn) == GLINT_DETAIL_ON);

inline Error ReadOwn(const SizedStruct<glint_decode_options>& caller, DecodeOptions* options) {
  const uint32_t alpha = caller.Get(&glint_decode_options::alpha, GLINT_ALPHA_KEEP);
  if (alpha > GLINT_ALPHA_BLEND) return Invalid("alpha is " + std::to_string(alpha));
  options->alpha = static_cast<AlphaOutput>(alpha);
  const uint32_t rgb = caller.Get(&glint_decode_options::background, 0xFFFFFF);
  if (rgb > 0xFFFFFF) return Invalid("background is " + std::to_string(rgb));
  options->background = {static_cast<uint8_t>(rgb >> 16), static_cast<uint8_t>(rgb >> 8),
                         static_cast<uint8_t>(rgb)};
  const uint32_t detail = caller.Get(&glint_decode_options::detail, GLINT_DETAIL_DECODE);
  if (detail > GLINT_DETAIL_SKIP_DAMAGED) return Invalid("detail is " + std::to_string(detail));
  options->detail = static_cast<DetailOutput>(detail);
  const glint_latents_fn latents = caller.Get(&glint_decode_options::latents, nullptr);
  void* const opaque = caller.Get(&glint_decode_options::latents_opaque, nullptr);
  if (latents != nullptr) {
    options->latents = [latents, opaque](const LatentRow& row) {
      const glint_latent_row in_c = {row.y, row.rows,  row.columns, row.channels, row.fraction_bits,
                                     0,     row.values};
      return latents(opaque, &in_c) != 0;
    };
  }
  const Crop crop = {caller.Get(&glint_decode_options::crop_x, 0),
                     caller.Get(&glint_decode_options::crop_y, 0),
                     caller.Get(&glint_decode_options::crop_width, 0),
                     caller.Get(&glint_decode_options::crop_height, 0)};
  if ((crop.x | crop.y | crop.width | crop.height) != 0) options->crop = crop;
  options->deep = caller.Get(&glint_decode_options::deep, 0) != 0;
  const uint32_t shrink = caller.Get(&glint_decode_options::shrink, 1);
  if (shrink > 8) return Invalid("shrink is " + std::to_string(shrink) + ", not 1, 2, 4 or 8");
  options->shrink = shrink == 0 ? 1 : static_cast<int>(shrink);
  return CheckReserved(caller);
}
static_assert(static_cast<int>(AlphaOutput::kKeep) == GLINT_ALPHA_KEEP &&
              static_cast<int>(AlphaOutput::kDrop) == GLINT_ALPHA_DROP &&
              static_cast<int>(AlphaOutput::kBlend) == GLINT_ALPHA_BLEND &&
              static_cast<int>(DetailOutput::kDecode) == GLINT_DETAIL_DECODE &&
              static_cast<int>(DetailOutput::kSkip) == GLINT_DETAIL_SKIP &&
              static_cast<int>(DetailOutput::kSkipDamaged) == GLINT_DETAIL_SKIP_DAMAGED);

inline void SetOwnDefaults(glint_encode_options* options) {
  options->max_error = EncodeOptions().max_error;
  options->effort = EncodeOptions().effort;
}
inline void SetOwnDefaults(glint_decode_options* options) {
  options->background = 0xFFFFFF;
  options->shrink = 1;
}

template <typename COptions>
COptions DefaultsInC() {
  const CallOptions defaults;
  COptions options{};  // lrd 0 and no callbacks
  SetOwnDefaults(&options);
  options.threads = defaults.threads;
  options.band_rows = defaults.band_rows;
  options.max_pixels = defaults.limits.max_pixels;
  options.max_memory = defaults.limits.max_memory;
  options.runner.workers = defaults.runner.workers;
  return options;
}

// One call of the caller's: its options in C++, and what is to be told at its end.
template <typename COptions>
class Call {
 public:
  using Options = std::conditional_t<std::is_same_v<COptions, glint_encode_options>, EncodeOptions,
                                     DecodeOptions>;

  Error Init(const COptions* options) {
    SizedStruct<COptions> caller;
    if (Error error = caller.Read("options", options); !error.ok()) return error;
    if (Error error = ReadOwn(caller, &options_); !error.ok()) return error;
    options_.threads = caller.Get(&COptions::threads, options_.threads);
    options_.band_rows = caller.Get(&COptions::band_rows, options_.band_rows);
    options_.limits.max_pixels = caller.Get(&COptions::max_pixels, options_.limits.max_pixels);
    options_.limits.max_memory = caller.Get(&COptions::max_memory, options_.limits.max_memory);
    const glint_runner runner = caller.Get(&COptions::runner, {});
    options_.runner = {runner.run, runner.opaque, runner.workers};
    options_.progress = ReadProgress(caller);
    options_.log = ReadLog(caller);
    layer_ = caller.Get(&COptions::layer, nullptr);
    layer_opaque_ = caller.Get(&COptions::layer_opaque, nullptr);
    options_.profile = layer_ != nullptr;
    caller_report_ = caller.Get(&COptions::report, nullptr);
    if (caller_report_ == nullptr) return {};
    const size_t report_size = StructSize(caller_report_);
    return PossibleSize(report_size) ? Error() : UninitialisedError("report", report_size);
  }

  const Options& options() const { return options_; }
  Report* report() { return &report_; }

  // Tells the caller about the call, which ended with `error`; and passes that on.
  Error Finish(Error error) const {
    if (caller_report_ != nullptr) GiveStruct(InC(report_), caller_report_);
    if (!error.ok() || layer_ == nullptr) return error;
    for (const LayerProfile& layer : report_.layers) {
      layer_(layer_opaque_, layer.stage.c_str(), layer.name.c_str(), layer.kernel.c_str(),
             layer.macs, layer.seconds);
    }
    return error;
  }

 private:
  static glint_report InC(const Report& report) {
    glint_report out{};
    out.analysis_seconds = report.times.analysis;
    out.hyper_seconds = report.times.hyper;
    out.context_seconds = report.times.context;
    out.entropy_seconds = report.times.entropy;
    out.synthesis_seconds = report.times.synthesis;
    out.total_seconds = report.times.total;
    out.estimated_bits = report.estimated_bits;
    out.symbols = report.symbols;
    out.planned_bytes = report.planned_bytes;
    out.latent_crc = report.latent_crc;
    out.saturated_latents = report.saturated_latents;
    out.detail_seconds = report.times.detail;
    out.detail_bytes = report.detail.bytes;
    out.detail_blocks = report.detail.blocks;
    out.detail_transform_blocks = report.detail.transform_blocks;
    out.detail_pixel_blocks = report.detail.pixel_blocks;
    out.detail_plain_blocks = report.detail.plain_blocks;
    out.detail_base_error = report.detail.base_error;
    out.detail_error = report.detail.error;
    out.detail_damaged_sections = report.detail.damaged_rows.size();
    out.effort_seconds = report.times.effort;
    return out;
  }

  Options options_;
  Report report_;
  glint_layer_fn layer_ = nullptr;
  void* layer_opaque_ = nullptr;
  glint_report* caller_report_ = nullptr;
};

// ---- values and handles ------------------------------------------------------------------------

inline Error ReadInfo(const glint_picture_info* given, PictureInfo* info) {
  SizedStruct<glint_picture_info> caller;
  if (Error error = caller.Read("info", given); !error.ok()) return error;
  info->width = caller.Get(&glint_picture_info::width, 0);
  info->height = caller.Get(&glint_picture_info::height, 0);
  info->channels = caller.Get(&glint_picture_info::channels, info->channels);
  info->has_alpha = caller.Get(&glint_picture_info::has_alpha, 0) != 0;
  info->bit_depth = caller.Get(&glint_picture_info::bit_depth, info->bit_depth);
  return CheckReserved(caller);
}

inline glint_picture_info InC(const PictureInfo& info) {
  return {sizeof(glint_picture_info),
          info.width,
          info.height,
          info.channels,
          info.has_alpha ? 1U : 0U,
          info.bit_depth,
          0};
}

inline uint64_t RowBytes(const PictureInfo& info) {
  if (info.channels != 1 && info.channels != 3) return 0;
  return uint64_t{info.width} * info.SamplesPerPixel() * info.SampleBytes();
}

inline Error CheckStride(size_t row_stride, uint64_t row_bytes) {
  if (row_stride >= row_bytes) return {};
  return Invalid("row_stride is " + std::to_string(row_stride) + ", a row has " +
                 std::to_string(row_bytes) + " bytes");
}

// Rows of the caller's samples, `row_stride` bytes apart (0: no gaps).
inline Error ReadStrided(const PictureInfo& info, const void* samples, size_t row_stride,
                         RowReader* read) {
  const auto row_bytes = static_cast<size_t>(RowBytes(info));
  const size_t stride = row_stride == 0 ? row_bytes : row_stride;
  *read = [bytes = static_cast<const uint8_t*>(samples), stride, row_bytes](uint32_t y, void* row) {
    std::memcpy(row, bytes + y * stride, row_bytes);
    return true;
  };
  return CheckStride(stride, row_bytes);
}

// A handle is the C++ object under another name.
template <typename Handle>
struct HandleTraits;
template <>
struct HandleTraits<glint_model> {
  using Object = Model;
};
template <>
struct HandleTraits<glint_metadata> {
  using Object = Metadata;
};
template <>
struct HandleTraits<glint_picture> {
  using Object = Picture;
};
template <>
struct HandleTraits<glint_session> {
  using Object = Session;
};
template <>
struct HandleTraits<glint_stream_decoder> {
  struct Object {
    Call<glint_decode_options> call;
    std::optional<StreamDecoder> decoder;
  };
};
template <>
struct HandleTraits<glint_stream_info> {
  using Object = StreamInfo;
};

template <typename Handle>
using ObjectOf = typename HandleTraits<Handle>::Object;

template <typename Handle>
ObjectOf<Handle>* Object(Handle* handle) {
  return reinterpret_cast<ObjectOf<Handle>*>(handle);
}
template <typename Handle>
const ObjectOf<Handle>* Object(const Handle* handle) {
  return reinterpret_cast<const ObjectOf<Handle>*>(handle);
}

// The caller's handle from a result, or its error.
template <typename Handle>
Error GiveHandle(Expected<ObjectOf<Handle>> result, Handle** handle) {
  if (!result) return result.error();
  *handle = reinterpret_cast<Handle*>(new ObjectOf<Handle>(std::move(*result)));
  return {};
}

inline const glint_metadata* MetadataHandle(const Metadata& metadata) {
  return reinterpret_cast<const glint_metadata*>(&metadata);
}

// A copy for glint_free.
template <typename Byte>
Byte* GiveBytes(const void* data, size_t size) {
  static_assert(sizeof(Byte) == 1);
  void* const copy = std::malloc(std::max<size_t>(size, 1));
  if (copy == nullptr) throw std::bad_alloc();
  if (size > 0) std::memcpy(copy, data, size);
  return static_cast<Byte*>(copy);
}

// What encode(metadata, options, report) makes, with the caller's options and metadata.
template <typename EncodeFunction>
Error GiveStream(const glint_metadata* metadata, const glint_encode_options* options,
                 uint8_t** stream, size_t* stream_size, EncodeFunction&& encode) {
  Call<glint_encode_options> call;
  if (Error error = call.Init(options); !error.ok()) return error;
  const Metadata none;
  const Expected<std::vector<uint8_t>> bytes =
      encode(metadata == nullptr ? none : *Object(metadata), call.options(), call.report());
  if (Error error = call.Finish(bytes.error()); !error.ok()) return error;
  *stream = GiveBytes<uint8_t>(bytes->data(), bytes->size());
  *stream_size = bytes->size();
  return {};
}

inline Error GiveText(const std::string& text, char** out) {
  *out = GiveBytes<char>(text.c_str(), text.size() + 1);
  return {};
}

}  // namespace glint::c

#endif  // GLINT_CODEC_API_C_SUPPORT_H_
