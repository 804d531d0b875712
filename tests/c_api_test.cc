// The C interface: what it gives is what the C++ interface gives.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "tests/c_api_helpers.h"

extern "C" int glint_test_c_header(void);

namespace glint::testing {

TEST_CASE("C interface: a file of C11 compiles, links and runs") {
  CHECK(glint_test_c_header() == 0);
  CHECK(std::string(glint_version()) == Version());
}

TEST_CASE("C interface: every status has a text of its own") {
  std::set<std::string> texts;
  for (int status = GLINT_OK; status <= GLINT_UNREACHABLE + 1; ++status) {
    texts.insert(glint_status_text(static_cast<glint_status>(status)));
  }
  CHECK(texts.size() == GLINT_UNREACHABLE + 2);
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
    glint_picture_info whole_info = EmptyInfo();
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
  for (const size_t gap : {0U, 1U, 50U}) {
    const size_t stride = row_bytes + gap;
    const size_t needed = stride * (height - 1) + row_bytes;
    const Bytes untouched(needed + 9, 0xAB);
    Bytes buffer = untouched;
    glint_picture_info info = EmptyInfo();
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
  CHECK(info.detail_lrd_min == wanted.detail_lrd_min);
  CHECK(info.detail_lrd_max == wanted.detail_lrd_max);
  CHECK(info.detail_lrd_default == wanted.detail_lrd_default);
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

  // With threads, and with a runner.
  glint_load_options options;
  REQUIRE(glint_load_options_init(&options, sizeof(options)) == GLINT_OK);
  CHECK(options.threads == 1);
  size_t tasks = 0;
  const auto load = [&] {
    const glint_status status = glint_model_load_with(path.c_str(), &options, &model, &error);
    glint_model_free(model);
    return status;
  };
  CHECK(load() == GLINT_OK);
  options.threads = 2;
  CHECK(load() == GLINT_OK);
  options.runner = {[](void* opaque, size_t count, void (*task)(void*, size_t, size_t), void* arg) {
                      *static_cast<size_t*>(opaque) += count;
                      for (size_t i = count; i-- > 0;) task(arg, i, i % 2);
                    },
                    &tasks, 2};
  CHECK(load() == GLINT_OK);
  CHECK(tasks > 2);
  CHECK(glint_model_from_memory_with(Tiny().bytes.data(), Tiny().bytes.size(), nullptr, &options,
                                     &model, nullptr) == GLINT_OK);
  glint_model_free(model);
  options.runner.workers = 0;
  CHECK(load() == GLINT_INVALID_ARGUMENT);
  options.runner.run = nullptr;
  options.threads = -1;
  CHECK(load() == GLINT_INVALID_ARGUMENT);
  options.threads = 1;
  options.access = 3;
  CHECK(load() == GLINT_INVALID_ARGUMENT);
  options.access = GLINT_ACCESS_MAP;
  CHECK(load() == GLINT_OK);
  options.access = GLINT_ACCESS_READ;
  CHECK(options.max_memory == uint64_t{1} << 30);
  options.max_memory = 1000;
  CHECK(load() == GLINT_LIMIT);
  double last = 0;
  options.max_memory = uint64_t{1} << 30;
  options.progress_opaque = &last;
  options.progress = [](void* opaque, double done) {
    *static_cast<double*>(opaque) = done;
    return 1;
  };
  CHECK(load() == GLINT_OK);
  CHECK(last == 1);
  options.progress = [](void* opaque, double done) {
    *static_cast<double*>(opaque) = done;
    return done > 0.3 ? 0 : 1;
  };
  CHECK(load() == GLINT_CANCELLED);
  CHECK(last < 1);
  // A caller of before has no such fields: the defaults.
  options.max_memory = 1000;
  options.struct_size = offsetof(glint_load_options, max_memory);
  CHECK(load() == GLINT_OK);
  options.struct_size = sizeof(options);
  options.max_memory = uint64_t{1} << 30;

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
  glint_picture_info source = EmptyInfo(), output = EmptyInfo();
  REQUIRE(glint_stream_get_source(info, &source) == GLINT_OK);
  REQUIRE(glint_stream_get_output(info, &output) == GLINT_OK);
  CHECK(Same(source, wanted.source));
  CHECK(Same(output, wanted.output));
  CHECK(output.bit_depth == 8);
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

TEST_CASE("C interface: latents are those of the C++ interface") {
  std::vector<int16_t> cpp, c;
  DecodeOptions options;
  options.latents = [&](const LatentRow& row) {
    cpp.insert(cpp.end(), row.values, row.values + size_t{row.columns} * row.channels);
    return true;
  };
  REQUIRE(Decode(Tiny().cpp, SmallStream().data(), SmallStream().size(), options).ok());
  REQUIRE(!cpp.empty());
  auto in_c = Defaults<glint_decode_options>();
  CHECK((in_c.latents == nullptr));
  in_c.latents = [](void* opaque, const glint_latent_row* row) {
    auto* to = static_cast<std::vector<int16_t>*>(opaque);
    CHECK(row->rows > row->y);
    CHECK(row->fraction_bits > 0);
    to->insert(to->end(), row->values, row->values + size_t{row->columns} * row->channels);
    return row->y + 1 < row->rows ? 1 : 0;  // the last one stops it
  };
  in_c.latents_opaque = &c;
  glint_error error;
  CHECK(DecodeSmall(&in_c, &error) == GLINT_CANCELLED);
  CHECK(std::string(error.message).find("latents") != std::string::npos);
  CHECK(c == cpp);
}

TEST_CASE("README.md shows the examples that the consumers compile") {
  const auto read = [](const char* name) {
    std::ifstream file(std::string(GLINT_SOURCE_DIR) + "/" + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  for (const std::string name :
       {"decode_example.c", "yuv_example.c", "push_example.cpp", "session_example.cpp"}) {
    CAPTURE(name);
    const std::string example = read(("tests/consumer/" + name).c_str());
    REQUIRE(!example.empty());
    const std::string shown = "```" + name.substr(name.find('.') + 1) + "\n" + example + "```\n";
    CHECK(read("README.md").find(shown) != std::string::npos);
  }
}

}  // namespace glint::testing
