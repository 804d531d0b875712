#include "codec/detail/section_encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "codec/detail/drawn.h"
#include "codec/detail/layout.h"
#include "kernels/detail.h"

namespace glint::detail {
namespace {

constexpr size_t kPlane = kBlock * kBlock;
constexpr double kBoundless = std::numeric_limits<double>::infinity();
constexpr double kNearShare = 0.55;
constexpr size_t kTransforms = kTransformsAcross * kTransformsAcross;

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
      lambda_per_channel_(settings.lambda / ErrorScale(top)),
      photograph_lambda_per_channel_(settings.photograph_lambda > 0
                                         ? settings.photograph_lambda / ErrorScale(top)
                                         : lambda_per_channel_),
      state_(width, channels, top),
      gray_(width),
      gray_source_(width),
      block_bits_(state_.blocks()),
      planes_(3 * kPlane),
      coefficients_(3 * kPlane),
      levels_(3 * kTransforms) {}

uint64_t SectionEncoder::MemoryNeeded(size_t width, size_t channels) {
  return sizeof(SectionEncoder) + SectionState::MemoryNeeded(width) +
         3 * kPlane * (2 * sizeof(int16_t) + sizeof(int32_t)) +
         (width / kBlock + 1) * sizeof(float) +
         (channels == 3 ? 2 * GrayRows::MemoryNeeded(width) : 0);
}

void SectionEncoder::Begin() {
  const double lambda = lambda_per_channel_ * static_cast<double>(channels_);
  head_ = {settings_.exact_base, StepOf(lambda), std::clamp(settings_.max_error, 0, kMostNear)};
  state_.Begin(head_);
}

void SectionEncoder::EncodeRow(const uint8_t* source, size_t stride, const BlockRow& row) {
  WritePort port(&bits_, &raw_);
  const bool gray = state_.CodeGray(&port, IsGray(source, stride, row.height));
  if (gray) {
    const BlockRow means = gray_source_.FromColour(source, stride, row.height);
    source = means.rows;
    stride = means.stride;
  }
  state_.BeginRow(gray ? gray_.FromColour(row.rows, row.stride, row.height) : row, gray);
  drawn_lambda_ = static_cast<float>(lambda_per_channel_ * static_cast<double>(state_.channels()));
  photograph_lambda_ =
      static_cast<float>(photograph_lambda_per_channel_ * static_cast<double>(state_.channels()));
  for (size_t block = 0; block < state_.blocks(); ++block) {
    const double before = BitsTaken();
    EncodeBlock(block, {source + block * kBlock * state_.channels(), stride});
    block_bits_[block] = static_cast<float>(BitsTaken() - before);
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

// Squared, of the base.
double SectionEncoder::BaseError(size_t block, const Source& source) const {
  uint64_t error = 0;
  const size_t samples = state_.WidthOf(block) * state_.channels();
  for (size_t y = 0; y < state_.row().height; ++y) {
    error += kernels::SquaredError(source.rows + y * source.stride,
                                   state_.BlockRows(block) + y * state_.row().stride, samples);
  }
  return static_cast<double>(error);
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

// Given up where they are dearer than `most`: then `levels_` are not those of the whole block.
SectionEncoder::Candidate SectionEncoder::WeighTransforms(size_t block, const Source& source,
                                                          double most) {
  Transform(block, source);
  const size_t x = block * kTransformsAcross, columns = (state_.WidthOf(block) + 7) / 8;
  state_.magnitudes().Save(x, columns, &saved_);
  const float step = static_cast<float>(state_.step()) / 16;
  const float lambda = lambda_ / (step * step);
  double bits = 0, error = 0;
  const auto cost = [&] { return error * step * step + BitCost(bits); };
  const bool whole =
      state_.ForTransforms(block, [&](size_t plane, size_t v, size_t u,
                                      const Expectation& expectation, Magnitudes* magnitudes) {
        const size_t index = plane * kTransforms + v * 8 + u;
        int last = -1;
        const TransformCost one = ChooseLevels(coefficients_.data() + index * 64, state_.step(),
                                               lambda, state_.models().planes[plane], expectation,
                                               &levels_[index], magnitudes, &last);
        bits += one.bits;
        error += one.error;
        return cost() > most ? -1 : last + 1;
      });
  state_.magnitudes().Restore(x, columns, saved_);
  bits += state_.CostOfKind(block, BlockKind::kTransform);
  return {BlockKind::kTransform, PixelMode::kDrawn, whole ? cost() : kBoundless};
}

PixelCoder::Block SectionEncoder::PixelsOf(size_t block, const Source& source,
                                           const Candidate& candidate) const {
  PixelCoder::Block pixels;
  pixels.width = static_cast<int>(state_.WidthOf(block));
  pixels.height = static_cast<int>(state_.row().height);
  pixels.near = candidate.kind == BlockKind::kNear ? head_.near : 0;
  pixels.mode = candidate.mode;
  pixels.source = source.rows;
  pixels.source_stride = source.stride;
  return pixels;
}

// By their bits alone.
SectionEncoder::Candidate SectionEncoder::WeighPixels(size_t block, const Source& source,
                                                      BlockKind kind, PixelMode mode) {
  Candidate candidate{kind, mode};
  state_.Fill(block, &field_);
  WeighPort port;
  state_.pixels().Mark();
  state_.pixels().Code(&port, PixelsOf(block, source, candidate), &field_);
  state_.pixels().Restore();
  candidate.cost = BitCost(double{port.cost()} + double{state_.CostOfKind(block, kind)});
  return candidate;
}

SectionEncoder::Candidate SectionEncoder::WeighRaw(size_t block) {
  const auto digits = std::bit_width(static_cast<uint32_t>(state_.top()));
  const size_t samples = state_.WidthOf(block) * state_.row().height * state_.channels();
  return {BlockKind::kPixels, PixelMode::kRaw,
          BitCost(static_cast<double>(samples * static_cast<size_t>(digits)))};
}

SectionEncoder::Candidate SectionEncoder::WithinLimit(size_t block, const Source& source) {
  const BlockKind nearest = settings_.max_error == 0 ? BlockKind::kPixels : BlockKind::kNear;
  const Candidate best = IsDrawing(block, source) ? WeighDrawing(block, source, nearest)
                                                  : WeighPhotograph(block, source, nearest);
  const Candidate raw = WeighRaw(block);
  return raw.cost < best.cost ? raw : best;
}

SectionEncoder::Candidate SectionEncoder::WeighPhotograph(size_t block, const Source& source,
                                                          BlockKind nearest) {
  const Candidate mixed = WeighPixels(block, source, nearest, PixelMode::kMixed);
  const Candidate natural = WeighPixels(block, source, nearest, PixelMode::kNatural);
  return mixed.cost < natural.cost ? mixed : natural;
}

// Of a drawing near pixels, whose colours are all a little different, teach models and memories
// badly: later blocks take more bits. So they must take far fewer themselves.
SectionEncoder::Candidate SectionEncoder::WeighDrawing(size_t block, const Source& source,
                                                       BlockKind nearest) {
  const Candidate exact = WeighPixels(block, source, BlockKind::kPixels, PixelMode::kDrawn);
  if (nearest == BlockKind::kPixels) return exact;
  const Candidate near = WeighPixels(block, source, nearest, PixelMode::kDrawn);
  return near.cost < kNearShare * exact.cost ? near : exact;
}

bool SectionEncoder::IsPlain(size_t block, const Source& source) const {
  const size_t channels = state_.channels(), samples = state_.WidthOf(block) * channels;
  // Each pixel is like the one to its left, each row like the first.
  if (std::memcmp(source.rows, source.rows + channels, samples - channels) != 0) return false;
  for (size_t y = 1; y < state_.row().height; ++y) {
    if (std::memcmp(source.rows, source.rows + y * source.stride, samples) != 0) return false;
  }
  return true;
}

bool SectionEncoder::IsDrawing(size_t block, const Source& source) const {
  return LooksDrawn(source.rows, source.stride, state_.WidthOf(block), state_.row().height,
                    state_.channels());
}

void SectionEncoder::EncodeBlock(size_t block, const Source& source) {
  lambda_ = drawn_lambda_;
  if (settings_.max_error >= 0 || settings_.every_block) worth_ = kBoundless;
  if (settings_.max_error >= 0) {
    Write(block, source, WithinLimit(block, source));
    return;
  }
  const double error = BaseError(block, source);
  // A block of one colour takes a few bits as pixels, so it is exact at every rate: no rate gives a
  // worse picture than a lower one, where the model's own flat areas are a level or two off.
  if (error > 0 && IsPlain(block, source)) {
    worth_ = kBoundless;
    Write(block, source, {BlockKind::kPixels, PixelMode::kDrawn});
    return;
  }
  const bool is_drawing = IsDrawing(block, source);
  if (!is_drawing) lambda_ = photograph_lambda_;
  const Candidate off{BlockKind::kOff, PixelMode::kDrawn,
                      error + BitCost(state_.CostOfKind(block, BlockKind::kOff))};
  Candidate best = off;
  if (settings_.every_block) best.cost = kBoundless;
  // Exactly: pixels that are near cost less for the block, but what models and memories then learn
  // serves later blocks badly, and screens take more bits for the same error.
  if (is_drawing) {
    const Candidate pixels = WeighPixels(block, source, BlockKind::kPixels, PixelMode::kDrawn);
    if (pixels.cost < best.cost) best = pixels;
  }
  const Candidate transforms = WeighTransforms(block, source, best.cost);
  if (transforms.cost <= best.cost) best = transforms;
  worth_ += (off.cost - best.cost) / double{lambda_};
  Write(block, source, best);
}

void SectionEncoder::Write(size_t block, const Source& source, const Candidate& candidate) {
  const BlockKind kind = candidate.kind;
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
  state_.pixels().Code(&port, PixelsOf(block, source, candidate), &field_);
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
