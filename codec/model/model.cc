#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/rate/layer_rates.h"
#include "engine/float_env.h"
#include "engine/gradient_graph.h"
#include "engine/op.h"
#include "kernels/targets.h"

namespace glint {
namespace {

using Clock = std::chrono::steady_clock;

// What the codec asks of a model beyond the rules of its format.
Status CheckCodable(const Model::Impl& model) {
  const auto unsupported = [&](const std::string& what) {
    return Status::Error(StatusCode::kUnsupported, model.file->name() + ": " + what);
  };
  constexpr size_t kMostTables = 256;  // indices are bytes
  if (model.document.picture_channels != 3) {
    return unsupported("pictures of " + std::to_string(model.document.picture_channels) +
                       " channels, 3 are supported");
  }
  for (const CodingStep& step : model.coding().steps) {
    const size_t count = model.coding().tables.at(step.tables).tables.count();
    if (!step.has_graph() || count <= kMostTables) continue;
    return unsupported(std::to_string(count) +
                       " tables of latents, at most 256 are supported for the scales of a graph");
  }
  return Status::Ok();
}

uint64_t CountParameters(const ModelFile& file) {
  std::set<std::string> names;
  for (const auto& entry : file.graphs()) {
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

ModelInfo DescribeFile(const ModelFile& file, const ModelDocument& document) {
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
  const LrdLimits with_details = LimitsOfLrd(document.rate, true);
  info.detail_lrd_min = with_details.min;
  info.detail_lrd_max = with_details.max;
  info.detail_lrd_default = with_details.start;
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
  auto impl = std::make_shared<Model::Impl>();
  impl->observer = observer;
  impl->file = std::move(file);
  GLINT_ASSIGN(impl->document, LoadDocument(*impl->file));
  GLINT_TRY(CheckCodable(*impl));
  impl->info = DescribeFile(*impl->file, impl->document);
  std::vector<std::pair<const char*, std::shared_ptr<const Plan>*>> plans = {{"g_a", &impl->g_a},
                                                                             {"g_s", &impl->g_s}};
  if (impl->document.has_hyper) {
    plans.insert(plans.end(), {{"h_a", &impl->h_a}, {"h_s", &impl->h_s}});
  }
  for (const auto& [name, plan] : plans) {
    GLINT_ASSIGN(*plan, Plan::Make(*impl->file, impl->graph(name), kAllPositions, observer));
  }
  std::map<std::string, size_t> first_tables;
  for (const auto& [name, set] : impl->coding().tables) {
    first_tables[name] = impl->tables.count();
    impl->tables.Append(set.tables);
  }
  for (const CodingStep& coding : impl->coding().steps) {
    Model::Impl::Step step;
    step.first_table = first_tables.at(coding.tables);
    if (coding.order == Order::kWavefront) {
      GLINT_ASSIGN(FrontGraph front, MakeFrontGraph(impl->graph(coding.graph)));
      step.front = std::make_shared<const FrontGraph>(std::move(front));
      GLINT_ASSIGN(step.plan, Plan::Make(*impl->file, step.front->graph, kAllPositions, observer));
    } else if (coding.has_graph()) {
      GLINT_ASSIGN(step.plan, Plan::Make(*impl->file, impl->graph(coding.graph), coding.positions(),
                                         observer));
    }
    impl->steps.push_back(std::move(step));
  }
  return impl;
}

Result<std::shared_ptr<const Plan>> Model::Impl::Gradient() const {
  const std::lock_guard<std::mutex> lock(gradient_mutex_);
  if (gradient_ == nullptr) {
    const float offset = document.picture_offset;
    auto made = MakeGradientModel(*file, "g_s", OutputRange{0 - offset, 1 - offset});
    if (!made.ok()) return made.status().WithContext(file->name());
    gradient_file_ = std::move(*made);
    GLINT_ASSIGN(gradient_,
                 Plan::Make(*gradient_file_, gradient_file_->graphs().at(kGradientGraph)));
  }
  return gradient_;
}

bool HasExactSynthesis(const Model::Impl& model) {
  const std::vector<Node>& nodes = model.graph("g_s").nodes;
  return std::all_of(nodes.begin(), nodes.end(), [](const Node& node) {
    if (node.matrix) return IsInteger(node.precision);
    // A factor for each channel is one product, and its value depends on the rate alone.
    return node.op->classes == Classes::kCloseAndExact ||
           static_cast<const Fusion&>(node.op->fusion).slot == Slot::kFactors;
  });
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
  std::string text = "target " + kernels::CurrentTarget() + "\n" + impl_->g_a->Describe();
  if (impl_->document.has_hyper) text += impl_->h_a->Describe() + impl_->h_s->Describe();
  for (const Impl::Step& step : impl_->steps) {
    if (step.plan != nullptr) text += step.plan->Describe();
  }
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
