// The part of glint.h that chooses the rate: the same as rate.hpp, and what it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "glint/glint.h"
#include "glint/rate.hpp"
#include "tests/c_api_helpers.h"

namespace glint::testing {
namespace {

glint_target_result EmptyResult() {
  glint_target_result result;
  REQUIRE(glint_target_result_init(&result, sizeof(result)) == GLINT_OK);
  return result;
}

// One call; nothing is given where it fails.
struct Outcome {
  glint_status status = GLINT_OK;
  glint_error error{};
  Bytes stream;
};
Outcome EncodeSmallTo(const glint_target* target, const glint_encode_options* options,
                      glint_target_result* result) {
  const glint_picture_info info = InC(SmallPicture().info);
  Outcome outcome;
  uint8_t* stream = nullptr;
  size_t size = 1;
  outcome.status =
      glint_encode_to_target(Tiny().c.get(), &info, SmallPicture().samples.data(), 0, nullptr,
                             target, options, &stream, &size, result, &outcome.error);
  CHECK((stream == nullptr) == (outcome.status != GLINT_OK));
  CHECK((size == 0) == (outcome.status != GLINT_OK));
  CHECK(outcome.error.status == outcome.status);
  outcome.stream = Taken(stream, size);
  return outcome;
}

double SizeBetween(double way) {
  EncodeOptions options;
  options.lrd = Tiny().cpp.info().detail_lrd_min;
  const double least = static_cast<double>(Encode(Tiny().cpp, SmallPicture(), options)->size());
  options.lrd = Tiny().cpp.info().detail_lrd_max;
  const double most = static_cast<double>(Encode(Tiny().cpp, SmallPicture(), options)->size());
  return std::floor(least + way * (most - least));
}

TEST_CASE("C interface: qualities equal those of the C++ interface") {
  for (const double quality : {0.0, 33.3, 100.0}) {
    double lrd = 0;
    CHECK(glint_lrd_of_quality(Tiny().c.get(), quality, &lrd, nullptr) == GLINT_OK);
    CHECK(lrd == *LrdOfQuality(Tiny().cpp.info(), quality));
    const auto options = Defaults<glint_encode_options>();
    for (const glint_encode_options* with :
         {static_cast<const glint_encode_options*>(nullptr), &options}) {
      double same = 0;
      CHECK(glint_lrd_of_quality_with(Tiny().c.get(), quality, with, &same, nullptr) == GLINT_OK);
      CHECK(same == lrd);
    }
    auto alone = Defaults<glint_encode_options>();
    alone.detail = GLINT_DETAIL_OFF;
    CHECK(glint_lrd_of_quality_with(Tiny().c.get(), quality, &alone, &lrd, nullptr) == GLINT_OK);
    CHECK(lrd == *LrdOfQuality(Tiny().cpp.info(), quality, Detail::kOff));
  }
  double lrd = 7;
  glint_error error;
  CHECK(glint_lrd_of_quality(Tiny().c.get(), 101, &lrd, &error) == GLINT_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("101") != std::string::npos);
  CHECK(glint_lrd_of_quality(Tiny().c.get(), std::nan(""), &lrd, nullptr) ==
        GLINT_INVALID_ARGUMENT);
  CHECK(glint_lrd_of_quality(nullptr, 50, &lrd, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_lrd_of_quality(Tiny().c.get(), 50, nullptr, nullptr) == GLINT_INVALID_ARGUMENT);
  glint_encode_options options;
  std::memset(&options, 0, sizeof(options));
  CHECK(glint_lrd_of_quality_with(Tiny().c.get(), 50, &options, &lrd, nullptr) ==
        GLINT_INVALID_ARGUMENT);
  CHECK(glint_lrd_of_quality_with(nullptr, 50, nullptr, &lrd, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(lrd == 7);
}

TEST_CASE("C interface: targets give the streams of the C++ interface") {
  const double pixels = 50 * 37;
  for (const auto& [c_kind, kind, value] :
       {std::tuple(GLINT_TARGET_BYTES, Target::Kind::kBytes, SizeBetween(0.6)),
        std::tuple(GLINT_TARGET_BITS_PER_PIXEL, Target::Kind::kBitsPerPixel,
                   8 * SizeBetween(0.4) / pixels),
        std::tuple(GLINT_TARGET_PSNR, Target::Kind::kPsnr, 40.0)}) {
    Report cpp_report;
    const auto wanted = EncodeToTarget(Tiny().cpp, SmallPicture(), {kind, value}, {}, &cpp_report);
    REQUIRE_MESSAGE(wanted.ok(), wanted.error().message);

    const glint_target target = {static_cast<uint32_t>(c_kind), 0, value};
    glint_target_result result = EmptyResult();
    glint_report report = EmptyReport();
    auto options = Defaults<glint_encode_options>();
    options.report = &report;
    const Outcome outcome = EncodeSmallTo(&target, &options, &result);
    REQUIRE(outcome.status == GLINT_OK);
    CHECK(outcome.stream == wanted->stream);
    CHECK(result.lrd == wanted->lrd);
    CHECK(result.psnr == wanted->psnr);
    CHECK(result.probes == static_cast<uint32_t>(wanted->probes));
    CHECK(report.latent_crc == cpp_report.latent_crc);
    CHECK(report.symbols == cpp_report.symbols);
    CHECK(EncodeSmallTo(&target, nullptr, nullptr).stream == wanted->stream);

    auto plain = Defaults<glint_encode_options>();
    plain.lrd = result.lrd;
    const glint_picture_info info = InC(SmallPicture().info);
    uint8_t* stream = nullptr;
    size_t size = 0;
    REQUIRE(glint_encode(Tiny().c.get(), &info, SmallPicture().samples.data(), 0, nullptr, &plain,
                         &stream, &size, nullptr) == GLINT_OK);
    CHECK(Taken(stream, size) == wanted->stream);
  }
}

TEST_CASE("C interface: rows for a target are read again for each probe") {
  struct Source {
    int passes = 0;
    int rows_left = std::numeric_limits<int>::max();
    static int Read(void* opaque, uint32_t y, void* row) {
      auto* self = static_cast<Source*>(opaque);
      if (y == 0) ++self->passes;
      const size_t bytes = SmallPicture().info.RowBytes();
      std::memcpy(row, SmallPicture().samples.data() + y * bytes, bytes);
      return self->rows_left-- > 0 ? 1 : 0;
    }
  };
  const glint_picture_info info = InC(SmallPicture().info);
  const glint_target target = {GLINT_TARGET_BYTES, 0, SizeBetween(0.5)};
  glint_target_result result = EmptyResult();
  Source source;
  uint8_t* stream = nullptr;
  size_t size = 0;
  REQUIRE(glint_encode_rows_to_target(Tiny().c.get(), &info, Source::Read, &source, nullptr,
                                      &target, nullptr, &stream, &size, &result,
                                      nullptr) == GLINT_OK);
  CHECK(Taken(stream, size) == EncodeSmallTo(&target, nullptr, nullptr).stream);
  CHECK(source.passes == static_cast<int>(result.probes));

  Source stops;
  stops.rows_left = 5;
  glint_error error;
  CHECK(glint_encode_rows_to_target(Tiny().c.get(), &info, Source::Read, &stops, nullptr, &target,
                                    nullptr, &stream, &size, &result, &error) == GLINT_CANCELLED);
  CHECK(stream == nullptr);
  CHECK(size == 0);
  CHECK(glint_encode_rows_to_target(Tiny().c.get(), &info, nullptr, nullptr, nullptr, &target,
                                    nullptr, &stream, &size, &result,
                                    &error) == GLINT_INVALID_ARGUMENT);
}

TEST_CASE("C interface: targets that are refused") {
  const glint_target small = {GLINT_TARGET_BYTES, 0, 3};
  Outcome outcome = EncodeSmallTo(&small, nullptr, nullptr);
  CHECK(outcome.status == GLINT_UNREACHABLE);
  CHECK(std::string(outcome.error.message).find("the least is ") != std::string::npos);
  for (const glint_target& bad :
       {glint_target{0, 0, 900}, glint_target{4, 0, 900}, glint_target{GLINT_TARGET_BYTES, 0, 0},
        glint_target{GLINT_TARGET_PSNR, 0, std::nan("")}}) {
    CHECK(EncodeSmallTo(&bad, nullptr, nullptr).status == GLINT_INVALID_ARGUMENT);
  }
  const glint_target good = {GLINT_TARGET_BYTES, 0, SizeBetween(0.5)};
  auto options = Defaults<glint_encode_options>();
  options.lrd = 2e-4;
  CHECK(EncodeSmallTo(&good, &options, nullptr).status == GLINT_INVALID_ARGUMENT);
  CHECK(EncodeSmallTo(nullptr, nullptr, nullptr).status == GLINT_INVALID_ARGUMENT);
  glint_target_result result;
  std::memset(&result, 0, sizeof(result));
  CHECK(EncodeSmallTo(&good, nullptr, &result).status == GLINT_INVALID_ARGUMENT);
  CHECK(glint_target_result_init(nullptr, sizeof(result)) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_target_result_init(&result, 3) == GLINT_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace glint::testing
