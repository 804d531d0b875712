// The entropy coder of the detail layer: what goes in comes out, for as many bytes as it should.

#include "codec/detail/binary_coder.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "codec/detail/coefficients.h"
#include "tests/draws.h"
#include "tests/seed.h"

namespace glint::detail {

using testing::Draws;

TEST_CASE("binary coder: bits of any probability come back, and cost what they should") {
  Draws draws({TestSeed()});
  const auto random = [&] { return draws.Seed(); };
  for (int run = 0; run < 60; ++run) {
    const size_t count = random() % 3000;
    // Towards an end in some runs, so that carries and long quiet stretches come.
    const uint32_t low = run % 3 == 0 ? 63 : 1000, high = run % 3 == 1 ? 65472 : 64000;
    std::vector<uint32_t> probabilities(count);
    std::vector<bool> bits(count);
    BinaryEncoder encoder;
    double cost = 0;
    for (size_t i = 0; i < count; ++i) {
      probabilities[i] = low + random() % (high - low + 1);
      // In some runs always the bit that is less likely, or always the other.
      const bool likely = probabilities[i] > 32768;
      bits[i] = run % 5 == 0   ? !likely
                : run % 5 == 1 ? likely
                               : random() % 65536 < probabilities[i];
      encoder.Put(probabilities[i], bits[i]);
      const double p = probabilities[i] / 65536.0;
      cost -= std::log2(bits[i] ? p : 1 - p);
    }
    std::vector<uint8_t> bytes;
    encoder.Finish(&bytes);
    CHECK(static_cast<double>(bytes.size()) <= cost / 8 * 1.0005 + 4);
    BinaryDecoder decoder;
    decoder.Begin(bytes.data(), bytes.size());
    bool same = true;
    for (size_t i = 0; i < count; ++i) same = same && decoder.Get(probabilities[i]) == bits[i];
    CHECK(same);
    CHECK(decoder.AtEnd());
  }
}

TEST_CASE("binary coder: raw bits come back; what is missing or left over is seen") {
  Draws draws({TestSeed()});
  const auto random = [&] { return draws.Seed(); };
  for (int run = 0; run < 60; ++run) {
    const size_t count = random() % 200;
    std::vector<std::pair<uint32_t, int>> items(count);
    RawWriter writer;
    for (auto& [value, bits] : items) {
      bits = static_cast<int>(random() % 33);
      value = static_cast<uint32_t>(random() & ((uint64_t{1} << bits) - 1));
      writer.Put(value, bits);
    }
    std::vector<uint8_t> bytes;
    writer.Finish(&bytes);
    RawReader reader;
    reader.Begin(bytes.data(), bytes.size());
    bool same = true;
    for (const auto& [value, bits] : items) same = same && reader.Get(bits) == value;
    CHECK(same);
    CHECK(reader.AtEnd());
    reader.Get(8);
    CHECK_FALSE(reader.AtEnd());
    bytes.push_back(0);
    reader.Begin(bytes.data(), bytes.size());
    for (const auto& item : items) reader.Get(item.second);
    CHECK_FALSE(reader.AtEnd());
  }
}

TEST_CASE("binary coder: a model's probability stays off the ends and finds the share of ones") {
  for (const bool bit : {false, true}) {
    AdaptiveBit model;
    for (int i = 0; i < 5000; ++i) {
      model.Learn(bit);
      CHECK(model.probability() >= 63);
      CHECK(model.probability() <= 65536 - 63);
    }
    CHECK((bit ? 65536 - model.probability() : model.probability()) < 120);
  }
  Draws draws({TestSeed()});
  const auto random = [&] { return draws.Seed(); };
  AdaptiveBit model;
  double mean = 0;
  for (int i = 0; i < 20000; ++i) {
    model.Learn(random() % 10 < 3);
    if (i >= 1000) mean += model.probability() / 65536.0 / 19000;
  }
  CHECK(mean == doctest::Approx(0.3).epsilon(0.05));
}

TEST_CASE("detail coefficients: levels of every size come back, and weigh what they take") {
  Draws draws({TestSeed()});
  const auto random = [&] { return draws.Seed(); };
  BinaryEncoder bits;
  RawWriter raw;
  WritePort write(&bits, &raw);
  WeighPort weigh;
  PlaneModels written, weighed, read;
  std::vector<Levels> all(300);
  Expectation expectation;
  Expect({}, &expectation);
  Magnitudes magnitudes;
  int last = 0;
  for (Levels& levels : all) {
    levels.fill(0);
    const uint32_t count = random() % 65, most = 1u << (random() % 16);
    for (uint32_t i = 0; i < count; ++i) {
      const int value = static_cast<int>(std::min(random() % most + random() % 2, 32767u));
      levels[random() % 64] = static_cast<int16_t>(random() % 2 == 0 ? value : -value);
    }
    Levels copy = levels;
    CodeLevels(&write, &written, expectation, &copy, &magnitudes, &last);
    CodeLevels(&weigh, &weighed, expectation, &copy, &magnitudes, &last);
  }
  std::vector<uint8_t> coded, rest;
  bits.Finish(&coded);
  raw.Finish(&rest);
  CHECK(static_cast<double>(weigh.cost()) / 8 ==
        doctest::Approx(static_cast<double>(coded.size() + rest.size())).epsilon(0.01));
  BinaryDecoder decoder;
  RawReader reader;
  decoder.Begin(coded.data(), coded.size());
  reader.Begin(rest.data(), rest.size());
  ReadPort port(&decoder, &reader);
  for (const Levels& levels : all) {
    Levels decoded{};
    REQUIRE(CodeLevels(&port, &read, expectation, &decoded, &magnitudes, &last));
    CHECK(decoded == levels);
    CHECK((last < 0) == std::all_of(levels.begin(), levels.end(), [](int v) { return v == 0; }));
  }
}

TEST_CASE("binary coder: bits are weighed by their logarithm") {
  for (uint32_t p = 63; p < 65536; p += 7) {
    const double wanted = -std::log2(((p >> kCostShift) + 0.5) / (65536 >> kCostShift));
    CHECK(static_cast<double>(CostOfOne(p)) == doctest::Approx(wanted).epsilon(1e-6));
  }
}

}  // namespace glint::detail
