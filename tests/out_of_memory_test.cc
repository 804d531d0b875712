// Every allocation may fail, one at a time: each call then does without it or gives kLimit, and
// nothing ends, leaks or is left half done. Leaks are AddressSanitizer's to find.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <string>

#include "glint/glint.h"
#include "glint/image_io.hpp"
#include "glint/pictures.hpp"
#include "glint/pixels.hpp"
#include "glint/rate.hpp"
#include "tests/codec_helpers.h"
#include "tests/failing_allocations.h"
#include "tests/mutate.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::FailEach;
using testing::FailingAllocation;
using testing::FailSome;
using testing::LoadModel;
using testing::MustEncode;
using testing::SmoothPicture;

const Model& Tiny() {
  static const Model model = LoadModel(testing::TinyModelFile());
  return model;
}

Picture TinyPicture(bool alpha = true) {
  Picture picture = SmoothPicture(MakeInfo(70, 40, 3, alpha, 8), 1);
  picture.metadata = testing::SomeMetadata();
  return picture;
}

TEST_CASE("out of memory: loading a model") {
  for (const Bytes& file :
       {testing::MiniModelFile(), testing::IntegerModelFile(), testing::WavefrontModelFile()}) {
    for (const int threads : {1, 4}) {
      CAPTURE(threads);
      const auto load = [&] {
        LoadOptions options;
        options.threads = threads;
        return Model::FromMemory(file.data(), file.size(), "memory", options).error();
      };
      FailSome(load, 400);
    }
  }
}

TEST_CASE("out of memory: a shipped model") {
  const std::string path = std::string(GLINT_SOURCE_DIR) + "/weights/light-int8.safetensors";
  const auto load = [&] { return Model::Load(path).error(); };
  FailSome(load, 100);
}

TEST_CASE("out of memory: encoding") {
  const Model& model = Tiny();
  const Picture picture = TinyPicture();
  for (const int threads : {1, 4}) {
    for (const Detail detail : {Detail::kOff, Detail::kOn}) {
      CAPTURE(threads);
      CAPTURE(static_cast<int>(detail));
      EncodeOptions options;
      options.threads = threads;
      options.detail = detail;
      FailEach([&] { return Encode(model, picture, options).error(); });
    }
  }
}

TEST_CASE("out of memory: encoding with effort, without loss, to a target") {
  const Model& model = Tiny();
  const Picture picture = TinyPicture(false);
  EncodeOptions effort;
  effort.effort = 1;
  FailSome([&] { return Encode(model, picture, effort).error(); }, 300);
  EncodeOptions lossless;
  lossless.lossless = true;
  FailEach([&] { return Encode(model, picture, lossless).error(); });
  const auto size = static_cast<double>(MustEncode(model, picture).size());
  const auto to_target = [&] {
    return EncodeToTarget(model, picture, {Target::Kind::kBytes, size}).error();
  };
  FailSome(to_target, 300);
}

TEST_CASE("out of memory: decoding and inspecting") {
  const Model& model = Tiny();
  EncodeOptions encode;
  encode.detail = Detail::kOn;
  const Bytes stream = MustEncode(model, TinyPicture(), encode);
  for (const int threads : {1, 4}) {
    CAPTURE(threads);
    DecodeOptions options;
    options.threads = threads;
    FailEach([&] { return Decode(model, stream.data(), stream.size(), options).error(); });
  }
  FailEach([&] { return Inspect(stream.data(), stream.size()).error(); });
}

TEST_CASE("out of memory: a stream that comes piece by piece") {
  const Model& model = Tiny();
  EncodeOptions encode;
  encode.detail = Detail::kOn;
  const Bytes stream = MustEncode(model, TinyPicture(), encode);
  const auto decode = [&]() -> Error {
    auto decoder = StreamDecoder::Make(
        model, [](const PictureInfo&, const Metadata&) { return true; },
        [](uint32_t, const void*) { return true; });
    if (!decoder) return decoder.error();
    for (size_t at = 0; at < stream.size(); at += 500) {
      const Error error =
          decoder->Push(stream.data() + at, std::min<size_t>(500, stream.size() - at));
      if (!error.ok()) return error;
    }
    return decoder->Finish();
  };
  FailEach(decode);
}

TEST_CASE("out of memory: pixels of other layouts, and a session") {
  const Model& model = Tiny();
  Bytes samples(3 * 70 * 40, 90);
  PixelBuffer to;
  to.layout.format = PixelFormat::kYuv420;
  to.width = 70;
  to.height = 40;
  ConstPixelBuffer from;
  from.layout = to.layout;
  from.width = 70;
  from.height = 40;
  for (size_t p = 0; p < 3; ++p)
    from.planes[p].data = to.planes[p].data = samples.data() + p * 2800;
  FailSome([&] { return EncodePixels(model, from).error(); }, 300);
  const Bytes stream = MustEncode(model, TinyPicture());
  FailEach([&] { return DecodePixels(model, stream.data(), stream.size(), to); });
  FailEach([] { return Session::Make(3).error(); });
}

TEST_CASE("out of memory: picture files") {
  const TemporaryFolder folder;
  const Picture picture = TinyPicture();
  Picture opaque = TinyPicture(false);
  for (const char* name : {"a.png", "a.pam", "b.ppm"}) {
    CAPTURE(name);
    const Picture& written = name[0] == 'a' ? picture : opaque;
    const std::string path = folder.File(name);
    REQUIRE(WritePicture(path, written).ok());
    FailEach([&] { return ReadPicture(path).error(); });
    const std::string again = folder.File(std::string("again-") + name);
    FailEach([&] { return WritePicture(again, written); });
    const auto both = ReadPicture(again);
    REQUIRE(both.ok());
    CHECK(both->samples == written.samples);
  }
}

// Who goes on after an error must not get rows of a reader that lost its place, nor a file that
// lacks some.
TEST_CASE("out of memory: a reader and a writer that failed go on failing") {
  const TemporaryFolder folder;
  const Picture picture = TinyPicture(false);
  const size_t row_bytes = picture.info.RowBytes();
  const std::string path = folder.File("a.png"), copy = folder.File("copy.ppm");
  REQUIRE(WritePicture(path, picture).ok());
  Bytes row(row_bytes);
  size_t readers = 0;
  for (int64_t n = 1; n < 200; ++n) {
    auto reader = PictureReader::Open(path);
    REQUIRE(reader.ok());
    const auto read = [&] { return (*reader)->ReadRow(row.data()); };
    Error first;
    {
      const FailingAllocation fails(n);
      first = read();
    }
    if (first.ok()) break;
    ++readers;
    CHECK(first.code == ErrorCode::kLimit);
    CHECK(read().code == ErrorCode::kLimit);
    CHECK((*reader)->Finish().code == ErrorCode::kLimit);
  }
  CHECK((readers > 0 || !testing::kMallocFails));
  auto writer = PictureWriter::Create(copy, picture.info, {});
  REQUIRE(writer.ok());
  // A row too many is an error with a text that takes memory.
  for (uint32_t y = 0; y < picture.info.height; ++y) {
    REQUIRE((*writer)->WriteRow(picture.samples.data() + y * row_bytes).ok());
  }
  Error failed;
  {
    const FailingAllocation fails(1);
    failed = (*writer)->WriteRow(row.data());
  }
  CHECK(failed.code == ErrorCode::kLimit);
  CHECK((*writer)->Finish().code == ErrorCode::kLimit);
  writer = Error{ErrorCode::kIo, "gone"};
  CHECK(folder.CountFiles() == 1);
}

// What gives neither Error nor Expected may throw, and the header says so.
TEST_CASE("out of memory: the description of a model") {
  const Model& model = Tiny();
  FailEach([&] {
    try {
      return model.Explain().empty() ? Error{ErrorCode::kIo, "nothing", 0} : Error{};
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kLimit, "", 0};
    }
  });
}

// pictures.hpp promises that these never throw.
TEST_CASE("out of memory: functions of pictures") {
  const Picture picture = TinyPicture();
  Picture deep = SmoothPicture(MakeInfo(170, 165, 3, false, 16), 4);
  const Picture a = ToRgb8(deep);
  FailEach([&] {
    ToRgb8(deep);
    ToRgb8(picture);
    Flatten(picture, Rgb8{1, 2, 3});
    PsnrRgb(a, a);
    PsnrAsSeen(picture, picture);
    MsSsimRgb(a, a);
    return Error{};
  });
}

TEST_CASE("out of memory: planning") {
  const Model& model = Tiny();
  FailEach([&] { return PlanMemory(model, MakeInfo(70, 40, 3, true, 8)).error(); });
}

TEST_CASE("out of memory: the C interface") {
  const Bytes file = testing::MiniModelFile();
  const Picture picture = TinyPicture(false);
  glint_picture_info info;
  REQUIRE(glint_picture_info_init(&info, sizeof(info)) == GLINT_OK);
  info.width = picture.info.width;
  info.height = picture.info.height;
  FailSome(
      [&] {
        glint_model* model = nullptr;
        glint_picture* decoded = nullptr;
        glint_stream_info* about = nullptr;
        uint8_t* stream = nullptr;
        char* text = nullptr;
        size_t size = 0;
        glint_error error{};
        glint_status status =
            glint_model_from_memory(file.data(), file.size(), nullptr, &model, &error);
        if (status == GLINT_OK) status = glint_model_explain(model, &text, &error);
        if (status == GLINT_OK) {
          status = glint_encode(model, &info, picture.samples.data(), 0, nullptr, nullptr, &stream,
                                &size, &error);
        }
        if (status == GLINT_OK) status = glint_inspect(stream, size, nullptr, &about, &error);
        if (status == GLINT_OK) {
          status = glint_decode(model, stream, size, nullptr, &decoded, &error);
        }
        CHECK((status == GLINT_OK) == (decoded != nullptr));
        glint_picture_free(decoded);
        glint_stream_info_free(about);
        glint_free(stream);
        glint_free(text);
        glint_model_free(model);
        return Error{static_cast<ErrorCode>(status), error.message, 0};
      },
      500);
}

}  // namespace
}  // namespace glint
