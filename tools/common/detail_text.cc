#include "tools/common/detail_text.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/common/text.h"

namespace glint::tools {

double PsnrOfError(double mean_squared_error, const PictureInfo& picture) {
  if (mean_squared_error <= 0) return std::numeric_limits<double>::infinity();
  const double top = (1 << std::min(picture.bit_depth, 8u)) - 1;
  return 10 * std::log10(top * top / mean_squared_error);
}

std::optional<double> BasePsnr(const DetailReport& detail, const PictureInfo& picture) {
  if (detail.blocks == 0 || detail.plain_blocks > 0) return std::nullopt;
  return PsnrOfError(detail.base_error, picture);
}

std::string DetailText(const DetailReport& detail, const PictureInfo& picture,
                       uint64_t stream_bytes) {
  if (detail.blocks == 0) return "";
  const std::string all = Count(static_cast<size_t>(detail.blocks), "block");
  const uint64_t on = detail.transform_blocks + detail.pixel_blocks;
  if (on == 0) return "details: in none of " + all;
  const double share = static_cast<double>(detail.bytes) / static_cast<double>(stream_bytes);
  std::string text = "details: " + Grouped(detail.bytes) + " bytes, " + Fixed(100 * share, 1) +
                     " % of the stream; of " + all + " " + Grouped(detail.transform_blocks) +
                     " as transforms, " + Grouped(detail.pixel_blocks) + " as pixels; ";
  const double psnr = PsnrOfError(detail.error, picture);
  const std::optional<double> base = BasePsnr(detail, picture);
  if (!base) {
    text += "the model saw nothing of " + Grouped(detail.plain_blocks) + "; ";
    const std::string all_kept =
        picture.bit_depth > 8 ? "of the upper 8 bits nothing is lost" : "nothing is lost";
    return text + (std::isinf(psnr) ? all_kept : "PSNR " + Fixed(psnr, 2) + " dB");
  }
  text += "PSNR " + Fixed(*base, 2) + " dB without them; ";
  return text + (std::isinf(psnr) ? "details repaired all of it"
                                  : "details repaired " + Fixed(psnr - *base, 2) + " dB");
}

std::string RowsText(const std::vector<RowRange>& rows) {
  std::string text = "rows ";
  for (size_t i = 0; i < rows.size();) {
    const size_t first = i;
    while (i + 1 < rows.size() && rows[i + 1].begin == rows[i].end) ++i;
    const bool last = i + 1 == rows.size();
    if (first > 0) text += last ? " and " : ", ";
    text += std::to_string(rows[first].begin) + " to " + std::to_string(rows[i].end - 1);
    ++i;
  }
  return text;
}

std::string DamageText(const std::vector<RowRange>& rows) {
  return "details of " + RowsText(rows) + " are damaged";
}

}  // namespace glint::tools
