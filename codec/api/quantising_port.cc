#include "codec/api/quantising_port.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/pointwise.h"

namespace glint {

Status QuantisingPort::CodeLine(Coded coded, const SymbolLine& line, const int16_t* mean,
                                const LineTables& tables, int16_t* decoded) {
  const size_t channels = ChannelsOf(coded);
  values_.resize(std::max(values_.size(), line.symbols));
  symbols_.resize(values_.size());
  int16_t* value = values_.data();
  const int16_t* latents = nullptr;
  int64_t row = -1;  // that `latents` is
  line.ForEachRun([&](size_t position, const ChannelRun& run) {
    if (line.RowOf(position) != row) {
      row = line.RowOf(position);
      latents = coded == Coded::kHyper ? analysis_.z_row(row) : analysis_.y_row(row);
    }
    std::memcpy(value, latents + line.ColumnOf(position) * channels + run.channel,
                run.count * sizeof(int16_t));
    value += run.count;
  });
  kernels::Quantise(values_.data(), mean, symbols_.data(), decoded, line.symbols,
                    FractionBits(coded));
  Take(coded, line, {symbols_.data(), mean, decoded, tables});
  return Status::Ok();
}

}  // namespace glint
