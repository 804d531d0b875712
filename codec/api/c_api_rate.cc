// The part of glint.h that chooses the rate: each function checks its arguments and calls rate.hpp.
#include <string>
#include <utility>

#include "codec/api/c_support.h"
#include "glint/glint.h"
#include "glint/rate.hpp"

namespace glint::c {
namespace {

Expected<Target> TargetOf(const glint_target& target) {
  switch (target.kind) {
    case GLINT_TARGET_BYTES:
      return Target{Target::Kind::kBytes, target.value};
    case GLINT_TARGET_BITS_PER_PIXEL:
      return Target{Target::Kind::kBitsPerPixel, target.value};
    case GLINT_TARGET_PSNR:
      return Target{Target::Kind::kPsnr, target.value};
    default:
      return Invalid("there is no target of kind " + std::to_string(target.kind));
  }
}

// Where a search puts what it found; empty until then.
struct Found {
  uint8_t** stream;
  size_t* stream_size;
  glint_target_result* result;

  Found(uint8_t** to_stream, size_t* to_size, glint_target_result* to_result)
      : stream(to_stream), stream_size(to_size), result(to_result) {
    if (stream != nullptr) *stream = nullptr;
    if (stream_size != nullptr) *stream_size = 0;
  }
};

Error EncodeToTargetWith(const glint_model* model, const PictureInfo& info, const RowReader& read,
                         const glint_metadata* metadata, const glint_target& target,
                         const glint_encode_options* options, const Found& found) {
  const Expected<Target> wanted = TargetOf(target);
  if (!wanted) return wanted.error();
  if (found.result != nullptr && !PossibleSize(StructSize(found.result))) {
    return UninitialisedError("result", StructSize(found.result));
  }
  Call<glint_encode_options> call;
  if (Error error = call.Init(options); !error.ok()) return error;
  const Metadata none;
  const auto result =
      EncodeRowsToTarget(*Object(model), info, metadata == nullptr ? none : *Object(metadata), read,
                         *wanted, call.options(), call.report());
  if (Error error = call.Finish(result.error()); !error.ok()) return error;
  *found.stream = GiveBytes<uint8_t>(result->stream.data(), result->stream.size());
  *found.stream_size = result->stream.size();
  if (found.result == nullptr) return {};
  glint_target_result out{};
  out.lrd = result->lrd;
  out.psnr = result->psnr;
  out.probes = static_cast<uint32_t>(result->probes);
  GiveStruct(out, found.result);
  return {};
}

}  // namespace
}  // namespace glint::c

using namespace glint::c;  // NOLINT(google-build-using-namespace): the functions of this file

glint_status glint_lrd_of_quality(const glint_model* model, double quality, double* lrd,
                                  glint_error* error) {
  return glint_lrd_of_quality_with(model, quality, nullptr, lrd, error);
}

glint_status glint_lrd_of_quality_with(const glint_model* model, double quality,
                                       const glint_encode_options* options, double* lrd,
                                       glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr}, {"lrd", lrd != nullptr}});
    if (!missing.ok()) return missing;
    Call<glint_encode_options> call;
    if (glint::Error wrong = call.Init(options); !wrong.ok()) return wrong;
    const glint::Expected<double> found =
        glint::LrdOfQuality(Object(model)->info(), quality, call.options().detail);
    if (found) *lrd = *found;
    return found.error();
  });
}

glint_status glint_target_result_init(glint_target_result* result, size_t struct_size) {
  return InitStruct(glint_target_result{}, struct_size, result);
}

glint_status glint_encode_to_target(const glint_model* model, const glint_picture_info* info,
                                    const void* samples, size_t row_stride,
                                    const glint_metadata* metadata, const glint_target* target,
                                    const glint_encode_options* options, uint8_t** stream,
                                    size_t* stream_size, glint_target_result* result,
                                    glint_error* error) {
  const Found found(stream, stream_size, result);
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"info", info != nullptr},
                                       {"samples", samples != nullptr},
                                       {"target", target != nullptr},
                                       {"stream", stream != nullptr},
                                       {"stream_size", stream_size != nullptr}});
    if (!missing.ok()) return missing;
    glint::PictureInfo picture;
    glint::RowReader read;
    glint::Error wrong = ReadInfo(info, &picture);
    if (wrong.ok()) wrong = ReadStrided(picture, samples, row_stride, &read);
    if (!wrong.ok()) return wrong;
    return EncodeToTargetWith(model, picture, read, metadata, *target, options, found);
  });
}

glint_status glint_encode_rows_to_target(const glint_model* model, const glint_picture_info* info,
                                         glint_read_row_fn read, void* opaque,
                                         const glint_metadata* metadata, const glint_target* target,
                                         const glint_encode_options* options, uint8_t** stream,
                                         size_t* stream_size, glint_target_result* result,
                                         glint_error* error) {
  const Found found(stream, stream_size, result);
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"model", model != nullptr},
                                       {"info", info != nullptr},
                                       {"read", read != nullptr},
                                       {"target", target != nullptr},
                                       {"stream", stream != nullptr},
                                       {"stream_size", stream_size != nullptr}});
    if (!missing.ok()) return missing;
    glint::PictureInfo picture;
    if (glint::Error wrong = ReadInfo(info, &picture); !wrong.ok()) return wrong;
    const auto read_row = [&](uint32_t y, void* row) { return read(opaque, y, row) != 0; };
    return EncodeToTargetWith(model, picture, read_row, metadata, *target, options, found);
  });
}
