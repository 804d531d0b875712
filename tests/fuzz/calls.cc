#include "tests/fuzz/calls.h"

#include <cmath>

#include "tests/codec_helpers.h"

namespace glint::fuzz {
namespace {

constexpr uint32_t kMostPixelsWithEffort = 400;
constexpr uint32_t kMaskOfDepth[] = {0xFF, 0x01, 0x03, 0xFF, 0x0F};

// One of the metadata that there are, or a few bytes of the picture as such.
Metadata ChooseMetadata(Choices* choices, std::span<const uint8_t> data) {
  Metadata metadata;
  const auto part = data.first(std::min<size_t>(data.size(), 40));
  switch (choices->Below(8)) {
    case 5:
      metadata.icc.assign(part.begin(), part.end());
      return metadata;
    case 6:
      metadata.exif = {'M', 'M', 0, 42};
      metadata.exif.insert(metadata.exif.end(), part.begin(), part.end());
      metadata.chunks = {{"tEXt", Bytes(60, 'y')}};
      return metadata;
    case 7:
      return testing::SomeMetadata();
    default:
      return metadata;
  }
}

}  // namespace

uint64_t ChooseMemory(Choices* choices, uint64_t usual, uint64_t step) {
  constexpr uint8_t kUsual = 192;
  const uint8_t kind = choices->Byte();
  return kind < kUsual ? usual : (uint64_t{kind} - kUsual + 1) * step;
}

Limits ChooseLimits(Choices* choices) {
  Limits limits;
  limits.max_pixels = choices->OneIn(16) ? kMostPixels / 16 : kMostPixels;
  limits.max_memory = ChooseMemory(choices, kMostMemory, uint64_t{1} << 18);
  return limits;
}

void ChooseCall(Choices* choices, CallOptions* options) {
  options->limits = ChooseLimits(choices);
  options->threads = 1 + static_cast<int>(choices->Below(3));
  options->band_rows = choices->Byte();
}

PictureInfo ChooseForm(Choices* choices, uint32_t most) {
  PictureInfo info;
  info.width = 1 + choices->Below(most);
  info.height = 1 + choices->Below(most);
  const uint8_t form = choices->Byte();
  info.channels = (form & 1) != 0 ? 1 : 3;
  info.has_alpha = (form & 2) != 0;
  info.bit_depth = (form & 4) != 0 ? 16 : 8;
  if (info.channels == 1 && !info.has_alpha && (form & 24) != 0) {
    info.bit_depth = 1U << ((form >> 3 & 3) - 1);
  }
  return info;
}

Picture ChoosePicture(Choices* choices, uint32_t most, std::span<const uint8_t> data) {
  const PictureInfo info = ChooseForm(choices, most);
  const uint8_t kind = choices->Byte();
  Picture picture;
  if (kind % 2 == 0) {
    picture.info = info;
    picture.samples.resize(info.RowBytes() * info.height);
  } else {
    picture = testing::SmoothPicture(info, kind);
  }
  const uint32_t mask = info.bit_depth < 8 ? kMaskOfDepth[info.bit_depth] : 0xFF;
  if (!data.empty()) {
    for (size_t i = 0; i < picture.samples.size(); ++i) {
      picture.samples[i] ^= static_cast<uint8_t>(data[i % data.size()] & mask);
    }
  }
  picture.metadata = ChooseMetadata(choices, data);
  return picture;
}

EncodeOptions ChooseEncode(Choices* choices, const ModelInfo& model, const PictureInfo& picture) {
  EncodeOptions options;
  const uint8_t kind = choices->Byte();
  options.detail = kind % 4 == 1 ? Detail::kOff : kind % 4 == 2 ? Detail::kOn : Detail::kAuto;
  options.exact = (kind & 4) != 0;
  // Effort is slow: with few, and with small ones.
  const bool is_small = picture.width * picture.height <= kMostPixelsWithEffort;
  options.effort = kind >= 252 && is_small && !model.has_fixed_rate() ? 1 : 0;
  const uint8_t rate = choices->Byte();
  if (kind % 4 == 3) {
    options.lossless = picture.bit_depth <= 8 && (kind & 8) != 0;
    options.max_error = options.lossless ? -1 : rate % 128;
    return options;
  }
  const bool off = options.detail == Detail::kOff;
  if (rate == 0 || (off && model.has_fixed_rate())) return options;
  const double low = off ? model.lrd_min : model.detail_lrd_min;
  const double high = off ? model.lrd_max : model.detail_lrd_max;
  options.lrd = rate == 255 ? high : low * std::pow(high / low, (rate - 1) / 254.0);
  return options;
}

DecodeOptions ChooseDecode(Choices* choices) {
  DecodeOptions options;
  ChooseCall(choices, &options);
  const uint8_t kind = choices->Byte();
  options.alpha = kind % 4 == 1   ? AlphaOutput::kDrop
                  : kind % 4 == 2 ? AlphaOutput::kBlend
                                  : AlphaOutput::kKeep;
  options.detail = kind / 4 % 4 == 1   ? DetailOutput::kSkip
                   : kind / 4 % 4 == 2 ? DetailOutput::kSkipDamaged
                                       : DetailOutput::kDecode;
  if (kind >= 128) options.background = {kind, 10, 200};
  return options;
}

bool SameMetadata(const Metadata& a, const Metadata& b) { return testing::SameMetadata(a, b); }

bool SameForm(const PictureInfo& a, const PictureInfo& b) { return testing::SameForm(a, b); }

}  // namespace glint::fuzz
