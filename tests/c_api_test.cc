// The C interface: what it gives is what the C++ interface gives, and what is wrong is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "glint/glint.h"
#include "glint/glint.hpp"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

extern "C" int glint_test_c_header(void);

namespace glint {
namespace {

using Bytes = std::vector<uint8_t>;

struct Freer {
  void operator()(glint_model* model) const { glint_model_free(model); }
  void operator()(glint_metadata* metadata) const { glint_metadata_free(metadata); }
  void operator()(glint_picture* picture) const { glint_picture_free(picture); }
  void operator()(glint_stream_info* info) const { glint_stream_info_free(info); }
  void operator()(char* text) const { glint_free(text); }
};
template <typename Handle>
using Owned = std::unique_ptr<Handle, Freer>;

// The same model behind both interfaces.
struct BothModels {
  explicit BothModels(uint32_t seed = 1)
      : bytes(testing::TinyModel(seed).Build()),
        cpp(*Model::FromMemory(bytes.data(), bytes.size())) {
    glint_model* model = nullptr;
    REQUIRE(glint_model_from_memory(bytes.data(), bytes.size(), nullptr, &model, nullptr) ==
            GLINT_OK);
    c.reset(model);
  }
  Bytes bytes;
  Model cpp;
  Owned<glint_model> c;
};

const BothModels& Tiny() {
  static const BothModels models;
  return models;
}

glint_picture_info InC(const PictureInfo& info) {
  return {info.width, info.height, info.channels, info.has_alpha ? 1U : 0U, info.bit_depth};
}

bool Same(const glint_picture_info& a, const PictureInfo& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels &&
         a.has_alpha == (b.has_alpha ? 1U : 0U) && a.bit_depth == b.bit_depth;
}

bool Same(const Metadata& a, const Metadata& b) {
  return a.icc == b.icc && a.exif == b.exif && a.chunks == b.chunks;
}

Owned<glint_metadata> InC(const Metadata& from) {
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

Metadata FromC(const glint_metadata* from) {
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
Bytes Taken(uint8_t* stream, size_t size) {
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

glint_report EmptyReport() {
  glint_report report;
  REQUIRE(glint_report_init(&report, sizeof(report)) == GLINT_OK);
  return report;
}

Picture TestPicture(const PictureInfo& info, uint32_t seed = 0) {
  std::mt19937 random(TestSeed() + seed);
  return RandomPicture(info, &random);
}

const Picture& SmallPicture() {
  static const Picture picture = TestPicture(MakeInfo(50, 37, 3, false, 8));
  return picture;
}

const Bytes& SmallStream() {
  static const Bytes stream = *Encode(Tiny().cpp, SmallPicture());
  return stream;
}

glint_status EncodeSmall(const glint_encode_options* options, glint_error* error = nullptr) {
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

glint_status DecodeSmall(const glint_decode_options* options, glint_error* error = nullptr) {
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

const PictureInfo kInfos[] = {MakeInfo(50, 37, 3, false, 8),  MakeInfo(1, 1, 1, false, 1),
                              MakeInfo(33, 80, 1, true, 8),   MakeInfo(70, 18, 3, true, 16),
                              MakeInfo(16, 16, 3, false, 16), MakeInfo(5, 200, 1, false, 4)};

Metadata SomeMetadata() {
  Metadata metadata;
  metadata.icc = Bytes(300, 7);
  metadata.exif = {'I', 'I', 42, 0, 9};
  metadata.chunks = {{"tEXt", {'a', 0, 'b'}}, {"gAMA", {0, 0, 177, 143}}, {"teSt", {}}};
  return metadata;
}

}  // namespace

TEST_CASE("C interface: a file of C11 compiles, links and runs") {
  CHECK(glint_test_c_header() == 0);
  CHECK(std::string(glint_version()) == Version());
}

TEST_CASE("C interface: every status has a text of its own") {
  std::set<std::string> texts;
  for (int status = GLINT_OK; status <= GLINT_CANCELLED + 1; ++status) {
    texts.insert(glint_status_text(static_cast<glint_status>(status)));
  }
  CHECK(texts.size() == GLINT_CANCELLED + 2);
  CHECK(texts.count("unknown status") == 1);
}

TEST_CASE("C interface: streams equal those of the C++ interface") {
  for (const PictureInfo& info : kInfos) {
    CAPTURE(info.width);
    Picture picture = TestPicture(info, 1);
    picture.metadata = SomeMetadata();
    const Owned<glint_metadata> metadata = InC(picture.metadata);
    const glint_picture_info c_info = InC(info);
    CHECK(glint_row_bytes(&c_info) == info.RowBytes());

    EncodeOptions cpp_options;
    cpp_options.lrd = 2e-4;
    Report cpp_report;
    const Bytes wanted = *Encode(Tiny().cpp, picture, cpp_options, &cpp_report);

    glint_report report = EmptyReport();
    auto options = Defaults<glint_encode_options>();
    options.lrd = 2e-4;
    options.report = &report;
    glint_error error;
    uint8_t* stream = nullptr;
    size_t size = 0;

    // Rows with gaps, and none behind the last row.
    const size_t stride = info.RowBytes() + 3;
    Bytes samples(stride * (info.height - 1) + info.RowBytes(), 0xEE);
    for (uint32_t y = 0; y < info.height; ++y) {
      std::memcpy(samples.data() + y * stride, picture.samples.data() + y * info.RowBytes(),
                  info.RowBytes());
    }
    REQUIRE(glint_encode(Tiny().c.get(), &c_info, samples.data(), stride, metadata.get(), &options,
                         &stream, &size, &error) == GLINT_OK);
    CHECK(error.status == GLINT_OK);
    CHECK(error.message[0] == '\0');
    CHECK(Taken(stream, size) == wanted);
    CHECK(report.estimated_bits == cpp_report.estimated_bits);
    CHECK(report.symbols == cpp_report.symbols);
    CHECK(report.latent_crc == cpp_report.latent_crc);
    CHECK(report.planned_bytes == cpp_report.planned_bytes);
    CHECK(report.total_seconds > 0);
    CHECK(report.analysis_seconds > 0);

    REQUIRE(glint_encode(Tiny().c.get(), &c_info, picture.samples.data(), 0, metadata.get(),
                         &options, &stream, &size, nullptr) == GLINT_OK);
    CHECK(Taken(stream, size) == wanted);

    RowSource source{&picture};
    REQUIRE(glint_encode_rows(Tiny().c.get(), &c_info, RowSource::Read, &source, metadata.get(),
                              &options, &stream, &size, nullptr) == GLINT_OK);
    CHECK(source.next == info.height);
    CHECK(Taken(stream, size) == wanted);
  }
}

TEST_CASE("C interface: pictures equal those of the C++ interface") {
  for (const PictureInfo& info : kInfos) {
    CAPTURE(info.width);
    Picture picture = TestPicture(info, 2);
    picture.metadata = SomeMetadata();
    const Bytes stream = *Encode(Tiny().cpp, picture);
    Report cpp_report;
    const Picture wanted = *Decode(Tiny().cpp, stream.data(), stream.size(), {}, &cpp_report);

    glint_report report = EmptyReport();
    auto options = Defaults<glint_decode_options>();
    options.threads = 2;
    options.report = &report;
    glint_picture* whole = nullptr;
    REQUIRE(glint_decode(Tiny().c.get(), stream.data(), stream.size(), &options, &whole, nullptr) ==
            GLINT_OK);
    const Owned<glint_picture> owned(whole);
    glint_picture_info whole_info;
    const glint_metadata* metadata = nullptr;
    const void* samples = nullptr;
    size_t size = 0;
    REQUIRE(glint_picture_get_info(whole, &whole_info) == GLINT_OK);
    REQUIRE(glint_picture_get_metadata(whole, &metadata) == GLINT_OK);
    REQUIRE(glint_picture_get_samples(whole, &samples, &size) == GLINT_OK);
    CHECK(Same(whole_info, wanted.info));
    CHECK(Same(FromC(metadata), picture.metadata));
    const auto* bytes = static_cast<const uint8_t*>(samples);
    CHECK(Bytes(bytes, bytes + size) == wanted.samples);
    CHECK(report.symbols == cpp_report.symbols);
    CHECK(report.latent_crc == cpp_report.latent_crc);
    CHECK(report.synthesis_seconds > 0);

    RowSink sink;
    REQUIRE(glint_decode_rows(Tiny().c.get(), stream.data(), stream.size(), &options,
                              RowSink::Start, RowSink::Write, &sink, nullptr) == GLINT_OK);
    CHECK(Same(InC(sink.picture.info), wanted.info));
    CHECK(Same(sink.picture.metadata, picture.metadata));
    CHECK(sink.picture.samples == wanted.samples);
    RowSink rows_only;
    rows_only.picture.info = wanted.info;
    REQUIRE(glint_decode_rows(Tiny().c.get(), stream.data(), stream.size(), nullptr, nullptr,
                              RowSink::Write, &rows_only, nullptr) == GLINT_OK);
    CHECK(rows_only.picture.samples == wanted.samples);
  }
}

TEST_CASE("C interface: decoding into a buffer keeps to the stride and to the buffer") {
  const Picture wanted = *Decode(Tiny().cpp, SmallStream().data(), SmallStream().size());
  const size_t row_bytes = wanted.info.RowBytes(), height = wanted.info.height;
  const auto decode = [&](Bytes* buffer, size_t size, size_t stride, glint_picture_info* info,
                          glint_error* error) {
    return glint_decode_into(Tiny().c.get(), SmallStream().data(), SmallStream().size(), nullptr,
                             buffer->data(), size, stride, info, error);
  };
  for (const size_t gap : {0, 1, 50}) {
    const size_t stride = row_bytes + gap;
    const size_t needed = stride * (height - 1) + row_bytes;
    const Bytes untouched(needed + 9, 0xAB);
    Bytes buffer = untouched;
    glint_picture_info info;
    glint_error error;
    CHECK(decode(&buffer, needed - 1, stride, &info, &error) == GLINT_INVALID_ARGUMENT);
    CHECK(std::string(error.message).find(std::to_string(needed - 1)) != std::string::npos);
    CHECK(Same(info, wanted.info));
    CHECK(buffer == untouched);
    CHECK(decode(&buffer, needed, gap == 0 ? 0 : stride, &info, &error) == GLINT_OK);
    Bytes expected = untouched;
    for (size_t y = 0; y < height; ++y) {
      std::memcpy(expected.data() + y * stride, wanted.samples.data() + y * row_bytes, row_bytes);
    }
    CHECK(buffer == expected);
  }
  Bytes buffer(row_bytes * height);
  CHECK(decode(&buffer, buffer.size(), row_bytes - 1, nullptr, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(decode(&buffer, buffer.size(), SIZE_MAX, nullptr, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(decode(&buffer, 0, 0, nullptr, nullptr) == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: the model tells what it is") {
  const ModelInfo& wanted = Tiny().cpp.info();
  glint_model_info info;
  REQUIRE(glint_model_info_init(&info, sizeof(info)) == GLINT_OK);
  REQUIRE(glint_model_get_info(Tiny().c.get(), &info) == GLINT_OK);
  CHECK(info.name == wanted.name);
  CHECK(info.form == wanted.form);
  CHECK(info.architecture == wanted.architecture);
  CHECK(info.provenance == wanted.provenance);
  CHECK(info.id == wanted.id);
  CHECK(info.file_bytes == wanted.file_bytes);
  CHECK(info.parameters == wanted.parameters);
  CHECK(info.load_seconds > 0);
  CHECK(info.lrd_min == wanted.lrd_min);
  CHECK(info.lrd_max == wanted.lrd_max);
  CHECK(info.lrd_default == wanted.lrd_default);
  CHECK(info.lrd_suggested_min == wanted.lrd_suggested_min);
  CHECK(info.lrd_suggested_max == wanted.lrd_suggested_max);
  char* text = nullptr;
  REQUIRE(glint_model_explain(Tiny().c.get(), &text, nullptr) == GLINT_OK);
  CHECK(Owned<char>(text).get() == Tiny().cpp.Explain());
}

TEST_CASE("C interface: a model file is loaded") {
  const TemporaryFolder folder;
  const std::string path = folder.File("tiny.safetensors");
  REQUIRE(WriteFile(path, Tiny().bytes.data(), Tiny().bytes.size()).ok());
  glint_model* model = nullptr;
  glint_error error;
  REQUIRE(glint_model_load(path.c_str(), &model, &error) == GLINT_OK);
  const Owned<glint_model> owned(model);
  glint_picture* picture = nullptr;
  CHECK(glint_decode(model, SmallStream().data(), SmallStream().size(), nullptr, &picture,
                     nullptr) == GLINT_OK);
  glint_picture_free(picture);

  // The errors of files.
  CHECK(glint_model_load(folder.File("none").c_str(), &model, &error) == GLINT_NOT_FOUND);
  CHECK(model == nullptr);
  CHECK(std::string(error.message).find("none") != std::string::npos);
  CHECK(glint_model_load(folder.File("").c_str(), &model, &error) == GLINT_IO);
  CHECK(glint_model_from_memory("no model", 8, "thing", &model, &error) == GLINT_BAD_MODEL);
  CHECK(error.status == GLINT_BAD_MODEL);
  CHECK(std::string(error.message).find("thing: ") == 0);
}

TEST_CASE("C interface: streams are inspected") {
  Picture picture = TestPicture(MakeInfo(20, 30, 3, false, 16), 3);
  picture.metadata = SomeMetadata();
  const Bytes stream = *Encode(Tiny().cpp, picture);
  const StreamInfo wanted = *Inspect(stream.data(), stream.size());
  CHECK(glint_is_stream(stream.data(), 7) == 1);
  CHECK(glint_is_stream(stream.data(), 6) == 0);
  CHECK(glint_is_stream(nullptr, 7) == 0);

  glint_stream_info* info = nullptr;
  REQUIRE(glint_inspect(stream.data(), stream.size(), nullptr, &info, nullptr) == GLINT_OK);
  const Owned<glint_stream_info> owned(info);
  glint_stream_properties properties;
  REQUIRE(glint_stream_properties_init(&properties, sizeof(properties)) == GLINT_OK);
  REQUIRE(glint_stream_get_properties(info, &properties) == GLINT_OK);
  CHECK(Same(properties.source, wanted.source));
  CHECK(Same(properties.output, wanted.output));
  CHECK(properties.output.bit_depth == 8);
  CHECK(properties.model_id == wanted.model_id);
  CHECK(properties.lrd == wanted.lrd);
  CHECK(properties.bytes == stream.size());
  REQUIRE(properties.chunk_count == wanted.chunks.size());
  for (size_t i = 0; i < wanted.chunks.size(); ++i) {
    glint_stream_chunk chunk;
    REQUIRE(glint_stream_get_chunk(info, i, &chunk) == GLINT_OK);
    CHECK(chunk.offset == wanted.chunks[i].offset);
    CHECK(chunk.bytes == wanted.chunks[i].bytes);
    CHECK(chunk.type == static_cast<uint32_t>(wanted.chunks[i].type));
  }
  glint_stream_chunk chunk;
  CHECK(glint_stream_get_chunk(info, wanted.chunks.size(), &chunk) == GLINT_INVALID_ARGUMENT);
  const glint_metadata* metadata = nullptr;
  REQUIRE(glint_stream_get_metadata(info, &metadata) == GLINT_OK);
  CHECK(Same(FromC(metadata), picture.metadata));

  auto options = Defaults<glint_decode_options>();
  options.max_pixels = 20 * 30 - 1;
  CHECK(glint_inspect(stream.data(), stream.size(), &options, &info, nullptr) == GLINT_LIMIT);
  CHECK(info == nullptr);
  CHECK(glint_inspect(stream.data(), stream.size() - 1, nullptr, &info, nullptr) ==
        GLINT_BAD_STREAM);
  CHECK(glint_inspect(stream.data(), 0, nullptr, &info, nullptr) == GLINT_BAD_STREAM);
}

TEST_CASE("C interface: metadata is set, replaced and taken away") {
  const Owned<glint_metadata> metadata = InC(SomeMetadata());
  CHECK(Same(FromC(metadata.get()), SomeMetadata()));
  glint_error error;
  CHECK(glint_metadata_set_icc(metadata.get(), "new", 3, &error) == GLINT_OK);
  CHECK(glint_metadata_set_exif(metadata.get(), nullptr, 0, &error) == GLINT_OK);
  const Metadata changed = FromC(metadata.get());
  CHECK(changed.icc == Bytes{'n', 'e', 'w'});
  CHECK(changed.exif.empty());
  for (const char* type : {"", "abc", "abcde", "ab c", "ab1c", "\xC3\xA4yz"}) {
    CHECK(glint_metadata_add_chunk(metadata.get(), type, "x", 1, &error) == GLINT_INVALID_ARGUMENT);
    CHECK(error.message[0] != '\0');
  }
  CHECK(FromC(metadata.get()).chunks.size() == SomeMetadata().chunks.size());
  const char* type = nullptr;
  const uint8_t* data = nullptr;
  size_t size = 0;
  CHECK(glint_metadata_get_chunk(metadata.get(), 3, &type, &data, &size) == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: what is wrong with a call, a stream or a model has its status") {
  glint_error error;
  const auto encode_status = [&](auto change) {
    auto options = Defaults<glint_encode_options>();
    change(options);
    const glint_status status = EncodeSmall(&options, &error);
    CHECK(error.status == status);
    CHECK((error.message[0] == '\0') == (status == GLINT_OK));
    return status;
  };
  CHECK(encode_status([](auto& o) { o.threads = 3; }) == GLINT_OK);
  CHECK(encode_status([](auto& o) { o.band_rows = 16; }) == GLINT_OK);
  CHECK(encode_status([](auto& o) { o.lrd = 1; }) == GLINT_INVALID_ARGUMENT);
  CHECK(encode_status([](auto& o) { o.lrd = -1; }) == GLINT_INVALID_ARGUMENT);
  CHECK(encode_status([](auto& o) { o.threads = -1; }) == GLINT_INVALID_ARGUMENT);
  CHECK(encode_status([](auto& o) { o.band_rows = -1; }) == GLINT_INVALID_ARGUMENT);
  CHECK(encode_status([](auto& o) { o.max_pixels = 50 * 37 - 1; }) == GLINT_LIMIT);
  CHECK(encode_status([](auto& o) { o.max_pixels = 50 * 37; }) == GLINT_OK);
  CHECK(encode_status([](auto& o) { o.max_memory = 1000; }) == GLINT_LIMIT);

  auto options = Defaults<glint_decode_options>();
  options.max_pixels = 50 * 37 - 1;
  CHECK(DecodeSmall(&options) == GLINT_LIMIT);
  options = Defaults<glint_decode_options>();
  options.max_memory = 1000;
  CHECK(DecodeSmall(&options) == GLINT_LIMIT);

  // Pictures that are none, strides that are too small.
  uint8_t* stream = nullptr;
  size_t size = 0;
  const Bytes samples(50 * 37 * 3);
  for (const glint_picture_info& info :
       {glint_picture_info{0, 5, 3, 0, 8}, glint_picture_info{5, 0, 3, 0, 8},
        glint_picture_info{5, 5, 2, 0, 8}, glint_picture_info{5, 5, 3, 0, 7},
        glint_picture_info{5, 5, 3, 0, 4}, glint_picture_info{UINT32_MAX, 5, 3, 1, 16},
        glint_picture_info{5, 5, UINT32_MAX, 1, 16}}) {
    CHECK(glint_encode(Tiny().c.get(), &info, samples.data(), 0, nullptr, nullptr, &stream, &size,
                       nullptr) == GLINT_INVALID_ARGUMENT);
  }
  const glint_picture_info info = {5, 5, 3, 0, 8};
  CHECK(glint_encode(Tiny().c.get(), &info, samples.data(), 14, nullptr, nullptr, &stream, &size,
                     &error) == GLINT_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("row_stride is 14") == 0);
  const glint_picture_info two_channels = {5, 5, 2, 0, 8};
  CHECK(glint_row_bytes(&two_channels) == 0);
  CHECK(glint_row_bytes(nullptr) == 0);

  // Streams.
  glint_picture* picture = nullptr;
  for (size_t cut = 0; cut < SmallStream().size(); cut += 5) {
    CHECK(glint_decode(Tiny().c.get(), SmallStream().data(), cut, nullptr, &picture, &error) ==
          GLINT_BAD_STREAM);
  }
  const BothModels other(2);
  CHECK(glint_decode(other.c.get(), SmallStream().data(), SmallStream().size(), nullptr, &picture,
                     &error) == GLINT_WRONG_MODEL);
  CHECK(picture == nullptr);
  CHECK(std::string(error.message).find(other.cpp.info().id) != std::string::npos);
}

TEST_CASE("C interface: callbacks stop calls") {
  glint_error error;
  auto encode = Defaults<glint_encode_options>();
  auto decode = Defaults<glint_decode_options>();
  encode.progress = decode.progress = [](void*, double) { return 0; };
  CHECK(EncodeSmall(&encode, &error) == GLINT_CANCELLED);
  CHECK(error.message[0] != '\0');
  CHECK(DecodeSmall(&decode, &error) == GLINT_CANCELLED);

  const glint_picture_info info = InC(SmallPicture().info);
  RowSource source{&SmallPicture(), 20};
  uint8_t* stream = nullptr;
  size_t size = 0;
  CHECK(glint_encode_rows(Tiny().c.get(), &info, RowSource::Read, &source, nullptr, nullptr,
                          &stream, &size, &error) == GLINT_CANCELLED);
  CHECK(source.next == 21);

  const auto decode_to = [&](RowSink* sink) {
    return glint_decode_rows(Tiny().c.get(), SmallStream().data(), SmallStream().size(), nullptr,
                             RowSink::Start, RowSink::Write, sink, &error);
  };
  RowSink at_start;
  at_start.stop_at_start = true;
  CHECK(decode_to(&at_start) == GLINT_CANCELLED);
  CHECK(at_start.next == 0);
  RowSink at_row;
  at_row.stop_at = 3;
  CHECK(decode_to(&at_row) == GLINT_CANCELLED);
  CHECK(at_row.next == 4);
}

TEST_CASE("C interface: exceptions do not cross the border") {
  const glint_picture_info info = InC(SmallPicture().info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  glint_error error;
  const auto encode = [&](glint_read_row_fn read) {
    return glint_encode_rows(Tiny().c.get(), &info, read, nullptr, nullptr, nullptr, &stream, &size,
                             &error);
  };
  CHECK(encode([](void*, uint32_t, void*) -> int { throw std::bad_alloc(); }) == GLINT_LIMIT);
  CHECK(encode([](void*, uint32_t, void*) -> int { throw 7; }) == GLINT_CANCELLED);
  CHECK(error.status == GLINT_CANCELLED);
}

TEST_CASE("C interface: progress rises to 1, layers are told, a runner does the work") {
  struct Seen {
    std::vector<double> progress;
    std::set<std::string> stages;
    size_t tasks = 0;
  } seen;
  const glint_progress_fn progress = [](void* opaque, double done) {
    static_cast<Seen*>(opaque)->progress.push_back(done);
    return 1;
  };
  const glint_layer_fn layer = [](void* opaque, const char* stage, const char* name,
                                  const char* kernel, double macs, double seconds) {
    static_cast<Seen*>(opaque)->stages.insert(stage);
    CHECK(*name != '\0');
    CHECK(*kernel != '\0');
    CHECK(macs >= 0);
    CHECK(seconds >= 0);
  };
  // Backwards, and by changing workers.
  const glint_runner runner = {
      [](void* opaque, size_t count, void (*task)(void*, size_t, size_t), void* arg) {
        static_cast<Seen*>(opaque)->tasks += count;
        for (size_t i = count; i-- > 0;) task(arg, i, i % 2);
      },
      &seen, 2};
  const auto prepare = [&](auto* options) {
    seen = Seen();
    options->progress = progress;
    options->layer = layer;
    options->progress_opaque = options->layer_opaque = &seen;
    options->runner = runner;
  };
  const auto check = [&](const char* stage) {
    CHECK(!seen.progress.empty());
    CHECK(std::is_sorted(seen.progress.begin(), seen.progress.end()));
    CHECK(seen.progress.back() == 1);
    CHECK(seen.stages.count(stage) == 1);
    CHECK(seen.tasks > 0);
  };
  auto encode = Defaults<glint_encode_options>();
  prepare(&encode);
  const glint_picture_info info = InC(SmallPicture().info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  REQUIRE(glint_encode(Tiny().c.get(), &info, SmallPicture().samples.data(), 0, nullptr, &encode,
                       &stream, &size, nullptr) == GLINT_OK);
  CHECK(Taken(stream, size) == SmallStream());
  check("g_a");
  auto decode = Defaults<glint_decode_options>();
  prepare(&decode);
  CHECK(DecodeSmall(&decode) == GLINT_OK);
  check("g_s");
  decode.runner.workers = 0;
  CHECK(DecodeSmall(&decode) == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: options of older and newer callers") {
  // An older caller has no more than `size` bytes; what follows must not be looked at.
  const auto status_of_size = [](size_t size) {
    auto options = Defaults<glint_encode_options>();
    options.lrd = 5e-4;
    options.max_memory = 1000;
    options.struct_size = size;
    std::vector<std::max_align_t> memory(size / sizeof(std::max_align_t) + 1);
    std::memcpy(memory.data(), &options, std::min(size, sizeof(options)));
    return EncodeSmall(reinterpret_cast<const glint_encode_options*>(memory.data()));
  };
  CHECK(status_of_size(sizeof(size_t)) == GLINT_OK);
  CHECK(status_of_size(offsetof(glint_encode_options, max_memory)) == GLINT_OK);
  CHECK(status_of_size(offsetof(glint_encode_options, max_memory) + 7) == GLINT_OK);
  CHECK(status_of_size(offsetof(glint_encode_options, max_memory) + 8) == GLINT_LIMIT);
  CHECK(status_of_size(sizeof(glint_encode_options)) == GLINT_LIMIT);
  CHECK(status_of_size(sizeof(glint_encode_options) + 64) == GLINT_LIMIT);
  CHECK(status_of_size(0) == GLINT_INVALID_ARGUMENT);
  CHECK(status_of_size(sizeof(size_t) - 1) == GLINT_INVALID_ARGUMENT);
  CHECK(status_of_size(4097) == GLINT_INVALID_ARGUMENT);

  struct Newer {
    glint_decode_options known;
    uint64_t unknown;
  } newer;
  std::memset(&newer, 0xFF, sizeof(newer));
  auto* options = reinterpret_cast<glint_decode_options*>(&newer);
  REQUIRE(glint_decode_options_init(options, sizeof(newer)) == GLINT_OK);
  CHECK(newer.known.struct_size == sizeof(newer));
  CHECK(newer.unknown == 0);
  CHECK(DecodeSmall(options) == GLINT_OK);
  newer.unknown = 1;
  glint_error error;
  CHECK(DecodeSmall(options, &error) == GLINT_UNSUPPORTED);
  CHECK(error.message[0] != '\0');

  CHECK(glint_encode_options_init(nullptr, 64) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_decode_options_init(options, 0) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_decode_options_init(options, 1 << 20) == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: results for older and newer callers") {
  struct alignas(8) Buffer {
    uint8_t bytes[sizeof(glint_model_info) + 16];
  } buffer;
  auto* info = reinterpret_cast<glint_model_info*>(&buffer);
  const auto get = [&](size_t size) {
    std::memset(&buffer, 0xCD, sizeof(buffer));
    REQUIRE(glint_model_info_init(info, size) == GLINT_OK);
    REQUIRE(glint_model_get_info(Tiny().c.get(), info) == GLINT_OK);
    CHECK(info->struct_size == size);
    const uint8_t* const begin = buffer.bytes;
    CHECK(std::all_of(begin + size, begin + sizeof(buffer),
                      [](uint8_t byte) { return byte == 0xCD; }));
  };
  get(offsetof(glint_model_info, form));
  CHECK(info->name == Tiny().cpp.info().name);
  get(sizeof(buffer));
  CHECK(info->lrd_suggested_max == Tiny().cpp.info().lrd_suggested_max);
  for (size_t i = sizeof(glint_model_info); i < sizeof(buffer); ++i) CHECK(buffer.bytes[i] == 0);
  info->struct_size = 3;
  CHECK(glint_model_get_info(Tiny().c.get(), info) == GLINT_INVALID_ARGUMENT);

  // A report that was not initialised is found before anything is done.
  glint_report report = EmptyReport();
  auto options = Defaults<glint_encode_options>();
  options.report = &report;
  report.struct_size = 0;
  CHECK(EncodeSmall(&options) == GLINT_INVALID_ARGUMENT);
  // After an error it tells how far the call came.
  report = EmptyReport();
  options.max_memory = 1000;
  CHECK(EncodeSmall(&options) == GLINT_LIMIT);
  CHECK(report.planned_bytes > 1000);
  CHECK(report.symbols == 0);
}

TEST_CASE("C interface: NULL is an invalid argument, not a crash") {
  constexpr glint_status kInvalid = GLINT_INVALID_ARGUMENT;
  const glint_model* model = Tiny().c.get();
  const glint_picture_info info = InC(SmallPicture().info);
  const void* samples = SmallPicture().samples.data();
  const void* in = SmallStream().data();
  const size_t in_size = SmallStream().size();
  uint8_t* out = nullptr;
  size_t size = 0;
  glint_error error;
  const auto named = [&](glint_status status, const char* name) {
    CHECK(status == kInvalid);
    CHECK(error.status == kInvalid);
    CHECK(error.message == std::string(name) + " is NULL");
  };

  named(glint_encode(nullptr, &info, samples, 0, nullptr, nullptr, &out, &size, &error), "model");
  named(glint_encode(model, nullptr, samples, 0, nullptr, nullptr, &out, &size, &error), "info");
  named(glint_encode(model, &info, nullptr, 0, nullptr, nullptr, &out, &size, &error), "samples");
  named(glint_encode(model, &info, samples, 0, nullptr, nullptr, nullptr, &size, &error), "stream");
  named(glint_encode(model, &info, samples, 0, nullptr, nullptr, &out, nullptr, &error),
        "stream_size");
  const glint_read_row_fn read = RowSource::Read;
  named(glint_encode_rows(nullptr, &info, read, nullptr, nullptr, nullptr, &out, &size, &error),
        "model");
  named(glint_encode_rows(model, nullptr, read, nullptr, nullptr, nullptr, &out, &size, &error),
        "info");
  named(glint_encode_rows(model, &info, nullptr, nullptr, nullptr, nullptr, &out, &size, &error),
        "read");
  named(glint_encode_rows(model, &info, read, nullptr, nullptr, nullptr, nullptr, &size, &error),
        "stream");
  named(glint_encode_rows(model, &info, read, nullptr, nullptr, nullptr, &out, nullptr, &error),
        "stream_size");

  glint_picture* picture = nullptr;
  named(glint_decode(nullptr, in, in_size, nullptr, &picture, &error), "model");
  named(glint_decode(model, nullptr, in_size, nullptr, &picture, &error), "stream");
  named(glint_decode(model, in, in_size, nullptr, nullptr, &error), "picture");
  Bytes pixels(SmallPicture().samples.size());
  named(glint_decode_into(nullptr, in, in_size, nullptr, pixels.data(), pixels.size(), 0, nullptr,
                          &error),
        "model");
  named(glint_decode_into(model, nullptr, 0, nullptr, pixels.data(), pixels.size(), 0, nullptr,
                          &error),
        "stream");
  named(glint_decode_into(model, in, in_size, nullptr, nullptr, pixels.size(), 0, nullptr, &error),
        "samples");
  RowSink sink;
  named(glint_decode_rows(nullptr, in, in_size, nullptr, RowSink::Start, RowSink::Write, &sink,
                          &error),
        "model");
  named(glint_decode_rows(model, nullptr, in_size, nullptr, RowSink::Start, RowSink::Write, &sink,
                          &error),
        "stream");
  named(glint_decode_rows(model, in, in_size, nullptr, RowSink::Start, nullptr, &sink, &error),
        "write");

  glint_model* new_model = nullptr;
  named(glint_model_load(nullptr, &new_model, &error), "path");
  named(glint_model_load("x", nullptr, &error), "model");
  named(glint_model_from_memory(nullptr, 9, "x", &new_model, &error), "data");
  named(glint_model_from_memory("x", 1, "x", nullptr, &error), "model");
  char* text = nullptr;
  named(glint_model_explain(nullptr, &text, &error), "model");
  named(glint_model_explain(model, nullptr, &error), "text");
  named(glint_supported_targets(nullptr, &error), "names");
  named(glint_current_target(nullptr, &error), "name");
  named(glint_set_target(nullptr, &error), "name");
  glint_stream_info* stream_info = nullptr;
  named(glint_inspect(nullptr, 9, nullptr, &stream_info, &error), "stream");
  named(glint_inspect(in, in_size, nullptr, nullptr, &error), "info");
  named(glint_metadata_create(nullptr, &error), "metadata");
  named(glint_metadata_set_icc(nullptr, "x", 1, &error), "metadata");
  named(glint_metadata_set_exif(nullptr, "x", 1, &error), "metadata");
  named(glint_metadata_add_chunk(nullptr, "tEXt", "x", 1, &error), "metadata");
  const Owned<glint_metadata> metadata = InC(Metadata());
  named(glint_metadata_set_icc(metadata.get(), nullptr, 1, &error), "data");
  named(glint_metadata_add_chunk(metadata.get(), nullptr, "x", 1, &error), "type");
  named(glint_metadata_add_chunk(metadata.get(), "tEXt", nullptr, 1, &error), "data");
  CHECK(glint_model_load(nullptr, nullptr, nullptr) == kInvalid);

  const uint8_t* data = nullptr;
  const char* type = nullptr;
  CHECK(glint_metadata_get_icc(nullptr, &data, &size) == kInvalid);
  CHECK(glint_metadata_get_icc(metadata.get(), nullptr, &size) == kInvalid);
  CHECK(glint_metadata_get_exif(metadata.get(), &data, nullptr) == kInvalid);
  CHECK(glint_metadata_get_chunk_count(nullptr, &size) == kInvalid);
  CHECK(glint_metadata_get_chunk_count(metadata.get(), nullptr) == kInvalid);
  CHECK(glint_metadata_get_chunk(nullptr, 0, &type, &data, &size) == kInvalid);
  CHECK(glint_metadata_get_chunk(metadata.get(), 0, nullptr, &data, &size) == kInvalid);
  CHECK(glint_metadata_get_chunk(metadata.get(), 0, &type, nullptr, &size) == kInvalid);
  CHECK(glint_metadata_get_chunk(metadata.get(), 0, &type, &data, nullptr) == kInvalid);

  REQUIRE(glint_decode(model, in, in_size, nullptr, &picture, nullptr) == GLINT_OK);
  const Owned<glint_picture> owned_picture(picture);
  glint_picture_info picture_info;
  const glint_metadata* view = nullptr;
  const void* view_samples = nullptr;
  CHECK(glint_picture_get_info(nullptr, &picture_info) == kInvalid);
  CHECK(glint_picture_get_info(picture, nullptr) == kInvalid);
  CHECK(glint_picture_get_samples(nullptr, &view_samples, &size) == kInvalid);
  CHECK(glint_picture_get_samples(picture, nullptr, &size) == kInvalid);
  CHECK(glint_picture_get_samples(picture, &view_samples, nullptr) == kInvalid);
  CHECK(glint_picture_get_metadata(nullptr, &view) == kInvalid);
  CHECK(glint_picture_get_metadata(picture, nullptr) == kInvalid);

  REQUIRE(glint_inspect(in, in_size, nullptr, &stream_info, nullptr) == GLINT_OK);
  const Owned<glint_stream_info> owned_info(stream_info);
  glint_stream_chunk chunk;
  glint_stream_properties properties;
  REQUIRE(glint_stream_properties_init(&properties, sizeof(properties)) == GLINT_OK);
  CHECK(glint_stream_get_properties(nullptr, &properties) == kInvalid);
  CHECK(glint_stream_get_properties(stream_info, nullptr) == kInvalid);
  CHECK(glint_stream_get_chunk(nullptr, 0, &chunk) == kInvalid);
  CHECK(glint_stream_get_chunk(stream_info, 0, nullptr) == kInvalid);
  CHECK(glint_stream_get_metadata(nullptr, &view) == kInvalid);
  CHECK(glint_stream_get_metadata(stream_info, nullptr) == kInvalid);
  glint_model_info model_info;
  REQUIRE(glint_model_info_init(&model_info, sizeof(model_info)) == GLINT_OK);
  CHECK(glint_model_get_info(nullptr, &model_info) == kInvalid);
  CHECK(glint_model_get_info(model, nullptr) == kInvalid);
  CHECK(glint_model_info_init(nullptr, sizeof(model_info)) == kInvalid);
  CHECK(glint_report_init(nullptr, sizeof(glint_report)) == kInvalid);
  CHECK(glint_stream_properties_init(nullptr, sizeof(properties)) == kInvalid);

  glint_model_free(nullptr);
  glint_metadata_free(nullptr);
  glint_picture_free(nullptr);
  glint_stream_info_free(nullptr);
  glint_free(nullptr);
}

TEST_CASE("C interface: a long message is cut between two characters") {
  for (const char* prefix : {"", "a"}) {
    std::string path = prefix;
    for (int i = 0; i < 400; ++i) path += "\xC3\xBC";
    glint_model* model = nullptr;
    glint_error error;
    std::memset(&error, 0x55, sizeof(error));
    CHECK(glint_model_load(path.c_str(), &model, &error) == GLINT_NOT_FOUND);
    const std::string message = error.message;
    CHECK(message.size() <= sizeof(error.message) - 1);
    CHECK(message.size() >= sizeof(error.message) - 2);
    CHECK(path.compare(0, message.size(), message) == 0);
    CHECK((message.size() - std::strlen(prefix)) % 2 == 0);
  }
}

TEST_CASE("C interface: SIMD targets") {
  char* text = nullptr;
  REQUIRE(glint_supported_targets(&text, nullptr) == GLINT_OK);
  const std::string names = Owned<char>(text).get();
  std::string wanted;
  for (const std::string& target : SupportedTargets()) {
    wanted += (wanted.empty() ? "" : " ") + target;
  }
  CHECK(names == wanted);
  glint_error error;
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(glint_set_target(target.c_str(), &error) == GLINT_OK);
    REQUIRE(glint_current_target(&text, nullptr) == GLINT_OK);
    CHECK(Owned<char>(text).get() == target);
  }
  CHECK(glint_set_target("ABACUS", &error) == GLINT_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("ABACUS") != std::string::npos);
  CHECK(glint_set_target("", &error) == GLINT_OK);
  CHECK(CurrentTarget() == SupportedTargets().front());
}

TEST_CASE("README.md shows the C example that the consumer compiles") {
  const auto read = [](const char* name) {
    std::ifstream file(std::string(GLINT_SOURCE_DIR) + "/" + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string example = read("tests/consumer/decode_example.c");
  REQUIRE(!example.empty());
  const std::string shown =
      "<!-- c-example:begin -->\nIn C11:\n\n```c\n" + example + "```\n<!-- c-example:end -->";
  CHECK(read("README.md").find(shown) != std::string::npos);
}

}  // namespace glint
