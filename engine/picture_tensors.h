// The tensors of one picture in one executor, as steps read and write them: rows in rings, the
// scale of each channel at this rate, and memory for a band. Made by the executor, used by the
// steps. Internal to engine/.
// Thread rules: after Init several workers may read and write, each its own rows; SetDynamicScale
// is for the thread that begins a step.
#ifndef GLINT_ENGINE_PICTURE_TENSORS_H_
#define GLINT_ENGINE_PICTURE_TENSORS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/aligned.h"
#include "engine/plan.h"
#include "engine/rate.h"
#include "engine/row_ring.h"
#include "engine/schedule.h"

namespace glint {

class PictureTensors {
 public:
  // `plan` and `schedule` must outlive this.
  PictureTensors(const PlanImpl& plan, const Schedule& schedule, const ExecutorOptions& options)
      : plan_(plan), schedule_(schedule), options_(options) {}
  Status Init(const ExecutorMemory& memory, const std::vector<Executor::BoundInput>& inputs,
              RowRing* output);

  const PlanTensor& tensor(int id) const { return plan_.tensors[Index(id)]; }
  const ModelFile& model() const { return *plan_.model; }
  double t() const { return options_.t; }
  const Runner& runner() const { return options_.runner; }

  // Pixel 0 of a row. RowOrZero: rows outside of the tensor hold what stands for zero.
  uint8_t* WriteRow(int id, int64_t r) const {
    const View& view = views_[Index(id)];
    return view.ring->WriteRow(r, view.user) + view.offset_bytes();
  }
  const uint8_t* Row(int id, int64_t r) const {
    const View& view = views_[Index(id)];
    return std::as_const(*view.ring).Row(r, view.user) + view.offset_bytes();
  }
  const uint8_t* RowOrZero(int id, int64_t r) const {
    const View& view = views_[Index(id)];
    return view.ring->RowOrZero(r, view.user) + view.offset_bytes();
  }
  // Between neighbouring pixels, in elements and in bytes.
  size_t stride(int id) const { return views_[Index(id)].ring->pixel_stride(); }
  size_t bytes(int id) const { return views_[Index(id)].ring->pixel_bytes(); }

  int64_t height(int id) const { return schedule_.height(id); }
  size_t width(int id) const {
    return id == plan_.output_tensor ? schedule_.out_width() : schedule_.width(id);
  }
  // Pixels of a row; of a compact tensor, positions. Columns: where they lie.
  size_t Pixels(int id, int64_t r) const { return Columns(id, r).count; }
  RowPositions Columns(int id, int64_t r) const {
    return PositionsOfRow(tensor(id).compact ? plan_.wanted : kAllPositions, r, width(id));
  }

  // Row r of a tensor at the positions of `output`, where one of them is full and one compact.
  struct Positions {
    const uint8_t* data;
    size_t stride;  // elements
    size_t bytes;
    const uint8_t* Pixel(size_t x) const { return data + x * bytes; }
  };
  Positions At(int id, int output, int64_t r) const;

  // Floats of one pixel, or of up to PixelsAtOnce that follow each other without gaps, and back.
  void Load(int id, const uint8_t* from, size_t pixels, float* to) const;
  void Store(int id, const float* from, size_t pixels, uint8_t* to) const;
  // Whether pixels of the tensor that are `bytes` apart follow each other.
  bool IsGapless(int id, size_t bytes) const {
    return bytes == tensor(id).channels * kernels::BytesOf(tensor(id).element);
  }
  // A whole row of floats to the tensor.
  void StoreRow(int id, const float* values, size_t pixels, int64_t r) const;
  // Where the caller writes row r of an input: the row itself where it is kept in float, else a row
  // from which StoreInput takes it.
  float* InputRow(int id, int64_t r);
  void StoreInput(int id, int64_t r) const;

  // What a tensor's integers are multiplied by: scales() for each channel, with its factor; scale()
  // without factors. Not for tensors that are kept in float.
  const ChannelScales& scales(int id) const { return scales_[Index(id)]; }
  double scale(int id) const { return scale_[Index(id)]; }
  // Sets the scales of a dynamic tensor whose channels reach the magnitudes `most`.
  void SetDynamicScale(int id, const float* most);

  float* scratch(size_t worker) { return scratch_.get() + worker * scratch_floats_; }
  // Floats of scratch() that a row step takes for one tensor.
  size_t pixel_floats() const { return pixel_floats_; }
  void* band_memory() { return band_memory_.get(); }

 private:
  struct View {
    RowRing* ring = nullptr;
    size_t offset = 0;  // channels
    RowUser user;
    size_t offset_bytes() const { return offset * kernels::BytesOf(ring->element()); }
  };
  static size_t Index(int id) { return static_cast<size_t>(id); }
  void SetViews(const std::vector<Executor::BoundInput>& inputs, RowRing* output);
  void EvaluateAll();

  const PlanImpl& plan_;
  const Schedule& schedule_;
  ExecutorOptions options_;
  std::vector<RowRing> rings_;               // by tensor; empty where it lives elsewhere
  std::vector<View> views_;                  // by tensor
  std::vector<ChannelScales> scales_;        // by tensor; empty for float ones
  std::vector<double> scale_;                // by tensor
  std::vector<std::vector<float>> factors_;  // by tensor; empty but for dynamic ones
  AlignedBuffer<float> scratch_;
  AlignedBuffer<float> input_row_;
  AlignedBuffer<uint8_t> band_memory_;
  size_t scratch_floats_ = 0;
  size_t pixel_floats_ = 0;
};

}  // namespace glint

#endif  // GLINT_ENGINE_PICTURE_TENSORS_H_
