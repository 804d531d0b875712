#include "codec/stream/entropy_tables.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace glint {
namespace {

constexpr uint32_t kSlots = uint32_t{1} << EntropyTables::kProbabilityBits;

using Decoding = EntropyTables::Decoding;

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

// How many of the slots begin to begin + size - 1 an entry has.
uint32_t Share(const Decoding& entry, uint32_t begin, uint32_t size) {
  const uint32_t first = std::max<uint32_t>(begin, entry.start);
  const uint32_t end = std::min<uint32_t>(begin + size, uint32_t{entry.last} + 1);
  return end > first ? end - first : 0;
}

}  // namespace

void EntropyTables::Reserve(size_t tables, size_t entries) {
  tables_.reserve(tables);
  encodings_.reserve(entries);
  decodings_.reserve(entries);
  bits_.reserve(entries);
  buckets_.reserve(tables * kMostBuckets);
}

void EntropyTables::Append(const CdfTables& tables) {
  for (size_t t = 0; t < tables.count(); ++t) {
    const uint32_t* cdf = tables.cdf.data() + tables.start[t];
    const uint32_t entries = tables.start[t + 1] - tables.start[t] - 1;
    Table table;
    table.first = static_cast<uint32_t>(encodings_.size());
    table.escape = entries - 1;
    table.min = tables.min[t];
    table.max = table.min + static_cast<int32_t>(entries) - 2;
    for (uint32_t i = 0; i < entries; ++i) {
      const uint32_t frequency = cdf[i + 1] - cdf[i];
      encodings_.push_back(MakeEncoding(cdf[i], frequency));
      decodings_.push_back({static_cast<uint16_t>(cdf[i]), static_cast<uint16_t>(cdf[i + 1] - 1)});
      bits_.push_back(kProbabilityBits - std::log2(static_cast<double>(frequency)));
    }
    AppendBuckets(&table);
    tables_.push_back(table);
  }
  for (Table& table : tables_) table.buckets = buckets_.data() + table.first_bucket;
}

// So few that hardly any slot has to be looked for: each bucket is needed as often as any other,
// and all of those in use should stay in the nearest cache.
void EntropyTables::AppendBuckets(Table* table) {
  constexpr uint32_t kLeast = 16, kMostLookedFor = kSlots / 64;
  table->first_bucket = static_cast<uint32_t>(buckets_.size());
  for (uint32_t count = kLeast;; count *= 2) {
    buckets_.resize(table->first_bucket);
    const uint32_t size = kSlots / count;
    if (AppendBuckets(*table, size) > kMostLookedFor && count < kMostBuckets) continue;
    table->bucket_shift = static_cast<uint32_t>(std::countr_zero(size));
    return;
  }
}

// Buckets of `size` slots. Returns how many slots have to be looked for besides those of the
// escape.
uint32_t EntropyTables::AppendBuckets(const Table& table, uint32_t size) {
  const Decoding* entries = decodings_.data() + table.first;
  uint32_t looked_for = 0, first = 0;
  for (uint32_t begin = 0; begin < kSlots; begin += size) {
    while (entries[first].last < begin) ++first;
    Bucket bucket;
    bucket.entry = static_cast<uint16_t>(first);
    uint32_t most = 0;
    for (uint32_t e = first; e < table.escape && entries[e].start < begin + size; ++e) {
      const uint32_t share = Share(entries[e], begin, size);
      if (share <= most) continue;
      most = share;
      bucket.start = entries[e].start;
      bucket.frequency = static_cast<uint16_t>(entries[e].last - entries[e].start + 1);
      bucket.entry = static_cast<uint16_t>(e);
      bucket.value = static_cast<int16_t>(table.min + static_cast<int32_t>(e));
    }
    looked_for += size - most - Share(entries[table.escape], begin, size);
    buckets_.push_back(bucket);
  }
  return looked_for;
}

}  // namespace glint
