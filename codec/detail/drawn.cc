#include "codec/detail/drawn.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "codec/detail/layout.h"
#include "codec/detail/transform_search.h"
#include "kernels/detail.h"

namespace glint::detail {
namespace {

constexpr uint64_t kMostUnlikePercent = 35;
// Of a block. Ordered dithers and fine patterns have few colours, though no neighbours are alike.
constexpr size_t kFewColours = 64, kFewGrays = 16;
// Squared levels. Photographs of which so many pixels are alike are skies, far below.
constexpr uint64_t kLeastDifference = 60;

// A trained model takes that much less than transforms of 8 x 8, which the estimate stands for.
constexpr double kModelShare = 0.7;

// Of a coefficient of so many steps, in bits: its error when it is left out, or what it takes.
double CostOfCoefficient(double steps) {
  const double zero = steps * steps / kLambdaOfStep;
  if (steps < 0.6) return zero;
  return std::min(zero, 4.6 + std::log2(steps));
}

// Three samples are read with a fourth byte, of what follows.
template <size_t kChannels>
uint32_t PixelAt(const uint8_t* samples) {
  if constexpr (kChannels == 1) return *samples;
  uint32_t pixel;
  std::memcpy(&pixel, samples, sizeof(pixel));
  return std::endian::native == std::endian::little ? pixel & 0xffffff : pixel >> 8;
}

// Of the pixels of a row, but for the first and the last: those like none of four neighbours. The
// row above is there, and nothing behind the row is read.
template <size_t kChannels>
uint64_t CountUnlike(const uint8_t* row, size_t stride, size_t width) {
  const uint8_t* const above = row - stride;
  uint64_t unlike = 0;
  uint32_t left = PixelAt<kChannels>(row);
  uint32_t up_left = PixelAt<kChannels>(above), up = PixelAt<kChannels>(above + kChannels);
  for (size_t x = 1; x + 1 < width; ++x) {
    const uint32_t pixel = PixelAt<kChannels>(row + x * kChannels);
    const uint32_t up_right = PixelAt<kChannels>(above + (x + 1) * kChannels);
    unlike += (pixel != left) & (pixel != up) & (pixel != up_left) & (pixel != up_right);
    left = pixel;
    up_left = up;
    up = up_right;
  }
  return unlike;
}

// Photographs are found out within a few rows.
template <size_t kChannels>
bool HasFewColours(const uint8_t* rows, size_t stride, size_t width, size_t height) {
  constexpr size_t kPlaces = 256;
  constexpr uint32_t kNone = 0xffffffff;
  std::array<uint32_t, kPlaces> seen;
  seen.fill(kNone);
  size_t count = 0;
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* pixel = rows + y * stride;
    for (size_t x = 0; x < width; ++x, pixel += kChannels) {
      uint32_t colour = 0;
      for (size_t c = 0; c < kChannels; ++c) colour = colour << 8 | pixel[c];
      size_t place = colour * 2654435761U >> 24;
      while (seen[place] != colour && seen[place] != kNone) place = (place + 1) % kPlaces;
      if (seen[place] == colour) continue;
      if (++count > (kChannels == 1 ? kFewGrays : kFewColours)) return false;
      seen[place] = colour;
    }
  }
  return true;
}

}  // namespace

bool LooksDrawn(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels) {
  if (width < 3 || height < 2) return true;
  const uint64_t most = kMostUnlikePercent * (height - 1) * (width - 2) / 100;
  uint64_t unlike = 0;
  for (size_t y = 1; y < height; ++y) {
    const uint8_t* const row = rows + y * stride;
    unlike +=
        channels == 1 ? CountUnlike<1>(row, stride, width) : CountUnlike<3>(row, stride, width);
    if (unlike <= most) continue;
    return channels == 1 ? HasFewColours<1>(rows, stride, width, height)
                         : HasFewColours<3>(rows, stride, width, height);
  }
  return true;
}

bool HasEdges(const uint8_t* rows, size_t stride, size_t width, size_t height, size_t channels,
              int top) {
  uint64_t error = 0;
  const size_t samples = width * channels;
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* const row = rows + y * stride;
    if (width > 1) error += kernels::SquaredError(row, row + channels, samples - channels);
    if (y > 0) error += kernels::SquaredError(row, row - stride, samples);
  }
  return static_cast<double>(error) * ErrorScale(top) >=
         static_cast<double>(kLeastDifference * samples * height);
}

DrawnBlocks::DrawnBlocks(size_t channels, int top, double lambda)
    : channels_(channels),
      top_(top),
      lambda_(lambda * static_cast<double>(channels) / ErrorScale(top)),
      pixels_(top),
      mean_(kBlock * channels),
      planes_(3 * kBlock * kBlock) {
  pixels_.Reset(static_cast<int>(channels));
}

uint64_t DrawnBlocks::MemoryNeeded() {
  return sizeof(DrawnBlocks) + PixelCoder::MemoryNeeded() +
         3 * kBlock * (1 + kBlock * sizeof(int16_t));
}

bool DrawnBlocks::IsDrawn(const uint8_t* rows, size_t stride, size_t width, size_t height) {
  if (!HasEdges(rows, stride, width, height, channels_, top_) ||
      !LooksDrawn(rows, stride, width, height, channels_)) {
    return false;
  }
  return TransformsCostMore(PixelCost(rows, stride, width, height) / kModelShare, rows, stride,
                            width, height);
}

// In bits.
double DrawnBlocks::PixelCost(const uint8_t* rows, size_t stride, size_t width, size_t height) {
  field_.Clear();
  WeighPort port;
  PixelCoder::Block block;
  block.width = static_cast<int>(width);
  block.height = static_cast<int>(height);
  block.source = rows;
  block.source_stride = stride;
  pixels_.Code(&port, block, &field_);
  return double{port.cost()};
}

// Than `bits`, where errors count as bits by lambda. Looks no further than it must.
bool DrawnBlocks::TransformsCostMore(double bits, const uint8_t* rows, size_t stride, size_t width,
                                     size_t height) {
  for (size_t c = 0; c < channels_; ++c) {
    uint64_t sum = 0;
    for (size_t y = 0; y < height; ++y) {
      for (size_t x = 0; x < width; ++x) sum += rows[y * stride + x * channels_ + c];
    }
    const auto mean = static_cast<uint8_t>(sum / (width * height));
    for (size_t x = 0; x < width; ++x) mean_[x * channels_ + c] = mean;
  }
  constexpr size_t kPlane = kBlock * kBlock;
  for (size_t y = 0; y < height; ++y) {
    int16_t* const planes[3] = {planes_.data() + y * kBlock, planes_.data() + kPlane + y * kBlock,
                                planes_.data() + 2 * kPlane + y * kBlock};
    kernels::DetailPlanes(rows + y * stride, mean_.data(), width, channels_, planes);
  }
  const double inverse_step = 1 / (16 * std::sqrt(lambda_ / kLambdaOfStep));
  double cost = 0;
  for (size_t p = 0; p < channels_; ++p) {
    // Whole transforms alone: a few pixels at an edge say little.
    for (size_t y = 0; y + 8 <= height; y += 8) {
      for (size_t x = 0; x + 8 <= width; x += 8) {
        int32_t coefficients[kernels::kDetailCoefficients];
        kernels::DetailForward(planes_.data() + p * kPlane + y * kBlock + x, kBlock, coefficients);
        for (const int32_t c : coefficients) {
          cost += CostOfCoefficient(std::abs(static_cast<double>(c)) * inverse_step);
        }
        if (cost > bits) return true;
      }
    }
  }
  return false;
}

}  // namespace glint::detail
