#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "codec/call_log.h"
#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/rate/layer_rates.h"
#include "codec/workers.h"
#include "engine/float_env.h"
#include "engine/gradient_graph.h"
#include "engine/op.h"
#include "kernels/memory_hooks.h"
#include "kernels/peak.h"
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
  for (const auto& entry : document.shrunk) {
    info.shrinks.push_back(static_cast<uint32_t>(entry.first));
  }
  return info;
}

MappedFile::Access AccessOf(ModelAccess access) {
  switch (access) {
    case ModelAccess::kRead:
      return MappedFile::Access::kRead;
    case ModelAccess::kMap:
      return MappedFile::Access::kMap;
    case ModelAccess::kMapLarge:
      break;
  }
  return MappedFile::Access::kMapLarge;
}

template <typename LoadFile>
Expected<Model> LoadWith(const LoadOptions& options, LoadFile&& load_file) {
  const ScopedFloatEnv float_env;
  const Clock::time_point start = Clock::now();
  const auto load = [&](WorkProgress* progress) -> Result<Model> {
    Workers workers;
    GLINT_TRY(workers.Init(options.threads, options.runner));
    auto budget = std::make_shared<MemoryBudget>(options.max_memory);
    ModelFileOptions of_file;
    of_file.runner = workers.runner();
    of_file.access = AccessOf(options.access);
    of_file.budget = budget.get();
    of_file.progress = progress;
    GLINT_ASSIGN(auto file, load_file(of_file));
    GLINT_ASSIGN(auto impl, MakeModelImpl(std::move(file), std::move(budget), nullptr,
                                          workers.runner(), progress));
    GLINT_TRY(progress->Done(1));
    impl->info.load_seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return Model(std::move(impl));
  };
  Expected<Model> model = PublicCall([&] {
    WorkProgress progress(options.progress);
    auto loaded = load(&progress);
    progress.Rethrow();
    return loaded;
  });
  LogLoading(options.log, model);
  return model;
}

struct PlanToMake {
  const Graph* graph;
  PositionSet positions;
  std::shared_ptr<const Plan>* plan;
};

// The error of the first that has one.
Status MakePlans(const ModelFile& file, const std::vector<PlanToMake>& plans,
                 const PlanOptions& options, const Runner& runner) {
  std::vector<Status> made(plans.size());
  ParallelFor(runner, plans.size(), [&](size_t i, size_t) {
    made[i] = WithoutBadAlloc([&]() -> Status {
      GLINT_ASSIGN(*plans[i].plan, Plan::Make(file, *plans[i].graph, plans[i].positions, options));
      return Status::Ok();
    });
  });
  for (Status& status : made) GLINT_TRY(std::move(status));
  return Status::Ok();
}

// Side by side plans take more memory for a while than one after the other: what is too much then
// is tried again so, and threads do not decide what can be loaded.
Status MakePlansWithin(const ModelFile& file, const std::vector<PlanToMake>& plans,
                       const PlanOptions& options, const Runner& runner) {
  const uint64_t before = options.budget->taken();
  Status made = MakePlans(file, plans, options, runner);
  if (made.code() != StatusCode::kLimit || runner.run == nullptr) return made;
  for (const PlanToMake& plan : plans) plan.plan->reset();
  options.budget->GiveBack(options.budget->taken() - before);
  return MakePlans(file, plans, options, SerialRunner());
}

// While a gradient is made: its weights are those of the graph as floats, those of matrices twice,
// and they are there in the writer, in what it writes, and in the file that keeps it.
uint64_t MostGradientBytes(const ModelFile& file, const Graph& graph) {
  constexpr uint64_t kUses = 2, kCopies = 3;
  uint64_t elements = 0;
  for (const Node& node : graph.nodes) {
    for (const auto& weight : node.weights) elements += file.tensor(weight.second)->elements;
  }
  return kUses * kCopies * sizeof(float) * elements;
}

// By set: the number of its first table.
Result<std::map<std::string, size_t>> MakeTables(Model::Impl* impl) {
  size_t tables = 0, entries = 0;
  for (const auto& [name, set] : impl->coding().tables) {
    tables += set.tables.count();
    entries += set.tables.entries();
  }
  GLINT_TRY(impl->budget->Take(EntropyTables::BytesOf(tables, entries),
                               impl->file->name() + ": its tables"));
  impl->tables.Reserve(tables, entries);
  std::map<std::string, size_t> first;
  for (const auto& [name, set] : impl->coding().tables) {
    first[name] = impl->tables.count();
    impl->tables.Append(set.tables);
  }
  return first;
}

}  // namespace

Result<std::shared_ptr<Model::Impl>> MakeModelImpl(std::shared_ptr<const ModelFile> file,
                                                   std::shared_ptr<MemoryBudget> budget,
                                                   TensorObserver* observer, const Runner& runner,
                                                   WorkProgress* progress) {
  auto impl = std::make_shared<Model::Impl>();
  impl->budget = std::move(budget);
  impl->observer = observer;
  impl->file = std::move(file);
  GLINT_ASSIGN(impl->document, LoadDocument(*impl->file));
  GLINT_TRY(CheckCodable(*impl));
  impl->info = DescribeFile(*impl->file, impl->document);
  std::vector<PlanToMake> plans = {{&impl->graph("g_a"), kAllPositions, &impl->g_a},
                                   {&impl->graph("g_s"), kAllPositions, &impl->g_s}};
  if (impl->document.has_hyper) {
    plans.push_back({&impl->graph("h_a"), kAllPositions, &impl->h_a});
    plans.push_back({&impl->graph("h_s"), kAllPositions, &impl->h_s});
  }
  GLINT_ASSIGN(const auto first_tables, MakeTables(impl.get()));
  impl->steps.resize(impl->coding().steps.size());
  for (size_t i = 0; i < impl->steps.size(); ++i) {
    const CodingStep& coding = impl->coding().steps[i];
    Model::Impl::Step& step = impl->steps[i];
    step.first_table = first_tables.at(coding.tables);
    if (coding.order == Order::kWavefront) {
      GLINT_ASSIGN(FrontGraph front, MakeFrontGraph(impl->graph(coding.graph)));
      step.front = std::make_shared<const FrontGraph>(std::move(front));
      plans.push_back({&step.front->graph, kAllPositions, &step.plan});
    } else if (coding.has_graph()) {
      plans.push_back({&impl->graph(coding.graph), coding.positions(), &step.plan});
    }
  }
  uint64_t work = 0;
  for (const PlanToMake& plan : plans) work += Plan::Work(*plan.graph);
  if (progress != nullptr) progress->Begin(1);
  const PlanOptions options{observer, impl->budget.get(), progress, 1 / static_cast<double>(work)};
  GLINT_TRY(MakePlansWithin(*impl->file, plans, options, runner));
  return impl;
}

SynthesisForm Model::Impl::WholeSynthesis() const {
  return {g_s, &graph("g_s"), 1, g_s->input_channels(0), coding().steps.size()};
}

Result<SynthesisForm> Model::Impl::ShrunkSynthesis(int shrink) const {
  const ShrunkGraph& shrunk = document.shrunk.at(shrink);
  const Graph& graph_of_it = graph(shrunk.graph);
  const std::lock_guard<std::mutex> lock(shrunk_mutex_);
  std::shared_ptr<const Plan>& plan = shrunk_[shrink];
  if (plan == nullptr) {
    PlanOptions options;
    options.budget = budget.get();
    GLINT_ASSIGN(plan, Plan::Make(*file, graph_of_it, kAllPositions, options));
  }
  return SynthesisForm{plan, &graph_of_it, shrink, plan->input_channels(0), shrunk.steps};
}

Result<std::shared_ptr<const Plan>> Model::Impl::Gradient() const {
  const std::lock_guard<std::mutex> lock(gradient_mutex_);
  if (gradient_ == nullptr) GLINT_TRY(MakeGradient());
  return gradient_;
}

Status Model::Impl::MakeGradient() const {
  BudgetShare of_file(budget.get());
  const std::string what = file->name() + ": the gradient of g_s";
  const uint64_t most = MostGradientBytes(*file, graph("g_s"));
  GLINT_TRY(of_file.Take(most, what));
  const float offset = document.picture_offset;
  auto made = MakeGradientModel(*file, "g_s", OutputRange{0 - offset, 1 - offset});
  if (!made.ok()) return made.status().WithContext(file->name());
  of_file.GiveBack(most);
  GLINT_TRY(of_file.Take((*made)->file_bytes(), what));
  PlanOptions options;
  options.budget = budget.get();
  GLINT_ASSIGN(gradient_,
               Plan::Make(**made, (*made)->graphs().at(kGradientGraph), kAllPositions, options));
  of_file.Keep();
  gradient_file_ = std::move(*made);
  return Status::Ok();
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

Expected<Model> Model::Load(const std::string& path, const LoadOptions& options) {
  return LoadWith(options,
                  [&](const ModelFileOptions& of_file) { return ModelFile::Load(path, of_file); });
}

Expected<Model> Model::FromMemory(const void* data, size_t size, const std::string& name,
                                  const LoadOptions& options) {
  return LoadWith(options, [&](const ModelFileOptions& of_file) {
    return ModelFile::FromMemory({static_cast<const uint8_t*>(data), size}, name, of_file);
  });
}

Expected<std::string> Model::IdOfFile(const std::string& path) {
  return PublicCall([&]() -> Result<std::string> {
    GLINT_ASSIGN(const ModelId id, ModelFile::IdOf(path));
    return ToHex(id);
  });
}

const ModelInfo& Model::info() const { return impl_->info; }

std::string Model::Explain() const {
  std::string text = "target " + kernels::CurrentTarget() + "\n" + impl_->g_a->Describe();
  if (impl_->document.has_hyper) text += impl_->h_a->Describe() + impl_->h_s->Describe();
  for (const Impl::Step& step : impl_->steps) {
    if (step.plan != nullptr) text += step.plan->Describe();
  }
  text += impl_->g_s->Describe();
  for (const auto& entry : impl_->document.shrunk) {
    const auto form = impl_->ShrunkSynthesis(entry.first);
    text += form.ok() ? form.value().plan->Describe() : form.status().message() + "\n";
  }
  return text;
}

#define GLINT_TEXT_OF(number) #number
#define GLINT_TEXT(macro) GLINT_TEXT_OF(macro)
const char* Version() {
  return GLINT_TEXT(GLINT_VERSION_MAJOR) "." GLINT_TEXT(GLINT_VERSION_MINOR) "." GLINT_TEXT(
      GLINT_VERSION_PATCH);
}

std::vector<std::string> SupportedTargets() { return kernels::SupportedTargets(); }

std::string CurrentTarget() { return kernels::CurrentTarget(); }

Error SetAllocator(const Allocator& allocator) {
  return PublicCall([&]() -> Error {
    if ((allocator.allocate == nullptr) != (allocator.release == nullptr)) {
      return {ErrorCode::kInvalidArgument, "an allocator has both functions or none"};
    }
    kernels::SetMemoryHooks({allocator.allocate, allocator.release, allocator.opaque});
    return {};
  });
}

double MeasurePeak(const std::string& kernel) {
  using kernels::PeakKind;
  const auto kind = kernel.starts_with("i16 ")  ? PeakKind::kI16
                    : kernel.starts_with("u8 ") ? PeakKind::kU8I8
                                                : PeakKind::kFp32Fma;
  return kernels::MeasurePeakGops(kind) * 1e9 / 2;
}

Error SetTarget(const std::string& name) {
  if (kernels::SetTarget(name)) return {};
  std::string known;
  for (const std::string& target : kernels::SupportedTargets()) known += " " + target;
  return {ErrorCode::kInvalidArgument, "no target \"" + name + "\" here; there are:" + known};
}

}  // namespace glint
