#include "tests/ops/op_description.h"

namespace glint::testing {
namespace {

std::vector<OpDescription>& MutableOps() {
  static std::vector<OpDescription> ops;
  return ops;
}

}  // namespace

int Draw(std::mt19937* random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(*random);
}

double DrawReal(std::mt19937* random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(*random);
}

std::string DrawInput(GraphBuilder* b, std::mt19937* random, const std::string& name,
                      int channels) {
  const std::string input = b->Input(name, channels);
  return Draw(random, 0, 1) == 0 ? input : b->LeakyRelu(input, 0.25f);
}

RegisterOp::RegisterOp(const OpDescription& op) { MutableOps().push_back(op); }

const std::vector<OpDescription>& RegisteredOps() { return MutableOps(); }

}  // namespace glint::testing
