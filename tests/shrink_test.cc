// Pictures at a fraction of their size: means of the whole one's pixels, or what a graph of the
// model makes of y.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "codec/model/model_impl.h"
#include "glint/glint.hpp"
#include "glint/pixels.hpp"
#include "glint/quantise.hpp"
#include "tests/c_api_helpers.h"
#include "tests/codec_helpers.h"
#include "tests/draws.h"
#include "tests/model_builder.h"
#include "tests/peak_memory.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Bytes;
using testing::DecodeInPieces;
using testing::Draws;
using testing::MustDecode;
using testing::MustEncode;
using testing::PartOf;

uint32_t SampleAt(const Picture& picture, size_t index) {
  if (picture.info.SampleBytes() == 1) return picture.samples[index];
  return reinterpret_cast<const uint16_t*>(picture.samples.data())[index];
}

// In double: means of what there is of each square, to the nearest, halves upwards; of colours
// weighted by alpha.
Picture Means(const Picture& whole, uint32_t shrink) {
  Picture small;
  small.info = whole.info;
  small.info.width = (whole.info.width + shrink - 1) / shrink;
  small.info.height = (whole.info.height + shrink - 1) / shrink;
  small.info.bit_depth = std::max(whole.info.bit_depth, 8U);
  const double scale = std::exp2(small.info.bit_depth) - 1,
               top = std::exp2(whole.info.bit_depth) - 1;
  const size_t samples = whole.info.SamplesPerPixel();
  for (uint32_t y = 0; y < small.info.height; ++y) {
    for (uint32_t x = 0; x < small.info.width; ++x) {
      for (size_t c = 0; c < samples; ++c) {
        double sum = 0, count = 0, plain = 0, all = 0;
        for (uint32_t i = y * shrink; i < std::min(whole.info.height, (y + 1) * shrink); ++i) {
          for (uint32_t j = x * shrink; j < std::min(whole.info.width, (x + 1) * shrink); ++j) {
            const size_t pixel = (size_t{i} * whole.info.width + j) * samples;
            const double value = SampleAt(whole, pixel + c);
            const bool is_weighted = whole.info.has_alpha && c < whole.info.channels;
            const double weight = is_weighted ? SampleAt(whole, pixel + samples - 1) : 1;
            sum += value * weight;
            count += weight;
            plain += value;
            ++all;
          }
        }
        if (count == 0) {
          sum = plain;
          count = all;
        }
        // Colour under an alpha of 16 bits has 8.
        const bool is_level =
            c < whole.info.channels && small.info.has_alpha && small.info.bit_depth == 16;
        const double unit = is_level ? 257 : 1;
        const auto value =
            static_cast<uint32_t>(std::floor(sum / count / top * scale / unit + 0.5) * unit);
        small.samples.push_back(static_cast<uint8_t>(value));
        if (small.info.bit_depth == 16) small.samples.push_back(static_cast<uint8_t>(value >> 8));
      }
    }
  }
  return small;
}

double Psnr(const Picture& a, const Picture& b) {
  REQUIRE(a.samples.size() == b.samples.size());
  double sum = 0;
  for (size_t i = 0; i < a.samples.size(); ++i) {
    const double difference = a.samples[i] - b.samples[i];
    sum += difference * difference;
  }
  return 10 * std::log10(255 * 255 * static_cast<double>(a.samples.size()) / std::max(sum, 1.0));
}

std::vector<Picture> SomePictures() {
  return {testing::SmoothPicture(MakeInfo(160, 96, 3, false, 8), 5),
          testing::SmoothPicture(MakeInfo(96, 176, 3, false, 8), 6)};
}

// The file with graphs; few pictures will do for what they are here.
Bytes WithGraphs(const Bytes& file) {
  ShrunkGraphOptions options;
  options.built_in = false;
  const auto made = AddShrunkGraphs(testing::LoadModel(file), SomePictures(), options);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  return made->file;
}

struct NamedFile {
  std::string name;
  Bytes file;
  bool is_exact;  // integers alone
  std::vector<uint32_t> shrinks = {2, 4, 8};
};

std::vector<NamedFile> FilesWithGraphs() {
  return {{"tiny", WithGraphs(testing::TinyModelFile(4)), false},
          {"fp16", WithGraphs(testing::Float16ModelFile(4)), false},
          {"integers", WithGraphs(testing::IntegerModelFile(4)), true},
          {"dynamic", WithGraphs(testing::DynamicModelFile(4)), true},
          {"segments of 17", WithGraphs(testing::IntegerModelFile(17)), true},
          {"segments of 6, FP32", WithGraphs(testing::TinyModelFile(6)), false},
          {"few channels", testing::ShrinkingModelFile(4), false, {4, 8}}};
}

std::vector<PictureInfo> SomeInfos() {
  return {MakeInfo(70, 333, 3, false, 8), MakeInfo(300, 40, 1, true, 8),
          MakeInfo(33, 81, 3, true, 16),  MakeInfo(20, 2201, 3, false, 8),
          MakeInfo(50, 60, 1, false, 2),  MakeInfo(1, 1, 3, false, 8),
          MakeInfo(45, 39, 3, false, 16), MakeInfo(23, 17, 1, false, 1)};
}

}  // namespace

// ---- means ------------------------------------------------------------------------------------

TEST_CASE("shrink: means of the whole picture, where the model has no graph") {
  Draws draws({TestSeed(), 1});
  EncodeOptions plain, details, lossless;
  plain.detail = Detail::kOff;
  details.detail = Detail::kOn;
  lossless.lossless = true;
  const Model models[] = {testing::LoadModel(testing::TinyModelFile(4)),
                          testing::LoadModel(testing::IntegerModelFile(4))};
  for (const Model& model : models) {
    CHECK(model.info().shrinks.empty());
    for (const PictureInfo& info : SomeInfos()) {
      CAPTURE(info.width);
      CAPTURE(info.bit_depth);
      for (const EncodeOptions& encode : {plain, details, lossless}) {
        if (encode.lossless && info.bit_depth > 8) continue;
        const Bytes stream = MustEncode(model, testing::SmoothPicture(info, 5), encode);
        DecodeOptions options;
        options.deep = draws.Whole(0, 1) == 1;
        const Picture whole = MustDecode(model, stream, options);
        for (const int shrink : {2, 4, 8}) {
          options.shrink = shrink;
          options.crop.reset();
          options.threads = draws.Whole(1, 3);
          const Picture small = MustDecode(model, stream, options);
          const Picture means = Means(whole, static_cast<uint32_t>(shrink));
          CHECK(testing::SameForm(small.info, means.info));
          // Colour of 16 bits is that of the model where a picture has alpha.
          const bool deep = options.deep && info.bit_depth == 16 && info.has_alpha;
          if (!deep) CHECK(SamePixels(small, means));
          CHECK(SamePixels(DecodeInPieces(model, stream, options), small));
          options.crop = testing::DrawCrop(small.info, &draws);
          const Picture part = MustDecode(model, stream, options);
          CHECK(testing::LargestDifference(part, PartOf(small, *options.crop)) <=
                (small.info.bit_depth > 8 ? 257 : 1));
          CHECK(SamePixels(DecodeInPieces(model, stream, options), part));
        }
      }
    }
  }
}

TEST_CASE("shrink: with alpha left out or blended") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  const Bytes stream = MustEncode(model, testing::SmoothPicture(MakeInfo(50, 40, 3, true, 8), 5));
  for (const AlphaOutput alpha : {AlphaOutput::kDrop, AlphaOutput::kBlend}) {
    DecodeOptions options;
    options.alpha = alpha;
    options.shrink = 4;
    const Picture small = MustDecode(model, stream, options);
    CHECK(testing::SameForm(small.info, MakeInfo(13, 10, 3, false, 8)));
    // Blending comes after the means, which are rounded.
    options.shrink = 1;
    CHECK(testing::LargestDifference(small, Means(MustDecode(model, stream, options), 4)) <=
          (alpha == AlphaOutput::kDrop ? 0 : 2));
  }
}

// What nobody sees has no part in what is seen.
TEST_CASE("shrink: hidden colours do not show at the edges of what is opaque") {
  Picture picture = testing::SmoothPicture(MakeInfo(43, 40, 3, true, 8), 5);
  for (size_t i = 0; i < picture.samples.size(); i += 4) {
    const bool visible = i / 4 % 43 < 21;
    const uint8_t pixel[] = {255, 220, 40, 255}, hidden[] = {0, 0, 0, 0};
    std::copy_n(visible ? pixel : hidden, 4,
                picture.samples.begin() + static_cast<std::ptrdiff_t>(i));
  }
  EncodeOptions encode;
  encode.lossless = true;
  const Model model = testing::LoadModel(testing::ShrinkingModelFile());
  DecodeOptions options;
  options.shrink = 4;
  const Picture small = MustDecode(model, MustEncode(model, picture, encode), options);
  for (size_t i = 0; i < small.samples.size(); i += 4) {
    if (small.samples[i + 3] == 0) continue;
    CHECK(small.samples[i] == 255);
    CHECK(small.samples[i + 1] == 220);
    CHECK(small.samples[i + 2] == 40);
  }
}

// ---- graphs -----------------------------------------------------------------------------------

TEST_CASE("shrink: by a graph, the same whatever threads, bands, pieces, crops and targets") {
  Draws draws({TestSeed(), 2});
  EncodeOptions encode;
  encode.detail = Detail::kOff;
  for (const NamedFile& of : FilesWithGraphs()) {
    CAPTURE(of.name);
    const Model model = testing::LoadModel(of.file);
    CHECK(model.info().shrinks == of.shrinks);
    for (const PictureInfo& info : SomeInfos()) {
      CAPTURE(info.width);
      CAPTURE(info.bit_depth);
      const Bytes stream = MustEncode(model, testing::SmoothPicture(info, 5), encode);
      DecodeOptions options;
      options.deep = draws.Whole(0, 1) == 1;
      const Picture whole = MustDecode(model, stream, options);
      for (const uint32_t shrink : of.shrinks) {
        CAPTURE(shrink);
        options.shrink = static_cast<int>(shrink);
        options.threads = 1;
        options.band_rows = 0;
        options.profile = true;
        Report report;
        const Picture small = MustDecode(model, stream, options, &report);
        CHECK(testing::SameForm(small.info, Means(whole, shrink).info));
        for (const LayerProfile& layer : report.layers) {
          CHECK((layer.name.substr(0, 2) != "s3" || info.has_alpha));
        }
        for (const int band : {2, 16, 32, 48, 128, 16 * draws.Whole(5, 99)}) {
          options.threads = draws.Whole(1, 3);
          options.band_rows = band;
          CHECK(SamePixels(MustDecode(model, stream, options), small));
        }
        CHECK(SamePixels(DecodeInPieces(model, stream, options), small));
        // With latents all steps are decoded, and checked.
        size_t rows = 0;
        options.latents = [&](const LatentRow&) { return ++rows > 0; };
        CHECK(SamePixels(MustDecode(model, stream, options), small));
        CHECK(rows == (info.height + 15) / 16);
        options.latents = nullptr;
        options.crop = testing::DrawCrop(small.info, &draws);
        CHECK(testing::LargestDifference(MustDecode(model, stream, options),
                                         PartOf(small, *options.crop)) <=
              (of.is_exact                    ? 0
               : small.info.SampleBytes() > 1 ? 257
                                              : 1));
        options.crop.reset();
        if (!of.is_exact) continue;
        for (const std::string& target : SupportedTargets()) {
          CAPTURE(target);
          const testing::TargetScope scope(target);
          CHECK(SamePixels(MustDecode(testing::LoadModel(of.file), stream, options), small));
        }
      }
    }
  }
}

TEST_CASE("shrink: in strips, and of details that are left out") {
  const Model model = testing::LoadModel(WithGraphs(testing::IntegerModelFile(4)));
  DecodeOptions options;
  options.shrink = 8;
  const Bytes wide =
      testing::EncodeModelAlone(model, testing::SmoothPicture(MakeInfo(20000, 18, 3, false, 8), 5));
  const Picture small = MustDecode(model, wide, options);
  for (const uint32_t x : {0U, 1020U, 2400U}) {
    options.crop = Crop{x, 0, 100, 3};
    CHECK(SamePixels(MustDecode(model, wide, options), PartOf(small, *options.crop)));
  }
}

TEST_CASE("shrink: steps that code channels which nobody reads are left out") {
  const Model model = testing::LoadModel(testing::ShrinkingModelFile(4));
  const Bytes stream =
      testing::EncodeModelAlone(model, testing::SmoothPicture(MakeInfo(100, 200, 3, false, 8), 5));
  DecodeOptions options;
  Report whole, all, few;
  MustDecode(model, stream, options, &whole);
  options.shrink = 4;
  MustDecode(model, stream, options, &all);
  options.shrink = 8;
  MustDecode(model, stream, options, &few);
  CHECK(all.symbols == whole.symbols);
  CHECK(all.latent_crc == whole.latent_crc);
  CHECK(few.symbols < whole.symbols * 3 / 4);
  CHECK(few.latent_crc == 0);
  CHECK(few.planned_bytes < whole.planned_bytes);
}

// Zeros on the left and on top: squares of y are not those of the picture.
TEST_CASE("shrink: a graph is not asked where its pixels lie between those of the picture") {
  testing::ModelBuilder b = testing::TinyModel();
  b.document["picture"]["padding"] = "centred_zeros";
  const Bytes file = WithGraphs(b.Build());
  const Model model = testing::LoadModel(file);
  for (const uint32_t width : {57U, 62U, 48U, 32U}) {
    const Bytes stream = testing::EncodeModelAlone(
        model, testing::SmoothPicture(MakeInfo(width, 48, 3, false, 8), 5));
    const Picture whole = MustDecode(model, stream);
    DecodeOptions options;
    options.shrink = 4;
    const Picture small = MustDecode(model, stream, options), means = Means(whole, 4);
    CHECK(testing::SameForm(small.info, means.info));
    const uint32_t left = (64 - width) % 16 / 2;
    CHECK(SamePixels(small, means) == (left % 4 != 0));
  }
}

TEST_CASE("shrink: memory is planned, and less than that of the whole") {
  const Model model = testing::LoadModel(WithGraphs(testing::TinyModelFile(64)));
  const Bytes stream = testing::EncodeModelAlone(
      model, testing::SmoothPicture(MakeInfo(2000, 1500, 3, false, 8), 5));
  const auto start = [](const PictureInfo&, const Metadata&) { return true; };
  const RowWriter write = [](uint32_t, const void*) { return true; };
  DecodeOptions options;
  Report whole;
  REQUIRE(DecodeRows(model, stream.data(), stream.size(), start, write, options, &whole).ok());
  for (const int shrink : {2, 4, 8}) {
    options.shrink = shrink;
    Report report;
    // Its plan is made by the first call.
    REQUIRE(DecodeRows(model, stream.data(), stream.size(), start, write, options, &report).ok());
    const testing::PeakMemory peak;
    REQUIRE(DecodeRows(model, stream.data(), stream.size(), start, write, options, &report).ok());
    CHECK(report.planned_bytes < whole.planned_bytes);
    CHECK(peak.Growth() <= report.planned_bytes + testing::kSanitizerMemory + (1 << 20));
  }
}

// ---- details ----------------------------------------------------------------------------------

TEST_CASE("shrink: details that the picture would lack count, others do not") {
  const auto loaded = Model::Load(testing::ShippedPath("light-int8"));
  REQUIRE(loaded.ok());
  const Model& model = *loaded;
  Picture drawn = testing::SampleCrop("bakery", 0, 0, 192, 128);
  const Bytes photograph = MustEncode(model, drawn);
  const PictureInfo info = drawn.info;
  for (uint32_t y = 0; y < 64; ++y) {  // blocks that the encoder hides from the model
    for (uint32_t x = 0; x < info.width; ++x) {
      const uint8_t level = x / 2 % 2 * 255;
      std::fill_n(drawn.samples.begin() + static_cast<std::ptrdiff_t>((y * info.width + x) * 3), 3,
                  level);
    }
  }
  Report report;
  const Bytes mixed = MustEncode(model, drawn, {}, &report);
  REQUIRE(report.detail.plain_blocks > 0);
  DecodeOptions options, skip;
  options.shrink = skip.shrink = 4;
  skip.detail = DetailOutput::kSkip;
  CHECK(SamePixels(MustDecode(model, mixed, options), Means(MustDecode(model, mixed), 4)));
  CHECK_FALSE(SamePixels(MustDecode(model, mixed, skip), MustDecode(model, mixed, options)));
  CHECK(SamePixels(MustDecode(model, photograph, skip), MustDecode(model, photograph, options)));
  CHECK(SamePixels(DecodeInPieces(model, photograph, options),
                   MustDecode(model, photograph, options)));
  CHECK(SamePixels(DecodeInPieces(model, mixed, options), MustDecode(model, mixed, options)));
  const auto has_chunk = [](const Bytes& stream) {
    const auto found = Inspect(stream.data(), stream.size());
    REQUIRE(found.ok());
    return std::any_of(found->chunks.begin(), found->chunks.end(),
                       [](const StreamInfo::Chunk& chunk) { return chunk.type == 'b'; });
  };
  CHECK(has_chunk(photograph));
  CHECK_FALSE(has_chunk(mixed));
  EncodeOptions lossless;
  lossless.lossless = true;
  CHECK_FALSE(has_chunk(MustEncode(model, drawn, lossless)));
  // The chunk behind segments says nothing.
  const auto info_of_chunks = Inspect(photograph.data(), photograph.size());
  const auto chunk = std::find_if(info_of_chunks->chunks.begin(), info_of_chunks->chunks.end(),
                                  [](const StreamInfo::Chunk& of) { return of.type == 'b'; });
  const auto at = [&](uint64_t offset) {
    return photograph.begin() + static_cast<std::ptrdiff_t>(offset);
  };
  Bytes late(photograph.begin(), at(chunk->offset));
  const uint64_t end = info_of_chunks->chunks.back().offset;
  late.insert(late.end(), at(chunk->offset + chunk->bytes), at(end));
  late.insert(late.end(), at(chunk->offset), at(chunk->offset + chunk->bytes));
  late.insert(late.end(), at(end), photograph.end());
  const Picture means = Means(MustDecode(model, photograph), 4);
  CHECK(SamePixels(MustDecode(model, late, options), means));
  CHECK(SamePixels(DecodeInPieces(model, late, options), means));
}

// ---- fits -------------------------------------------------------------------------------------

TEST_CASE("AddShrunkGraphs: replaces graphs, and leaves the rest as it was") {
  const Bytes file = testing::IntegerModelFile(4), once = WithGraphs(file),
              twice = WithGraphs(once);
  CHECK(once == twice);
  const Model before = testing::LoadModel(file), after = testing::LoadModel(once);
  CHECK(before.info().id != after.info().id);
  CHECK(before.info().form == after.info().form);
  const Picture picture = testing::SmoothPicture(MakeInfo(100, 60, 3, false, 8), 5);
  CHECK(SamePixels(MustDecode(before, testing::EncodeModelAlone(before, picture)),
                   MustDecode(after, testing::EncodeModelAlone(after, picture))));
}

// Colours are fitted to places that are kept: with few places, to all of them.
TEST_CASE("AddShrunkGraphs: one small picture") {
  const Model model = testing::LoadLight();
  ShrunkGraphOptions options;
  options.built_in = false;
  const Picture picture = testing::SampleCrop("lake", 0, 0, 128, 96);
  const auto made = AddShrunkGraphs(model, {picture}, options);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  const Model small = testing::LoadModel(made->file);
  const Bytes stream = testing::EncodeModelAlone(small, picture);
  DecodeOptions shrunk;
  for (const ShrunkGraphFit& fit : made->fits) {
    shrunk.shrink = fit.shrink;
    const Picture means = Means(MustDecode(small, stream), static_cast<uint32_t>(fit.shrink));
    CHECK(Psnr(MustDecode(small, stream, shrunk), means) > 30);
  }
}

TEST_CASE("AddShrunkGraphs: what is refused") {
  const Model model = testing::LoadModel(testing::TinyModelFile());
  CHECK(AddShrunkGraphs(model, {}).error().code == ErrorCode::kInvalidArgument);
  ShrunkGraphOptions options;
  options.built_in = false;
  const std::vector<Picture> small = {testing::SmoothPicture(MakeInfo(15, 15, 3, false, 8), 5)};
  CHECK(AddShrunkGraphs(model, small, options).error().message.find("16 x 16") !=
        std::string::npos);
  options.lrds = {1.0};
  CHECK(AddShrunkGraphs(model, SomePictures(), options).error().code ==
        ErrorCode::kInvalidArgument);
  options.lrds = {};
  options.max_memory = 1 << 20;
  CHECK(AddShrunkGraphs(model, SomePictures(), options).error().code == ErrorCode::kLimit);
  options.max_memory = uint64_t{4} << 30;
  options.progress = [](const QuantiseProgress&) { return false; };
  CHECK(AddShrunkGraphs(model, SomePictures(), options).error().code == ErrorCode::kCancelled);
}

TEST_CASE("Quantise: graphs for shrunk pictures are fitted to what is quantised") {
  const Model model = testing::LoadModel(WithGraphs(testing::TinyModelFile(4)));
  for (const QuantisedType type :
       {QuantisedType::kInt8, QuantisedType::kInt16, QuantisedType::kFp16}) {
    QuantiseOptions options;
    options.type = type;
    options.built_in = false;
    const auto quantised = Quantise(model, SomePictures(), options);
    REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
    CHECK(quantised->shrunk.size() == 3);
    const Model made = testing::LoadModel(quantised->file);
    CHECK(made.info().shrinks == std::vector<uint32_t>{2, 4, 8});
    if (type == QuantisedType::kFp16) continue;
    for (const char* graph : {"shrunk2", "shrunk4", "shrunk8"}) {
      CHECK(testing::AllInteger(made.impl().graph(graph)));
    }
  }
}

TEST_CASE("shipped models: shrunk pictures are near the means") {
  struct Wanted {
    int shrink;
    double psnr;
    double colour;  // levels that a flat colour may be off
  };
  for (const std::string name : {"light-fp32", "light-int8", "light-int16", "light-fp16",
                                 "light-int8-entropy", "light-msssim-fp32", "light-msssim-int8"}) {
    CAPTURE(name);
    const auto loaded = Model::Load(testing::ShippedPath(name));
    REQUIRE_MESSAGE(loaded.ok(), loaded.error().message);
    const Model& model = *loaded;
    for (const Wanted& wanted : {Wanted{2, 30, 18}, Wanted{4, 32, 18}, Wanted{8, 34, 18}}) {
      CAPTURE(wanted.shrink);
      DecodeOptions options;
      options.shrink = wanted.shrink;
      for (const std::string sample : {"lake", "bakery", "pebbles"}) {
        CAPTURE(sample);
        const Bytes stream =
            testing::EncodeModelAlone(model, testing::SampleCrop(sample, 0, 0, 256, 192));
        const Picture means =
            Means(MustDecode(model, stream), static_cast<uint32_t>(wanted.shrink));
        CHECK(Psnr(MustDecode(model, stream, options), means) > wanted.psnr);
      }
      for (const int colour : {0x000000, 0xFFFFFF, 0xFF0000, 0x00FF00, 0x0000FF, 0x808080, 0x8000FF,
                               0xFF8000, 0x00FFFF}) {
        CAPTURE(colour);
        Picture flat;
        flat.info = MakeInfo(128, 128, 3, false, 8);
        for (int i = 0; i < 128 * 128; ++i) {
          for (const int shift : {16, 8, 0}) {
            flat.samples.push_back(static_cast<uint8_t>(colour >> shift));
          }
        }
        const Bytes stream = testing::EncodeModelAlone(model, flat);
        const Picture means =
            Means(MustDecode(model, stream), static_cast<uint32_t>(wanted.shrink));
        const Picture small = MustDecode(model, stream, options);
        const size_t middle =
            (size_t{small.info.height} / 2 * small.info.width + small.info.width / 2) * 3;
        for (size_t c = 0; c < 3; ++c) {
          CHECK(std::abs(small.samples[middle + c] - means.samples[middle + c]) <= wanted.colour);
        }
      }
    }
  }
}

// ---- calls ------------------------------------------------------------------------------------

TEST_CASE("shrink: buffers, C, and what is refused") {
  const Model model = testing::LoadModel(WithGraphs(testing::TinyModelFile()));
  const Bytes stream =
      testing::EncodeModelAlone(model, testing::SmoothPicture(MakeInfo(50, 40, 3, false, 8), 5));
  DecodeOptions options;
  options.shrink = 4;
  const Picture small = MustDecode(model, stream, options);
  std::vector<uint8_t> samples(13 * 10 * 3);
  PixelBuffer pixels;
  pixels.width = 13;
  pixels.height = 10;
  pixels.planes[0].data = samples.data();
  REQUIRE(DecodePixels(model, stream.data(), stream.size(), pixels, options).ok());
  CHECK(samples == small.samples);
  for (const int wrong : {0, -1, 3, 5, 16, 1 << 30}) {
    options.shrink = wrong;
    const auto refused = Decode(model, stream.data(), stream.size(), options);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
    CHECK(refused.error().message.find("not 1, 2, 4 or 8") != std::string::npos);
  }
  options.shrink = 4;
  options.crop = Crop{0, 0, 14, 10};
  CHECK(Decode(model, stream.data(), stream.size(), options).error().code ==
        ErrorCode::kInvalidArgument);

  const Bytes file = testing::ShrinkingModelFile();
  glint_model* shrinking = nullptr;
  REQUIRE(glint_model_from_memory(file.data(), file.size(), nullptr, &shrinking, nullptr) ==
          GLINT_OK);
  glint_model_info info;
  REQUIRE(glint_model_info_init(&info, sizeof(info)) == GLINT_OK);
  CHECK(glint_model_get_info(shrinking, &info) == GLINT_OK);
  CHECK(info.shrinks == 4 + 8);
  glint_model_free(shrinking);
  glint_decode_options in_c;
  REQUIRE(glint_decode_options_init(&in_c, sizeof(in_c)) == GLINT_OK);
  CHECK(in_c.shrink == 1);
  in_c.shrink = 4;
  testing::RowSink sink;
  const Bytes& tiny = testing::SmallStream();
  REQUIRE(glint_decode_rows(testing::Tiny().c.get(), tiny.data(), tiny.size(), &in_c,
                            testing::RowSink::Start, testing::RowSink::Write, &sink,
                            nullptr) == GLINT_OK);
  options.crop.reset();
  CHECK(sink.picture.samples == MustDecode(testing::Tiny().cpp, tiny, options).samples);
  in_c.shrink = 9;
  CHECK(glint_decode_rows(testing::Tiny().c.get(), tiny.data(), tiny.size(), &in_c,
                          testing::RowSink::Start, testing::RowSink::Write, &sink,
                          nullptr) == GLINT_INVALID_ARGUMENT);
}

}  // namespace glint
