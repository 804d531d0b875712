// What Quantiser will hold, known before it works.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "codec/memory_limit.h"
#include "codec/public_error.h"
#include "codec/quantiser/quantiser.h"

namespace glint::quantiser {
namespace {

// As padded for the model.
double PixelsOf(const PictureInfo& info, const ModelDocument& document) {
  const double stride = document.picture_stride;
  return std::ceil(info.width / stride) * std::ceil(info.height / stride) * stride * stride;
}

uint64_t WholeBytes(double bytes) {
  return bytes < static_cast<double>(kBeyondMemory) ? static_cast<uint64_t>(bytes) : kBeyondMemory;
}

}  // namespace

// Of `pixels` in all pictures; every tensor is seen by encoder and decoder.
uint64_t Quantiser::StatisticsMemory(double pixels) const {
  const double most = static_cast<double>(CalibrationOptions().samples);
  std::map<TensorKey, double> tensors;
  for (const Layer& layer : layers_) {
    const double seen = options_.built_in ? most : std::min(most, 2 * pixels * layer.input_pixels);
    const double of_channel = sizeof(float) * (2 + seen) + 3 * sizeof(double);
    for (size_t i = 0; i < layer.inputs.size(); ++i) {
      tensors[layer.inputs[i]] = of_channel * static_cast<double>(layer.in_channels[i]);
    }
  }
  double bytes = 0;
  for (const auto& entry : tensors) bytes += entry.second;
  // As they were measured and by group; the former with room for samples of built-in pictures.
  const double copies = options_.built_in ? 3.25 : 2.0;
  return WholeBytes(copies * bytes * static_cast<double>(lrds_.size()));
}

// The moments of all layers, with the tensors of a picture or what rounding one layer takes.
uint64_t Quantiser::MomentsMemory(double most_pixels) const {
  uint64_t moments = 0, rounding = 0;
  std::map<TensorKey, double> tensors;
  for (const size_t index : LayersWithMoments()) {
    const Layer& layer = layers_[index];
    for (const size_t size : MomentSizes(layer)) {
      moments = AddBytes(moments, MomentBytes(size));
      rounding = std::max(rounding, RoundingBytes(size, layer.out_channels));
    }
    for (size_t i = 0; i < layer.inputs.size(); ++i) {
      tensors[layer.inputs[i]] =
          layer.input_pixels * static_cast<double>(layer.in_channels[i] * sizeof(float));
    }
  }
  constexpr double kGrowth = 2;  // of vectors whose size is not known before
  double kept = 0;
  for (const auto& entry : tensors) kept += kGrowth * most_pixels * entry.second;
  return AddBytes(moments, std::max(rounding, WholeBytes(kept)));
}

uint64_t Quantiser::Memory(const std::vector<PictureInfo>& pictures) const {
  double all = 0, most = 0;
  for (const PictureInfo& info : pictures) {
    const double pixels = PixelsOf(info, model_.impl().document);
    all += pixels;
    most = std::max(most, pixels);
  }
  uint64_t weights = 0;  // in float and rounded
  for (const std::vector<float>& matrix : matrices_) {
    weights += matrix.size() * (sizeof(float) + sizeof(int16_t));
  }
  return AddBytes(weights, AddBytes(StatisticsMemory(all), MomentsMemory(most)));
}

Status CheckMemoryWith(const Model& model, const std::vector<Picture>& pictures, uint64_t bytes,
                       uint64_t max_memory, const std::string& what) {
  EncodeOptions call;
  call.detail = Detail::kOff;
  uint64_t held = 0, coding = 0;
  for (const Picture& picture : pictures) {
    held += picture.samples.size();
    const auto plan = PlanMemory(model, picture.info, call);
    if (!plan) return ToStatus(plan.error());
    const uint64_t most = std::max(plan->encoding, AddBytes(plan->stream, plan->decoding));
    coding = std::max(coding, AddBytes(most, picture.samples.size()));
  }
  Limits limits;
  limits.max_memory = max_memory;
  return ToStatus(CheckMemory(what, AddBytes(AddBytes(held, coding), bytes), limits));
}

Status Quantiser::CheckMemory() const {
  std::vector<PictureInfo> infos;
  for (const Picture& picture : pictures_) infos.push_back(picture.info);
  return CheckMemoryWith(model_, pictures_, Memory(infos), options_.max_memory,
                         "quantising " + file_->name());
}

}  // namespace glint::quantiser
