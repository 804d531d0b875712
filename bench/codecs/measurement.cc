#include "bench/codecs/measurement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "glint/pictures.hpp"
#include "tools/common/console.h"
#include "tools/common/machine.h"
#include "tools/common/text.h"

namespace glint::bench {

tools::QualityCurve QualityCurveOf(const CodecCurve& curve) {
  tools::QualityCurve out{curve.name, {}, {}};
  for (const SettingMeans& means : curve.settings) {
    out.psnr.push_back({means.bpp, means.psnr});
    if (means.ms_ssim) out.ms_ssim.push_back({means.ms_ssim_bpp, tools::Decibels(*means.ms_ssim)});
  }
  return out;
}

std::optional<SettingMeans> AtPsnr(const CodecCurve& curve, double psnr) {
  for (size_t i = 1; i < curve.settings.size(); ++i) {
    const SettingMeans &low = curve.settings[i - 1], &high = curve.settings[i];
    if (!(low.psnr <= psnr && psnr <= high.psnr) || low.psnr == high.psnr) continue;
    const double share = (psnr - low.psnr) / (high.psnr - low.psnr);
    const auto between = [share](double a, double b) {
      return std::exp(std::log(a) + share * (std::log(b) - std::log(a)));
    };
    SettingMeans means;
    means.psnr = psnr;
    means.bpp = between(low.bpp, high.bpp);
    means.encode_mps = between(low.encode_mps, high.encode_mps);
    means.decode_mps = between(low.decode_mps, high.decode_mps);
    return means;
  }
  return {};
}

CodecMeasurement::CodecMeasurement(PictureCodecs codecs, int rounds)
    : codecs_(std::move(codecs)), rounds_(rounds) {
  for (const auto& codec : codecs_) sums_.emplace_back(codec->settings().size());
}

Error CodecMeasurement::Add(const Picture& rgb8) {
  std::vector<std::vector<Sums>> sums = sums_;
  for (size_t c = 0; c < codecs_.size(); ++c) {
    PictureCodec* const codec = codecs_[c].get();
    for (size_t s = 0; s < codec->settings().size(); ++s) {
      const double setting = codec->settings()[s];
      const Error error = Measure(codec, setting, rgb8, &sums[c][s]);
      if (!error.ok()) return tools::At(codec->name() + " at " + tools::Shortest(setting), error);
    }
  }
  sums_ = std::move(sums);
  pictures_ += 1;
  megapixels_ += static_cast<double>(rgb8.info.width) * rgb8.info.height / 1e6;
  return {};
}

Error CodecMeasurement::Measure(PictureCodec* codec, double setting, const Picture& picture,
                                Sums* sums) const {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  double encode_seconds = kNever, decode_seconds = kNever;
  Picture decoded;
  double bpp = 0;
  for (int round = 0; round < rounds_; ++round) {
    const double begin = tools::Now();
    const Expected<std::vector<uint8_t>> bytes = codec->Encode(picture, setting);
    const double middle = tools::Now();
    if (!bytes) return bytes.error();
    Expected<Picture> shown = codec->Decode(*bytes);
    const double end = tools::Now();
    if (!shown) return shown.error();
    encode_seconds = std::min(encode_seconds, middle - begin);
    decode_seconds = std::min(decode_seconds, end - middle);
    if (round > 0) continue;
    decoded = ToRgb8(*shown);
    if (decoded.info.width != picture.info.width || decoded.info.height != picture.info.height) {
      return CodecError(codec->version(), "the decoded picture has another size");
    }
    const double pixels = static_cast<double>(picture.info.width) * picture.info.height;
    bpp = 8 * static_cast<double>(bytes->size()) / pixels;
  }
  sums->encode_seconds += encode_seconds;
  sums->decode_seconds += decode_seconds;
  sums->bpp += bpp;
  sums->psnr += std::min(kExactPsnr, PsnrRgb(picture, decoded));
  const std::optional<double> ms_ssim = MsSsimRgb(picture, decoded);
  if (!ms_ssim) return {};
  sums->ms_ssim += *ms_ssim;
  sums->ms_ssim_bpp += bpp;
  sums->with_ms_ssim += 1;
  return {};
}

std::vector<CodecCurve> CodecMeasurement::curves() const {
  std::vector<CodecCurve> curves;
  for (size_t c = 0; c < codecs_.size(); ++c) {
    CodecCurve curve{codecs_[c]->name(), codecs_[c]->version(), {}};
    for (size_t s = 0; s < sums_[c].size(); ++s) {
      const Sums& sums = sums_[c][s];
      SettingMeans means;
      means.setting = codecs_[c]->settings()[s];
      means.bpp = sums.bpp / pictures_;
      means.psnr = sums.psnr / pictures_;
      if (sums.with_ms_ssim > 0) {
        means.ms_ssim = sums.ms_ssim / sums.with_ms_ssim;
        means.ms_ssim_bpp = sums.ms_ssim_bpp / sums.with_ms_ssim;
      }
      means.encode_mps = megapixels_ / sums.encode_seconds;
      means.decode_mps = megapixels_ / sums.decode_seconds;
      curve.settings.push_back(means);
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace glint::bench
