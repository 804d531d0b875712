// depthwise_conv2d against its definition.

#include <algorithm>
#include <cmath>

#include "kernels/depthwise.h"
#include "kernels/targets.h"
#include "tests/ops/op_test.h"
#include "tests/seed.h"

namespace glint {
namespace {

ReferenceTensor DepthwiseConv2d(const TwinNode& n) {
  const std::vector<int64_t>& shape = n.Shape("weight");
  const int rows = static_cast<int>(shape[2]), columns = static_cast<int>(shape[3]);
  const int stride = n.attributes["stride"];
  const std::vector<float> w = n.Matrix("weight", 0, 0), bias = n.Weight("bias");
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out((x.height - 1) / stride + 1, (x.width - 1) / stride + 1, x.channels);
  for (int oy = 0; oy < out.height; ++oy) {
    for (int ox = 0; ox < out.width; ++ox) {
      for (int c = 0; c < x.channels; ++c) {
        double acc = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<size_t>(c)]);
        for (int ky = 0; ky < rows; ++ky) {
          for (int kx = 0; kx < columns; ++kx) {
            const auto at = static_cast<size_t>((c * rows + ky) * columns + kx);
            acc = n.MultiplyAdd(acc, static_cast<double>(w[at]),
                                x.AtOrZero(oy * stride - (rows - 1) / 2 + ky,
                                           ox * stride - (columns - 1) / 2 + kx, c));
          }
        }
        out.at(oy, ox, c) = acc;
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("depthwise_conv2d", DepthwiseConv2d);

std::string AppendDepthwise(GraphBuilder* b, const std::string& x, int rows, int columns,
                            int stride, bool bias = true) {
  const float bound = 1.0f / std::sqrt(static_cast<float>(rows * columns));
  b->AddWeight("weight", {b->channels(x), 1, rows, columns}, -bound, bound);
  if (bias) b->AddWeight("bias", {b->channels(x)}, -0.1f, 0.1f);
  return b->Append("depthwise_conv2d", {x}, {{"stride", stride}});
}

// Rows and columns of the kernel are apart; it stands alone, or before and behind a product.
std::string DrawDepthwise(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, testing::Draw(random, 0, 1) == 0 ? 40 : 150);
  std::string x = testing::DrawInput(b, random, "x", channels);
  const int most = testing::Draw(random, 0, 4) == 0 ? 7 : 2;
  const int rows = 1 + 2 * testing::Draw(random, 0, most);
  const int columns = 1 + 2 * testing::Draw(random, 0, most);
  const int around = testing::Draw(random, 0, 3);
  if (around == 1 && channels < 40) x = b->Conv(x, channels, 3, 1);
  x = AppendDepthwise(b, x, rows, columns, testing::Draw(random, 1, 2),
                      testing::Draw(random, 0, 3) > 0);
  return around == 2 ? b->Conv(x, 5, 1, 1) : x;
}

std::string TypicalDepthwise(GraphBuilder* b, const std::string& x) {
  return AppendDepthwise(b, x, 3, 3, 1);
}

constexpr testing::OpDescription kOp = {"depthwise_conv2d", DrawDepthwise, TypicalDepthwise};
const testing::RegisterOp kRegisterOp(kOp);

// One row of outputs, wide enough for every form of tile.
struct WideRow {
  kernels::DepthwiseSpec spec;
  size_t pixels = 29;

  size_t width() const { return pixels * spec.stride + 2 * spec.column_padding(); }
  // Value at a tap of a row of inputs, [tap row][column with the padding][channel].
  size_t At(size_t ky, size_t column, size_t channel) const {
    return (ky * width() + column) * spec.channels + channel;
  }

  template <typename T>
  std::vector<float> Run(const kernels::Depthwise& depthwise, const std::vector<T>& in) const {
    std::vector<float> scale(kernels::PaddedChannels(spec.channels), 1.0f);
    const std::vector<float> bias(scale.size(), 0.0f);
    kernels::Epilogue epilogue;
    epilogue.scale = scale.data();
    epilogue.bias = bias.data();
    std::vector<float> out(pixels * spec.channels + 1, 7.0f);
    kernels::ConvRow row;
    for (size_t ky = 0; ky < spec.rows; ++ky) {
      row.in[ky] = in.data() + At(ky, spec.column_padding(), 0);
    }
    row.in_pixel_stride[0] = row.out_pixel_stride = spec.channels;
    row.out = out.data();
    row.pixels = pixels;
    depthwise.Run(&row, 1, epilogue, 0, depthwise.blocks());
    CHECK(out.back() == 7.0f);
    out.pop_back();
    return out;
  }

  // Chains from the bias on: Sum is float or int64_t.
  template <typename Sum, typename T, typename W>
  std::vector<float> Plain(const std::vector<T>& in, const std::vector<W>& weight, Sum zero) const {
    std::vector<float> out;
    for (size_t x = 0; x < pixels; ++x) {
      for (size_t c = 0; c < spec.channels; ++c) {
        Sum sum = 0;
        for (size_t tap = 0; tap < spec.rows * spec.columns; ++tap) {
          const size_t ky = tap / spec.columns, kx = tap % spec.columns;
          const Sum value = static_cast<Sum>(in[At(ky, x * spec.stride + kx, c)]) - zero;
          const Sum product = value * static_cast<Sum>(weight[c * spec.rows * spec.columns + tap]);
          sum = sum + product;
        }
        out.push_back(static_cast<float>(sum));
      }
    }
    return out;
  }
};

constexpr size_t kSlack = 64;  // bytes behind a row that kernels may read, and more in elements

// Integers at either end of their range, one in four anywhere.
template <typename T>
std::vector<T> Extremes(std::mt19937* random, size_t count, int low, int high) {
  std::vector<T> values(count + kSlack);
  for (T& v : values) {
    const int way = testing::Draw(random, 0, 3);
    v = static_cast<T>(way == 0 ? testing::Draw(random, low, high) : way == 1 ? low : high);
  }
  return values;
}

void CheckWide(const WideRow& row, std::mt19937* random) {
  const size_t taps = row.spec.rows * row.spec.columns;
  const size_t inputs = row.At(row.spec.rows, 0, 0), weights = taps * row.spec.channels;
  std::vector<float> in(inputs + kSlack), weight(weights);
  for (float& v : in) v = static_cast<float>(testing::DrawReal(random, -2, 2));
  for (float& v : weight) v = static_cast<float>(testing::DrawReal(random, -1, 1));
  using kernels::Element;
  const kernels::Depthwise floats(row.spec, weight.data(), nullptr, Element::kF32);
  CHECK(row.Run(floats, in) == row.Plain<float>(in, weight, 0.0f));

  // Sums that nearly fill int32.
  const int most = static_cast<int>(std::min<size_t>(32767, 65535 / taps));
  const auto words = Extremes<int16_t>(random, inputs, -32767, 32767);
  const auto word_weights = Extremes<int16_t>(random, weights, -most, most);
  const kernels::Depthwise ints(row.spec, Element::kI16, word_weights.data(), 0);
  CHECK(row.Run(ints, words) == row.Plain<int64_t>(words, word_weights, 0));

  const int zero = testing::Draw(random, 0, 255);
  const auto bytes = Extremes<uint8_t>(random, inputs, 0, 255);
  const auto byte_weights = Extremes<int16_t>(random, weights, -128, 127);
  const kernels::Depthwise of_bytes(row.spec, Element::kU8, byte_weights.data(), zero);
  CHECK(row.Run(of_bytes, bytes) == row.Plain<int64_t>(bytes, byte_weights, zero));
}

}  // namespace

TEST_CASE("depthwise_conv2d: wide rows, the bits of the plain loops on every target") {
  std::mt19937 random(TestSeed() + 71);
  for (const std::string& target : kernels::SupportedTargets()) {
    REQUIRE(kernels::SetTarget(target));
    for (const auto& kernel : std::initializer_list<std::pair<size_t, size_t>>{
             {1, 1}, {3, 3}, {5, 5}, {7, 7}, {1, 3}, {7, 5}, {3, 15}, {15, 1}}) {
      const size_t rows = kernel.first, columns = kernel.second;
      for (const size_t stride : {size_t{1}, size_t{2}}) {
        for (const size_t channels : {size_t{1}, size_t{15}, size_t{16}, size_t{70}}) {
          WideRow row;
          row.spec = {channels, rows, columns, stride, kernels::Numerics::kExact};
          INFO(target, " ", rows, "x", columns, "/", stride, " channels ", channels);
          CheckWide(row, &random);
        }
      }
    }
  }
  kernels::SetTarget("");
}

TEST_CASE("operators: depthwise_conv2d") { testing::CheckOp(kOp); }

// Rows of one band have their positions in every column or in every other one.
TEST_CASE("depthwise_conv2d: some positions of wide rows, made together") {
  std::mt19937 random(TestSeed() + 73);
  for (const int kernel : {3, 5, 7}) {
    TestModel model(TestSeed());
    GraphBuilder b(&model, NumericClass::kExact);
    const Graph graph = b.Finish(AppendDepthwise(&b, b.Input("x", 5), kernel, kernel, 1));
    const GraphInputs inputs = RandomInputs(graph, 12, 43, &random);
    const ReferenceTensor want = RunReference(model, graph, inputs, 0, ReferenceMode::kFloatChain);
    for (PositionSet set = 1; set <= kAllPositions; ++set) {
      RunOptions run;
      run.band = 12;
      run.wanted = set;
      const ReferenceTensor got = RunExecutor(model, graph, inputs, 0, run);
      size_t differ = 0;
      for (int y = 0; y < want.height; ++y) {
        for (int x = 0; x < want.width; ++x) {
          if ((set & PositionAt(y, x)) == 0) continue;
          for (int c = 0; c < want.channels; ++c) differ += got.at(y, x, c) != want.at(y, x, c);
        }
      }
      CHECK_MESSAGE(differ == 0, "kernel ", kernel, " positions ", static_cast<int>(set));
    }
  }
}

TEST_CASE("operators: depthwise_conv2d, what is refused") {
  const auto refusal = [](int stride, std::vector<int64_t> shape, std::vector<int64_t> bias) {
    return testing::Refusal({"depthwise_conv2d",
                             {3},
                             {{"stride", stride}},
                             {{"weight", std::move(shape)}, {"bias", std::move(bias)}}});
  };
  CHECK(refusal(1, {3, 1, 15, 1}, {3}).empty());
  CHECK(refusal(2, {3, 1, 3, 3}, {3}).empty());
  CHECK(refusal(3, {3, 1, 3, 3}, {3}) == "stride is 3, not an integer from 1 to 2");
  CHECK(refusal(1, {3, 3, 3, 3}, {3}) ==
        "weight 'weight' has shape [3, 3, 3, 3]: [3, 1, rows, columns] is wanted");
  CHECK(refusal(1, {6, 1, 3, 3}, {6}) ==
        "weight 'weight' has shape [6, 1, 3, 3]: [3, 1, rows, columns] is wanted");
  for (const int64_t size : {0, 2, 17}) {
    const std::string text = std::to_string(size);
    CHECK(refusal(1, {3, 1, 3, size}, {3}) == "weight 'weight' has shape [3, 1, 3, " + text +
                                                  "]: rows and columns are odd and 1 to 15");
    CHECK(refusal(1, {3, 1, size, 3}, {3}) == "weight 'weight' has shape [3, 1, " + text +
                                                  ", 3]: rows and columns are odd and 1 to 15");
  }
  CHECK(refusal(1, {3, 1, 3, 3}, {1}) == "bias 'bias' has shape [1], [3] is wanted");
}

}  // namespace glint
