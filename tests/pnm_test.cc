// PPM, PGM and PAM in and out: forms, scaling of odd maxima, bad headers, limits, truncation.

#include <doctest/doctest.h>

#include <cstring>

#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using Bytes = std::vector<uint8_t>;

std::string WithSamples(const std::string& header, const Bytes& samples) {
  return header + std::string(samples.begin(), samples.end());
}

std::vector<uint16_t> Wide(const Picture& picture) {
  std::vector<uint16_t> samples(picture.samples.size() / 2);
  std::memcpy(samples.data(), picture.samples.data(), picture.samples.size());
  return samples;
}

TEST_CASE("PNM: every form comes back as it was written") {
  std::mt19937 random(TestSeed());
  for (const uint32_t channels : {1u, 3u}) {
    for (const bool alpha : {false, true}) {
      for (const uint32_t depth : {1u, 2u, 4u, 8u, 16u}) {
        if (depth < 8 && (channels == 3 || alpha)) continue;
        const Picture picture = RandomPicture(
            MakeInfo(SmallSide(40, &random), SmallSide(9, &random), channels, alpha, depth),
            &random);
        std::vector<std::string> endings = {".pam"};
        if (!alpha) endings.emplace_back(channels == 3 ? ".ppm" : ".PGM");
        for (const std::string& ending : endings) {
          CAPTURE(ending);
          const Expected<Picture> back = ReadFromMemory(FileBytes(picture, ending));
          REQUIRE_MESSAGE(back.ok(), back.error().message);
          CHECK(SamePixels(*back, picture));
        }
      }
    }
  }
}

TEST_CASE("PNM: the bytes of small files") {
  Picture gray;
  gray.info = MakeInfo(2, 1, 1, false, 8);
  gray.samples = {1, 200};
  const auto text = [](const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); };
  CHECK(text(FileBytes(gray, ".pgm")) == "P5\n2 1\n255\n\x01\xc8");
  CHECK(text(FileBytes(gray, ".ppm")) == "P6\n2 1\n255\n\x01\x01\x01\xc8\xc8\xc8");
  gray.info.bit_depth = 1;
  gray.samples = {1, 0};
  CHECK(text(FileBytes(gray, ".pam")) ==
        std::string("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n"
                    "\x01\0",
                    69));
  Picture wide;
  wide.info = MakeInfo(1, 1, 1, true, 16);
  const uint16_t samples[2] = {0x1234, 0xfedc};
  wide.samples.resize(4);
  std::memcpy(wide.samples.data(), samples, 4);
  CHECK(text(FileBytes(wide, ".pam")) ==
        "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 65535\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n"
        "\x12\x34\xfe\xdc");
}

TEST_CASE("PNM: text, comments and odd maxima") {
  const auto text =
      ReadFromMemory(std::string("P2 # a comment\n3\t#another\r\n 1\n100\n0 50\n100"));
  REQUIRE_MESSAGE(text.ok(), text.error().message);
  CHECK(text->info.bit_depth == 8);
  CHECK(text->samples == Bytes{0, 128, 255});

  const auto colour = ReadFromMemory(std::string("P3\n1 2\n1000\n0 1 500\n999 1000 2 "));
  REQUIRE_MESSAGE(colour.ok(), colour.error().message);
  CHECK(colour->info.bit_depth == 16);
  CHECK(Wide(*colour) == std::vector<uint16_t>{0, 66, 32768, 65469, 65535, 131});

  const auto four_bits = ReadFromMemory(WithSamples("P5 2 2 15\n", {0, 15, 7, 8}));
  REQUIRE(four_bits.ok());
  CHECK(four_bits->info.bit_depth == 4);
  CHECK(four_bits->samples == Bytes{0, 15, 7, 8});

  const auto rgb = ReadFromMemory(WithSamples("P6 1 1 15\n", {0, 15, 7}));
  REQUIRE(rgb.ok());
  CHECK(rgb->info.bit_depth == 8);
  CHECK(rgb->samples == Bytes{0, 255, 119});

  const auto wide = ReadFromMemory(WithSamples("P5 2 1 65535\n", {0x12, 0x34, 0xff, 0xfe}));
  REQUIRE(wide.ok());
  CHECK(Wide(*wide) == std::vector<uint16_t>{0x1234, 0xfffe});

  // The first sample looks like white space, and a comment in the header is none in the samples.
  const auto space = ReadFromMemory(WithSamples("P5\n2 1\n255\n", {'\n', '#'}));
  REQUIRE(space.ok());
  CHECK(space->samples == Bytes{'\n', '#'});

  const auto pam = ReadFromMemory(
      WithSamples("P7\n# comment\nDEPTH 2\nMAXVAL 1\nHEIGHT 1\nWIDTH 2\nENDHDR\n", {0, 1, 1, 0}));
  REQUIRE_MESSAGE(pam.ok(), pam.error().message);
  CHECK(pam->info.channels == 1);
  CHECK(pam->info.has_alpha);
  CHECK(pam->info.bit_depth == 8);
  CHECK(pam->samples == Bytes{0, 255, 255, 0});
}

TEST_CASE("PNM: what follows the picture is left out with a warning") {
  const TemporaryFolder folder;
  const std::string one = WithSamples("P5 2 1 255\n", {1, 2}), text = "P2 2 1 255\n1 2\n";
  for (const auto& form :
       {std::pair(one, 0), std::pair(one + "\n", 0), std::pair(text + "\n\n", 0),
        std::pair(one + one, 1), std::pair(text + text, 1), std::pair(one + "x", 1)}) {
    const std::string& file = form.first;
    CAPTURE(file);
    REQUIRE(WriteFile(folder.File("some.pgm"), file.data(), file.size()).ok());
    std::vector<std::string> warnings;
    const auto picture = ReadPicture(folder.File("some.pgm"), {}, &warnings);
    REQUIRE_MESSAGE(picture.ok(), picture.error().message);
    CHECK(picture->samples == Bytes{1, 2});
    CHECK(warnings == std::vector<std::string>(static_cast<size_t>(form.second),
                                               "more follows the picture: left out"));
  }
}

TEST_CASE("PNM: bad files are refused with a reason") {
  const auto check = [](const std::string& file, ErrorCode code, const std::string& reason) {
    CAPTURE(file);
    const Expected<Picture> picture = ReadFromMemory(file);
    REQUIRE(!picture);
    CHECK(picture.error().code == code);
    CHECK(picture.error().message.rfind("memory: ", 0) == 0);
    CAPTURE(picture.error().message);
    CHECK(picture.error().message.find(reason) != std::string::npos);
  };
  const auto bad = [&check](const std::string& file, const std::string& reason) {
    check(file, ErrorCode::kBadImage, reason);
  };
  bad("", "is empty");
  bad("P", "no picture of a known kind");
  bad("P5", "no picture of a known kind");
  bad("P8 1 1 255\nx", "no picture of a known kind");
  bad("P5x1 1 255\nx", "no picture of a known kind");
  check("P4 1 1\nx", ErrorCode::kUnsupported, "PBM");
  bad("P5 ", "ends too early");
  bad("P5 # only a comment", "ends too early");
  bad("P5 x", "no number for the width");
  bad("P5 -1 1 255\nx", "no number for the width");
  bad("P5 1", "ends too early");
  bad("P5 0 1 255\nx", "0x1");
  bad("P5 1 0 255\nx", "1x0");
  bad("P5 99999999999999999999999 1 255\nx", "the width is more than");
  bad("P5 1 1 0\nx", "maximum");
  bad("P5 1 1 65536\nxx", "maximum is more than 65535");
  bad("P5 1 1 255", "no space");
  bad("P5 1 1 255x", "no space");
  bad("P5 1 1 255\n", "ends too early");
  bad("P5 1 1 65535\nx", "ends too early");
  bad("P5 1 1 100\n\xff", "a sample of 255, the maximum is 100");
  bad("P5 1 1 1000\n\xff\xff", "a sample of 65535, the maximum is 1000");
  bad("P2 1 1 100\n101", "the sample is more than 100");
  bad("P2 2 1 100\n1", "ends too early");
  bad("P2 2 1 100\n1 .", "no number for the sample");
  bad("P7\nWIDTH 1\n", "ends too early");
  bad("P7\nWIDTH 1\nSIZE 2\nENDHDR\n", "unknown line SIZE");
  bad("P7\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\nx", "0x1");
  bad("P7\nHEIGHT 1\nWIDTH 1\nDEPTH 1\nENDHDR\nx", "maximum");
  bad("P7\nHEIGHT 1\nWIDTH 1\nDEPTH 1\nMAXVAL 255\nENDHDR", "no line end");
  check("P7\nHEIGHT 1\nWIDTH 1\nDEPTH 5\nMAXVAL 255\nENDHDR\nxxxxx", ErrorCode::kUnsupported,
        "depth 5");
  check("P7\nHEIGHT 1\nWIDTH 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nxx",
        ErrorCode::kUnsupported, "\"RGB\" with depth 2");
  check("P7\nHEIGHT 1\nWIDTH 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\nxxxx",
        ErrorCode::kUnsupported, "CMYK");
  check("P5 2147483647 2147483647 255\nx", ErrorCode::kLimit, "2147483647x2147483647");
  bad("P6 1073741824 1 65535\nx", "its 23 bytes cannot be 1073741824x1 pixels");
}

TEST_CASE("PNM: every truncation is an error") {
  std::mt19937 random(TestSeed() + 1);
  const Picture picture = RandomPicture(MakeInfo(5, 4, 3, true, 16), &random);
  const Bytes file = FileBytes(picture, ".pam");
  for (size_t size = 0; size < file.size(); ++size) {
    CAPTURE(size);
    CHECK(!ReadFromMemory(file.data(), size));
  }
  CHECK(ReadFromMemory(file).ok());
}

TEST_CASE("PNM: random damage neither crashes nor exceeds the limits") {
  std::mt19937 random(TestSeed() + 2);
  Limits limits;
  limits.max_pixels = 10000;
  limits.max_memory = 1 << 20;
  const std::string starts[] = {"P2\n3 2\n7\n1 2 3 4 5 6\n", "P3\n1 2 9\n1 2 3 4 5 6\n",
                                "P5\n3 2\n200\nabcdef", "P6\n1 2\n65535\nabcdefghijkl",
                                "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nENDHDR\nabcdef"};
  int read = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string file = starts[random() % std::size(starts)];
    const size_t count = 1 + random() % 3;
    for (size_t i = 0; i < count; ++i) {
      // Mostly characters that headers are made of.
      static constexpr char kLikely[] = "0123456789 \n#P";
      const size_t at = 1 + random() % (file.size() - 1);
      file[at] = random() % 4 == 0 ? static_cast<char>(random()) : kLikely[random() % 14];
    }
    ReadFromMemory(file, limits).ok() ? ++read : ++refused;
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}

}  // namespace
}  // namespace glint
