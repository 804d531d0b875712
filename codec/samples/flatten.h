// Takes the alpha out of pictures: it is left out, or the picture is blended over a background, in
// sample space as browsers do. Called by codec/api/decoder and codec/picture_files/image_io.
// Thread rules: one caller.
#ifndef GLINT_CODEC_SAMPLES_FLATTEN_H_
#define GLINT_CODEC_SAMPLES_FLATTEN_H_

#include <cstdint>
#include <vector>

#include "glint/glint.hpp"

namespace glint {

// `info` without alpha, of 8 bits at most; in colour where a background of colour shows.
PictureInfo FlatInfo(const PictureInfo& info, AlphaOutput alpha, const Rgb8& background);

class Flattener {
 public:
  // `info` has an alpha channel; `alpha` is kDrop or kBlend.
  Flattener(const PictureInfo& info, AlphaOutput alpha, const Rgb8& background);
  const PictureInfo& info() const { return flat_; }
  // The row, in the form of info(); it lives until the next call.
  const uint8_t* Row(const void* samples);

 private:
  template <typename Sample>
  void Fill(const Sample* in);

  const PictureInfo source_;
  const PictureInfo flat_;
  const bool blend_;
  const Rgb8 background_;
  std::vector<uint8_t> row_;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_FLATTEN_H_
