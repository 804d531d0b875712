#include "engine/picture_tensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/pointwise.h"

namespace glint {
namespace {

// What `scales` says of each channel, for several pixels that follow each other.
void Repeat(size_t channels, std::vector<float>* scales) {
  const size_t pixels = PixelsAtOnce(channels);
  scales->resize(std::max(scales->size(), pixels * channels));
  for (size_t i = channels; i < pixels * channels; ++i) (*scales)[i] = (*scales)[i - channels];
}

void Repeat(size_t channels, ChannelScales* scales) {
  Repeat(channels, &scales->scale);
  Repeat(channels, &scales->inverse);
}

}  // namespace

Status PictureTensors::Init(const ExecutorMemory& memory,
                            const std::vector<Executor::BoundInput>& inputs, RowRing* output) {
  rings_.resize(plan_.tensors.size());
  for (size_t i = 0; i < rings_.size(); ++i) {
    if (memory.layouts[i].capacity > 0) GLINT_TRY(rings_[i].Allocate(memory.layouts[i]));
  }
  scratch_floats_ = memory.scratch_floats;
  pixel_floats_ = memory.pixel_floats;
  if (!scratch_.Allocate(scratch_floats_ * std::max<size_t>(1, options_.runner.workers)) ||
      !band_memory_.Allocate(memory.band_bytes) || !input_row_.Allocate(memory.input_floats)) {
    return Status::Error(StatusCode::kLimit, "out of memory");
  }
  SetViews(inputs, output);
  EvaluateAll();
  return Status::Ok();
}

void PictureTensors::SetViews(const std::vector<Executor::BoundInput>& inputs, RowRing* output) {
  views_.resize(plan_.tensors.size());
  const int output_storage = tensor(plan_.output_tensor).storage;
  for (size_t i = 0; i < views_.size(); ++i) {
    const int storage = plan_.tensors[i].storage;
    const bool is_output = output != nullptr && storage == output_storage;
    views_[i].ring = is_output ? output : &rings_[Index(storage)];
    views_[i].user = {&plan_.graph_name, &plan_.tensors[i].name};
  }
  for (size_t i = 0; i < inputs.size() && i < plan_.input_tensors.size(); ++i) {
    if (inputs[i].ring == nullptr) continue;
    View& view = views_[Index(plan_.input_tensors[i])];
    view.ring = const_cast<RowRing*>(inputs[i].ring);  // steps never write their graph's inputs
    view.offset = inputs[i].channel_offset;
  }
}

void PictureTensors::EvaluateAll() {
  const size_t count = plan_.tensors.size();
  scales_.resize(count);
  scale_.assign(count, 1.0);
  factors_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const PlanTensor& tensor = plan_.tensors[i];
    if (tensor.quantisation == nullptr) continue;
    scale_[i] = EvaluateScale(*tensor.quantisation, options_.t);
    scales_[i] = EvaluateScales(model(), *tensor.quantisation, tensor.channels, options_.t);
    Repeat(tensor.channels, &scales_[i]);
    if (!tensor.dynamic()) continue;
    factors_[i] = ReadFactors(model(), *tensor.quantisation, tensor.channels);
  }
}

void PictureTensors::SetDynamicScale(int id, const float* most) {
  const std::vector<float>& factors = factors_[Index(id)];
  scale_[Index(id)] = DynamicScale(*tensor(id).quantisation, factors, most);
  SetScales(factors, scale_[Index(id)], &scales_[Index(id)]);
  Repeat(tensor(id).channels, &scales_[Index(id)]);
}

PictureTensors::Positions PictureTensors::At(int id, int output, int64_t r) const {
  const uint8_t* row = Row(id, r);
  if (tensor(output).compact && !tensor(id).compact) {
    const RowPositions columns = Columns(output, r);
    return {row + columns.first * bytes(id), columns.stride * stride(id),
            columns.stride * bytes(id)};
  }
  return {row, stride(id), bytes(id)};
}

void PictureTensors::Load(int id, const uint8_t* from, size_t pixels, float* to) const {
  const PlanTensor& kept = tensor(id);
  const size_t values = pixels * kept.channels;
  if (kept.quantisation == nullptr) {
    std::memcpy(to, from, values * sizeof(float));
    return;
  }
  kernels::ElementsToFloat(kept.element, from, to, values, scales(id).scale.data(),
                           static_cast<float>(kept.zero()));
}

void PictureTensors::Store(int id, const float* from, size_t pixels, uint8_t* to) const {
  const PlanTensor& kept = tensor(id);
  const size_t values = pixels * kept.channels;
  if (kept.quantisation == nullptr) {
    std::memcpy(to, from, values * sizeof(float));
    return;
  }
  kernels::FloatToElements(from, kept.element, to, values, scales(id).inverse.data(),
                           static_cast<float>(kept.quantisation->low()),
                           static_cast<float>(kept.quantisation->high()),
                           static_cast<float>(kept.zero()));
}

void PictureTensors::StoreRow(int id, const float* values, size_t pixels, int64_t r) const {
  uint8_t* row = WriteRow(id, r);
  const size_t channels = tensor(id).channels, pixel_bytes = bytes(id);
  const bool is_float = tensor(id).quantisation == nullptr;
  size_t at_once = is_float ? pixels : PixelsAtOnce(channels);
  if (!IsGapless(id, pixel_bytes)) at_once = 1;
  for (size_t x = 0; x < pixels; x += at_once) {
    Store(id, values + x * channels, std::min(at_once, pixels - x), row + x * pixel_bytes);
  }
}

float* PictureTensors::InputRow(int id, int64_t r) {
  if (tensor(id).quantisation != nullptr) return input_row_.get();
  return static_cast<float*>(static_cast<void*>(WriteRow(id, r)));
}

void PictureTensors::StoreInput(int id, int64_t r) const {
  if (tensor(id).quantisation != nullptr) StoreRow(id, input_row_.get(), options_.in_width, r);
}

}  // namespace glint
