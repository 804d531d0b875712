// One harness for all operators. A test of an operator gives its loops in double (RegisterTwin) and
// a function that draws a node; the harness runs such nodes in graphs through planner and executor:
// every class that the operator has, tensors kept in every form, matrices of every precision, every
// target, several band heights and numbers of threads.
#ifndef GLINT_TESTS_OPS_OP_TEST_H_
#define GLINT_TESTS_OPS_OP_TEST_H_

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/graph_builder.h"
#include "tests/graph_forms.h"

namespace glint::testing {

int Draw(std::mt19937* random, int low, int high);
double DrawReal(std::mt19937* random, double low, double high);
// An input of the graph, or what an activation makes of one: a tensor that a step may overwrite.
std::string DrawInput(GraphBuilder* b, std::mt19937* random, const std::string& name, int channels);

struct OpTest {
  const char* op;
  // Inputs, weights and a node of the operator. The name of its output.
  std::string (*draw)(GraphBuilder* b, std::mt19937* random);
  // Of class close, all in float: the largest difference to double, by the largest value.
  double bound = 2e-5;
};
void CheckOp(const OpTest& test);

// What a file could say, and should not: the message that refuses it, without its place; "" if
// nothing does.
struct NodeText {
  std::string op;
  std::vector<int> channels;  // of its inputs
  Json attributes = Json::object();
  std::map<std::string, std::vector<int64_t>> weights = {};
};
std::string Refusal(const NodeText& text);

// Runs the graph on every target with bands and threads, which change no bit; `judge` sees what
// each target gives. `same`: all targets give the same bits.
void RunEverywhere(const TestModel& model, const Graph& graph, const GraphInputs& inputs, bool same,
                   const std::function<void(const ReferenceTensor& got)>& judge);

}  // namespace glint::testing

#endif  // GLINT_TESTS_OPS_OP_TEST_H_
