#include "codec/quantiser/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>

#include "codec/model/model_impl.h"
#include "codec/public_error.h"

namespace glint::quantiser {
namespace {

// Runs every picture through the whole codec at every rate; `at` is told before each.
Status CodePictures(const Model& model, std::span<const Picture> pictures,
                    const CalibrationOptions& options, const std::function<void(size_t)>& before,
                    const std::function<void()>& after) {
  const double count = static_cast<double>(pictures.size() * options.lrds.size());
  double done = 0;
  for (size_t rate = 0; rate < options.lrds.size(); ++rate) {
    for (const Picture& picture : pictures) {
      before(rate);
      EncodeOptions encode;
      encode.detail = Detail::kOff;  // of the model alone
      encode.lrd = options.lrds[rate];
      encode.threads = options.threads;
      const auto stream = Encode(model, picture, encode);
      if (!stream) return ToStatus(stream.error());
      DecodeOptions decode;
      decode.threads = options.threads;
      const auto decoded = Decode(model, stream->data(), stream->size(), decode);
      if (!decoded) return ToStatus(decoded.error());
      after();
      done += 1;
      if (options.progress) GLINT_TRY(options.progress(done / count));
    }
  }
  return Status::Ok();
}

// Encoder and decoder both run h_s and the coding steps, so their tensors are seen twice. That does
// no harm to ranges and averages.
class RangeObserver final : public TensorObserver {
 public:
  RangeObserver(const std::vector<Layer>& layers, size_t rates, size_t samples)
      : most_samples_(samples) {
    for (const Layer& layer : layers) {
      for (const TensorKey& input : layer.inputs) statistics_[input].resize(rates);
    }
  }

  void set_rate(size_t rate) { rate_ = rate; }
  Statistics Take() { return std::move(statistics_); }

  void OnRow(const std::string& graph, const std::string& tensor, const float* values,
             size_t pixels, size_t channels, size_t stride) override {
    const auto found = statistics_.find({graph, tensor});
    if (found == statistics_.end()) return;
    TensorStatistics& of = found->second[rate_];
    if (of.channels == 0) Start(channels, &of);
    row_sum_.assign(channels, 0.0f);
    row_magnitude_.assign(channels, 0.0f);
    row_square_.assign(channels, 0.0f);
    for (size_t x = 0; x < pixels; ++x) {
      const float* v = values + x * stride;
      for (size_t c = 0; c < channels; ++c) {
        of.low[c] = std::min(of.low[c], v[c]);
        of.high[c] = std::max(of.high[c], v[c]);
        row_sum_[c] += v[c];
        row_magnitude_[c] += std::abs(v[c]);
        row_square_[c] += v[c] * v[c];
      }
      Sample(v, &of);
    }
    for (size_t c = 0; c < channels; ++c) {
      of.sum[c] += static_cast<double>(row_sum_[c]);
      of.magnitude_sum[c] += static_cast<double>(row_magnitude_[c]);
      of.square_sum[c] += static_cast<double>(row_square_[c]);
    }
  }

 private:
  static void Start(size_t channels, TensorStatistics* of) {
    of->channels = channels;
    of->low.assign(channels, 0.0f);
    of->high.assign(channels, 0.0f);
    of->sum.assign(channels, 0.0);
    of->magnitude_sum.assign(channels, 0.0);
    of->square_sum.assign(channels, 0.0);
  }

  // Reservoir sampling: every pixel has the same chance.
  void Sample(const float* v, TensorStatistics* of) {
    const uint64_t seen = of->pixels++;
    if (seen < most_samples_) {
      of->samples.insert(of->samples.end(), v, v + of->channels);
      return;
    }
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    const uint64_t place = (random_ >> 33) % (seen + 1);
    if (place >= most_samples_) return;
    std::copy(v, v + of->channels,
              of->samples.begin() + static_cast<std::ptrdiff_t>(place * of->channels));
  }

  Statistics statistics_;
  size_t rate_ = 0;
  const size_t most_samples_;
  uint64_t random_ = 1;
  std::vector<float> row_sum_, row_magnitude_, row_square_;
};

// Whole tensors of the picture that is being coded.
class TensorKeeper final : public TensorObserver {
 public:
  struct Kept {
    size_t width = 0, channels = 0;
    std::vector<float> values;  // NHWC
    int64_t height() const {
      return width == 0 ? 0 : static_cast<int64_t>(values.size() / (width * channels));
    }
  };

  explicit TensorKeeper(const std::set<TensorKey>& wanted) {
    for (const TensorKey& key : wanted) kept_[key];
  }

  void Clear() {
    for (auto& entry : kept_) entry.second.values.clear();
  }
  const Kept& at(const TensorKey& key) const { return kept_.at(key); }

  void OnRow(const std::string& graph, const std::string& tensor, const float* values,
             size_t pixels, size_t channels, size_t stride) override {
    const auto found = kept_.find({graph, tensor});
    if (found == kept_.end()) return;
    found->second.width = pixels;
    found->second.channels = channels;
    for (size_t x = 0; x < pixels; ++x) {
      found->second.values.insert(found->second.values.end(), values + x * stride,
                                  values + x * stride + channels);
    }
  }

 private:
  std::map<TensorKey, Kept> kept_;
};

// Which input pixels, from a base on, meet which taps.
struct Offset {
  int64_t y, x;
};

struct Problem {
  SecondMoment moment;
  std::vector<Offset> offsets;  // of each tap
  uint64_t count = 0;
  std::vector<float> batch;  // [place][size]
};

// A convolution is one matrix; of a transposed one of stride s, output (s m + py, s n + px) reads
// input m + (py + padding - ky) / s where that is whole.
std::vector<Problem> ProblemsOf(const Layer& layer) {
  const Axis &rows = layer.node->window.rows, &columns = layer.node->window.columns;
  std::vector<Problem> problems(layer.matrix.phases);
  for (size_t phase = 0; phase < problems.size(); ++phase) {
    Problem& problem = problems[phase];
    const int64_t py = static_cast<int64_t>(phase) / rows.stride;
    const int64_t px = static_cast<int64_t>(phase) % rows.stride;
    for (size_t tap = 0; tap < layer.taps(); ++tap) {
      const int64_t ky = static_cast<int64_t>(tap) / columns.kernel;
      const int64_t kx = static_cast<int64_t>(tap) % columns.kernel;
      if (!layer.matrix.IsLive(tap)) continue;
      if (rows.transposed) {
        const int64_t y = py + rows.padding - ky, x = px + columns.padding - kx;
        if (y % rows.stride != 0 || x % columns.stride != 0) continue;
        problem.offsets.push_back({y / rows.stride, x / columns.stride});
      } else {
        problem.offsets.push_back({ky - rows.padding, kx - columns.padding});
      }
      problem.moment.taps.push_back(tap);
    }
    problem.moment.size = problem.moment.taps.size() * layer.channels();
  }
  return problems;
}

constexpr size_t kBatch = 64;  // places

// values += batch^T batch, upper triangle, in tiles that stay in cache.
void AddBatch(Problem* problem) {
  const size_t size = problem->moment.size;
  const size_t places = problem->batch.size() / size;
  constexpr size_t kColumns = 256;
  for (size_t begin = 0; begin < size; begin += kColumns) {
    const size_t end = std::min(size, begin + kColumns);
    for (size_t i = 0; i < end; ++i) {
      float* row = problem->moment.values.data() + i * size;
      for (size_t p = 0; p < places; ++p) {
        const float* v = problem->batch.data() + p * size;
        const float a = v[i];
        for (size_t j = begin; j < end; ++j) row[j] += a * v[j];
      }
    }
  }
  problem->count += places;
  problem->batch.clear();
}

void AddPlace(const TensorKeeper& keeper, const Layer& layer, int64_t y, int64_t x,
              Problem* problem) {
  for (const Offset& offset : problem->offsets) {
    const int64_t iy = y + offset.y, ix = x + offset.x;
    for (const TensorKey& key : layer.inputs) {
      const TensorKeeper::Kept& tensor = keeper.at(key);
      const bool inside =
          iy >= 0 && ix >= 0 && iy < tensor.height() && ix < static_cast<int64_t>(tensor.width);
      for (size_t c = 0; c < tensor.channels; ++c) {
        float value = 0.0f;
        if (inside) {
          value = tensor.values[(static_cast<size_t>(iy) * tensor.width + static_cast<size_t>(ix)) *
                                    tensor.channels +
                                c];
        }
        problem->batch.push_back(layer.normalises() ? std::abs(value) : value);
      }
    }
  }
  if (problem->batch.size() == kBatch * problem->moment.size) AddBatch(problem);
}

// `places` of this picture at this rate, spread evenly.
void AddPicture(const TensorKeeper& keeper, const Layer& layer, size_t places, Problem* problem) {
  const TensorKeeper::Kept& tensor = keeper.at(layer.inputs[0]);
  const Axis& rows = layer.node->window.rows;
  const int64_t stride = rows.transposed ? 1 : rows.stride;
  const int64_t height = (tensor.height() + stride - 1) / stride;
  const int64_t width = (static_cast<int64_t>(tensor.width) + stride - 1) / stride;
  const int64_t total = height * width;
  if (total <= 0) return;
  const int64_t wanted = std::min(total, static_cast<int64_t>(places));
  for (int64_t i = 0; i < wanted; ++i) {
    const int64_t at = i * total / wanted + (total / wanted) / 2;
    AddPlace(keeper, layer, at / width * stride, at % width * stride, problem);
  }
}

void Finish(Problem* problem) {
  if (!problem->batch.empty()) AddBatch(problem);
  const size_t size = problem->moment.size;
  const float scale = 1.0f / static_cast<float>(std::max<uint64_t>(1, problem->count));
  std::vector<float>& values = problem->moment.values;
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = i; j < size; ++j) {
      values[i * size + j] *= scale;
      values[j * size + i] = values[i * size + j];
    }
  }
}

Result<Model> ObservedModel(const std::shared_ptr<const ModelFile>& model,
                            TensorObserver* observer) {
  GLINT_ASSIGN(auto impl, MakeModelImpl(model, std::make_shared<MemoryBudget>(), observer));
  return Model(std::move(impl));
}

}  // namespace

std::vector<double> SpreadRates(const RateControl& rate, double min, double max) {
  constexpr int kRates = 5;
  if (rate.is_fixed()) return {0.0};
  std::vector<double> lrds;
  for (int i = 0; i < kRates; ++i) {
    const double share = static_cast<double>(i) / (kRates - 1);
    const double lrd = rate.map == RateControl::Map::kLinear ? min + share * (max - min)
                                                             : min * std::pow(max / min, share);
    lrds.push_back(std::clamp(lrd, min, max));
  }
  return lrds;
}

Result<Statistics> Calibrate(const std::shared_ptr<const ModelFile>& model,
                             const std::vector<Layer>& layers, std::span<const Picture> pictures,
                             const CalibrationOptions& options) {
  RangeObserver observer(layers, options.lrds.size(), options.samples);
  GLINT_ASSIGN(const Model observed, ObservedModel(model, &observer));
  GLINT_TRY(CodePictures(
      observed, pictures, options, [&](size_t rate) { observer.set_rate(rate); }, [] {}));
  Statistics statistics = observer.Take();
  for (const auto& [key, rates] : statistics) {
    for (const TensorStatistics& of : rates) {
      for (const double square : of.square_sum) {
        if (!std::isfinite(square)) {
          return Status::Error(StatusCode::kBadModel, model->name() + ": tensor " + key.tensor +
                                                          " of graph " + key.graph +
                                                          " is not finite on these pictures");
        }
      }
    }
  }
  return statistics;
}

std::vector<size_t> MomentSizes(const Layer& layer) {
  std::vector<size_t> sizes;
  for (const Problem& problem : ProblemsOf(layer)) sizes.push_back(problem.moment.size);
  return sizes;
}

uint64_t MomentBytes(size_t size) {
  return sizeof(float) * uint64_t{size} * (uint64_t{size} + kBatch);
}

void WidenRanges(const Statistics& wider, Statistics* statistics) {
  constexpr size_t kShare = 8;
  for (auto& [key, rates] : *statistics) {
    const std::vector<TensorStatistics>& others = wider.at(key);
    for (size_t k = 0; k < rates.size(); ++k) {
      TensorStatistics& of = rates[k];
      const TensorStatistics& other = others[k];
      for (size_t c = 0; c < of.channels; ++c) {
        of.low[c] = std::min(of.low[c], other.low[c]);
        of.high[c] = std::max(of.high[c], other.high[c]);
      }
      const size_t samples = other.sample_count() / kShare * of.channels;
      of.samples.insert(of.samples.end(), other.samples.begin(),
                        other.samples.begin() + static_cast<std::ptrdiff_t>(samples));
    }
  }
}

Result<std::map<size_t, std::vector<SecondMoment>>> MeasureSecondMoments(
    const std::shared_ptr<const ModelFile>& model, const std::vector<Layer>& layers,
    const std::vector<size_t>& wanted, const std::vector<PictureShare>& sets,
    const CalibrationOptions& options) {
  std::map<size_t, std::vector<Problem>> problems;
  std::set<TensorKey> tensors;
  for (const size_t index : wanted) {
    problems[index] = ProblemsOf(layers[index]);
    for (Problem& problem : problems[index]) {
      problem.moment.values.assign(problem.moment.size * problem.moment.size, 0.0f);
    }
    tensors.insert(layers[index].inputs.begin(), layers[index].inputs.end());
  }
  TensorKeeper keeper(tensors);
  GLINT_ASSIGN(const Model observed, ObservedModel(model, &keeper));
  for (const PictureShare& set : sets) {
    const double runs = static_cast<double>(set.pictures.size() * options.lrds.size());
    const auto after = [&] {
      for (auto& [index, of_layer] : problems) {
        for (Problem& problem : of_layer) {
          // Three times as many places as unknowns, for the moments to have full rank.
          const size_t all = std::max<size_t>(4096, 3 * problem.moment.size);
          const double places = set.share * static_cast<double>(all) / runs;
          AddPicture(keeper, layers[index], static_cast<size_t>(places) + 1, &problem);
        }
      }
      keeper.Clear();
    };
    GLINT_TRY(CodePictures(
        observed, set.pictures, options, [](size_t) {}, after));
  }
  std::map<size_t, std::vector<SecondMoment>> moments;
  for (auto& [index, of_layer] : problems) {
    for (Problem& problem : of_layer) {
      Finish(&problem);
      moments[index].push_back(std::move(problem.moment));
    }
  }
  return moments;
}

}  // namespace glint::quantiser
