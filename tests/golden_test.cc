// The shipped model, stage by stage, against what PyTorch computed for it in float64
// (weights/make_golden.py).

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>

#include "codec/model/model_document.h"
#include "engine/executor.h"
#include "engine/rate.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

struct Golden {
  std::string name;
  std::vector<uint8_t> bytes;
  SafeTensors file;
  double lrd = 0;

  struct Rows {
    int height = 0, width = 0, channels = 0;
    std::vector<float> data;
    const float* Row(int64_t y) const {
      return data.data() + static_cast<size_t>(y * width * channels);
    }
    size_t RowFloats() const { return static_cast<size_t>(width) * static_cast<size_t>(channels); }
  };
  Rows Get(const std::string& tensor) const {
    const TensorView& view = file.tensors.at(tensor);
    Rows rows;
    rows.height = static_cast<int>(view.shape[0]);
    rows.width = static_cast<int>(view.shape[1]);
    rows.channels = static_cast<int>(view.shape[2]);
    rows.data.resize(view.elements);
    CopyAsFloat(view, 0, view.elements, rows.data.data());
    return rows;
  }
};

Golden LoadGolden(const std::string& name) {
  Golden golden;
  golden.name = name;
  std::ifstream in(std::string(GLINT_TEST_DATA) + "/golden/light-" + name + ".safetensors",
                   std::ios::binary);
  golden.bytes.assign(std::istreambuf_iterator<char>(in), {});
  auto parsed = ParseSafeTensors(golden.bytes, name);
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  golden.file = std::move(parsed).value();
  golden.lrd = std::stod(golden.file.metadata.at("lrd"));
  return golden;
}

const ModelFile& Light() {
  static const auto model =
      ModelFile::Load(std::string(GLINT_SOURCE_DIR) + "/weights/light-fp32.safetensors");
  REQUIRE_MESSAGE(model.ok(), model.status().message());
  return *model.value();
}

const ModelDocument& LightDocument() {
  static const auto document = LoadDocument(Light());
  REQUIRE_MESSAGE(document.ok(), document.status().message());
  return *document;
}

// Runs a graph of the model on whole inputs (of one size), bands of 3 rows. Compact rows are spread
// out.
Golden::Rows Run(const std::string& graph_name, const std::vector<Golden::Rows>& inputs, double lrd,
                 PositionSet wanted = kAllPositions, int out_height = 0, int out_width = 0) {
  const ModelFile& model = Light();
  auto plan = Plan::Make(model, model.graphs().at(graph_name), wanted);
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  ExecutorOptions options;
  options.in_width = static_cast<size_t>(inputs[0].width);
  options.in_height = inputs[0].height;
  options.out_height = out_height;
  options.out_width = static_cast<size_t>(out_width);
  options.bands.rows = 3;
  options.t = RateToT(LightDocument().rate, lrd);
  options.runner = SerialRunner();
  auto made = Executor::Make(plan.value(), options);
  REQUIRE_MESSAGE(made.ok(), made.status().message());
  Executor& executor = *made.value();
  Golden::Rows out;
  out.height = static_cast<int>(executor.out_height());
  out.width = static_cast<int>(executor.out_width());
  out.channels = static_cast<int>(plan.value()->output_channels());
  out.data.resize(static_cast<size_t>(out.height) * out.RowFloats());
  int64_t given = 0;
  while (executor.end() < out.height) {
    const int64_t begin = executor.end(), end = executor.next_end();
    for (const int64_t need = executor.InputEnd(); given < need; ++given) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        std::copy_n(inputs[i].Row(given), inputs[i].RowFloats(), executor.InputRow(i, given));
        executor.StoreInput(i, given);
      }
    }
    executor.Advance();
    for (int64_t y = begin; y < end; ++y) {
      for (int x = 0, j = 0; x < out.width; ++x) {
        if ((wanted & PositionAt(y, x)) == 0) continue;
        std::copy_n(
            executor.OutputRow(y) + static_cast<size_t>(j++) * executor.output_pixel_stride(),
            static_cast<size_t>(out.channels),
            out.data.begin() + static_cast<int64_t>((y * out.width + x) * out.channels));
      }
    }
  }
  return out;
}

// Largest difference, as a share of the largest magnitude.
double Worst(const Golden::Rows& got, const Golden::Rows& want) {
  REQUIRE(got.data.size() == want.data.size());
  double top = 0, worst = 0;
  for (size_t i = 0; i < got.data.size(); ++i) {
    top = std::max(top, std::abs(static_cast<double>(want.data[i])));
    worst = std::max(
        worst, std::abs(static_cast<double>(got.data[i]) - static_cast<double>(want.data[i])));
  }
  return worst / top;
}

Golden::Rows Rounded(Golden::Rows rows, float scale) {
  for (float& v : rows.data) v = std::nearbyint(v * scale) / scale;
  return rows;
}

Golden::Rows Channels(const Golden::Rows& rows, int begin, int end) {
  Golden::Rows out{rows.height, rows.width, end - begin, {}};
  for (size_t i = 0; i < rows.data.size(); i += static_cast<size_t>(rows.channels)) {
    out.data.insert(out.data.end(), rows.data.begin() + static_cast<int64_t>(i) + begin,
                    rows.data.begin() + static_cast<int64_t>(i) + end);
  }
  return out;
}

// The picture as g_a takes it: shifted by the offset, edge pixels repeated up to the stride.
Golden::Rows Padded(const Golden::Rows& x8) {
  const ModelDocument& document = LightDocument();
  const int stride = document.picture_stride;
  Golden::Rows out{
      (x8.height + stride - 1) / stride * stride, (x8.width + stride - 1) / stride * stride, 3, {}};
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const float v = x8.Row(std::min(y, x8.height - 1))[std::min(x, x8.width - 1) * 3 + c];
        out.data.push_back(v / 255.0f - document.picture_offset);
      }
    }
  }
  return out;
}

const char* const kFiles[] = {"wide-low", "wide-high", "odd-low", "odd-high"};

}  // namespace

TEST_CASE("golden: analysis, hyper analysis, hyper synthesis, synthesis") {
  for (const char* const name : kFiles) {
    const Golden golden = LoadGolden(name);
    const Golden::Rows y = golden.Get("y"), z = golden.Get("z");
    CHECK_MESSAGE(Worst(Run("g_a", {Padded(golden.Get("x"))}, golden.lrd), y) < 2e-5, name);
    CHECK_MESSAGE(Worst(Run("h_a", {Rounded(y, 64)}, golden.lrd), z) < 2e-5, name);
    CHECK_MESSAGE(Worst(Run("h_s", {Rounded(z, 1)}, golden.lrd, kAllPositions, y.height, y.width),
                        golden.Get("psi")) < 2e-5,
                  name);
    CHECK_MESSAGE(Worst(Run("g_s", {golden.Get("y_hat")}, golden.lrd), golden.Get("x_hat")) < 2e-5,
                  name);
  }
}

TEST_CASE("golden: parameter nets of every coding step, and their table indices") {
  const Coding& coding = LightDocument().coding;
  const std::vector<float>& thresholds = coding.tables.at("gaussian").thresholds;
  for (const char* const name : kFiles) {
    const Golden golden = LoadGolden(name);
    const Golden::Rows y_hat = golden.Get("y_hat"), psi = golden.Get("psi");
    for (size_t s = 0; s + 1 < coding.steps.size(); ++s) {
      const CodingStep& step = coding.steps[s + 1];  // the first codes z
      std::vector<Golden::Rows> inputs;
      for (const StepInput& input : step.inputs) {
        inputs.push_back(input.is_psi ? psi
                                      : Channels(y_hat, input.channel_begin, input.channel_end));
      }
      const Golden::Rows got = Run(step.graph, inputs, golden.lrd, step.positions());
      const Golden::Rows mean = golden.Get("mean" + std::to_string(s)),
                         raw = golden.Get("raw" + std::to_string(s));
      const Golden::Rows index = golden.Get("index" + std::to_string(s));
      const int channels = step.channels();
      double worst = 0, top = 0;
      size_t other_index = 0, positions = 0;
      for (int y = 0; y < got.height; ++y) {
        for (int x = 0; x < got.width; ++x) {
          if ((step.positions() & PositionAt(y, x)) == 0) continue;
          const float* params = got.Row(y) + x * got.channels;
          std::vector<uint8_t> found(static_cast<size_t>(channels));
          kernels::IndexByThresholds(params + channels, found.data(), found.size(),
                                     thresholds.data(), thresholds.size());
          for (int c = 0; c < channels; ++c, ++positions) {
            const int at = x * channels + c;
            top = std::max(top, std::abs(static_cast<double>(mean.Row(y)[at])));
            worst = std::max(worst, std::abs(static_cast<double>(params[c]) -
                                             static_cast<double>(mean.Row(y)[at])));
            worst = std::max(worst, std::abs(static_cast<double>(params[channels + c]) -
                                             static_cast<double>(raw.Row(y)[at])));
            other_index += static_cast<float>(found[static_cast<size_t>(c)]) != index.Row(y)[at];
          }
        }
      }
      CHECK_MESSAGE(worst < 3e-5 * top, name, " step ", s);
      // Only a parameter within rounding of a threshold may fall on its other side.
      CHECK_MESSAGE(other_index * 500 <= positions, name, " step ", s, ": ", other_index, " of ",
                    positions);
    }
  }
}

}  // namespace glint
