#include "engine/gradient_builder.h"

#include <utility>

#include "engine/graph_document.h"

namespace glint {
namespace {

// sigmoid(x times this) is 1 for what is above 0, and 0 below.
constexpr float kSteep = 1e20f;

std::vector<std::string> NamesOf(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const NamedTensor& tensor : tensors) names.push_back(tensor.name);
  return names;
}

}  // namespace

FloatMatrix FloatMatrix::Transposed() const {
  FloatMatrix out{{shape[1], shape[0]}, std::vector<float>(values.size())};
  const size_t rows = size(0), columns = size(1);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) out.values[j * rows + i] = values[i * columns + j];
  }
  return out;
}

GradientBuilder::GradientBuilder(const ModelFile& model, const Json& document) : model_(model) {
  for (const Json& node : document.at("nodes").array()) {
    names_.insert(node.at("name").string());
    names_.insert(node.at("output").string());
  }
  for (const Json& input : document.at("inputs").array()) names_.insert(input.at("name").string());
}

std::string GradientBuilder::NewName() {
  std::string name;
  do {
    name = "gradient." + std::to_string(made_++);
  } while (!names_.insert(name).second || model_.tensor(name) != nullptr);
  return name;
}

std::string GradientBuilder::AddWeight(const std::vector<int64_t>& shape,
                                       const std::vector<float>& values) {
  const std::string name = NewName();
  writer_.Set(name, DType::kF32, shape, values.data());
  return name;
}

std::string GradientBuilder::AddWeight(int channels, float value) {
  return AddWeight({channels}, std::vector<float>(static_cast<size_t>(channels), value));
}

std::vector<float> GradientBuilder::Values(const std::string& weight) const {
  const TensorView& view = *model_.tensor(weight);
  std::vector<float> values(view.elements);
  CopyAsFloat(view, 0, values.size(), values.data());
  return values;
}

void GradientBuilder::Take(const std::string& weight) {
  writer_.Set(weight, DType::kF32, model_.tensor(weight)->shape, Values(weight).data());
}

NamedTensor GradientBuilder::Add(const std::string& op, const std::vector<NamedTensor>& inputs,
                                 int channels, const Weights& weights,
                                 const Json::Object& attributes) {
  NamedTensor output{NewName(), channels};
  Make(output, op, inputs, weights, attributes);
  return output;
}

void GradientBuilder::Make(const NamedTensor& output, const std::string& op,
                           const std::vector<NamedTensor>& inputs, const Weights& weights,
                           const Json::Object& attributes) {
  Json node = attributes;
  node["name"] = NewName();
  node["op"] = op;
  node["inputs"] = NamesOf(inputs);
  node["output"] = output.name;
  node["precision"] = "f32";
  if (!weights.empty()) node["weights"] = Json::Object(weights.begin(), weights.end());
  Append(std::move(node));
}

void GradientBuilder::Append(Json node) { nodes_.push_back(std::move(node)); }

NamedTensor GradientBuilder::Sum(const NamedTensor& a, const NamedTensor& b) {
  return Add("add", {a, b}, a.channels);
}

NamedTensor GradientBuilder::Multiply(const NamedTensor& a, const NamedTensor& b) {
  return Add("multiply", {a, b}, a.channels);
}

NamedTensor GradientBuilder::Scaled(const NamedTensor& x, float factor, float shift) {
  Weights weights = {{"factor", AddWeight(x.channels, factor)}};
  if (shift != 0) weights["shift"] = AddWeight(x.channels, shift);
  return Add("affine", {x}, x.channels, weights);
}

NamedTensor GradientBuilder::Switch(const NamedTensor& x, float low, float high) {
  return Scaled(Add("sigmoid", {Scaled(x, kSteep)}, x.channels), high - low, low);
}

NamedTensor GradientBuilder::Slice(const NamedTensor& x, int begin, int end) {
  return Add("slice", {x}, end - begin, {}, {{"begin", begin}, {"end", end}});
}

NamedTensor GradientBuilder::Beside(const std::vector<NamedTensor>& inputs) {
  int channels = 0;
  for (const NamedTensor& input : inputs) channels += input.channels;
  return Add("concat", inputs, channels);
}

NamedTensor GradientBuilder::Product(const NamedTensor& x, const FloatMatrix& matrix,
                                     const std::vector<float>& bias) {
  const int64_t outputs = matrix.shape[0];
  Weights weights = {{"weight", AddWeight({outputs, x.channels, 1, 1}, matrix.values)}};
  if (!bias.empty()) weights["bias"] = AddWeight({outputs}, bias);
  return Add("conv2d", {x}, static_cast<int>(outputs), weights, {{"stride", 1}, {"padding", 0}});
}

NamedTensor GradientBuilder::Picked(const NamedTensor& x,
                                    const std::vector<std::optional<int>>& channels) {
  const auto inputs = static_cast<size_t>(x.channels);
  FloatMatrix matrix{{static_cast<int64_t>(channels.size()), x.channels},
                     std::vector<float>(channels.size() * inputs)};
  for (size_t i = 0; i < channels.size(); ++i) {
    if (channels[i]) matrix.values[i * inputs + static_cast<size_t>(*channels[i])] = 1;
  }
  return Product(x, matrix);
}

void GradientBuilder::Collect(const NamedTensor& tensor, const NamedTensor& part) {
  const auto [place, is_new] = gradients_.try_emplace(tensor.name, part);
  if (!is_new) place->second = Sum(place->second, part);
}

const NamedTensor* GradientBuilder::GradientOf(const std::string& tensor) const {
  const auto found = gradients_.find(tensor);
  return found == gradients_.end() ? nullptr : &found->second;
}

Result<std::shared_ptr<const ModelFile>> GradientBuilder::Finish(
    const std::string& graph, const std::vector<NamedTensor>& inputs, const NamedTensor& output) {
  Json::Array given;
  for (const NamedTensor& input : inputs) {
    given.push_back(Json::Object{{"name", input.name}, {"channels", input.channels}});
  }
  Json made;
  made["class"] = "close";
  made["inputs"] = std::move(given);
  made["output"] = output.name;
  made["nodes"] = std::move(nodes_);
  Json document;
  document["format"] = kModelFormat;
  document["graphs"][graph] = std::move(made);
  return ModelFile::FromMemory(writer_.Finish(document.Dump()), model_.name());
}

}  // namespace glint
