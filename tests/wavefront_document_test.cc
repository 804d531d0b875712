// What a model's document may not ask of wavefront steps, one thing at a time.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/model_builder.h"
#include "tests/model_checks.h"

namespace glint {
namespace {

using testing::Broken;
using testing::Json;
using testing::LoadWhole;
using testing::ModelBuilder;
using testing::NodeOf;
using testing::WavefrontModel;

Json& StepOf(ModelBuilder& b, size_t i) { return b.document["coding"]["steps"][i]; }

const std::vector<Broken>& BrokenSteps() {
  static const std::vector<Broken> list = {
      {"unknown order",
       [](ModelBuilder& b) { StepOf(b, 1)["order"] = "raster"; },
       {"coding step 1: order is 'raster', known here: rows, wavefront"}},
      {"z in fronts",
       [](ModelBuilder& b) { StepOf(b, 0)["order"] = "wavefront"; },
       {"coding step 0: order is wavefront, but it has no graph that reads latents"}},
      {"rows, but reads its own",
       [](ModelBuilder& b) { StepOf(b, 1).erase("order"); },
       {"coding step 1: input 'y0' reads channel 0 at all positions, which are not decoded"}},
      {"not all positions",
       [](ModelBuilder& b) { StepOf(b, 1)["parts"][0]["positions"] = "even"; },
       {"coding step 1: order is wavefront, but it does not code all positions"}},
      {"reads around a position",
       [](ModelBuilder& b) { NodeOf(b, "first", "c0")["mask"] = "none"; },
       {"coding step 1: order is wavefront, but in graph 'first' node 'c0' reads other positions"}},
      {"checkerboard",
       [](ModelBuilder& b) { NodeOf(b, "first", "c0")["mask"] = "checkerboard"; },
       {"coding step 1: order is wavefront, but in graph 'first' node 'c0' reads other positions"}},
      {"its own latents at the position",
       [](ModelBuilder& b) {
         StepOf(b, 2)["distribution"]["inputs"]["y0"] = {2, 4};
       },
       {"coding step 2: order is wavefront, but input 'y0' has channels that the step codes"}},
      {"psi around the position",
       [](ModelBuilder& b) {
         Json& graph = b.document["graphs"]["second"];
         graph["inputs"][2]["channels"] = 4;
         StepOf(b, 2)["distribution"]["inputs"]["above"] = "psi";
         NodeOf(b, "second", "c2") = b.Conv("c2", "above", 4, 4, 7, 1, 1, "causal");
       },
       {"coding step 2: order is wavefront, but a causal convolution reads psi"}},
      {"later latents",
       [](ModelBuilder& b) {
         StepOf(b, 1)["distribution"]["inputs"]["y0"] = {2, 4};
       },
       {"coding step 1: input 'y0' reads channel 2 at all positions, which are not decoded"}},
      {"a causal kernel of stride 2",
       [](ModelBuilder& b) { NodeOf(b, "first", "c0")["stride"] = 2; },
       {"graph 'first', node 'c0': mask causal needs stride 1"}},
  };
  return list;
}

TEST_CASE("model document: a model of wavefront steps") {
  const auto document = LoadWhole(WavefrontModel().Build());
  REQUIRE_MESSAGE(document.ok(), document.status().message());
  CHECK(document->coding.steps[0].order == Order::kRows);
  CHECK(document->coding.steps[1].order == Order::kWavefront);
}

TEST_CASE("model document: wavefront steps that cannot be are refused with place and reason") {
  testing::CheckAllRefused(BrokenSteps(), WavefrontModel());
}

}  // namespace
}  // namespace glint
