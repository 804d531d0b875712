// Convolutions on random shapes against the plain loops, on every SIMD target: the close class
// within the rounding bound of its own operands, the exact class bit for bit; floats and float16
// in every place; nothing is written beside the outputs.

#include "kernels/conv.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

#include "kernels/targets.h"
#include "tests/float16.h"
#include "tests/kernel_reference.h"
#include "tests/seed.h"

namespace glint::kernels {
namespace {

constexpr float kGuard = 12345.0f;

struct ConvCase {
  ConvSpec spec;
  size_t height = 1, width = 1;
  size_t x_first = 0, x_stride = 1;
  bool compact_input = false;  // 1x1: the sources hold the wanted positions only
  bool bias = true, residual = false, leaky = false, gain = false;
  // kF32 or kF16: rows, weights, what is added, what is written.
  Element input = Element::kF32, kept = Element::kF32, added = Element::kF32, out = Element::kF32;
  float most = 0.0f;  // inputs lie in -1..1: with 1, sums may be in float16
};

float RandomFloat(std::mt19937* random) {
  return std::uniform_real_distribution<float>(-1.0f, 1.0f)(*random);
}

std::vector<float> RandomVector(std::mt19937* random, size_t n, Element element = Element::kF32) {
  std::vector<float> v(n);
  for (float& x : v) {
    x = RandomFloat(random);
    if (element == Element::kF16) x = NearestFloat16(x);
  }
  return v;
}

// The values as they stand in memory.
std::vector<uint8_t> Stored(const std::vector<float>& values, Element element) {
  std::vector<uint8_t> bytes(values.size() * BytesOf(element));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t bits = FloatToFloat16(NearestFloat16(values[i]));
    std::memcpy(bytes.data() + i * BytesOf(element),
                element == Element::kF16 ? static_cast<const void*>(&bits) : &values[i],
                BytesOf(element));
  }
  return bytes;
}

float Read(const std::vector<uint8_t>& bytes, size_t i, Element element) {
  float value = 0;
  uint16_t bits = 0;
  if (element == Element::kF16) {
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    return Float16ToFloat(bits);
  }
  std::memcpy(&value, bytes.data() + 4 * i, 4);
  return value;
}

size_t Pick(std::mt19937* random, size_t low, size_t high) {
  return std::uniform_int_distribution<size_t>(low, high)(*random);
}

// Rows with a halo of zeros and a pixel stride larger than the channels (as slices of wider tensors
// have).
struct PaddedImage {
  size_t stride, halo, row_floats, element;
  std::vector<uint8_t> bytes, zero;
  PaddedImage(const ReferenceImage& image, size_t halo_pixels, size_t extra, Element type)
      : stride(image.channels + extra), halo(halo_pixels), element(BytesOf(type)) {
    row_floats = (image.width + 2 * halo) * stride + 64;
    std::vector<float> data(image.height * row_floats, 0.0f);
    zero.assign(row_floats * element, 0);
    for (size_t y = 0; y < image.height; ++y) {
      for (size_t x = 0; x < image.width; ++x) {
        for (size_t c = 0; c < stride; ++c) {
          data[y * row_floats + (halo + x) * stride + c] =
              c < image.channels
                  ? image.AtOrZero(static_cast<int64_t>(y), static_cast<int64_t>(x), c)
                  : kGuard;
        }
      }
    }
    bytes = Stored(data, type);
  }
  const uint8_t* Row(int64_t y, size_t height) const {
    if (y < 0 || y >= static_cast<int64_t>(height)) return zero.data() + halo * stride * element;
    return bytes.data() + (static_cast<size_t>(y) * row_floats + halo * stride) * element;
  }
};

float Finish(float v, const ConvCase& test, const float* residual, const Epilogue& epilogue,
             size_t oc) {
  if (test.residual) v = v + residual[oc];
  if (test.leaky) v = std::max(v, v * epilogue.slope);
  if (test.gain) v = v * epilogue.gain[oc];
  return v;
}

// Runs one case on the current target and checks every output.
void Check(const ConvCase& test, unsigned seed) {
  std::mt19937 random(seed);
  const ConvSpec& spec = test.spec;
  const bool transposed = spec.kind == ConvSpec::Kind::kTranspose;
  size_t in_total = 0;
  std::vector<ReferenceImage> sources;
  for (size_t s = 0; s < spec.sources; ++s) {
    sources.emplace_back(test.height, test.width, spec.in_channels[s]);
    sources.back().data = RandomVector(&random, sources.back().data.size(), test.input);
    in_total += spec.in_channels[s];
  }
  const std::vector<float> weight =
      RandomVector(&random, in_total * spec.out_channels * spec.kernel * spec.kernel, test.kept);
  const std::vector<float> bias = RandomVector(&random, spec.out_channels);
  const std::vector<float> gain = RandomVector(&random, spec.out_channels);
  const float* bias_data = test.bias ? bias.data() : nullptr;
  const Conv conv(spec, weight.data(), bias_data, test.input, test.kept, test.most);
  Epilogue epilogue;
  epilogue.leaky_relu = test.leaky;
  epilogue.slope = 0.125f;
  epilogue.gain = test.gain ? gain.data() : nullptr;
  const std::vector<float> residual_scale(PaddedChannels(spec.out_channels), 0.25f);
  epilogue.residual = test.added;
  epilogue.residual_scale = residual_scale.data();
  epilogue.out = test.out;
  epilogue.low = -0.75f;
  epilogue.high = 0.75f;

  const size_t out_height = transposed ? 2 * test.height : (test.height - 1) / spec.stride + 1;
  const size_t full_width = transposed ? 2 * test.width : (test.width - 1) / spec.stride + 1;
  const size_t pixels = full_width > test.x_first
                            ? (full_width - test.x_first + test.x_stride - 1) / test.x_stride
                            : 0;
  const size_t out_stride = spec.out_channels + Pick(&random, 0, 3);
  const size_t out_row = pixels * out_stride + 32;
  const size_t extra = test.compact_input ? 0 : Pick(&random, 0, 2);
  std::vector<PaddedImage> padded;
  for (const ReferenceImage& source : sources) {
    padded.emplace_back(source, std::max(conv.ReadsLeft(), conv.ReadsRight()), extra, test.input);
  }
  const size_t out_bytes = BytesOf(test.out);
  std::vector<uint8_t> out =
      Stored(std::vector<float>((out_height + 1) * out_row, kGuard), test.out);
  std::vector<float> residual = RandomVector(&random, pixels * spec.out_channels, test.added);
  const std::vector<uint8_t> residual_bytes = Stored(residual, test.added);
  if (test.added == Element::kF16) {
    for (float& r : residual) r *= 0.25f;
  }
  std::vector<ConvRow> rows;
  for (size_t oy = 0; oy < out_height; oy += spec.paired_rows() ? 2 : 1) {
    ConvRow row;
    int64_t iy[2 * kMaxKernel];
    const size_t taps = conv.TapRows(static_cast<int64_t>(oy), iy);
    for (size_t s = 0; s < spec.sources; ++s) {
      for (size_t i = 0; i < taps; ++i)
        row.in[s * kMaxKernel + i] = padded[s].Row(iy[i], test.height);
      row.in_pixel_stride[s] = padded[s].stride;
      row.in_compact[s] = test.compact_input;
    }
    row.out = out.data() + (oy * out_row + 16) * out_bytes;
    row.out_second = out.data() + ((oy + 1) * out_row + 16) * out_bytes;
    row.out_pixel_stride = out_stride;
    row.phase = transposed && !spec.paired_rows() ? oy & 1 : 0;
    row.x_first = test.x_first;
    row.x_stride = test.x_stride;
    row.pixels = pixels;
    row.residual = test.residual ? residual_bytes.data() : nullptr;
    row.residual_pixel_stride = spec.out_channels;
    rows.push_back(row);
  }
  // Blocks in two calls, as two threads would take them.
  const size_t middle = conv.blocks() / 2;
  std::vector<float> scratch(conv.ScratchFloats(), kGuard);
  conv.Run(rows.data(), rows.size(), epilogue, middle, conv.blocks(), scratch.data());
  conv.Run(rows.data(), rows.size(), epilogue, 0, middle, scratch.data());

  size_t wrong = 0, touched = 0;
  std::vector<bool> written((out_height + 1) * out_row, false);
  for (size_t oy = 0; oy < out_height; ++oy) {
    for (size_t j = 0; j < pixels; ++j) {
      const size_t ox = test.compact_input ? j : test.x_first + j * test.x_stride;
      for (size_t oc = 0; oc < spec.out_channels; ++oc) {
        const ReferenceSum sum = ReferenceConv(spec, weight.data(), bias_data, sources, oy, ox, oc);
        const size_t at = oy * out_row + 16 + j * out_stride + oc;
        written[at] = true;
        const float* add = residual.data() + j * spec.out_channels;
        const float got = Read(out, at, test.out);
        const bool exact = spec.numerics == Numerics::kExact;
        float want =
            Finish(exact ? sum.chain : static_cast<float>(sum.value), test, add, epilogue, oc);
        // Half a unit of a float16 below 1, when the sums lie on either side of a boundary: a
        // whole.
        const double unit = test.out == Element::kF16 ? 0x1p-11 : 0.0;
        if (test.out == Element::kF16) want = NearestFloat16(want, epilogue.high);
        if (exact) {
          wrong += got != want;
        } else {
          // Each product passes at most 17 roundings to 11 bits, each half a unit of its block.
          const double float16_sums = conv.float16_sums() ? 17 * 0x1p-12 * sum.magnitude : 0.0;
          const double bound =
              1.2e-7 * (static_cast<double>(sum.terms) * 0.5 + 4) * (sum.magnitude + 1) + unit +
              float16_sums;
          wrong += !(std::abs(static_cast<double>(got) - static_cast<double>(want)) <= bound);
        }
      }
    }
  }
  const float guard = test.out == Element::kF16 ? NearestFloat16(kGuard) : kGuard;
  for (size_t i = 0; i < written.size(); ++i) {
    touched += !written[i] && Read(out, i, test.out) != guard;
  }
  const std::string what = CurrentTarget() + " k" + std::to_string(spec.kernel) + " s" +
                           std::to_string(spec.stride) + (transposed ? " transposed " : " ") +
                           std::to_string(in_total) + ">" + std::to_string(spec.out_channels) +
                           " " + std::to_string(test.width) + "x" + std::to_string(test.height) +
                           " seed " + std::to_string(seed) +
                           (test.input == Element::kF16 ? " float16 rows" : "") +
                           (conv.float16_sums() ? " float16 sums" : "") +
                           (test.kept == Element::kF16 ? " float16 weights" : "") +
                           (test.added == Element::kF16 ? " float16 residual" : "") +
                           (test.out == Element::kF16 ? " float16 out" : "");
  CHECK_MESSAGE(wrong == 0, what);
  CHECK_MESSAGE(touched == 0, what);
}

ConvCase RandomCase(std::mt19937* random) {
  ConvCase test;
  ConvSpec& spec = test.spec;
  spec.numerics = Pick(random, 0, 1) == 0 ? Numerics::kExact : Numerics::kClose;
  spec.out_channels = Pick(random, 0, 2) == 0 ? Pick(random, 1, 70) : 16 * Pick(random, 1, 4);
  spec.in_channels[0] = Pick(random, 1, 40);
  test.height = Pick(random, 1, 5);
  test.width = Pick(random, 1, 40);
  const size_t kind = Pick(random, 0, 3);
  if (kind == 0) {
    spec.kind = ConvSpec::Kind::kTranspose;
    spec.kernel = Pick(random, 3, 5);
    spec.stride = 2;
    spec.padding = spec.kernel == 5 ? 2 : 1;
  } else if (kind == 1) {  // 1x1 over several sources, perhaps on the checkerboard
    spec.sources = Pick(random, 1, kMaxSources);
    for (size_t s = 0; s < spec.sources; ++s) spec.in_channels[s] = Pick(random, 1, 20);
    test.x_stride = Pick(random, 1, 2);
    test.x_first = test.x_stride == 2 ? Pick(random, 0, 1) : 0;
  } else {
    spec.kernel = 2 * Pick(random, 0, 3) + 1;
    spec.padding = spec.kernel / 2;
    spec.stride = Pick(random, 1, 2);
    if (spec.stride == 1 && spec.kernel > 1) {
      spec.mask = static_cast<ConvMask>(Pick(random, 0, 2));
      test.x_stride = Pick(random, 1, 2);
      test.x_first = test.x_stride == 2 ? Pick(random, 0, 1) : 0;
    }
  }
  test.bias = Pick(random, 0, 3) != 0;
  constexpr Element kElements[] = {Element::kF32, Element::kF16};
  test.input = kElements[Pick(random, 0, 1)];
  test.kept = kElements[Pick(random, 0, 1)];
  test.most = static_cast<float>(Pick(random, 0, 1));
  if (!spec.paired_rows()) {
    test.added = kElements[Pick(random, 0, 1)];
    test.out = kElements[Pick(random, 0, 1)];
    test.residual = Pick(random, 0, 1) == 1;
    test.leaky = Pick(random, 0, 1) == 1;
    test.gain = Pick(random, 0, 1) == 1;
  }
  return test;
}

}  // namespace

TEST_CASE("conv: random shapes on every target") {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    std::mt19937 random(TestSeed());
    for (unsigned i = 0; i < 120; ++i) Check(RandomCase(&random), i);
  }
  SetTarget("");
}

TEST_CASE("conv: last layers of every kernel and number of outputs, wide and narrow") {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    std::mt19937 random(TestSeed() + 1);
    for (unsigned i = 0; i < 60; ++i) {
      ConvCase test;
      test.spec.kind = ConvSpec::Kind::kTranspose;
      test.spec.kernel = Pick(&random, 3, 5);
      test.spec.stride = 2;
      test.spec.padding = test.spec.kernel == 5 ? 2 : 1;
      test.spec.out_channels = Pick(&random, 0, 1) == 0 ? 3 : Pick(&random, 1, 4);
      test.spec.in_channels[0] = Pick(&random, 1, 70);
      test.height = Pick(&random, 1, 6);
      test.width = Pick(&random, 0, 1) == 0 ? Pick(&random, 1, 20) : Pick(&random, 50, 150);
      test.bias = Pick(&random, 0, 3) != 0;
      test.input = Pick(&random, 0, 2) == 0 ? Element::kF16 : Element::kF32;
      REQUIRE(test.spec.paired_rows());
      Check(test, 1000 + i);
    }
  }
  SetTarget("");
}

TEST_CASE("conv: the shapes of the shipped model's special layers") {
  for (const std::string& target : SupportedTargets()) {
    REQUIRE(SetTarget(target));
    ConvCase first;  // three colours in
    first.spec = {ConvSpec::Kind::kConv, 5, 2, 2, ConvMask::kNone, false, 1, {3}, 32,
                  Numerics::kClose};
    first.height = 6;
    first.width = 50;
    Check(first, 1);
    ConvCase last;  // three colours out, rows in pairs
    last.spec = {
        ConvSpec::Kind::kTranspose, 4, 2, 1, ConvMask::kNone, false, 1, {32}, 3, Numerics::kClose};
    last.height = 4;
    last.width = 29;
    CHECK(last.spec.paired_rows());
    Check(last, 2);
    for (const size_t kernel : {size_t{3}, size_t{5}}) {
      last.spec.kernel = kernel;
      last.spec.padding = kernel / 2;
      last.spec.numerics = Numerics::kClose;
      Check(last, 3);
    }
    ConvCase compact;  // the second 1x1 of a parameter net
    compact.spec = {ConvSpec::Kind::kConv, 1, 1, 0, ConvMask::kNone, false, 2, {24, 40}, 48,
                    Numerics::kExact};
    compact.width = 25;
    compact.compact_input = true;
    Check(compact, 4);
  }
  SetTarget("");
}

}  // namespace glint::kernels
