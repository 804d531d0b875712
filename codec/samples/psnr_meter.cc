#include "codec/samples/psnr_meter.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "codec/public_error.h"
#include "codec/samples/metrics.h"
#include "codec/samples/whole_picture.h"
#include "glint/pictures.hpp"
#include "kernels/detail.h"

namespace glint {
namespace {

constexpr Rgb8 kMiddleGray{128, 128, 128};

void BecomeRow(const PictureInfo& info, Picture* row) {
  row->info = info;
  row->info.height = 1;
  row->samples.resize(row->info.RowBytes());
}

Picture SeenRow(const Picture& row) {
  return row.info.has_alpha ? ToRgb8(Flatten(row, kMiddleGray)) : ToRgb8(row);
}

uint64_t SeenPixels(const Picture& row) {
  if (!row.info.has_alpha) return row.info.width;
  const size_t sample = row.info.SampleBytes(), pixel = row.info.SamplesPerPixel() * sample;
  uint64_t seen = 0;
  for (size_t end = pixel; end <= row.samples.size(); end += pixel) {
    const uint8_t* const alpha = row.samples.data() + end - sample;
    seen += std::any_of(alpha, alpha + sample, [](uint8_t byte) { return byte != 0; }) ? 1 : 0;
  }
  return seen;
}

}  // namespace

PsnrMeter::PsnrMeter(const PictureInfo& original, const PictureInfo& decoded) {
  BecomeRow(original, &original_);
  BecomeRow(decoded, &decoded_);
}

void PsnrMeter::AddRow(const void* original, const void* decoded) {
  std::memcpy(original_.samples.data(), original, original_.samples.size());
  std::memcpy(decoded_.samples.data(), decoded, decoded_.samples.size());
  const Picture a = SeenRow(original_);
  const Picture b = SeenRow(decoded_);
  failed_ = failed_ || a.samples.empty() || a.samples.size() != b.samples.size();
  if (failed_) return;
  squares_ += kernels::SquaredError(a.samples.data(), b.samples.data(), a.samples.size());
  seen_ += SeenPixels(original_);
}

double PsnrMeter::Psnr() const {
  if (failed_) return std::numeric_limits<double>::quiet_NaN();
  return PsnrOf(squares_, 3 * seen_);
}

double PsnrAsSeen(const Picture& original, const Picture& decoded) {
  const auto status = WithoutBadAlloc([&]() -> Result<double> {
    constexpr Limits kNone = {UINT64_MAX, UINT64_MAX};
    GLINT_TRY(CheckPicture(original, kNone));
    GLINT_TRY(CheckPicture(decoded, kNone));
    if (original.info.width != decoded.info.width || original.info.height != decoded.info.height) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    PsnrMeter meter(original.info, decoded.info);
    for (size_t y = 0; y < original.info.height; ++y) {
      meter.AddRow(original.samples.data() + y * original.info.RowBytes(),
                   decoded.samples.data() + y * decoded.info.RowBytes());
    }
    return meter.Psnr();
  });
  return status.ok() ? *status : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace glint
