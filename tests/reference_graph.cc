#include "tests/reference_graph.h"

#include <algorithm>
#include <cmath>

#include "engine/rate.h"
#include "tests/halves.h"

namespace glint {
namespace {

std::vector<float> Weights(const ModelFile& model, const Node& node, const char* role) {
  const auto name = node.weights.find(role);
  if (name == node.weights.end()) return {};
  const TensorView* view = model.tensor(name->second);
  std::vector<float> out(view->elements);
  CopyAsFloat(*view, 0, out.size(), out.data());
  return out;
}

std::vector<float> FactorsOf(const ModelFile& model, const Graph& graph,
                             const std::string& tensor) {
  const size_t channels = static_cast<size_t>(graph.channels.at(tensor));
  for (const Node& node : graph.nodes) {
    if (node.op != OpType::kDigits || node.output != tensor) continue;
    const std::vector<float> in = FactorsOf(model, graph, node.inputs[0]);
    std::vector<float> factors = in;
    for (const int c : node.low) factors.push_back(in[static_cast<size_t>(c)] / 16);
    for (const int c : node.coarse) factors.push_back(in[static_cast<size_t>(c)] * 16);
    return factors;
  }
  const auto kept = graph.quantised.find(tensor);
  return kept == graph.quantised.end() ? std::vector<float>(channels, 1.0f)
                                       : ReadFactors(model, kept->second, channels);
}

// What a node multiplies values by, in the order of the file: integers with their scale, without
// the factors of its input, which they hold already. Of one input, or of several without factors.
std::vector<float> Matrix(const ModelFile& model, const Graph& graph, const Node& node) {
  const char* role = node.op == OpType::kGdn ? "gamma" : "weight";
  std::vector<float> matrix = Weights(model, node, role);
  if (!IsInteger(node.precision)) return matrix;
  const std::vector<float> scale = Weights(model, node, "scale");
  const std::vector<float> factors = FactorsOf(model, graph, node.inputs[0]);
  const std::vector<int64_t>& shape = model.tensor(node.weights.at(role))->shape;
  const bool transposed = node.op == OpType::kConvTranspose2d;
  const size_t taps = node.op == OpType::kGdn ? 1 : static_cast<size_t>(shape[2] * shape[3]);
  const size_t columns = static_cast<size_t>(shape[1]);
  for (size_t i = 0; i < matrix.size(); ++i) {
    const size_t row = i / taps / columns, column = i / taps % columns;
    matrix[i] *= scale[transposed ? column : row] / factors[transposed ? row : column];
  }
  return matrix;
}

// A tensor that the graph does not keep in float is rounded when it is made.
void Keep(const ModelFile& model, const Graph& graph, const std::string& name, double t,
          ReferenceTensor* tensor) {
  const auto found = graph.quantised.find(name);
  if (found == graph.quantised.end()) return;
  const Quantisation& kept = found->second;
  const std::vector<float> factors = FactorsOf(model, graph, name);
  if (kept.element == kernels::Element::kF16) {
    for (size_t i = 0; i < tensor->data.size(); ++i) {
      const float factor = factors[i % factors.size()];
      const float half =
          NearestHalf(static_cast<float>(tensor->data[i]) / factor, static_cast<float>(kept.max));
      tensor->data[i] = static_cast<double>(half * factor);
    }
    return;
  }
  const auto factor = [&](size_t i) { return static_cast<double>(factors[i % factors.size()]); };
  double step = EvaluateStep(kept, t);
  if (kept.dynamic) {
    double most = 0;
    for (size_t i = 0; i < tensor->data.size(); ++i) {
      most = std::max(most, std::abs(tensor->data[i]) / factor(i));
    }
    step = std::max(most / kept.max, 1e-12);
  }
  for (size_t i = 0; i < tensor->data.size(); ++i) {
    const double unit = step * factor(i);
    const double q = std::clamp(tensor->data[i] / unit, static_cast<double>(kept.low()),
                                static_cast<double>(kept.high()));
    tensor->data[i] = std::nearbyint(q) * unit;
  }
}

// One multiply-add of the chain, in the arithmetic of the mode.
double Step(double acc, double w, double x, ReferenceMode mode) {
  if (mode == ReferenceMode::kDouble) return acc + w * x;
  const float product = static_cast<float>(w) * static_cast<float>(x);
  return static_cast<double>(static_cast<float>(acc) + product);
}

ReferenceTensor Conv(const ModelFile& model, const Graph& graph, const Node& node,
                     const std::vector<const ReferenceTensor*>& in, ReferenceMode mode) {
  const TensorView* view = model.tensor(node.weights.at("weight"));
  const int k = static_cast<int>(view->shape[2]);
  const bool transposed = node.op == OpType::kConvTranspose2d;
  const int out_channels = static_cast<int>(view->shape[transposed ? 1 : 0]);
  const int in_channels = static_cast<int>(view->shape[transposed ? 0 : 1]);
  const std::vector<float> w = Matrix(model, graph, node), b = Weights(model, node, "bias");
  const int h = in[0]->height, wd = in[0]->width, s = node.stride, p = node.padding;
  ReferenceTensor out(transposed ? 2 * h : (h - 1) / s + 1, transposed ? 2 * wd : (wd - 1) / s + 1,
                      out_channels);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int o = 0; o < out_channels; ++o) {
        double acc = b.empty() ? 0.0 : static_cast<double>(b[static_cast<size_t>(o)]);
        int first = 0;
        for (const ReferenceTensor* source : in) {
          for (int ky = 0; ky < k; ++ky) {
            for (int kx = 0; kx < k; ++kx) {
              if (node.mask == ConvMask::kCheckerboard && (ky + kx) % 2 == 0) continue;
              int iy = y * s - p + ky, ix = x * s - p + kx;
              if (transposed) {
                if ((y + p - ky) % 2 != 0 || (x + p - kx) % 2 != 0) continue;
                iy = (y + p - ky) / 2;
                ix = (x + p - kx) / 2;
                if (y + p < ky || x + p < kx) continue;
              }
              for (int c = 0; c < source->channels; ++c) {
                const int i = first + c;
                const size_t at =
                    static_cast<size_t>(transposed ? ((i * out_channels + o) * k + ky) * k + kx
                                                   : ((o * in_channels + i) * k + ky) * k + kx);
                acc = Step(acc, static_cast<double>(w[at]), source->AtOrZero(iy, ix, c), mode);
              }
            }
          }
          first += source->channels;
        }
        out.at(y, x, o) = acc;
      }
    }
  }
  return out;
}

ReferenceTensor Gdn(const ModelFile& model, const Graph& graph, const Node& node,
                    const ReferenceTensor& in) {
  const std::vector<float> beta = Weights(model, node, "beta"), gamma = Matrix(model, graph, node);
  ReferenceTensor out = in;
  const bool root = node.gdn_form == GdnForm::kSqrt;
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < in.width; ++x) {
      for (int o = 0; o < in.channels; ++o) {
        double norm = static_cast<double>(beta[static_cast<size_t>(o)]);
        for (int c = 0; c < in.channels; ++c) {
          const double v = in.at(y, x, c);
          norm += static_cast<double>(gamma[static_cast<size_t>(o * in.channels + c)]) *
                  (root ? v * v : std::abs(v));
        }
        if (root) norm = std::sqrt(norm);
        out.at(y, x, o) = node.inverse ? in.at(y, x, o) * norm : in.at(y, x, o) / norm;
      }
    }
  }
  return out;
}

ReferenceTensor Gain(const ModelFile& model, const Node& node, const ReferenceTensor& in,
                     double t) {
  const std::vector<float> w1 = Weights(model, node, "fc1.weight"),
                           b1 = Weights(model, node, "fc1.bias");
  const std::vector<float> w2 = Weights(model, node, "fc2.weight"),
                           b2 = Weights(model, node, "fc2.bias");
  ReferenceTensor out = in;
  for (size_t c = 0; c < b2.size(); ++c) {
    double sum = static_cast<double>(b2[c]);
    for (size_t h = 0; h < b1.size(); ++h) {
      sum += static_cast<double>(w2[c * b1.size() + h]) *
             std::max(0.0, static_cast<double>(w1[h]) * t + static_cast<double>(b1[h]));
    }
    const double gain = std::exp(sum);
    for (size_t i = c; i < out.data.size(); i += b2.size()) out.data[i] *= gain;
  }
  return out;
}

ReferenceTensor Concat(const std::vector<const ReferenceTensor*>& in) {
  int channels = 0;
  for (const ReferenceTensor* part : in) channels += part->channels;
  ReferenceTensor out(in[0]->height, in[0]->width, channels);
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int first = 0;
      for (const ReferenceTensor* part : in) {
        for (int c = 0; c < part->channels; ++c) out.at(y, x, first + c) = part->at(y, x, c);
        first += part->channels;
      }
    }
  }
  return out;
}

// What each digit stands for; they add up to nothing that has a meaning by itself.
ReferenceTensor SplitDigits(const ModelFile& model, const Graph& graph, const Node& node,
                            const ReferenceTensor& in, double t) {
  const Quantisation& kept = graph.quantised.at(node.output);
  const std::vector<float> factors = FactorsOf(model, graph, node.output);
  const double step = EvaluateStep(kept, t);
  ReferenceTensor out(in.height, in.width, static_cast<int>(factors.size()));
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < in.width; ++x) {
      const auto integer = [&](int c) {
        const double unit = step / 16 * static_cast<double>(factors[static_cast<size_t>(c)]);
        return static_cast<int>(std::lround(in.at(y, x, c) / unit));
      };
      const auto first = [&](int c) {
        const double q = std::floor((integer(c) + 8) / 16.0);
        return static_cast<int>(
            std::clamp(q, static_cast<double>(kept.low()), static_cast<double>(kept.high())));
      };
      std::vector<int> q;
      for (int c = 0; c < in.channels; ++c) q.push_back(first(c));
      for (const int c : node.low) q.push_back(std::clamp(integer(c) - 16 * first(c), -8, 7));
      for (const int c : node.coarse) {
        q.push_back(static_cast<int>(std::floor((first(c) + 8) / 16.0)));
      }
      for (int c = 0; c < out.channels; ++c) {
        out.at(y, x, c) =
            q[static_cast<size_t>(c)] * step * static_cast<double>(factors[static_cast<size_t>(c)]);
      }
    }
  }
  return out;
}

double InMode(double v, ReferenceMode mode) {
  return mode == ReferenceMode::kDouble ? v : static_cast<double>(static_cast<float>(v));
}

}  // namespace

ReferenceTensor RunReference(const ModelFile& model, const Graph& graph,
                             const std::map<std::string, ReferenceTensor>& inputs, double t,
                             ReferenceMode mode) {
  std::map<std::string, ReferenceTensor> tensors = inputs;
  for (auto& [name, tensor] : tensors) Keep(model, graph, name, t, &tensor);
  for (const Node& node : graph.nodes) {
    std::vector<const ReferenceTensor*> in;
    for (const std::string& name : node.inputs) in.push_back(&tensors.at(name));
    ReferenceTensor out;
    switch (node.op) {
      case OpType::kConv2d:
      case OpType::kConvTranspose2d:
        out = Conv(model, graph, node, in, mode);
        break;
      case OpType::kGdn:
        out = Gdn(model, graph, node, *in[0]);
        break;
      case OpType::kGain:
        out = Gain(model, node, *in[0], t);
        break;
      case OpType::kConcat:
        out = Concat(in);
        break;
      case OpType::kDigits:
        out = SplitDigits(model, graph, node, *in[0], t);
        break;
      case OpType::kAdd:
        out = *in[0];
        for (size_t i = 0; i < out.data.size(); ++i)
          out.data[i] = InMode(out.data[i] + in[1]->data[i], mode);
        break;
      case OpType::kLeakyRelu:
        out = *in[0];
        for (double& v : out.data)
          v = InMode(std::max(v, v * static_cast<double>(node.slope)), mode);
        break;
    }
    Keep(model, graph, node.output, t, &out);
    tensors[node.output] = std::move(out);
  }
  return tensors.at(graph.outputs[0]);
}

}  // namespace glint
