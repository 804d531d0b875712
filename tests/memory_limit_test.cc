// One limit on memory for what the caller holds, what a call works with and what comes out: before
// anything large is taken, and with a number that would do.

#include "codec/memory_limit.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "glint/image_io.hpp"
#include "glint/rate.hpp"
#include "tests/codec_helpers.h"
#include "tests/mutate.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::LoadModel;
using testing::MustEncode;
using testing::PeakMemory;
using testing::PngChunk;
using testing::SmoothPicture;
using testing::SomeMetadata;
using testing::TinyModelFile;

constexpr uint64_t kSlack = (uint64_t{4} << 20) + testing::kSanitizerMemory;

// What the other tests measure by.
TEST_CASE("memory: the peak has what was allocated, and no pages of files") {
  constexpr size_t kBytes = size_t{16} << 20;
  const TemporaryFolder folder;
  const std::string path = folder.File("pages");
  REQUIRE(WriteFile(path, Bytes(kBytes, 'x').data(), kBytes).ok());
  const int file = open(path.c_str(), O_RDONLY);
  REQUIRE(file >= 0);
  auto* pages = static_cast<const uint8_t*>(mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, file, 0));
  close(file);
  REQUIRE(pages != MAP_FAILED);
  const PeakMemory peak;
  CHECK(std::count(pages, pages + kBytes, 'x') == static_cast<std::ptrdiff_t>(kBytes));
  CHECK(peak.Growth() < (size_t{1} << 20) + testing::kSanitizerMemory);
  CHECK(Bytes(kBytes, 'y').back() == 'y');
  CHECK(peak.Growth() >= kBytes - (size_t{1} << 20));
  munmap(const_cast<uint8_t*>(pages), kBytes);
}

TEST_CASE("memory: texts name no less than there is") {
  CHECK(MemoryText(1023) == "1023 bytes");
  CHECK(MemoryText(1024) == "1 KiB (1024 bytes)");
  CHECK(MemoryText(1025) == "2 KiB (1025 bytes)");
  CHECK(MemoryText((uint64_t{4} << 20) + 1) == "5 MiB (4194305 bytes)");
  CHECK(MemoryText(UINT64_MAX) == "17592186044416 MiB (18446744073709551615 bytes)");
}

TEST_CASE("memory: sums and products end where no machine is") {
  CHECK(AddBytes(3, 4) == 7);
  CHECK(AddBytes(UINT64_MAX, 1) == kBeyondMemory);
  CHECK(AddBytes(1, UINT64_MAX) == kBeyondMemory);
  CHECK(AddBytes(kBeyondMemory, 0) == kBeyondMemory);
  CHECK(MultiplyBytes(3, 4) == 12);
  CHECK(MultiplyBytes(0, UINT64_MAX) == 0);
  CHECK(MultiplyBytes(UINT64_MAX, 2) == kBeyondMemory);
  CHECK(MemoryText(1000) == "1000 bytes");
  CHECK(MemoryText(1025) == "2 KiB (1025 bytes)");
  CHECK(MemoryText((uint64_t{5} << 20) + 1) == "6 MiB (5242881 bytes)");
  Limits limits;
  limits.max_memory = 1000;
  limits.held_memory = 400;
  CHECK(CheckMemory("x:", 600, limits).ok());
  const Error error = CheckMemory("x:", 601, limits);
  CHECK(error.code == ErrorCode::kLimit);
  CHECK(error.memory_needed == 1001);
  CHECK(error.message == "x: needs 1001 bytes of memory, the limit is 1000 bytes");
  const Error beyond = CheckMemory("x:", UINT64_MAX, limits);
  CHECK(beyond.memory_needed == 0);
  CHECK(beyond.message.find("more memory than any machine has") != std::string::npos);
  limits.held_memory = 2000;
  CHECK(CheckMemory("x:", 0, limits).ok());
  CHECK_FALSE(CheckMemory("x:", 1, limits).ok());
}

// The number of the error is the least that does.
template <typename Call>
void CheckNamed(const Error& error, const Call& call) {
  REQUIRE(error.code == ErrorCode::kLimit);
  REQUIRE(error.memory_needed > 0);
  CHECK(error.message.find("(" + std::to_string(error.memory_needed) + " bytes)") !=
        std::string::npos);
  const Error enough = call(error.memory_needed);
  CHECK_MESSAGE(enough.ok(), enough.message);
  const Error less = call(error.memory_needed - 1);
  CHECK(less.code == ErrorCode::kLimit);
  CHECK(less.memory_needed == error.memory_needed);
}

TEST_CASE("memory: the number that an encoding names would do, in every form") {
  const Model model = LoadModel(TinyModelFile());
  for (const uint32_t channels : {1U, 3U}) {
    for (const bool alpha : {false, true}) {
      for (const uint32_t depth : {8U, 16U}) {
        for (const uint64_t held : {uint64_t{0}, uint64_t{12345678}}) {
          CAPTURE(channels);
          CAPTURE(alpha);
          CAPTURE(depth);
          CAPTURE(held);
          Picture picture = SmoothPicture(MakeInfo(90, 70, channels, alpha, depth), 1);
          picture.metadata = SomeMetadata();
          const auto encode = [&](uint64_t limit) {
            EncodeOptions options;
            options.limits.max_memory = limit;
            options.limits.held_memory = held;
            return Encode(model, picture, options).error();
          };
          CheckNamed(encode(held + 1000), encode);
          const Bytes stream = MustEncode(model, picture);
          const auto decode = [&](uint64_t limit) {
            DecodeOptions options;
            options.limits.max_memory = limit;
            options.limits.held_memory = held;
            return Decode(model, stream.data(), stream.size(), options).error();
          };
          CheckNamed(decode(held + 20000), decode);
        }
      }
    }
  }
}

TEST_CASE("memory: searching for a rate keeps to the limit, and names what would do") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(120, 90, 3, false, 8), 2);
  const double bytes = static_cast<double>(MustEncode(model, picture).size());
  for (const Target& target :
       {Target{Target::Kind::kBytes, bytes}, Target{Target::Kind::kPsnr, 8}}) {
    const auto encode = [&](uint64_t limit) {
      EncodeOptions options;
      options.limits.max_memory = limit;
      const auto found = EncodeToTarget(model, picture, target, options);
      // What the model can reach is not the question.
      return !found && found.error().code == ErrorCode::kUnreachable ? Error{} : found.error();
    };
    CheckNamed(encode(1000), encode);
  }
}

// What a picture of any size would take is known before any of it is taken.
TEST_CASE("memory: a refusal takes next to nothing, whatever the size and the options") {
  const Model model = LoadModel(TinyModelFile());
  const auto never = [](uint32_t, void*) {
    FAIL("a row of a picture that is too large was asked for");
    return false;
  };
  constexpr uint32_t kFar = uint32_t{1} << 30;
  constexpr uint32_t kSides[][2] = {{kFar, 1}, {1, kFar}, {1 << 20, 1 << 20}};
  for (const auto& sides : kSides) {
    const uint32_t width = sides[0], height = sides[1];
    for (const bool alpha : {false, true}) {
      for (const uint32_t depth : {8U, 16U}) {
        for (const int kind : {0, 1, 2, 3, 4}) {
          CAPTURE(width);
          CAPTURE(alpha);
          CAPTURE(depth);
          CAPTURE(kind);
          EncodeOptions options;
          options.limits.max_pixels = UINT64_MAX;
          options.limits.max_memory = 100000;
          options.detail = kind == 0 ? Detail::kOff : kind == 1 ? Detail::kOn : Detail::kAuto;
          if (kind == 2) options.max_error = 1;
          if (kind == 3) options.effort = 2;
          if (kind == 4) options.threads = 3;
          const PeakMemory peak;
          const auto stream =
              EncodeRows(model, MakeInfo(width, height, 3, alpha, depth), {}, never, options);
          REQUIRE_FALSE(stream.ok());
          CHECK_MESSAGE(stream.error().code == ErrorCode::kLimit, stream.error().message);
          CHECK(peak.Growth() < kSlack);
        }
      }
    }
  }
}

TEST_CASE("memory: planning takes next to nothing, whatever the size") {
  const Model model = LoadModel(TinyModelFile());
  constexpr uint32_t kFar = uint32_t{1} << 30;
  constexpr uint32_t kSides[][2] = {{kFar, 1}, {1, kFar}, {1 << 15, 1 << 15}};
  for (const auto& sides : kSides) {
    for (const bool alpha : {false, true}) {
      for (const Detail detail : {Detail::kOff, Detail::kOn}) {
        CAPTURE(sides[0]);
        CAPTURE(alpha);
        EncodeOptions options;
        options.detail = detail;
        const PeakMemory peak;
        const auto plan = PlanMemory(model, MakeInfo(sides[0], sides[1], 3, alpha, 8), options);
        REQUIRE_MESSAGE(plan.ok(), plan.error().message);
        CHECK(peak.Growth() < kSlack);
      }
    }
  }
}

TEST_CASE("memory: a stream that claims to be wide is refused before anything is that wide") {
  const Model model = LoadModel(TinyModelFile());
  EncodeOptions encode;
  encode.detail = Detail::kOn;
  const PictureInfo info = MakeInfo(40000, 8, 3, true, 8);
  const Bytes stream = MustEncode(model, SmoothPicture(info, 1), encode);
  DecodeOptions decode;
  const auto start = [](const PictureInfo&, const Metadata&) {
    FAIL("it began");
    return false;
  };
  const auto write = [](uint32_t, const void*) { return false; };
  const auto plan = PlanMemory(model, info, encode);
  REQUIRE(plan.ok());
  // Details of this picture take a third of it.
  decode.limits.max_memory = plan->decoding - 1;
  const PeakMemory peak;
  const Error error = DecodeRows(model, stream.data(), stream.size(), start, write, decode);
  CHECK(error.code == ErrorCode::kLimit);
  CHECK(peak.Growth() < plan->decoding / 4 + testing::kSanitizerMemory);
}

// Adam7 of nothing but zeros, of 16 bits with alpha.
Bytes InterlacedPng(uint32_t width, uint32_t height) {
  Bytes header;
  testing::AppendBig(width, &header);
  testing::AppendBig(height, &header);
  header.insert(header.end(), {16, 6, 0, 0, 1});
  constexpr uint32_t kLeft[] = {0, 4, 0, 2, 0, 1, 0}, kAcross[] = {8, 8, 4, 4, 2, 2, 1};
  constexpr uint32_t kTop[] = {0, 0, 4, 0, 2, 0, 1}, kDown[] = {8, 8, 8, 4, 4, 2, 2};
  size_t size = 0;
  for (size_t pass = 0; pass < 7; ++pass) {
    const size_t columns = (width + kAcross[pass] - 1 - kLeft[pass]) / kAcross[pass];
    const size_t rows = (height + kDown[pass] - 1 - kTop[pass]) / kDown[pass];
    if (columns > 0) size += (columns * 8 + 1) * rows;
  }
  return testing::JoinPng({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                          {{"IHDR", header},
                           {"IDAT", testing::DeflateAll(Bytes(size))},
                           {"tEXt", Bytes(500000, 'x')},
                           {"IEND", {}}});
}

TEST_CASE("memory: a reader's picture and the encoder beside it are under one limit") {
  const Model model = LoadModel(TinyModelFile());
  const Bytes png = InterlacedPng(1500, 1000);
  const auto encode = [&](uint64_t limit) {
    EncodeOptions options;
    options.limits.max_memory = limit;
    const auto reader = PictureReader::FromMemory(png.data(), png.size(), "memory", options.limits);
    if (!reader) return reader.error();
    options.limits.held_memory = (*reader)->memory();
    const RowReader read = [&](uint32_t y, void* row) {
      Error error = (*reader)->ReadRow(row);
      if (error.ok() && y + 1 == 1000) error = (*reader)->Finish();
      CHECK_MESSAGE(error.ok(), error.message);
      return error.ok();
    };
    return EncodeRows(model, (*reader)->info(), (*reader)->metadata(), read, options).error();
  };
  const PeakMemory refusing;
  const Error refused = encode(uint64_t{8} << 20);  // less than the picture
  CHECK(refusing.Growth() < (uint64_t{2} << 20) + testing::kSanitizerMemory);
  CHECK(refused.memory_needed > uint64_t{12} << 20);
  CheckNamed(refused, encode);
  const PeakMemory peak;
  CHECK(encode(refused.memory_needed).ok());
  CHECK(peak.Growth() < refused.memory_needed + kSlack);
}

// What a picture file has behind its pixels is known after the last row only.
TEST_CASE("memory: metadata that come late are found out before they are copied") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(64, 64, 3, false, 8), 3);
  const auto encode = [&](uint64_t limit) {
    Metadata metadata;
    EncodeOptions options;
    options.limits.max_memory = limit;
    const RowReader read = [&](uint32_t y, void* row) {
      std::copy_n(picture.samples.data() + y * picture.info.RowBytes(), picture.info.RowBytes(),
                  static_cast<uint8_t*>(row));
      if (y == 63) metadata.exif.assign(10000000, 1);
      return true;
    };
    return EncodeRows(model, picture.info, metadata, read, options).error();
  };
  const auto plan = PlanMemory(model, picture.info);
  REQUIRE(plan.ok());
  const Error refused = encode(plan->encoding);
  REQUIRE(refused.code == ErrorCode::kLimit);
  CHECK(refused.memory_needed > 10000000);
  CHECK(encode(refused.memory_needed).ok());
}

// Or the first number that is named would not do for pictures of noise.
TEST_CASE("memory: the plan has room for the stream of noise at the highest rate") {
  const auto model = Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/light-int8.safetensors");
  REQUIRE(model.ok());
  std::mt19937 random(TestSeed());
  const PictureInfo info = MakeInfo(256, 256, 3, false, 8);
  const Picture noise = RandomPicture(info, &random);
  for (const bool details : {false, true}) {
    EncodeOptions options;
    options.detail = details ? Detail::kAuto : Detail::kOff;
    options.lrd = details ? model->info().detail_lrd_max : model->info().lrd_max;
    Report report;
    const Bytes stream = MustEncode(*model, noise, options, &report);
    const auto plan = PlanMemory(*model, info, options);
    REQUIRE(plan.ok());
    MESSAGE("noise takes ", stream.size(), " of ", plan->stream, " bytes");
    CHECK((details ? 1 : 2) * stream.size() < plan->stream);
    CHECK(report.planned_bytes == plan->encoding);
  }
}

TEST_CASE("memory: a plan is what a call plans, whatever the options") {
  const Model model = LoadModel(TinyModelFile());
  for (const int threads : {1, 3}) {
    for (const int band : {0, 64}) {
      const Picture picture = SmoothPicture(MakeInfo(200, 100, 3, true, 8), 4);
      EncodeOptions encode;
      encode.effort = band / 32;
      encode.threads = threads;
      encode.band_rows = band;
      Report report;
      const Bytes stream = MustEncode(model, picture, encode, &report);
      const auto plan = PlanMemory(model, picture.info, encode);
      REQUIRE(plan.ok());
      CHECK(plan->encoding == report.planned_bytes);
      DecodeOptions decode;
      decode.threads = threads;
      decode.band_rows = band;
      const auto start = [](const PictureInfo&, const Metadata&) { return true; };
      const auto write = [](uint32_t, const void*) { return true; };
      REQUIRE(DecodeRows(model, stream.data(), stream.size(), start, write, decode, &report).ok());
      CHECK(plan->decoding == report.planned_bytes);
    }
  }
}

TEST_CASE("memory: decoding takes what the width wants, whatever the height") {
  for (const Model& model :
       {LoadModel(TinyModelFile()), LoadModel(testing::WavefrontModelFile(3))}) {
    const auto decoding = [&](uint32_t height) {
      const auto plan = PlanMemory(model, MakeInfo(100, height, 3, false, 8));
      REQUIRE_MESSAGE(plan.ok(), plan.error().message);
      return plan->decoding;
    };
    CAPTURE(model.info().name);
    CHECK(decoding(100000) == decoding(5000));
  }
}

// Of low pictures all latents are kept, where that takes less.
TEST_CASE("memory: encoding takes what the width wants, whatever the height") {
  const auto light = Model::Load(std::string(GLINT_SOURCE_DIR) + "/weights/light-int8.safetensors");
  REQUIRE(light.ok());
  for (const Model& model :
       {LoadModel(TinyModelFile()), LoadModel(testing::WavefrontModelFile(3)), *light}) {
    const auto working = [&](uint32_t height) {
      const auto plan = PlanMemory(model, MakeInfo(100, height, 3, false, 8));
      REQUIRE_MESSAGE(plan.ok(), plan.error().message);
      return plan->encoding - plan->stream;
    };
    CAPTURE(model.info().name);
    CHECK(working(5000) <= working(50000));
    CHECK(working(50000) == working(500000));
  }
}

TEST_CASE("memory: what has no pixels has no plan") {
  const Model model = LoadModel(TinyModelFile());
  CHECK(PlanMemory(model, MakeInfo(0, 1, 3, false, 8)).error().code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace glint
