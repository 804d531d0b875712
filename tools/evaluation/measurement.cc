#include "tools/evaluation/measurement.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <utility>

#include "glint/image_io.hpp"
#include "tools/common/console.h"
#include "tools/common/detail_text.h"
#include "tools/common/machine.h"
#include "tools/common/messages.h"
#include "tools/evaluation/verification.h"

namespace glint::tools {
namespace {

struct Timing {
  double seconds = 0;
  StageTimes stages;
};

// The middle one by total time (the faster of the two in the middle).
Timing Median(std::vector<Timing> timings) {
  const size_t middle = (timings.size() - 1) / 2;
  std::nth_element(timings.begin(), timings.begin() + static_cast<std::ptrdiff_t>(middle),
                   timings.end(),
                   [](const Timing& a, const Timing& b) { return a.seconds < b.seconds; });
  return timings[middle];
}

void SetCallOptions(const MeasureOptions& options, CallOptions* call) {
  call->threads = options.threads;
  call->limits = options.limits;
}

// Of one of the repetitions.
void SetProgress(const MeasureOptions& options, const char* what, int repetition,
                 CallOptions* call) {
  if (!options.progress) return;
  call->progress = [&options, what, repetition](double done) {
    return options.progress(what, (repetition + done) / options.repeat);
  };
}

EncodeOptions EncodeOptionsOf(const MeasureOptions& options) {
  EncodeOptions call;
  SetCallOptions(options, &call);
  call.lrd = options.lrd;
  call.detail = options.detail;
  call.effort = options.effort;
  return call;
}

Error EncodeRepeatedly(const Model& model, const Picture& original, const MeasureOptions& options,
                       Coded* coded) {
  EncodeOptions call = EncodeOptionsOf(options);
  call.limits.held_memory += original.samples.size();
  std::vector<Timing> timings;
  for (int i = 0; i < options.repeat; ++i) {
    SetProgress(options, "encoding", i, &call);
    Report report;
    const double begin = Now();
    Expected<std::vector<uint8_t>> stream = Encode(model, original, call, &report);
    timings.push_back({Now() - begin, report.times});
    if (!stream) return stream.error();
    if (i > 0 && *stream != coded->stream) {
      return MakeError(ErrorCode::kBadStream, "encoding it again gave other bytes");
    }
    coded->stream = std::move(*stream);
    coded->measurement.estimated_bpp = report.estimated_bits;  // divided by the pixels later
    coded->measurement.saturated_latents = report.saturated_latents;
    Measurement& m = coded->measurement;
    m.detail = std::move(report.detail);
    m.base_psnr = BasePsnr(m.detail, original.info);
    if (m.base_psnr) m.repaired_psnr = PsnrOfError(m.detail.error, original.info);
  }
  const Timing median = Median(std::move(timings));
  coded->measurement.encoding_time = median.seconds;
  coded->measurement.encoding_stages = median.stages;
  return {};
}

Error DecodeRepeatedly(const Model& model, const Picture& original, const MeasureOptions& options,
                       Coded* coded) {
  DecodeOptions call;
  SetCallOptions(options, &call);
  call.limits.held_memory += original.samples.size() + coded->stream.size();
  std::vector<Timing> timings;
  for (int i = 0; i < options.repeat; ++i) {
    SetProgress(options, "decoding", i, &call);
    coded->decoded = {};
    Report report;
    const double begin = Now();
    Expected<Picture> decoded =
        Decode(model, coded->stream.data(), coded->stream.size(), call, &report);
    timings.push_back({Now() - begin, report.times});
    if (!decoded) return decoded.error();
    coded->decoded = std::move(*decoded);
    coded->latent_crc = report.latent_crc;
  }
  const Timing median = Median(std::move(timings));
  coded->measurement.decoding_time = median.seconds;
  coded->measurement.decoding_stages = median.stages;
  return {};
}

// Not timed.
Error Verify(const Model& model, const Picture& original, const MeasureOptions& options,
             const Coded& coded) {
  Limits limits = options.limits;
  limits.held_memory +=
      original.samples.size() + coded.stream.size() + coded.decoded.samples.size();
  std::function<bool(double)> progress;
  if (options.progress) {
    progress = [&options](double done) { return options.progress("verifying", done); };
  }
  return VerifyDecoding(model, {coded.stream, coded.decoded, coded.latent_crc},
                        OtherSplit(options.threads, coded.latent_crc), progress, limits);
}

Error Compare(const Picture& original, Coded* coded) {
  Measurement& m = coded->measurement;
  m.width = original.info.width;
  m.height = original.info.height;
  if (coded->decoded.info.width != m.width || coded->decoded.info.height != m.height) {
    return MakeError(ErrorCode::kBadStream, "the decoded picture has another size");
  }
  const double pixels = static_cast<double>(m.width) * m.height;
  m.bytes = coded->stream.size();
  m.bpp = 8 * static_cast<double>(m.bytes) / pixels;
  m.estimated_bpp /= pixels;
  m.psnr = PsnrAsSeen(original, coded->decoded);
  const Picture a = AsSeen(original);
  const Picture b = AsSeen(coded->decoded);
  m.ms_ssim = MsSsimRgb(a, b);
  return {};
}

// Samples of a picture as 8 bits or as the decoder gives them: those of 16 bits with alpha stay so.
uint64_t DecodedBytes(const PictureInfo& info) {
  PictureInfo decoded = info;
  if (!info.has_alpha) decoded.bit_depth = std::min(info.bit_depth, 8U);
  return uint64_t{decoded.RowBytes()} * info.height;
}

// Memory of both pictures as 8-bit RGB and of MS-SSIM, which needs rows, and of both pictures the
// coarser scales of a channel: a quarter of its pixels in floats, then less.
uint64_t ComparisonBytes(const PictureInfo& info) {
  constexpr uint64_t kPerPixel = 2 * 3 + 3, kPerColumn = 700;
  return uint64_t{info.width} * (info.height * kPerPixel + kPerColumn);
}

// The most that the picture, reading it, and measuring it hold at a time.
Expected<uint64_t> MeasuringBytes(const PictureReader& reader,
                                  const std::vector<MeasuringModels>& models,
                                  const MeasureOptions& options) {
  const PictureInfo& info = reader.info();
  const uint64_t original = uint64_t{info.RowBytes()} * info.height;
  const uint64_t decoded = DecodedBytes(info);
  uint64_t most = original + reader.memory();
  const EncodeOptions encode = EncodeOptionsOf(options);
  const CallOptions& call = encode;
  CallOptions again = call;
  again.threads = OtherSplit(options.threads, 0).threads;
  again.band_rows = kMostVerifiedBand;
  for (const MeasuringModels& model : models) {
    const Expected<MemoryPlan> encoder = PlanMemory(model.encoder, info, encode);
    if (!encoder) return encoder.error();
    const Expected<MemoryPlan> decoder = PlanMemory(model.decoder, info, call);
    if (!decoder) return decoder.error();
    const Expected<MemoryPlan> verifier =
        options.verify ? PlanMemory(model.decoder, info, again) : decoder;
    if (!verifier) return verifier.error();
    const uint64_t pictures = original + decoded + encoder->stream;
    most = std::max({most, original + encoder->encoding, pictures + decoder->decoding,
                     pictures + verifier->decoding, pictures + ComparisonBytes(info)});
  }
  return most;
}

void AddScaled(const StageTimes& from, double factor, StageTimes* to) {
  to->analysis += factor * from.analysis;
  to->hyper += factor * from.hyper;
  to->context += factor * from.context;
  to->entropy += factor * from.entropy;
  to->synthesis += factor * from.synthesis;
  to->detail += factor * from.detail;
  to->effort += factor * from.effort;
  to->total += factor * from.total;
}

}  // namespace

Picture AsSeen(const Picture& picture) {
  constexpr Rgb8 kMiddleGray{128, 128, 128};
  if (!picture.info.has_alpha) return ToRgb8(picture);
  Picture flat = Flatten(picture, kMiddleGray);
  return flat.info.channels == 3 ? flat : ToRgb8(flat);  // with a background it has 8 bits
}

Expected<Picture> ReadToMeasure(const std::string& path, const std::vector<MeasuringModels>& models,
                                const MeasureOptions& options, std::vector<std::string>* warnings) {
  {
    const Expected<std::unique_ptr<PictureReader>> reader =
        PictureReader::Open(path, options.limits);
    if (!reader) return reader.error();
    const Expected<uint64_t> bytes = MeasuringBytes(**reader, models, options);
    if (!bytes) return bytes.error();
    const Error room = CheckRoom(*bytes, options.limits);
    if (!room.ok()) return At(path, room);
  }
  return ReadPicture(path, options.limits, warnings);
}

Expected<Coded> Measure(const Model& encoder, const Model& decoder, const Picture& original,
                        const MeasureOptions& options) {
  if (options.repeat < 1) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "repeat " + std::to_string(options.repeat) + ": it is at least 1");
  }
  Coded coded;
  Error error = EncodeRepeatedly(encoder, original, options, &coded);
  if (error.ok()) error = DecodeRepeatedly(decoder, original, options, &coded);
  if (error.ok()) error = Compare(original, &coded);
  if (error.ok() && options.verify) error = Verify(decoder, original, options, coded);
  if (!error.ok()) return error;
  coded.measurement.lrd = options.lrd;
  return coded;
}

Expected<BitsMap> MapBits(const Model& encoder, const Picture& original, const Coded& coded,
                          const MeasureOptions& options) {
  EncodeOptions call = EncodeOptionsOf(options);
  if (options.progress) {
    call.progress = [&](double done) { return options.progress("mapping bits", done); };
  }
  call.limits.held_memory +=
      original.samples.size() + coded.decoded.samples.size() + coded.stream.size();
  call.map_bits = true;
  Report report;
  const Expected<std::vector<uint8_t>> stream = Encode(encoder, original, call, &report);
  if (!stream && stream.error().code == ErrorCode::kLimit) return BitsMap();
  if (!stream) return stream.error();
  if (*stream != coded.stream) {
    return MakeError(ErrorCode::kBadStream, "encoding it again gave other bytes");
  }
  return std::move(report.bits);
}

namespace {

void AddDetails(const std::vector<Measurement>& measurements, Means* means) {
  double base_sum = 0, psnr_sum = 0;
  size_t count = 0;
  for (const Measurement& m : measurements) {
    DetailReport& sum = means->detail;
    sum.bytes += m.detail.bytes;
    sum.blocks += m.detail.blocks;
    sum.transform_blocks += m.detail.transform_blocks;
    sum.pixel_blocks += m.detail.pixel_blocks;
    sum.plain_blocks += m.detail.plain_blocks;
    if (!m.base_psnr || !std::isfinite(*m.base_psnr) || !std::isfinite(*m.repaired_psnr)) continue;
    base_sum += *m.base_psnr;
    psnr_sum += *m.repaired_psnr;
    ++count;
  }
  if (count == 0) return;
  means->base_psnr = base_sum / static_cast<double>(count);
  means->repaired_psnr = psnr_sum / static_cast<double>(count);
}

}  // namespace

Means MeansOf(const std::vector<Measurement>& measurements) {
  Means means;
  means.pictures = measurements.size();
  if (measurements.empty()) return means;
  const double share = 1.0 / static_cast<double>(measurements.size());
  double ms_ssim_sum = 0;
  double ms_ssim_bpp_sum = 0;
  for (const Measurement& m : measurements) {
    means.bytes += share * static_cast<double>(m.bytes);
    means.bpp += share * m.bpp;
    means.estimated_bpp += share * m.estimated_bpp;
    means.psnr += share * m.psnr;
    means.saturated_latents += m.saturated_latents;
    means.encoding_time += share * m.encoding_time;
    means.decoding_time += share * m.decoding_time;
    AddScaled(m.encoding_stages, share, &means.encoding_stages);
    AddScaled(m.decoding_stages, share, &means.decoding_stages);
    if (m.ms_ssim) {
      ms_ssim_sum += *m.ms_ssim;
      ms_ssim_bpp_sum += m.bpp;
      ++means.with_ms_ssim;
    }
  }
  AddDetails(measurements, &means);
  if (means.with_ms_ssim > 0) {
    means.ms_ssim = ms_ssim_sum / static_cast<double>(means.with_ms_ssim);
    means.ms_ssim_bpp = ms_ssim_bpp_sum / static_cast<double>(means.with_ms_ssim);
  }
  return means;
}

Means MeansOf(const std::vector<Measurement>& measurements, size_t point) {
  std::vector<Measurement> at;
  std::copy_if(measurements.begin(), measurements.end(), std::back_inserter(at),
               [point](const Measurement& m) { return m.point == point; });
  Means means = MeansOf(at);
  if (!at.empty()) means.lrd = at.front().lrd;
  return means;
}

}  // namespace glint::tools
