// Numbers, names, tables, output names, means and comparisons of the tools.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <tuple>

#include "doctest/doctest.h"
#include "tests/picture_helpers.h"
#include "tools/common/models.h"
#include "tools/common/pictures.h"
#include "tools/common/table.h"
#include "tools/common/text.h"
#include "tools/evaluation/comparison.h"
#include "tools/evaluation/job.h"
#include "tools/evaluation/output.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

TEST_CASE("tools: numbers for people") {
  CHECK(Fixed(31.204, 2) == "31.20");
  CHECK(Fixed(std::numeric_limits<double>::infinity(), 2) == "inf");
  CHECK(Fixed(std::nan(""), 2) == "-");
  CHECK(Fixed(-999999999999999, 2) == "-999999999999999.00");
  CHECK(Fixed(1e15, 2) == "1e+15");
  CHECK(Fixed(std::numeric_limits<double>::max(), 1) == "1.7976931348623157e+308");
  CHECK(Grouped(0) == "0");
  CHECK(Grouped(999) == "999");
  CHECK(Grouped(1000) == "1,000");
  CHECK(Grouped(1234567) == "1,234,567");
  CHECK(ByteSize(1023) == "1023 bytes");
  CHECK(ByteSize(1536) == "1.50 KiB");
  CHECK(ByteSize(3.0 * 1024 * 1024 * 1024) == "3.00 GiB");
  CHECK(Count(1, "picture") == "1 picture");
  CHECK(Count(24, "picture") == "24 pictures");
  for (const double value : {3.3e-05, 0.0004, 0.1, 1e300}) {
    CHECK(std::stod(Shortest(value)) == value);
  }
  CHECK(Shortest(0.0004) == "0.0004");
  CHECK(Shortest(3.3e-5) == "0.000033");
  CHECK(NearFloat(static_cast<double>(0.0004f)) == 0.0004);
  CHECK(Shortest(1e300) == "1e+300");
}

TEST_CASE("tools: sizes in flags") {
  CHECK(ParseByteSize("512") == 512u);
  CHECK(ParseByteSize("64K") == 65536u);
  CHECK(ParseByteSize("1.5g") == (3ull << 29));
  CHECK(ParseByteSize("2GiB") == (2ull << 30));
  CHECK(ParseByteSize("2TB") == (2ull << 40));
  for (const char* bad :
       {"", "K", "-1", "1X", "1KX", "nan", "inf", "1e30", "1 K", "0x10K1", "8388608T"}) {
    CAPTURE(bad);
    CHECK(!ParseByteSize(bad));
  }
}

TEST_CASE("tools: lists of numbers in flags") {
  CHECK(ParseNumbers("0.0004") == std::vector<double>{0.0004});
  CHECK(ParseNumbers("1e-4,2E-4,3") == std::vector<double>{1e-4, 2e-4, 3});
  for (const char* bad :
       {"", ",", "1,", ",1", "1,,2", "1;2", "1 2", "nan", "1,inf", "abc", "1e999"}) {
    CAPTURE(bad);
    CHECK(!ParseNumbers(bad));
  }
}

TEST_CASE("tools: names for the terminal") {
  CHECK(Printable("a\x1b[31mb\n") == "a?[31mb?");
  CHECK(DisplayWidth("f\xC3\xBCr") == 3);
  const std::string longer = std::string(100, 'a') + "_kodim01.png";
  CHECK(DisplayWidth(Printable(longer, 40)) == 40);
  CHECK(Printable(longer, 40).substr(28) == "_kodim01.png");
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += "\xC3\xA4";
  const std::string cut = Printable(umlauts, 40);
  CHECK(DisplayWidth(cut) == 40);
  CHECK(cut.size() == 2 * 37 + 3);  // no letter was cut in two
}

TEST_CASE("tools: tables are aligned") {
  const std::string text = FormatTable({{"name", Table::Align::kLeft}, {"n"}},
                                       {{"f\xC3\xBCr", "1"}, {"longer", "12345"}});
  CHECK(text ==
        "name        n\n"
        "------  -----\n"
        "f\xC3\xBCr         1\n"
        "longer  12345\n");
}

TEST_CASE("tools: files of an output folder never collide") {
  CHECK(OutputFileName("kodim01", "", ".png") == "kodim01.png");
  CHECK(OutputFileName("kodim01", "lrd0.0004", ".glint") == "kodim01_lrd0.0004.glint");
  const TemporaryFolder temporary;
  const fs::path folder = temporary.File("pictures");
  fs::create_directories(folder / "inner.png");
  for (const char* name : {"b.PNG", "a.png", "a.ppm", "notes.txt"}) std::ofstream(folder / name);
  const Expected<PictureList> list = ListPictures(folder.string());
  REQUIRE(list.ok());
  REQUIRE(list->files.size() == 3);
  CHECK(list->files[0].output == "a.png");
  CHECK(list->files[1].output == "a.ppm");
  CHECK(list->files[2].output == "b");
  CHECK(list->skipped == 1);
  fs::remove_all(folder);
  CHECK(ListPictures(folder.string()).error().code == ErrorCode::kNotFound);
}

Measurement MakeMeasurement(double psnr, std::optional<double> ms_ssim) {
  Measurement m;
  m.name = "bad\xFFname.png";
  m.lrd = 4e-4;
  m.bytes = 1000;
  m.bpp = 0.5;
  m.psnr = psnr;
  m.ms_ssim = ms_ssim;
  m.encoding_stages.analysis = 0.25;
  m.decoding_stages.hyper = 0.5;
  return m;
}

TEST_CASE("tools: means leave out what is not there") {
  const std::vector<Measurement> some = {MakeMeasurement(30, 0.9),
                                         MakeMeasurement(40, std::nullopt)};
  const Means means = MeansOf(some, size_t{0});
  CHECK(means.lrd == 4e-4);
  CHECK(means.pictures == 2);
  CHECK(means.psnr == doctest::Approx(35));
  CHECK(means.with_ms_ssim == 1);
  CHECK(*means.ms_ssim == doctest::Approx(0.9));
  CHECK(means.encoding_stages.analysis == doctest::Approx(0.25));
  CHECK(!MeansOf({some[1]}).ms_ssim);
  CHECK(MeansOf(some, size_t{1}).pictures == 0);
  Measurement larger = some[1];
  larger.bpp = 1.5;
  CHECK(MeansOf({some[0], larger}).bpp == doctest::Approx(1));
  CHECK(MeansOf({some[0], larger}).ms_ssim_bpp == doctest::Approx(0.5));
}

TEST_CASE("tools: JSON has the promised keys, and null for what has no number") {
  Evaluation evaluation;
  evaluation.type = "FP32";
  evaluation.paths = {"light.safetensors"};
  evaluation.measurements = {
      MakeMeasurement(std::numeric_limits<double>::infinity(), std::nullopt)};
  evaluation.rates = {MeansOf(evaluation.measurements, size_t{0})};
  const Json json = Json::parse(JsonText(EvaluationJson(evaluation)));
  for (const char* key : {"name", "description", "results", "images", "model", "machine"}) {
    CAPTURE(key);
    CHECK(json.contains(key));
  }
  for (const char* key :
       {"lrd", "psnr-rgb", "ms-ssim-rgb", "bpp", "encoding_time", "decoding_time"}) {
    CAPTURE(key);
    REQUIRE(json["results"].contains(key));
    CHECK(json["results"][key].size() == 1);
  }
  const Json& image = json["images"][0];
  for (const char* key :
       {"name", "source", "lrd", "width", "height", "bytes", "bpp", "estimated_bpp", "psnr-rgb",
        "ms-ssim-rgb", "encoding_time", "decoding_time", "stages"}) {
    CAPTURE(key);
    CHECK(image.contains(key));
  }
  CHECK(image["psnr-rgb"].is_null());
  CHECK(image["ms-ssim-rgb"].is_null());
  CHECK(image["stages"]["analysis"] == 0.25);
  CHECK(image["stages"]["decoding"]["hyper"] == 0.5);
  for (const char* key : {"name", "type", "file", "id", "bytes", "load_time"}) {
    CAPTURE(key);
    CHECK(json["model"].contains(key));
  }
  for (const char* key : {"cpu", "target", "threads", "peak_rss_mib"}) {
    CAPTURE(key);
    CHECK(json["machine"].contains(key));
  }
}

TEST_CASE("tools: a type may say more than a model's form") {
  CHECK(*TypeOf("", "int8") == "INT8");
  CHECK(*TypeOf("INT8", "int8") == "INT8");
  CHECK(*TypeOf("INT8-ENTROPY", "int8") == "INT8-ENTROPY");
  for (const char* form : {"int16", "fp32", "int8-entropy"}) CHECK(!TypeOf("INT8", form));
  CHECK(!TypeOf("INT8-ENTROPY", "int16"));
  CHECK(!TypeOf("INT16", "int8"));
}

TEST_CASE("tools: no two models have one label") {
  using Names = std::vector<std::string>;
  CHECK(Labels({{"a.safetensors", "INT8"}}) == Names{"INT8"});
  CHECK(Labels({{"a.safetensors", "FP32"}, {"b.safetensors", "INT8"}}) == Names{"FP32", "INT8"});
  CHECK(Labels({{"a.safetensors", "FP32", "x"}, {"b.safetensors", "INT8", "x"}}) ==
        Names{"FP32", "INT8"});
  CHECK(Labels({{"a.safetensors", "FP32", "x"}, {"b.safetensors", "INT8", "y"}}) ==
        Names{"a", "b"});
  CHECK(Labels({{"x/a.safetensors", "INT8"}, {"b.safetensors", "INT8"}}) == Names{"a", "b"});
  CHECK(Labels({{"x/a", "INT8"}, {"a_2", "FP32"}, {"y/a", "INT8"}, {"a", "INT8"}}) ==
        Names{"a", "a_2", "a_3", "a_4"});
}

TEST_CASE("tools: rates are spread evenly between their ends") {
  CHECK(SpreadRates(1, 100000) == std::vector<double>{1, 10, 100, 1000, 10000, 100000});
  CHECK(SpreadRates(5e-5, 9e-4) ==
        std::vector<double>{5e-5, 8.91e-5, 1.59e-4, 2.83e-4, 5.05e-4, 9e-4});
  CHECK(SpreadRates(3e-4, 3e-4) == std::vector<double>{3e-4});
  const std::vector<double> narrow = SpreadRates(1.0001, 1.0002);
  CHECK(narrow == std::vector<double>{1.0001, 1.0002});
}

// At two rates: `factor` times the bits and the seconds of factor 1, at the same quality.
Evaluation MakeEvaluation(const std::string& label, double factor) {
  Evaluation evaluation;
  evaluation.label = label;
  evaluation.paths = {label + ".safetensors"};
  evaluation.file_bytes = 1000;
  for (const double lrd : {1e-4, 4e-4}) {
    Measurement m = MakeMeasurement(30 + 1e4 * lrd, 0.9 + 100 * lrd);
    m.lrd = lrd;
    m.point = evaluation.rates.size();
    m.bpp = 2000 * lrd * factor;
    m.encoding_time = factor;
    m.decoding_time = 2 * factor;
    m.encoding_stages.analysis = m.decoding_stages.synthesis = factor / 2;
    evaluation.measurements.push_back(m);
    evaluation.rates.push_back(MeansOf(evaluation.measurements, evaluation.rates.size()));
  }
  return evaluation;
}

TEST_CASE("tools: models are compared with the first") {
  std::vector<Evaluation> evaluations = {MakeEvaluation("FP32", 1), MakeEvaluation("INT8", 0.5)};
  evaluations[1].file_bytes = 250;
  const Comparison comparison = CompareWithFirst(evaluations);
  REQUIRE(comparison.models.size() == 2);
  CHECK(comparison.models[0].psnr->percent == 0);
  CHECK(comparison.models[0].encoding_speed == 1);
  const ModelComparison& half = comparison.models[1];
  CHECK(half.size_ratio == 0.25);
  CHECK(half.psnr->percent == doctest::Approx(-50));
  CHECK(half.ms_ssim->percent == doctest::Approx(-50));
  CHECK(half.ms_ssim->low == doctest::Approx(Decibels(0.91)));
  CHECK(half.ms_ssim->high == doctest::Approx(Decibels(0.94)));
  CHECK(half.encoding_speed == 2);
  CHECK(half.decoding_speed == 2);
  CHECK(half.transform_speed == 2);
  const std::string text = ComparisonText(comparison);
  CAPTURE(text);
  for (const char* part : {"-50.00 %", "31.00 to 34.00", "25.0 %", "2.00x", "4 rates or more"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  const Json json = EvaluationsJson(evaluations);
  CHECK(json["models"].size() == 2);
  CHECK(json["models"][1] == EvaluationJson(evaluations[1]));
  CHECK(json["comparison"]["first"] == "FP32");
  const Json& half_json = json["comparison"]["models"][1];
  CHECK(half_json["label"] == "INT8");
  CHECK(half_json["bd_rate_psnr"]["percent"] == half.psnr->percent);
  CHECK(half_json["bd_rate_psnr"]["overlap_db"] == Json{31.0, 34.0});
  CHECK(half_json["speed_ratio"]["transforms"] == 2);
}

TEST_CASE("tools: a comparison says why it has no number") {
  std::vector<Evaluation> evaluations = {MakeEvaluation("FP32", 1), MakeEvaluation("INT8", 1)};
  for (Evaluation& evaluation : evaluations) {
    for (Means& means : evaluation.rates) means.ms_ssim.reset();
  }
  evaluations[1].rates[1].psnr = 20;
  evaluations[1].measurements.clear();
  const Comparison comparison = CompareWithFirst(evaluations);
  const std::string text = ComparisonText(comparison);
  CAPTURE(text);
  for (const char* part :
       {"No BD-rate of FP32 over MS-SSIM, INT8 over MS-SSIM: no picture is large enough",
        "No BD-rate of INT8 over PSNR: quality does not rise"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  const Json json = ComparisonJson(comparison)["models"][1];
  CHECK(json["bd_rate_psnr"]["percent"].is_null());
  CHECK(json["bd_rate_psnr"]["reason"].is_string());
  CHECK(json["speed_ratio"]["encoding"].is_null());
}

std::vector<QualityCurve> CurvesOfText(const std::string& text) {
  const Expected<std::vector<QualityCurve>> curves = CurvesOf(Json::parse(text));
  if (!curves) FAIL(curves.error().message);
  return *curves;
}

TEST_CASE("tools: curves are read as CompressAI writes them") {
  const std::string one = R"({"name": "a", "results": {"bpp": [0.2, 0.8], "psnr-rgb": [31, null],)"
                          R"( "ms-ssim-rgb": [0.9, null], "encoding_time": [1, 2]}})";
  const std::string other = R"({"results": {"bpp": [1], "psnr-rgb": [30]}})";
  for (const std::string& text :
       {"[" + one + ", " + other + "]",
        R"({"models": [)" + one + ", " + other + R"(], "comparison": {}})"}) {
    CAPTURE(text);
    const std::vector<QualityCurve> curves = CurvesOfText(text);
    REQUIRE(curves.size() == 2);
    CHECK(curves[0].name == "a");
    REQUIRE(curves[0].psnr.size() == 2);
    CHECK(curves[0].psnr[0].rate == 0.2);
    CHECK(curves[0].psnr[0].quality == 31);
    CHECK(std::isinf(curves[0].psnr[1].quality));
    REQUIRE(curves[0].ms_ssim.size() == 1);
    CHECK(curves[0].ms_ssim[0].quality == doctest::Approx(10));
    CHECK(curves[1].name == "curve 2");
    CHECK(curves[1].ms_ssim.empty());
  }
  CHECK(CurvesOfText(one).size() == 1);
}

TEST_CASE("tools: what is no curve is refused") {
  for (const char* text : {"[]", "3", "{}", R"({"models": 3})", R"({"name": "a", "results": 3})",
                           R"({"results": {"psnr-rgb": [30]}})", R"({"results": {"bpp": [1]}})",
                           R"({"results": {"bpp": 1, "psnr-rgb": [30]}})",
                           R"({"results": {"bpp": ["1"], "psnr-rgb": [30]}})",
                           R"({"results": {"bpp": [1, 2], "psnr-rgb": [30]}})",
                           R"({"name": 3, "results": {"bpp": [1], "psnr-rgb": [30]}})",
                           R"({"results": {"bpp": [0], "psnr-rgb": [30]}})",
                           R"({"results": {"bpp": [-1], "psnr-rgb": [30]}})",
                           R"({"results": {"bpp": [null], "psnr-rgb": [30]}})",
                           R"({"results": {"bpp": [1000001], "psnr-rgb": [30]}})",
                           R"({"results": {"bpp": [1], "ms-ssim-rgb": [1.5]}})"}) {
    CAPTURE(text);
    const Expected<std::vector<QualityCurve>> curves = CurvesOf(Json::parse(text));
    REQUIRE(!curves.ok());
    CHECK(!curves.error().message.empty());
  }
}

TEST_CASE("tools: curves that are nested without end are refused") {
  const TemporaryFolder folder;
  const std::string path = folder.File("deep.json");
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair(R"({"results":)", "}")}) {
    std::string text, end;
    for (int i = 0; i < 400000; ++i) {
      text += open;
      end += close;
    }
    text += "1" + end;
    REQUIRE(WriteFile(path, text.data(), text.size()).ok());
    const auto curves = ReadCurves(path);
    REQUIRE_FALSE(curves.ok());
    CHECK(curves.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("tools: models are compared with curves") {
  const std::vector<Evaluation> evaluations = {MakeEvaluation("FP32", 1),
                                               MakeEvaluation("INT8", 0.5)};
  // What `evaluate --json` writes is a file of curves.
  const std::vector<QualityCurve> curves =
      CurvesOfText(JsonText(EvaluationJson(MakeEvaluation("old", 2))));
  const std::vector<CurveComparison> comparisons = CompareWithCurves(evaluations, curves);
  REQUIRE(comparisons.size() == 2);
  CHECK(comparisons[0].label == "FP32");
  CHECK(comparisons[0].curve == "glint--old");
  CHECK(comparisons[0].psnr->percent == doctest::Approx(-50));
  CHECK(comparisons[1].psnr->percent == doctest::Approx(-75));
  CHECK(comparisons[1].ms_ssim->percent == doctest::Approx(-75));
  const std::string text = CurvesText(comparisons);
  CAPTURE(text);
  CHECK(text.find("INT8   glint--old      -75.00 %  31.00 to 34.00") != std::string::npos);
  const Json json = EvaluationsJson(evaluations, curves);
  CHECK(json["curves"].size() == 2);
  CHECK(json["curves"][1]["curve"] == "glint--old");
  CHECK(json["curves"][1]["bd_rate_psnr"]["percent"] == comparisons[1].psnr->percent);
  CHECK(!EvaluationsJson(evaluations).contains("curves"));
}

TEST_CASE("tools: curves that lack one quality say which") {
  const std::vector<QualityCurve> curves = CurvesOfText(
      R"([{"name": "no MS-SSIM", "results": {"bpp": [0.2, 0.8], "psnr-rgb": [31, 34]}},)"
      R"( {"name": "all too small", "results": {"bpp": [0.2, 0.8], "psnr-rgb": [31, 34],)"
      R"( "ms-ssim-rgb": [null, null]}},)"
      R"( {"name": "no PSNR", "results": {"bpp": [0.2, 0.8], "ms-ssim-rgb": [0.9, 0.95]}}])");
  std::vector<Evaluation> evaluations = {MakeEvaluation("FP32", 1)};
  const auto reason = [](const Expected<BdRate>& rate) {
    return rate ? std::string() : rate.error().message;
  };
  std::vector<CurveComparison> comparisons = CompareWithCurves(evaluations, curves);
  CHECK(reason(comparisons[0].psnr).empty());
  CHECK(reason(comparisons[0].ms_ssim) == "the curve has no MS-SSIM");
  CHECK(reason(comparisons[1].ms_ssim) == "the curve has no MS-SSIM");
  CHECK(reason(comparisons[2].psnr) == "the curve has no PSNR");
  CHECK(reason(comparisons[2].ms_ssim).empty());
  for (Means& means : evaluations[0].rates) means.ms_ssim.reset();
  comparisons = CompareWithCurves(evaluations, curves);
  CHECK(reason(comparisons[0].ms_ssim) == "the curve has no MS-SSIM");
  CHECK(reason(comparisons[2].ms_ssim) == "no picture is large enough for MS-SSIM");
}

TEST_CASE("tools: rates outside of a model's range are refused") {
  ModelInfo model;
  model.name = "light";
  model.lrd_min = model.detail_lrd_min = 1e-5;
  model.lrd_max = 1e-3;
  model.detail_lrd_max = 0.1;
  for (const auto& [detail, most, says] :
       {std::tuple(Detail::kOff, 1e-3, "takes 0.00001 to 0.001 without details"),
        std::tuple(Detail::kAuto, 0.1, "takes 0.00001 to 0.1"),
        std::tuple(Detail::kOn, 0.1, "takes 0.00001 to 0.1")}) {
    CHECK(CheckLrd(model, 1e-5, detail).ok());
    CHECK(CheckLrd(model, most, detail).ok());
    for (const double bad : {0.0, -1e-4, 1.1 * most, std::nan("")}) {
      CAPTURE(bad);
      const Error error = CheckLrd(model, bad, detail);
      CHECK(error.code == ErrorCode::kInvalidArgument);
      CHECK(error.message.find(says) != std::string::npos);
    }
  }
  model.lrd_min = model.lrd_max = 0;
  CHECK(CheckLrd(model, 1e-3, Detail::kAuto).ok());
  const Error fixed = CheckLrd(model, 1e-3, Detail::kOff);
  CHECK(fixed.code == ErrorCode::kInvalidArgument);
  CHECK(fixed.message.find("one fixed rate") != std::string::npos);
}

}  // namespace
}  // namespace glint::tools
