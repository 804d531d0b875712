// Colour that metadata describe: every number of the chunks comes back, C and C++ say the same,
// and what no chunk can hold is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "glint/glint.h"
#include "glint/glint.hpp"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using Chunk = std::pair<std::string, Bytes>;

Bytes RandomBytes(std::mt19937* random, size_t size) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((*random)());
  return bytes;
}

bool Has(const Metadata& metadata, const Chunk& chunk) {
  return std::count(metadata.chunks.begin(), metadata.chunks.end(), chunk) == 1;
}

// The example of the PNG specification, third edition: BT.2020 and PQ on a display of 1000 cd/m2.
TEST_CASE("colour: chunks as the specification has them") {
  ColourDescription colour;
  colour.cicp = Cicp{9, 16, true};
  colour.display = MasteringDisplay{{0.708, 0.292},   {0.170, 0.797}, {0.131, 0.046},
                                    {0.3127, 0.3290}, 1000,           0.0001};
  colour.light = ContentLight{1000, 123.4567};
  Metadata metadata;
  metadata.chunks = {{"tEXt", {'a', 0}}, {"cICP", {1, 2, 3, 4}}};
  REQUIRE(SetColour(colour, &metadata).ok());
  REQUIRE(metadata.chunks.size() == 4);
  CHECK(Has(metadata, {"tEXt", {'a', 0}}));
  CHECK(Has(metadata, {"cICP", {9, 16, 0, 1}}));
  CHECK(Has(metadata,
            {"mDCV", {0x8A, 0x48, 0x39, 0x08, 0x21, 0x34, 0x9B, 0xAA, 0x19, 0x96, 0x08, 0xFC,
                      0x3D, 0x13, 0x40, 0x42, 0x00, 0x98, 0x96, 0x80, 0x00, 0x00, 0x00, 0x01}}));
  CHECK(Has(metadata, {"cLLI", {0x00, 0x98, 0x96, 0x80, 0x00, 0x12, 0xD6, 0x87}}));
  REQUIRE(SetColour({}, &metadata).ok());
  CHECK(metadata.chunks == std::vector<Chunk>{{"tEXt", {'a', 0}}});
}

TEST_CASE("colour: every chunk comes back, in C and C++") {
  std::mt19937 random(TestSeed());
  for (int round = 0; round < 2000; ++round) {
    CAPTURE(round);
    Metadata metadata;
    if (random() % 4 != 0) metadata.chunks.emplace_back("cICP", RandomBytes(&random, 4));
    if (random() % 4 != 0) metadata.chunks.emplace_back("mDCV", RandomBytes(&random, 24));
    if (random() % 4 != 0) metadata.chunks.emplace_back("cLLI", RandomBytes(&random, 8));
    for (Chunk& chunk : metadata.chunks) {
      if (chunk.first != "cICP") continue;
      chunk.second[2] = 0;   // RGB
      chunk.second[3] &= 1;  // full range or not
    }
    Metadata again;
    REQUIRE(SetColour(ColourOf(metadata), &again).ok());
    CHECK(again.chunks == metadata.chunks);

    const auto in_c = testing::InC(metadata);
    glint_colour colour;
    REQUIRE(glint_colour_init(&colour, sizeof(colour)) == GLINT_OK);
    REQUIRE(glint_metadata_get_colour(in_c.get(), &colour) == GLINT_OK);
    const auto again_in_c = testing::InC(Metadata());
    REQUIRE(glint_metadata_set_colour(again_in_c.get(), &colour, nullptr) == GLINT_OK);
    CHECK(testing::FromC(again_in_c.get()).chunks == metadata.chunks);
  }
}

TEST_CASE("colour: chunks of another size are none, the first of several counts") {
  Metadata metadata;
  metadata.chunks = {{"cICP", {9, 16, 0}}, {"mDCV", Bytes(25)}, {"cLLI", {}}};
  const ColourDescription none = ColourOf(metadata);
  CHECK(!none.cicp);
  CHECK(!none.display);
  CHECK(!none.light);
  metadata.chunks = {{"cICP", {9, 16, 0, 1}}, {"cICP", {1, 13, 0, 1}}};
  REQUIRE(ColourOf(metadata).cicp);
  CHECK(ColourOf(metadata).cicp->primaries == 9);
}

TEST_CASE("colour: what no chunk holds is refused, and nothing changes") {
  Metadata metadata;
  metadata.chunks = {{"cICP", {1, 13, 0, 1}}};
  const Metadata before = metadata;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double wrong : {-0.001, 1.32, nan, HUGE_VAL}) {
    ColourDescription colour;
    colour.cicp = Cicp();
    colour.display.emplace().blue.y = wrong;
    const Error error = SetColour(colour, &metadata);
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(metadata.chunks == before.chunks);
  }
  for (const double wrong : {-1.0, 429497.0, nan}) {
    ColourDescription colour;
    colour.light = ContentLight{1, wrong};
    CHECK(SetColour(colour, &metadata).code == ErrorCode::kInvalidArgument);
  }
  CHECK(metadata.chunks == before.chunks);

  const auto in_c = testing::InC(metadata);
  glint_colour colour;
  REQUIRE(glint_colour_init(&colour, sizeof(colour)) == GLINT_OK);
  colour.has_cicp = 1;
  colour.primaries = 256;
  CHECK(glint_metadata_set_colour(in_c.get(), &colour, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(testing::FromC(in_c.get()).chunks == before.chunks);
  colour.struct_size = 3;
  CHECK(glint_metadata_set_colour(in_c.get(), &colour, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_metadata_get_colour(in_c.get(), &colour) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_metadata_get_colour(nullptr, &colour) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_metadata_get_colour(in_c.get(), nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_metadata_set_colour(in_c.get(), nullptr, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_metadata_set_colour(nullptr, &colour, nullptr) == GLINT_INVALID_ARGUMENT);
}

// A caller whose struct ends before the display: what it does not have is not looked at.
TEST_CASE("colour: callers that know less") {
  const auto metadata = testing::InC(Metadata());
  glint_colour colour;
  REQUIRE(glint_colour_init(&colour, sizeof(colour)) == GLINT_OK);
  colour.has_cicp = colour.has_display = 1;
  colour.primaries = 12;
  colour.struct_size = offsetof(glint_colour, red);
  REQUIRE(glint_metadata_set_colour(metadata.get(), &colour, nullptr) == GLINT_OK);
  CHECK(testing::FromC(metadata.get()).chunks == std::vector<Chunk>{{"cICP", {12, 2, 0, 1}}});
}

TEST_CASE("colour: through a stream") {
  ColourDescription colour;
  colour.cicp = Cicp{9, 18, true};
  colour.light = ContentLight{4000, 200};
  Picture picture = testing::SmoothPicture(MakeInfo(40, 24, 3, false, 16), 3);
  REQUIRE(SetColour(colour, &picture.metadata).ok());
  const Picture again =
      testing::MustDecode(testing::Tiny().cpp, *Encode(testing::Tiny().cpp, picture));
  const ColourDescription kept = ColourOf(again.metadata);
  REQUIRE(kept.cicp);
  CHECK(kept.cicp->transfer == 18);
  REQUIRE(kept.light);
  CHECK(kept.light->max_content == 4000);
}

}  // namespace
}  // namespace glint
