#include "codec/quantiser/groups.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/op.h"

namespace glint::quantiser {
namespace {

// The codec's tensors that cross graphs.
TensorKey Psi() { return {"", "psi"}; }
TensorKey Latents() { return {"", "y_hat"}; }
TensorKey Hyper() { return {"", "z"}; }

// The one key of a tensor under all its names. Latents are one whatever their channels.
TensorKey Canonical(const Model::Impl& model, const TensorKey& key) {
  const Graph& graph = model.graph(key.graph);
  const bool is_input = std::any_of(graph.inputs.begin(), graph.inputs.end(),
                                    [&](const GraphInput& in) { return in.name == key.tensor; });
  if (key.graph == "h_s") {
    if (is_input) return Hyper();
    return key.tensor == graph.output ? Psi() : key;
  }
  // h_a reads y before it is a stream's: its scale is free.
  if (!is_input || key.graph == "g_a" || key.graph == "h_a") return key;
  for (const CodingStep& step : model.coding().steps) {
    if (step.graph != key.graph) continue;
    for (const StepInput& input : step.inputs) {
      if (input.name == key.tensor && input.is_psi) return Psi();
    }
  }
  return Latents();
}

bool AnyAddReads(const Model::Impl& model, const GroupTensor& tensor) {
  return std::any_of(tensor.names.begin(), tensor.names.end(), [&](const TensorKey& key) {
    const std::vector<Node>& nodes = model.graph(key.graph).nodes;
    return std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) {
      return node.op->fusion->slot == Slot::kResidual &&
             std::find(node.inputs.begin(), node.inputs.end(), key.tensor) != node.inputs.end();
    });
  });
}

class UnionFind {
 public:
  explicit UnionFind(size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }
  size_t Find(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(size_t a, size_t b) { parent_[Find(a)] = Find(b); }

 private:
  std::vector<size_t> parent_;
};

Group::Kind KindOf(const Model::Impl& model, const TensorKey& canonical) {
  if (canonical == Latents()) return Group::Kind::kLatents;
  if (canonical == Hyper()) return Group::Kind::kHyper;
  if (canonical.graph == "g_a" && model.graph("g_a").inputs[0].name == canonical.tensor) {
    return Group::Kind::kPicture;
  }
  return Group::Kind::kFree;
}

// Inputs of graphs that are this tensor but that no layer reads: they are kept alike all the same.
void AddUnreadNames(const Model::Impl& model, std::map<TensorKey, GroupTensor>* tensors) {
  for (const auto& [name, graph] : model.graphs()) {
    std::vector<std::string> ends = {graph.output};
    for (const GraphInput& input : graph.inputs) ends.push_back(input.name);
    for (const std::string& end : ends) {
      const TensorKey key{name, end};
      const auto found = tensors->find(Canonical(model, key));
      if (found == tensors->end() || found->first == key) continue;
      std::vector<TensorKey>& names = found->second.names;
      if (std::find(names.begin(), names.end(), key) == names.end()) names.push_back(key);
    }
  }
}

}  // namespace

std::vector<size_t> Group::ChannelsOf(const Layer& layer) const {
  std::vector<size_t> of_layer;
  for (size_t i = 0; i < layer.inputs.size(); ++i) {
    for (const GroupTensor& tensor : tensors) {
      if (std::find(tensor.names.begin(), tensor.names.end(), layer.inputs[i]) ==
          tensor.names.end()) {
        continue;
      }
      for (size_t c = 0; c < layer.in_channels[i]; ++c) of_layer.push_back(tensor.first + c);
    }
  }
  return of_layer;
}

std::vector<Group> ListGroups(const Model::Impl& model, const std::vector<Layer>& layers) {
  std::map<TensorKey, GroupTensor> tensors;
  for (const Layer& layer : layers) {
    for (size_t i = 0; i < layer.inputs.size(); ++i) {
      GroupTensor& tensor = tensors[Canonical(model, layer.inputs[i])];
      tensor.channels = std::max(tensor.channels, layer.in_channels[i]);
      if (std::find(tensor.names.begin(), tensor.names.end(), layer.inputs[i]) ==
          tensor.names.end()) {
        tensor.names.push_back(layer.inputs[i]);
      }
    }
  }
  AddUnreadNames(model, &tensors);
  std::vector<TensorKey> keys;
  keys.reserve(tensors.size());
  for (const auto& entry : tensors) keys.push_back(entry.first);
  const auto index_of = [&](const TensorKey& key) {
    const TensorKey canonical = Canonical(model, key);
    return static_cast<size_t>(std::lower_bound(keys.begin(), keys.end(), canonical) -
                               keys.begin());
  };
  UnionFind sets(keys.size());
  for (const Layer& layer : layers) {
    for (const TensorKey& input : layer.inputs) {
      sets.Join(index_of(layer.inputs[0]), index_of(input));
    }
  }
  std::map<size_t, Group> groups;
  for (size_t i = 0; i < keys.size(); ++i) {
    Group& group = groups[sets.Find(i)];
    GroupTensor tensor = tensors.at(keys[i]);
    tensor.first = group.channels;
    group.channels += tensor.channels;
    const Group::Kind kind = KindOf(model, keys[i]);
    if (kind != Group::Kind::kFree) group.kind = kind;
    group.added = group.added || AnyAddReads(model, tensor);
    group.has_psi = group.has_psi || keys[i] == Psi();
    group.tensors.push_back(std::move(tensor));
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    groups[sets.Find(index_of(layers[i].inputs[0]))].layers.push_back(i);
  }
  std::vector<Group> list;
  list.reserve(groups.size());
  for (auto& entry : groups) list.push_back(std::move(entry.second));
  return list;
}

std::vector<GroupStatistics> StatisticsOf(const Group& group, const Statistics& statistics,
                                          const std::map<TensorKey, Bounds>& bounds) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<GroupStatistics> rates;
  for (const GroupTensor& tensor : group.tensors) {
    const std::vector<TensorStatistics>* whole = nullptr;
    std::vector<const std::vector<TensorStatistics>*> parts;
    for (const TensorKey& name : tensor.names) {
      const auto found = statistics.find(name);
      if (found == statistics.end()) continue;
      const bool all = found->second[0].channels == tensor.channels;
      if (all && whole == nullptr) whole = &found->second;
      if (!all) parts.push_back(&found->second);
    }
    Bounds bound = {std::vector<double>(tensor.channels, -kInfinity),
                    std::vector<double>(tensor.channels, kInfinity)};
    const auto bounded = bounds.find(tensor.names[0]);
    if (bounded != bounds.end()) bound = bounded->second;
    rates.resize(whole->size());
    for (size_t k = 0; k < whole->size(); ++k) {
      GroupStatistics& rate = rates[k];
      const TensorStatistics& of = (*whole)[k];
      const double pixels = static_cast<double>(std::max<uint64_t>(1, of.pixels));
      std::vector<double> low(of.low.begin(), of.low.end());
      std::vector<double> high(of.high.begin(), of.high.end());
      for (const std::vector<TensorStatistics>* part : parts) {
        for (const float v : (*part)[k].low) low[0] = std::min(low[0], static_cast<double>(v));
        for (const float v : (*part)[k].high) high[0] = std::max(high[0], static_cast<double>(v));
      }
      rate.low.insert(rate.low.end(), low.begin(), low.end());
      rate.high.insert(rate.high.end(), high.begin(), high.end());
      rate.bound_low.insert(rate.bound_low.end(), bound.low.begin(), bound.low.end());
      rate.bound_high.insert(rate.bound_high.end(), bound.high.begin(), bound.high.end());
      for (size_t c = 0; c < of.channels; ++c) {
        rate.mean.push_back(of.sum[c] / pixels);
        rate.magnitude.push_back(of.magnitude_sum[c] / pixels);
        rate.square.push_back(of.square_sum[c] / pixels);
      }
      rate.parts.push_back(of);
    }
  }
  return rates;
}

}  // namespace glint::quantiser
