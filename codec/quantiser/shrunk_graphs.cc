#include "codec/quantiser/shrunk_graphs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "codec/latents/latent_geometry.h"
#include "codec/memory_limit.h"
#include "codec/public_error.h"
#include "codec/quantiser/draft.h"
#include "codec/quantiser/layers.h"
#include "codec/quantiser/ranges.h"
#include "codec/quantiser/rounding.h"
#include "codec/stream/container.h"
#include "codec/workers.h"
#include "engine/json.h"
#include "engine/model_writer.h"
#include "engine/op.h"
#include "engine/rate.h"

namespace glint::quantiser {
namespace {

constexpr int kKernel = 3;
constexpr size_t kTaps = kKernel * kKernel;
constexpr size_t kBatch = 64;  // places
// The input of the convolution in integers: 13 bits leave room for sums of many weights, and what
// calibration saw is not all there is.
constexpr int kMostInput = 8191;
constexpr double kRangeMargin = 1.25;
constexpr const char* kInput = "y_hat";
constexpr const char* kGained = "gain";

// The function of a colour: linear between hinges at these distances along these directions, sums
// of the three colours.
constexpr size_t kColours = 3;
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

// ---- what is fitted ----------------------------------------------------------------------------

// A graph, and where its outputs are among those of all graphs: of a place of y, a square of
// `factor` x `factor` pixels of three colours.
struct Target {
  int shrink = 2;
  size_t factor = 1;
  std::vector<size_t> shuffles;  // whose product is the factor
  size_t first = 0;
  size_t outs() const { return kColours * factor * factor; }
  // Of the convolution, which shuffles make this pixel of.
  size_t Out(size_t colour, size_t row, size_t column) const {
    size_t out = colour, size = factor;
    std::array<std::pair<size_t, size_t>, 4> digits;  // of the place, the highest first
    for (size_t k = 0; k < shuffles.size(); ++k) {
      size /= shuffles[k];
      digits[k] = {row / size % shuffles[k], column / size % shuffles[k]};
    }
    for (size_t k = shuffles.size(); k-- > 0;) {
      out = (out * shuffles[k] + digits[k].first) * shuffles[k] + digits[k].second;
    }
    return out;
  }
};

std::vector<Target> TargetsOf(const ModelDocument& document) {
  constexpr size_t kMostShuffle = 8;
  std::vector<Target> targets;
  size_t first = 0;
  for (const int shrink : kShrinks) {
    if (shrink > document.latent_stride) continue;
    Target target;
    target.shrink = shrink;
    target.factor = static_cast<size_t>(document.latent_stride / shrink);
    if (target.outs() > kMaxChannels) continue;
    for (size_t left = target.factor; left > 1; left /= target.shuffles.back()) {
      target.shuffles.push_back(std::min(left, kMostShuffle));
    }
    target.first = first;
    first += target.outs();
    targets.push_back(std::move(target));
  }
  return targets;
}

size_t OutsOf(const std::vector<Target>& targets) {
  return targets.empty() ? 0 : targets.back().first + targets.back().outs();
}

size_t UnknownsOf(const ModelDocument& document) {
  return kTaps * static_cast<size_t>(document.latent_channels) + 1;
}

// With four times as many as unknowns, graphs are 5 dB worse on other pictures than on these.
size_t PlacesFor(size_t unknowns) { return std::max<size_t>(8192, 64 * unknowns); }

// The gain that g_s begins with, if it does; nothing else reads y then.
const Node* FirstGain(const Graph& g_s) {
  const std::string& input = g_s.inputs[0].name;
  const Node* gain = nullptr;
  for (const Node& node : g_s.nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), input) == node.inputs.end()) continue;
    if (gain != nullptr || std::string(node.op->name) != "gain") return nullptr;
    gain = &node;
  }
  return gain;
}

// ---- normal equations --------------------------------------------------------------------------

// Sums over places of products of unknowns' factors (inputs under the taps, and 1) and of outputs.
class Equations {
 public:
  Equations(size_t unknowns, size_t outs)
      : unknowns_(unknowns),
        outs_(outs),
        squares_(unknowns * unknowns),
        products_(unknowns * outs),
        energies_(outs) {}

  static uint64_t Bytes(size_t unknowns, size_t outs) {
    // The squares twice while they are solved, a batch, and places that are kept, in float.
    const uint64_t row = uint64_t{unknowns} + outs;
    return sizeof(double) * (uint64_t{unknowns} * (2 * uint64_t{unknowns} + 2 * uint64_t{outs}) +
                             kBatch * row + outs) +
           sizeof(float) * kKeptPlaces * row;
  }

  // Where the next place goes: the factors, then the outputs.
  double* NextPlace() {
    batch_.resize(batch_.size() + unknowns_ + outs_);
    return batch_.data() + batch_.size() - (unknowns_ + outs_);
  }
  void EndPlace(const Runner& runner) {
    if (batch_.size() == kBatch * (unknowns_ + outs_)) AddBatch(runner);
  }
  void Finish(const Runner& runner) { AddBatch(runner); }
  uint64_t places() const { return places_; }

  struct Solution {
    std::vector<double> weights;  // [out][unknown]
    double error = 0;             // mean square over places and outputs
  };
  // For the unknowns that are named, ascending, and these outputs.
  Solution Solve(const std::vector<size_t>& unknowns, size_t first_out, size_t outs) const;

 private:
  void AddBatch(const Runner& runner) {
    const size_t row = unknowns_ + outs_, places = batch_.size() / row;
    constexpr size_t kRows = 16;
    ParallelFor(runner, (unknowns_ + kRows - 1) / kRows, [&](size_t i, size_t) {
      const size_t end = std::min(unknowns_, (i + 1) * kRows);
      for (size_t a = i * kRows; a < end; ++a) AddRow(a, places);
    });
    for (size_t p = 0; p < places; ++p) {
      const double* outputs = batch_.data() + p * row + unknowns_;
      for (size_t o = 0; o < outs_; ++o) energies_[o] += outputs[o] * outputs[o];
    }
    places_ += places;
    batch_.clear();
  }

  // Upper triangle, and products with outputs.
  void AddRow(size_t a, size_t places) {
    const size_t row = unknowns_ + outs_;
    double* const squares = squares_.data() + a * unknowns_;
    double* const products = products_.data() + a * outs_;
    for (size_t p = 0; p < places; ++p) {
      const double* const place = batch_.data() + p * row;
      const double factor = place[a];
      if (factor == 0) continue;
      for (size_t b = a; b < unknowns_; ++b) squares[b] += factor * place[b];
      for (size_t o = 0; o < outs_; ++o) products[o] += factor * place[unknowns_ + o];
    }
  }

  const size_t unknowns_, outs_;
  std::vector<double> squares_, products_, energies_;
  std::vector<double> batch_;
  uint64_t places_ = 0;
};

Equations::Solution Equations::Solve(const std::vector<size_t>& unknowns, size_t first_out,
                                     size_t outs) const {
  // Keeps apart what calibration cannot tell apart.
  constexpr double kRidge = 1e-6;
  const size_t size = unknowns.size();
  std::vector<double> factors(size * size);
  double trace = 0;
  for (size_t i = 0; i < size; ++i) trace += squares_[unknowns[i] * unknowns_ + unknowns[i]];
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      factors[i * size + j] = squares_[unknowns[j] * unknowns_ + unknowns[i]];
    }
    factors[i * size + i] += kRidge * trace / static_cast<double>(size);
  }
  FactorLdl(size, &factors);
  Solution solution;
  solution.weights.resize(outs * size);
  double error = 0;
  for (size_t o = 0; o < outs; ++o) {
    double* const w = solution.weights.data() + o * size;
    const auto product = [&](size_t i) { return products_[unknowns[i] * outs_ + first_out + o]; };
    for (size_t i = 0; i < size; ++i) {
      w[i] = product(i);
      for (size_t j = 0; j < i; ++j) w[i] -= factors[i * size + j] * w[j];
    }
    for (size_t i = 0; i < size; ++i) w[i] /= factors[i * size + i];
    for (size_t i = size; i-- > 0;) {
      for (size_t j = 0; j < i; ++j) w[j] -= factors[i * size + j] * w[i];
    }
    error += energies_[first_out + o];
    for (size_t i = 0; i < size; ++i) error -= w[i] * product(i);
  }
  solution.error = std::max(error, 0.0) / static_cast<double>(places_ * outs);
  return solution;
}

// ---- what calibration sees ---------------------------------------------------------------------

// A picture through the codec: y as the graphs' convolution reads it, and pixels.
class Sample {
 public:
  static Result<Sample> Make(const Model& model, const Picture& picture, double lrd, int threads) {
    EncodeOptions encode;
    encode.detail = Detail::kOff;
    encode.lrd = lrd;
    encode.threads = threads;
    const auto stream = Encode(model, picture, encode);
    if (!stream) return ToStatus(stream.error());
    Sample sample;
    DecodeOptions decode;
    decode.threads = threads;
    decode.alpha = AlphaOutput::kDrop;
    decode.latents = [&](const LatentRow& row) {
      sample.width_ = row.columns;
      sample.channels_ = row.channels;
      const size_t values = size_t{row.columns} * row.channels;
      sample.latents_.insert(sample.latents_.end(), row.values, row.values + values);
      return true;
    };
    auto decoded = Decode(model, stream->data(), stream->size(), decode);
    if (!decoded) return ToStatus(decoded.error());
    sample.decoded_ = std::move(*decoded);
    const Model::Impl& impl = model.impl();
    const PictureInfo& info = sample.decoded_.info;
    const LatentGeometry geometry(impl.document, impl.graphs(), info.width, info.height);
    sample.left_ = geometry.left();
    sample.top_ = static_cast<size_t>(geometry.top());
    sample.stride_ = static_cast<size_t>(impl.document.latent_stride);
    sample.offset_ = static_cast<double>(impl.document.picture_offset);
    const float unit = std::ldexp(1.0f, -impl.document.fraction_bits);
    sample.gain_.assign(sample.channels_, unit);
    if (const Node* gain = FirstGain(impl.graph("g_s"))) {
      const std::vector<float> gains =
          EvaluateGain(*impl.file, *gain, RateToT(impl.document.rate, lrd));
      for (size_t c = 0; c < gains.size(); ++c) sample.gain_[c] *= gains[c];
    }
    return sample;
  }

  // Places of y whose squares lie in the picture.
  struct Places {
    size_t row = 0, column = 0, rows = 0, columns = 0;
    size_t count() const { return rows * columns; }
  };
  Places WholePlaces() const {
    const auto whole = [this](size_t before, size_t size) {
      const size_t first = (before + stride_ - 1) / stride_, end = (before + size) / stride_;
      return std::pair(first, end > first ? end - first : 0);
    };
    const auto [row, rows] = whole(top_, decoded_.info.height);
    const auto [column, columns] = whole(left_, decoded_.info.width);
    return {row, column, rows, columns};
  }

  // Inputs under the taps, tap by tap, and 1.
  void Factors(size_t row, size_t column, double* out) const {
    const size_t height = latents_.size() / (width_ * channels_);
    for (size_t tap = 0; tap < kTaps; ++tap) {
      const size_t y = row + tap / kKernel - 1, x = column + tap % kKernel - 1;
      const bool inside = y < height && x < width_;  // below 0 they are beyond both
      const int16_t* from = inside ? latents_.data() + (y * width_ + x) * channels_ : nullptr;
      for (size_t c = 0; c < channels_; ++c) {
        *out++ = inside ? static_cast<double>(static_cast<float>(from[c]) * gain_[c]) : 0.0;
      }
    }
    *out = 1.0;
  }

  // Of all graphs, side by side.
  void Outputs(size_t row, size_t column, const std::vector<Target>& targets, double* out) const {
    for (const Target& target : targets) {
      const auto shrink = static_cast<size_t>(target.shrink);
      const size_t y = row * stride_ - top_, x = column * stride_ - left_;
      for (size_t i = 0; i < target.factor; ++i) {
        for (size_t j = 0; j < target.factor; ++j) {
          for (size_t c = 0; c < kColours; ++c) {
            out[target.first + target.Out(c, i, j)] =
                Mean(c, y + i * shrink, x + j * shrink, shrink) - offset_;
          }
        }
      }
    }
  }

 private:
  double Mean(size_t colour, size_t y, size_t x, size_t side) const {
    const PictureInfo& info = decoded_.info;
    const size_t channel = info.channels == 3 ? colour : 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < side; ++i) {
      const uint8_t* row = decoded_.samples.data() + (y + i) * info.RowBytes();
      for (size_t j = 0; j < side; ++j) sum += row[(x + j) * info.channels + channel];
    }
    return static_cast<double>(sum) / static_cast<double>(side * side) / TopLevel(info);
  }

  Picture decoded_;
  std::vector<int16_t> latents_;
  size_t width_ = 0, channels_ = 0;  // of y
  size_t left_ = 0, top_ = 0, stride_ = 1;
  double offset_ = 0;
  std::vector<float> gain_;  // of y in fixed point
};

// ---- the graphs --------------------------------------------------------------------------------

struct Fitted {
  Target target;
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
        targets_(TargetsOf(impl_.document)),
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
    for (const Target& target : targets_) fits.push_back(Fit(target));
    ShrunkModel result;
    for (const Fitted& fit : fits) {
      result.fits.push_back({fit.target.shrink, static_cast<uint32_t>(fit.channels), fit.psnr});
    }
    GLINT_ASSIGN(result.file, Rounded(InFloat(fits)));
    return result;
  }

 private:
  Status Measure(const std::vector<PictureShare>& sets) {
    const size_t wanted_places = PlacesFor(UnknownsOf(impl_.document));
    keep_every_ = (wanted_places + kKeptPlaces - 1) / kKeptPlaces;
    double all = 0, done = 0;
    for (const PictureShare& set : sets) all += static_cast<double>(set.pictures.size());
    all *= static_cast<double>(options_.lrds.size());
    for (const PictureShare& set : sets) {
      const double runs = static_cast<double>(set.pictures.size() * options_.lrds.size());
      const double wanted = set.share * static_cast<double>(wanted_places);
      const auto places = static_cast<size_t>(wanted / runs) + 1;
      for (const Picture& picture : set.pictures) {
        for (const double lrd : options_.lrds) {
          GLINT_ASSIGN(const Sample sample, Sample::Make(model_, picture, lrd, options_.threads));
          Add(sample, places);
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

  // `places` of them, spread evenly.
  void Add(const Sample& sample, size_t places) {
    const Sample::Places all = sample.WholePlaces();
    const size_t count = all.count(), wanted = std::min(count, places);
    for (size_t i = 0; i < wanted; ++i) {
      const size_t at = i * count / wanted + count / wanted / 2;
      const size_t row = all.row + at / all.columns, column = all.column + at % all.columns;
      double* const place = equations_.NextPlace();
      sample.Factors(row, column, place);
      for (size_t k = 0; k < kTaps * channels_; ++k) most_ = std::max(most_, std::abs(place[k]));
      sample.Outputs(row, column, targets_, place + kTaps * channels_ + 1);
      if (seen_++ % keep_every_ == 0) kept_.insert(kept_.end(), place, place + RowValues());
      equations_.EndPlace(workers_.runner());
    }
  }

  Fitted Fit(const Target& target) const {
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

  Fitted FitChannels(const Target& target, size_t channels) const {
    std::vector<size_t> unknowns;
    for (size_t tap = 0; tap < kTaps; ++tap) {
      for (size_t c = 0; c < channels; ++c) unknowns.push_back(tap * channels_ + c);
    }
    unknowns.push_back(kTaps * channels_);
    Equations::Solution solution = equations_.Solve(unknowns, target.first, target.outs());
    Fitted fit{target, channels, std::move(solution.weights), {}, 0};
    FitColour(unknowns, &fit);
    return fit;
  }

  // The mix, by colours that the convolution makes of the places that were kept.
  void FitColour(const std::vector<size_t>& unknowns, Fitted* fit) const {
    const Target& target = fit->target;
    const size_t inputs = kColours + kBends + 1;
    Equations equations(inputs, kColours);
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
    Equations::Solution solution = equations.Solve(all, 0, kColours);
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
    last = convolve("conv", last, kKernel, KernelOf(fit));
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
    const size_t outs = fit.target.outs(), unknowns = kTaps * fit.channels + 1;
    Kernel kernel;
    kernel.weight.resize(outs * kTaps * fit.channels);
    for (size_t o = 0; o < outs; ++o) {
      const double* const from = fit.weights.data() + o * unknowns;
      for (size_t tap = 0; tap < kTaps; ++tap) {
        for (size_t c = 0; c < fit.channels; ++c) {
          kernel.weight[(o * fit.channels + c) * kTaps + tap] =
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
      for (const auto& [name, graph] : model.graphs()) {
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
  const std::vector<Target> targets_;
  const size_t channels_;
  const std::string prefix_;
  Equations equations_;
  double most_ = 0;  // magnitude of what the convolution reads
  size_t keep_every_ = 1, seen_ = 0;
  std::vector<float> kept_;  // places as the equations have them
  Workers workers_;
};

}  // namespace

uint64_t ShrunkFitBytes(const ModelDocument& document) {
  return Equations::Bytes(UnknownsOf(document), OutsOf(TargetsOf(document)));
}

Result<ShrunkModel> FitShrunkGraphs(const Model& model, const std::vector<PictureShare>& sets,
                                    const CalibrationOptions& options) {
  return Fitter(model, options).Run(sets);
}

}  // namespace glint::quantiser
