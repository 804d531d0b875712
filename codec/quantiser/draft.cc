#include "codec/quantiser/draft.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/float16.h"
#include "engine/json.h"
#include "engine/model_writer.h"

namespace glint::quantiser {
namespace {

const char* PrecisionKey(LayerPrecision precision) {
  switch (precision) {
    case LayerPrecision::kFp32:
      return "f32";
    case LayerPrecision::kFp16:
      return "f16";
    case LayerPrecision::kW8A8:
      return "i8";
    case LayerPrecision::kW16A16:
    case LayerPrecision::kW8A16:
      return "i16";
  }
  return "";
}

void AddTexts(const Json& object, std::set<std::string>* out) {
  for (const auto& member : object.object()) out->insert(member.second.string());
}

class DraftWriter {
 public:
  DraftWriter(const ModelFile& model, const std::vector<Layer>& layers, const Draft& draft)
      : model_(model),
        layers_(layers),
        draft_(draft),
        document_(ParseJson(model.document_text(), model.name()).value()) {}

  std::vector<uint8_t> Write() {
    document_["form"] = draft_.form;
    for (const auto& [key, value] : draft_.provenance) document_["provenance"][key] = value;
    for (size_t i = 0; i < layers_.size(); ++i) WriteLayer(layers_[i], draft_.layers[i]);
    for (const auto& [key, tensor] : draft_.tensors) WriteTensor(key, tensor);
    if (draft_.without_shrunk) DropShrunk();
    CopyTheRest();
    return writer_.Finish(document_.Dump());
  }

 private:
  static Json::Array::iterator FindNode(const Layer& layer, Json::Array* nodes) {
    return std::find_if(nodes->begin(), nodes->end(), [&](const Json& node) {
      return node.at("name").string() == layer.node->name;
    });
  }

  void DropShrunk() {
    const Json* shrunk = document_.Find("shrunk");
    if (shrunk == nullptr) return;
    for (const auto& entry : shrunk->object()) {
      document_["graphs"].object().erase(entry.second.string());
    }
    document_.object().erase("shrunk");
  }

  Json& NodeOf(const Layer& layer) {
    return *FindNode(layer, &document_["graphs"][layer.graph]["nodes"].array());
  }

  // Layers may share a matrix, and mostly what becomes of it; else each has its own.
  std::string NameFor(const Layer& layer, const std::string& name, const void* data, size_t bytes) {
    const uint8_t* from = static_cast<const uint8_t*>(data);
    const std::vector<uint8_t> content(from, from + bytes);
    const std::string own = layer.graph + "." + name;
    if (StaysInFloat(layer.weight)) {
      written_[own] = content;
      return own;
    }
    const auto [entry, is_new] = written_.try_emplace(name, content);
    if (is_new || entry->second == content) return name;
    written_[own] = content;
    return own;
  }

  bool StaysInFloat(const std::string& weight) const {
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].weight == weight && draft_.layers[i].precision == LayerPrecision::kFp32) {
        return true;
      }
    }
    return false;
  }

  template <typename T>
  void SetWeight(const Layer& layer, const std::string& role, const std::string& name, DType dtype,
                 const std::vector<int64_t>& shape, const std::vector<T>& values) {
    const std::string own = NameFor(layer, name, values.data(), values.size() * sizeof(T));
    writer_.Set(own, dtype, shape, values.data());
    NodeOf(layer)["weights"][role] = own;
  }

  void WriteLayer(const Layer& layer, const LayerDraft& draft) {
    NodeOf(layer)["precision"] = PrecisionKey(draft.precision);
    if (draft.precision == LayerPrecision::kFp32) return;
    const std::string& role = layer.matrix.role;
    std::vector<int64_t> shape = model_.tensor(layer.weight)->shape;
    const std::vector<int64_t> outs = {static_cast<int64_t>(layer.out_channels)};
    if (draft.precision == LayerPrecision::kFp16) {
      std::vector<uint16_t> values;
      for (const float value : ReadMatrix(model_, layer)) values.push_back(FloatToFloat16(value));
      SetWeight(layer, role, layer.weight, DType::kF16, shape, values);
      return;
    }
    if (draft.digits) {
      AddDigits(layer, draft);
      shape[layer.matrix.InputDimension()] += static_cast<int64_t>(draft.split.channels());
    }
    const std::vector<int16_t>& values = draft.matrix.values;
    const bool narrow =
        std::all_of(values.begin(), values.end(), [](int16_t v) { return v >= -128 && v <= 127; });
    if (narrow) {
      const std::vector<int8_t> bytes(values.begin(), values.end());
      SetWeight(layer, role, layer.weight, DType::kI8, shape, bytes);
    } else {
      SetWeight(layer, role, layer.weight, DType::kI16, shape, values);
    }
    SetWeight(layer, "scale", layer.weight + ".scale", DType::kF32, outs, draft.matrix.scale);
    if (draft.bias.empty()) return;
    const std::string& bias_role = layer.matrix.bias;
    const auto bias = layer.node->weights.find(bias_role);
    const std::string name =
        bias == layer.node->weights.end() ? layer.weight + ".bias" : bias->second;
    SetWeight(layer, bias_role, name, DType::kF32, outs, draft.bias);
  }

  // A node before the layer, which then reads that.
  void AddDigits(const Layer& layer, const LayerDraft& draft) {
    const std::string name = layer.node->name + ".digits";
    Json& node = NodeOf(layer);
    Json digits =
        Json::Object{{"name", name},      {"op", "digits"},         {"inputs", node["inputs"]},
                     {"output", name},    {"low", draft.split.low}, {"coarse", draft.split.coarse},
                     {"precision", "f32"}};
    node["inputs"] = Json::Array{name};
    std::vector<double> scales = draft_.tensors.at(layer.inputs[0]).quantisation.scales;
    for (double& scale : scales) scale *= kernels::kDigit;
    Json& graph = document_["graphs"][layer.graph];
    graph["tensors"][name] = Json::Object{{"type", "u8"}, {"zero", draft.zero}, {"scales", scales}};
    Json::Array& nodes = graph["nodes"].array();
    nodes.insert(FindNode(layer, &nodes), std::move(digits));
  }

  void WriteTensor(const TensorKey& key, const TensorDraft& tensor) {
    const Quantisation& quantisation = tensor.quantisation;
    Json entry;
    if (quantisation.element == kernels::Element::kU8) {
      entry = Json::Object{{"type", "u8"}, {"zero", quantisation.zero}};
    } else if (quantisation.element == kernels::Element::kF16) {
      entry = Json::Object{{"type", "f16"}, {"max", quantisation.max}};
    } else {
      entry = Json::Object{{"type", "i16"}, {"max", quantisation.max}};
    }
    if (quantisation.dynamic) {
      entry["scales"] = "dynamic";
    } else if (!quantisation.scales.empty()) {
      entry["scales"] = quantisation.scales;
    }
    if (!tensor.factor.empty()) {
      // One tensor under the names of several graphs has one tensor of factors.
      const auto [named, is_new] =
          factors_.try_emplace(tensor.factor, key.graph + "." + key.tensor + ".factor");
      if (is_new) {
        writer_.Set(named->second, DType::kF32, {static_cast<int64_t>(tensor.factor.size())},
                    tensor.factor.data());
      }
      entry["factor"] = named->second;
    }
    document_["graphs"][key.graph]["tensors"][key.tensor] = std::move(entry);
  }

  // Tensors that the new document still names.
  void CopyTheRest() {
    std::set<std::string> named;
    for (const auto& graph : document_["graphs"].object()) {
      for (const Json& node : graph.second.at("nodes").array()) {
        if (const Json* weights = node.Find("weights")) AddTexts(*weights, &named);
      }
      const Json* tensors = graph.second.Find("tensors");
      if (tensors == nullptr) continue;
      for (const auto& tensor : tensors->object()) {
        if (const Json* factor = tensor.second.Find("factor")) named.insert(factor->string());
      }
    }
    for (const auto& set : document_["coding"]["tables"].object()) AddTexts(set.second, &named);
    for (const std::string& name : named) {
      const TensorView* tensor = model_.tensor(name);
      if (tensor != nullptr && written_.count(name) == 0) writer_.Set(name, *tensor);
    }
  }

  const ModelFile& model_;
  const std::vector<Layer>& layers_;
  const Draft& draft_;
  Json document_;
  ModelWriter writer_;
  std::map<std::string, std::vector<uint8_t>> written_;
  std::map<std::vector<float>, std::string> factors_;
};

}  // namespace

std::vector<uint8_t> WriteDraft(const ModelFile& model, const std::vector<Layer>& layers,
                                const Draft& draft) {
  return DraftWriter(model, layers, draft).Write();
}

}  // namespace glint::quantiser
