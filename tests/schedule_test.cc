// Rings of rows: the schedule that sizes them is the one that runs, and a ring that is too short is
// found out. Executors with bands and stops of every kind against the same graph in one band; the
// rows of the tests' engine keep books (engine/row_ledger.h), so every case here is a check of
// them.
#include "engine/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "codec/latents/latent_geometry.h"
#include "codec/latents/latent_schedule.h"
#include "codec/model/model_impl.h"
#include "engine/repeating_schedule.h"
#include "engine/row_ledger.h"
#include "kernels/targets.h"
#include "tests/codec_helpers.h"
#include "tests/graph_builder.h"
#include "tests/seed.h"

namespace glint {
namespace {

int64_t Draw(std::mt19937* random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(*random);
}

// Upward, of class close in pairs of rows: with at most 4 channels the planner makes them so. An
// activation takes the place of each pair, and what reads it needs an odd number of rows. There is
// a detour of another reach.
Graph UpGraph(TestModel* model, NumericClass numeric_class) {
  GraphBuilder b(model, numeric_class);
  const std::string v = b.LeakyRelu(b.Deconv(b.Input("z", 4), 4, 4), 0.125f);
  const std::string w = b.LeakyRelu(b.Deconv(v, 4, 5), 0.125f);
  const std::string detour = b.Conv(b.LeakyRelu(b.Conv(w, 6, 5, 1), 0.5f), 6, 3, 1);
  return b.Finish(b.LeakyRelu(b.Conv(b.Concat({w, detour}), 5, 3, 1), 0.125f));
}

// Pairs of kernels that read two rows and three, one behind the other.
Graph PairsGraph(TestModel* model) {
  GraphBuilder b(model, NumericClass::kClose);
  return b.Finish(b.Deconv(b.LeakyRelu(b.Deconv(b.Input("y", 6), 4, 3), 0.5f), 3, 4));
}

Graph FlatGraph(TestModel* model) {
  GraphBuilder b(model, NumericClass::kExact);
  const std::string x = b.Input("x", 4);
  return b.Finish(
      b.Conv(b.Concat({b.Conv(x, 4, 5, 1), b.Conv(b.Conv(x, 4, 3, 1), 4, 3, 1)}), 4, 5, 1));
}

// Every second row of a tensor is never read.
Graph GapsGraph(TestModel* model) {
  GraphBuilder b(model, NumericClass::kClose);
  return b.Finish(b.Conv(b.LeakyRelu(b.Input("x", 4), 0.5f), 5, 1, 2));
}

// Products that overwrite what they add: behind a 3x3, in a chain, and one whose result is read
// around the row and added again.
Graph BottleneckGraph(TestModel* model, NumericClass numeric_class) {
  GraphBuilder b(model, numeric_class);
  std::string x = b.Conv(b.Input("x", 4), 6, 3, 2);
  for (const int kernel : {3, 1, 3}) {
    x = b.Add(b.Conv(b.LeakyRelu(b.Conv(b.Conv(x, 5, 1, 1), 5, kernel, 1), 0.5f), 6, 1, 1), x);
  }
  return b.Finish(b.Conv(b.Add(b.Conv(b.Conv(x, 4, 5, 1), 6, 1, 1), x), 3, 3, 1));
}

// Down and up again, time after time, behind and before what goes far up and down.
Graph UpAndDownGraph(TestModel* model, int levels, int times) {
  GraphBuilder b(model, NumericClass::kExact);
  std::string x = b.Input("z", 1);
  for (int i = 0; i < levels; ++i) x = b.Deconv(x, 1, 3);
  for (int i = 0; i < times; ++i) x = b.Deconv(b.Conv(x, 1, 3, 2), 1, 3);
  return b.Finish(x);
}

struct Subject {
  std::unique_ptr<TestModel> model = std::make_unique<TestModel>(21);
  Graph graph;
};

std::vector<Subject> AllGraphs() {
  std::vector<Subject> subjects(9);
  subjects[0].graph = AnalysisGraph(subjects[0].model.get(), GdnForm::kAbs);
  subjects[1].graph = PairsGraph(subjects[1].model.get());
  subjects[2].graph = FlatGraph(subjects[2].model.get());
  subjects[3].graph = UpGraph(subjects[3].model.get(), NumericClass::kClose);
  subjects[4].graph = UpGraph(subjects[4].model.get(), NumericClass::kExact);
  subjects[5].graph = GapsGraph(subjects[5].model.get());
  subjects[6].graph = BottleneckGraph(subjects[6].model.get(), NumericClass::kClose);
  subjects[7].graph = BottleneckGraph(subjects[7].model.get(), NumericClass::kExact);
  subjects[8].graph = UpAndDownGraph(subjects[8].model.get(), 3, 2);
  return subjects;
}

struct Case {
  ExecutorOptions options;
  std::string text;
};

Case DrawCase(std::mt19937* random, int64_t most_height) {
  Case drawn;
  ExecutorOptions& options = drawn.options;
  options.in_width = static_cast<size_t>(Draw(random, 1, 3));
  options.in_height = Draw(random, 1, most_height);
  options.bands.rows = Draw(random, 1, Draw(random, 0, 1) != 0 ? 5 : 90);
  if (Draw(random, 0, 2) != 0) {
    options.bands.stop_every = Draw(random, 1, 70);
    options.bands.stop_ahead = Draw(random, 0, 9);
  }
  options.runner = SerialRunner();
  drawn.text = "height " + std::to_string(options.in_height) + ", bands of " +
               std::to_string(options.bands.rows) + ", stops every " +
               std::to_string(options.bands.stop_every) + " + " +
               std::to_string(options.bands.stop_ahead);
  return drawn;
}

std::string first_fault;
void NoteFault(const std::string& what) {
  if (first_fault.empty()) first_fault = what;
}

// While it lives, rings have a row fewer than planned, and faults are noted.
class ShortRings {
 public:
  explicit ShortRings(size_t rows) {
    first_fault.clear();
    SetMissingRows(rows);
    SetRowFaultHandler(NoteFault);
  }
  ~ShortRings() {
    SetMissingRows(0);
    SetRowFaultHandler(nullptr);
  }
  ShortRings(const ShortRings&) = delete;
  ShortRings& operator=(const ShortRings&) = delete;
};

// 60 cases for each of the graphs.
void ForDrawnCases(std::mt19937* random,
                   const std::function<void(const PlanImpl&, const ExecutorOptions&)>& check) {
  for (const auto& [model, graph] : AllGraphs()) {
    const auto plan = Plan::Make(*model, graph);
    REQUIRE(plan.ok());
    for (int i = 0; i < 60; ++i) {
      const Case drawn = DrawCase(random, 3000);
      CAPTURE(drawn.text);
      check(static_cast<const PlanImpl&>(*plan.value()), drawn.options);
    }
  }
}

}  // namespace

TEST_CASE("bands: ends rise by at most a band, reach every stop and the last row") {
  std::mt19937 random(TestSeed() + 500);
  for (int i = 0; i < 500; ++i) {
    const Bands bands = {Draw(&random, 1, 40), Draw(&random, 0, 60), Draw(&random, 0, 20)};
    const int64_t height = Draw(&random, 1, 300);
    std::vector<bool> reached(static_cast<size_t>(height) + 1, false);
    for (int64_t end = 0; end < height;) {
      const int64_t next = bands.Next(end, height);
      REQUIRE(next > end);
      REQUIRE(next <= std::min(height, end + bands.rows));
      reached[static_cast<size_t>(next)] = true;
      end = next;
    }
    for (int64_t k = 1; bands.stop_every > 0; ++k) {
      const int64_t stop = bands.stop_every * k + bands.stop_ahead;
      if (stop >= height) break;
      CHECK(reached[static_cast<size_t>(stop)]);
    }
    CHECK(reached[static_cast<size_t>(height)]);
    CHECK(bands.Next(height, height) == height);
  }
}

TEST_CASE("schedule: memory is planned from the first rows as from all of them") {
  std::mt19937 random(TestSeed() + 501);
  ForDrawnCases(&random, [&](const PlanImpl& inside, const ExecutorOptions& options) {
    const auto memory = PlanExecutorMemory(inside, options, {}, nullptr);
    REQUIRE(memory.ok());
    std::vector<size_t> most(inside.tensors.size(), 1), made(most);
    Schedule schedule;
    REQUIRE(schedule.Init(inside, options).ok());
    for (; !schedule.done(); schedule.Advance()) {
      const std::vector<int64_t> held = schedule.Held();
      for (size_t t = 0; t < most.size(); ++t) {
        most[t] = std::max(most[t], static_cast<size_t>(held[t]));
      }
      for (size_t s = 0; s < inside.steps.size(); ++s) {
        const int output = inside.steps[s]->output;
        const auto storage =
            static_cast<size_t>(inside.tensors[static_cast<size_t>(output)].storage);
        const int64_t rows = schedule.need(output) - schedule.step_end(s);
        made[storage] = std::max(made[storage], static_cast<size_t>(rows));
      }
    }
    for (size_t t = 0; t < most.size(); ++t) {
      if (static_cast<size_t>(inside.tensors[t].storage) != t) continue;
      CHECK(memory.value().layouts[t].capacity == most[t]);
      // Rows that workers write at the same time have memory of their own, read or not.
      CHECK(memory.value().layouts[t].capacity >= made[t]);
    }
  });
}

TEST_CASE("schedule: it can begin anywhere, and what repeats is what would be counted") {
  std::mt19937 random(TestSeed() + 504);
  ForDrawnCases(&random, [&](const PlanImpl& inside, const ExecutorOptions& options) {
    Schedule counted, jumped;
    RepeatingSchedule repeating;
    REQUIRE(counted.Init(inside, options).ok());
    REQUIRE(jumped.Init(inside, options).ok());
    REQUIRE(repeating.Init(inside, options).ok());
    for (bool more = true; more; counted.Advance(), repeating.Advance()) {
      more = !counted.done();
      bool same = repeating.end() == counted.end() && repeating.done() == counted.done() &&
                  repeating.steady() == counted.steady();
      if (more) {
        same = same && repeating.next_end() == counted.next_end() &&
               repeating.InputEnd() == counted.InputEnd() &&
               repeating.OutputEnd() == counted.OutputEnd();
      }
      for (size_t input = 0; input < inside.input_tensors.size(); ++input) {
        same = same && repeating.InputEnd(input) == counted.InputEnd(input) &&
               repeating.InputLowest(input) == counted.InputLowest(input);
      }
      REQUIRE_MESSAGE(same, "at row ", counted.end());
      if (!more || Draw(&random, 0, 20) != 0) continue;
      jumped.JumpTo(counted.end());
      REQUIRE(jumped.Held() == counted.Held());
      for (size_t s = 0; s < inside.steps.size(); ++s) {
        REQUIRE(jumped.step_end(s) == counted.step_end(s));
      }
    }
  });
}

// 160 steps whose rows repeat after 64 rows, and with the ends of segments after 4,032 or 12,096.
TEST_CASE("schedule: planning goes through the steps no more often for a taller picture") {
  TestModel model(22);
  const Graph graph = UpAndDownGraph(&model, 6, 77);
  const auto plan = Plan::Make(model, graph);
  REQUIRE(plan.ok());
  const auto& inside = static_cast<const PlanImpl&>(*plan.value());
  for (const int64_t every : {0, 63, 189}) {
    CAPTURE(every);
    ExecutorOptions options;
    options.in_width = 1;
    options.bands = {1, every, every / 10};
    const auto visits = [&](int64_t height) {
      options.in_height = height;
      const auto memory = PlanExecutorMemory(inside, options, {}, nullptr);
      REQUIRE(memory.ok());
      return memory.value().visits;
    };
    const auto repeating_visits = [&](int64_t height) {
      options.in_height = height;
      RepeatingSchedule schedule;
      REQUIRE(schedule.Init(inside, options).ok());
      while (!schedule.done()) schedule.Advance();
      return schedule.visits();
    };
    CHECK(visits(int64_t{1} << 24) == visits(int64_t{1} << 12));
    CHECK(visits(int64_t{1} << 24) < 1000);
    CHECK(repeating_visits(20000) <= repeating_visits(2000) + 64);
    CHECK(repeating_visits(2000) < 1000);
  }
}

TEST_CASE("executor: bands and stops of every kind give the same bits") {
  std::mt19937 random(TestSeed() + 502);
  for (const auto& [model, graph] : AllGraphs()) {
    for (int i = 0; i < 12; ++i) {
      const Case drawn = DrawCase(&random, 60);
      CAPTURE(drawn.text);
      std::map<std::string, ReferenceTensor> inputs;
      for (const GraphInput& input : graph.inputs) {
        ReferenceTensor tensor(static_cast<int>(drawn.options.in_height),
                               static_cast<int>(drawn.options.in_width), input.channels);
        std::normal_distribution<float> value(0.0f, 1.0f);
        for (double& v : tensor.data) v = static_cast<double>(value(random));
        inputs[input.name] = tensor;
      }
      RunOptions run;
      run.band = 1 << 20;
      const ReferenceTensor whole = RunExecutor(*model, graph, inputs, 0.1, run);
      const Bands& bands = drawn.options.bands;
      run.band = bands.rows;
      run.stop_every = bands.stop_every;
      run.stop_ahead = bands.stop_ahead;
      run.threads = static_cast<size_t>(Draw(&random, 1, 5));
      const bool same = RunExecutor(*model, graph, inputs, 0.1, run).data == whole.data;
      CHECK_MESSAGE(same, "threads ", run.threads);
    }
  }
}

TEST_CASE(
    "row ledger: a read of what is not there, and a write back, are faults with their place") {
  const std::string graph = "h_s", tensor = "t7";
  const ShortRings guard(0);
  RowRing ring;
  REQUIRE(ring.Allocate({kernels::Element::kF32, 0, 2, 3, 100, 0, 0, 4}).ok());
  const RowUser user = {&graph, &tensor};
  for (int64_t r = 0; r < 6; ++r) ring.WriteRow(r, user);
  for (int64_t r = 2; r < 6; ++r) ring.Row(r, user);
  ring.RowOrZero(-1, user);
  ring.RowOrZero(100, user);
  CHECK(first_fault == "");
  ring.Row(1, user);
  CHECK(first_fault == "graph h_s, tensor t7: reads row 1, where row 5 of graph h_s, tensor t7 is");
  first_fault.clear();
  ring.Row(6, user);
  CHECK(first_fault == "graph h_s, tensor t7: reads row 6, where row 2 of graph h_s, tensor t7 is");
  first_fault.clear();
  ring.WriteRow(1);
  CHECK(first_fault == "the latents: writes row 1, where row 5 of graph h_s, tensor t7 is");
  first_fault.clear();
  REQUIRE(ring.Allocate({kernels::Element::kF32, 0, 2, 3, 100, 0, 0, 4}).ok());
  ring.Row(0, user);
  CHECK(first_fault == "graph h_s, tensor t7: reads row 0, where nothing has been written");
  // A tensor that was overwritten in place.
  first_fault.clear();
  const std::string other = "t8";
  ring.WriteRow(1, {&graph, &other});
  ring.Row(1, {&graph, &other});
  CHECK(first_fault == "");
  ring.Row(1, user);
  CHECK(first_fault == "graph h_s, tensor t7: reads row 1, where row 1 of graph h_s, tensor t8 is");
}

TEST_CASE("row ledger: rings of a row fewer are found out in every graph") {
  for (const Subject& subject : AllGraphs()) {
    const Graph& graph = subject.graph;
    for (const int64_t band : {1, 3, 16}) {
      ReferenceTensor tensor(64, 2, graph.inputs[0].channels);
      const std::map<std::string, ReferenceTensor> inputs = {{graph.inputs[0].name, tensor}};
      const ShortRings guard(1);
      RunOptions run;
      run.band = band;
      run.stop_every = 13;
      run.stop_ahead = 3;
      RunExecutor(*subject.model, graph, inputs, 0.1, run);
      CHECK_MESSAGE(first_fault.find("graph " + graph.name + ", tensor ") == 0, graph.name,
                    " band ", band, ": ", first_fault);
    }
  }
}

TEST_CASE("row ledger: rings of latents that are a row too short are found out") {
  using namespace testing;  // NOLINT(google-build-using-namespace)
  const Model model = LoadModel(TinyModelFile(5));
  const Picture picture = SmoothPicture({20, 16 * 40 - 3, 3, false, 8}, 4);
  const std::vector<uint8_t> stream = MustEncode(model, picture);
  {
    const ShortRings guard(1);
    MustEncode(model, picture);
    CHECK(first_fault != "");
  }
  const ShortRings guard(1);
  (void)Decode(model, stream.data(), stream.size());
  CHECK(first_fault != "");
}

TEST_CASE("latent schedule: rows do not grow with the picture, and a giant is planned at once") {
  using namespace testing;  // NOLINT(google-build-using-namespace)
  std::mt19937 random(TestSeed() + 503);
  for (const Model& model :
       {LoadModel(TinyModelFile(7)), LoadModel(TinyModelFile(64)), LoadLight()}) {
    const Model::Impl& impl = model.impl();
    const ModelDocument& document = impl.document;
    const auto rows_of = [&](uint32_t height, int64_t hyper_rows, int64_t step_rows,
                             int64_t synthesis_rows) {
      const LatentGeometry geometry(document, impl.graphs(), 16, height);
      LatentGraphs graphs;
      ExecutorOptions options;
      options.in_width = geometry.width();
      options.in_height = geometry.height();
      graphs.h_s = impl.h_s.get();
      graphs.hyper.in_width = geometry.hyper_width();
      graphs.hyper.in_height = geometry.hyper_height();
      graphs.hyper.out_height = geometry.height();
      graphs.hyper.bands = geometry.PsiBands(hyper_rows);
      for (size_t i = 0; i < impl.steps.size(); ++i) {
        const CodingStep& step = document.coding.steps[i];
        if (impl.steps[i].plan != nullptr) options.bands = geometry.StepBands(step, step_rows);
        graphs.steps.push_back(
            {&step, impl.steps[i].plan.get(), impl.steps[i].front.get(), options});
      }
      graphs.g_s = impl.g_s.get();
      graphs.synthesis = options;
      graphs.synthesis_unit = impl.document.latent_stride;
      graphs.synthesis.bands = {synthesis_rows, 0, 0};
      const auto rows = PlanLatentRows(document, geometry, graphs);
      REQUIRE_MESSAGE(rows.ok(), rows.status().message());
      return rows.value();
    };
    for (int i = 0; i < 10; ++i) {
      const int64_t hyper = Draw(&random, 1, 32), step = Draw(&random, 1, 32);
      const int64_t synthesis = 16 * Draw(&random, 1, 13);
      LatentRows most;
      for (uint32_t height = 1; height < 40000; height += 997) {
        const LatentRows rows = rows_of(height, hyper, step, synthesis);
        most.z = std::max(most.z, rows.z);
        most.psi = std::max(most.psi, rows.psi);
        most.y = std::max(most.y, rows.y);
      }
      const LatentRows giant = rows_of(uint32_t{1} << 30, hyper, step, synthesis);
      CAPTURE(hyper);
      CAPTURE(step);
      CAPTURE(synthesis);
      CHECK(giant.z == most.z);
      CHECK(giant.psi == most.psi);
      CHECK(giant.y == most.y);
      CHECK(giant.visits <= rows_of(40000, hyper, step, synthesis).visits + 64);
    }
  }
}

}  // namespace glint
