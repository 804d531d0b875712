// The picture that the encoder makes beside its stream: it is the decoder's, whatever the form, the
// flow and the model; who takes it may add chunks; and all of it is planned.
// Drawn models and settings are in tests/stream_cases.h.

#include "codec/api/reconstruction.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "codec/api/encoder.h"
#include "codec/api/synthesis.h"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tests/recording_taker.h"

namespace glint {
namespace {

using testing::DynamicModelFile;
using testing::EncodeWith;
using testing::IntegerModelFile;
using testing::LevelsOf;
using testing::LoadModel;
using testing::MustDecode;
using testing::MustEncode;
using testing::PeakMemory;
using testing::RecordingTaker;
using testing::SmoothPicture;
using testing::TinyModelFile;
using testing::WavefrontModelFile;

using Stream = std::vector<uint8_t>;

constexpr Analysis::Flow kFlows[] = {Analysis::Flow::kBySegment, Analysis::Flow::kAtOnce};

int64_t CountSegments(const Stream& stream) {
  const auto info = Inspect(stream.data(), stream.size());
  REQUIRE(info.ok());
  return std::count_if(info->chunks.begin(), info->chunks.end(),
                       [](const auto& chunk) { return chunk.type == 'S'; });
}

// The stream with a taker is the one without, and the taker gets what is decoded.
// What a taker is compared with has no details.
EncodeOptions WithoutDetail() {
  EncodeOptions options;
  options.detail = Detail::kOff;
  return options;
}

void CheckTaken(const Model& model, const Picture& picture,
                EncodeOptions options = WithoutDetail()) {
  const Stream stream = MustEncode(model, picture, options);
  const std::vector<uint8_t> decoded = LevelsOf(MustDecode(model, stream));
  for (const Analysis::Flow flow : kFlows) {
    for (const int threads : {1, 3}) {
      CAPTURE(static_cast<int>(flow));
      CAPTURE(threads);
      options.threads = threads;
      options.band_rows = threads == 1 ? 0 : 100;
      RecordingTaker taker(picture.info);
      const auto taken = EncodeWith(model, picture, options, {&taker, flow});
      REQUIRE_MESSAGE(taken.ok(), taken.error().message);
      CHECK(*taken == stream);
      CHECK(taker.Fault(CountSegments(stream)).empty());
      CHECK(taker.base() == decoded);
      if (!picture.info.has_alpha || options.exact) CHECK(taker.source() == LevelsOf(picture));
    }
  }
}

TEST_CASE("reconstruction: the decoder's picture, in every form") {
  const Model model = LoadModel(TinyModelFile(4));
  for (const uint32_t channels : {1U, 3U}) {
    for (const bool alpha : {false, true}) {
      for (const uint32_t depth : {1U, 4U, 8U, 16U}) {
        if (channels == 3 && depth < 8) continue;
        CAPTURE(channels);
        CAPTURE(alpha);
        CAPTURE(depth);
        EncodeOptions options = WithoutDetail();
        options.exact = alpha && depth == 8;
        CheckTaken(model, SmoothPicture(MakeInfo(45, 301, channels, alpha, depth), depth), options);
      }
    }
  }
}

TEST_CASE("reconstruction: the decoder's picture, of models of every kind") {
  const std::pair<const char*, Stream> files[] = {
      {"segments of 64 rows", TinyModelFile(64)}, {"integers", IntegerModelFile(16)},
      {"dynamic ranges", DynamicModelFile(16)},   {"float16", testing::Float16ModelFile(16)},
      {"wavefront", WavefrontModelFile(3)},       {"the least", testing::MiniModelFile(16)}};
  for (const auto& kind : files) {
    CAPTURE(kind.first);
    CheckTaken(LoadModel(kind.second), SmoothPicture(MakeInfo(70, 2500, 3, false, 8), 3));
  }
}

TEST_CASE("reconstruction: the decoder's picture, where it goes in strips") {
  for (const Stream& file : {TinyModelFile(2), IntegerModelFile(2)}) {
    const Model model = LoadModel(file);
    const PictureInfo info = MakeInfo(30011, 36, 3, true, 8);
    const LatentGeometry geometry(model.impl().document, model.impl().graphs(), info.width,
                                  info.height);
    const CallOptions options;
    CallContext context(options);
    REQUIRE(context.Init().ok());
    const Synthesis synthesis(model.impl(), geometry, info,
                              {context, options, model.impl().WholeSynthesis()});
    REQUIRE(synthesis.behind_segments().plan == nullptr);  // so it does go in strips
    CheckTaken(model, SmoothPicture(info, 3));
  }
}

TEST_CASE("reconstruction: pictures that decode to gray come as three channels") {
  const Model model = LoadModel(TinyModelFile(4));
  Picture picture = SmoothPicture(MakeInfo(40, 200, 3, false, 8), 2);
  for (size_t i = 0; i < picture.samples.size(); ++i) {
    picture.samples[i] = picture.samples[i - i % 3];
  }
  RecordingTaker taker(picture.info);
  const auto stream = EncodeWith(model, picture, {}, {&taker, {}});
  REQUIRE(stream.ok());
  REQUIRE(Inspect(stream->data(), stream->size())->gray);
  const Picture decoded = MustDecode(model, *stream);
  size_t coloured = 0;
  for (size_t i = 0; i < decoded.samples.size(); i += 3) {
    const uint8_t* base = taker.base().data() + i;
    const int mean = decoded.samples[i];
    CHECK(decoded.samples[i + 1] == mean);
    coloured += base[0] != base[1] || base[0] != base[2];
    // Channels that are clipped take the mean of the levels away from the mean of what they were.
    const auto [low, high] = std::minmax({base[0], base[1], base[2]});
    if (low > 0 && high < 255) REQUIRE(std::abs(base[0] + base[1] + base[2] - 3 * mean) <= 3);
  }
  CHECK(coloured > 0);
}

TEST_CASE("reconstruction: hidden pixels come in the colours that are coded") {
  const Model model = LoadModel(TinyModelFile(4));
  Picture picture = SmoothPicture(MakeInfo(50, 180, 3, true, 8), 5);
  for (size_t i = 0; i < picture.samples.size(); i += 4) {
    if (i / 200 % 9 < 4) picture.samples[i + 3] = 0;
  }
  RecordingTaker taker(picture.info), again(picture.info);
  REQUIRE(EncodeWith(model, picture, {}, {&taker, {}}).ok());
  Picture filled = picture;
  size_t changed = 0;
  for (size_t i = 0; i < picture.samples.size() / 4; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const uint8_t source = taker.source()[3 * i + c];
      const bool is_hidden = picture.samples[4 * i + 3] == 0;
      if (!is_hidden) REQUIRE(source == picture.samples[4 * i + c]);
      changed += source != picture.samples[4 * i + c];
      filled.samples[4 * i + c] = source;
    }
  }
  CHECK(changed > 1000);
  EncodeOptions exact = WithoutDetail();
  exact.exact = true;
  CHECK(*EncodeWith(model, filled, exact, {&again, {}}) ==
        MustEncode(model, picture, WithoutDetail()));
}

// ---- chunks ------------------------------------------------------------------------------------

// Adds a chunk of `bytes` bytes after each segment and one at the end, or fails at a row.
class ChunkTaker final : public ReconstructionTaker {
 public:
  explicit ChunkTaker(size_t bytes, uint64_t expected, int64_t bad_row = -1)
      : payload_(bytes, 7), expected_(expected), bad_row_(bad_row) {}
  uint64_t MemoryNeeded() const override { return kMemory; }
  uint64_t ExpectedOutput() const override { return expected_; }
  uint64_t MostOutput() const override { return 100 * (payload_.size() + 16); }
  Status Take(int64_t row, const uint8_t*, const uint8_t*) override {
    if (row != bad_row_) return Status::Ok();
    return Status::Error(StatusCode::kCancelled, "enough of it");
  }
  Status EndSegment(int64_t segment, SegmentPlaces* places) override {
    last_ = segment;
    return places->AddBehind(segment, 'x', payload_);
  }
  Status Finish(SegmentPlaces* places) override { return places->AddBehind(last_, 'y', payload_); }

  static constexpr uint64_t kMemory = 123456;

 private:
  std::vector<uint8_t> payload_;
  const uint64_t expected_;
  const int64_t bad_row_;
  int64_t last_ = 0;
};

TEST_CASE("reconstruction: a taker's chunks follow their segments, and come last") {
  const Model model = LoadModel(TinyModelFile(2));
  for (const uint32_t width : {40U, 30011U}) {  // the second in strips
    Picture picture = SmoothPicture(MakeInfo(width, 36, 3, true, 8), 4);
    picture.metadata = testing::SomeMetadata();
    const Stream plain = MustEncode(model, picture, WithoutDetail());
    for (const Analysis::Flow flow : kFlows) {
      ChunkTaker taker(1000, 10000);
      const auto stream = EncodeWith(model, picture, {}, {&taker, flow});
      REQUIRE_MESSAGE(stream.ok(), stream.error().message);
      const auto info = Inspect(stream->data(), stream->size());
      REQUIRE(info.ok());
      std::string types, rest;
      Stream without(stream->begin(), stream->begin() + 7);
      for (const auto& chunk : info->chunks) {
        types += chunk.type;
        if (chunk.type == 'x' || chunk.type == 'y') continue;
        const auto at = stream->begin() + static_cast<std::ptrdiff_t>(chunk.offset);
        without.insert(without.end(), at, at + static_cast<std::ptrdiff_t>(chunk.bytes));
      }
      CHECK(without == plain);
      const size_t first = types.find('S');
      std::string wanted;
      for (int64_t s = CountSegments(plain); s > 0; --s) wanted += "Sx";
      CHECK(types.substr(first) == wanted + "yE");
    }
  }
}

TEST_CASE("reconstruction: a taker can stop the encoding") {
  const Model model = LoadModel(TinyModelFile(2));
  const Picture picture = SmoothPicture(MakeInfo(40, 150, 3, false, 8), 4);
  for (const int64_t row : {0, 60, 149}) {
    ChunkTaker taker(10, 1000, row);
    const auto stream = EncodeWith(model, picture, {}, {&taker, {}});
    REQUIRE_FALSE(stream.ok());
    CHECK(stream.error().code == ErrorCode::kCancelled);
    CHECK(stream.error().message == "enough of it");
  }
}

// ---- memory and progress -----------------------------------------------------------------------

TEST_CASE("reconstruction: what a taker holds and writes is planned") {
  const Model model = LoadModel(TinyModelFile(2));
  const Picture picture = SmoothPicture(MakeInfo(40, 150, 3, false, 8), 4);
  const auto plan = [&](ReconstructionTaker* taker) {
    const auto memory = PlanEncoding(model.impl(), picture.info, WithoutDetail(), {taker, {}});
    REQUIRE(memory.ok());
    return memory.value();
  };
  ChunkTaker quiet(10, 0), loud(300000, 100000);
  CHECK(plan(&quiet).all > plan(nullptr).all + ChunkTaker::kMemory);
  CHECK(plan(&loud).all == plan(&quiet).all + 100000);
  CHECK(plan(&loud).stream == plan(&quiet).stream + 100000);
  // One that writes more than it said is told what would do.
  EncodeOptions options = WithoutDetail();
  options.limits.max_memory = plan(&loud).all;
  const auto refused = EncodeWith(model, picture, options, {&loud, {}});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kLimit);
  options.limits.max_memory = refused.error().memory_needed;
  CHECK(EncodeWith(model, picture, options, {&loud, {}}).ok());
}

TEST_CASE("reconstruction: memory is what was planned, and does not grow with the height") {
  constexpr uint64_t kSlack = (uint64_t{6} << 20) + testing::kSanitizerMemory;
  const Model model = LoadModel(IntegerModelFile(16));
  for (const Analysis::Flow flow : kFlows) {
    const Picture picture = SmoothPicture(MakeInfo(1000, 4000, 3, false, 8), 6);
    ChunkTaker taker(10, 1000);
    Report report;
    const PeakMemory peak;
    REQUIRE(EncodeWith(model, picture, {}, {&taker, flow}, &report).ok());
    CHECK(peak.Growth() < report.planned_bytes + kSlack);
  }
  const auto working = [&](uint32_t height) {
    ChunkTaker taker(10, 1000);
    const auto memory = PlanEncoding(model.impl(), MakeInfo(500, height, 3, false, 8),
                                     WithoutDetail(), {&taker, {}});
    REQUIRE(memory.ok());
    return memory.value().all - memory.value().stream;
  };
  CHECK(working(20000) == working(200000));
}

TEST_CASE("reconstruction: progress rises to 1, and decoding has its time") {
  const Model model = LoadModel(TinyModelFile(2));
  for (const uint32_t width : {40U, 30011U}) {  // the second in strips
    const Picture picture = SmoothPicture(MakeInfo(width, 36, 3, false, 8), 4);
    for (const Analysis::Flow flow : kFlows) {
      double last = 0;
      EncodeOptions options = WithoutDetail();
      options.progress = [&last](double done) {
        CHECK(done >= last);
        last = done;
        return true;
      };
      RecordingTaker taker(picture.info);
      Report report;
      REQUIRE(EncodeWith(model, picture, options, {&taker, flow}, &report).ok());
      CHECK(last == 1);
      CHECK(report.times.synthesis > 0);
      CHECK(report.times.synthesis < report.times.total);
    }
  }
}

}  // namespace
}  // namespace glint
