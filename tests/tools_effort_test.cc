// What the programs make of an effort, and what they say of it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tools/commands/coding_flags.h"
#include "tools/evaluation/measurement.h"
#include "tools/evaluation/output.h"
#include "tools/program/effort_flag.h"

namespace glint::tools {
namespace {

using testing::LoadModel;
using testing::ModelBuilder;
using testing::MustEncode;
using testing::SmoothPicture;
using testing::TinyModelFile;

bool Has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

TEST_CASE("tools: a measurement takes the effort") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture(MakeInfo(130, 70, 3, false, 8), 3);
  EncodeOptions call;
  for (const int effort : {0, 2}) {
    CAPTURE(effort);
    MeasureOptions options;
    options.effort = call.effort = effort;
    options.repeat = 2;
    const Expected<Coded> coded = Measure(model, model, picture, options);
    REQUIRE_MESSAGE(coded.ok(), coded.error().message);
    CHECK(coded->stream == MustEncode(model, picture, call));
    CHECK((coded->measurement.encoding_stages.effort > 0) == (effort > 0));
    CHECK(coded->measurement.decoding_stages.effort == 0);
  }
}

TEST_CASE("tools: the memory that an effort takes is planned") {
  const TemporaryFolder folder;
  const Model model = LoadModel(TinyModelFile());
  const std::string path = folder.File("a.ppm");
  REQUIRE(WritePicture(path, SmoothPicture(MakeInfo(300, 200, 3, false, 8), 1)).ok());
  const auto needed = [&](int effort) {
    MeasureOptions options;
    options.effort = effort;
    options.limits.max_memory = 1000;
    std::vector<std::string> warnings;
    const Error error = ReadToMeasure(path, {{model, model}}, options, &warnings).error();
    REQUIRE(error.code == ErrorCode::kLimit);
    return error.memory_needed;
  };
  CHECK(needed(1) > needed(0));
}

TEST_CASE("tools: effort in the tables, the summary and JSON, where there is any") {
  Measurement measurement;
  measurement.encoding_stages.effort = 0.25;
  measurement.encoding_stages.detail = 0.5;
  measurement.encoding_stages.total = 1;
  const std::string with = StageTable("lrd", {{"0.0004", MeansOf({measurement})}});
  CHECK(Has(with, "detail  effort"));
  CHECK(Has(with, "0.5000  0.2500  0.2500  1.0000\n"));
  CHECK(Has(with, "-       -       -       -\n"));  // decoding

  Evaluation evaluation;
  evaluation.paths = {"x"};
  evaluation.effort = 3;
  evaluation.measurements = {measurement};
  const Json json = EvaluationJson(evaluation);
  CHECK(json["effort"] == 3);
  CHECK(json["images"][0]["stages"]["effort"] == 0.25);
  CHECK(json["images"][0]["stages"]["encoding"]["effort"] == 0.25);
  CHECK(json["images"][0]["stages"]["decoding"]["effort"] == 0);

  CodingSummary summary;
  summary.picture = MakeInfo(8, 8, 3, false, 8);
  summary.pixels = 64;
  summary.report.times = measurement.encoding_stages;
  CHECK(Has(SummaryLines("a", summary).front(), ", 1.000 s, 0.250 s of it effort, "));

  measurement.encoding_stages.effort = 0;
  const std::string without = StageTable("lrd", {{"0.0004", MeansOf({measurement})}});
  CHECK(!Has(without, "effort"));
  CHECK(Has(without, "0.5000  0.5000  1.0000\n"));
  summary.report.times.effort = 0;
  CHECK(!Has(SummaryLines("a", summary).front(), "effort"));
}

TEST_CASE("tools: a model that takes no effort is named, with the reason") {
  EncodeOptions options;
  const auto check = [&](const ModelBuilder& builder) {
    return CheckEffort(LoadModel(builder.Build()), options);
  };
  ModelBuilder known = testing::TinyModel(), without_lambda = known;
  const ModelBuilder without_derivative = testing::UnderivableModel();
  known.document["rate"] = {{"parameter", "none"}, {"lambda", 0.0067}};
  without_lambda.document["rate"] = {{"parameter", "none"}};
  for (const ModelBuilder& builder : {known, without_lambda, without_derivative}) {
    CHECK(check(builder).ok());  // effort 0
  }
  options.effort = 5;
  CHECK(check(known).ok());
  ModelBuilder tuned = testing::TinyModel();
  tuned.document["rate"]["squared_error_share"] = 0.03;
  Error error = check(tuned);
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(error.message ==
        "--effort 5: test.safetensors: it was tuned for another measure than squared error, and "
        "that is what an effort makes small");
  error = check(without_lambda);
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(error.message ==
        "--effort 5: test.safetensors: it does not say for what lambda it was trained, so no "
        "effort can weigh bits against errors");
  error = check(without_derivative);
  CHECK(error.code == ErrorCode::kUnsupported);
  CHECK(error.message.find("--effort 5: test.safetensors: graph 'g_s': its gradient would not do "
                           "as a graph: test.safetensors: graph 'gradient': nodes ") == 0);
}

}  // namespace
}  // namespace glint::tools
