// For tests of the engine: graphs in other forms than float, and what they are compared by.
// Thread rules: functions of their arguments.
#ifndef GLINT_TESTS_GRAPH_FORMS_H_
#define GLINT_TESTS_GRAPH_FORMS_H_

#include <map>
#include <random>
#include <string>

#include "engine/graph.h"
#include "tests/reference_graph.h"
#include "tests/test_model.h"

namespace glint {

using GraphInputs = std::map<std::string, ReferenceTensor>;

// Normal, of mean 0 and scale 1.
ReferenceTensor RandomTensor(std::mt19937* random, int height, int width, int channels);
GraphInputs RandomInputs(const Graph& graph, int height, int width, std::mt19937* random);

// The largest difference, by the largest value of `b`.
double WorstRelative(const ReferenceTensor& a, const ReferenceTensor& b);
// Signal to noise, dB.
double Snr(const ReferenceTensor& want, const ReferenceTensor& got);

struct IntegerForm {
  Precision precision = Precision::kI16;
  int weight_most = 511;
  int value_most = 4095;
  bool dynamic = false;  // with factors
};
// The graph with every matrix in integers, and every tensor that one reads, and some that are
// added.
Graph InIntegers(TestModel* model, const Graph& graph, const IntegerForm& form,
                 const GraphInputs& inputs);

// And every second of the other tensors, which no matrix of float16 or integers reads.
Graph KeepSome(TestModel* model, const Graph& graph, const IntegerForm& form,
               const GraphInputs& inputs, std::mt19937* random);

// Float16 weights in all nodes or some, and float16 tensors, some with limits and factors. `every`:
// a tensor or node in so many stays float.
Graph InFloat16(TestModel* model, const Graph& graph, unsigned every, unsigned seed);

}  // namespace glint

#endif  // GLINT_TESTS_GRAPH_FORMS_H_
