// pixel_shuffle against its definition.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor PixelShuffle(const TwinNode& n) {
  const int factor = n.attributes["factor"];
  const bool first = n.attributes.value("order", "crd") == "crd";  // the channel comes first
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out(factor * x.height, factor * x.width, x.channels / factor / factor);
  for (int y = 0; y < x.height; ++y) {
    for (int column = 0; column < x.width; ++column) {
      for (int c = 0; c < x.channels; ++c) {
        const int phase = first ? c % (factor * factor) : c / out.channels;
        const int channel = first ? c / (factor * factor) : c % out.channels;
        out.at(factor * y + phase / factor, factor * column + phase % factor, channel) =
            x.at(y, column, c);
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("pixel_shuffle", PixelShuffle);

// Alone, or between convolutions that read rows above and below.
std::string DrawPixelShuffle(GraphBuilder* b, std::mt19937* random) {
  const int factor = 1 << testing::Draw(random, 1, 3);
  const int channels = factor * factor * testing::Draw(random, 1, 3);
  std::string x = testing::DrawInput(b, random, "x", channels);
  const bool convolved = testing::Draw(random, 0, 1) == 0;
  if (convolved) x = b->Conv(x, channels, 3, 1);
  testing::Json attributes = {{"factor", factor}};
  const int order = testing::Draw(random, 0, 2);
  if (order > 0) attributes["order"] = order == 1 ? "crd" : "dcr";
  x = b->Append("pixel_shuffle", {x}, attributes);
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
  CHECK(refusal(9, 3) == "factor is 3, not 2, 4 or 8");
  CHECK(refusal(8, 9) == "factor is 9, not an integer from 2 to 8");
  CHECK(refusal(32, 8) == "its input has 32 channels, no multiple of 64");
  CHECK(testing::Refusal({"pixel_shuffle", {8}, {{"factor", 2}, {"order", "rdc"}}}) ==
        "order is 'rdc', known here: crd, dcr");
}

}  // namespace glint
