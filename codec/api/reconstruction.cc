#include "codec/api/reconstruction.h"

#include <cstring>

namespace glint {

Status SourceWindow::Allocate() {
  if (rows_.Allocate()) return Status::Ok();
  return Status::Error(StatusCode::kLimit, "out of memory for the source");
}

void SourceWindow::Add(const uint8_t* colour) {
  uint8_t* levels = rows_.WriteRow(end_++);
  const size_t count = rows_.row_values();
  if (info_.SampleBytes() == 1) {
    std::memcpy(levels, colour, count);
    return;
  }
  const uint16_t* samples = reinterpret_cast<const uint16_t*>(colour);
  // 257 is the step between levels: (v + 128) / 257 is the nearest.
  for (size_t i = 0; i < count; ++i) {
    levels[i] = static_cast<uint8_t>((static_cast<uint32_t>(samples[i]) + 128) / 257);
  }
}

}  // namespace glint
