// conv_transpose2d against its definition: every input adds to the outputs under its kernel.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor ConvTranspose2d(const TwinNode& n) {
  const std::vector<int64_t>& shape = n.Shape("weight");
  const int inputs = static_cast<int>(shape[0]), outputs = static_cast<int>(shape[1]);
  const int k = static_cast<int>(shape[2]), padding = n.attributes["padding"];
  const std::vector<float> w = n.Matrix("weight", 1, 0), bias = n.Weight("bias");
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out(2 * x.height, 2 * x.width, outputs);
  for (int oy = 0; oy < out.height; ++oy) {
    for (int ox = 0; ox < out.width; ++ox) {
      for (int o = 0; o < outputs; ++o) {
        double acc = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<size_t>(o)]);
        for (int ky = 0; ky < k; ++ky) {
          for (int kx = 0; kx < k; ++kx) {
            const int y = oy + padding - ky, column = ox + padding - kx;
            if (y < 0 || column < 0 || y % 2 != 0 || column % 2 != 0) continue;
            for (int i = 0; i < inputs; ++i) {
              const auto at = static_cast<size_t>(((i * outputs + o) * k + ky) * k + kx);
              acc =
                  n.MultiplyAdd(acc, static_cast<double>(w[at]), x.AtOrZero(y / 2, column / 2, i));
            }
          }
        }
        out.at(oy, ox, o) = acc;
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("conv_transpose2d", ConvTranspose2d);

// Few outputs are made in pairs of rows.
std::string DrawConvTranspose2d(GraphBuilder* b, std::mt19937* random) {
  const std::string x = testing::DrawInput(b, random, "x", testing::Draw(random, 1, 20));
  const int outputs = testing::Draw(random, 1, testing::Draw(random, 0, 1) == 0 ? 4 : 40);
  return b->Deconv(x, outputs, testing::Draw(random, 3, 5));
}

std::string TypicalConvTranspose2d(GraphBuilder* b, const std::string& x) {
  return b->Deconv(x, b->channels(x), 4);
}

constexpr testing::OpDescription kOp = {"conv_transpose2d", DrawConvTranspose2d,
                                        TypicalConvTranspose2d};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: conv_transpose2d") { testing::CheckOp(kOp); }

TEST_CASE("operators: conv_transpose2d, what is refused") {
  const auto refusal = [](int padding, int output_padding, std::vector<int64_t> shape) {
    return testing::Refusal(
        {"conv_transpose2d",
         {3},
         {{"stride", 2}, {"padding", padding}, {"output_padding", output_padding}},
         {{"weight", std::move(shape)}}});
  };
  CHECK(refusal(2, 1, {3, 4, 5, 5}).empty());
  CHECK(refusal(1, 1, {3, 4, 2, 2}) == "kernel 2 is not 3, 4 or 5");
  CHECK(refusal(1, 1, {3, 4, 5, 5}) ==
        "kernel 5, padding 1 and output_padding 1 do not double the size");
  CHECK(refusal(1, 0, {4, 3, 4, 4}) ==
        "weight 'weight' has shape [4, 3, 4, 4]: the input has 3 channels");
}

}  // namespace glint
