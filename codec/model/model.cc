#include <chrono>
#include <set>
#include <utility>

#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "engine/float_env.h"
#include "kernels/targets.h"

namespace glint {
namespace {

using Clock = std::chrono::steady_clock;

// What the codec asks of a model beyond the rules of its format.
Status CheckCodable(const ModelFile& file) {
  const ModelDocument& document = file.document();
  const auto unsupported = [&](const std::string& what) {
    return Status::Error(StatusCode::kUnsupported, file.name() + ": " + what);
  };
  constexpr size_t kMostTables = 256;  // indices are bytes
  if (document.picture_channels != 3) {
    return unsupported("pictures of " + std::to_string(document.picture_channels) +
                       " channels, 3 are supported");
  }
  if (document.coding.y.count() > kMostTables) {
    return unsupported(std::to_string(document.coding.y.count()) +
                       " tables of latents, at most 256 are supported");
  }
  return Status::Ok();
}

uint64_t CountParameters(const ModelFile& file) {
  std::set<std::string> names;
  for (const auto& entry : file.document().graphs) {
    for (const Node& node : entry.second.nodes) {
      for (const auto& weight : node.weights) names.insert(weight.second);
    }
  }
  uint64_t count = 0;
  for (const std::string& name : names) {
    const TensorView* view = file.tensor(name);
    if (view != nullptr) count += view->elements;
  }
  return count;
}

ModelInfo DescribeFile(const ModelFile& file) {
  const ModelDocument& document = file.document();
  ModelInfo info;
  info.name = document.name;
  info.form = document.form;
  info.architecture = document.architecture;
  info.provenance = document.provenance;
  info.id = ToHex(file.id());
  info.file_bytes = file.file_bytes();
  info.lrd_min = document.rate.min;
  info.lrd_max = document.rate.max;
  info.lrd_default = document.rate.default_value;
  info.lrd_suggested_min = document.rate.suggested_min;
  info.lrd_suggested_max = document.rate.suggested_max;
  info.parameters = CountParameters(file);
  return info;
}

template <typename LoadFile>
Expected<Model> LoadWith(LoadFile&& load_file) {
  const ScopedFloatEnv float_env;
  const Clock::time_point start = Clock::now();
  auto impl = WithoutBadAlloc([&]() -> Result<std::shared_ptr<Model::Impl>> {
    GLINT_ASSIGN(auto file, load_file());
    return MakeModelImpl(std::move(file));
  });
  if (!impl.ok()) return ToError(impl.status());
  (*impl)->info.load_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return Model(std::move(*impl));
}

}  // namespace

Result<std::shared_ptr<Model::Impl>> MakeModelImpl(std::shared_ptr<const ModelFile> file,
                                                   TensorObserver* observer) {
  GLINT_TRY(CheckCodable(*file));
  auto impl = std::make_shared<Model::Impl>();
  impl->file = std::move(file);
  impl->info = DescribeFile(*impl->file);
  const std::pair<const char*, std::shared_ptr<const Plan>*> plans[] = {
      {"g_a", &impl->g_a}, {"h_a", &impl->h_a}, {"h_s", &impl->h_s}, {"g_s", &impl->g_s}};
  for (const auto& [name, plan] : plans) {
    GLINT_ASSIGN(*plan, Plan::Make(*impl->file, impl->graph(name), Parity::kAll, observer));
  }
  for (const CodingStep& step : impl->coding().steps) {
    GLINT_ASSIGN(auto plan,
                 Plan::Make(*impl->file, impl->graph(step.graph.c_str()), step.parity, observer));
    impl->steps.push_back(std::move(plan));
  }
  impl->tables.Append(impl->coding().y);
  impl->tables.Append(impl->coding().z);
  return impl;
}

Expected<Model> Model::Load(const std::string& path) {
  return LoadWith([&] { return ModelFile::Load(path); });
}

Expected<Model> Model::FromMemory(const void* data, size_t size, const std::string& name) {
  return LoadWith([&] {
    return ModelFile::FromMemory({static_cast<const uint8_t*>(data), size}, name);
  });
}

const ModelInfo& Model::info() const { return impl_->info; }

std::string Model::Explain() const {
  std::string text = "target " + kernels::CurrentTarget() + "\n" + impl_->g_a->Describe() +
                     impl_->h_a->Describe() + impl_->h_s->Describe();
  for (const auto& step : impl_->steps) text += step->Describe();
  return text + impl_->g_s->Describe();
}

const char* Version() { return "1.0.0"; }

std::vector<std::string> SupportedTargets() { return kernels::SupportedTargets(); }

std::string CurrentTarget() { return kernels::CurrentTarget(); }

Error SetTarget(const std::string& name) {
  if (kernels::SetTarget(name)) return {};
  std::string known;
  for (const std::string& target : kernels::SupportedTargets()) known += " " + target;
  return {ErrorCode::kInvalidArgument, "no target \"" + name + "\" here; there are:" + known};
}

}  // namespace glint
