// Sizes of latents, which rows and how many symbols each segment holds: the numbers of
// docs/BITSTREAM.md. Called by codec/latents, encoder and decoder.
// Thread rules: values.
#ifndef GLINT_CODEC_LATENTS_LATENT_GEOMETRY_H_
#define GLINT_CODEC_LATENTS_LATENT_GEOMETRY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "codec/model/model_document.h"
#include "engine/executor.h"

namespace glint {

// Segments after which `period` rows have been passed a whole number of times.
inline int64_t SegmentsOf(int64_t rows_of_segment, int64_t period) {
  return period / std::gcd(rows_of_segment, period);
}

class LatentGeometry {
 public:
  // Of a picture of width x height pixels, both at most 2^31. The model's document and graphs must
  // outlive this.
  LatentGeometry(const ModelDocument& document, const Graphs& graphs, uint32_t width,
                 uint32_t height);

  size_t padded_width() const { return padded_width_; }  // of the picture
  int64_t padded_height() const { return padded_height_; }
  // Where the picture's upper left pixel is in the padded one.
  size_t left() const { return left_; }
  int64_t top() const { return top_; }
  // How many of the first `padded_rows` rows of the padded picture are rows of the picture.
  int64_t PictureRows(int64_t padded_rows) const {
    return std::clamp<int64_t>(padded_rows - top_, 0, picture_height_);
  }
  size_t width() const { return width_; }  // of y
  int64_t height() const { return height_; }
  size_t hyper_width() const { return hyper_width_; }  // of z; 0 without
  int64_t hyper_height() const { return hyper_height_; }
  size_t WidthOf(Coded coded) const { return coded == Coded::kHyper ? hyper_width_ : width_; }

  int64_t segments() const { return segments_; }
  // Segment s holds the rows from the end of segment s - 1 (0 for the first) to its own.
  int64_t LatentEnd(int64_t segment) const;
  // The segment whose latents lie where this row of the picture does.
  int64_t SegmentOf(int64_t picture_row) const;
  int64_t StepEnd(const CodingStep& step, int64_t segment) const;  // of what the step codes
  int64_t PsiEnd(int64_t segment) const;  // what the segment's steps read of psi
  // Bands of the executors that compute them: `rows` at a time, stopping where segments end.
  Bands StepBands(const CodingStep& step, int64_t rows) const;
  Bands PsiBands(int64_t rows) const;
  // Symbols of the segment: those of all steps, or of the first ones.
  uint64_t Symbols(int64_t segment, size_t steps = SIZE_MAX) const;
  uint64_t MostSymbols() const;  // of any segment
  uint64_t AllSymbols() const;

 private:
  uint64_t SymbolsOfRows(const CodingStep& step, int64_t begin, int64_t end) const;

  const ModelDocument* document_;
  int64_t picture_height_;
  size_t padded_width_;
  int64_t padded_height_;
  size_t left_ = 0;
  int64_t top_ = 0;
  size_t width_;
  int64_t height_;
  size_t hyper_width_ = 0;
  int64_t hyper_height_ = 0;
  int64_t segments_;
  int64_t psi_ahead_ = 0;  // rows of psi that steps read beyond the segment
};

}  // namespace glint

#endif  // GLINT_CODEC_LATENTS_LATENT_GEOMETRY_H_
