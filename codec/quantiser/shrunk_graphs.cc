#include "codec/quantiser/shrunk_graphs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "codec/public_error.h"
#include "codec/quantiser/draft.h"
#include "codec/quantiser/layers.h"
#include "codec/quantiser/normal_equations.h"
#include "codec/quantiser/ranges.h"
#include "codec/quantiser/rounding.h"
#include "codec/quantiser/shrunk_samples.h"
#include "codec/workers.h"
#include "engine/json.h"
#include "engine/model_writer.h"

namespace glint::quantiser {
namespace {

// The input of the convolution in integers: 13 bits leave room for sums of many weights, and what
// calibration saw is not all there is.
constexpr int kMostInput = 8191;
constexpr double kRangeMargin = 1.25;
constexpr const char* kInput = "y_hat";
constexpr const char* kGained = "gain";

// The function of a colour: linear between hinges at these distances along these directions, sums
// of the three colours.
constexpr std::array<double, 4> kHinges = {-0.36, -0.12, 0.12, 0.36};
constexpr std::array<std::array<int, kColours>, 12> kDirections = {{{1, 0, 0},
                                                                    {0, 1, 0},
                                                                    {0, 0, 1},
                                                                    {1, -1, 0},
                                                                    {0, 1, -1},
                                                                    {1, 0, -1},
                                                                    {1, 1, -1},
                                                                    {1, -1, 1},
                                                                    {-1, 1, 1},
                                                                    {1, 1, 0},
                                                                    {0, 1, 1},
                                                                    {1, 0, 1}}};
constexpr size_t kBends = kDirections.size() * kHinges.size();
constexpr double kMostColour = 1.25;  // of its input and of what is bent, in integers
constexpr const char* kBent = "bend.relu";
// Places whose factors are kept for its fit.
constexpr size_t kKeptPlaces = 4096;

// Row `bend` of the matrix that goes before the hinges.
std::array<double, kColours> DirectionOf(size_t bend) {
  const std::array<int, kColours>& direction = kDirections[bend / kHinges.size()];
  double length = 0;
  for (const int d : direction) length += d * d;
  std::array<double, kColours> row{};
  for (size_t c = 0; c < kColours; ++c) row[c] = direction[c] / std::sqrt(length);
  return row;
}
double HingeOf(size_t bend) { return kHinges[bend % kHinges.size()]; }

size_t UnknownsOf(const ModelDocument& document) {
  return kShrunkTaps * static_cast<size_t>(document.latent_channels) + 1;
}

size_t OutsOf(const std::vector<ShrunkTarget>& targets) {
  return targets.empty() ? 0 : targets.back().first + targets.back().outs();
}

// With four times as many as unknowns, graphs are 5 dB worse on other pictures than on these.
size_t PlacesFor(size_t unknowns) { return std::max<size_t>(8192, 64 * unknowns); }

// ---- the graphs --------------------------------------------------------------------------------

struct Fitted {
  ShrunkTarget target;
  size_t channels = 0;          // of y, from the first on
  std::vector<double> weights;  // [out][tap][channel], and the bias
  std::vector<double> mix;      // [colour][colour, then bend], and the bias
  double psnr = 0;
};

// What the mix reads of a colour: itself, the bends, and 1.
void BendColour(const double* colour, double* out) {
  out = std::copy_n(colour, kColours, out);
  for (size_t b = 0; b < kBends; ++b) {
    const std::array<double, kColours> row = DirectionOf(b);
    double sum = -HingeOf(b);
    for (size_t c = 0; c < kColours; ++c) sum += row[c] * colour[c];
    *out++ = std::max(sum, 0.0);
  }
  *out = 1.0;
}

class Fitter {
 public:
  Fitter(const Model& model, const CalibrationOptions& options)
      : model_(model),
        impl_(model.impl()),
        options_(options),
        targets_(ShrunkTargets(impl_.document)),
        channels_(static_cast<size_t>(impl_.document.latent_channels)),
        prefix_(FreePrefix(impl_)),
        equations_(UnknownsOf(impl_.document), OutsOf(targets_)) {}

  Result<ShrunkModel> Run(const std::vector<PictureShare>& sets) {
    if (targets_.empty()) {
      return Status::Error(StatusCode::kUnsupported,
                           impl_.file->name() + ": its latents are as large as its pictures");
    }
    GLINT_TRY(workers_.Init(options_.threads, {}));
    GLINT_TRY(Measure(sets));
    std::vector<Fitted> fits;
    for (const ShrunkTarget& target : targets_) fits.push_back(Fit(target));
    ShrunkModel result;
    for (const Fitted& fit : fits) {
      result.fits.push_back({fit.target.shrink, static_cast<uint32_t>(fit.channels), fit.psnr});
    }
    GLINT_ASSIGN(result.file, Rounded(InFloat(fits)));
    return result;
  }

 private:
  // How many places a picture of the set should give at each rate.
  size_t PlacesOf(const PictureShare& set) const {
    const double runs = static_cast<double>(set.pictures.size() * options_.lrds.size());
    const auto all = static_cast<double>(PlacesFor(UnknownsOf(impl_.document)));
    return static_cast<size_t>(set.share * all / runs) + 1;
  }

  // Keeps half of kKeptPlaces at least, or all places where there are fewer.
  void ChooseKept(const std::vector<PictureShare>& sets) {
    size_t places = 0;
    for (const PictureShare& set : sets) {
      for (const Picture& picture : set.pictures) {
        const size_t most = WholePlaces(impl_, picture.info).count();
        places += options_.lrds.size() * std::min(PlacesOf(set), most);
      }
    }
    places = std::min(2 * places, PlacesFor(UnknownsOf(impl_.document)));
    keep_every_ = std::max<size_t>(1, (places + kKeptPlaces - 1) / kKeptPlaces);
  }

  Status Measure(const std::vector<PictureShare>& sets) {
    ChooseKept(sets);
    double all = 0, done = 0;
    for (const PictureShare& set : sets) all += static_cast<double>(set.pictures.size());
    all *= static_cast<double>(options_.lrds.size());
    for (const PictureShare& set : sets) {
      for (const Picture& picture : set.pictures) {
        for (const double lrd : options_.lrds) {
          GLINT_ASSIGN(const ShrunkSample sample,
                       ShrunkSample::Make(model_, picture, lrd, options_.threads));
          Add(sample, WholePlaces(impl_, picture.info), PlacesOf(set));
          done += 1;
          if (options_.progress) GLINT_TRY(options_.progress(done / all));
        }
      }
    }
    equations_.Finish(workers_.runner());
    if (equations_.places() > 0) return Status::Ok();
    const std::string stride = std::to_string(impl_.document.latent_stride);
    return Status::Error(StatusCode::kInvalidArgument,
                         "no calibration picture has " + stride + " x " + stride + " pixels");
  }

  // `places` of all that there are, spread evenly.
  void Add(const ShrunkSample& sample, const ShrunkPlaces& all, size_t places) {
    const size_t count = all.count(), wanted = std::min(count, places);
    for (size_t i = 0; i < wanted; ++i) {
      const size_t at = i * count / wanted + count / wanted / 2;
      const size_t row = all.row + at / all.columns, column = all.column + at % all.columns;
      double* const place = equations_.NextPlace();
      sample.Factors(row, column, place);
      for (size_t k = 0; k < kShrunkTaps * channels_; ++k) {
        most_ = std::max(most_, std::abs(place[k]));
      }
      sample.Outputs(row, column, targets_, place + kShrunkTaps * channels_ + 1);
      if (seen_++ % keep_every_ == 0) kept_.insert(kept_.end(), place, place + RowValues());
      equations_.EndPlace(workers_.runner());
    }
  }

  Fitted Fit(const ShrunkTarget& target) const {
    for (const size_t channels : FewerChannels()) {
      Fitted fewer = FitChannels(target, channels);
      if (fewer.psnr >= kEnoughForFewerChannels) return fewer;
    }
    return FitChannels(target, channels_);
  }

  // Ascending: numbers of first channels of y which steps of coding end with, before the last.
  std::set<size_t> FewerChannels() const {
    std::set<size_t> numbers;
    for (const CodingStep& step : impl_.coding().steps) {
      if (step.codes != Coded::kLatents) continue;
      for (const CodedPart& part : step.parts) {
        numbers.insert(static_cast<size_t>(part.channel_end));
      }
    }
    numbers.erase(channels_);
    return numbers;
  }

  Fitted FitChannels(const ShrunkTarget& target, size_t channels) const {
    std::vector<size_t> unknowns;
    for (size_t tap = 0; tap < kShrunkTaps; ++tap) {
      for (size_t c = 0; c < channels; ++c) unknowns.push_back(tap * channels_ + c);
    }
    unknowns.push_back(kShrunkTaps * channels_);
    NormalEquations::Solution solution = equations_.Solve(unknowns, target.first, target.outs());
    Fitted fit{target, channels, std::move(solution.weights), {}, 0};
    FitColour(unknowns, &fit);
    return fit;
  }

  // The mix, by colours that the convolution makes of the places that were kept.
  void FitColour(const std::vector<size_t>& unknowns, Fitted* fit) const {
    const ShrunkTarget& target = fit->target;
    const size_t inputs = kColours + kBends + 1;
    NormalEquations equations(inputs, kColours);
    std::vector<double> pixels(target.outs());
    for (size_t at = 0; at < kept_.size(); at += RowValues()) {
      const float* const place = kept_.data() + at;
      for (size_t o = 0; o < target.outs(); ++o) {
        const double* const weights = fit->weights.data() + o * unknowns.size();
        pixels[o] = 0;
        for (size_t i = 0; i < unknowns.size(); ++i) {
          pixels[o] += weights[i] * static_cast<double>(place[unknowns[i]]);
        }
      }
      const float* const wanted = place + UnknownsOf(impl_.document) + target.first;
      for (size_t i = 0; i < target.factor; ++i) {
        for (size_t j = 0; j < target.factor; ++j) {
          double* const row = equations.NextPlace();
          std::array<double, kColours> colour{};
          for (size_t c = 0; c < kColours; ++c) {
            const size_t out = target.Out(c, i, j);
            colour[c] = pixels[out];
            row[inputs + c] = static_cast<double>(wanted[out]);
          }
          BendColour(colour.data(), row);
          equations.EndPlace(workers_.runner());
        }
      }
    }
    equations.Finish(workers_.runner());
    std::vector<size_t> all(inputs);
    std::iota(all.begin(), all.end(), size_t{0});
    NormalEquations::Solution solution = equations.Solve(all, 0, kColours);
    fit->mix = std::move(solution.weights);
    fit->psnr = -10 * std::log10(std::max(solution.error, 1e-10));
  }

  size_t RowValues() const { return UnknownsOf(impl_.document) + OutsOf(targets_); }

  // ---- the file

  // With weights in float.
  std::vector<uint8_t> InFloat(const std::vector<Fitted>& fits) const {
    Json document = ParseJson(impl_.file->document_text(), impl_.file->name()).value();
    for (const auto& entry : impl_.document.shrunk) {
      document["graphs"].object().erase(entry.second.graph);
    }
    document["shrunk"] = Json::Object();
    ModelWriter writer;
    for (const auto& [name, tensor] : impl_.file->tensors()) writer.Set(name, tensor);
    for (const Fitted& fit : fits) AddGraph(fit, &document, &writer);
    return writer.Finish(document.Dump());
  }

  void AddGraph(const Fitted& fit, Json* document, ModelWriter* writer) const {
    const std::string name = NameOf(fit.target.shrink);
    Json::Array nodes;
    // A node, whose output has its name.
    const auto add = [&nodes](const std::string& node, const char* op, Json inputs,
                              Json::Object more) {
      more.insert({{"name", node},
                   {"op", op},
                   {"inputs", std::move(inputs)},
                   {"output", node},
                   {"precision", "f32"}});
      nodes.emplace_back(std::move(more));
      return node;
    };
    const auto convolve = [&](const std::string& node, const std::string& input, size_t kernel,
                              const Kernel& values) {
      const std::string weight = name + "." + node + ".weight", bias = name + "." + node + ".bias";
      const auto outs = static_cast<int64_t>(values.bias.size());
      const auto side = static_cast<int64_t>(kernel);
      const int64_t ins = static_cast<int64_t>(values.weight.size()) / (outs * side * side);
      writer->Set(weight, DType::kF32, {outs, ins, side, side}, values.weight.data());
      writer->Set(bias, DType::kF32, {outs}, values.bias.data());
      return add(node, "conv2d", Json::Array{input},
                 {{"stride", 1},
                  {"padding", kernel / 2},
                  {"weights", Json::Object{{"weight", weight}, {"bias", bias}}}});
    };
    std::string last = kInput;
    if (const Node* gain = FirstGain(impl_.graph("g_s"))) {
      last = add(kGained, "gain", Json::Array{last},
                 {{"weights", GainWeights(*gain, fit.channels, name, writer)}});
    }
    last = convolve("conv", last, kShrunkKernel, KernelOf(fit));
    for (size_t k = 0; k < fit.target.shuffles.size(); ++k) {
      last = add("shuffle" + std::to_string(k), "pixel_shuffle", Json::Array{last},
                 {{"factor", fit.target.shuffles[k]}});
    }
    const std::string bends = convolve("bend", last, 1, BendKernel());
    add(kBent, "relu", Json::Array{bends}, {});
    const std::string colours = add("colours", "concat", Json::Array{last, kBent}, {});
    last = convolve("mix", colours, 1, MixKernel(fit));
    Json graph = Json::Object{
        {"class", "close"},
        {"inputs", Json::Array{Json::Object{{"name", kInput}, {"channels", fit.channels}}}},
        {"output", last},
        {"nodes", std::move(nodes)}};
    const std::string& y_hat = impl_.graph("g_s").inputs[0].name;
    if (const Json* tensors = (*document)["graphs"].at("g_s").Find("tensors")) {
      if (const Json* kept = tensors->Find(y_hat)) graph["tensors"][kInput] = *kept;
    }
    (*document)["graphs"][name] = std::move(graph);
    (*document)["shrunk"][std::to_string(fit.target.shrink)] = name;
  }

  // Of a convolution, in the order of the file.
  struct Kernel {
    std::vector<float> weight, bias;
  };

  static Kernel KernelOf(const Fitted& fit) {
    const size_t outs = fit.target.outs(), unknowns = kShrunkTaps * fit.channels + 1;
    Kernel kernel;
    kernel.weight.resize(outs * kShrunkTaps * fit.channels);
    for (size_t o = 0; o < outs; ++o) {
      const double* const from = fit.weights.data() + o * unknowns;
      for (size_t tap = 0; tap < kShrunkTaps; ++tap) {
        for (size_t c = 0; c < fit.channels; ++c) {
          kernel.weight[(o * fit.channels + c) * kShrunkTaps + tap] =
              static_cast<float>(from[tap * fit.channels + c]);
        }
      }
      kernel.bias.push_back(static_cast<float>(from[unknowns - 1]));
    }
    return kernel;
  }

  static Kernel BendKernel() {
    Kernel kernel;
    for (size_t b = 0; b < kBends; ++b) {
      for (const double d : DirectionOf(b)) kernel.weight.push_back(static_cast<float>(d));
      kernel.bias.push_back(static_cast<float>(-HingeOf(b)));
    }
    return kernel;
  }

  static Kernel MixKernel(const Fitted& fit) {
    Kernel kernel;
    const size_t inputs = fit.mix.size() / kColours;  // the bias is the last
    for (size_t c = 0; c < kColours; ++c) {
      const double* const from = fit.mix.data() + c * inputs;
      for (size_t i = 0; i + 1 < inputs; ++i) kernel.weight.push_back(static_cast<float>(from[i]));
      kernel.bias.push_back(static_cast<float>(from[inputs - 1]));
    }
    return kernel;
  }

  // Those of g_s where all channels are read, else of its first ones.
  Json GainWeights(const Node& gain, size_t channels, const std::string& graph,
                   ModelWriter* writer) const {
    Json names = Json::Object();
    for (const auto& [role, name] : gain.weights) {
      names[role] = name;
      const TensorView* tensor = impl_.file->tensor(name);
      const bool is_of_channels = role.starts_with("fc2.");
      if (!is_of_channels || channels == channels_) continue;
      std::vector<float> values(tensor->elements / channels_ * channels);
      CopyAsFloat(*tensor, 0, values.size(), values.data());
      std::vector<int64_t> shape = tensor->shape;
      shape[0] = static_cast<int64_t>(channels);
      const std::string own = graph + "." + role;
      writer->Set(own, DType::kF32, shape, values.data());
      names[role] = own;
    }
    return names;
  }

  // With weights of the model's form.
  Result<std::vector<uint8_t>> Rounded(const std::vector<uint8_t>& in_float) const {
    const bool exact = HasExactSynthesis(impl_);
    const bool halves = impl_.document.form == "fp16";
    Draft draft;
    draft.form = impl_.document.form;
    draft.provenance = {{"shrunk", "fitted to means of decoded pixels"}};
    auto made = Model::FromMemory(in_float.data(), in_float.size(), impl_.file->name());
    if (!made) return ToStatus(made.error());
    const Model::Impl& model = made->impl();
    const std::vector<Layer> layers = ListShrunkLayers(model);
    for (const Layer& layer : layers) {
      LayerDraft of_layer;
      if (exact) {
        RoundLayer(model, layer, &draft, &of_layer);
      } else if (halves) {
        of_layer.precision = LayerPrecision::kFp16;
      }
      draft.layers.push_back(std::move(of_layer));
    }
    return WriteDraft(*model.file, layers, draft);
  }

  void RoundLayer(const Model::Impl& model, const Layer& layer, Draft* draft,
                  LayerDraft* of_layer) const {
    // Weights of 8 bits cost 1.5 to 2.5 dB, and pure colours 22 levels.
    of_layer->precision = LayerPrecision::kW16A16;
    const Graph& graph = model.graph(layer.graph);
    Quantisation input;
    const auto given = graph.quantised.find(layer.inputs[0].tensor);
    if (given != graph.quantised.end()) {
      input = given->second;
    } else {
      const bool is_colour = layer.taps() == 1;
      const double most = is_colour ? kMostColour : kRangeMargin * most_;
      input.max = kMostInput;
      input.scales = {std::max(most / kMostInput, kLeastScale)};
      for (const TensorKey& tensor : layer.inputs) draft->tensors[tensor].quantisation = input;
    }
    const std::vector<float> no_factors(layer.channels(), 1.0f);
    const std::vector<SecondMoment> to_nearest;
    of_layer->matrix = RoundMatrix(layer, ReadMatrix(*model.file, layer), no_factors,
                                   LimitsOf(layer, of_layer->precision, input), to_nearest);
  }

  std::string NameOf(int shrink) const { return prefix_ + std::to_string(shrink); }

  // What no graph of the model that stays, and no tensor of such a graph, begins with.
  static std::string FreePrefix(const Model::Impl& model) {
    std::string prefix = "shrunk";
    const auto is_taken = [&](const Graph& graph) {
      if (graph.name.starts_with(prefix)) return true;
      return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
        return std::any_of(node.weights.begin(), node.weights.end(),
                           [&](const auto& weight) { return weight.second.starts_with(prefix); });
      });
    };
    for (bool taken = true; taken;) {
      taken = false;
      for (const auto& named : model.graphs()) {
        const Graph& graph = named.second;
        const bool goes =
            std::any_of(model.document.shrunk.begin(), model.document.shrunk.end(),
                        [&](const auto& entry) { return entry.second.graph == graph.name; });
        taken = taken || (!goes && is_taken(graph));
      }
      if (taken) prefix += '_';
    }
    return prefix;
  }

  const Model& model_;
  const Model::Impl& impl_;
  const CalibrationOptions& options_;
  const std::vector<ShrunkTarget> targets_;
  const size_t channels_;
  const std::string prefix_;
  NormalEquations equations_;
  double most_ = 0;  // magnitude of what the convolution reads
  size_t keep_every_ = 1, seen_ = 0;
  std::vector<float> kept_;  // places as the equations have them
  Workers workers_;
};

}  // namespace

uint64_t ShrunkFitBytes(const ModelDocument& document) {
  const uint64_t unknowns = UnknownsOf(document), outs = OutsOf(ShrunkTargets(document));
  return NormalEquations::Bytes(unknowns, outs) + sizeof(float) * kKeptPlaces * (unknowns + outs);
}

Result<ShrunkModel> FitShrunkGraphs(const Model& model, const std::vector<PictureShare>& sets,
                                    const CalibrationOptions& options) {
  return Fitter(model, options).Run(sets);
}

}  // namespace glint::quantiser
