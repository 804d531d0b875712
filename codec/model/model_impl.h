// What stands behind glint::Model: the file, a plan for every graph, tables ready for rANS.
// Internal to codec/.
// Thread rules: immutable after loading, shared freely.
#ifndef GLINT_CODEC_MODEL_MODEL_IMPL_H_
#define GLINT_CODEC_MODEL_MODEL_IMPL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "codec/model/model_document.h"
#include "codec/stream/entropy_tables.h"
#include "engine/executor.h"
#include "engine/front_graph.h"
#include "engine/memory_budget.h"
#include "engine/model_file.h"
#include "engine/status.h"
#include "engine/tensor_observer.h"
#include "engine/work_progress.h"
#include "glint/glint.hpp"

namespace glint {

// What makes a picture of y: g_s, or the graph that makes it at a fraction of its size.
struct SynthesisForm {
  std::shared_ptr<const Plan> plan;
  const Graph* graph = nullptr;
  int shrink = 1;
  size_t channels = 0;  // of y that it reads, from the first on
  size_t steps = 0;     // of coding: the first ones, which code all that it reads
};

struct Model::Impl {
  struct Step {
    std::shared_ptr<const Plan> plan;         // at the step's positions; nullptr: fixed tables
    std::shared_ptr<const FrontGraph> front;  // what `plan` is of in wavefront steps, else nullptr
    size_t first_table = 0;                   // of `tables`
  };

  std::shared_ptr<const ModelFile> file;  // outlives the plans, which point into it
  ModelDocument document;
  ModelInfo info;
  std::shared_ptr<const Plan> g_a, g_s;
  std::shared_ptr<const Plan> h_a, h_s;  // nullptr in models without hyper latents
  std::vector<Step> steps;               // of document.coding.steps
  EntropyTables tables;                  // all sets, one after the other
  TensorObserver* observer = nullptr;    // of all graphs; none in models that are loaded
  // What the model takes: file, packed weights, and the gradient's.
  std::shared_ptr<MemoryBudget> budget;

  // The plan of g_s' gradient (engine/gradient_graph.h), made when it is first asked for.
  // kUnsupported where an operator has no known derivative, kLimit beyond the budget. Any thread
  // may call it.
  Result<std::shared_ptr<const Plan>> Gradient() const;

  SynthesisForm WholeSynthesis() const;
  // `shrink`: one of document.shrunk, whose plan is made when it is first asked for: kLimit beyond
  // the budget. Any thread may call it.
  Result<SynthesisForm> ShrunkSynthesis(int shrink) const;

  const Coding& coding() const { return document.coding; }
  const Graphs& graphs() const { return file->graphs(); }
  const Graph& graph(const std::string& name) const { return file->graphs().at(name); }

 private:
  Status MakeGradient() const;

  mutable std::mutex shrunk_mutex_;
  mutable std::map<int, std::shared_ptr<const Plan>> shrunk_;
  mutable std::mutex gradient_mutex_;
  mutable std::shared_ptr<const ModelFile> gradient_file_;  // that the plan points into
  mutable std::shared_ptr<const Plan> gradient_;
};

// What Model::Load does after the file is read, within the budget that the file was taken from.
// `observer`: of all graphs, must outlive the model. The plans of the graphs are made side by side.
// `progress`: hears of them, up to 1.
Result<std::shared_ptr<Model::Impl>> MakeModelImpl(std::shared_ptr<const ModelFile> file,
                                                   std::shared_ptr<MemoryBudget> budget,
                                                   TensorObserver* observer = nullptr,
                                                   const Runner& runner = SerialRunner(),
                                                   WorkProgress* progress = nullptr);

// Whether decoded pictures are the same to the last bit on every machine: g_s has integer products
// only, and besides these nothing but single operations.
bool HasExactSynthesis(const Model::Impl& model);

}  // namespace glint

#endif  // GLINT_CODEC_MODEL_MODEL_IMPL_H_
