// What is said of an operator once, for its test and for its benchmark; each description stands in
// the operator's test. Used by tests/ops/ and bench/operators.cc.
// Thread rules: one thread.
#ifndef GLINT_TESTS_OPS_OP_DESCRIPTION_H_
#define GLINT_TESTS_OPS_OP_DESCRIPTION_H_

#include <random>
#include <string>
#include <vector>

#include "tests/graph_builder.h"

namespace glint::testing {

int Draw(std::mt19937* random, int low, int high);
double DrawReal(std::mt19937* random, double low, double high);
// An input of the graph, or what an activation makes of one: a tensor that a step may overwrite.
std::string DrawInput(GraphBuilder* b, std::mt19937* random, const std::string& name, int channels);

// What the harness of tests draws, and what bench_kernels times.
struct OpDescription {
  const char* name;
  // Inputs, weights and a node of the operator. The name of its output.
  std::string (*draw)(GraphBuilder* b, std::mt19937* random);
  // The same for the node that is timed: of x alone, or with more inputs and weights of its own.
  std::string (*typical)(GraphBuilder* b, const std::string& x);
  // Of class close, all in float: the largest difference to double, by the largest value.
  double bound = 2e-5;
};

// Keeps a description for bench_kernels.
struct RegisterOp {
  explicit RegisterOp(const OpDescription& op);
};
const std::vector<OpDescription>& RegisteredOps();

}  // namespace glint::testing

#endif  // GLINT_TESTS_OPS_OP_DESCRIPTION_H_
