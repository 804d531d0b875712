// Which rows and symbols a segment has, against counting them one by one.
#include "codec/latents/latent_geometry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "codec/latents/symbol_lines.h"
#include "tests/draws.h"
#include "tests/seed.h"

namespace glint {
namespace {

using testing::Draws;

// Steps with fixed tables, which need no graphs: z, and parts of y at any positions.
ModelDocument DrawDocument(Draws* draws) {
  ModelDocument document;
  document.latent_stride = 1 << draws->Whole(0, 4);
  document.picture_stride = document.latent_stride << draws->Whole(0, 1);
  document.latent_channels = draws->Whole(1, 9);
  document.has_hyper = draws->Percent(70);
  document.hyper_channels = document.has_hyper ? draws->Whole(1, 5) : 0;
  document.hyper_stride = document.latent_stride << draws->Whole(0, 3);
  document.coding.segment_rows = draws->Whole(1, 20);
  if (document.has_hyper) {
    CodingStep z;
    z.codes = Coded::kHyper;
    z.parts = {{0, document.hyper_channels, kAllPositions}};
    z.ahead = draws->Whole(0, 5);
    document.coding.steps.push_back(z);
  }
  for (int s = draws->Whole(1, 4); s > 0; --s) {
    CodingStep step;
    for (int p = draws->Whole(1, 3); p > 0; --p) {
      CodedPart part;
      part.channel_begin = draws->Whole(0, document.latent_channels - 1);
      part.channel_end = draws->Whole(part.channel_begin + 1, document.latent_channels);
      part.positions = static_cast<PositionSet>(draws->Whole(1, 15));
      step.parts.push_back(part);
    }
    step.ahead = draws->Whole(0, 30);
    document.coding.steps.push_back(step);
  }
  return document;
}

uint64_t CountSymbols(const CodingStep& step, int64_t row, size_t width) {
  uint64_t count = 0;
  for (size_t c = 0; c < width; ++c) {
    for (const CodedPart& part : step.parts) {
      const bool has = (part.positions & PositionAt(row, static_cast<int64_t>(c))) != 0;
      count += has ? static_cast<uint64_t>(part.channels()) : 0;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("latent geometry: segments follow each other, and their symbols are those of all rows") {
  Draws draws({TestSeed(), 77});
  for (int round = 0; round < 300; ++round) {
    const ModelDocument document = DrawDocument(&draws);
    const auto width = static_cast<uint32_t>(draws.Whole(1, 90));
    const auto height = static_cast<uint32_t>(draws.Whole(1, 900));
    const LatentGeometry geometry(document, {}, width, height);
    CHECK(geometry.padded_width() >= width);
    CHECK(geometry.padded_height() < int64_t{height} + document.picture_stride);
    uint64_t all = 0, most = 0;
    for (int64_t s = 0; s < geometry.segments(); ++s) {
      CHECK(geometry.LatentEnd(s) > geometry.LatentEnd(s - 1));
      uint64_t symbols = 0;
      for (const CodingStep& step : document.coding.steps) {
        CHECK(geometry.StepEnd(step, s) >= geometry.StepEnd(step, s - 1));
        if (step.codes == Coded::kLatents) {
          CHECK(geometry.StepEnd(step, s) >= geometry.LatentEnd(s));
        }
        for (int64_t row = geometry.StepEnd(step, s - 1); row < geometry.StepEnd(step, s); ++row) {
          symbols += CountSymbols(step, row, geometry.WidthOf(step.codes));
        }
      }
      CHECK(geometry.Symbols(s) == symbols);
      all += symbols;
      most = std::max(most, symbols);
    }
    CHECK(geometry.LatentEnd(geometry.segments() - 1) == geometry.height());
    CHECK(geometry.AllSymbols() == all);
    CHECK(geometry.MostSymbols() == most);
  }
}

TEST_CASE("symbol rows: positions from left to right, at each the parts in their order") {
  Draws draws({TestSeed(), 78});
  for (int round = 0; round < 300; ++round) {
    const ModelDocument document = DrawDocument(&draws);
    const CodingStep& step = document.coding.steps.back();
    const auto width = static_cast<size_t>(draws.Whole(1, 12));
    const StepSymbols rows(step, width);
    for (int64_t r = 0; r < 4; ++r) {
      std::vector<size_t> want, got;  // column, channel, parameter
      for (size_t column = 0; column < width; ++column) {
        size_t parameter = 0;
        for (const CodedPart& part : step.parts) {
          for (int c = part.channel_begin; c < part.channel_end; ++c, ++parameter) {
            if ((part.positions & PositionAt(r, static_cast<int64_t>(column))) == 0) continue;
            want.insert(want.end(), {column, static_cast<size_t>(c), parameter});
          }
        }
      }
      const SymbolLine row = rows.Row(r);
      row.ForEachRun([&](size_t position, const ChannelRun& run) {
        for (size_t c = 0; c < run.count; ++c) {
          got.insert(got.end(), {row.ColumnOf(position), run.channel + c, run.parameter + c});
        }
      });
      CHECK(got == want);
      CHECK(row.symbols * 3 == want.size());
      CHECK(row.symbols <= rows.MostInRow());
    }
  }
}

}  // namespace glint
