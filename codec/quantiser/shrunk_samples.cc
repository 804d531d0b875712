#include "codec/quantiser/shrunk_samples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "codec/latents/latent_geometry.h"
#include "codec/public_error.h"
#include "codec/stream/container.h"
#include "engine/op.h"
#include "engine/rate.h"

namespace glint::quantiser {

size_t ShrunkTarget::Out(size_t colour, size_t row, size_t column) const {
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

std::vector<ShrunkTarget> ShrunkTargets(const ModelDocument& document) {
  constexpr size_t kMostShuffle = 8;
  std::vector<ShrunkTarget> targets;
  size_t first = 0;
  for (const int shrink : kShrinks) {
    if (shrink > document.latent_stride) continue;
    ShrunkTarget target;
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

Result<ShrunkSample> ShrunkSample::Make(const Model& model, const Picture& picture, double lrd,
                                        int threads) {
  EncodeOptions encode;
  encode.detail = Detail::kOff;
  encode.lrd = lrd;
  encode.threads = threads;
  const auto stream = Encode(model, picture, encode);
  if (!stream) return ToStatus(stream.error());
  ShrunkSample sample;
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

ShrunkPlaces WholePlaces(const Model::Impl& model, const PictureInfo& info) {
  const auto stride = static_cast<size_t>(model.document.latent_stride);
  const LatentGeometry geometry(model.document, model.graphs(), info.width, info.height);
  const auto whole = [stride](size_t before, size_t size) {
    const size_t first = (before + stride - 1) / stride, end = (before + size) / stride;
    return std::pair(first, end > first ? end - first : 0);
  };
  const auto [row, rows] = whole(static_cast<size_t>(geometry.top()), info.height);
  const auto [column, columns] = whole(geometry.left(), info.width);
  return {row, column, rows, columns};
}

void ShrunkSample::Factors(size_t row, size_t column, double* out) const {
  const size_t height = latents_.size() / (width_ * channels_);
  for (size_t tap = 0; tap < kShrunkTaps; ++tap) {
    const size_t y = row + tap / kShrunkKernel - 1, x = column + tap % kShrunkKernel - 1;
    const bool inside = y < height && x < width_;  // below 0 they are beyond both
    const int16_t* from = inside ? latents_.data() + (y * width_ + x) * channels_ : nullptr;
    for (size_t c = 0; c < channels_; ++c) {
      *out++ = inside ? static_cast<double>(static_cast<float>(from[c]) * gain_[c]) : 0.0;
    }
  }
  *out = 1.0;
}

void ShrunkSample::Outputs(size_t row, size_t column, const std::vector<ShrunkTarget>& targets,
                           double* out) const {
  for (const ShrunkTarget& target : targets) {
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

double ShrunkSample::Mean(size_t colour, size_t y, size_t x, size_t side) const {
  const PictureInfo& info = decoded_.info;
  const size_t channel = info.channels == 3 ? colour : 0;
  uint64_t sum = 0;
  for (size_t i = 0; i < side; ++i) {
    const uint8_t* row = decoded_.samples.data() + (y + i) * info.RowBytes();
    for (size_t j = 0; j < side; ++j) sum += row[(x + j) * info.channels + channel];
  }
  return static_cast<double>(sum) / static_cast<double>(side * side) / TopLevel(info);
}

}  // namespace glint::quantiser
