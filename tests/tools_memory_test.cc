// What the programs say about memory, and what they plan before they read a picture.

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tools/commands/picture_source.h"
#include "tools/common/messages.h"
#include "tools/common/pictures.h"
#include "tools/common/text.h"
#include "tools/evaluation/measurement.h"
#include "tools/quantising/picture_set.h"

namespace glint::tools {
namespace {

using testing::LoadModel;
using testing::PeakMemory;
using testing::SmoothPicture;
using testing::TinyModelFile;

TEST_CASE("tools: sizes for flags are what ParseByteSize reads, and never too small") {
  CHECK(SizeFlag(0) == "0K");
  CHECK(SizeFlag(1) == "1K");
  CHECK(SizeFlag(1025) == "2K");
  CHECK(SizeFlag((uint64_t{4} << 20) + 1) == "5M");
  for (uint64_t bytes = 1; bytes < uint64_t{1} << 40; bytes = bytes * 3 + 1) {
    const auto parsed = ParseByteSize(SizeFlag(bytes));
    REQUIRE(parsed.has_value());
    CHECK(*parsed >= bytes);
    CHECK(*parsed < bytes + bytes / 3 + 1025);
  }
}

TEST_CASE("tools: too little memory is said with the flag that would do") {
  Limits limits;
  limits.max_memory = 1000;
  limits.held_memory = 10;
  CHECK(CheckRoom(990, limits).ok());
  const Error error = CheckRoom(991, limits);
  CHECK(error.code == ErrorCode::kLimit);
  CHECK(error.memory_needed == 1001);
  CHECK(
      MessageOf(error) ==
      "needs 1001 bytes (1001 bytes) of memory, the limit is 1000 bytes; --max-memory 1K would do");
  CHECK(MessageOf(Error{ErrorCode::kLimit, "out of memory"}) == "out of memory");
}

// Runs a test case of this program once more, in a process of its own: what malloc kept of hundreds
// of tests before would count as taken here. False in that process.
bool RunsInOwnProcess(const std::string& test_case) {
  constexpr const char* kMark = "GLINT_TEST_IN_OWN_PROCESS";
  if (std::getenv(kMark) != nullptr) return false;
  char self[4096] = {};
  REQUIRE(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
  const std::string command =
      std::string(kMark) + "=1 '" + self + "' -tc='" + test_case + "' >/dev/null";
  CHECK(std::system(command.c_str()) == 0);
  return true;
}

// The second decoding of a proof included.
TEST_CASE("tools: measuring a picture takes what was planned, and is refused below that") {
  // In a filter a comma would begin another.
  if (RunsInOwnProcess("tools: measuring a picture takes what was planned*")) return;
  constexpr uint64_t kSlack = (uint64_t{4} << 20) + testing::kSanitizerMemory;
  const TemporaryFolder folder;
  const Model model = LoadModel(TinyModelFile());
  for (const bool alpha : {false, true}) {
    CAPTURE(alpha);
    const std::string path = folder.File(alpha ? "a.pam" : "a.ppm");
    REQUIRE(WritePicture(path, SmoothPicture(MakeInfo(1500, 1000, 3, alpha, 8), 1)).ok());
    MeasureOptions options;
    std::vector<std::string> warnings;
    options.limits.max_memory = uint64_t{10} << 20;
    const auto refused = ReadToMeasure(path, {{model, model}}, options, &warnings);
    REQUIRE(refused.error().code == ErrorCode::kLimit);
    const uint64_t needed = refused.error().memory_needed;
    options.limits.max_memory = needed - 1;
    CHECK(ReadToMeasure(path, {{model, model}}, options, &warnings).error().memory_needed ==
          needed);
    options.limits.max_memory = needed;
    const PeakMemory peak;
    const auto picture = ReadToMeasure(path, {{model, model}}, options, &warnings);
    REQUIRE_MESSAGE(picture.ok(), picture.error().message);
    const auto coded = Measure(model, model, *picture, options);
    REQUIRE_MESSAGE(coded.ok(), coded.error().message);
    CHECK(peak.Growth() < needed + kSlack);
  }
}

TEST_CASE("tools: pictures to learn from are counted together") {
  const TemporaryFolder folder;
  const Model model = LoadModel(TinyModelFile());
  for (int i = 0; i < 9; ++i) {
    const PictureInfo info = MakeInfo(400, 300, 3, false, 8);
    REQUIRE(WritePicture(folder.File(std::to_string(i) + ".png"), SmoothPicture(info, 1)).ok());
  }
  Limits limits;
  limits.max_memory = 1000;
  const Error refused = CheckPictureSets({folder.File("")}, model, limits);
  REQUIRE(refused.code == ErrorCode::kLimit);
  CHECK(refused.memory_needed > 9 * 400 * 300 * 3);
  limits.max_memory = refused.memory_needed;
  CHECK(CheckPictureSets({folder.File("")}, model, limits).ok());
  CHECK(CheckPictureSets({folder.File(""), folder.File("1.png")}, model, limits).memory_needed ==
        refused.memory_needed + 400 * 300 * 3);

  const auto set = ReadPictureSet("test", folder.File(""), limits);
  REQUIRE(set.ok());
  CHECK(set->pictures.size() == 9);
  CHECK(set->paths[8] == folder.File("") + "8.png");
  CHECK(set->bytes == 9 * 400 * 300 * 3);
  CHECK(TooLittleToLearn(*set).empty());
  PictureSet few = *set;
  few.pictures.resize(7);
  CHECK(TooLittleToLearn(few).find("7 pictures") == 0);
  PictureSet small = *set;
  small.bytes = 3 * 999999;
  CHECK_FALSE(TooLittleToLearn(small).empty());
}

TEST_CASE("tools: metadata that are kept beside a reader's are under the limit too") {
  constexpr uint64_t kBytes = uint64_t{24} << 20;
  const TemporaryFolder folder;
  Picture picture = SmoothPicture(MakeInfo(20, 10, 3, false, 8), 1);
  picture.metadata.chunks.emplace_back("tEXt", std::vector<uint8_t>(kBytes, 'x'));
  REQUIRE(WritePicture(folder.File("a.png"), picture).ok());
  picture = {};
  Limits limits;
  limits.max_memory = kBytes + (uint64_t{8} << 20);
  const auto open = [&](PictureSource::Passes passes, uint32_t kinds) {
    return PictureSource::Open(folder.File("a.png"), limits, passes, kinds, 1);
  };
  CHECK(open(PictureSource::Passes::kOne, kMetadataAll).ok());
  CHECK(open(PictureSource::Passes::kSeveral, kMetadataIcc).ok());
  uint64_t growth = 0;
  Error refused;
  {
    const PeakMemory peak;
    refused = open(PictureSource::Passes::kSeveral, kMetadataAll).error();
    growth = peak.Growth();
  }
  REQUIRE(refused.code == ErrorCode::kLimit);
  CHECK(growth < limits.max_memory + testing::kSanitizerMemory);
  CHECK(refused.memory_needed > 2 * kBytes);
  limits.max_memory = refused.memory_needed;
  CHECK(open(PictureSource::Passes::kSeveral, kMetadataAll).ok());
}

}  // namespace
}  // namespace glint::tools
