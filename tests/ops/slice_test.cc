// slice against its definition.

#include "tests/ops/op_test.h"

namespace glint {
namespace {

ReferenceTensor Slice(const TwinNode& n) {
  const int begin = n.attributes["begin"], end = n.attributes["end"];
  const ReferenceTensor& x = *n.in[0];
  ReferenceTensor out(x.height, x.width, end - begin);
  for (int y = 0; y < x.height; ++y) {
    for (int column = 0; column < x.width; ++column) {
      for (int c = begin; c < end; ++c) out.at(y, column, c - begin) = x.at(y, column, c);
    }
  }
  return out;
}

const RegisterTwin kTwin("slice", Slice);

std::string AppendSlice(GraphBuilder* b, const std::string& x, int begin, int end) {
  return b->Append("slice", {x}, {{"begin", begin}, {"end", end}});
}

// Alone, or as converters permute channels: two slices and a concatenation of them.
std::string DrawSlice(GraphBuilder* b, std::mt19937* random) {
  const int channels = testing::Draw(random, 1, testing::Draw(random, 0, 1) == 0 ? 40 : 300);
  std::string x = testing::DrawInput(b, random, "x", channels);
  if (channels < 40 && testing::Draw(random, 0, 1) == 0) x = b->Conv(x, channels, 3, 1);
  const int begin = testing::Draw(random, 0, channels - 1);
  if (begin > 0 && testing::Draw(random, 0, 1) == 0) {
    const std::string first = AppendSlice(b, x, 0, begin);
    x = b->Concat({AppendSlice(b, x, begin, channels), first});
    return testing::Draw(random, 0, 1) == 0 ? x : b->Conv(x, 3, 1, 1);
  }
  return AppendSlice(b, x, begin, testing::Draw(random, begin + 1, channels));
}

std::string TypicalSlice(GraphBuilder* b, const std::string& x) {
  return AppendSlice(b, x, 0, b->channels(x) / 2);
}

constexpr testing::OpDescription kOp = {"slice", DrawSlice, TypicalSlice};
const testing::RegisterOp kRegisterOp(kOp);

}  // namespace

TEST_CASE("operators: slice") {
  testing::CheckOp(kOp);
  const auto refusal = [](int begin, int end) {
    return testing::Refusal({"slice", {8}, {{"begin", begin}, {"end", end}}});
  };
  CHECK(refusal(0, 8).empty());
  CHECK(refusal(7, 8).empty());
  CHECK(refusal(2, 9) == "end is 9, its input has 8 channels");
  CHECK(refusal(2, 2) == "end is 2, not an integer from 3 to 4096");
  CHECK(refusal(-1, 2) == "begin is -1, not an integer from 0 to 4095");
}

}  // namespace glint
