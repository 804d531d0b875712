#include "tools/evaluation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "glint/image_io.hpp"
#include "tools/console.h"
#include "tools/machine.h"
#include "tools/verification.h"

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

void SetCallOptions(const MeasureOptions& options, const char* what, CallOptions* call) {
  call->threads = options.threads;
  if (options.progress) {
    call->progress = [&options, what](double done) { return options.progress(what, done); };
  }
}

Error EncodeRepeatedly(const Model& model, const Picture& original, const MeasureOptions& options,
                       Coded* coded) {
  EncodeOptions call;
  SetCallOptions(options, "encoding", &call);
  call.lrd = options.lrd;
  std::vector<Timing> timings;
  for (int i = 0; i < options.repeat; ++i) {
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
  }
  const Timing median = Median(std::move(timings));
  coded->measurement.encoding_time = median.seconds;
  coded->measurement.encoding_stages = median.stages;
  return {};
}

Error DecodeRepeatedly(const Model& model, const MeasureOptions& options, Coded* coded) {
  DecodeOptions call;
  SetCallOptions(options, "decoding", &call);
  std::vector<Timing> timings;
  for (int i = 0; i < options.repeat; ++i) {
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
Error Verify(const Model& model, const MeasureOptions& options, const Coded& coded) {
  std::function<bool(double)> progress;
  if (options.progress) {
    progress = [&options](double done) { return options.progress("verifying", done); };
  }
  return VerifyDecoding(model, {coded.stream, coded.decoded, coded.latent_crc},
                        OtherSchedule(options.threads, coded.latent_crc), progress);
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
  const Picture a = ToRgb8(original);
  const Picture b = ToRgb8(coded->decoded);
  m.psnr = PsnrRgb(a, b);
  m.ms_ssim = MsSsimRgb(a, b);
  return {};
}

void AddScaled(const StageTimes& from, double factor, StageTimes* to) {
  to->analysis += factor * from.analysis;
  to->hyper += factor * from.hyper;
  to->context += factor * from.context;
  to->entropy += factor * from.entropy;
  to->synthesis += factor * from.synthesis;
  to->total += factor * from.total;
}

}  // namespace

Expected<Coded> Measure(const Model& encoder, const Model& decoder, const Picture& original,
                        const MeasureOptions& options) {
  Coded coded;
  Error error = EncodeRepeatedly(encoder, original, options, &coded);
  if (error.ok()) error = DecodeRepeatedly(decoder, options, &coded);
  if (error.ok()) error = Compare(original, &coded);
  if (error.ok() && options.verify) error = Verify(decoder, options, coded);
  if (!error.ok()) return error;
  coded.measurement.lrd = options.lrd;
  return coded;
}

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
  if (means.with_ms_ssim > 0) {
    means.ms_ssim = ms_ssim_sum / static_cast<double>(means.with_ms_ssim);
    means.ms_ssim_bpp = ms_ssim_bpp_sum / static_cast<double>(means.with_ms_ssim);
  }
  return means;
}

Means MeansOf(const std::vector<Measurement>& measurements, double lrd) {
  std::vector<Measurement> at;
  std::copy_if(measurements.begin(), measurements.end(), std::back_inserter(at),
               [lrd](const Measurement& m) { return m.lrd == lrd; });
  Means means = MeansOf(at);
  means.lrd = lrd;
  return means;
}

}  // namespace glint::tools
