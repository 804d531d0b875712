#include "codec/detail/section_encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "codec/detail/drawn.h"
#include "kernels/detail.h"

namespace glint::detail {
namespace {

constexpr size_t kPlane = kBlock * kBlock;
constexpr double kBoundless = std::numeric_limits<double>::infinity();
constexpr size_t kTransforms = kTransformsAcross * kTransformsAcross;

// lambda = kLambdaOfStep * step^2: near what uniform quantisation with choices by rate and
// distortion gives.
constexpr double kLambdaOfStep = 0.13;

int StepOf(double lambda) {
  const double step = std::round(16 * std::sqrt(lambda / kLambdaOfStep));
  return static_cast<int>(std::clamp(step, 1.0, double{kMostStep}));
}

}  // namespace

SectionEncoder::SectionEncoder(size_t width, size_t channels, int top,
                               const EncoderSettings& settings)
    : width_(width),
      channels_(channels),
      settings_(settings),
      state_(width, channels, top),
      gray_(width),
      gray_source_(width),
      planes_(3 * kPlane),
      coefficients_(3 * kPlane),
      levels_(3 * kTransforms) {}

uint64_t SectionEncoder::MemoryNeeded(size_t width, size_t channels) {
  return sizeof(SectionEncoder) + SectionState::MemoryNeeded(width) +
         3 * kPlane * (2 * sizeof(int16_t) + sizeof(int32_t)) +
         (channels == 3 ? 2 * GrayRows::MemoryNeeded(width) : 0);
}

void SectionEncoder::Begin() {
  const double lambda = settings_.lambda * static_cast<double>(channels_);
  head_ = {settings_.exact_base, StepOf(lambda), std::clamp(settings_.max_error, 0, kMostNear)};
  state_.Begin(head_);
}

void SectionEncoder::EncodeRow(const uint8_t* source, size_t stride, const BlockRow& row) {
  WritePort port(&bits_, &raw_);
  const bool gray = state_.CodeGray(&port, IsGray(source, stride, row.height));
  BlockRow from{const_cast<uint8_t*>(source), stride, row.height};
  if (gray) from = gray_source_.FromColour(from);
  state_.BeginRow(gray ? gray_.FromColour(row) : row, gray);
  lambda_ = static_cast<float>(settings_.lambda * static_cast<double>(state_.channels()));
  for (size_t block = 0; block < state_.blocks(); ++block) {
    EncodeBlock(block, {from.rows + block * kBlock * state_.channels(), from.stride});
  }
  state_.EndRow();
  if (gray) gray_.ToColour(row);
}

bool SectionEncoder::IsGray(const uint8_t* source, size_t stride, size_t height) const {
  if (channels_ == 1) return false;
  for (size_t y = 0; y < height; ++y) {
    const uint8_t* row = source + y * stride;
    for (size_t x = 0; x < width_; ++x, row += 3) {
      if (row[0] != row[1] || row[0] != row[2]) return false;
    }
  }
  return true;
}

void SectionEncoder::Finish(std::vector<uint8_t>* payload) {
  std::vector<uint8_t> bits, raw;
  bits_.Finish(&bits);
  raw_.Finish(&raw);
  AppendSection(head_, bits, raw, payload);
}

SectionEncoder::Candidate SectionEncoder::WeighOff(size_t block, const Source& source) const {
  uint64_t error = 0;
  const size_t samples = state_.WidthOf(block) * state_.channels();
  for (size_t y = 0; y < state_.row().height; ++y) {
    error += kernels::SquaredError(source.rows + y * source.stride,
                                   state_.BlockRows(block) + y * state_.row().stride, samples);
  }
  const float bits = state_.CostOfKind(block, BlockKind::kOff);
  return {BlockKind::kOff, static_cast<double>(error) + double{lambda_} * double{bits}};
}

// Coefficients of all transforms; what is beyond the picture continues its edge.
void SectionEncoder::Transform(size_t block, const Source& source) {
  const size_t width = state_.WidthOf(block), height = state_.row().height;
  const size_t across = (width + 7) / 8, down = (height + 7) / 8;
  for (size_t y = 0; y < 8 * down; ++y) {
    const size_t from = std::min(y, height - 1);
    int16_t* planes[3];
    for (size_t p = 0; p < 3; ++p) planes[p] = planes_.data() + p * kPlane + y * kBlock;
    kernels::DetailPlanes(source.rows + from * source.stride,
                          state_.BlockRows(block) + from * state_.row().stride, width,
                          state_.channels(), planes);
    for (size_t p = 0; p < state_.channels(); ++p) {
      std::fill(planes[p] + width, planes[p] + 8 * across, planes[p][width - 1]);
    }
  }
  for (size_t p = 0; p < state_.channels(); ++p) {
    for (size_t v = 0; v < down; ++v) {
      for (size_t u = 0; u < across; ++u) {
        kernels::DetailForward(planes_.data() + p * kPlane + (v * kBlock + u) * 8, kBlock,
                               coefficients_.data() + (p * kTransforms + v * 8 + u) * 64);
      }
    }
  }
}

SectionEncoder::Candidate SectionEncoder::WeighTransforms(size_t block, const Source& source) {
  Transform(block, source);
  const size_t x = block * kTransformsAcross, columns = (state_.WidthOf(block) + 7) / 8;
  state_.magnitudes().Save(x, columns, &saved_);
  const float step = static_cast<float>(state_.step()) / 16;
  const float lambda = lambda_ / (step * step);
  double bits = 0, error = 0;
  state_.ForTransforms(block, [&](size_t plane, size_t v, size_t u, const Expectation& expectation,
                                  Magnitudes* magnitudes) {
    const size_t index = plane * kTransforms + v * 8 + u;
    int last = -1;
    const TransformCost cost = ChooseLevels(coefficients_.data() + index * 64, state_.step(),
                                            lambda, state_.models().planes[plane], expectation,
                                            &levels_[index], magnitudes, &last);
    bits += cost.bits;
    error += cost.error;
    return last + 1;
  });
  state_.magnitudes().Restore(x, columns, saved_);
  bits += state_.CostOfKind(block, BlockKind::kTransform);
  return {BlockKind::kTransform, error * step * step + double{lambda_} * bits};
}

PixelCoder::Block SectionEncoder::PixelsOf(size_t block, const Source& source, BlockKind kind) {
  PixelCoder::Block pixels;
  pixels.width = static_cast<int>(state_.WidthOf(block));
  pixels.height = static_cast<int>(state_.row().height);
  pixels.near = kind == BlockKind::kNear ? head_.near : 0;
  pixels.source = source.rows;
  pixels.source_stride = source.stride;
  if (head_.exact_base) {
    base_ = field_;
    pixels.base = &base_;
  }
  return pixels;
}

// Exactly. Nearly costs less for the block, but what models and memories then learn serves later
// blocks badly: screens take more bits for the same error.
SectionEncoder::Candidate SectionEncoder::WeighPixels(size_t block, const Source& source) {
  state_.Fill(block, &field_);
  const PixelCoder::Block pixels = PixelsOf(block, source, BlockKind::kPixels);
  WeighPort port;
  state_.pixels().Mark();
  state_.pixels().Code(&port, pixels, &field_);
  state_.pixels().Restore();
  const double bits = double{port.cost()} + double{state_.CostOfKind(block, BlockKind::kPixels)};
  return {BlockKind::kPixels, double{lambda_} * bits};
}

void SectionEncoder::EncodeBlock(size_t block, const Source& source) {
  if (settings_.max_error >= 0 || settings_.every_block) worth_ = kBoundless;
  if (settings_.max_error >= 0) {
    const bool exact = settings_.max_error == 0;
    Write(block, source, exact ? BlockKind::kPixels : BlockKind::kNear);
    return;
  }
  Candidate best = WeighTransforms(block, source);
  const auto consider = [&](const Candidate& candidate) {
    if (candidate.cost < best.cost) best = candidate;
  };
  const Candidate off = WeighOff(block, source);
  if (!settings_.every_block) consider(off);
  if (LooksDrawn(source.rows, source.stride, state_.WidthOf(block), state_.row().height,
                 state_.channels())) {
    consider(WeighPixels(block, source));
  }
  worth_ += (off.cost - best.cost) / double{lambda_};
  Write(block, source, best.kind);
}

void SectionEncoder::Write(size_t block, const Source& source, BlockKind kind) {
  WritePort port(&bits_, &raw_);
  state_.CodeKind(&port, block, kind);
  ++blocks_[static_cast<size_t>(kind)];
  if (kind == BlockKind::kTransform) {
    WriteTransforms(block, &port);
    return;
  }
  state_.magnitudes().Clear(block * kTransformsAcross, (state_.WidthOf(block) + 7) / 8);
  if (!HasPixels(kind)) return;
  state_.Fill(block, &field_);
  state_.pixels().Code(&port, PixelsOf(block, source, kind), &field_);
  state_.StorePixels(block, field_);
}

// The levels that were chosen last.
void SectionEncoder::WriteTransforms(size_t block, WritePort* port) {
  std::fill(planes_.begin(), planes_.end(), int16_t{0});
  state_.ForTransforms(block, [&](size_t plane, size_t v, size_t u, const Expectation& expectation,
                                  Magnitudes* magnitudes) {
    Levels& levels = levels_[plane * kTransforms + v * 8 + u];
    int last = -1;
    CodeLevels(port, &state_.models().planes[plane], expectation, &levels, magnitudes, &last);
    if (last >= 0) {
      kernels::DetailInverse(levels.data(), state_.step(),
                             planes_.data() + plane * kPlane + (v * kBlock + u) * 8, kBlock);
    }
    return last + 1;
  });
  state_.AddPlanes(block, planes_.data());
}

}  // namespace glint::detail
