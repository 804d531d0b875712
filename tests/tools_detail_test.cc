// What the programs say of details, and their proof that errors keep to a limit.
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/picture_helpers.h"
#include "tools/commands/decode_file.h"
#include "tools/commands/encode_file.h"
#include "tools/commands/error_check.h"
#include "tools/commands/info_json.h"
#include "tools/commands/info_text.h"
#include "tools/common/detail_text.h"
#include "tools/evaluation/measurement.h"
#include "tools/evaluation/output.h"

namespace glint::tools {
namespace {

using testing::IntegerModelFile;
using testing::LoadModel;
using testing::MustEncode;
using testing::SmoothPicture;
using testing::TinyModelFile;

bool Has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

std::vector<uint8_t> EncodeWith(const Model& model, const Picture& picture, Detail detail,
                                int max_error = -1, bool exact = false) {
  EncodeOptions options;
  options.detail = detail;
  options.max_error = max_error;
  options.exact = exact;
  return MustEncode(model, picture, options);
}

TEST_CASE("tools: PSNR of details is of the picture's own levels") {
  const PictureInfo eight = MakeInfo(8, 8, 3, false, 8), one = MakeInfo(8, 8, 1, false, 1);
  CHECK(PsnrOfError(65.025, eight) == doctest::Approx(30));
  CHECK(PsnrOfError(65.025, MakeInfo(8, 8, 3, false, 16)) == doctest::Approx(30));
  CHECK(PsnrOfError(0.01, one) == doctest::Approx(20));
  CHECK(PsnrOfError(0, eight) == std::numeric_limits<double>::infinity());
  DetailReport detail;
  CHECK(!BasePsnr(detail, eight));
  detail.blocks = 4;
  detail.base_error = 6.5025;
  CHECK(*BasePsnr(detail, eight) == doctest::Approx(40));
  detail.plain_blocks = 1;
  CHECK(!BasePsnr(detail, eight));
}

TEST_CASE("tools: one line says what details did") {
  const PictureInfo info = MakeInfo(800, 600, 3, false, 8);
  DetailReport detail;
  CHECK(DetailText(detail, info, 1000).empty());
  detail.blocks = 130;
  CHECK(DetailText(detail, info, 1000) == "details: in none of 130 blocks");
  detail.bytes = 250;
  detail.transform_blocks = 20;
  detail.pixel_blocks = 3;
  detail.base_error = 65.025;
  detail.error = 6.5025;
  CHECK(DetailText(detail, info, 1000) ==
        "details: 250 bytes, 25.0 % of the stream; of 130 blocks 20 as transforms, 3 as pixels; "
        "PSNR 30.00 dB without them; details repaired 10.00 dB");
  detail.plain_blocks = 3;
  CHECK(Has(DetailText(detail, info, 1000), "; the model saw nothing of 3; PSNR 40.00 dB"));
  detail.error = 0;
  CHECK(Has(DetailText(detail, info, 1000), "; nothing is lost"));
}

TEST_CASE("tools: rows are named, those that touch as one") {
  CHECK(RowsText({{0, 1024}}) == "rows 0 to 1023");
  CHECK(RowsText({{0, 1024}, {1024, 2048}}) == "rows 0 to 2047");
  CHECK(RowsText({{0, 1024}, {2048, 3072}, {3072, 3100}}) == "rows 0 to 1023 and 2048 to 3099");
  CHECK(RowsText({{0, 1024}, {2048, 3072}, {4096, 4100}}) ==
        "rows 0 to 1023, 2048 to 3071 and 4096 to 4099");
}

// ---- the proof ---------------------------------------------------------------------------------

Error Check(const Model& model, const std::vector<uint8_t>& stream, const Picture& source,
            const WantedFidelity& wanted) {
  const RowReader rows = [&source](uint32_t y, void* row) {
    const size_t bytes = source.info.RowBytes();
    std::memcpy(row, source.samples.data() + y * bytes, bytes);
    return true;
  };
  return CheckErrors(model, stream, source.info, rows, wanted, {});
}

// An alpha that hides the left half.
Picture HalfHidden(uint32_t bit_depth) {
  Picture picture = SmoothPicture(MakeInfo(70, 90, 3, true, bit_depth), 4);
  const size_t size = picture.info.SampleBytes();
  for (uint32_t y = 0; y < 90; ++y) {
    for (uint32_t x = 0; x < 35; ++x) {
      std::memset(picture.samples.data() + y * picture.info.RowBytes() + (x * 4 + 3) * size, 0,
                  size);
    }
  }
  return picture;
}

TEST_CASE("tools: what keeps to its limit is proved, in every form and with every model") {
  for (const std::vector<uint8_t>& file : {TinyModelFile(), IntegerModelFile()}) {
    const Model model = LoadModel(file);
    for (const PictureInfo& info :
         {MakeInfo(70, 90, 3, false, 8), MakeInfo(33, 40, 1, false, 1),
          MakeInfo(33, 40, 1, false, 4), MakeInfo(20, 30, 3, true, 8),
          MakeInfo(20, 30, 3, false, 16), MakeInfo(20, 30, 1, true, 16)}) {
      CAPTURE(info.bit_depth);
      const Picture picture = SmoothPicture(info, 5);
      for (const int most : {0, 2}) {
        const auto stream = EncodeWith(model, picture, Detail::kAuto, most);
        const Error error = Check(model, stream, picture, {most, false});
        CHECK_MESSAGE(error.ok(), error.message);
      }
    }
  }
}

TEST_CASE("tools: what is further off than its limit is found") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(70, 90, 3, false, 8), 5);
  const Error lossy = Check(model, EncodeWith(model, picture, Detail::kOff), picture, {3, false});
  CHECK(lossy.code == ErrorCode::kBadStream);
  CHECK(Has(lossy.message, "gave another picture: row 0 differs by "));
  CHECK(Has(lossy.message, ", at most 3 is wanted"));

  const auto stream = EncodeWith(model, picture, Detail::kAuto, 0);
  Picture other = picture;
  uint8_t* const last = &other.samples.back();
  *last = static_cast<uint8_t>(*last < 128 ? *last + 3 : *last - 3);
  CHECK(Check(model, stream, other, {3, false}).ok());
  CHECK(Has(Check(model, stream, other, {2, false}).message, "row 89 differs by 3 levels"));
  other.info.width = 69;
  CHECK(Has(Check(model, stream, other, {2, false}).message, "another form"));
}

TEST_CASE("tools: alpha is never off, and what it hides only where that is wanted") {
  const Model model = LoadModel(TinyModelFile());
  for (const uint32_t depth : {8u, 16u}) {
    CAPTURE(depth);
    const Picture picture = HalfHidden(depth);
    const auto seen = EncodeWith(model, picture, Detail::kAuto, 0);
    CHECK(Check(model, seen, picture, {0, false}).ok());
    CHECK(Has(Check(model, seen, picture, {0, true}).message, "differs by"));
    const auto all = EncodeWith(model, picture, Detail::kAuto, 0, /*exact=*/true);
    CHECK(Check(model, all, picture, {0, true}).ok());
    Picture other = picture;
    other.samples[other.samples.size() - 1] ^= 1;  // of the last alpha
    CHECK(Has(Check(model, all, other, {127, true}).message, "row 89 differs in alpha"));
  }
  // Opaque everywhere, so the stream has none.
  Picture opaque = SmoothPicture(MakeInfo(20, 30, 3, true, 8), 3);
  for (size_t i = 3; i < opaque.samples.size(); i += 4) opaque.samples[i] = 255;
  const auto without = EncodeWith(model, opaque, Detail::kAuto, 0);
  CHECK(!Inspect(without.data(), without.size())->output.has_alpha);
  CHECK(Check(model, without, opaque, {0, true}).ok());
  opaque.samples[7] = 254;
  CHECK(Has(Check(model, without, opaque, {0, true}).message, "row 0 differs in alpha"));
}

TEST_CASE("tools: a file is encoded without loss, or not at all") {
  const TemporaryFolder folder;
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = HalfHidden(8);
  const std::string in = folder.File("a.png"), out = folder.File("a.glint");
  REQUIRE(WritePicture(in, picture).ok());
  EncodeOptions options;
  options.lossless = true;
  double last = 0;
  options.progress = [&last](double done) {
    CHECK(done >= last);
    last = done;
    return true;
  };
  const Expected<CodingSummary> summary = EncodeFile(model, in, out, options);
  REQUIRE_MESSAGE(summary.ok(), summary.error().message);
  CHECK(last == 1);
  const Expected<StreamFile> stream = ReadStream(out, {}, DetailOutput::kDecode);
  REQUIRE(stream.ok());
  const std::string back = folder.File("b.png");
  REQUIRE(DecodeFile(model, *stream, back, "png", {}).ok());
  CHECK(ReadPicture(back)->samples == picture.samples);

  // Stopped while it is proved.
  const std::string none = folder.File("none.glint");
  options.progress = [](double done) { return done < 0.8; };
  CHECK(EncodeFile(model, in, none, options).error().code == ErrorCode::kCancelled);
  CHECK(!ReadFile(none, 1000).ok());
  // Another picture of the same form when it is read again.
  options.progress = [&](double done) {
    if (done < 0.7) return true;
    return WritePicture(in, SmoothPicture(picture.info, 8)).ok();
  };
  const Error changed = EncodeFile(model, in, none, options).error();
  CHECK(Has(changed.message, "a.png: decoding what was encoded gave another picture: row 0 "));
  CHECK(!ReadFile(none, 1000).ok());
  options.progress = nullptr;
  REQUIRE(WritePicture(in, SmoothPicture(MakeInfo(20, 30, 3, false, 16), 1)).ok());
  const Error deep = EncodeFile(model, in, none, options).error();
  CHECK(deep.code == ErrorCode::kInvalidArgument);
  CHECK(Has(deep.message, "a.png: pictures of 16 bits cannot be coded without loss"));
  CHECK(folder.CountFiles() == 3);
}

TEST_CASE("tools: all of PngSuite comes back without loss") {
  const TemporaryFolder folder;
  const Model model = LoadModel(TinyModelFile());
  const std::string out = folder.File("a.glint"), back = folder.File("b.png");
  EncodeOptions options;
  options.lossless = true;
  size_t same = 0, deep = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(GLINT_TEST_DATA) + "/pngsuite")) {
    const std::string in = entry.path().string();
    CAPTURE(in);
    const Expected<Picture> picture = ReadPicture(in);
    if (!picture.ok()) continue;
    const Expected<CodingSummary> summary = EncodeFile(model, in, out, options);
    if (picture->info.bit_depth > 8) {
      CHECK(summary.error().code == ErrorCode::kInvalidArgument);
      ++deep;
      continue;
    }
    REQUIRE_MESSAGE(summary.ok(), summary.error().message);
    const Expected<StreamFile> stream = ReadStream(out, {}, DetailOutput::kDecode);
    REQUIRE(stream.ok());
    REQUIRE(DecodeFile(model, *stream, back, "png", {}).ok());
    const Expected<Picture> decoded = ReadPicture(back);
    REQUIRE(decoded.ok());
    CHECK(decoded->info.channels == picture->info.channels);
    CHECK(decoded->info.has_alpha == picture->info.has_alpha);
    CHECK(decoded->samples == picture->samples);
    ++same;
  }
  CHECK(same > 120);
  CHECK(deep > 10);
}

// ---- damage ------------------------------------------------------------------------------------

// Two sections; the second is damaged.
std::vector<uint8_t> DamagedStream(const Model& model) {
  const Picture picture = SmoothPicture(MakeInfo(30, 1100, 3, false, 8), 7);
  std::vector<uint8_t> stream = EncodeWith(model, picture, Detail::kOn);
  const Expected<StreamInfo> info = Inspect(stream.data(), stream.size());
  REQUIRE(info.ok());
  StreamInfo::Chunk second{};
  for (const StreamInfo::Chunk& chunk : info->chunks) {
    if (chunk.type == 'D') second = chunk;
  }
  REQUIRE(second.bytes > 0);
  stream[second.offset + second.bytes / 2] ^= 4;
  return stream;
}

TEST_CASE("tools: damaged details are named, and left out where that is wanted") {
  const TemporaryFolder folder;
  const Model model = LoadModel(TinyModelFile());
  const std::vector<uint8_t> stream = DamagedStream(model);
  const std::string in = folder.File("a.glint"), out = folder.File("a.png");
  REQUIRE(WriteFile(in, stream.data(), stream.size()).ok());
  const Error refused = ReadStream(in, {}, DetailOutput::kDecode).error();
  CHECK(refused.code == ErrorCode::kBadStream);
  CHECK(Has(refused.message, "a.glint: details of rows 1024 to 1099 are damaged; --skip-damaged"));

  DecodeOptions options;
  options.detail = DetailOutput::kSkipDamaged;
  const Expected<StreamFile> read = ReadStream(in, {}, options.detail);
  REQUIRE(read.ok());
  const Expected<CodingSummary> summary = DecodeFile(model, *read, out, "png", options);
  REQUIRE_MESSAGE(summary.ok(), summary.error().message);
  REQUIRE(summary->warnings.size() == 1);
  CHECK(summary->warnings[0] == "details of rows 1024 to 1099 are damaged and left out");
  CHECK(summary->left_out.empty());

  options.detail = DetailOutput::kSkip;
  const Expected<CodingSummary> preview = DecodeFile(model, *read, out, "png", options);
  REQUIRE_MESSAGE(preview.ok(), preview.error().message);
  CHECK(preview->warnings.empty());
  CHECK(preview->left_out == "details");

  const Expected<StreamInfo> info = Inspect(stream.data(), stream.size(), {}, true);
  REQUIRE(info.ok());
  CHECK(Has(StreamText(*info), "\ndamaged     details of rows 1024 to 1099\n"));
  const Json json = StreamJson(*info);
  CHECK(json["detail"] == true);
  CHECK(json["damaged_detail_rows"] == Json::parse(R"([{"begin": 1024, "end": 1100}])"));
}

TEST_CASE("tools: a stream and a model tell of their details") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(30, 40, 3, false, 8), 7);
  const auto with = EncodeWith(model, picture, Detail::kOn);
  const auto without = EncodeWith(model, picture, Detail::kOff);
  const StreamInfo info = *Inspect(with.data(), with.size());
  const StreamInfo none = *Inspect(without.data(), without.size());
  CHECK(DetailBytes(info) > 0);
  CHECK(DetailBytes(none) == 0);
  CHECK(Has(StreamText(info), " % of the stream\n"));
  CHECK(Has(StreamText(info), ", of the model's part\n"));
  CHECK(Has(StreamText(none), "\ndetails     none\n"));
  CHECK(StreamJson(info)["detail_bytes"] == DetailBytes(info));
  CHECK(StreamJson(none)["detail"] == false);
  CHECK(ModelJson(model.info())["detail_lrd"]["max"] == model.info().detail_lrd_max);
  ModelInfo numbers;
  numbers.detail_lrd_min = 0.000015;
  numbers.detail_lrd_max = 0.12037037;
  numbers.detail_lrd_default = 0.0004;
  CHECK(Has(ModelText(numbers), "with details  0.000015 to 0.1203, default 0.0004\n"));
  numbers.detail_lrd_min = 1.53787e-5;
  CHECK(Has(ModelText(numbers), "with details  0.00001538 to "));
}

// ---- evaluate ----------------------------------------------------------------------------------

TEST_CASE("tools: a measurement says what details did, and nothing where they are off") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(130, 70, 3, false, 8), 3);
  MeasureOptions options;
  options.detail = Detail::kOn;
  const Expected<Coded> with = Measure(model, model, picture, options);
  options.detail = Detail::kOff;
  const Expected<Coded> without = Measure(model, model, picture, options);
  REQUIRE(with.ok());
  REQUIRE(without.ok());
  const Measurement& m = with->measurement;
  CHECK(m.detail.blocks == 6);
  CHECK(m.detail.transform_blocks + m.detail.pixel_blocks == 6);
  CHECK(m.detail.bytes > 0);
  CHECK(m.encoding_stages.detail > 0);
  CHECK(m.decoding_stages.detail > 0);
  CHECK(without->measurement.detail.blocks == 0);
  CHECK(!without->measurement.base_psnr);
  if (m.base_psnr) {
    CHECK(*m.base_psnr == doctest::Approx(without->measurement.psnr).epsilon(1e-4));
    CHECK(*m.repaired_psnr == doctest::Approx(m.psnr).epsilon(1e-4));
  }
}

TEST_CASE("tools: means of details, as a table and as JSON") {
  Measurement a, b;
  a.bytes = b.bytes = 1000;
  a.detail.bytes = 500;
  a.detail.blocks = b.detail.blocks = 6;
  a.detail.transform_blocks = 2;
  a.detail.pixel_blocks = b.detail.pixel_blocks = 1;
  b.detail.plain_blocks = 1;
  a.base_psnr = 30;
  a.repaired_psnr = 34;
  a.encoding_stages.detail = 0.5;
  a.encoding_stages.total = 1;
  const Means means = MeansOf({a, b});
  CHECK(means.detail.blocks == 12);
  CHECK(means.detail.plain_blocks == 1);
  CHECK(*means.base_psnr == 30);
  CHECK(*means.repaired_psnr == 34);
  CHECK(means.encoding_stages.detail == 0.25);
  CHECK(Has(DetailTable("lrd", {{"0.0004", means}}),
            "\n0.0004      12           2       2       1    25.0 %        30.00  34.00\n"));
  CHECK(Has(StageTable("lrd", {{"0.0004", means}}), "0.2500  0.2500  0.5000\n"));
  a.repaired_psnr = std::numeric_limits<double>::infinity();
  CHECK(!MeansOf({a, b}).base_psnr);

  Evaluation evaluation;
  evaluation.paths = {"x"};
  evaluation.detail = "off";
  evaluation.measurements = {a, b};
  const Json json = EvaluationJson(evaluation);
  CHECK(json["detail"] == "off");
  CHECK(json["images"][0]["detail"]["transform_blocks"] == 2);
  CHECK(json["images"][0]["detail"]["base_psnr"] == 30);
  CHECK(json["images"][1]["detail"]["base_psnr"].is_null());
  CHECK(json["images"][0]["stages"]["encoding"]["detail"] == 0.5);
}

}  // namespace
}  // namespace glint::tools
