// The C interface of glint.h to metadata.
#include <cstring>
#include <utility>
#include <vector>

#include "codec/api/c_support.h"
#include "glint/glint.h"
#include "glint/glint.hpp"

namespace glint::c {
namespace {

// For the parts of metadata: bytes of the caller, in place of what was there.
glint_status SetBytes(glint_metadata* metadata, std::vector<uint8_t> Metadata::*part,
                      const void* data, size_t size, glint_error* error) {
  return Guarded(error, [&]() -> Error {
    const Error missing =
        Need({{"metadata", metadata != nullptr}, {"data", data != nullptr || size == 0}});
    if (!missing.ok()) return missing;
    const auto* bytes = static_cast<const uint8_t*>(data);
    std::vector<uint8_t> copy;
    if (size > 0) copy.assign(bytes, bytes + size);
    (Object(metadata)->*part).swap(copy);
    return {};
  });
}

glint_status GiveView(const std::vector<uint8_t>& bytes, const uint8_t** data, size_t* size) {
  *data = bytes.empty() ? nullptr : bytes.data();
  *size = bytes.size();
  return GLINT_OK;
}

glint_status GetBytes(const glint_metadata* metadata, std::vector<uint8_t> Metadata::*part,
                      const uint8_t** data, size_t* size) {
  if (metadata == nullptr || data == nullptr || size == nullptr) return GLINT_INVALID_ARGUMENT;
  return GiveView(Object(metadata)->*part, data, size);
}

glint_colour InC(const ColourDescription& colour) {
  glint_colour out{};
  const auto point = [](const Chromaticity& from, double* to) {
    to[0] = from.x;
    to[1] = from.y;
  };
  const Cicp cicp = colour.cicp.value_or(Cicp());
  out.has_cicp = colour.cicp ? 1 : 0;
  out.primaries = cicp.primaries;
  out.transfer = cicp.transfer;
  out.full_range = cicp.full_range ? 1 : 0;
  const MasteringDisplay display = colour.display.value_or(MasteringDisplay());
  out.has_display = colour.display ? 1 : 0;
  point(display.red, out.red);
  point(display.green, out.green);
  point(display.blue, out.blue);
  point(display.white, out.white);
  out.max_luminance = display.max_luminance;
  out.min_luminance = display.min_luminance;
  const ContentLight light = colour.light.value_or(ContentLight());
  out.has_light = colour.light ? 1 : 0;
  out.max_content_light = light.max_content;
  out.max_frame_average_light = light.max_frame_average;
  return out;
}

// What the caller's struct does not have is not there.
Error ReadColour(const glint_colour* given, ColourDescription* colour) {
  SizedStruct<glint_colour> caller;
  if (Error error = caller.Read("colour", given); !error.ok()) return error;
  const glint_colour& from = caller.fields();
  const auto point = [](const double* at) { return Chromaticity{at[0], at[1]}; };
  if (caller.Has(&glint_colour::full_range) && from.has_cicp != 0) {
    if (from.primaries > UINT8_MAX || from.transfer > UINT8_MAX) {
      return Invalid("code points of colours are 0 to 255");
    }
    colour->cicp = {static_cast<uint8_t>(from.primaries), static_cast<uint8_t>(from.transfer),
                    from.full_range != 0};
  }
  if (caller.Has(&glint_colour::min_luminance) && from.has_display != 0) {
    colour->display = {point(from.red),   point(from.green),  point(from.blue),
                       point(from.white), from.max_luminance, from.min_luminance};
  }
  if (caller.Has(&glint_colour::max_frame_average_light) && from.has_light != 0) {
    colour->light = {from.max_content_light, from.max_frame_average_light};
  }
  return {};
}

bool IsChunkType(const char* type) {
  size_t letters = 0;
  for (; letters < 5 && type[letters] != '\0'; ++letters) {
    const char c = type[letters];
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  }
  return letters == 4;
}

}  // namespace
}  // namespace glint::c

using namespace glint::c;  // NOLINT(google-build-using-namespace): the functions of this file

glint_status glint_metadata_create(glint_metadata** metadata, glint_error* error) {
  if (metadata != nullptr) *metadata = nullptr;
  return Guarded(error, [&]() -> glint::Error {
    if (metadata == nullptr) return Need({{"metadata", false}});
    return GiveHandle<glint_metadata>(glint::Metadata(), metadata);
  });
}

void glint_metadata_free(glint_metadata* metadata) { delete Object(metadata); }

glint_status glint_metadata_set_icc(glint_metadata* metadata, const void* data, size_t size,
                                    glint_error* error) {
  return SetBytes(metadata, &glint::Metadata::icc, data, size, error);
}

glint_status glint_metadata_set_exif(glint_metadata* metadata, const void* data, size_t size,
                                     glint_error* error) {
  return SetBytes(metadata, &glint::Metadata::exif, data, size, error);
}

glint_status glint_metadata_add_chunk(glint_metadata* metadata, const char* type, const void* data,
                                      size_t size, glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing = Need({{"metadata", metadata != nullptr},
                                       {"type", type != nullptr},
                                       {"data", data != nullptr || size == 0}});
    if (!missing.ok()) return missing;
    if (!IsChunkType(type)) return Invalid("the type of a metadata chunk is four letters");
    const auto* bytes = static_cast<const uint8_t*>(data);
    std::vector<uint8_t> content;
    if (size > 0) content.assign(bytes, bytes + size);
    Object(metadata)->chunks.emplace_back(type, std::move(content));
    return {};
  });
}

glint_status glint_metadata_get_icc(const glint_metadata* metadata, const uint8_t** data,
                                    size_t* size) {
  return GetBytes(metadata, &glint::Metadata::icc, data, size);
}

glint_status glint_metadata_get_exif(const glint_metadata* metadata, const uint8_t** data,
                                     size_t* size) {
  return GetBytes(metadata, &glint::Metadata::exif, data, size);
}

glint_status glint_metadata_get_chunk_count(const glint_metadata* metadata, size_t* count) {
  if (metadata == nullptr || count == nullptr) return GLINT_INVALID_ARGUMENT;
  *count = Object(metadata)->chunks.size();
  return GLINT_OK;
}

glint_status glint_metadata_get_chunk(const glint_metadata* metadata, size_t index,
                                      const char** type, const uint8_t** data, size_t* size) {
  if (metadata == nullptr || type == nullptr || data == nullptr || size == nullptr ||
      index >= Object(metadata)->chunks.size()) {
    return GLINT_INVALID_ARGUMENT;
  }
  const auto& chunk = Object(metadata)->chunks[index];
  *type = chunk.first.c_str();
  return GiveView(chunk.second, data, size);
}

glint_status glint_colour_init(glint_colour* colour, size_t struct_size) {
  return InitStruct(InC(glint::ColourDescription()), struct_size, colour);
}

glint_status glint_metadata_get_colour(const glint_metadata* metadata, glint_colour* colour) {
  if (metadata == nullptr) return GLINT_INVALID_ARGUMENT;
  return GiveStruct(InC(glint::ColourOf(*Object(metadata))), colour);
}

glint_status glint_metadata_set_colour(glint_metadata* metadata, const glint_colour* colour,
                                       glint_error* error) {
  return Guarded(error, [&]() -> glint::Error {
    const glint::Error missing =
        Need({{"metadata", metadata != nullptr}, {"colour", colour != nullptr}});
    if (!missing.ok()) return missing;
    glint::ColourDescription own;
    if (glint::Error wrong = ReadColour(colour, &own); !wrong.ok()) return wrong;
    return glint::SetColour(own, Object(metadata));
  });
}

glint_status glint_metadata_keep(glint_metadata* metadata, uint32_t kinds) {
  if (metadata == nullptr) return GLINT_INVALID_ARGUMENT;
  return Guarded(nullptr, [&]() -> glint::Error {
    *Object(metadata) = glint::MetadataOfKinds(*Object(metadata), kinds);
    return {};
  });
}

glint_status glint_metadata_get_size(const glint_metadata* metadata, uint32_t kinds,
                                     uint64_t* bytes) {
  if (metadata == nullptr || bytes == nullptr) return GLINT_INVALID_ARGUMENT;
  *bytes = glint::MetadataSize(*Object(metadata), kinds);
  return GLINT_OK;
}
