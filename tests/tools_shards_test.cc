// Shards and journals of `evaluate`: measurements through JSON and back, steps of results, what is
// refused, and a journal that was cut anywhere.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "doctest/doctest.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"
#include "tools/common/shard.h"
#include "tools/evaluation/comparison.h"
#include "tools/evaluation/journal.h"
#include "tools/evaluation/measurement_json.h"
#include "tools/evaluation/run.h"
#include "tools/evaluation/steps.h"

namespace glint::tools {
namespace {

namespace fs = std::filesystem;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_CASE("shards: I/N is read, and nothing else") {
  CHECK(ParseShard("1/1")->of == 1);
  CHECK(ParseShard("2/4")->index == 1);
  CHECK(ParseShard("1000000/1000000")->index == 999999);
  CHECK(ShardText(*ParseShard("2/4")) == "2/4");
  for (const char* bad :
       {"", "1", "/", "1/", "/1", "0/1", "2/1", "1/0", "-1/2", "+1/2", "1/2/3", "1 /2", "01/2",
        "1/02", "1.0/2", "0x1/2", "1/1000001", "1/18446744073709551617", "a/b"}) {
    CAPTURE(bad);
    CHECK(!ParseShard(bad));
  }
}

TEST_CASE("shards: every file is in one shard") {
  for (size_t of = 1; of < 8; ++of) {
    for (size_t place = 0; place < 20; ++place) {
      size_t owners = 0;
      for (size_t index = 0; index < of; ++index) {
        if (Shard{index, of}.Has(place)) ++owners;
      }
      CHECK(owners == 1);
    }
  }
}

// Any number that there is, of any size.
double DrawReal(std::mt19937* random) {
  for (;;) {
    const uint64_t bits = (uint64_t{(*random)()} << 32) | (*random)();
    double value;
    static_assert(sizeof(value) == sizeof(bits));
    std::memcpy(&value, &bits, sizeof(value));
    if (std::isfinite(value)) return value;
  }
}

StageTimes DrawStages(std::mt19937* random) {
  StageTimes times;
  for (double* seconds : {&times.analysis, &times.hyper, &times.context, &times.entropy,
                          &times.synthesis, &times.detail, &times.effort, &times.total}) {
    *seconds = DrawReal(random);
  }
  return times;
}

Measurement DrawMeasurement(std::mt19937* random) {
  const auto whole = [&] { return (uint64_t{(*random)()} << 32) | (*random)(); };
  const auto maybe = [&] {
    return (*random)() % 3 == 0 ? std::nullopt : std::optional<double>(DrawReal(random));
  };
  Measurement m;
  m.name = "p" + std::to_string((*random)()) + ".png";
  m.source = "folder/\"\n\xC3\xA4" + m.name;
  m.picture = (*random)() % 5;
  m.point = (*random)() % 3;
  m.lrd = (*random)() % 4 == 0 ? 0 : DrawReal(random);
  m.width = static_cast<uint32_t>((*random)());
  m.height = static_cast<uint32_t>((*random)());
  m.bytes = whole();
  m.bpp = DrawReal(random);
  m.estimated_bpp = DrawReal(random);
  m.saturated_latents = whole();
  m.detail.bytes = whole();
  m.detail.blocks = whole();
  m.detail.transform_blocks = whole();
  m.detail.pixel_blocks = whole();
  m.detail.plain_blocks = whole();
  m.base_psnr = maybe();
  if (m.base_psnr) m.repaired_psnr = (*random)() % 3 == 0 ? kInfinity : DrawReal(random);
  m.psnr = (*random)() % 3 == 0 ? kInfinity : DrawReal(random);
  m.ms_ssim = maybe();
  m.encoding_time = DrawReal(random);
  m.decoding_time = DrawReal(random);
  m.encoding_stages = DrawStages(random);
  m.decoding_stages = DrawStages(random);
  return m;
}

TEST_CASE("shards: a measurement comes back from JSON as it was") {
  std::mt19937 random(TestSeed());
  for (int i = 0; i < 300; ++i) {
    const Measurement m = DrawMeasurement(&random);
    const Json json = ParseJson(JsonText(MeasurementJson(m)));
    std::string fault;
    const Measurement back = ReadMeasurement(JsonFields(json, &fault));
    CHECK(fault.empty());
    CHECK(MeasurementJson(back) == MeasurementJson(m));
    CHECK(back.psnr == m.psnr);
    CHECK(back.ms_ssim == m.ms_ssim);
    CHECK(back.base_psnr == m.base_psnr);
    CHECK(back.repaired_psnr == m.repaired_psnr);
    CHECK(back.lrd == m.lrd);
    CHECK(back.picture == m.picture);
    CHECK(back.point == m.point);
    CHECK(back.decoding_stages.total == m.decoding_stages.total);
  }
}

// Of two models, at three rates; the second picture fails with the second model at the second rate,
// the last one with the first model at the first.
constexpr size_t kModels = 2, kPoints = 3, kPictures = 5;

EvaluationRun MakeRun() {
  EvaluationRun run;
  run.version = "1.2.3";
  for (const char* label : {"FP32", "INT8"}) {
    RunModel model;
    model.label = model.type = label;
    model.name = "light";
    model.members = {{"light", "light.safetensors", std::string("id-") + label, 1000}};
    run.models.push_back(model);
  }
  for (const double lrd : {1e-4, 2e-4, 3e-4}) run.points.push_back({lrd, 0});
  run.detail = "auto";
  run.is_folder = true;
  for (size_t i = 0; i < kPictures; ++i) {
    run.pictures.push_back({"p" + std::to_string(i) + ".png", 100 + i});
  }
  return run;
}

// Which model fails, kModels for none.
size_t FailingModel(size_t picture, size_t point) {
  if (picture == 1 && point == 1) return 1;
  return picture == kPictures - 1 && point == 0 ? 0 : kModels;
}

StepTable MakeSteps(const EvaluationRun& run, std::mt19937* random) {
  StepTable steps;
  for (const size_t picture : PicturesOf(run)) {
    for (size_t point = 0; point < kPoints; ++point) {
      Step step{picture, point, {}, {}};
      const size_t models = FailingModel(picture, point);
      for (size_t m = 0; m < models; ++m) {
        step.measurements.push_back(DrawMeasurement(random));
        step.measurements.back().picture = picture;
        step.measurements.back().point = point;
      }
      if (models < kModels) step.failure = Failure{"p.png", "p.png: no", picture, point, {}};
      steps[{picture, point}] = step;
      if (step.failure) break;
    }
  }
  return steps;
}

// As EvaluationReport has them at the end of a run.
std::vector<Evaluation> EvaluationsOf(const EvaluationRun& run, const StepTable& steps) {
  std::vector<Evaluation> evaluations(kModels);
  for (size_t m = 0; m < kModels; ++m) {
    Evaluation& evaluation = evaluations[m];
    evaluation.label = run.models[m].label;
    evaluation.paths = {run.models[m].members[0].path};
    for (const size_t picture : PicturesOf(run)) {
      std::vector<Measurement> measured;
      std::optional<Failure> failure;
      for (auto step = steps.lower_bound({picture, 0});
           step != steps.end() && step->first.first == picture; ++step) {
        const std::vector<Measurement>& of_step = step->second.measurements;
        if (m < of_step.size()) measured.push_back(of_step[m]);
        failure = step->second.failure;
      }
      if (failure) {
        failure->measured = measured;
        evaluation.failures.push_back(*failure);
      } else {
        evaluation.measurements.insert(evaluation.measurements.end(), measured.begin(),
                                       measured.end());
      }
    }
    evaluation.rates.resize(kPoints);
  }
  return evaluations;
}

Json StepsJson(const StepTable& steps) {
  Json json = Json::array();
  for (const auto& [key, step] : steps) json.push_back(StepJson(step));
  return json;
}

TEST_CASE("shards: all steps come back from results, failures too") {
  std::mt19937 random(TestSeed());
  for (size_t of = 1; of <= kPictures + 1; ++of) {
    for (size_t index = 0; index < of; ++index) {
      EvaluationRun run = MakeRun();
      run.shard = Shard{index, of};
      const StepTable steps = MakeSteps(run, &random);
      const Json json = ParseJson(JsonText(EvaluationsJson(EvaluationsOf(run, steps))));
      std::string fault;
      const StepTable back = ReadResults(json, run, &fault);
      CHECK(fault == "");
      CHECK(StepsJson(back) == StepsJson(steps));
    }
  }
}

TEST_CASE("shards: results that lack a step, have one twice or a foreign one are refused") {
  std::mt19937 random(TestSeed());
  const EvaluationRun run = MakeRun();
  const StepTable steps = MakeSteps(run, &random);
  const Json json = EvaluationsJson(EvaluationsOf(run, steps));
  const auto fault_of = [&](const Json& results) {
    std::string fault;
    ReadResults(results, run, &fault);
    return fault;
  };
  REQUIRE(fault_of(json) == "");
  for (size_t model = 0; model < kModels; ++model) {
    const size_t images = json["models"][model]["images"].size();
    for (size_t i = 0; i < images; ++i) {
      Json changed = json;
      changed["models"][model]["images"].erase(i);
      CHECK(fault_of(changed).find("is missing") != std::string::npos);
      changed = json;
      Json& list = changed["models"][model]["images"];
      list.push_back(list[i]);
      CHECK(fault_of(changed) != "");
      for (const char* key : {"picture", "rate"}) {
        changed = json;
        changed["models"][model]["images"][i][key] = 77;
        CHECK(fault_of(changed).find("not in its list") != std::string::npos);
      }
    }
  }
  Json changed = json;
  changed["models"][0]["failures"].erase(0);
  CHECK(fault_of(changed) != "");
  changed = json;
  changed["models"].erase(1);
  CHECK(fault_of(changed) != "");
  EvaluationRun other = run;
  other.shard = Shard{0, 2};
  std::string fault;
  ReadResults(json, other, &fault);
  CHECK(fault != "");
}

// Every member of every object, one at a time, of another kind or gone.
void ForEachChange(const Json& whole, const Json::json_pointer& at,
                   const std::function<void(const Json&)>& check) {
  const Json& here = whole[at];
  if (here.is_object()) {
    for (const auto& [key, value] : here.items()) {
      Json changed = whole;
      changed[at].erase(key);
      check(changed);
      ForEachChange(whole, at / key, check);
    }
  } else if (here.is_array()) {
    for (size_t i = 0; i < here.size(); ++i) ForEachChange(whole, at / i, check);
  }
  for (const Json& value :
       {Json(-1), Json(1e300), Json("x"), Json(nullptr), Json(true), Json::array(), Json::object(),
        Json::array({1}), Json(18446744073709551615U)}) {
    Json changed = whole;
    changed[at] = value;
    check(changed);
  }
}

TEST_CASE("shards: a run comes back from JSON, and what is no run is a fault or another run") {
  const EvaluationRun run = MakeRun();
  const Json json = RunJson(run);
  const auto read = [](const Json& changed, std::string* fault) {
    const EvaluationRun back = ReadRun(JsonFields(changed, fault), fault);
    return RunJson(back);
  };
  std::string none;
  CHECK(read(json, &none) == json);
  CHECK(none == "");
  ForEachChange(json, Json::json_pointer(), [&](const Json& changed) {
    std::string fault;
    const Json back = read(changed, &fault);
    CHECK((changed == json || fault != "" || DifferenceText(back, json) != ""));
  });
}

TEST_CASE("shards: differences of runs are named by their place") {
  const Json json = RunJson(MakeRun());
  const auto difference = [&](const std::function<void(EvaluationRun*)>& change) {
    EvaluationRun run = MakeRun();
    change(&run);
    return DifferenceText(RunJson(run), json);
  };
  CHECK(difference([](EvaluationRun*) {}) == "");
  CHECK(difference([](EvaluationRun* run) { run->effort = 3; }) == "effort: 3, not 0");
  CHECK(difference([](EvaluationRun* run) { run->models[1].members[0].id = "other"; }) ==
        "models 2, members 1, id: \"other\", not \"id-INT8\"");
  CHECK(difference([](EvaluationRun* run) { run->points.pop_back(); }) == "rates: 2, not 3");
  CHECK(difference([](EvaluationRun* run) { run->pictures[3].bytes = 7; }) ==
        "pictures 4, bytes: 7, not 103");
}

TEST_CASE("shards: steps that no run has are faults, and nothing worse") {
  std::mt19937 random(TestSeed());
  const EvaluationRun run = MakeRun();
  for (const auto& [key, step] : MakeSteps(run, &random)) {
    const Json json = StepJson(step);
    std::string none;
    CHECK(StepJson(ReadStep(JsonFields(json, &none), run, &none)) == json);
    CHECK(none == "");
    if (key.second > 0) continue;  // enough of these
    ForEachChange(json, Json::json_pointer(), [&](const Json& changed) {
      std::string fault;
      const Step back = ReadStep(JsonFields(changed, &fault), run, &fault);
      if (fault != "") return;
      CHECK(back.picture < kPictures);
      CHECK(back.point < kPoints);
      CHECK(back.measurements.size() + (back.failure ? 1 : 0) <= kModels);
    });
  }
}

// ---- journals -----------------------------------------------------------------------------------

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// A journal with its pictures, which are files of their names.
struct JournalCase {
  JournalCase() {
    for (size_t i = 0; i < kPictures; ++i) {
      paths.push_back(folder.File("p" + std::to_string(i) + ".png"));
      WriteText(paths.back(), "picture");
    }
  }
  Expected<std::unique_ptr<EvaluationJournal>> Open(const EvaluationRun& run) const {
    return EvaluationJournal::Open(path, run, paths);
  }

  const TemporaryFolder folder;
  const std::string path = folder.File("all.json.journal");
  std::vector<std::string> paths;
};

TEST_CASE("journal: goes on after it was cut anywhere") {
  std::mt19937 random(TestSeed());
  const JournalCase files;
  const EvaluationRun run = MakeRun();
  const StepTable steps = MakeSteps(run, &random);
  std::vector<size_t> ends;  // of the first line and each step
  {
    const auto journal = files.Open(run);
    REQUIRE(journal.ok());
    ends.push_back(ReadText(files.path).size());
    for (const auto& [key, step] : steps) {
      REQUIRE((*journal)->Append(step).ok());
      ends.push_back(ReadText(files.path).size());
    }
  }
  const std::string whole = ReadText(files.path);
  const size_t last_lines = ends[ends.size() - 3];
  for (size_t size = 0; size <= whole.size(); size += size >= last_lines ? 1 : 97) {
    WriteText(files.path, whole.substr(0, size));
    const auto journal = files.Open(run);
    REQUIRE(journal.ok());
    size_t done = 0;  // whole lines, without the first
    while (done + 1 < ends.size() && ends[done + 1] <= size) ++done;
    REQUIRE((*journal)->done().size() == done);
    auto step = steps.begin();
    for (const auto& [key, found] : (*journal)->done()) {
      CHECK(key == step->first);
      CHECK(StepJson(found) == StepJson(step->second));
      ++step;
    }
    for (; step != steps.end(); ++step) REQUIRE((*journal)->Append(step->second).ok());
    REQUIRE(ReadText(files.path) == whole);
  }
}

TEST_CASE("journal: of another run, of changed pictures, or damaged, it is refused") {
  std::mt19937 random(TestSeed());
  const JournalCase files;
  const EvaluationRun run = MakeRun();
  const StepTable steps = MakeSteps(run, &random);
  {
    const auto journal = files.Open(run);
    REQUIRE(journal.ok());
    for (const auto& [key, step] : steps) REQUIRE((*journal)->Append(step).ok());
    const auto second = files.Open(run);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().message.find("another run writes it") != std::string::npos);
  }
  const std::string whole = ReadText(files.path);
  const auto refusal = [&](const EvaluationRun& other) {
    const auto journal = files.Open(other);
    return journal ? std::string() : journal.error().message;
  };
  const auto has = [](const std::string& text, const std::string& part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  CHECK(refusal(run) == "");
  EvaluationRun other = run;
  other.models[0].members[0].id = "other";
  has(refusal(other), "run, models 1, members 1, id: \"id-FP32\", not \"other\"");
  other = run;
  other.points[2].lrd = 0.5;
  has(refusal(other), "run, rates 3, lrd");
  other = run;
  other.shard = Shard{0, 1};
  has(refusal(other), "shard: null, not \"1/1\"");
  CHECK(ReadText(files.path) == whole);  // nothing of that changed it

  WriteText(files.paths[2], "another picture");
  fs::last_write_time(files.paths[2], fs::last_write_time(files.paths[2]) + std::chrono::hours(1));
  has(refusal(run), "p2.png has changed since");

  const std::string first = whole.substr(0, whole.find('\n') + 1);
  for (const char* text :
       {"\n", "{}\n", "[]\n", "3\n", "{\"journal\": 3}\n", "P6\n", "\xFF\xFE\n"}) {
    WriteText(files.path, text);
    has(refusal(run), "is no journal of evaluate");
  }
  const JournalCase again;
  { REQUIRE(again.Open(run).ok()); }
  const std::string begin = ReadText(again.path);
  for (const char* line :
       {"\n", "{}\n", "null\n", "[[[[[[[[\n", "{\"picture\": 0, \"rate\": 0}\n"}) {
    WriteText(again.path, begin + line);
    const auto journal = again.Open(run);
    REQUIRE_FALSE(journal.ok());
    has(journal.error().message, "line 2: is damaged");
  }
}

}  // namespace
}  // namespace glint::tools
