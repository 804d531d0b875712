// The C interface: details are as in the C++ interface.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include "tests/c_api_helpers.h"

namespace glint::testing {
namespace {

// Two sections of details.
const Picture& TallPicture() {
  static const Picture picture = TestPicture(MakeInfo(20, 1100, 3, false, 8), 4);
  return picture;
}

Bytes EncodeTall(const glint_encode_options* options) {
  const glint_picture_info info = InC(TallPicture().info);
  uint8_t* stream = nullptr;
  size_t size = 0;
  glint_error error;
  const glint_status status = glint_encode(Tiny().c.get(), &info, TallPicture().samples.data(), 0,
                                           nullptr, options, &stream, &size, &error);
  REQUIRE_MESSAGE(status == GLINT_OK, error.message);
  return Taken(stream, size);
}

glint_status DecodeTall(const Bytes& stream, const glint_decode_options& options, Bytes* samples,
                        glint_error* error = nullptr) {
  samples->assign(TallPicture().samples.size(), 0);
  return glint_decode_into(Tiny().c.get(), stream.data(), stream.size(), &options, samples->data(),
                           samples->size(), 0, nullptr, error);
}

Bytes DecodeInCpp(const Bytes& stream, DetailOutput detail) {
  DecodeOptions options;
  options.detail = detail;
  const Expected<Picture> picture = Decode(Tiny().cpp, stream.data(), stream.size(), options);
  REQUIRE_MESSAGE(picture.ok(), picture.error().message);
  return picture->samples;
}

TEST_CASE("C interface: streams with details, and what the report says of them") {
  for (const uint32_t detail : {GLINT_DETAIL_AUTO, GLINT_DETAIL_OFF, GLINT_DETAIL_ON}) {
    CAPTURE(detail);
    auto c = Defaults<glint_encode_options>();
    glint_report report = EmptyReport();
    c.detail = detail;
    c.report = &report;
    EncodeOptions cpp;
    cpp.detail = static_cast<Detail>(detail);
    Report wanted;
    CHECK(EncodeTall(&c) == *Encode(Tiny().cpp, TallPicture(), cpp, &wanted));
    CHECK(report.detail_bytes == wanted.detail.bytes);
    CHECK(report.detail_blocks == wanted.detail.blocks);
    CHECK(report.detail_transform_blocks == wanted.detail.transform_blocks);
    CHECK(report.detail_pixel_blocks == wanted.detail.pixel_blocks);
    CHECK(report.detail_plain_blocks == wanted.detail.plain_blocks);
    CHECK(report.detail_base_error == wanted.detail.base_error);
    CHECK(report.detail_error == wanted.detail.error);
    CHECK((report.detail_seconds > 0) == (detail != GLINT_DETAIL_OFF));
    CHECK((report.detail_blocks > 0) == (detail != GLINT_DETAIL_OFF));
  }
}

TEST_CASE("C interface: errors that have a limit") {
  auto c = Defaults<glint_encode_options>();
  EncodeOptions cpp;
  c.max_error = cpp.max_error = 2;
  CHECK(EncodeTall(&c) == *Encode(Tiny().cpp, TallPicture(), cpp));
  c.max_error = -1;
  c.lossless = 1;
  const Bytes stream = EncodeTall(&c);
  Bytes samples;
  CHECK(DecodeTall(stream, Defaults<glint_decode_options>(), &samples) == GLINT_OK);
  CHECK(samples == TallPicture().samples);

  const auto status = [](auto change) {
    auto options = Defaults<glint_encode_options>();
    change(options);
    return EncodeSmall(&options);
  };
  CHECK(status([](auto& o) { o.max_error = 128; }) == GLINT_INVALID_ARGUMENT);
  CHECK(status([](auto& o) { o.max_error = -2; }) == GLINT_INVALID_ARGUMENT);
  CHECK(status([](auto& o) { o.detail = 3; }) == GLINT_INVALID_ARGUMENT);
  CHECK(status([](auto& o) {
          o.lossless = 1;
          o.detail = GLINT_DETAIL_OFF;
        }) == GLINT_INVALID_ARGUMENT);
  CHECK(status([](auto& o) {
          o.lossless = 1;
          o.lrd = 4e-4;
        }) == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: callers from before there were details") {
  auto c = Defaults<glint_encode_options>();
  c.detail = GLINT_DETAIL_ON;
  const Bytes usual = EncodeTall(&c);
  // What was reserved, and 0, is `detail` now; what follows is not looked at.
  c.max_error = 0;
  c.lossless = 1;
  c.struct_size = offsetof(glint_encode_options, max_error);
  CHECK(EncodeTall(&c) == usual);
  auto d = Defaults<glint_decode_options>();
  Bytes all, samples;
  CHECK(DecodeTall(usual, d, &all) == GLINT_OK);
  d.detail = GLINT_DETAIL_SKIP;
  d.struct_size = offsetof(glint_decode_options, detail);
  CHECK(DecodeTall(usual, d, &samples) == GLINT_OK);
  CHECK(samples == all);
}

TEST_CASE("C interface: details left out, all or those that are damaged") {
  auto on = Defaults<glint_encode_options>();
  on.detail = GLINT_DETAIL_ON;
  Bytes stream = EncodeTall(&on);
  auto options = Defaults<glint_decode_options>();
  Bytes samples;
  options.detail = GLINT_DETAIL_SKIP;
  CHECK(DecodeTall(stream, options, &samples) == GLINT_OK);
  CHECK(samples == DecodeInCpp(stream, DetailOutput::kSkip));
  CHECK(samples != DecodeInCpp(stream, DetailOutput::kDecode));
  options.detail = 3;
  CHECK(DecodeTall(stream, options, &samples) == GLINT_INVALID_ARGUMENT);
  options.detail = GLINT_DETAIL_DECODE;
  options.reserved = 1;
  CHECK(DecodeTall(stream, options, &samples) == GLINT_UNSUPPORTED);
  options.reserved = 0;

  glint_stream_info* info = nullptr;
  const auto properties = [&] {
    REQUIRE(glint_inspect(stream.data(), stream.size(), &options, &info, nullptr) == GLINT_OK);
    const Owned<glint_stream_info> owned(info);
    glint_stream_properties found;
    REQUIRE(glint_stream_properties_init(&found, sizeof(found)) == GLINT_OK);
    REQUIRE(glint_stream_get_properties(info, &found) == GLINT_OK);
    return found;
  };
  CHECK(properties().has_detail == 1);
  CHECK(properties().detail_damaged_sections == 0);

  const StreamInfo inspected = *Inspect(stream.data(), stream.size());
  for (const StreamInfo::Chunk& chunk : inspected.chunks) {
    if (chunk.type == 'D') stream[chunk.offset + chunk.bytes - 1] ^= 1;  // CRCs
  }
  CHECK(DecodeTall(stream, options, &samples) == GLINT_BAD_STREAM);
  CHECK(glint_inspect(stream.data(), stream.size(), &options, &info, nullptr) == GLINT_BAD_STREAM);
  glint_report report = EmptyReport();
  options.report = &report;
  options.detail = GLINT_DETAIL_SKIP_DAMAGED;
  CHECK(DecodeTall(stream, options, &samples) == GLINT_OK);
  CHECK(samples == DecodeInCpp(stream, DetailOutput::kSkip));
  CHECK(report.detail_damaged_sections == 2);
  CHECK(properties().detail_damaged_sections == 2);
}

}  // namespace
}  // namespace glint::testing
