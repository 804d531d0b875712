// PSNR of a picture and what became of it, row by row, as they are seen.
// Called by PsnrAsSeen of glint/pictures.hpp and by codec/rate/target_encoder.
// Thread rules: one caller.
#ifndef GLINT_CODEC_SAMPLES_PSNR_METER_H_
#define GLINT_CODEC_SAMPLES_PSNR_METER_H_

#include <cstdint>

#include "glint/glint.hpp"

namespace glint {

// Over 8-bit RGB. Where the original has alpha, both are blended over middle gray, which drops out
// of the difference, and pixels that are not seen at all do not count.
class PsnrMeter {
 public:
  PsnrMeter(const PictureInfo& original, const PictureInfo& decoded);
  // Rows of those forms.
  void AddRow(const void* original, const void* decoded);
  // Infinity without any difference, no number when memory ran out.
  double Psnr() const;

 private:
  Picture original_, decoded_;  // of one row
  uint64_t squares_ = 0;
  uint64_t seen_ = 0;  // pixels
  bool failed_ = false;
};

}  // namespace glint

#endif  // GLINT_CODEC_SAMPLES_PSNR_METER_H_
