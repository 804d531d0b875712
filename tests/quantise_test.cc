// glint::Quantise and its parts: rounding, factorisation, float16, written files, and whole
// models that code pictures. Golden numbers of the shipped models are bench/RESULTS.md's.
#include "glint/quantise.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/model/model_impl.h"
#include "codec/quantiser/groups.h"
#include "codec/quantiser/layers.h"
#include "codec/quantiser/ranges.h"
#include "codec/quantiser/rounding.h"
#include "engine/float16.h"
#include "engine/model_writer.h"
#include "glint/image_io.hpp"
#include "tests/codec_helpers.h"
#include "tests/failing_allocations.h"
#include "tests/model_builder.h"
#include "tests/picture_helpers.h"
#include "tests/seed.h"

namespace glint::testing {
namespace {

using namespace quantiser;

const Layer& LayerNamed(const std::vector<Layer>& layers, const std::string& name) {
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const Layer& layer) { return layer.name() == name; });
  REQUIRE(found != layers.end());
  return *found;
}

std::vector<Picture> SomePictures() {
  return {SmoothPicture({64, 48, 3, false, 8}, 5), SmoothPicture({40, 72, 3, false, 8}, 6)};
}

// ---- parts -------------------------------------------------------------------------------------

TEST_CASE("float16: every one survives the way through float") {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint16_t value = static_cast<uint16_t>(bits);
    if ((value & 0x7fff) > 0x7c00) continue;  // NaN
    CHECK(FloatToFloat16(Float16ToFloat(value)) == value);
  }
  CHECK(std::isnan(Float16ToFloat(FloatToFloat16(std::nanf("")))));
}

TEST_CASE("float16: rounding to nearest even, and to infinity beyond the last") {
  CHECK(FloatToFloat16(1.0f + 0x1p-11f) == 0x3c00);             // a tie, down to even
  CHECK(FloatToFloat16(1.0f + 0x1p-11f + 0x1p-23f) == 0x3c01);  // above it
  CHECK(FloatToFloat16(1.0f + 3 * 0x1p-11f) == 0x3c02);         // a tie, up to even
  CHECK(FloatToFloat16(0x1p-25f) == 0);                         // a tie with zero
  CHECK(FloatToFloat16(0x1.8p-25f) == 1);
  CHECK(FloatToFloat16(kMostFloat16) == 0x7bff);
  CHECK(FloatToFloat16(65519.0f) == 0x7bff);
  CHECK(FloatToFloat16(65520.0f) == 0x7c00);
  CHECK(FloatToFloat16(-1e30f) == 0xfc00);
}

TEST_CASE("LDL: the factors of a random positive matrix give it back") {
  const uint32_t seed = TestSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (const size_t size : {1U, 5U, 31U, 32U, 33U, 100U}) {
    std::vector<float> root(size * size), matrix(size * size, 0.0f);
    for (float& value : root) value = normal(random);
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j < size; ++j) {
        for (size_t k = 0; k < size; ++k)
          matrix[i * size + j] += root[i * size + k] * root[j * size + k];
      }
      matrix[i * size + i] += 1.0f;
    }
    std::vector<float> factors = matrix;
    FactorLdl(size, &factors);
    double worst = 0, largest = 0;
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (size_t k = 0; k <= j; ++k) {
          const double lik = k == i ? 1.0 : static_cast<double>(factors[i * size + k]);
          const double ljk = k == j ? 1.0 : static_cast<double>(factors[j * size + k]);
          sum += lik * ljk * static_cast<double>(factors[k * size + k]);
        }
        worst = std::max(worst, std::abs(sum - static_cast<double>(matrix[i * size + j])));
        largest = std::max(largest, std::abs(static_cast<double>(matrix[i * size + j])));
      }
    }
    CHECK(worst < 1e-4 * largest);
  }
}

TEST_CASE("layers: costs and live taps of light") {
  const Model model = LoadLight();
  const std::vector<Layer> layers = ListLayers(model.impl());
  CHECK(LayerNamed(layers, "g_a/a1").macs_per_pixel == 600.0);     // 5x5x3x32 / 4
  CHECK(LayerNamed(layers, "g_a/a4").macs_per_pixel == 2400.0);    // 5x5x128x192 / 256
  CHECK(LayerNamed(layers, "g_s/s3").macs_per_pixel == 2400.0);    // 5x5x192x128 / 4 / 64
  CHECK(LayerNamed(layers, "g_s/s0").macs_per_pixel == 384.0);     // 4x4x32x3 / 4
  CHECK(LayerNamed(layers, "step1/c01").macs_per_pixel == 144.0);  // 12 taps x 64 x 96 / 256 / 2
  CHECK(LayerNamed(layers, "step3/p11.0").channels() == 384);
}

TEST_CASE("groups: psi and what is concatenated with it are one, latents another") {
  const Model model = LoadLight();
  const std::vector<Layer> layers = ListLayers(model.impl());
  const std::vector<Group> groups = ListGroups(model.impl(), layers);
  const auto group_with = [&](const TensorKey& key) -> const Group& {
    for (const Group& group : groups) {
      for (const GroupTensor& tensor : group.tensors) {
        for (const TensorKey& name : tensor.names) {
          if (name == key) return group;
        }
      }
    }
    FAIL("no group has the tensor");
    return groups[0];
  };
  const Group& psi = group_with({"step0", "psi"});
  CHECK(&psi == &group_with({"h_s", "hs3.act"}));
  CHECK(&psi == &group_with({"step1", "c01"}));
  CHECK(&psi == &group_with({"step3", "c10"}));
  CHECK(psi.kind == Group::Kind::kFree);
  const Group& latents = group_with({"step2", "y0"});
  CHECK(&latents == &group_with({"g_s", "y_hat"}));
  CHECK(latents.kind == Group::Kind::kLatents);
  CHECK(group_with({"h_s", "z"}).kind == Group::Kind::kHyper);
  CHECK(group_with({"g_a", "x"}).kind == Group::Kind::kPicture);
  CHECK(group_with({"h_a", "y"}).kind == Group::Kind::kFree);
}

// Of the rows of a matrix: no sum of magnitudes times the greatest input beyond int32.
void CheckSums(const Layer& layer, const IntegerMatrix& matrix, int64_t most_input) {
  for (size_t out = 0; out < layer.out_channels; ++out) {
    int64_t sum = 0;
    for (size_t in = 0; in < layer.channels(); ++in) {
      for (size_t tap = 0; tap < layer.taps(); ++tap) {
        sum += std::abs(matrix.values[layer.matrix.Index(out, in, tap)]);
      }
    }
    CHECK(sum * most_input <= INT32_MAX);
  }
}

TEST_CASE("rounding: within half a unit, and sums within 31 bits whatever the weights") {
  const uint32_t seed = TestSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const Model model = LoadLight();
  const std::vector<Layer> layers = ListLayers(model.impl());
  const Layer& layer = LayerNamed(layers, "g_s/sr4.a");
  const size_t size = layer.out_channels * layer.channels();
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> ones(layer.channels(), 1.0f), random_weights(size);
  for (float& value : random_weights) value = uniform(random);
  const std::vector<float> alike(size, 0.7f), zeros(size, 0.0f);
  for (const int64_t most_input : {255, 4095, 32767}) {
    for (const int most_weight : {127, 32767}) {
      for (const std::vector<float>& weights : {random_weights, alike, zeros}) {
        RoundingLimits limits;
        limits.most_weight = most_weight;
        limits.most_input = most_input;
        const IntegerMatrix matrix = RoundMatrix(layer, weights, ones, limits, {});
        CheckSums(layer, matrix, most_input);
        float worst = 0;
        for (size_t out = 0; out < layer.out_channels; ++out) {
          for (size_t in = 0; in < layer.channels(); ++in) {
            const size_t at = layer.matrix.Index(out, in, 0);
            CHECK(std::abs(matrix.values[at]) <= most_weight);
            const float rounded = matrix.scale[out] * static_cast<float>(matrix.values[at]);
            worst = std::max(worst, std::abs(rounded - weights[at]) / matrix.scale[out]);
          }
        }
        CHECK(worst <= 0.502f);
      }
    }
  }
}

TEST_CASE("rounding: compensation makes the error of correlated inputs smaller") {
  const uint32_t seed = TestSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const Model model = LoadLight();
  const std::vector<Layer> layers = ListLayers(model.impl());
  const Layer& layer = LayerNamed(layers, "g_a/ar2.c");
  const std::vector<float> matrix = ReadMatrix(*model.impl().file, layer);
  const size_t n = layer.channels();
  // A few directions that all channels share, and a little of their own.
  std::vector<float> shared(4 * n);
  for (float& value : shared) value = normal(random);
  SecondMoment moment;
  moment.taps = {0};
  moment.size = n;
  moment.values.assign(n * n, 0.0f);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      for (size_t k = 0; k < 4; ++k)
        moment.values[i * n + j] += shared[k * n + i] * shared[k * n + j];
    }
    moment.values[i * n + i] += 0.1f;
  }
  RoundingLimits limits;
  limits.most_weight = 15;
  const std::vector<float> ones(n, 1.0f);
  const auto error = [&](const IntegerMatrix& rounded) {
    double sum = 0;
    for (size_t out = 0; out < layer.out_channels; ++out) {
      std::vector<double> e(n);
      for (size_t in = 0; in < n; ++in) {
        const size_t at = layer.matrix.Index(out, in, 0);
        e[in] = static_cast<double>(rounded.scale[out] * static_cast<float>(rounded.values[at]) -
                                    matrix[at]);
      }
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < n; ++j) {
          sum += e[i] * e[j] * static_cast<double>(moment.values[i * n + j]);
        }
      }
    }
    return sum;
  };
  const double nearest = error(RoundMatrix(layer, matrix, ones, limits, {}));
  const double compensated = error(RoundMatrix(layer, matrix, ones, limits, {moment}));
  CHECK(compensated < 0.5 * nearest);
}

TEST_CASE("rounding: digits take a sixteenth of the error of their channels") {
  const uint32_t seed = TestSeed();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const Model model = LoadLight();
  const std::vector<Layer> layers = ListLayers(model.impl());
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f), factors(0.5f, 2.0f);
  for (const char* name : {"g_a/ar2.b", "g_s/s1"}) {
    const Layer& layer = LayerNamed(layers, name);
    std::vector<float> weights(layer.out_channels * layer.channels() * layer.taps());
    for (float& value : weights) value = uniform(random);
    std::vector<float> factor(layer.channels());
    for (float& value : factor) value = factors(random);
    const Split split = {{3, 9}, {0, 9, 31}};
    RoundingLimits limits;
    limits.most_input = 510;
    const IntegerMatrix matrix = RoundMatrix(layer, weights, factor, limits, {}, split);
    const Layer widened = WithDigits(layer, split);
    CHECK(widened.channels() == layer.channels() + 5);
    CheckSums(widened, matrix, 510);
    const std::vector<float> effective = EffectiveMatrix(layer, matrix, factor, split);
    float worst = 0, worst_coarse = 0, worst_low = 0;
    for (size_t out = 0; out < layer.out_channels; ++out) {
      for (size_t in = 0; in < layer.channels(); ++in) {
        for (size_t tap = 0; tap < layer.taps(); ++tap) {
          const size_t at = layer.matrix.Index(out, in, tap);
          const float unit = matrix.scale[out] / factor[in];
          const bool coarse = in == 0 || in == 9 || in == 31;
          float& of = coarse ? worst_coarse : worst;
          of = std::max(of, std::abs(effective[at] - weights[at]) / unit);
          if (in != 3) continue;
          const size_t low = widened.matrix.Index(out, layer.channels(), tap);
          worst_low = std::max(worst_low, std::abs(static_cast<float>(matrix.values[low]) -
                                                   weights[at] / unit / 16.0f));
        }
      }
    }
    CHECK(worst <= 0.502f);
    CHECK(worst_coarse <= 0.502f / 16);
    CHECK(worst_low <= 0.502f);
  }
}

TEST_CASE("scale curves: through the rates, constant beyond them") {
  const std::vector<double> curve = ScaleCurve({-0.5, 0.0, 0.5}, {1.0, 4.0, 16.0});
  REQUIRE(curve.size() == 9);
  CHECK(curve[0] == 1.0);
  CHECK(curve[2] == doctest::Approx(1.0));
  CHECK(curve[3] == doctest::Approx(2.0));
  CHECK(curve[4] == doctest::Approx(4.0));
  CHECK(curve[8] == 16.0);
}

TEST_CASE("model writer: a file of the same tensors and document is the same model") {
  const std::vector<uint8_t> file = TinyModelFile();
  const auto model = ModelFile::FromMemory(file, "tiny");
  REQUIRE(model.ok());
  ModelWriter writer;
  for (const auto& [name, tensor] : (*model)->tensors()) writer.Set(name, tensor);
  const auto again = ModelFile::FromMemory(writer.Finish((*model)->document_text()), "again");
  REQUIRE_MESSAGE(again.ok(), again.status().message());
  CHECK((*again)->document_text() == (*model)->document_text());
  REQUIRE((*again)->tensors().size() == (*model)->tensors().size());
  for (const auto& [name, tensor] : (*model)->tensors()) {
    const TensorView* other = (*again)->tensor(name);
    REQUIRE(other != nullptr);
    CHECK(other->shape == tensor.shape);
    REQUIRE(other->elements == tensor.elements);
    std::vector<float> a(tensor.elements), b(tensor.elements);
    CopyAsFloat(tensor, 0, a.size(), a.data());
    CopyAsFloat(*other, 0, b.size(), b.data());
    CHECK(a == b);
  }
}

// ---- whole models ------------------------------------------------------------------------------

// Without the built-in pictures, which have tests of their own (built_in_pictures_test.cc).
QuantisedModel MustQuantise(const Model& model, QuantiseOptions options) {
  options.built_in = false;
  const auto quantised = Quantise(model, SomePictures(), options);
  REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
  return *quantised;
}

std::map<std::string, LayerPrecision> PrecisionsOf(const QuantisedModel& quantised) {
  std::map<std::string, LayerPrecision> precisions;
  for (const QuantisedLayer& layer : quantised.layers) precisions[layer.name] = layer.precision;
  return precisions;
}

// The file by itself codes a picture, alike on every target.
void CheckCodes(const QuantisedModel& quantised, bool exact_pictures) {
  const Picture picture = SmoothPicture({52, 36, 3, false, 8}, 9);
  std::vector<uint8_t> stream;
  Picture first;
  bool first_float16_sums = false;
  for (const std::string& target : SupportedTargets()) {
    const TargetScope scope(target);
    const Model model = LoadModel(quantised.file);
    if (stream.empty()) stream = EncodeModelAlone(model, picture);
    const Picture decoded = MustDecode(model, stream);  // checks the latents' CRCs
    // Sums in float16 round every block of products, which the random weights of this model
    // enlarge. The shipped model in float16 is held to one level everywhere in
    // shipped_models_test.cc.
    const bool float16_sums = model.Explain().find("f16 sums") != std::string::npos;
    if (first.samples.empty()) {
      first = decoded;
      first_float16_sums = float16_sums;
    }
    if (float16_sums != first_float16_sums) {
      CHECK(PsnrRgb(first, decoded) > 55);
      continue;
    }
    CHECK(LargestDifference(first, decoded) <= (exact_pictures ? 0 : 1));
  }
}

TEST_CASE("Quantise: every type gives a file that codes by itself") {
  const Model model = LoadModel(TinyModelFile());
  QuantiseOptions options;
  options.rounding = WeightRounding::kNearest;
  SUBCASE("INT16") {
    options.type = QuantisedType::kInt16;
    const QuantisedModel quantised = MustQuantise(model, options);
    CHECK(LoadModel(quantised.file).info().form == "int16");
    // Nearly the picture of the model in FP32.
    const Model after = LoadModel(quantised.file);
    const Picture picture = SomePictures()[0];
    CHECK(PsnrRgb(MustDecode(model, EncodeModelAlone(model, picture)),
                  MustDecode(after, EncodeModelAlone(after, picture))) > 30.0);
    CheckCodes(quantised, false);  // one GDN has a root, and stays in FP32
  }
  SUBCASE("INT8, nearest") { CheckCodes(MustQuantise(model, options), false); }
  SUBCASE("INT8, gptq") {
    options.rounding = WeightRounding::kGptq;
    CheckCodes(MustQuantise(model, options), false);
  }
  SUBCASE("INT8, percentile") {
    options.ranges = RangeMethod::kPercentile;
    CheckCodes(MustQuantise(model, options), false);
  }
  SUBCASE("W8A16") {
    options.activation_bits = 16;
    const QuantisedModel quantised = MustQuantise(model, options);
    for (const auto& [name, precision] : PrecisionsOf(quantised)) {
      CHECK((precision == LayerPrecision::kW8A16 || precision == LayerPrecision::kFp32));
    }
    CheckCodes(quantised, false);
  }
  SUBCASE("W8A16, dynamic") {
    options.activation_bits = 16;
    options.dynamic_ranges = true;
    const QuantisedModel quantised = MustQuantise(model, options);
    const std::string text = LoadModel(quantised.file).Explain();
    CHECK(text.find("graph g_a (close, whole picture)") != std::string::npos);
    CHECK(text.find("graph g_s (close, whole picture)") != std::string::npos);
    CHECK(text.find("graph h_s (exact)") != std::string::npos);
    CheckCodes(quantised, false);
  }
  SUBCASE("INT8, digits") {
    // The same channels have the same range; the noise of both roundings falls, and work grows.
    options.smoothing = 0;
    options.splitting = 0;
    const QuantisedModel plain = MustQuantise(model, options);
    options.splitting = 0.5;
    const QuantisedModel quantised = MustQuantise(model, options);
    size_t compared = 0;
    for (size_t i = 0; i < plain.layers.size(); ++i) {
      const QuantisedLayer &before = plain.layers[i], &after = quantised.layers[i];
      if (before.precision != LayerPrecision::kW8A8) continue;
      REQUIRE(after.precision == LayerPrecision::kW8A8);
      CHECK(after.weight_snr >= before.weight_snr);
      CHECK(after.activation_snr >= before.activation_snr - 0.1);
      CHECK(after.macs_per_pixel > before.macs_per_pixel);
      ++compared;
    }
    CHECK(compared > 3);
    CHECK(quantised.relative_cost < 1.0);
    CHECK(LoadModel(quantised.file).Explain().find("digits") != std::string::npos);
    CheckCodes(quantised, false);
    options.rounding = WeightRounding::kGptq;
    options.ranges = RangeMethod::kMse;
    CheckCodes(MustQuantise(model, options), false);
  }
  SUBCASE("the seed's scheme") {
    options.seed_scheme = true;
    CheckCodes(MustQuantise(model, options), false);
  }
  SUBCASE("FP16") {
    options.type = QuantisedType::kFp16;
    const QuantisedModel quantised = MustQuantise(model, options);
    CHECK(LoadModel(quantised.file).info().form == "fp16");
    CheckCodes(quantised, false);
  }
}

// What g_a sees is sample / maximum - offset.
TEST_CASE("Quantise: the input of g_a reaches from black to white, whatever the offset") {
  QuantiseOptions options;
  options.type = QuantisedType::kInt16;
  for (const double offset : {0.5, 0.0, 0.25, 1.0, -1.0}) {
    ModelBuilder builder = TinyModel();
    builder.document["picture"]["offset"] = offset;
    const std::vector<uint8_t> file = MustQuantise(LoadModel(builder.Build()), options).file;
    const Model model = LoadModel(file);
    const Graph& graph = model.impl().file->graphs().at("g_a");
    const Quantisation& picture = graph.quantised.at(graph.inputs[0].name);
    const double most = picture.max * picture.scales[0];
    CHECK(most >= std::max(std::abs(offset), std::abs(1 - offset)) - 1e-9);
    CHECK(most <= 2.001);
    CHECK(picture.scales[0] <= 1.0 / 255);
  }
}

TEST_CASE("Quantise: the scope leaves the other graphs in FP32") {
  const Model model = LoadModel(TinyModelFile());
  QuantiseOptions options;
  options.rounding = WeightRounding::kNearest;
  for (const bool entropy : {true, false}) {
    options.scope = entropy ? QuantisationScope::kEntropy : QuantisationScope::kTransforms;
    const QuantisedModel quantised = MustQuantise(model, options);
    size_t integers = 0;
    for (const auto& [name, precision] : PrecisionsOf(quantised)) {
      const bool transform = name.rfind("g_", 0) == 0;
      if (transform == entropy) {
        CHECK(precision == LayerPrecision::kFp32);
      } else {
        integers += precision != LayerPrecision::kFp32 ? 1 : 0;
      }
    }
    CHECK(integers > 0);
    CheckCodes(quantised, false);
  }
}

TEST_CASE("Quantise: layers that are named keep what they are named") {
  const Model model = LoadModel(TinyModelFile());
  QuantiseOptions options;
  options.rounding = WeightRounding::kNearest;
  const std::vector<Layer> layers = ListLayers(model.impl());
  const std::string name = layers.front().name();
  for (const LayerPrecision precision :
       {LayerPrecision::kFp32, LayerPrecision::kFp16, LayerPrecision::kW16A16}) {
    options.keep = {{name, precision}};
    const QuantisedModel quantised = MustQuantise(model, options);
    CHECK(PrecisionsOf(quantised).at(name) == precision);
    CheckCodes(quantised, false);
  }
}

// What reads z, latents or psi keeps 16 bits; h_a may read y in bytes.
TEST_CASE("Quantise: 8-bit activations between z and the symbols, exact on every target") {
  using Names = std::set<std::string>;
  const std::pair<std::vector<uint8_t>, Names> models[] = {
      {TinyModelFile(),
       {"h_a/ha1", "h_a/ha2", "h_a/ha3", "h_s/hs2", "h_s/hs3", "step0/p00.2", "step1/p01.2",
        "step2/p10.2", "step3/p11.2"}},
      {WavefrontModel().Build(), {"h_a/ha", "first/p0.1", "second/p1.0", "second/p1.1"}}};
  for (const auto& [file, expected] : models) {
    const Model model = LoadModel(file);
    QuantiseOptions options;
    options.rounding = WeightRounding::kNearest;
    options.lrds = {1e-4, 4e-4};
    options.built_in = false;
    Names possible;
    for (const Layer& layer : ListLayers(model.impl())) {
      if (!IsEntropyGraph(layer.graph)) continue;
      options.keep = {{layer.name(), LayerPrecision::kW8A8}};
      const auto quantised = Quantise(model, SomePictures(), options);
      if (quantised.ok()) {
        possible.insert(layer.name());
      } else {
        CHECK(quantised.error().message.find("cannot be int8") != std::string::npos);
      }
    }
    CHECK(possible == expected);
    options.keep.clear();
    for (const std::string& name : expected) options.keep.push_back({name, LayerPrecision::kW8A8});
    for (const double digits : {0.0, 0.5}) {
      options.splitting = digits;
      const QuantisedModel quantised = MustQuantise(model, options);
      for (const std::string& name : expected) {
        CHECK(PrecisionsOf(quantised).at(name) == LayerPrecision::kW8A8);
      }
      CheckCodes(quantised, true);
    }
  }
}

TEST_CASE("Quantise: a mix stays below its loss, and tuning does no harm") {
  const Model model = LoadModel(TinyModelFile());
  QuantiseOptions options;
  options.rounding = WeightRounding::kNearest;
  options.lrds = {1e-4, 4e-4};
  const double all = MustQuantise(model, options).loss;
  options.tune = true;
  CHECK(MustQuantise(model, options).loss <= all);
  options.tune = false;
  // Weights at random lose much in any precision: a bound that 16 bits just keep.
  QuantiseOptions int16 = options;
  int16.type = QuantisedType::kInt16;
  options.max_loss = std::max(1.0, MustQuantise(model, int16).loss + 1.0);
  const QuantisedModel mixed = MustQuantise(model, options);
  CHECK(mixed.loss <= options.max_loss);
  CheckCodes(mixed, false);
  // Where nothing is dear, h_a and h_s have 8 bits as well.
  options.max_loss = 1000;
  const auto precisions = PrecisionsOf(MustQuantise(model, options));
  for (const char* layer : {"h_a/ha2", "h_s/hs3"}) {
    CHECK(precisions.at(layer) == LayerPrecision::kW8A8);
  }
}

TEST_CASE("Quantise: loss is what bits and the metric of the coded pictures say") {
  const Model model = LoadModel(TinyModelFile());
  const Picture picture = SmoothPicture({200, 176, 3, false, 8}, 3);
  QuantiseOptions options;
  options.metric = LossMetric::kMsSsim;
  options.rounding = WeightRounding::kNearest;
  options.built_in = false;
  options.lrds = {1e-4, 4e-4};
  const auto quantised = Quantise(model, {picture}, options);
  REQUIRE_MESSAGE(quantised.ok(), quantised.error().message);
  const Model after = LoadModel(quantised->file);
  double expected = 0;
  for (const double lrd : options.lrds) {
    const auto outcome = [&](const Model& of) {
      EncodeOptions encode;
      encode.detail = Detail::kOff;
      encode.lrd = lrd;
      Report report;
      const auto stream = Encode(of, picture, encode, &report);
      REQUIRE(stream.ok());
      const Picture decoded = MustDecode(of, *stream);
      return std::pair(report.estimated_bits, 1.0 - MsSsimRgb(picture, decoded).value_or(-9));
    };
    const auto [bits, error] = outcome(model);
    const auto [bits_after, error_after] = outcome(after);
    expected += 50.0 * (bits_after / bits + error_after / error - 2);
  }
  CHECK(quantised->loss == doctest::Approx(expected).epsilon(1e-6));
  options.metric = LossMetric::kSquaredError;
  const auto squared = Quantise(model, {picture}, options);
  REQUIRE(squared.ok());
  CHECK(squared->loss != doctest::Approx(expected).epsilon(1e-3));
  CHECK(squared->file == quantised->file);  // nothing was chosen by it
}

TEST_CASE("Quantise: precisions have names") {
  const std::vector<std::string> names = {"FP32", "FP16", "W16A16", "W8A16", "W8A8"};
  for (size_t i = 0; i < names.size(); ++i) {
    CHECK(NameOf(static_cast<LayerPrecision>(i)) == names[i]);
  }
}

TEST_CASE("Quantise: what it refuses, and why") {
  const Model model = LoadModel(TinyModelFile());
  const auto message = [&](const Model& of, const std::vector<Picture>& pictures,
                           const QuantiseOptions& options) {
    const auto quantised = Quantise(of, pictures, options);
    REQUIRE_FALSE(quantised.ok());
    CHECK(quantised.error().code == ErrorCode::kInvalidArgument);
    return quantised.error().message;
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  QuantiseOptions options;
  CHECK(has(message(LoadModel(IntegerModelFile()), SomePictures(), options), "already"));
  CHECK(has(message(model, {}, options), "no calibration picture"));
  options.keep = {{"nobody", LayerPrecision::kFp32}};
  CHECK(has(message(model, SomePictures(), options), "no layer nobody"));
  options = {};
  options.metric = LossMetric::kMsSsim;
  CHECK(has(message(model, {SmoothPicture({160, 400, 3, false, 8}, 3)}, options),
            "picture 1 is 160 x 400"));
  options = {};
  options.lrds = {1.0};
  CHECK(has(message(model, SomePictures(), options), "lrd"));
  options = {};
  options.activation_bits = 4;
  CHECK(has(message(model, SomePictures(), options), "activation_bits"));
  options = {};
  options.dynamic_ranges = true;
  CHECK(has(message(model, SomePictures(), options), "dynamic_ranges"));
  options = {};
  options.type = QuantisedType::kInt16;
  options.max_loss = 1;
  CHECK(has(message(model, SomePictures(), options), "max_loss"));
  options = {};
  options.activation_bits = 16;
  options.max_loss = 1;
  CHECK(has(message(model, SomePictures(), options), "max_loss"));
  options = {};
  options.rounding = WeightRounding::kNearest;
  options.lrds = {4e-4};
  options.max_loss = 1e-300;  // 16 bits of a random model lose or gain something
  options.built_in = false;
  const auto mixed = Quantise(model, SomePictures(), options);
  if (mixed.ok()) {
    CHECK(mixed->loss <= options.max_loss);
  } else {
    CHECK(has(mixed.error().message, "16 bits everywhere lose"));
  }
  options = {};
  options.seed_scheme = true;
  options.type = QuantisedType::kFp16;
  CHECK(has(message(model, SomePictures(), options), "seed_scheme"));
  options.type = QuantisedType::kInt8;
  options.tune = true;
  CHECK(has(message(model, SomePictures(), options), "seed_scheme"));
  options.tune = false;
  options.keep = {{ListLayers(model.impl()).front().name(), LayerPrecision::kW16A16}};
  CHECK(has(message(model, SomePictures(), options), "seed_scheme"));
  options = {};
  options.progress = [](const QuantiseProgress&) { return false; };
  const auto stopped = Quantise(model, SomePictures(), options);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == ErrorCode::kCancelled);
}

TEST_CASE(
    "Quantise: weights beyond float16 are refused where they would be float16, and only there") {
  ModelBuilder builder = TinyModel();
  const Model plain = LoadModel(TinyModelFile());
  const Layer layer = ListLayers(plain.impl()).front();
  builder.Float(layer.weight, 0) = 70000.0f;
  const Model model = LoadModel(builder.Build());
  QuantiseOptions options;
  options.built_in = false;
  options.type = QuantisedType::kFp16;
  const auto refused = Quantise(model, SomePictures(), options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("65504") != std::string::npos);
  options.keep = {{layer.name(), LayerPrecision::kFp32}};
  CHECK(Quantise(model, SomePictures(), options).ok());
  options.type = QuantisedType::kInt8;
  options.keep = {{layer.name(), LayerPrecision::kFp16}};
  CHECK_FALSE(Quantise(model, SomePictures(), options).ok());
}

TEST_CASE("out of memory: quantising") {
  const Model model = testing::LoadModel(testing::MiniModelFile());
  const std::vector<Picture> pictures = {testing::SmoothPicture(MakeInfo(64, 64, 3, false, 8), 3)};
  QuantiseOptions options;
  options.built_in = false;
  testing::FailSome([&] { return Quantise(model, pictures, options).error(); }, 100);
}

}  // namespace
}  // namespace glint::testing
