// rANS: round trips of random symbols under random tables, escapes, sizes against the estimate,
// damage.
#include "codec/stream/rans.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "codec/stream/entropy_tables.h"
#include "tests/seed.h"

namespace glint {
namespace {

using Random = std::mt19937;

uint32_t Below(Random& random, uint32_t n) { return static_cast<uint32_t>(random() % n); }

// `count` tables: narrow, wide, with certain symbols, at the ends of the range of values.
CdfTables RandomTables(Random& random, size_t count) {
  CdfTables tables;
  tables.start.push_back(0);
  for (size_t t = 0; t < count; ++t) {
    const uint32_t entries = t == 0 ? 2 : t == 1 ? 3000 : 2 + Below(random, 60);
    std::vector<uint32_t> cuts = {0, 65536};
    if (t % 3 == 0) {
      // One entry has nearly all.
      const uint32_t heavy = Below(random, entries);
      for (uint32_t i = 1; i < entries; ++i) cuts.push_back(i <= heavy ? i : 65536 - entries + i);
    } else {
      while (cuts.size() < entries + 1) {
        const uint32_t cut = 1 + Below(random, 65535);
        if (std::find(cuts.begin(), cuts.end(), cut) == cuts.end()) cuts.push_back(cut);
      }
    }
    std::sort(cuts.begin(), cuts.end());
    tables.cdf.insert(tables.cdf.end(), cuts.begin(), cuts.end());
    tables.start.push_back(static_cast<uint32_t>(tables.cdf.size()));
    const int32_t values = static_cast<int32_t>(entries) - 1;
    const int32_t min = t == 2 ? INT16_MIN : t == 3 ? INT16_MAX - values + 1 : -values / 2;
    tables.min.push_back(min);
  }
  return tables;
}

struct Symbols {
  std::vector<uint8_t> table;
  std::vector<int16_t> value;
};

// Values as their tables have them, and `escapes` of 1000 anywhere in 16 bits.
Symbols RandomSymbols(Random& random, const CdfTables& tables, size_t count, uint32_t escapes) {
  Symbols symbols;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t t = Below(random, static_cast<uint32_t>(tables.count()));
    const auto begin = tables.cdf.begin() + tables.start[t];
    const auto end = tables.cdf.begin() + tables.start[t + 1];
    const uint32_t slot = Below(random, 65536);
    const auto entry = std::upper_bound(begin, end, slot) - begin - 1;
    int32_t value = tables.min[t] + static_cast<int32_t>(entry);
    const bool is_escape = entry == end - begin - 2;
    if (is_escape || Below(random, 1000) < escapes) {
      const uint32_t kind = Below(random, 4);
      value = kind == 0   ? INT16_MIN
              : kind == 1 ? INT16_MAX
              : kind == 2 ? std::min(value + 1, int32_t{INT16_MAX})
                          : static_cast<int32_t>(Below(random, 65536)) + INT16_MIN;
    }
    symbols.table.push_back(static_cast<uint8_t>(t));
    symbols.value.push_back(static_cast<int16_t>(value));
  }
  return symbols;
}

std::vector<uint8_t> EncodeSymbols(const EntropyTables& tables, const Symbols& symbols,
                                   double* bits = nullptr) {
  RansEncoder encoder(&tables);
  encoder.Put(symbols.table.data(), symbols.value.data(), symbols.value.size());
  if (bits != nullptr) *bits = encoder.bits();
  CHECK(encoder.symbols() == symbols.value.size());
  std::vector<uint8_t> bytes;
  encoder.Finish(&bytes);
  return bytes;
}

// In pieces of `piece` symbols. False when the decoder finds fault.
bool DecodeSymbols(const EntropyTables& tables, const std::vector<uint8_t>& bytes,
                   const Symbols& symbols, size_t piece, std::vector<int16_t>* values) {
  const size_t count = symbols.table.size();
  values->assign(count, 0);
  RansDecoder decoder(&tables);
  if (!decoder.Begin(bytes.data(), bytes.size(), RansStates(count))) return false;
  for (size_t i = 0; i < count; i += piece) {
    const size_t n = std::min(piece, count - i);
    if (!decoder.Get(symbols.table.data() + i, n, values->data() + i)) return false;
  }
  return decoder.Finish();
}

TEST_CASE("entropy tables: reciprocals divide exactly") {
  Random random(TestSeed() + 700);
  CdfTables tables;
  tables.cdf = {0};
  tables.start = {0};
  // Every frequency once would need 2^31 counts: a table each for some, with the rest in the
  // escape.
  for (const uint32_t f : {1U, 2U, 3U, 5U, 7U, 11U, 255U, 256U, 257U, 4097U, 21845U, 32767U, 32768U,
                           32769U, 65533U, 65534U, 65535U}) {
    if (tables.start.size() > 1) tables.cdf.push_back(0);
    tables.cdf.insert(tables.cdf.end(), {f, 65536});
    tables.start.push_back(static_cast<uint32_t>(tables.cdf.size()));
    tables.min.push_back(0);
  }
  EntropyTables entropy;
  entropy.Append(tables);
  for (size_t t = 0; t < entropy.count(); ++t) {
    for (size_t e = 0; e < 2; ++e) {
      const EntropyTables::Encoding& encoding = entropy.encoding(entropy.table(t).first + e);
      for (int i = 0; i < 2000; ++i) {
        const uint64_t x = ((uint64_t{random()} << 32) | random()) >> (1 + random() % 40);
        const uint64_t near = x - x % encoding.frequency;
        for (const uint64_t y : {x, near, near == 0 ? 0 : near - 1, (uint64_t{1} << 63) - 1}) {
          __extension__ using Wide = unsigned __int128;
          const uint64_t high = static_cast<uint64_t>((Wide{y << 1} * encoding.reciprocal) >> 64);
          const uint64_t quotient = high >> encoding.shift;
          REQUIRE(quotient == y / encoding.frequency);
        }
      }
    }
  }
}

TEST_CASE("entropy tables: what a bucket has is right, and few slots are looked for") {
  Random random(TestSeed() + 707);
  const CdfTables tables = RandomTables(random, 40);
  EntropyTables entropy;
  entropy.Reserve(2 * tables.count(), 2 * tables.entries());
  const auto* const place = entropy.tables();
  for (int i = 0; i < 2; ++i) entropy.Append(tables);
  CHECK(entropy.tables() == place);
  for (size_t t = 0; t < entropy.count(); ++t) {
    const EntropyTables::Table& table = entropy.table(t);
    const uint32_t* cdf = tables.cdf.data() + tables.start[t % tables.count()];
    uint32_t entry = 0;
    size_t looked_for = 0, wrong = 0;
    for (uint32_t slot = 0; slot < 65536; ++slot) {
      while (cdf[entry + 1] <= slot) ++entry;
      const EntropyTables::Bucket& bucket = table.buckets[slot >> table.bucket_shift];
      if (slot - bucket.start >= bucket.frequency) {
        ++looked_for;
        continue;
      }
      const bool right = entry != table.escape && bucket.entry == entry &&
                         bucket.value == table.min + static_cast<int32_t>(entry) &&
                         bucket.start == cdf[entry] &&
                         bucket.frequency == cdf[entry + 1] - cdf[entry];
      if (!right) ++wrong;
    }
    CHECK(wrong == 0);
    const uint32_t escapes = 65536 - cdf[table.escape];
    if (table.escape < 60) CHECK(looked_for <= escapes + 65536 / 8);
  }
}

TEST_CASE("rans: round trips with every number of states") {
  Random random(TestSeed() + 701);
  const CdfTables tables = RandomTables(random, 40);
  EntropyTables entropy;
  entropy.Append(tables);
  const size_t counts[] = {
      0, 1, 2, 7, 1000, (1 << 15) - 1, 1 << 15, (1 << 15) + 1, (1 << 19) + 3, (1 << 21) + 5};
  for (const size_t count : counts) {
    for (const uint32_t escapes : {0U, 30U}) {
      const Symbols symbols = RandomSymbols(random, tables, count, escapes);
      double bits = 0;
      const std::vector<uint8_t> bytes = EncodeSymbols(entropy, symbols, &bits);
      CHECK(static_cast<double>(bytes.size()) <=
            bits / 8 * 1.0005 + 8.0 * static_cast<double>(RansStates(count)));
      CHECK(static_cast<double>(bytes.size()) >= bits / 8 * 0.9995);
      std::vector<int16_t> values;
      const size_t piece = count < 2 ? 1 : 1 + Below(random, static_cast<uint32_t>(count));
      REQUIRE(DecodeSymbols(entropy, bytes, symbols, piece, &values));
      CHECK(values == symbols.value);
    }
  }
}

TEST_CASE("rans: all values of 16 bits under all tables") {
  Random random(TestSeed() + 702);
  const CdfTables tables = RandomTables(random, 5);
  EntropyTables entropy;
  entropy.Append(tables);
  for (uint8_t t = 0; t < 5; ++t) {
    Symbols symbols;
    for (int value = INT16_MIN; value <= INT16_MAX; ++value) {
      symbols.table.push_back(t);
      symbols.value.push_back(static_cast<int16_t>(value));
    }
    std::vector<int16_t> values;
    REQUIRE(DecodeSymbols(entropy, EncodeSymbols(entropy, symbols), symbols, 1000, &values));
    CHECK(values == symbols.value);
  }
}

TEST_CASE("rans: tables with 16-bit indices, and mixed calls") {
  Random random(TestSeed() + 703);
  CdfTables tables = RandomTables(random, 40);
  EntropyTables entropy;
  for (int i = 0; i < 20; ++i) entropy.Append(tables);
  RansEncoder encoder(&entropy);
  const Symbols symbols = RandomSymbols(random, tables, 3000, 10);
  std::vector<uint16_t> wide;
  for (const uint8_t t : symbols.table)
    wide.push_back(static_cast<uint16_t>(t + 40 * Below(random, 20)));
  encoder.Put(symbols.table.data(), symbols.value.data(), 1000);
  encoder.Put(wide.data() + 1000, symbols.value.data() + 1000, 2000);
  std::vector<uint8_t> bytes;
  encoder.Finish(&bytes);
  CHECK(encoder.symbols() == 0);
  RansDecoder decoder(&entropy);
  REQUIRE(decoder.Begin(bytes.data(), bytes.size(), RansStates(3000)));
  std::vector<int16_t> values(3000);
  REQUIRE(decoder.Get(symbols.table.data(), 1000, values.data()));
  REQUIRE(decoder.Get(wide.data() + 1000, 2000, values.data() + 1000));
  CHECK(decoder.Finish());
  CHECK(values == symbols.value);
}

TEST_CASE("rans: every truncation is found, nothing is read past the end") {
  Random random(TestSeed() + 704);
  const CdfTables tables = RandomTables(random, 40);
  EntropyTables entropy;
  entropy.Append(tables);
  for (const size_t count : {size_t{300}, size_t{1} << 15}) {
    const Symbols symbols = RandomSymbols(random, tables, count, 5);
    const std::vector<uint8_t> bytes = EncodeSymbols(entropy, symbols);
    std::vector<int16_t> values;
    const size_t step = count < 1000 ? 1 : 97;
    for (size_t length = 0; length < bytes.size(); length += step) {
      // A vector of its own, so that the sanitizer sees a read past it.
      const std::vector<uint8_t> part(bytes.begin(), bytes.begin() + static_cast<int64_t>(length));
      CHECK_FALSE(DecodeSymbols(entropy, part, symbols, 64, &values));
    }
    std::vector<uint8_t> longer = bytes;
    longer.insert(longer.end(), 4, 0);
    CHECK_FALSE(DecodeSymbols(entropy, longer, symbols, 64, &values));
  }
}

TEST_CASE("rans: every flipped bit gives a fault or other symbols, never the same") {
  Random random(TestSeed() + 705);
  const CdfTables tables = RandomTables(random, 40);
  EntropyTables entropy;
  entropy.Append(tables);
  const Symbols symbols = RandomSymbols(random, tables, 400, 10);
  const std::vector<uint8_t> bytes = EncodeSymbols(entropy, symbols);
  std::vector<int16_t> values;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<uint8_t> damaged = bytes;
    damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ (1 << bit % 8));
    const bool sound = DecodeSymbols(entropy, damaged, symbols, 64, &values);
    CHECK_FALSE((sound && values == symbols.value));
  }
}

TEST_CASE("rans: random bytes never decode beyond their words") {
  Random random(TestSeed() + 706);
  const CdfTables tables = RandomTables(random, 40);
  EntropyTables entropy;
  entropy.Append(tables);
  const Symbols symbols = RandomSymbols(random, tables, 5000, 0);
  std::vector<int16_t> values;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<uint8_t> bytes(8 + 4 * Below(random, 50));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    bytes[7] &= 0x7F;
    CHECK_FALSE(DecodeSymbols(entropy, bytes, symbols, 100, &values));
  }
}

}  // namespace
}  // namespace glint
