// How a step of convolutions runs: rows of a band by blocks of output channels. Called by conv2d,
// conv_transpose2d and depthwise_conv2d in engine/ops/.
// Thread rules: as engine/step.h.
#ifndef GLINT_ENGINE_OPS_CONV_RUN_H_
#define GLINT_ENGINE_OPS_CONV_RUN_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "engine/picture_tensors.h"
#include "engine/product_step.h"
#include "kernels/conv.h"

namespace glint::ops {

// S is a ProductStep. Its conv() is a kernels::Conv or what runs like one; transposed() says
// whether rows have phases.
template <class S>
class ConvRun final : public StepRun {
 public:
  ConvRun(const S& step, PictureTensors* tensors)
      : step_(step),
        t_(*tensors),
        constants_(step, *tensors),
        rows_(static_cast<kernels::ConvRow*>(tensors->band_memory())) {
    static_assert(std::is_aggregate_v<kernels::ConvRow>);  // lives where there is memory for it
  }

  // Enough items for every worker: by rows where a cache keeps all weights, else by blocks, whose
  // weights a worker keeps in its cache over all rows.
  size_t Begin(int64_t begin, int64_t end) override {
    constants_.Renew();
    const int64_t group = step_.window.rows.group();
    count_ = static_cast<size_t>((end - begin) / group);
    for (size_t i = 0; i < count_; ++i) {
      Fill(begin + static_cast<int64_t>(i) * group, rows_ + i);
    }
    const size_t workers = t_.runner().workers, blocks = step_.conv().blocks();
    row_parts_ = block_parts_ = 1;
    if (workers > 1) {
      const size_t parts = 2 * workers;
      const auto rest = [parts](size_t of_others) { return (parts + of_others - 1) / of_others; };
      if (step_.conv().BlocksTogether() == blocks) {
        row_parts_ = std::min(count_, parts);
        block_parts_ = std::min(blocks, rest(row_parts_));
      } else {
        block_parts_ = std::min(blocks, parts);
        row_parts_ = std::min(count_, rest(block_parts_));
      }
    }
    return row_parts_ * block_parts_;
  }

  void RunItem(size_t item, size_t worker) override {
    const size_t row_part = item % row_parts_, block_part = item / row_parts_;
    const size_t first = PartBegin(count_, row_parts_, row_part);
    const size_t last = PartBegin(count_, row_parts_, row_part + 1);
    const size_t blocks = step_.conv().blocks();
    step_.conv().Run(rows_ + first, last - first, constants_.epilogue(),
                     PartBegin(blocks, block_parts_, block_part),
                     PartBegin(blocks, block_parts_, block_part + 1), t_.scratch(worker));
  }

 private:
  // Greater parts come first, so that workers end at the same time: six blocks in four parts are 2,
  // 2, 1, 1.
  static size_t PartBegin(size_t count, size_t parts, size_t part) {
    return count / parts * part + std::min(part, count % parts);
  }

  void Fill(int64_t oy, kernels::ConvRow* row) const {
    int64_t iy[2 * kernels::kMaxKernel];
    const size_t taps = step_.conv().TapRows(oy, iy);
    for (size_t source = 0; source < step_.inputs.size(); ++source) {
      const int input = step_.inputs[source];
      for (size_t i = 0; i < taps; ++i) {
        row->in[source * kernels::kMaxKernel + i] = t_.RowOrZero(input, iy[i]);
      }
      row->in_pixel_stride[source] = t_.stride(input);
      row->in_compact[source] = t_.tensor(input).compact;
    }
    // Before the output's row, which may take the place of the residual's.
    row->residual = nullptr;
    if (step_.residual >= 0) {
      const PictureTensors::Positions residual = t_.At(step_.residual, step_.output, oy);
      row->residual = residual.data;
      row->residual_pixel_stride = residual.stride;
    }
    const bool paired = step_.window.rows.group() > 1;
    row->out = t_.WriteRow(step_.output, oy);
    row->out_second = paired ? t_.WriteRow(step_.output, oy + 1) : nullptr;
    row->out_pixel_stride = t_.stride(step_.output);
    row->phase = step_.transposed() && !paired ? static_cast<size_t>(oy & 1) : 0;
    const RowPositions columns = t_.Columns(step_.output, oy);
    row->x_first = columns.first;
    row->x_stride = columns.stride;
    row->pixels = columns.count;
  }

  const S& step_;
  PictureTensors& t_;
  ProductConstants constants_;
  kernels::ConvRow* rows_;
  size_t count_ = 0;
  size_t row_parts_ = 1, block_parts_ = 1;
};

}  // namespace glint::ops

#endif  // GLINT_ENGINE_OPS_CONV_RUN_H_
