// What stands behind glint::Model: the file, a plan for every graph, tables ready for rANS.
// Internal to codec/. Thread rules: immutable after loading, shared freely.
#ifndef GLINT_CODEC_MODEL_MODEL_IMPL_H_
#define GLINT_CODEC_MODEL_MODEL_IMPL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "codec/stream/entropy_tables.h"
#include "engine/executor.h"
#include "engine/model_file.h"
#include "engine/status.h"
#include "engine/tensor_observer.h"
#include "glint/glint.hpp"

namespace glint {

struct Model::Impl {
  std::shared_ptr<const ModelFile> file;  // outlives the plans, which point into it
  ModelInfo info;
  std::shared_ptr<const Plan> g_a, h_a, h_s, g_s;
  std::vector<std::shared_ptr<const Plan>> steps;  // of coding.steps, at their parities
  EntropyTables tables;                            // those of y, then those of z

  const ModelDocument& document() const { return file->document(); }
  const Coding& coding() const { return file->document().coding; }
  const Graph& graph(const char* name) const { return file->document().graphs.at(name); }
  size_t first_z_table() const { return coding().y.count(); }
};

// What Model::Load does after the file is read. `observer`: of all graphs, must outlive the model.
Result<std::shared_ptr<Model::Impl>> MakeModelImpl(std::shared_ptr<const ModelFile> file,
                                                   TensorObserver* observer = nullptr);

}  // namespace glint

#endif  // GLINT_CODEC_MODEL_MODEL_IMPL_H_
