// How many rows the encoder keeps: as many as it ever needs side by side, planned from the first
// segments as from all; and a window that is too short is found out.
#include "codec/latents/encoding_schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/latents/row_window.h"
#include "codec/model/model_impl.h"
#include "engine/row_ledger.h"
#include "tests/codec_helpers.h"
#include "tests/draws.h"
#include "tests/row_faults.h"
#include "tests/seed.h"
#include "tests/stream_cases.h"

namespace glint {
namespace {

using testing::Draws;

EncodingGraphs GraphsOf(const Model::Impl& model, const LatentGeometry& geometry, int64_t band) {
  EncodingGraphs graphs;
  graphs.g_a = model.g_a.get();
  graphs.analysis.in_width = geometry.padded_width();
  graphs.analysis.in_height = geometry.padded_height();
  graphs.analysis.bands.rows = band;
  graphs.h_a = model.h_a.get();
  graphs.hyper.in_width = geometry.width();
  graphs.hyper.in_height = geometry.height();
  graphs.g_s = model.g_s.get();
  graphs.synthesis.in_width = geometry.width();
  graphs.synthesis.in_height = geometry.height();
  graphs.synthesis.bands.rows = band * model.document.latent_stride;
  return graphs;
}

// All segments, as the encoder goes: what lives side by side at most.
EncodingRows CountRows(const ModelDocument& document, const LatentGeometry& geometry,
                       const EncodingGraphs& graphs) {
  EncodingSchedule schedule;
  Schedule analysis, synthesis;
  REQUIRE(schedule.Init(document, geometry, graphs.h_a, graphs.hyper).ok());
  REQUIRE(analysis.Init(*graphs.g_a, graphs.analysis).ok());
  REQUIRE(synthesis.Init(*graphs.g_s, graphs.synthesis).ok());
  EncodingRows rows;
  for (int64_t s = 0; s < geometry.segments(); ++s) {
    REQUIRE(schedule.segment() == s);
    while (!schedule.SegmentReady()) {
      if (schedule.HyperReady()) {
        schedule.AddHyperBand();
      } else {
        REQUIRE(schedule.y_end() < geometry.height());
        for (; analysis.end() <= schedule.y_end(); analysis.Advance()) {
          rows.source = std::max(rows.source, geometry.PictureRows(analysis.InputEnd()) -
                                                  geometry.PictureRows(synthesis.end()));
        }
        schedule.AddRow();
      }
      rows.y = std::max(rows.y, schedule.HeldY());
      rows.z = std::max(rows.z, schedule.HeldZ());
    }
    schedule.EndSegment();
    while (!synthesis.done() && synthesis.InputEnd() <= geometry.LatentEnd(s)) synthesis.Advance();
  }
  CHECK(schedule.y_end() == geometry.height());
  CHECK(schedule.z_end() == geometry.hyper_height());
  CHECK(synthesis.end() == geometry.padded_height());
  return rows;
}

TEST_CASE("encoding schedule: rows are planned from the first segments as from all") {
  testing::StreamModels models;
  Draws draws({TestSeed(), 2301});
  const std::string target = SupportedTargets().front();
  const std::vector<std::string> kinds = {"tiny", "integer", "mini", "drawn", "drawn-integer"};
  const testing::TargetScope scope(target);
  for (int i = 0; i < 60; ++i) {
    const std::string name = draws.Of(kinds) + " " + std::to_string(draws.Whole(1, 1000));
    const int segment_rows = draws.Whole(1, draws.Percent(50) ? 8 : 70);
    const Model& model = models.Get(name, segment_rows, target);
    const Model::Impl& impl = model.impl();
    const int stride = impl.document.latent_stride;
    const auto height = static_cast<uint32_t>(draws.Whole(1, 40 * segment_rows * stride));
    const LatentGeometry geometry(impl.document, impl.graphs(), 20, height);
    const int64_t band = draws.Whole(1, draws.Percent(70) ? 5 : 90);
    CAPTURE(name);
    CAPTURE(segment_rows);
    CAPTURE(height);
    CAPTURE(band);
    EncodingGraphs graphs = GraphsOf(impl, geometry, band);
    graphs.hyper.bands.rows = draws.Whole(1, 9);
    CAPTURE(graphs.hyper.bands.rows);
    const auto planned = PlanEncodingRows(impl.document, geometry, graphs);
    REQUIRE(planned.ok());
    const EncodingRows counted = CountRows(impl.document, geometry, graphs);
    CHECK(planned.value().y == counted.y);
    CHECK(planned.value().z == counted.z);
    CHECK(planned.value().source == counted.source);
    // Alone, latents are planned alike.
    EncodingGraphs latents = graphs;
    latents.g_a = latents.g_s = nullptr;
    const auto alone = PlanEncodingRows(impl.document, geometry, latents);
    REQUIRE(alone.ok());
    CHECK(alone.value().y == counted.y);
    CHECK(alone.value().z == counted.z);
    CHECK(alone.value().source == 1);
  }
}

TEST_CASE("encoding schedule: without z a segment waits for y alone") {
  ModelDocument document;
  document.latent_stride = document.picture_stride = 4;
  document.latent_channels = 2;
  document.has_hyper = false;
  document.coding.segment_rows = 5;
  for (const int ahead : {0, 3}) {
    CodingStep step;
    step.parts = {{ahead == 0 ? 0 : 1, ahead == 0 ? 1 : 2, kAllPositions}};
    step.ahead = ahead;
    document.coding.steps.push_back(step);
  }
  const LatentGeometry geometry(document, {}, 9, 48);
  EncodingSchedule schedule;
  REQUIRE(schedule.Init(document, geometry, nullptr, {}).ok());
  std::string order;
  while (schedule.segment() < geometry.segments()) {
    CHECK_FALSE(schedule.HyperReady());
    order += schedule.SegmentReady() ? 's' : 'y';
    schedule.SegmentReady() ? schedule.EndSegment() : schedule.AddRow();
  }
  CHECK(order == "yyyyyyyysyyyyss");
  const auto planned = PlanEncodingRows(document, geometry, {});
  REQUIRE(planned.ok());
  CHECK(planned.value().y == 8);
}

// ---- windows -----------------------------------------------------------------------------------

TEST_CASE("row window: rows keep what was written, and others are found out") {
  const testing::NotedRowFaults noted;
  RowWindow<int16_t> window;
  window.SetSize(7, 3);
  CHECK(window.MemoryNeeded() == 7 * 3 * sizeof(int16_t));
  REQUIRE(window.Allocate());
  for (int64_t row = 0; row < 20; ++row) {
    std::fill_n(window.WriteRow(row), 7, static_cast<int16_t>(row));
    for (int64_t r = std::max<int64_t>(0, row - 2); r <= row; ++r) {
      CHECK(std::count(window.Row(r), window.Row(r) + 7, static_cast<int16_t>(r)) == 7);
    }
  }
  CHECK(noted.Noted().empty());
  window.Row(16);
  window.Row(20);
  window.WriteRow(15);
  CHECK(noted.Noted().size() == 3);
}

// One row less than planned, of any of its rings and windows, is noticed.
TEST_CASE("encoding schedule: no row is planned that is not needed") {
  testing::StreamModels models;
  Draws draws({TestSeed(), 2302});
  const std::string target = SupportedTargets().front();
  const testing::TargetScope scope(target);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "drawn " + std::to_string(draws.Whole(1, 1000));
    const Model& model = models.Get(name, draws.Whole(2, 20), target);
    const Model::Impl& impl = model.impl();
    const LatentGeometry geometry(impl.document, impl.graphs(), 20, 2000);
    EncodingGraphs graphs = GraphsOf(impl, geometry, 1);
    const auto planned = PlanEncodingRows(impl.document, geometry, graphs);
    REQUIRE(planned.ok());
    const testing::NotedRowFaults noted;
    EncodingSchedule schedule;
    REQUIRE(schedule.Init(impl.document, geometry, graphs.h_a, graphs.hyper).ok());
    RowWindow<uint8_t> y;
    y.SetSize(1, planned.value().y - 1);
    REQUIRE(y.Allocate());
    int64_t coded = 0;
    while (schedule.segment() < geometry.segments()) {
      if (!schedule.SegmentReady()) {
        if (schedule.HyperReady()) {
          schedule.AddHyperBand();
        } else {
          y.WriteRow(schedule.y_end());
          schedule.AddRow();
        }
        continue;
      }
      for (; coded < geometry.LatentEnd(schedule.segment()); ++coded) y.Row(coded);
      schedule.EndSegment();
    }
    CAPTURE(name);
    CHECK_FALSE(noted.Noted().empty());
  }
}

}  // namespace
}  // namespace glint
