// The C interface: effort is as in the C++ interface.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"

namespace glint::testing {
namespace {

// A shipped model behind both interfaces: unlike one that is drawn, it always gains by an effort.
struct ShippedModel {
  ShippedModel() : cpp(LoadLight()) {
    glint_model* model = nullptr;
    REQUIRE(glint_model_load(LightPath().c_str(), &model, nullptr) == GLINT_OK);
    c.reset(model);
  }
  Model cpp;
  Owned<glint_model> c;
};

const ShippedModel& Light() {
  static const ShippedModel model;
  return model;
}

const Picture& Lake() {
  static const Picture picture = SampleCrop("lake", 300, 200, 96, 64);
  return picture;
}

Bytes EncodeInC(const glint_encode_options& options) {
  const glint_picture_info info = InC(Lake().info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  glint_error error;
  const glint_status status = glint_encode(Light().c.get(), &info, Lake().samples.data(), 0,
                                           nullptr, &options, &stream, &size, &error);
  REQUIRE_MESSAGE(status == GLINT_OK, error.message);
  return Taken(stream, size);
}

Bytes EncodeWith(int effort) {
  auto options = Defaults<glint_encode_options>();
  options.effort = effort;
  return EncodeInC(options);
}

TEST_CASE("C interface: effort, and what the report says of it") {
  for (const int effort : {0, 2}) {
    CAPTURE(effort);
    auto c = Defaults<glint_encode_options>();
    CHECK(c.effort == 0);
    glint_report report = EmptyReport();
    c.effort = effort;
    c.report = &report;
    EncodeOptions cpp;
    cpp.effort = effort;
    const Bytes stream = EncodeInC(c);
    CHECK(stream == MustEncode(Light().cpp, Lake(), cpp));
    CHECK((stream == MustEncode(Light().cpp, Lake())) == (effort == 0));
    CHECK((report.effort_seconds > 0) == (effort > 0));
    CHECK(report.effort_seconds < report.total_seconds);

    glint_picture* picture = nullptr;
    REQUIRE(glint_decode(Light().c.get(), stream.data(), stream.size(), nullptr, &picture,
                         nullptr) == GLINT_OK);
    const Owned<glint_picture> owned(picture);
    const void* samples = nullptr;
    size_t size = 0;
    REQUIRE(glint_picture_get_samples(picture, &samples, &size) == GLINT_OK);
    const Picture wanted = MustDecode(Light().cpp, stream);
    REQUIRE(size == wanted.samples.size());
    CHECK(std::memcmp(samples, wanted.samples.data(), size) == 0);
  }
}

TEST_CASE("C interface: effort where errors have a limit is none") {
  auto options = Defaults<glint_encode_options>();
  glint_report report = EmptyReport();
  options.report = &report;
  options.lossless = 1;
  const Bytes without = EncodeInC(options);
  options.effort = 9;
  CHECK(EncodeInC(options) == without);
  CHECK(report.effort_seconds == 0);
}

TEST_CASE("C interface: a search for the rate takes the effort too") {
  const glint_picture_info info = InC(Lake().info);
  const glint_target target = {GLINT_TARGET_BYTES, 0,
                               static_cast<double>(EncodeWith(0).size()) * 0.9};
  auto options = Defaults<glint_encode_options>();
  options.effort = 1;
  glint_target_result result;
  REQUIRE(glint_target_result_init(&result, sizeof(result)) == GLINT_OK);
  uint8_t* stream = nullptr;
  size_t size = 0;
  glint_error error;
  const glint_status status =
      glint_encode_to_target(Light().c.get(), &info, Lake().samples.data(), 0, nullptr, &target,
                             &options, &stream, &size, &result, &error);
  REQUIRE_MESSAGE(status == GLINT_OK, error.message);
  const Bytes found = Taken(stream, size);
  options.lrd = result.lrd;
  CHECK(EncodeInC(options) == found);
  options.effort = 0;
  CHECK(EncodeInC(options) != found);
}

TEST_CASE("C interface: callers from before there was effort") {
  auto options = Defaults<glint_encode_options>();
  options.effort = 2;
  options.reserved = 1;
  options.struct_size = offsetof(glint_encode_options, effort);
  CHECK(EncodeInC(options) == EncodeWith(0));
  const Bytes with = EncodeWith(2);
  options.struct_size = offsetof(glint_encode_options, reserved);
  CHECK(EncodeInC(options) == with);

  // What lies behind the caller's report is not touched.
  options.reserved = 0;
  options.struct_size = sizeof(options);
  glint_report report;
  std::memset(&report, 0xCD, sizeof(report));
  REQUIRE(glint_report_init(&report, offsetof(glint_report, effort_seconds)) == GLINT_OK);
  options.report = &report;
  CHECK(EncodeInC(options) == with);
  CHECK(report.total_seconds > 0);
  const auto* const end = reinterpret_cast<const uint8_t*>(&report + 1);
  CHECK(std::all_of(end - sizeof(double), end, [](uint8_t byte) { return byte == 0xCD; }));
}

TEST_CASE("C interface: efforts that are refused") {
  auto options = Defaults<glint_encode_options>();
  for (const int effort : {-1, 10}) {
    options.effort = effort;
    CHECK(EncodeSmall(&options) == GLINT_INVALID_ARGUMENT);
  }
  options.effort = 1;
  options.reserved = 1;
  CHECK(EncodeSmall(&options) == GLINT_UNSUPPORTED);
  options.reserved = 0;

  ModelBuilder without_lambda = TinyModel();
  const ModelBuilder without_derivative = UnderivableModel();
  without_lambda.document["rate"] = {{"parameter", "none"}};
  for (const ModelBuilder& builder : {without_lambda, without_derivative}) {
    const Bytes file = builder.Build();
    glint_model* model = nullptr;
    REQUIRE(glint_model_from_memory(file.data(), file.size(), "mine", &model, nullptr) == GLINT_OK);
    const Owned<glint_model> owned(model);
    const glint_picture_info info = InC(SmallPicture().info);
    uint8_t* stream = nullptr;
    size_t size = 0;
    glint_error error;
    CHECK(glint_encode(model, &info, SmallPicture().samples.data(), 0, nullptr, &options, &stream,
                       &size, &error) == GLINT_UNSUPPORTED);
    CHECK(std::string(error.message).find("mine: ") == 0);
    CHECK(stream == nullptr);
  }
}

}  // namespace
}  // namespace glint::testing
