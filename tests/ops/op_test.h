// One harness for all operators. A test of an operator gives its loops in double (RegisterTwin) and
// its description (RegisterOp); the harness runs the nodes that it draws in graphs through planner
// and executor: every class that the operator has, tensors kept in every form, matrices of every
// precision, every target, several band heights and numbers of threads.
// Thread rules: functions of their arguments; the registry is filled before main.
#ifndef GLINT_TESTS_OPS_OP_TEST_H_
#define GLINT_TESTS_OPS_OP_TEST_H_

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/graph_forms.h"
#include "tests/ops/op_description.h"

namespace glint::testing {

void CheckOp(const OpDescription& op);

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
