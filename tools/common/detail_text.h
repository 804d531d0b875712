// What the programs say about details.
// Used by tools/commands and tools/evaluation.
// Thread rules: pure functions.
#ifndef GLINT_TOOLS_COMMON_DETAIL_TEXT_H_
#define GLINT_TOOLS_COMMON_DETAIL_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "glint/glint.hpp"

namespace glint::tools {

// dB of a mean squared error of colour samples of at most 8 bits; infinity for none.
double PsnrOfError(double mean_squared_error, const PictureInfo& picture);
// PSNR without details. Nothing where the model was not shown the whole picture, so that there is
// no such picture, and where nobody looked.
std::optional<double> BasePsnr(const DetailReport& detail, const PictureInfo& picture);

// What the encoder's details are and did, for -v; empty where nobody looked for them.
std::string DetailText(const DetailReport& detail, const PictureInfo& picture,
                       uint64_t stream_bytes);

// "rows 0 to 2047 and 4096 to 4999": the last of a range is named too, and ranges that touch are
// one.
std::string RowsText(const std::vector<RowRange>& rows);
// "details of rows 0 to 1023 are damaged".
std::string DamageText(const std::vector<RowRange>& rows);

}  // namespace glint::tools

#endif  // GLINT_TOOLS_COMMON_DETAIL_TEXT_H_
