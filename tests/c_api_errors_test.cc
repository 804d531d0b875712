// The C interface: what is wrong is refused, and callers of other versions are served.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "tests/c_api_helpers.h"

namespace glint::testing {

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
  for (const PictureInfo& wrong :
       {MakeInfo(0, 5, 3, false, 8), MakeInfo(5, 0, 3, false, 8), MakeInfo(5, 5, 2, false, 8),
        MakeInfo(5, 5, 3, false, 7), MakeInfo(5, 5, 3, false, 4),
        MakeInfo(UINT32_MAX, 5, 3, true, 16), MakeInfo(5, 5, UINT32_MAX, true, 16)}) {
    const glint_picture_info info = InC(wrong);
    CHECK(glint_encode(Tiny().c.get(), &info, samples.data(), 0, nullptr, nullptr, &stream, &size,
                       nullptr) == GLINT_INVALID_ARGUMENT);
  }
  glint_picture_info info = InC(MakeInfo(5, 5, 3, false, 8));
  CHECK(glint_encode(Tiny().c.get(), &info, samples.data(), 14, nullptr, nullptr, &stream, &size,
                     &error) == GLINT_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("row_stride is 14") == 0);
  CHECK(glint_row_bytes(&info) == 15);
  info.struct_size = 1;
  CHECK(glint_encode(Tiny().c.get(), &info, samples.data(), 0, nullptr, nullptr, &stream, &size,
                     &error) == GLINT_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("info has a struct_size of 1:") == 0);
  CHECK(glint_row_bytes(&info) == 0);
  info.struct_size = sizeof(info);
  info.reserved = 1;
  CHECK(glint_encode(Tiny().c.get(), &info, samples.data(), 0, nullptr, nullptr, &stream, &size,
                     &error) == GLINT_UNSUPPORTED);
  // Of an older caller: what it does not have is an 8-bit RGB picture's.
  info.struct_size = offsetof(glint_picture_info, channels);
  CHECK(glint_row_bytes(&info) == 15);
  const glint_picture_info two_channels = InC(MakeInfo(5, 5, 2, false, 8));
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

TEST_CASE("C interface: options of older and newer callers") {
  // An older caller has no more than `size` bytes; what follows must not be looked at.
  const auto status_of_size = [](size_t size) {
    auto options = Defaults<glint_encode_options>();
    options.lrd = 5e-4;
    options.max_memory = 1000;
    options.struct_size = size;
    Bytes memory(std::max(size, sizeof(size)));
    std::memcpy(memory.data(), &options, std::min(memory.size(), sizeof(options)));
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
  glint_picture_info picture_info = EmptyInfo();
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
  CHECK(glint_stream_get_source(nullptr, &picture_info) == kInvalid);
  CHECK(glint_stream_get_source(stream_info, nullptr) == kInvalid);
  CHECK(glint_stream_get_output(nullptr, &picture_info) == kInvalid);
  CHECK(glint_stream_get_output(stream_info, nullptr) == kInvalid);
  picture_info.struct_size = 1;
  CHECK(glint_stream_get_output(stream_info, &picture_info) == kInvalid);
  CHECK(glint_picture_get_info(picture, &picture_info) == kInvalid);
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

}  // namespace glint::testing
