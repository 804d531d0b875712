// Fills hidden pixels, those whose alpha is 0, with the colours that continue most smoothly what is
// visible around them. So they cost next to nothing and do not leak into what is seen. Works on
// strips of rows, and looks a fixed number of rows ahead. Internal to codec/samples/source_rows.
// Thread rules: one caller.
#ifndef GLINT_CODEC_SAMPLES_HIDDEN_FILL_H_
#define GLINT_CODEC_SAMPLES_HIDDEN_FILL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "glint/glint.hpp"

namespace glint {

// The fill is a membrane: each hidden pixel is the mean of its four neighbours, which is the
// smoothest surface through the visible ones. It is solved on a window of rows, from coarse to
// fine: each level halves both sides, visible pixels keep their colours, hidden ones start from the
// level above and are smoothed by a few sweeps.
class HiddenFill {
 public:
  // Rows that are filled together, and rows below them that are looked at.
  static constexpr size_t kStripRows = 32;
  static constexpr size_t kAheadRows = 16;

  // `info` has an alpha channel.
  explicit HiddenFill(const PictureInfo& info);
  uint64_t MemoryNeeded() const;
  void Allocate();

  // `rows` of samples without gaps: the next strip and what follows it, `strip` and `ahead` of
  // them. Changes colours under alpha 0 in the strip and nothing else.
  void FillStrip(uint8_t* rows, size_t strip, size_t ahead);

 private:
  // From the first pixel of a row that is not known to behind the last; empty when all are.
  struct Span {
    size_t begin = 0, end = 0;
  };
  // A window at one of the scales: a plane of colour for each channel, and of what is not known.
  struct Level {
    size_t width = 0, rows = 0;
    std::vector<float> unknown;  // 1: not known; 0: known
    std::vector<float> colour[3];
    std::vector<Span> spans;  // of each row
  };

  template <typename Sample>
  void Fill(Sample* rows, size_t strip, size_t ahead);
  template <typename Sample>
  void LoadRow(const Sample* samples, bool all_known, size_t row);
  template <typename Sample>
  void StoreRow(size_t row, Sample* samples) const;
  void SetRows(size_t rows);
  void Solve();
  static void FindSpans(Level* level);
  void Coarsen(const Level& fine, Level* coarse) const;
  void Bridge(Level* level) const;
  void Refine(const Level& coarse, Level* fine) const;
  void Sweep(Level* level);

  const PictureInfo info_;
  const size_t channels_;
  const size_t window_rows_;   // at most
  std::vector<Level> levels_;  // from fine to coarse, the last with one row
  size_t levels_used_ = 0;
  std::vector<float> row_;      // one row, with a pixel more at each end
  std::vector<uint8_t> above_;  // the last row of the strip before
  bool has_above_ = false;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_HIDDEN_FILL_H_
