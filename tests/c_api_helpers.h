// What the tests of the C interface share: one tiny model behind both interfaces, pictures and
// metadata from C to C++ and back, rows by callback.
// Used by tests/c_api_*test.cc only.
// Thread rules: functions of their arguments; checks report to doctest.
#ifndef GLINT_TESTS_C_API_HELPERS_H_
#define GLINT_TESTS_C_API_HELPERS_H_

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <type_traits>
#include <vector>

#include "glint/glint.h"
#include "glint/glint.hpp"
#include "tests/c_handles.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint::testing {

using Bytes = std::vector<uint8_t>;

// The same model behind both interfaces.
struct BothModels {
  explicit BothModels(uint32_t seed = 1)
      : bytes(TinyModel(seed).Build()), cpp(*Model::FromMemory(bytes.data(), bytes.size())) {
    glint_model* model = nullptr;
    REQUIRE(glint_model_from_memory(bytes.data(), bytes.size(), nullptr, &model, nullptr) ==
            GLINT_OK);
    c.reset(model);
  }
  Bytes bytes;
  Model cpp;
  Owned<glint_model> c;
};

inline const BothModels& Tiny() {
  static const BothModels models;
  return models;
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

inline glint_picture_info EmptyInfo() {
  glint_picture_info info;
  REQUIRE(glint_picture_info_init(&info, sizeof(info)) == GLINT_OK);
  return info;
}

inline bool Same(const glint_picture_info& a, const PictureInfo& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels &&
         a.has_alpha == (b.has_alpha ? 1U : 0U) && a.bit_depth == b.bit_depth;
}

inline bool Same(const Metadata& a, const Metadata& b) {
  return a.icc == b.icc && a.exif == b.exif && a.chunks == b.chunks;
}

inline Owned<glint_metadata> InC(const Metadata& from) {
  glint_metadata* metadata = nullptr;
  REQUIRE(glint_metadata_create(&metadata, nullptr) == GLINT_OK);
  CHECK(glint_metadata_set_icc(metadata, from.icc.data(), from.icc.size(), nullptr) == GLINT_OK);
  CHECK(glint_metadata_set_exif(metadata, from.exif.data(), from.exif.size(), nullptr) == GLINT_OK);
  for (const auto& [type, content] : from.chunks) {
    CHECK(glint_metadata_add_chunk(metadata, type.c_str(), content.data(), content.size(),
                                   nullptr) == GLINT_OK);
  }
  return Owned<glint_metadata>(metadata);
}

inline Metadata FromC(const glint_metadata* from) {
  Metadata to;
  const uint8_t* data = nullptr;
  size_t size = 0, count = 0;
  REQUIRE(glint_metadata_get_icc(from, &data, &size) == GLINT_OK);
  to.icc.assign(data, data + size);
  REQUIRE(glint_metadata_get_exif(from, &data, &size) == GLINT_OK);
  to.exif.assign(data, data + size);
  REQUIRE(glint_metadata_get_chunk_count(from, &count) == GLINT_OK);
  for (size_t i = 0; i < count; ++i) {
    const char* type = nullptr;
    REQUIRE(glint_metadata_get_chunk(from, i, &type, &data, &size) == GLINT_OK);
    to.chunks.emplace_back(type, Bytes(data, data + size));
  }
  return to;
}

// Takes what a C function gave, and frees it.
inline Bytes Taken(uint8_t* stream, size_t size) {
  Bytes bytes(stream, stream + size);
  glint_free(stream);
  return bytes;
}

template <typename Options>
Options Defaults() {
  Options options;
  if constexpr (std::is_same_v<Options, glint_encode_options>) {
    REQUIRE(glint_encode_options_init(&options, sizeof(options)) == GLINT_OK);
  } else {
    REQUIRE(glint_decode_options_init(&options, sizeof(options)) == GLINT_OK);
  }
  return options;
}

inline glint_report EmptyReport() {
  glint_report report;
  REQUIRE(glint_report_init(&report, sizeof(report)) == GLINT_OK);
  return report;
}

inline Picture TestPicture(const PictureInfo& info, uint32_t seed = 0) {
  std::mt19937 random(TestSeed() + seed);
  return RandomPicture(info, &random);
}

inline const Picture& SmallPicture() {
  static const Picture picture = TestPicture(MakeInfo(50, 37, 3, false, 8));
  return picture;
}

inline const Bytes& SmallStream() {
  static const Bytes stream = *Encode(Tiny().cpp, SmallPicture());
  return stream;
}

inline glint_status EncodeSmall(const glint_encode_options* options, glint_error* error = nullptr) {
  const glint_picture_info info = InC(SmallPicture().info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  const glint_status status = glint_encode(Tiny().c.get(), &info, SmallPicture().samples.data(), 0,
                                           nullptr, options, &stream, &size, error);
  CHECK((stream == nullptr) == (status != GLINT_OK));
  CHECK((size == 0) == (status != GLINT_OK));
  glint_free(stream);
  return status;
}

inline glint_status DecodeSmall(const glint_decode_options* options, glint_error* error = nullptr) {
  glint_picture* picture = nullptr;
  const glint_status status = glint_decode(Tiny().c.get(), SmallStream().data(),
                                           SmallStream().size(), options, &picture, error);
  CHECK((picture == nullptr) == (status != GLINT_OK));
  glint_picture_free(picture);
  return status;
}

// Rows from and to a Picture. `stop_at`: the row at which the callback says no.
struct RowSource {
  const Picture* picture;
  uint32_t stop_at = UINT32_MAX;
  uint32_t next = 0;
  static int Read(void* opaque, uint32_t y, void* row) {
    auto* self = static_cast<RowSource*>(opaque);
    CHECK(y == self->next++);
    if (y == self->stop_at) return 0;
    const size_t bytes = self->picture->info.RowBytes();
    std::memcpy(row, self->picture->samples.data() + y * bytes, bytes);
    return 1;
  }
};

struct RowSink {
  Picture picture;
  bool stop_at_start = false;
  uint32_t stop_at = UINT32_MAX;
  uint32_t next = 0;
  static int Start(void* opaque, const glint_picture_info* info, const glint_metadata* metadata) {
    auto* self = static_cast<RowSink*>(opaque);
    self->picture.info = {info->width, info->height, info->channels, info->has_alpha == 1,
                          info->bit_depth};
    self->picture.metadata = FromC(metadata);
    return self->stop_at_start ? 0 : 1;
  }
  static int Write(void* opaque, uint32_t y, const void* row) {
    auto* self = static_cast<RowSink*>(opaque);
    CHECK(y == self->next++);
    if (y == self->stop_at) return 0;
    const auto* bytes = static_cast<const uint8_t*>(row);
    self->picture.samples.insert(self->picture.samples.end(), bytes,
                                 bytes + self->picture.info.RowBytes());
    return 1;
  }
};

inline const PictureInfo kInfos[] = {MakeInfo(50, 37, 3, false, 8),  MakeInfo(1, 1, 1, false, 1),
                                     MakeInfo(33, 80, 1, true, 8),   MakeInfo(70, 18, 3, true, 16),
                                     MakeInfo(16, 16, 3, false, 16), MakeInfo(5, 200, 1, false, 4)};

inline Metadata SomeMetadata() {
  Metadata metadata;
  metadata.icc = Bytes(300, 7);
  metadata.exif = {'I', 'I', 42, 0, 9};
  metadata.chunks = {{"tEXt", {'a', 0, 'b'}}, {"gAMA", {0, 0, 177, 143}}, {"teSt", {}}};
  return metadata;
}

}  // namespace glint::testing

#endif  // GLINT_TESTS_C_API_HELPERS_H_
