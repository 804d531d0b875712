// pixel_unshuffle against its definition.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor PixelUnshuffle(const TwinNode& n) {
  const int factor = n.attributes["factor"];
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out((x.height - 1) / factor + 1, (x.width - 1) / factor + 1,
                      x.channels * factor * factor);
  for (int y = 0; y < out.height; ++y) {
    for (int column = 0; column < out.width; ++column) {
      for (int channel = 0; channel < out.channels; ++channel) {
        const int c = channel / (factor * factor), down = channel / factor % factor;
        out.at(y, column, channel) =
            x.AtOrZero(factor * y + down, factor * column + channel % factor, c);
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("pixel_unshuffle", PixelUnshuffle);

std::string AppendUnshuffle(GraphBuilder* b, const std::string& x, int factor) {
  return b->Append("pixel_unshuffle", {x}, {{"factor", factor}});
}

// Alone, between convolutions that read rows above and below, as a 2x2 convolution of stride 2, and
// undone again.
std::string DrawPixelUnshuffle(GraphBuilder* b, std::mt19937* random) {
  const int factor = 1 << testing::Draw(random, 1, 3);
  const int channels = testing::Draw(random, 1, 5);
  std::string x = testing::DrawInput(b, random, "x", channels);
  const int around = testing::Draw(random, 0, 3);
  if (around > 0) x = b->Conv(x, channels, 3, 1);
  x = AppendUnshuffle(b, x, factor);
  if (around == 1) return b->Conv(x, 5, 1, 1);
  if (around == 2) return b->Conv(x, 5, 3, 1);
  if (around == 3) return b->Append("pixel_shuffle", {x}, {{"factor", factor}});
  return x;
}

std::string TypicalPixelUnshuffle(GraphBuilder* b, const std::string& x) {
  return AppendUnshuffle(b, x, 2);
}

constexpr testing::OpDescription kOp = {"pixel_unshuffle", DrawPixelUnshuffle,
                                        TypicalPixelUnshuffle};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: pixel_unshuffle") {
  testing::CheckOp(kOp);
  const auto refusal = [](int channels, int factor) {
    return testing::Refusal({"pixel_unshuffle", {channels}, {{"factor", factor}}});
  };
  CHECK(refusal(1, 8).empty());
  CHECK(refusal(64, 8).empty());
  CHECK(refusal(65, 8) == "has 4160 channels, at most 4096 are allowed");
  CHECK(refusal(8, 6) == "factor is 6, not 2, 4 or 8");
  CHECK(refusal(8, 9) == "factor is 9, not an integer from 2 to 8");
}

}  // namespace glint
