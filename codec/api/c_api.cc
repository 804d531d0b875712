// The C interface of glint.h: each function checks its arguments and calls glint.hpp.
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/api/c_support.h"
#include "glint/glint.h"
#include "glint/glint.hpp"

namespace glint::c {
namespace {

Error EncodeWith(const glint_model* model, const PictureInfo& info, const RowReader& read,
                 const glint_metadata* metadata, const glint_encode_options* options,
                 uint8_t** stream, size_t* stream_size) {
  return GiveStream(metadata, options, stream, stream_size,
                    [&](const Metadata& given, const EncodeOptions& own, Report* report) {
                      return EncodeRows(*Object(model), info, given, read, own, report);
                    });
}

using StartFunction = std::function<bool(const PictureInfo&, const Metadata&)>;

Error DecodeWith(const glint_model* model, const void* stream, size_t stream_size,
                 const StartFunction& start, const RowWriter& write,
                 const glint_decode_options* options) {
  Call<glint_decode_options> call;
  if (Error error = call.Init(options); !error.ok()) return error;
  return call.Finish(
      DecodeRows(*Object(model), stream, stream_size, start, write, call.options(), call.report()));
}

// The caller's callbacks.
StartFunction StartIn(glint_start_fn start, void* opaque) {
  return [start, opaque](const PictureInfo& output, const Metadata& metadata) {
    const glint_picture_info info = InC(output);
    return start == nullptr || start(opaque, &info, MetadataHandle(metadata)) != 0;
  };
}
RowWriter WriteIn(glint_write_row_fn write, void* opaque) {
  return [write, opaque](uint32_t y, const void* row) { return write(opaque, y, row) != 0; };
}

// Rows of a decoder in the caller's buffer.
class RowPlacer {
 public:
  RowPlacer(void* samples, size_t samples_size, size_t row_stride)
      : samples_(static_cast<uint8_t*>(samples)), size_(samples_size), row_stride_(row_stride) {}

  Error Begin(const PictureInfo& info) {
    row_bytes_ = info.RowBytes();
    if (row_stride_ == 0) row_stride_ = row_bytes_;
    if (Error error = CheckStride(row_stride_, row_bytes_); !error.ok()) return error;
    const uint64_t more_rows = info.height - 1;
    if (size_ >= row_bytes_ && more_rows <= (size_ - row_bytes_) / row_stride_) return {};
    return Invalid("the buffer has " + std::to_string(size_) + " bytes, too few for " +
                   std::to_string(info.height) + " rows of " + std::to_string(row_bytes_) +
                   " bytes, " + std::to_string(row_stride_) + " bytes apart");
  }

  void Place(uint32_t y, const void* row) {
    std::memcpy(samples_ + y * row_stride_, row, row_bytes_);
  }

 private:
  uint8_t* const samples_;
  const size_t size_;
  size_t row_stride_;
  size_t row_bytes_ = 0;
};

}  // namespace
}  // namespace glint::c

using namespace glint::c;  // NOLINT(google-build-using-namespace): the functions of this file

const char* glint_version(void) { return glint::Version(); }

const char* glint_status_text(glint_status status) {
  static constexpr const char* kTexts[] = {"no error",
                                           "invalid argument",
                                           "not found",
                                           "input or output failed",
                                           "bad model file",
                                           "bad stream",
                                           "stream of another model",
                                           "bad picture file",
                                           "limit exceeded",
                                           "unsupported",
                                           "cancelled",
                                           "target cannot be reached"};
  static_assert(std::size(kTexts) == GLINT_UNREACHABLE + 1);
  const size_t index = static_cast<size_t>(status);
  return index < std::size(kTexts) ? kTexts[index] : "unknown status";
}

void glint_free(void* buffer) { std::free(buffer); }

// ---- pictures ----------------------------------------------------------------------------------

glint_status glint_picture_info_init(glint_picture_info* info, size_t struct_size) {
  return InitStruct(InC(glint::PictureInfo()), struct_size, info);
}

size_t glint_row_bytes(const glint_picture_info* info) {
  glint::PictureInfo own;
  size_t bytes = 0;
  const glint_status status = Guarded(nullptr, [&]() -> glint::Error {
    if (info == nullptr) return Need({{"info", false}});
    glint::Error wrong = ReadInfo(info, &own);
    if (wrong.ok()) bytes = static_cast<size_t>(RowBytes(own));
    return wrong;
  });
  return status == GLINT_OK ? bytes : 0;
}

void glint_picture_free(glint_picture* picture) { delete Object(picture); }

glint_status glint_picture_get_info(const glint_picture* picture, glint_picture_info* info) {
  if (picture == nullptr) return GLINT_INVALID_ARGUMENT;
  return GiveStruct(InC(Object(picture)->info), info);
}

glint_status glint_picture_get_samples(const glint_picture* picture, const void** samples,
                                       size_t* size) {
  if (picture == nullptr || samples == nullptr || size == nullptr) return GLINT_INVALID_ARGUMENT;
  *samples = Object(picture)->samples.data();
  *size = Object(picture)->samples.size();
  return GLINT_OK;
}

glint_status glint_picture_get_metadata(const glint_picture* picture,
                                        const glint_metadata** metadata) {
  if (picture == nullptr || metadata == nullptr) return GLINT_INVALID_ARGUMENT;
  *metadata = MetadataHandle(Object(picture)->metadata);
  return GLINT_OK;
}

// ---- models ------------------------------------------------------------------------------------

glint_status glint_load_options_init(glint_load_options* options, size_t struct_size) {
  return InitStruct(LoadDefaultsInC(), struct_size, options);
}

glint_status glint_model_load(const char* path, glint_model** model, glint_error* error) {
  return glint_model_load_with(path, nullptr, model, error);
}

glint_status glint_model_load_with(const char* path, const glint_load_options* options,
                                   glint_model** model, glint_error* error) {
  if (model != nullptr) *model = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    glint::Error wrong = Need({{"path", path != nullptr}, {"model", model != nullptr}});
    glint::LoadOptions load;
    if (wrong.ok()) wrong = ReadLoadOptions(options, &load);
    if (!wrong.ok()) return wrong;
    return GiveHandle(glint::Model::Load(path, load), model);
  });
}

glint_status glint_model_from_memory(const void* data, size_t size, const char* name,
                                     glint_model** model, glint_error* error) {
  return glint_model_from_memory_with(data, size, name, nullptr, model, error);
}

glint_status glint_model_from_memory_with(const void* data, size_t size, const char* name,
                                          const glint_load_options* options, glint_model** model,
                                          glint_error* error) {
  if (model != nullptr) *model = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    glint::Error wrong = Need({{"data", data != nullptr}, {"model", model != nullptr}});
    glint::LoadOptions load;
    if (wrong.ok()) wrong = ReadLoadOptions(options, &load);
    if (!wrong.ok()) return wrong;
    return GiveHandle(glint::Model::FromMemory(data, size, name == nullptr ? "memory" : name, load),
                      model);
  });
}

void glint_model_free(glint_model* model) { delete Object(model); }

glint_status glint_model_info_init(glint_model_info* info, size_t struct_size) {
  return InitStruct(glint_model_info{}, struct_size, info);
}

glint_status glint_model_get_info(const glint_model* model, glint_model_info* info) {
  if (model == nullptr) return GLINT_INVALID_ARGUMENT;
  const glint::ModelInfo& from = Object(model)->info();
  glint_model_info to{};
  to.name = from.name.c_str();
  to.form = from.form.c_str();
  to.architecture = from.architecture.c_str();
  to.provenance = from.provenance.c_str();
  to.id = from.id.c_str();
  to.file_bytes = from.file_bytes;
  to.parameters = from.parameters;
  to.load_seconds = from.load_seconds;
  to.lrd_min = from.lrd_min;
  to.lrd_max = from.lrd_max;
  to.lrd_default = from.lrd_default;
  to.lrd_suggested_min = from.lrd_suggested_min;
  to.lrd_suggested_max = from.lrd_suggested_max;
  to.detail_lrd_min = from.detail_lrd_min;
  to.detail_lrd_max = from.detail_lrd_max;
  to.detail_lrd_default = from.detail_lrd_default;
  for (const uint32_t shrink : from.shrinks) to.shrinks += shrink;
  return GiveStruct(to, info);
}

glint_status glint_model_explain(const glint_model* model, char** text, glint_error* error) {
  if (text != nullptr) *text = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr}, {"text", text != nullptr}});
    if (!missing.ok()) return missing;
    return GiveText(Object(model)->Explain(), text);
  });
}

// ---- sessions ----------------------------------------------------------------------------------

glint_status glint_session_create(int32_t threads, glint_session** session, glint_error* error) {
  if (session != nullptr) *session = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    if (session == nullptr) return Need({{"session", false}});
    return GiveHandle(glint::Session::Make(threads), session);
  });
}

void glint_session_free(glint_session* session) { delete Object(session); }

glint_status glint_session_get_runner(const glint_session* session, glint_runner* runner) {
  if (session == nullptr || runner == nullptr) return GLINT_INVALID_ARGUMENT;
  const glint::ParallelRunner from = Object(session)->runner();
  *runner = {from.run, from.opaque, from.workers};
  return GLINT_OK;
}

// ---- options and report ------------------------------------------------------------------------

glint_status glint_report_init(glint_report* report, size_t struct_size) {
  return InitStruct(glint_report{}, struct_size, report);
}

glint_status glint_encode_options_init(glint_encode_options* options, size_t struct_size) {
  return InitStruct(DefaultsInC<glint_encode_options>(), struct_size, options);
}

glint_status glint_decode_options_init(glint_decode_options* options, size_t struct_size) {
  return InitStruct(DefaultsInC<glint_decode_options>(), struct_size, options);
}

// ---- encoding ----------------------------------------------------------------------------------

glint_status glint_encode(const glint_model* model, const glint_picture_info* info,
                          const void* samples, size_t row_stride, const glint_metadata* metadata,
                          const glint_encode_options* options, uint8_t** stream,
                          size_t* stream_size, glint_error* error) {
  if (stream != nullptr) *stream = nullptr;
  if (stream_size != nullptr) *stream_size = 0;
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"info", info != nullptr},
                                       {"samples", samples != nullptr},
                                       {"stream", stream != nullptr},
                                       {"stream_size", stream_size != nullptr}});
    if (!missing.ok()) return missing;
    glint::PictureInfo picture;
    glint::RowReader read;
    glint::Error wrong = ReadInfo(info, &picture);
    if (wrong.ok()) wrong = ReadStrided(picture, samples, row_stride, &read);
    if (!wrong.ok()) return wrong;
    return EncodeWith(model, picture, read, metadata, options, stream, stream_size);
  });
}

glint_status glint_encode_rows(const glint_model* model, const glint_picture_info* info,
                               glint_read_row_fn read, void* opaque, const glint_metadata* metadata,
                               const glint_encode_options* options, uint8_t** stream,
                               size_t* stream_size, glint_error* error) {
  if (stream != nullptr) *stream = nullptr;
  if (stream_size != nullptr) *stream_size = 0;
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"info", info != nullptr},
                                       {"read", read != nullptr},
                                       {"stream", stream != nullptr},
                                       {"stream_size", stream_size != nullptr}});
    if (!missing.ok()) return missing;
    glint::PictureInfo picture;
    if (glint::Error wrong = ReadInfo(info, &picture); !wrong.ok()) return wrong;
    const auto read_row = [&](uint32_t y, void* row) { return read(opaque, y, row) != 0; };
    return EncodeWith(model, picture, read_row, metadata, options, stream, stream_size);
  });
}

// ---- decoding ----------------------------------------------------------------------------------

glint_status glint_decode(const glint_model* model, const void* stream, size_t stream_size,
                          const glint_decode_options* options, glint_picture** picture,
                          glint_error* error) {
  if (picture != nullptr) *picture = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"stream", stream != nullptr},
                                       {"picture", picture != nullptr}});
    if (!missing.ok()) return missing;
    Call<glint_decode_options> call;
    if (glint::Error wrong = call.Init(options); !wrong.ok()) return wrong;
    auto decoded =
        glint::Decode(*Object(model), stream, stream_size, call.options(), call.report());
    if (glint::Error failed = call.Finish(decoded.error()); !failed.ok()) return failed;
    return GiveHandle(std::move(decoded), picture);
  });
}

glint_status glint_decode_into(const glint_model* model, const void* stream, size_t stream_size,
                               const glint_decode_options* options, void* samples,
                               size_t samples_size, size_t row_stride, glint_picture_info* info,
                               glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"stream", stream != nullptr},
                                       {"samples", samples != nullptr}});
    if (!missing.ok()) return missing;
    if (info != nullptr && !PossibleSize(StructSize(info))) {
      return UninitialisedError("info", StructSize(info));
    }
    RowPlacer placer(samples, samples_size, row_stride);
    glint::Error refused;
    const auto start = [&](const glint::PictureInfo& output, const glint::Metadata&) {
      if (info != nullptr) GiveStruct(InC(output), info);
      refused = placer.Begin(output);
      return refused.ok();
    };
    const auto write = [&](uint32_t y, const void* row) {
      placer.Place(y, row);
      return true;
    };
    glint::Error failed = DecodeWith(model, stream, stream_size, start, write, options);
    return refused.ok() ? failed : refused;
  });
}

glint_status glint_decode_rows(const glint_model* model, const void* stream, size_t stream_size,
                               const glint_decode_options* options, glint_start_fn start,
                               glint_write_row_fn write, void* opaque, glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need(
        {{"model", model != nullptr}, {"stream", stream != nullptr}, {"write", write != nullptr}});
    if (!missing.ok()) return missing;
    return DecodeWith(model, stream, stream_size, StartIn(start, opaque), WriteIn(write, opaque),
                      options);
  });
}

// ---- latents -----------------------------------------------------------------------------------

glint_status glint_model_get_latent_shape(const glint_model* model, const glint_picture_info* info,
                                          glint_latent_shape* shape, glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing =
        Need({{"model", model != nullptr}, {"info", info != nullptr}, {"shape", shape != nullptr}});
    if (!missing.ok()) return missing;
    glint::PictureInfo picture;
    if (glint::Error wrong = ReadInfo(info, &picture); !wrong.ok()) return wrong;
    const auto found = glint::ShapeOfLatents(*Object(model), picture);
    if (found) *shape = {found->rows, found->columns, found->channels, found->fraction_bits};
    return found.error();
  });
}

glint_status glint_synthesise_rows(const glint_model* model, const glint_picture_info* info,
                                   double lrd, glint_read_latents_fn read, glint_write_row_fn write,
                                   void* opaque, const glint_decode_options* options,
                                   glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"info", info != nullptr},
                                       {"read", read != nullptr},
                                       {"write", write != nullptr}});
    if (!missing.ok()) return missing;
    glint::PictureInfo picture;
    Call<glint_decode_options> call;
    glint::Error wrong = ReadInfo(info, &picture);
    if (wrong.ok()) wrong = call.Init(options);
    if (!wrong.ok()) return wrong;
    const auto read_row = [&](uint32_t y, int16_t* values) { return read(opaque, y, values) != 0; };
    return call.Finish(glint::SynthesiseRows(*Object(model), picture, lrd, read_row,
                                             WriteIn(write, opaque), call.options(),
                                             call.report()));
  });
}

// ---- decoding while bytes come -----------------------------------------------------------------

glint_status glint_stream_decoder_create(const glint_model* model,
                                         const glint_decode_options* options, glint_start_fn start,
                                         glint_write_row_fn write, void* opaque,
                                         glint_stream_decoder** decoder, glint_error* error) {
  if (decoder != nullptr) *decoder = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"write", write != nullptr},
                                       {"decoder", decoder != nullptr}});
    if (!missing.ok()) return missing;
    auto made = std::make_unique<ObjectOf<glint_stream_decoder>>();
    if (glint::Error wrong = made->call.Init(options); !wrong.ok()) return wrong;
    auto cpp = glint::StreamDecoder::Make(*Object(model), StartIn(start, opaque),
                                          WriteIn(write, opaque), made->call.options());
    if (!cpp) return cpp.error();
    made->decoder.emplace(std::move(*cpp));
    *decoder = reinterpret_cast<glint_stream_decoder*>(made.release());
    return {};
  });
}

void glint_stream_decoder_free(glint_stream_decoder* decoder) { delete Object(decoder); }

glint_status glint_stream_decoder_push(glint_stream_decoder* decoder, const void* data, size_t size,
                                       glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing =
        Need({{"decoder", decoder != nullptr}, {"data", data != nullptr || size == 0}});
    return missing.ok() ? Object(decoder)->decoder->Push(data, size) : missing;
  });
}

glint_status glint_stream_decoder_finish(glint_stream_decoder* decoder, glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    if (decoder == nullptr) return Need({{"decoder", false}});
    auto* const object = Object(decoder);
    const glint::Error failed = object->decoder->Finish();
    *object->call.report() = object->decoder->report();
    return object->call.Finish(failed);
  });
}

// ---- inspecting --------------------------------------------------------------------------------

int glint_is_stream(const void* data, size_t size) {
  return data != nullptr && glint::IsStream(data, size) ? 1 : 0;
}

glint_status glint_inspect(const void* stream, size_t stream_size,
                           const glint_decode_options* options, glint_stream_info** info,
                           glint_error* error) {
  if (info != nullptr) *info = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"stream", stream != nullptr}, {"info", info != nullptr}});
    if (!missing.ok()) return missing;
    Call<glint_decode_options> call;
    if (glint::Error wrong = call.Init(options); !wrong.ok()) return wrong;
    const bool damaged_details = call.options().detail != glint::DetailOutput::kDecode;
    return GiveHandle(glint::Inspect(stream, stream_size, call.options().limits, damaged_details),
                      info);
  });
}

void glint_stream_info_free(glint_stream_info* info) { delete Object(info); }

glint_status glint_stream_properties_init(glint_stream_properties* properties, size_t struct_size) {
  return InitStruct(glint_stream_properties{}, struct_size, properties);
}

glint_status glint_stream_get_properties(const glint_stream_info* info,
                                         glint_stream_properties* properties) {
  if (info == nullptr) return GLINT_INVALID_ARGUMENT;
  const glint::StreamInfo& from = *Object(info);
  glint_stream_properties to{};
  to.model_id = from.model_id.c_str();
  to.lrd = from.lrd;
  to.bytes = from.bytes;
  to.chunk_count = from.chunks.size();
  to.is_gray = from.gray ? 1 : 0;
  to.has_detail = from.detail ? 1 : 0;
  to.detail_damaged_sections = from.damaged_rows.size();
  return GiveStruct(to, properties);
}

glint_status glint_stream_get_source(const glint_stream_info* info, glint_picture_info* source) {
  if (info == nullptr) return GLINT_INVALID_ARGUMENT;
  return GiveStruct(InC(Object(info)->source), source);
}

glint_status glint_stream_get_output(const glint_stream_info* info, glint_picture_info* output) {
  if (info == nullptr) return GLINT_INVALID_ARGUMENT;
  return GiveStruct(InC(Object(info)->output), output);
}

glint_status glint_stream_get_chunk(const glint_stream_info* info, size_t index,
                                    glint_stream_chunk* chunk) {
  if (info == nullptr || chunk == nullptr || index >= Object(info)->chunks.size()) {
    return GLINT_INVALID_ARGUMENT;
  }
  const glint::StreamInfo::Chunk& from = Object(info)->chunks[index];
  *chunk = {from.offset, from.bytes, static_cast<uint8_t>(from.type), 0};
  return GLINT_OK;
}

glint_status glint_stream_get_metadata(const glint_stream_info* info,
                                       const glint_metadata** metadata) {
  if (info == nullptr || metadata == nullptr) return GLINT_INVALID_ARGUMENT;
  *metadata = MetadataHandle(Object(info)->metadata);
  return GLINT_OK;
}

// ---- memory of the caller's --------------------------------------------------------------------

glint_status glint_set_allocator(const glint_allocator* allocator, glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    if (allocator == nullptr) return glint::SetAllocator({});
    return glint::SetAllocator({allocator->allocate, allocator->release, allocator->opaque});
  });
}

// ---- SIMD targets ------------------------------------------------------------------------------

glint_status glint_supported_targets(char** names, glint_error* error) {
  if (names != nullptr) *names = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    if (names == nullptr) return Need({{"names", false}});
    std::string joined;
    for (const std::string& target : glint::SupportedTargets()) {
      if (!joined.empty()) joined += ' ';
      joined += target;
    }
    return GiveText(joined, names);
  });
}

glint_status glint_current_target(char** name, glint_error* error) {
  if (name != nullptr) *name = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    if (name == nullptr) return Need({{"name", false}});
    return GiveText(glint::CurrentTarget(), name);
  });
}

glint_status glint_set_target(const char* name, glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    if (name == nullptr) return Need({{"name", false}});
    return glint::SetTarget(name);
  });
}
