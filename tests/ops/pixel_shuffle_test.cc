// pixel_shuffle against its definition.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor PixelShuffle(const TwinNode& n) {
  const int factor = n.attributes["factor"];
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out(factor * x.height, factor * x.width, x.channels / factor / factor);
  for (int y = 0; y < x.height; ++y) {
    for (int column = 0; column < x.width; ++column) {
      for (int c = 0; c < x.channels; ++c) {
        const int channel = c / (factor * factor), down = c / factor % factor, right = c % factor;
        out.at(factor * y + down, factor * column + right, channel) = x.at(y, column, c);
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("pixel_shuffle", PixelShuffle);

// Alone, or between convolutions that read rows above and below.
std::string DrawPixelShuffle(GraphBuilder* b, std::mt19937* random) {
  const int factor = testing::Draw(random, 0, 1) == 0 ? 2 : 4;
  const int channels = factor * factor * testing::Draw(random, 1, 3);
  std::string x = testing::DrawInput(b, random, "x", channels);
  const bool convolved = testing::Draw(random, 0, 1) == 0;
  if (convolved) x = b->Conv(x, channels, 3, 1);
  x = b->Append("pixel_shuffle", {x}, {{"factor", factor}});
  return convolved ? b->Conv(x, 3, 5, 2) : x;
}

std::string TypicalPixelShuffle(GraphBuilder* b, const std::string& x) {
  return b->Append("pixel_shuffle", {x}, {{"factor", 2}});
}

constexpr testing::OpDescription kOp = {"pixel_shuffle", DrawPixelShuffle, TypicalPixelShuffle};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: pixel_shuffle") {
  testing::CheckOp(kOp);
  const auto refusal = [](int channels, int factor) {
    return testing::Refusal({"pixel_shuffle", {channels}, {{"factor", factor}}});
  };
  CHECK(refusal(8, 2).empty());
  CHECK(refusal(8, 4) == "its input has 8 channels, no multiple of 16");
  CHECK(refusal(9, 3) == "factor is 3, not 2 or 4");
  CHECK(refusal(8, 5) == "factor is 5, not an integer from 2 to 4");
}

}  // namespace glint
