#include "codec/stream/entropy_tables.h"

#include <bit>
#include <cmath>

namespace glint {
namespace {

// With s = ceil(log2 f) and m = ceil(2^(63+s) / f) the error e = m f - 2^(63+s) is below f <= 2^s,
// so x m / 2^(63+s) exceeds x / f by x e / (f 2^(63+s)) < 1 / f for x < 2^63: the floor is exact.
EntropyTables::Encoding MakeEncoding(uint32_t start, uint32_t frequency) {
  EntropyTables::Encoding encoding;
  encoding.frequency = frequency;
  encoding.start = static_cast<uint16_t>(start);
  const int shift = static_cast<int>(std::bit_width(frequency - 1));
  encoding.shift = static_cast<uint8_t>(shift);
  // 2^(63+s) / f by long division in two halves: 2^(63+s) = 2^31 * 2^(32+s).
  const uint64_t high = uint64_t{1} << (32 + shift);
  const uint64_t quotient = high / frequency;
  const uint64_t rest = (high % frequency) << 31;
  encoding.reciprocal = (quotient << 31) + (rest + frequency - 1) / frequency;
  return encoding;
}

}  // namespace

void EntropyTables::Append(const CdfTables& tables) {
  for (size_t t = 0; t < tables.count(); ++t) {
    const uint32_t* cdf = tables.cdf.data() + tables.start[t];
    const uint32_t entries = tables.start[t + 1] - tables.start[t] - 1;
    Table table;
    table.first = static_cast<uint32_t>(encodings_.size());
    table.escape = entries - 1;
    table.min = tables.min[t];
    table.max = table.min + static_cast<int32_t>(entries) - 2;
    tables_.push_back(table);
    for (uint32_t i = 0; i < entries; ++i) {
      const uint32_t frequency = cdf[i + 1] - cdf[i];
      encodings_.push_back(MakeEncoding(cdf[i], frequency));
      decodings_.push_back({static_cast<uint16_t>(cdf[i]), static_cast<uint16_t>(frequency - 1)});
      bits_.push_back(kProbabilityBits - std::log2(static_cast<double>(frequency)));
    }
    AppendLookup(cdf);
  }
}

void EntropyTables::AppendLookup(const uint32_t* cdf) {
  uint32_t entry = 0;
  for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    while (cdf[entry + 1] <= bucket << 8) ++entry;
    lookup_.push_back(static_cast<uint16_t>(entry));
  }
}

}  // namespace glint
