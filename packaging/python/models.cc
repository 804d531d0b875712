// Models, and the SIMD targets that they run on.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "glint/rate.hpp"
#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"
#include "packaging/python/call.h"

namespace glint::python {
namespace {

LoadOptions OptionsOf(int threads, uint64_t max_memory, Call* call) {
  LoadOptions options;
  options.threads = threads;
  options.max_memory = max_memory;
  options.progress = call->progress();
  return options;
}

Model LoadFile(const nb::bytes& name, int threads, uint64_t max_memory) {
  const std::string path = PathOf(name);
  Call call;
  const LoadOptions options = OptionsOf(threads, max_memory, &call);
  return Value(call.Run([&] { return Model::Load(path, options); }));
}

Model LoadBytes(nb::handle bytes, const std::string& name, int threads, uint64_t max_memory) {
  const Buffer buffer(bytes, Buffer::Access::kBytes);
  Call call;
  const LoadOptions options = OptionsOf(threads, max_memory, &call);
  return Value(
      call.Run([&] { return Model::FromMemory(buffer.data(), buffer.size(), name, options); }));
}

std::string IdOf(const nb::bytes& name) {
  const std::string path = PathOf(name);
  return Value(Call().Run([&] { return Model::IdOfFile(path); }));
}

}  // namespace

void AddModels(nb::module_& m) {
  nb::class_<ModelInfo>(m, "ModelInfo")
      .def_ro("name", &ModelInfo::name)
      .def_ro("form", &ModelInfo::form)
      .def_ro("architecture", &ModelInfo::architecture)
      .def_ro("provenance", &ModelInfo::provenance)
      .def_ro("id", &ModelInfo::id)
      .def_ro("file_bytes", &ModelInfo::file_bytes)
      .def_ro("lrd_min", &ModelInfo::lrd_min)
      .def_ro("lrd_max", &ModelInfo::lrd_max)
      .def_ro("lrd_default", &ModelInfo::lrd_default)
      .def_ro("lrd_suggested_min", &ModelInfo::lrd_suggested_min)
      .def_ro("lrd_suggested_max", &ModelInfo::lrd_suggested_max)
      .def_ro("detail_lrd_min", &ModelInfo::detail_lrd_min)
      .def_ro("detail_lrd_max", &ModelInfo::detail_lrd_max)
      .def_ro("detail_lrd_default", &ModelInfo::detail_lrd_default)
      .def_ro("parameters", &ModelInfo::parameters)
      .def_ro("shrinks", &ModelInfo::shrinks)
      .def_prop_ro("has_fixed_rate", &ModelInfo::has_fixed_rate);
  nb::class_<Model>(m, "Model")
      .def_prop_ro("info", &Model::info)
      .def("explain", &Model::Explain)
      .def(
          "lrd_of_quality",
          [](const Model& model, double quality, Detail detail) {
            return Value(LrdOfQuality(model.info(), quality, detail));
          },
          nb::arg("quality"), nb::arg("detail"));
  m.def("load_model", LoadFile, nb::arg("path"), nb::arg("threads"), nb::arg("max_memory"));
  m.def("load_model_bytes", LoadBytes, nb::arg("bytes"), nb::arg("name"), nb::arg("threads"),
        nb::arg("max_memory"));
  m.def("id_of_file", IdOf, nb::arg("path"));
  m.def("supported_targets", SupportedTargets,
        "The SIMD targets that this machine has, best first.");
  m.def("current_target", CurrentTarget, "The SIMD target that kernels run on.");
  m.def(
      "set_target", [](const std::string& name) { Check(SetTarget(name)); }, nb::arg("name"),
      "Chooses the SIMD target of the whole process, before models are loaded; \"\": the best.");
}

}  // namespace glint::python
