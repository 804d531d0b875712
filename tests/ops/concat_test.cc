// concat against its definition; as a step, and as what a 1x1 convolution reads.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Concat(const TwinNode& n) {
  int channels = 0;
  for (const ReferenceTensor* part : n.in) channels += part->channels;
  ReferenceTensor out(n.in[0]->height, n.in[0]->width, channels);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int first = 0;
      for (const ReferenceTensor* part : n.in) {
        for (int c = 0; c < part->channels; ++c) out.at(y, x, first + c) = part->at(y, x, c);
        first += part->channels;
      }
    }
  }
  return out;
}

const RegisterTwin kTwin("concat", Concat);

std::string DrawConcat(GraphBuilder* b, std::mt19937* random) {
  std::vector<std::string> parts;
  for (int i = testing::Draw(random, 2, 6); i > 0; --i) {
    parts.push_back(
        testing::DrawInput(b, random, "x" + std::to_string(i), testing::Draw(random, 1, 20)));
  }
  return b->Concat(parts);
}

std::string TypicalConcat(GraphBuilder* b, const std::string& x) {
  return b->Concat({x, b->Input("y", b->channels(x))});
}

constexpr testing::OpDescription kOp = {"concat", DrawConcat, TypicalConcat};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: concat") {
  testing::CheckOp(kOp);
  CHECK(testing::Refusal({"concat", {4096, 1}}) == "has 4097 channels, at most 4096 are allowed");
}

}  // namespace glint
