// Whole pictures through the public interface: round trips of every form, the same streams and
// pixels for any threads and bands, the same latents on every target, limits, callbacks, errors.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "glint/glint.hpp"
#include "glint/image_io.hpp"
#include "glint/rate.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"

namespace glint {
namespace {

using testing::LargestDifference;
using testing::LoadLight;
using testing::LoadModel;
using testing::MustDecode;
using testing::MustEncode;
using testing::SameMetadata;
using testing::SmoothPicture;
using testing::SomeMetadata;
using testing::TargetScope;
using testing::TinyModelFile;
using Stream = std::vector<uint8_t>;

// Within one latent, on and beside its borders, of several blocks, of several segments.
constexpr struct {
  uint32_t width, height;
} kSizes[] = {{1, 1},    {1, 17},   {15, 16}, {16, 16}, {17, 33},  {65, 64},
              {130, 70}, {3, 1030}, {300, 1}, {64, 65}, {9, 2050}, {31, 200}};

struct Setting {
  int threads, band_rows;
};
std::vector<Setting> Settings() {
  std::vector<Setting> settings;
  for (const int threads : {1, 2, 3}) {
    for (const int band_rows : {1, 16, 48, 1000}) settings.push_back({threads, band_rows});
  }
  return settings;
}

template <typename Options>
Options With(const Setting& setting, Options options = {}) {
  options.threads = setting.threads;
  options.band_rows = setting.band_rows;
  return options;
}

TEST_CASE("codec: every size comes back, at several rates, and encoding is deterministic") {
  const Model model = LoadModel(TinyModelFile());
  const ModelInfo& info = model.info();
  for (const auto& size : kSizes) {
    CAPTURE(size.width);
    CAPTURE(size.height);
    const Picture picture = SmoothPicture(MakeInfo(size.width, size.height, 3, false, 8), 1);
    for (const double lrd : {0.0, info.lrd_min, 3e-4, info.lrd_max}) {
      EncodeOptions options;
      options.lrd = lrd;
      Report coded, decoded;
      const Stream stream = MustEncode(model, picture, options, &coded);
      CHECK(MustEncode(model, picture, options) == stream);
      const Picture again = MustDecode(model, stream, {}, &decoded);
      CHECK(again.info.width == size.width);
      CHECK(again.info.height == size.height);
      CHECK(again.samples.size() == picture.samples.size());
      CHECK(decoded.latent_crc == coded.latent_crc);
      CHECK(decoded.symbols == coded.symbols);
      const auto inspected = Inspect(stream.data(), stream.size());
      REQUIRE(inspected.ok());
      CHECK(inspected->model_id == info.id);
      CHECK(inspected->bytes == stream.size());
      // Above its default the model stays.
      const double model_lrd =
          lrd == 0 ? info.lrd_default
                   : std::min(lrd, std::max(info.lrd_default, info.lrd_suggested_max));
      CHECK(inspected->lrd == doctest::Approx(model_lrd).epsilon(1e-6));
      CHECK(IsStream(stream.data(), stream.size()));
    }
  }
}

TEST_CASE("codec: the shipped model gives good pictures, better ones for more bits") {
  const Model model = LoadLight();
  for (const auto& size : {std::pair(1U, 1U), std::pair(1U, 17U), std::pair(17U, 33U),
                           std::pair(65U, 64U), std::pair(130U, 70U)}) {
    const uint32_t width = size.first, height = size.second;
    CAPTURE(width);
    CAPTURE(height);
    const Picture picture = SmoothPicture(MakeInfo(width, height, 3, false, 8), 2);
    double psnr_before = 0;
    size_t bytes_before = 0;
    const bool some_size = width > 100;
    for (const double lrd : {5e-5, 2e-4, 9e-4}) {
      EncodeOptions options;
      options.lrd = lrd;
      const Stream stream = MustEncode(model, picture, options);
      const double psnr = PsnrRgb(picture, MustDecode(model, stream));
      CAPTURE(lrd);
      CHECK(psnr > 24);
      if (some_size) CHECK(psnr > psnr_before);
      if (some_size) CHECK(stream.size() > bytes_before);
      psnr_before = psnr;
      bytes_before = stream.size();
    }
  }
}

// Psi of an odd width has a last column that no latent has; steps that look around read zeros
// there.
TEST_CASE("codec: a hyper synthesis that ends in a transposed convolution, odd widths") {
  const auto build = [](bool closed) {
    testing::ModelBuilder b = testing::MiniModel();
    b.document["coding"]["segment_rows"] = 4;
    b.document["graphs"]["p"]["nodes"] = {b.Conv("p", "psi", 2, 4, 3, 1)};
    b.document["coding"]["steps"][0]["ahead"] = 2;
    if (closed) {  // the same numbers behind a step of its own
      auto& h_s = b.document["graphs"]["h_s"];
      h_s["nodes"].push_back(testing::ModelBuilder::LeakyRelu("same", "hs", 1.0));
      h_s["output"] = "same";
    }
    return LoadModel(b.Build());
  };
  const Model open = build(false), closed = build(true);
  for (const auto& [width, height] :
       {std::pair(1U, 1U), std::pair(5U, 30U), std::pair(9U, 9U), std::pair(33U, 41U)}) {
    const Picture picture = SmoothPicture(MakeInfo(width, height, 3, false, 8), 1);
    Report first, second;
    const Stream stream = MustEncode(open, picture, {}, &first);
    const Stream same = MustEncode(closed, picture, {}, &second);
    CHECK(first.estimated_bits == second.estimated_bits);
    CHECK(first.latent_crc == second.latent_crc);
    CHECK(stream.size() == same.size());
    CHECK(SamePixels(MustDecode(open, stream), MustDecode(closed, same)));
  }
}

// Streams under every setting and target; each decoded under every setting and target.
void CheckAgreement(const std::vector<uint8_t>& file, const Picture& picture) {
  struct Made {
    std::string target;
    Stream stream;
    uint32_t latent_crc = 0;
  };
  std::vector<Made> made;
  for (const std::string& target : SupportedTargets()) {
    CAPTURE(target);
    const TargetScope scope(target);
    const Model model = LoadModel(file);
    Made one{target, {}, 0};
    for (const Setting& setting : Settings()) {
      CAPTURE(setting.threads);
      CAPTURE(setting.band_rows);
      Report report;
      const Stream stream = MustEncode(model, picture, With<EncodeOptions>(setting), &report);
      if (one.stream.empty()) one.stream = stream;
      CHECK(stream == one.stream);
      if (one.latent_crc == 0) one.latent_crc = report.latent_crc;
      CHECK(report.latent_crc == one.latent_crc);
    }
    made.push_back(std::move(one));
  }
  for (const Made& one : made) {
    CAPTURE(one.target);
    Picture first;
    for (const std::string& target : SupportedTargets()) {
      CAPTURE(target);
      const TargetScope scope(target);
      const Model model = LoadModel(file);
      Picture of_target;
      for (const Setting& setting : Settings()) {
        CAPTURE(setting.threads);
        CAPTURE(setting.band_rows);
        Report report;
        const Picture again = MustDecode(model, one.stream, With<DecodeOptions>(setting), &report);
        CHECK(report.latent_crc == one.latent_crc);
        if (of_target.samples.empty()) of_target = again;
        CHECK(SamePixels(again, of_target));
      }
      if (first.samples.empty()) first = of_target;
      CHECK(LargestDifference(first, of_target) <= 1);
    }
  }
}

TEST_CASE("codec: targets, threads and bands agree, tiny model of many segments") {
  CheckAgreement(TinyModelFile(2), SmoothPicture(MakeInfo(67, 150, 3, true, 8), 3));
  CheckAgreement(TinyModelFile(), SmoothPicture(MakeInfo(20, 1100, 1, false, 8), 4));
  CheckAgreement(testing::MiniModelFile(3), SmoothPicture(MakeInfo(33, 41, 3, false, 8), 5));
}

TEST_CASE("codec: targets, threads and bands agree, shipped model") {
  const auto file = ReadFile(testing::LightPath(), uint64_t{1} << 30);
  REQUIRE(file.ok());
  CheckAgreement(*file, SmoothPicture(MakeInfo(50, 70, 3, false, 8), 6));
}

TEST_CASE("codec: gray and colour, with and without alpha, of every depth") {
  const Model model = LoadModel(TinyModelFile());
  for (const uint32_t channels : {1U, 3U}) {
    for (const uint32_t depth : {1U, 2U, 4U, 8U, 16U}) {
      for (const bool alpha : {false, true}) {
        if (channels == 3 && depth < 8) continue;
        CAPTURE(channels);
        CAPTURE(depth);
        CAPTURE(alpha);
        Picture picture = SmoothPicture(MakeInfo(37, 21, channels, alpha, depth), depth);
        picture.metadata = SomeMetadata();
        const Stream stream = MustEncode(model, picture);
        const Picture again = MustDecode(model, stream);
        const auto inspected = Inspect(stream.data(), stream.size());
        REQUIRE(inspected.ok());
        CHECK(inspected->source.bit_depth == depth);
        CHECK(inspected->output.bit_depth == again.info.bit_depth);
        CHECK(again.info.channels == channels);
        CHECK(again.info.has_alpha == alpha);
        CHECK(again.info.bit_depth == (depth == 16 && !alpha ? 8 : depth));
        CHECK(SameMetadata(again.metadata, picture.metadata));
        CHECK(SameMetadata(inspected->metadata, picture.metadata));
        REQUIRE(again.samples.size() == again.info.RowBytes() * again.info.height);
        const size_t step = again.info.SamplesPerPixel(), bytes = again.info.SampleBytes();
        bool alpha_same = true, in_range = true, from_eight = true;
        for (size_t i = 0; i < again.samples.size() / bytes; ++i) {
          const bool is_alpha = alpha && i % step == step - 1;
          if (is_alpha) {
            alpha_same = alpha_same && std::memcmp(again.samples.data() + bytes * i,
                                                   picture.samples.data() + bytes * i, bytes) == 0;
          } else if (bytes == 1) {
            in_range = in_range && again.samples[i] < 1U << std::min(depth, 8U);
          } else {
            uint16_t value = 0;
            std::memcpy(&value, again.samples.data() + 2 * i, 2);
            from_eight = from_eight && value % 257 == 0;
          }
        }
        CHECK(alpha_same);
        CHECK(in_range);
        CHECK(from_eight);
      }
    }
  }
}

TEST_CASE("codec: the shipped model on gray, few bits and 16 bits") {
  const Model model = LoadLight();
  for (const auto& form :
       {std::pair(1U, 8U), std::pair(1U, 4U), std::pair(1U, 16U), std::pair(3U, 16U)}) {
    const uint32_t channels = form.first, depth = form.second;
    CAPTURE(channels);
    CAPTURE(depth);
    const Picture picture = SmoothPicture(MakeInfo(90, 50, channels, false, depth), 7);
    const Picture again = MustDecode(model, MustEncode(model, picture));
    CHECK(PsnrRgb(ToRgb8(picture), ToRgb8(again)) > 26);
  }
}

TEST_CASE("codec: rows by callback are the same as whole pictures") {
  const Model model = LoadModel(TinyModelFile(3));
  for (const bool alpha : {false, true}) {
    Picture picture = SmoothPicture(MakeInfo(45, 130, 3, alpha, 16), 8);
    picture.metadata = SomeMetadata();
    const size_t row_bytes = picture.info.RowBytes();
    uint32_t next = 0;
    const RowReader read = [&](uint32_t y, void* row) {
      CHECK(y == next++);
      std::memcpy(row, picture.samples.data() + y * row_bytes, row_bytes);
      return true;
    };
    const auto stream = EncodeRows(model, picture.info, picture.metadata, read);
    REQUIRE(stream.ok());
    CHECK(next == picture.info.height);
    CHECK(*stream == MustEncode(model, picture));

    const Picture whole = MustDecode(model, *stream);
    Picture rows;
    int starts = 0;
    const auto start = [&](const PictureInfo& info, const Metadata& metadata) {
      ++starts;
      rows.info = info;
      rows.metadata = metadata;
      return true;
    };
    next = 0;
    const RowWriter write = [&](uint32_t y, const void* row) {
      CHECK(y == next++);
      const auto* bytes = static_cast<const uint8_t*>(row);
      rows.samples.insert(rows.samples.end(), bytes, bytes + rows.info.RowBytes());
      return true;
    };
    const Error error = DecodeRows(model, stream->data(), stream->size(), start, write);
    CHECK_MESSAGE(error.ok(), error.message);
    CHECK(starts == 1);
    CHECK(SamePixels(rows, whole));
    CHECK(SameMetadata(rows.metadata, whole.metadata));
  }
}

TEST_CASE("codec: any callback can stop a call") {
  const Model model = LoadModel(TinyModelFile(2));
  const Picture picture = SmoothPicture(MakeInfo(40, 150, 3, true, 8), 9);
  const Stream stream = MustEncode(model, picture);
  const size_t row_bytes = picture.info.RowBytes();
  for (const uint32_t last : {0U, 1U, 77U, 149U}) {
    const RowReader read = [&](uint32_t y, void* row) {
      std::memcpy(row, picture.samples.data() + y * row_bytes, row_bytes);
      return y != last;
    };
    const auto stopped = EncodeRows(model, picture.info, {}, read);
    REQUIRE_FALSE(stopped.ok());
    CHECK(stopped.error().code == ErrorCode::kCancelled);

    uint32_t rows = 0;
    const Error error = DecodeRows(
        model, stream.data(), stream.size(),
        [](const PictureInfo&, const Metadata&) { return true; },
        [&](uint32_t y, const void*) { return ++rows, y != last; });
    CHECK(error.code == ErrorCode::kCancelled);
    CHECK(rows == last + 1);
  }
  bool wrote = false;
  const Error error = DecodeRows(
      model, stream.data(), stream.size(),
      [](const PictureInfo&, const Metadata&) { return false; },
      [&](uint32_t, const void*) { return wrote = true; });
  CHECK(error.code == ErrorCode::kCancelled);
  CHECK_FALSE(wrote);
}

TEST_CASE("codec: progress rises to 1 and can stop a call") {
  const Model model = LoadModel(TinyModelFile(2));
  const Picture picture = SmoothPicture(MakeInfo(40, 150, 3, false, 8), 9);
  double last = 0;
  int calls = 0;
  const auto rising = [&](double done) {
    CHECK(done >= last);
    CHECK(done <= 1);
    last = done;
    ++calls;
    return true;
  };
  EncodeOptions encode;
  encode.progress = rising;
  const Stream stream = MustEncode(model, picture, encode);
  CHECK(last == doctest::Approx(1));
  const int encode_calls = std::exchange(calls, 0);
  last = 0;
  DecodeOptions decode;
  decode.progress = rising;
  MustDecode(model, stream, decode);
  CHECK(last == doctest::Approx(1));
  const int decode_calls = std::exchange(calls, 0);

  for (int stop = 1; stop <= std::max(encode_calls, decode_calls); ++stop) {
    const auto stopping = [&](double) { return ++calls != stop; };
    encode.progress = stopping;
    decode.progress = stopping;
    calls = 0;
    const auto encoded = Encode(model, picture, encode);
    CHECK(encoded.ok() == (stop > encode_calls));
    if (!encoded) CHECK(encoded.error().code == ErrorCode::kCancelled);
    calls = 0;
    const auto decoded = Decode(model, stream.data(), stream.size(), decode);
    CHECK(decoded.ok() == (stop > decode_calls));
    if (!decoded) CHECK(decoded.error().code == ErrorCode::kCancelled);
  }
}

TEST_CASE("codec: metadata may be completed until the last row is given") {
  const Model model = LoadModel(TinyModelFile());
  const PictureInfo info = MakeInfo(20, 9, 3, false, 8);
  Metadata metadata;
  const RowReader read = [&](uint32_t y, void* row) {
    std::memset(row, static_cast<int>(10 * y), info.RowBytes());
    if (y + 1 == info.height) metadata = SomeMetadata();
    return true;
  };
  const auto stream = EncodeRows(model, info, metadata, read);
  REQUIRE_MESSAGE(stream.ok(), stream.error().message);
  const auto inspected = Inspect(stream->data(), stream->size());
  REQUIRE(inspected.ok());
  CHECK(SameMetadata(inspected->metadata, SomeMetadata()));
}

TEST_CASE("codec: limits on pixels and memory hold exactly") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(50, 31, 3, true, 8), 10);
  Report report;
  const Stream stream = MustEncode(model, picture, {}, &report);
  const uint64_t encode_bytes = report.planned_bytes;
  MustDecode(model, stream, {}, &report);
  const uint64_t decode_bytes = report.planned_bytes;
  CHECK(encode_bytes > 0);
  CHECK(decode_bytes > picture.samples.size());

  for (const uint64_t less : {0U, 1U}) {
    EncodeOptions encode;
    DecodeOptions decode;
    const auto check = [&] {
      const auto encoded = Encode(model, picture, encode);
      const auto decoded = Decode(model, stream.data(), stream.size(), decode);
      CHECK(encoded.ok() == (less == 0));
      CHECK(decoded.ok() == (less == 0));
      if (!encoded) CHECK(encoded.error().code == ErrorCode::kLimit);
      if (!decoded) CHECK(decoded.error().code == ErrorCode::kLimit);
    };
    encode.limits.max_pixels = decode.limits.max_pixels = uint64_t{50} * 31 - less;
    check();
    const auto inspected = Inspect(stream.data(), stream.size(), decode.limits);
    CHECK(inspected.ok() == (less == 0));
    encode.limits = decode.limits = Limits();
    encode.limits.max_memory = encode_bytes - less;
    decode.limits.max_memory = decode_bytes - less;
    check();
  }
}

TEST_CASE("codec: a stream of another model is refused, and the wanted one named") {
  const Model one = LoadModel(TinyModelFile(64, 1)), other = LoadModel(TinyModelFile(64, 2));
  REQUIRE(one.info().id != other.info().id);
  const Picture picture = SmoothPicture(MakeInfo(20, 20, 3, false, 8), 11);
  const Stream stream = MustEncode(one, picture);
  const auto decoded = Decode(other, stream.data(), stream.size());
  REQUIRE_FALSE(decoded.ok());
  CHECK(decoded.error().code == ErrorCode::kWrongModel);
  CHECK(decoded.error().message.find(one.info().id) != std::string::npos);
  CHECK(decoded.error().message.find(other.info().id) != std::string::npos);
}

TEST_CASE("codec: what a caller can get wrong") {
  const Model model = LoadModel(TinyModelFile());
  const Picture good = SmoothPicture(MakeInfo(20, 10, 3, false, 8), 12);
  const Stream stream = MustEncode(model, good);
  const auto refused = [&](const Picture& picture, const EncodeOptions& options) {
    const auto encoded = Encode(model, picture, options);
    CHECK_FALSE(encoded.ok());
    CHECK(encoded.error().code == ErrorCode::kInvalidArgument);
    CHECK_FALSE(encoded.error().message.empty());
  };
  for (const double lrd : {-1.0, 1e-9, 1.0, std::nan(""), HUGE_VAL}) {
    EncodeOptions options;
    options.lrd = lrd;
    refused(good, options);
  }
  for (const int threads : {-1, 1025}) {
    EncodeOptions options;
    options.threads = threads;
    refused(good, options);
    DecodeOptions decode;
    decode.threads = threads;
    const auto decoded = Decode(model, stream.data(), stream.size(), decode);
    CHECK(decoded.error().code == ErrorCode::kInvalidArgument);
  }
  for (const int none : {-1, 3, 1000}) {
    EncodeOptions options;
    options.detail = static_cast<Detail>(none);
    refused(good, options);
    Target target;
    target.kind = static_cast<Target::Kind>(none);
    target.value = 30;
    CHECK(EncodeToTarget(model, good, target).error().code == ErrorCode::kInvalidArgument);
    DecodeOptions decode;
    decode.alpha = static_cast<AlphaOutput>(none);
    const auto no_alpha = Decode(model, stream.data(), stream.size(), decode);
    CHECK(no_alpha.error().code == ErrorCode::kInvalidArgument);
    CHECK(no_alpha.error().message == "alpha is none of kKeep, kDrop, kBlend");
    decode = {};
    decode.detail = static_cast<DetailOutput>(none);
    const auto no_detail = Decode(model, stream.data(), stream.size(), decode);
    CHECK(no_detail.error().code == ErrorCode::kInvalidArgument);
    CHECK(no_detail.error().message == "detail is none of kDecode, kSkip, kSkipDamaged");
  }
  EncodeOptions options;
  options.band_rows = -1;
  refused(good, options);
  Picture bad = good;
  bad.samples.pop_back();
  refused(bad, {});
  bad = good;
  bad.info.width = 0;
  refused(bad, {});
  bad = good;
  bad.info.channels = 2;
  refused(bad, {});
  bad = good;
  bad.info.bit_depth = 12;
  refused(bad, {});
  bad = good;
  bad.info.bit_depth = 4;
  refused(bad, {});
  bad = good;
  bad.metadata.chunks = {{"toolong", {}}};
  refused(bad, {});
  for (const size_t size : {size_t{0}, size_t{3}, size_t{7}}) {
    CHECK(Decode(model, stream.data(), size).error().code == ErrorCode::kBadStream);
    CHECK(Inspect(stream.data(), size).error().code == ErrorCode::kBadStream);
  }
  CHECK(Decode(model, nullptr, 0).error().code == ErrorCode::kBadStream);
  CHECK_FALSE(IsStream(nullptr, 0));
  CHECK_FALSE(IsStream(stream.data(), 6));
  CHECK_FALSE(SetTarget("no such target").ok());
}

// Runs tasks on threads of its own, the last first, and counts them.
struct OddRunner {
  size_t workers = 1;
  size_t tasks = 0;
  static void Run(void* opaque, size_t count, void (*task)(void*, size_t, size_t), void* arg) {
    OddRunner* self = static_cast<OddRunner*>(opaque);
    self->tasks += count;
    std::vector<std::thread> threads;
    for (size_t worker = 0; worker < self->workers; ++worker) {
      threads.emplace_back([=] {
        for (size_t i = count; i-- > 0;) {
          if (i % self->workers == worker) task(arg, i, worker);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_CASE("codec: a runner of the caller's gives the same stream and pixels") {
  const Model model = LoadModel(TinyModelFile(3));
  const Picture picture = SmoothPicture(MakeInfo(70, 60, 3, true, 8), 13);
  const Stream stream = MustEncode(model, picture);
  const Picture decoded = MustDecode(model, stream);
  for (const size_t workers : {size_t{1}, size_t{2}, size_t{5}}) {
    OddRunner runner{workers, 0};
    EncodeOptions encode;
    encode.runner = {OddRunner::Run, &runner, workers};
    encode.threads = 7;  // of no meaning beside a runner
    CHECK(MustEncode(model, picture, encode) == stream);
    CHECK(runner.tasks > 0);
    DecodeOptions decode;
    decode.runner = encode.runner;
    CHECK(SamePixels(MustDecode(model, stream, decode), decoded));
  }
  EncodeOptions none;
  none.runner = {OddRunner::Run, nullptr, 0};
  CHECK(Encode(model, picture, none).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("codec: one model serves many threads at once") {
  const Model model = LoadModel(TinyModelFile(3));
  const Picture picture = SmoothPicture(MakeInfo(70, 60, 3, true, 8), 14);
  const Stream stream = MustEncode(model, picture);
  const Picture decoded = MustDecode(model, stream);
  std::vector<std::thread> threads;
  std::vector<int> same(3, 0);
  for (size_t i = 0; i < same.size(); ++i) {
    threads.emplace_back([&, i] {
      EncodeOptions options;
      options.threads = static_cast<int>(i) + 1;
      const auto encoded = Encode(model, picture, options);
      const auto again = Decode(model, stream.data(), stream.size());
      same[i] = encoded.ok() && *encoded == stream && again.ok() && SamePixels(*again, decoded);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(same == std::vector<int>(3, 1));
}

TEST_CASE("codec: a report says what was done") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(50, 40, 3, false, 8), 15);
  EncodeOptions encode;
  encode.profile = true;
  encode.detail = Detail::kOff;
  Report report;
  const Stream stream = MustEncode(model, picture, encode, &report);
  const auto stages = [&] {
    std::vector<std::string> names;
    for (const LayerProfile& layer : report.layers) {
      CHECK(layer.macs >= 0);
      CHECK(layer.seconds >= 0);
      CHECK_FALSE(layer.name.empty());
      CHECK_FALSE(layer.kernel.empty());
      if (names.empty() || names.back() != layer.stage) names.push_back(layer.stage);
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  CHECK(stages() ==
        std::vector<std::string>{"g_a", "h_a", "h_s", "step0", "step1", "step2", "step3"});
  CHECK(report.symbols == 4U * 3U * 8U + 1U * 1U * 4U);
  CHECK(report.estimated_bits > 0);
  DecodeOptions decode;
  decode.profile = true;
  MustDecode(model, stream, decode, &report);
  CHECK(stages() == std::vector<std::string>{"g_s", "h_s", "step0", "step1", "step2", "step3"});
  MustDecode(model, stream, {}, &report);
  CHECK(report.layers.empty());
}

TEST_CASE("codec: files are as large as the model's tables say") {
  const Model model = LoadLight();
  EncodeOptions options;
  options.threads = 0;
  options.detail = Detail::kOff;
  for (const std::string name : {"pebbles.png", "lake.png"}) {
    CAPTURE(name);
    const auto picture = ReadPicture(std::string(GLINT_SOURCE_DIR) + "/tools/samples/" + name);
    REQUIRE_MESSAGE(picture.ok(), picture.error().message);
    const Picture plain = ToRgb8(*picture);
    for (const double lrd : {5e-5, 9e-4}) {
      options.lrd = lrd;
      Report report;
      const Stream stream = MustEncode(model, plain, options, &report);
      const double wanted = report.estimated_bits / 8;
      CHECK(std::abs(static_cast<double>(stream.size()) - wanted) <= wanted * 0.01 + 64);
    }
  }
}

}  // namespace
}  // namespace glint
