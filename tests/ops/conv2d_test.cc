// conv2d against its definition.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Conv2d(const TwinNode& n) {
  const std::vector<int64_t>& shape = n.Shape("weight");
  const int outputs = static_cast<int>(shape[0]), inputs = static_cast<int>(shape[1]);
  const int k = static_cast<int>(shape[2]);
  const int stride = n.attributes["stride"], padding = n.attributes["padding"];
  const std::string mask = n.attributes.value("mask", "none");
  const std::vector<float> w = n.Matrix("weight", 0, 1), bias = n.Weight("bias");
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out((x.height - 1) / stride + 1, (x.width - 1) / stride + 1, outputs);
  for (int oy = 0; oy < out.height; ++oy) {
    for (int ox = 0; ox < out.width; ++ox) {
      for (int o = 0; o < outputs; ++o) {
        double acc = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<size_t>(o)]);
        for (int ky = 0; ky < k; ++ky) {
          for (int kx = 0; kx < k; ++kx) {
            if (mask == "checkerboard" && (ky + kx) % 2 == 0) continue;
            if (mask == "causal" && ky * k + kx >= k * k / 2) continue;
            for (int i = 0; i < inputs; ++i) {
              const auto at = static_cast<size_t>(((o * inputs + i) * k + ky) * k + kx);
              acc = n.MultiplyAdd(
                  acc, static_cast<double>(w[at]),
                  x.AtOrZero(oy * stride - padding + ky, ox * stride - padding + kx, i));
            }
          }
        }
        out.at(oy, ox, o) = acc;
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("conv2d", Conv2d);

std::string DrawConv2d(GraphBuilder* b, std::mt19937* random) {
  std::string x = testing::DrawInput(b, random, "x", testing::Draw(random, 1, 20));
  const int kernel = 1 + 2 * testing::Draw(random, 0, 2);
  const int stride = testing::Draw(random, 1, 2);
  auto mask = ConvMask::kNone;
  if (kernel > 1 && stride == 1) mask = static_cast<ConvMask>(testing::Draw(random, 0, 2));
  if (kernel == 1 && stride == 1 && testing::Draw(random, 0, 1) == 0) {
    x = b->Concat({x, testing::DrawInput(b, random, "y", testing::Draw(random, 1, 9))});
  }
  return b->Conv(x, testing::Draw(random, 1, 40), kernel, stride, mask);
}

std::string TypicalConv2d(GraphBuilder* b, const std::string& x) {
  return b->Conv(x, b->channels(x), 3, 1);
}

constexpr testing::OpDescription kOp = {"conv2d", DrawConv2d, TypicalConv2d};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: conv2d") { testing::CheckOp(kOp); }

TEST_CASE("operators: conv2d, what is refused") {
  const auto refusal = [](int stride, int padding, const char* mask, std::vector<int64_t> shape,
                          std::vector<int64_t> bias) {
    return testing::Refusal({"conv2d",
                             {3},
                             {{"stride", stride}, {"padding", padding}, {"mask", mask}},
                             {{"weight", std::move(shape)}, {"bias", std::move(bias)}}});
  };
  CHECK(refusal(1, 1, "none", {4, 3, 3, 3}, {4}).empty());
  CHECK(refusal(3, 1, "none", {4, 3, 3, 3}, {4}) == "stride is 3, not an integer from 1 to 2");
  CHECK(refusal(1, 0, "none", {4, 3, 3, 3}, {4}) == "padding is 0, kernel 3 needs 1");
  CHECK(refusal(2, 1, "checkerboard", {4, 3, 3, 3}, {4}) ==
        "mask checkerboard needs stride 1 and a kernel of at least 3");
  CHECK(refusal(1, 0, "causal", {4, 3, 1, 1}, {4}) ==
        "mask causal needs stride 1 and a kernel of at least 3");
  CHECK(refusal(1, 1, "none", {4, 3, 4, 4}, {4}) == "kernel 4 is not odd");
  CHECK(refusal(1, 1, "none", {4, 3, 3, 5}, {4}) ==
        "weight 'weight' has shape [4, 3, 3, 5]: the kernel is not square and 1 to 15");
  CHECK(refusal(1, 1, "none", {4, 2, 3, 3}, {4}) ==
        "weight 'weight' has shape [4, 2, 3, 3]: the input has 3 channels");
  CHECK(refusal(1, 1, "none", {4, 3, 3, 3}, {5}) == "bias 'bias' has shape [5], [4] is wanted");
}

}  // namespace glint
