// Parts of decoding: crops are the pixels of the whole, samples of 16 bits are those of 8 before
// they were rounded, and latents that the caller gives become the stream's picture.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "glint/pixels.hpp"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"
#include "tests/draws.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::DecodeInPieces;
using testing::DrawCrop;
using testing::Draws;
using testing::MustDecode;
using testing::MustEncode;
using testing::PartOf;
using testing::SameForm;

struct NamedModel {
  std::string name;
  Model model;
  bool is_exact;  // integers alone
};

std::vector<NamedModel> Models() {
  return {{"tiny", testing::LoadModel(testing::TinyModelFile(2)), false},
          {"fp16", testing::LoadModel(testing::Float16ModelFile(4)), false},
          {"integers", testing::LoadModel(testing::IntegerModelFile(4)), true},
          {"dynamic", testing::LoadModel(testing::DynamicModelFile(4)), true},
          {"wavefront", testing::LoadModel(testing::WavefrontModelFile()), false}};
}

double Macs(const Report& report, const std::string& stage) {
  double sum = 0;
  for (const LayerProfile& layer : report.layers) sum += layer.stage == stage ? layer.macs : 0;
  return sum;
}

// Samples of 16 bits.
uint16_t Deep(const Picture& picture, size_t index) {
  uint16_t sample = 0;
  std::memcpy(&sample, picture.samples.data() + 2 * index, sizeof(sample));
  return sample;
}

double SquaredError(const Picture& a, const Picture& b) {
  double sum = 0;
  for (size_t i = 0; i < a.samples.size() / 2; ++i) {
    const double difference = (Deep(a, i) - Deep(b, i)) / 257.0;
    sum += difference * difference;
  }
  return sum / static_cast<double>(a.samples.size() / 2);
}

// Every sample of 8 bits, 257 times as large.
Picture Widened(const Picture& picture) {
  Picture wide;
  wide.info = picture.info;
  wide.info.bit_depth = 16;
  for (const uint8_t sample : picture.samples) wide.samples.insert(wide.samples.end(), 2, sample);
  return wide;
}

}  // namespace

// ---- crops
// ---------------------------------------------------------------------------------------

TEST_CASE("crop: the pixels of the whole") {
  Draws draws({TestSeed(), 1});
  EncodeOptions plain, details, lossless;
  plain.detail = Detail::kOff;
  details.detail = Detail::kOn;
  lossless.lossless = true;
  for (const NamedModel& of : Models()) {
    CAPTURE(of.name);
    for (const PictureInfo& info : {MakeInfo(70, 333, 3, false, 8), MakeInfo(300, 40, 1, true, 8),
                                    MakeInfo(33, 80, 3, true, 16), MakeInfo(20, 2200, 3, false, 8),
                                    MakeInfo(50, 60, 1, false, 2)}) {
      CAPTURE(info.width);
      for (const EncodeOptions& encode : {plain, details, lossless}) {
        if (encode.lossless && info.bit_depth > 8) continue;
        const Bytes stream = MustEncode(of.model, testing::SmoothPicture(info, 5), encode);
        DecodeOptions options;
        options.deep = draws.Whole(0, 1) == 1;
        options.alpha = static_cast<AlphaOutput>(draws.Whole(0, 2));
        options.detail = draws.Whole(0, 3) == 0 ? DetailOutput::kSkip : DetailOutput::kDecode;
        const Picture whole = MustDecode(of.model, stream, options);
        const bool exact = of.is_exact || encode.lossless;
        for (int round = 0; round < 6; ++round) {
          options.crop = DrawCrop(info, &draws);
          options.threads = draws.Whole(1, 3);
          options.band_rows = draws.Whole(0, 2) * 16;
          CAPTURE(options.crop->x);
          CAPTURE(options.crop->y);
          CAPTURE(options.crop->width);
          CAPTURE(options.crop->height);
          const Picture part = PartOf(whole, *options.crop);
          const Picture decoded = MustDecode(of.model, stream, options);
          REQUIRE(SameForm(decoded.info, part.info));
          const uint32_t most = exact ? 0 : part.info.bit_depth > 8 ? 257 : 1;
          CHECK(testing::LargestDifference(decoded, part) <= most);
          CHECK(SamePixels(DecodeInPieces(of.model, stream, options), decoded));
        }
      }
    }
  }
}

TEST_CASE("crop: what lies below and beside it is not made") {
  const Model model = testing::LoadModel(testing::IntegerModelFile(4));
  EncodeOptions encode;
  encode.detail = Detail::kOff;
  const Bytes stream =
      MustEncode(model, testing::SmoothPicture(MakeInfo(400, 1600, 3, false, 8), 5), encode);
  DecodeOptions options;
  options.profile = true;
  Report whole, part;
  MustDecode(model, stream, options, &whole);
  options.crop = Crop{300, 100, 64, 64};
  MustDecode(model, stream, options, &part);
  CHECK(part.symbols < whole.symbols / 4);
  CHECK(Macs(part, "g_s") < Macs(whole, "g_s") / 10);
  CHECK(part.planned_bytes < whole.planned_bytes);
  options.crop = Crop{0, 0, 400, 1600};
  MustDecode(model, stream, options, &part);
  CHECK(part.symbols == whole.symbols);
}

TEST_CASE("crop: of a picture that is decoded in strips") {
  const Model model = testing::LoadModel(testing::IntegerModelFile(4));
  const Bytes stream =
      MustEncode(model, testing::SmoothPicture(MakeInfo(20000, 18, 3, false, 8), 5));
  const Picture whole = MustDecode(model, stream);
  DecodeOptions options;
  for (const uint32_t x : {0U, 8190U, 19900U}) {
    options.crop = Crop{x, 3, 100, 9};
    CHECK(SamePixels(MustDecode(model, stream, options), PartOf(whole, *options.crop)));
  }
}

TEST_CASE("crop: one that the picture does not have is refused") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  const Bytes stream = MustEncode(model, testing::SmoothPicture(MakeInfo(50, 40, 3, false, 8), 5));
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  for (const Crop& wrong :
       {Crop{0, 0, 51, 40}, Crop{0, 0, 50, 41}, Crop{50, 0, 1, 1}, Crop{0, 40, 1, 1},
        Crop{0, 0, 0, 40}, Crop{0, 0, 50, 0}, Crop{kMost, 0, 2, 1}, Crop{1, kMost, 1, kMost},
        Crop{kMost, kMost, kMost, kMost}}) {
    DecodeOptions options;
    options.crop = wrong;
    bool started = false;
    const auto start = [&](const PictureInfo&, const Metadata&) { return started = true; };
    const RowWriter write = [](uint32_t, const void*) { return true; };
    const Error error = DecodeRows(model, stream.data(), stream.size(), start, write, options);
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(error.message.find("not within the picture of 50 x 40") != std::string::npos);
    auto decoder = StreamDecoder::Make(model, start, write, options);
    REQUIRE(decoder.ok());
    CHECK(decoder->Push(stream.data(), stream.size()).code == ErrorCode::kInvalidArgument);
    CHECK_FALSE(started);
  }
}

// ---- 16 bits
// -------------------------------------------------------------------------------------

TEST_CASE("deep: samples are those of 8 bits before they were rounded") {
  Draws draws({TestSeed(), 2});
  for (const NamedModel& of : Models()) {
    CAPTURE(of.name);
    for (const PictureInfo& info : {MakeInfo(70, 90, 3, false, 16), MakeInfo(33, 50, 1, false, 16),
                                    MakeInfo(40, 140, 3, true, 16)}) {
      for (const Detail detail : {Detail::kOff, Detail::kOn}) {
        EncodeOptions encode;
        encode.detail = detail;
        const Bytes stream = MustEncode(of.model, testing::SmoothPicture(info, 5), encode);
        DecodeOptions options;
        Picture levels = MustDecode(of.model, stream, options);
        if (!info.has_alpha) levels = Widened(levels);
        options.deep = true;
        const Picture deep = MustDecode(of.model, stream, options);
        CHECK(deep.info.bit_depth == 16);
        // Half a level; what lies between two levels may have been rounded to either.
        CHECK(testing::LargestDifference(deep, levels) <= 129);
        if (detail == Detail::kOff) CHECK_FALSE(SamePixels(deep, levels));
        options.threads = 3;
        options.band_rows = 48;
        CHECK(SamePixels(MustDecode(of.model, stream, options), deep));
        if (!of.is_exact) continue;
        for (const std::string& target : SupportedTargets()) {
          CAPTURE(target);
          const testing::TargetScope scope(target);
          const Model again = testing::LoadModel(
              of.name == "integers" ? testing::IntegerModelFile(4) : testing::DynamicModelFile(4));
          CHECK(SamePixels(MustDecode(again, stream, options), deep));
        }
      }
    }
  }
}

TEST_CASE("deep: nearer to a source of 16 bits, where the model is") {
  const Model model = testing::LoadLight();
  const Picture source = testing::SmoothPicture(MakeInfo(160, 128, 3, false, 16), 5);
  EncodeOptions encode;
  encode.detail = Detail::kOff;
  encode.lrd = model.info().lrd_suggested_max;
  const Bytes stream = MustEncode(model, source, encode);
  DecodeOptions options;
  const double rounded = SquaredError(Widened(MustDecode(model, stream, options)), source);
  options.deep = true;
  const double deep = SquaredError(MustDecode(model, stream, options), source);
  CHECK(deep < rounded);
  CHECK(rounded - deep < 0.1);  // rounding to levels is 1/12
}

TEST_CASE("deep: without effect on 8 bits, and where alpha goes") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  DecodeOptions options, deep;
  deep.deep = true;
  Bytes stream = MustEncode(model, testing::SmoothPicture(MakeInfo(50, 40, 3, false, 8), 5));
  CHECK(SamePixels(MustDecode(model, stream, deep), MustDecode(model, stream, options)));
  stream = MustEncode(model, testing::SmoothPicture(MakeInfo(50, 40, 3, true, 16), 5));
  options.alpha = deep.alpha = AlphaOutput::kDrop;
  CHECK(MustDecode(model, stream, deep).info.bit_depth == 8);
}

// Buffers of more than 8 bits get what the stream has.
TEST_CASE("deep: buffers of 10 bits") {
  const Model model = testing::LoadModel(testing::IntegerModelFile(4));
  EncodeOptions encode;
  encode.detail = Detail::kOff;
  const Bytes stream =
      MustEncode(model, testing::SmoothPicture(MakeInfo(40, 30, 1, false, 16), 5), encode);
  DecodeOptions options;
  options.deep = true;
  const Picture deep = MustDecode(model, stream, options);
  std::vector<uint16_t> samples(40 * 30);
  PixelBuffer pixels;
  pixels.layout.format = PixelFormat::kGray;
  pixels.layout.bit_depth = 16;
  pixels.width = 40;
  pixels.height = 30;
  pixels.planes[0].data = samples.data();
  REQUIRE(DecodePixels(model, stream.data(), stream.size(), pixels).ok());
  CHECK(std::memcmp(samples.data(), deep.samples.data(), deep.samples.size()) == 0);
}

// ---- latents in
// ----------------------------------------------------------------------------------

namespace {

struct Latents {
  LatentShape shape;
  std::vector<int16_t> values;
  size_t row_values() const { return size_t{shape.columns} * shape.channels; }
  LatentReader read() const {
    return [this](uint32_t y, int16_t* to) {
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(y * row_values()), row_values(), to);
      return true;
    };
  }
};

Latents LatentsOf(const Model& model, const Bytes& stream) {
  Latents latents;
  DecodeOptions options;
  options.latents = [&](const LatentRow& row) {
    latents.shape = {row.rows, row.columns, row.channels, row.fraction_bits};
    latents.values.insert(latents.values.end(), row.values,
                          row.values + size_t{row.columns} * row.channels);
    return true;
  };
  MustDecode(model, stream, options);
  return latents;
}

Picture Synthesised(const Model& model, const PictureInfo& info, double lrd, const Latents& latents,
                    const CallOptions& options = {}) {
  Picture picture;
  picture.info = info;
  const RowWriter write = [&](uint32_t y, const void* row) {
    CHECK(y * info.RowBytes() == picture.samples.size());
    const auto* bytes = static_cast<const uint8_t*>(row);
    picture.samples.insert(picture.samples.end(), bytes, bytes + info.RowBytes());
    return true;
  };
  const Error error = SynthesiseRows(model, info, lrd, latents.read(), write, options);
  REQUIRE_MESSAGE(error.ok(), error.message);
  return picture;
}

}  // namespace

TEST_CASE("latents in: a stream's own give its picture") {
  for (const NamedModel& of : Models()) {
    CAPTURE(of.name);
    for (const PictureInfo& info : {MakeInfo(70, 190, 3, false, 8), MakeInfo(1, 1, 3, false, 8),
                                    MakeInfo(33, 50, 1, false, 8), MakeInfo(40, 60, 3, false, 16),
                                    MakeInfo(17, 31, 1, false, 4)}) {
      CAPTURE(info.width);
      EncodeOptions encode;
      encode.detail = Detail::kOff;
      encode.lrd = of.model.info().lrd_suggested_max;
      const Bytes stream = MustEncode(of.model, testing::SmoothPicture(info, 5), encode);
      DecodeOptions decode;
      decode.deep = true;
      const Picture whole = MustDecode(of.model, stream, decode);
      const Latents latents = LatentsOf(of.model, stream);
      const auto shape = ShapeOfLatents(of.model, info);
      REQUIRE(shape.ok());
      CHECK(shape->rows == latents.shape.rows);
      CHECK(shape->columns == latents.shape.columns);
      CHECK(shape->channels == latents.shape.channels);
      CHECK(shape->fraction_bits == latents.shape.fraction_bits);
      CallOptions options;
      for (const int threads : {1, 3}) {
        options.threads = threads;
        options.band_rows = 16 * (threads - 1);
        const auto lrd = Inspect(stream.data(), stream.size())->lrd;
        CHECK(SamePixels(Synthesised(of.model, info, lrd, latents, options), whole));
      }
    }
  }
}

// Also where all pixels are made before the last segment.
TEST_CASE("latents out: all rows come, also those that no pixel needs") {
  const Model model = testing::LoadModel(testing::TinyModelFile(1));
  for (uint32_t height = 1; height <= 70; height += 3) {
    CAPTURE(height);
    EncodeOptions encode;
    encode.detail = Detail::kOff;
    const Picture picture = testing::SmoothPicture(MakeInfo(9, height, 3, false, 8), 5);
    Report encoded, decoded;
    const Bytes stream = MustEncode(model, picture, encode, &encoded);
    DecodeOptions options;
    options.band_rows = 16;
    uint32_t rows = 0;
    options.latents = [&](const LatentRow& row) { return row.y == rows++; };
    MustDecode(model, stream, options, &decoded);
    CHECK(rows == ShapeOfLatents(model, picture.info)->rows);
    CHECK(decoded.symbols == encoded.symbols);
    CHECK(decoded.latent_crc == encoded.latent_crc);
  }
}

TEST_CASE("latents in: any numbers are a picture") {
  Draws draws({TestSeed(), 3});
  const PictureInfo info = MakeInfo(50, 40, 3, false, 8);
  for (const NamedModel& of : Models()) {
    Latents latents;
    latents.shape = *ShapeOfLatents(of.model, info);
    latents.values.resize(latents.shape.rows * latents.row_values());
    for (int16_t& value : latents.values) value = static_cast<int16_t>(draws.Whole(-32768, 32767));
    Synthesised(of.model, info, 0, latents);
  }
}

TEST_CASE("latents in: what is refused") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  const PictureInfo info = MakeInfo(50, 40, 3, false, 8);
  const LatentReader zeros = [&](uint32_t, int16_t* values) {
    const LatentShape shape = *ShapeOfLatents(model, info);
    std::fill_n(values, size_t{shape.columns} * shape.channels, int16_t{0});
    return true;
  };
  const RowWriter write = [](uint32_t, const void*) { return true; };
  CHECK(SynthesiseRows(model, info, 0, zeros, write).ok());
  const auto code = [&](const PictureInfo& wrong, double lrd, const CallOptions& options = {}) {
    return SynthesiseRows(model, wrong, lrd, zeros, write, options).code;
  };
  CHECK(code(MakeInfo(50, 40, 3, true, 8), 0) == ErrorCode::kInvalidArgument);
  CHECK(code(MakeInfo(0, 40, 3, false, 8), 0) == ErrorCode::kInvalidArgument);
  CHECK(code(info, 1e9) == ErrorCode::kInvalidArgument);
  CHECK(code(info, std::nan("")) == ErrorCode::kInvalidArgument);
  CallOptions options;
  options.limits.max_pixels = 10;
  CHECK(code(info, 0, options) == ErrorCode::kLimit);
  options.limits.max_pixels = 1 << 20;
  options.limits.max_memory = 1000;
  CHECK(code(info, 0, options) == ErrorCode::kLimit);
  options.limits.max_memory = 1 << 30;
  options.progress = [](double) { return false; };
  CHECK(code(info, 0, options) == ErrorCode::kCancelled);
  CHECK(SynthesiseRows(model, info, 0, nullptr, write).code == ErrorCode::kInvalidArgument);
  CHECK(SynthesiseRows(model, info, 0, zeros, nullptr).code == ErrorCode::kInvalidArgument);
  CHECK(SynthesiseRows(
            model, info, 0, [](uint32_t y, int16_t*) { return y < 1; }, write)
            .code == ErrorCode::kCancelled);
  CHECK(SynthesiseRows(model, info, 0, zeros, [](uint32_t y, const void*) { return y < 9; }).code ==
        ErrorCode::kCancelled);
  CHECK(ShapeOfLatents(model, MakeInfo(5, 5, 2, false, 8)).error().code ==
        ErrorCode::kInvalidArgument);
}

// ---- in C
// ----------------------------------------------------------------------------------------

TEST_CASE("C interface: crops, 16 bits and latents are those of the C++ interface") {
  const Picture source = testing::SmoothPicture(MakeInfo(60, 50, 3, false, 16), 5);
  const Bytes stream = MustEncode(testing::Tiny().cpp, source);
  DecodeOptions options;
  options.crop = Crop{7, 9, 30, 20};
  options.deep = true;
  const Picture wanted = MustDecode(testing::Tiny().cpp, stream, options);
  auto in_c = testing::Defaults<glint_decode_options>();
  in_c.crop_x = 7;
  in_c.crop_y = 9;
  in_c.crop_width = 30;
  in_c.crop_height = 20;
  in_c.deep = 1;
  Bytes samples(wanted.samples.size());
  glint_picture_info info = testing::EmptyInfo();
  REQUIRE(glint_decode_into(testing::Tiny().c.get(), stream.data(), stream.size(), &in_c,
                            samples.data(), samples.size(), 0, &info, nullptr) == GLINT_OK);
  CHECK(testing::Same(info, wanted.info));
  CHECK(samples == wanted.samples);
  in_c.crop_height = 0;
  CHECK(glint_decode_into(testing::Tiny().c.get(), stream.data(), stream.size(), &in_c,
                          samples.data(), samples.size(), 0, &info,
                          nullptr) == GLINT_INVALID_ARGUMENT);

  // Latents all zero.
  const glint_picture_info asked = testing::InC(source.info);
  glint_latent_shape shape{};
  REQUIRE(glint_model_get_latent_shape(testing::Tiny().c.get(), &asked, &shape, nullptr) ==
          GLINT_OK);
  Latents zeros;
  zeros.shape = {shape.rows, shape.columns, shape.channels, shape.fraction_bits};
  zeros.values.resize(shape.rows * zeros.row_values());
  testing::RowSink sink;
  sink.picture.info = source.info;
  struct Both {
    const Latents* latents;
    testing::RowSink* sink;
  } both = {&zeros, &sink};
  const auto read = [](void* opaque, uint32_t y, int16_t* values) {
    return static_cast<Both*>(opaque)->latents->read()(y, values) ? 1 : 0;
  };
  const auto write = [](void* opaque, uint32_t y, const void* row) {
    return testing::RowSink::Write(static_cast<Both*>(opaque)->sink, y, row);
  };
  REQUIRE(glint_synthesise_rows(testing::Tiny().c.get(), &asked, 0, read, write, &both, nullptr,
                                nullptr) == GLINT_OK);
  CHECK(sink.picture.samples == Synthesised(testing::Tiny().cpp, source.info, 0, zeros).samples);
  CHECK(glint_synthesise_rows(nullptr, &asked, 0, read, write, &both, nullptr, nullptr) ==
        GLINT_INVALID_ARGUMENT);
  CHECK(glint_synthesise_rows(testing::Tiny().c.get(), nullptr, 0, read, write, &both, nullptr,
                              nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_synthesise_rows(testing::Tiny().c.get(), &asked, 0, nullptr, write, &both, nullptr,
                              nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_synthesise_rows(testing::Tiny().c.get(), &asked, 0, read, nullptr, &both, nullptr,
                              nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_model_get_latent_shape(nullptr, &asked, &shape, nullptr) == GLINT_INVALID_ARGUMENT);
  CHECK(glint_model_get_latent_shape(testing::Tiny().c.get(), &asked, nullptr, nullptr) ==
        GLINT_INVALID_ARGUMENT);
}

}  // namespace glint
