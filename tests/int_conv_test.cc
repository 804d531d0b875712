// Convolutions and GDN in integers on every SIMD target: sums are exact, and so is all that an
// epilogue does to them, so every output must have the bits of the plain loops. Random values and
// the largest that there are; nothing is written beside the outputs.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

#include "engine/aligned.h"
#include "kernels/conv.h"
#include "kernels/gdn.h"
#include "kernels/targets.h"
#include "tests/kernel_reference.h"
#include "tests/seed.h"

namespace glint::kernels {
namespace {

constexpr uint8_t kGuard = 0xA5;

size_t Pick(std::mt19937* random, size_t low, size_t high) {
  return std::uniform_int_distribution<size_t>(low, high)(*random);
}

// Values -most..most; extreme: only the ends.
int Value(std::mt19937* random, int most, bool extreme) {
  if (extreme) return (*random)() % 2 == 0 ? most : -most;
  return std::uniform_int_distribution<int>(-most, most)(*random);
}

void StoreAs(Element element, int value, int zero, uint8_t* to) {
  if (element == Element::kU8) {
    *to = static_cast<uint8_t>(value + zero);
  } else {
    const int16_t q = static_cast<int16_t>(value);
    std::memcpy(to, &q, sizeof(q));
  }
}

// Integers of an image with a halo of what stands for zero, as rows of bytes.
struct PaddedInts {
  size_t stride, halo, row_bytes, element;
  std::vector<uint8_t> data, zeros;
  PaddedInts(const ReferenceImage& image, Element type, int zero, size_t halo_pixels, size_t extra)
      : stride(image.channels + extra), halo(halo_pixels), element(BytesOf(type)) {
    const uint8_t fill = type == Element::kU8 ? static_cast<uint8_t>(zero) : 0;
    row_bytes = ((image.width + 2 * halo) * stride + 64) * element;
    data.assign(image.height * row_bytes, fill);
    zeros.assign(row_bytes, fill);
    for (size_t y = 0; y < image.height; ++y) {
      for (size_t x = 0; x < image.width; ++x) {
        for (size_t c = 0; c < image.channels; ++c) {
          const float value = image.AtOrZero(static_cast<int64_t>(y), static_cast<int64_t>(x), c);
          StoreAs(type, static_cast<int>(value), zero,
                  data.data() + y * row_bytes + ((halo + x) * stride + c) * element);
        }
      }
    }
  }
  const uint8_t* Row(int64_t y, size_t height) const {
    const bool inside = y >= 0 && y < static_cast<int64_t>(height);
    const uint8_t* row = inside ? data.data() + static_cast<size_t>(y) * row_bytes : zeros.data();
    return row + halo * stride * element;
  }
};

// The epilogue as kernels/element.h states it, one IEEE operation after the other.
float Finished(double sum, const Epilogue& e, size_t channel, const float* residual) {
  float v = static_cast<float>(sum) * e.scale[channel];
  v = v + e.bias[channel];
  if (residual != nullptr) v = v + *residual;
  if (e.leaky_relu) v = std::max(v, v * e.slope);
  if (e.gain != nullptr) v = v * e.gain[channel];
  return v;
}

bool Stored(float v, const Epilogue& e, const uint8_t* at) {
  if (e.out == Element::kF32) {
    float got = 0.0f;
    std::memcpy(&got, at, sizeof(got));
    return std::memcmp(&got, &v, sizeof(v)) == 0 || (std::isnan(got) && std::isnan(v));
  }
  if (std::isnan(v)) v = 0.0f;
  const float q = std::nearbyint(std::min(std::max(v, e.low), e.high)) + e.zero;
  if (e.out == Element::kU8) return *at == static_cast<uint8_t>(q);
  int16_t got = 0;
  std::memcpy(&got, at, sizeof(got));
  return got == static_cast<int16_t>(q);
}

std::vector<float> RandomFloats(std::mt19937* random, size_t n, float low, float high) {
  std::uniform_real_distribution<float> value(low, high);
  std::vector<float> v(n);
  for (float& x : v) x = value(*random);
  return v;
}

// Random constants of an epilogue, and what they point to.
struct Constants {
  std::vector<float> scale, bias, gain, residual_scale;
  Epilogue epilogue;
  Constants(std::mt19937* random, size_t channels, double largest_sum) {
    const size_t padded = PaddedChannels(channels);
    const float unit = static_cast<float>(100.0 / (largest_sum + 1.0));
    scale = RandomFloats(random, padded, 0.5f * unit, unit);
    bias = RandomFloats(random, padded, -5.0f, 5.0f);
    gain = RandomFloats(random, padded, 0.5f, 2.0f);
    residual_scale = RandomFloats(random, padded, 0.01f, 0.1f);
    epilogue.scale = scale.data();
    epilogue.bias = bias.data();
    epilogue.slope = 0.125f;
    epilogue.leaky_relu = (*random)() % 2 == 0;
    if ((*random)() % 2 == 0) epilogue.gain = gain.data();
    epilogue.residual_scale = residual_scale.data();
    constexpr Element kElements[] = {Element::kF32, Element::kI16, Element::kU8};
    epilogue.out = kElements[(*random)() % 3];
    if (epilogue.out == Element::kI16) {
      epilogue.high = 120.0f;
      epilogue.low = -120.0f;
    } else if (epilogue.out == Element::kU8) {
      epilogue.zero = 77.0f;
      epilogue.low = -77.0f;
      epilogue.high = 255.0f - 77.0f;
    }
    epilogue.residual = kElements[(*random)() % 3];
    epilogue.residual_zero = epilogue.residual == Element::kU8 ? 30.0f : 0.0f;
    // Whatever factors a model brings, integers stay within their limits.
    if (epilogue.out != Element::kF32 && (*random)() % 4 == 0) MakeHostile(random);
  }

  void MakeHostile(std::mt19937* random) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kFactors[] = {
        1e30f, -1e30f, 3e9f, -3e9f, kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()};
    for (std::vector<float>* factors : {&scale, &bias, &gain}) {
      for (int i = 0; i < 3; ++i) (*factors)[(*random)() % 8] = kFactors[(*random)() % 7];
    }
  }
};

ConvSpec RandomSpec(std::mt19937* random) {
  ConvSpec spec;
  constexpr size_t kKernels[] = {1, 3, 5};
  if ((*random)() % 3 == 0) {
    spec.kind = ConvSpec::Kind::kTranspose;
    spec.stride = 2;
    spec.kernel = Pick(random, 3, 5);
    spec.padding = spec.kernel == 5 ? 2 : 1;
  } else {
    spec.kernel = kKernels[(*random)() % 3];
    spec.stride = Pick(random, 1, 2);
    spec.padding = spec.kernel / 2;
    if (spec.kernel > 1 && spec.stride == 1) spec.mask = static_cast<ConvMask>((*random)() % 3);
  }
  spec.sources = spec.kernel == 1 && spec.kind == ConvSpec::Kind::kConv ? Pick(random, 1, 3) : 1;
  for (size_t s = 0; s < spec.sources; ++s) spec.in_channels[s] = Pick(random, 1, 24);
  spec.out_channels = (*random)() % 2 == 0 ? Pick(random, 1, 40) : Pick(random, 32, 72);
  return spec;
}

void CheckConv(unsigned seed) {
  std::mt19937 random(seed);
  const ConvSpec spec = RandomSpec(&random);
  const bool transposed = spec.kind == ConvSpec::Kind::kTranspose;
  const Element input = random() % 2 == 0 ? Element::kI16 : Element::kU8;
  const bool extreme = random() % 3 == 0;
  const int zero = input == Element::kU8 ? static_cast<int>(random() % 256) : 0;
  const size_t height = Pick(&random, 1, 5), width = Pick(&random, 1, 60);
  size_t in_total = 0;
  for (size_t s = 0; s < spec.sources; ++s) in_total += spec.in_channels[s];
  const double terms = static_cast<double>(in_total * spec.kernel * spec.kernel);
  // The largest weights for which no sum leaves int32.
  const int weight_most = input == Element::kU8
                              ? 127
                              : static_cast<int>(std::min(32767.0, 2147483647.0 / 32767.0 / terms));
  std::vector<ReferenceImage> sources;
  std::vector<PaddedInts> padded;
  for (size_t s = 0; s < spec.sources; ++s) {
    ReferenceImage image(height, width, spec.in_channels[s]);
    for (float& v : image.data) {
      if (input == Element::kU8) {
        v = static_cast<float>((extreme ? (random() % 2 == 0 ? 255 : 0) : int(random() % 256)) -
                               zero);
      } else {
        v = static_cast<float>(Value(&random, 32767, extreme));
      }
    }
    sources.push_back(image);
  }
  std::vector<int16_t> weight(in_total * spec.out_channels * spec.kernel * spec.kernel);
  for (int16_t& w : weight) w = static_cast<int16_t>(Value(&random, weight_most, extreme));
  const std::vector<float> float_weight(weight.begin(), weight.end());
  const Conv conv(spec, input, weight.data(), zero);
  const size_t extra = Pick(&random, 0, 2);
  padded.reserve(sources.size());
  for (const ReferenceImage& image : sources) {
    padded.emplace_back(image, input, zero, std::max(conv.ReadsLeft(), conv.ReadsRight()), extra);
  }
  Constants constants(&random, spec.out_channels,
                      terms * weight_most * (input == Element::kU8 ? 255.0 : 32767.0));
  Epilogue& epilogue = constants.epilogue;
  if (spec.paired_rows()) {
    epilogue.out = Element::kF32;
    epilogue.leaky_relu = false;
    epilogue.gain = nullptr;
  }
  const bool with_residual = !spec.paired_rows() && random() % 2 == 0;
  const size_t out_height = transposed ? 2 * height : (height - 1) / spec.stride + 1;
  const size_t out_width = transposed ? 2 * width : (width - 1) / spec.stride + 1;
  // One row of residuals serves all.
  std::vector<float> residual(out_width * spec.out_channels);
  std::vector<uint8_t> residual_bytes(residual.size() * 4 + 64);
  for (size_t i = 0; i < residual.size(); ++i) {
    const int q = static_cast<int>(random() % 200);
    if (epilogue.residual == Element::kF32) {
      residual[i] = static_cast<float>(q) * 0.1f;
      std::memcpy(residual_bytes.data() + 4 * i, &residual[i], 4);
    } else {
      residual[i] = (static_cast<float>(q) - epilogue.residual_zero) *
                    constants.residual_scale[i % spec.out_channels];
      StoreAs(epilogue.residual, q, 0, residual_bytes.data() + BytesOf(epilogue.residual) * i);
    }
  }
  const size_t element = BytesOf(epilogue.out);
  const size_t out_stride = spec.out_channels + Pick(&random, 0, 3);
  const size_t row_bytes = (out_width * out_stride + 32) * element;
  std::vector<uint8_t> out((out_height + 1) * row_bytes, kGuard);
  std::vector<ConvRow> rows;
  for (size_t oy = 0; oy < out_height; oy += spec.paired_rows() ? 2 : 1) {
    ConvRow row;
    int64_t iy[2 * kMaxKernel];
    const size_t taps = conv.TapRows(static_cast<int64_t>(oy), iy);
    for (size_t s = 0; s < spec.sources; ++s) {
      for (size_t i = 0; i < taps; ++i) row.in[s * kMaxKernel + i] = padded[s].Row(iy[i], height);
      row.in_pixel_stride[s] = padded[s].stride;
    }
    row.out = out.data() + oy * row_bytes + 16 * element;
    row.out_second = out.data() + (oy + 1) * row_bytes + 16 * element;
    row.out_pixel_stride = out_stride;
    row.phase = transposed && !spec.paired_rows() ? oy & 1 : 0;
    row.pixels = out_width;
    row.residual = with_residual ? residual_bytes.data() : nullptr;
    row.residual_pixel_stride = spec.out_channels;
    rows.push_back(row);
  }
  const size_t middle = conv.blocks() / 2;
  std::vector<float> scratch(conv.ScratchFloats());
  conv.Run(rows.data(), rows.size(), epilogue, middle, conv.blocks(), scratch.data());
  conv.Run(rows.data(), rows.size(), epilogue, 0, middle, scratch.data());

  size_t wrong = 0, touched = 0;
  std::vector<bool> written(out.size(), false);
  for (size_t oy = 0; oy < out_height; ++oy) {
    for (size_t ox = 0; ox < out_width; ++ox) {
      for (size_t oc = 0; oc < spec.out_channels; ++oc) {
        const double sum =
            ReferenceConv(spec, float_weight.data(), nullptr, sources, oy, ox, oc).value;
        const size_t at = oy * row_bytes + (16 + ox * out_stride + oc) * element;
        for (size_t i = 0; i < element; ++i) written[at + i] = true;
        const float* add = with_residual ? &residual[ox * spec.out_channels + oc] : nullptr;
        wrong += !Stored(Finished(sum, epilogue, oc, add), epilogue, out.data() + at);
      }
    }
  }
  for (size_t i = 0; i < out.size(); ++i) touched += !written[i] && out[i] != kGuard;
  CHECK_MESSAGE(wrong == 0, CurrentTarget(), " seed ", seed);
  CHECK_MESSAGE(touched == 0, CurrentTarget(), " seed ", seed);
}

void CheckGdn(unsigned seed) {
  std::mt19937 random(seed);
  const size_t channels = random() % 2 == 0 ? Pick(&random, 1, 50) : Pick(&random, 32, 72);
  const size_t pixels = Pick(&random, 1, 60);
  const Element input = random() % 2 == 0 ? Element::kI16 : Element::kU8;
  const bool inverse = random() % 2 == 0, extreme = random() % 3 == 0;
  const Gdn::Form form = random() % 2 == 0 ? Gdn::Form::kAbs : Gdn::Form::kSqrt;
  const bool root = form == Gdn::Form::kSqrt;
  const int zero = input == Element::kU8 ? static_cast<int>(random() % 256) : 0;
  const int gamma_most =
      input == Element::kU8 ? 127 : static_cast<int>(std::min<size_t>(32767, 65000 / channels));
  std::vector<int16_t> gamma(channels * channels);
  for (int16_t& g : gamma) g = static_cast<int16_t>(std::abs(Value(&random, gamma_most, extreme)));
  if (random() % 4 == 0) gamma[random() % gamma.size()] *= -1;
  const size_t stride = channels + random() % 3, in_element = BytesOf(input);
  std::vector<int> values(pixels * channels);
  std::vector<uint8_t> in((pixels * stride + 64) * in_element, 1);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = input == Element::kU8 ? static_cast<int>(random() % 256) - zero
                                      : Value(&random, 32767 >> random() % 16, extreme);
    StoreAs(input, values[i], zero,
            in.data() + (i / channels * stride + i % channels) * in_element);
  }
  Constants constants(&random, channels, 32767.0 * gamma_most * static_cast<double>(channels));
  Epilogue& epilogue = constants.epilogue;
  epilogue.leaky_relu = false;
  epilogue.residual = input;
  epilogue.residual_zero = static_cast<float>(zero);
  for (float& b : constants.bias) b = std::abs(b) + 0.1f;  // beta
  // Norms of zero and below are no model's, but have their bits too.
  if (random() % 4 == 0) constants.bias[random() % channels] = 0.0f;
  if (random() % 4 == 0) constants.scale[random() % channels] *= -1.0f;
  const Gdn gdn(channels, form, input, zero, inverse, gamma.data());
  AlignedBuffer<float> scratch;
  REQUIRE(scratch.Allocate(gdn.ScratchFloats()));
  const size_t element = BytesOf(epilogue.out);
  std::vector<uint8_t> out((pixels * stride + 32) * element, kGuard);
  gdn.Run(in.data(), stride, out.data(), stride, pixels, epilogue, scratch.get());
  size_t wrong = 0;
  for (size_t p = 0; p < pixels; ++p) {
    int most = 0, shift = 0;
    for (size_t k = 0; k < channels; ++k) most = std::max(most, std::abs(values[p * channels + k]));
    while (static_cast<int64_t>(most) * most > int64_t{kMostSquare} << shift) ++shift;
    for (size_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (size_t k = 0; k < channels; ++k) {
        const int64_t q = values[p * channels + k];
        const int64_t term = root ? (q * q + ((int64_t{1} << shift) >> 1)) >> shift : std::abs(q);
        sum += static_cast<double>(term) * static_cast<double>(gamma[c * channels + k]);
      }
      float norm = static_cast<float>(sum);
      if (root) norm = norm * static_cast<float>(1 << shift);
      norm = norm * epilogue.scale[c];
      norm = norm + epilogue.bias[c];
      if (root) norm = std::sqrt(norm);
      const float x = static_cast<float>(values[p * channels + c]) * constants.residual_scale[c];
      float v = inverse ? x * norm : x / norm;
      if (epilogue.gain != nullptr) v = v * epilogue.gain[c];
      wrong += !Stored(v, epilogue, out.data() + (p * stride + c) * element);
    }
  }
  CHECK_MESSAGE(wrong == 0, CurrentTarget(), " seed ", seed);
}

}  // namespace

TEST_CASE("integer convolutions: the bits of the plain loops on every target") {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    for (unsigned i = 0; i < 150; ++i) CheckConv(TestSeed() + i);
  }
  SetTarget("");
}

TEST_CASE("integer gdn: the bits of the plain loops on every target") {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    for (unsigned i = 0; i < 120; ++i) CheckGdn(TestSeed() + i);
  }
  SetTarget("");
}

}  // namespace glint::kernels
