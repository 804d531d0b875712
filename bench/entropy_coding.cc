#include "bench/entropy_coding.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "codec/stream/entropy_tables.h"
#include "codec/stream/rans.h"

namespace glint::bench {
namespace {

constexpr size_t kTables = 64;
constexpr size_t kLine = 48 * 64;  // symbols that are coded at once
constexpr double kTotal = 65536;

// Normal distributions, whose scales go up in equal ratios from 0.11 to 64 as those of `light`.
CdfTables MakeTables() {
  CdfTables tables;
  tables.start.push_back(0);
  for (size_t t = 0; t < kTables; ++t) {
    const double scale = 0.11 * std::pow(64 / 0.11, static_cast<double>(t) / (kTables - 1));
    const int32_t most = std::max(1, static_cast<int32_t>(std::ceil(3 * scale)));
    const int32_t entries = 2 * most + 2;
    for (int32_t i = 0; i < entries; ++i) {
      const double below = std::erfc((most - i + 0.5) / (scale * std::sqrt(2.0))) / 2;
      tables.cdf.push_back(static_cast<uint32_t>(i + std::lround(below * (kTotal - entries))));
    }
    tables.cdf[tables.start.back()] = 0;
    tables.cdf.push_back(static_cast<uint32_t>(kTotal));
    tables.start.push_back(static_cast<uint32_t>(tables.cdf.size()));
    tables.min.push_back(-most);
  }
  return tables;
}

struct Symbols {
  std::vector<uint8_t> table;
  std::vector<int16_t> value;
};

// About 0.6 bits a symbol, as a photograph at middle rates has. Escapes are as rare as the tables
// say.
Symbols DrawSymbols(const CdfTables& tables, size_t count) {
  std::mt19937 random(1);
  std::exponential_distribution<double> index(1.0 / 9);
  Symbols symbols;
  for (size_t i = 0; i < count; ++i) {
    const size_t t = std::min(kTables - 1, static_cast<size_t>(index(random)));
    const auto begin = tables.cdf.begin() + tables.start[t];
    const auto end = tables.cdf.begin() + tables.start[t + 1];
    const auto entry = std::upper_bound(begin, end, random() % 65536) - begin - 1;
    symbols.table.push_back(static_cast<uint8_t>(t));
    symbols.value.push_back(static_cast<int16_t>(tables.min[t] + static_cast<int32_t>(entry)));
  }
  return symbols;
}

struct Coding {
  EntropyTables tables;
  Symbols symbols;
  std::vector<uint8_t> stream;

  explicit Coding(size_t count) {
    const CdfTables cdf = MakeTables();
    tables.Append(cdf);
    symbols = DrawSymbols(cdf, count);
    RansEncoder encoder(&tables);
    Encode(&encoder);
  }

  void Encode(RansEncoder* encoder) {
    stream.clear();
    ForLines([&](size_t at, size_t count) {
      encoder->Put(&symbols.table[at], &symbols.value[at], count);
    });
    encoder->Finish(&stream);
  }

  bool Decode(int16_t* line) {
    RansDecoder decoder(&tables);
    bool good = decoder.Begin(stream.data(), stream.size(), RansStates(symbols.value.size()));
    ForLines([&](size_t at, size_t count) {
      good = good && decoder.Get(&symbols.table[at], count, line);
    });
    return good && decoder.Finish();
  }

  void ForLines(const std::function<void(size_t, size_t)>& code) const {
    const size_t count = symbols.value.size();
    for (size_t at = 0; at < count; at += kLine) code(at, std::min(kLine, count - at));
  }
};

void CountSymbols(benchmark::State& state, const Coding& coding) {
  const auto count = static_cast<double>(coding.symbols.value.size());
  state.counters["symbols/s"] =
      benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bits"] = 8 * static_cast<double>(coding.stream.size()) / count;
}

void RunEncode(benchmark::State& state, size_t count) {
  Coding coding(count);
  RansEncoder encoder(&coding.tables);
  for (auto _ : state) coding.Encode(&encoder);
  CountSymbols(state, coding);
}

void RunDecode(benchmark::State& state, size_t count) {
  Coding coding(count);
  std::vector<int16_t> line(kLine);
  for (auto _ : state) {
    if (!coding.Decode(line.data())) state.SkipWithError("a stream that cannot be decoded");
  }
  CountSymbols(state, coding);
}

}  // namespace

void RegisterEntropyCoding() {
  for (const int bits : {14, 18, 20, 21}) {
    const size_t count = size_t{1} << bits;
    const std::string states = "/states:" + std::to_string(RansStates(count));
    benchmark::RegisterBenchmark(("rans/encode" + states).c_str(),
                                 [count](benchmark::State& state) { RunEncode(state, count); });
    benchmark::RegisterBenchmark(("rans/decode" + states).c_str(),
                                 [count](benchmark::State& state) { RunDecode(state, count); });
  }
}

}  // namespace glint::bench
