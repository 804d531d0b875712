// The second decoding of `evaluate`: a difference of any kind is found, and none is made up.
#include "tools/evaluation/verification.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tools/evaluation/measurement.h"

namespace glint::tools {
namespace {

using testing::LoadModel;
using testing::MustDecode;
using testing::MustEncode;
using testing::SmoothPicture;

constexpr WorkSplit kSplit = {2, 48};

// A stream and its decoding, which a test may falsify.
struct Case {
  Model model;
  std::vector<uint8_t> stream;
  Picture picture;
  uint32_t latent_crc = 0;

  Case(const std::vector<uint8_t>& model_file, const PictureInfo& info)
      : model(LoadModel(model_file)), stream(MustEncode(model, SmoothPicture(info, 5))) {
    Report report;
    picture = MustDecode(model, stream, {}, &report);
    latent_crc = report.latent_crc;
  }

  Error Verify() const { return VerifyDecoding(model, {stream, picture, latent_crc}, kSplit); }
};

// Moves a sample by `by`, away from the end of its range.
template <typename Sample>
void Move(Picture* picture, size_t index, int by) {
  Sample sample = 0;
  uint8_t* const at = picture->samples.data() + index * sizeof(Sample);
  std::memcpy(&sample, at, sizeof(Sample));
  sample =
      static_cast<Sample>(sample < (1 << (8 * sizeof(Sample) - 1)) ? sample + by : sample - by);
  std::memcpy(at, &sample, sizeof(Sample));
}

bool Says(const Error& error, const std::string& part) {
  CAPTURE(error.message);
  return error.code == ErrorCode::kBadStream && error.message.find(part) != std::string::npos;
}

TEST_CASE("verification: what decodes alike passes") {
  for (const std::vector<uint8_t>& file :
       {testing::TinyModelFile(), testing::Float16ModelFile(), testing::IntegerModelFile()}) {
    for (const PictureInfo& info : {MakeInfo(77, 130, 3, false, 8), MakeInfo(40, 50, 1, true, 16),
                                    MakeInfo(1, 1, 1, false, 1)}) {
      const Error error = Case(file, info).Verify();
      CHECK_MESSAGE(error.ok(), error.message);
    }
  }
}

TEST_CASE("verification: other latents are found") {
  Case wrong(testing::IntegerModelFile(), MakeInfo(77, 130, 3, false, 8));
  wrong.latent_crc ^= 1;
  CHECK(Says(wrong.Verify(),
             "decoding it again with 2 threads and bands of 48 rows gave other latents"));
}

TEST_CASE("verification: a pixel that differs by one level is found, whatever makes pixels") {
  for (const std::vector<uint8_t>& file :
       {testing::TinyModelFile(), testing::Float16ModelFile(), testing::IntegerModelFile()}) {
    Case wrong(file, MakeInfo(33, 70, 3, false, 8));
    Move<uint8_t>(&wrong.picture, wrong.picture.samples.size() - 1, 1);
    CHECK(Says(wrong.Verify(), "another picture: row 69 differs by 1 level"));
  }
}

TEST_CASE("verification: 16-bit samples carry levels of 8 bits") {
  Case wrong(testing::TinyModelFile(), MakeInfo(20, 30, 3, true, 16));
  REQUIRE(wrong.picture.info.bit_depth == 16);
  const Picture right = wrong.picture;
  Move<uint16_t>(&wrong.picture, 0, 514);
  CHECK(Says(wrong.Verify(), "row 0 differs by 2 levels"));
  wrong.picture = right;
  Move<uint16_t>(&wrong.picture, 3, 1);
  CHECK(Says(wrong.Verify(), "row 0 differs by 1/257 level"));
}

TEST_CASE("verification: a picture of another form, and one that does not decode") {
  Case wrong(testing::TinyModelFile(), MakeInfo(20, 30, 3, false, 8));
  wrong.picture.info.width = 21;
  CHECK(Says(wrong.Verify(), "another form"));
  wrong.stream[wrong.stream.size() / 2] ^= 1;
  CHECK(Says(wrong.Verify(), "bands of 48 rows: "));
}

TEST_CASE("verification: the other way is another one") {
  for (const int threads : {0, 1, 2, 3, 7, 64}) {
    CHECK(OtherSplit(threads, 0).threads != threads);
    CHECK(OtherSplit(threads, 0).threads >= 1);
  }
  std::vector<int> bands;
  for (uint32_t seed = 0; seed < 100; ++seed) bands.push_back(OtherSplit(1, seed).band_rows);
  CHECK(*std::min_element(bands.begin(), bands.end()) == 16);
  CHECK(*std::max_element(bands.begin(), bands.end()) == 112);
}

TEST_CASE("verification: a measurement includes it, unless told otherwise") {
  const Model model = LoadModel(testing::TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(40, 60, 3, false, 8), 3);
  bool seen = false;
  MeasureOptions options;
  options.lrd = model.info().lrd_default;
  options.progress = [&seen](const char* what, double) {
    if (std::string(what) != "verifying") return true;
    seen = true;
    return false;
  };
  CHECK(Measure(model, model, picture, options).error().code == ErrorCode::kCancelled);
  CHECK(seen);
  seen = false;
  options.verify = false;
  CHECK(Measure(model, model, picture, options).ok());
  CHECK(!seen);
  for (const int repeat : {0, -1}) {
    options.repeat = repeat;
    CHECK(Measure(model, model, picture, options).error().code == ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace glint::tools
