#include "codec/quantiser/task_loss.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

#include "codec/public_error.h"
#include "engine/thread_pool.h"
#include "engine/work_progress.h"
#include "glint/image_io.hpp"
#include "glint/pictures.hpp"

namespace glint::quantiser {
namespace {

// Colours may be off by so many levels. An error up to that is no loss: decibels are counted above
// it.
constexpr double kUnseen = kMostColour * kMostColour;

// A stream of a few symbols may take so many bits more.
constexpr double kUnseenBits = 64;

double Decibels(double squared_error) { return 10.0 * std::log10(squared_error + kUnseen); }

}  // namespace

Result<TaskLoss> TaskLoss::OfMosaic(const Model& reference, std::span<const Picture> pictures,
                                    uint32_t crop, const TaskRates& rates) {
  TaskLoss loss;
  loss.rates_ = rates;
  Sheet& sheet = loss.sheets_.emplace_back();
  PictureInfo& info = sheet.picture.info;
  info.width = 1;
  for (const Picture& picture : pictures) {
    info.width = std::max(info.width, std::min(picture.info.width, crop));
  }
  // Crops one below the other; narrower ones repeat their last column.
  const size_t row_bytes = info.width * kSamples;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const Picture picture = ToRgb8(pictures[i]);
    const uint32_t width = std::min(picture.info.width, crop);
    const uint32_t height = std::min(picture.info.height, crop);
    const size_t left = (picture.info.width - width) / 2, top = (picture.info.height - height) / 2;
    for (size_t y = 0; y < height; ++y) {
      const uint8_t* from =
          picture.samples.data() + ((top + y) * picture.info.width + left) * kSamples;
      std::vector<uint8_t> row(from, from + size_t{width} * kSamples);
      while (row.size() < row_bytes) row.push_back(row[row.size() - kSamples]);
      sheet.picture.samples.insert(sheet.picture.samples.end(), row.begin(), row.end());
    }
    sheet.parts.push_back({i, info.height, height});
    info.height += height;
  }
  GLINT_TRY(loss.Measure(reference));
  return loss;
}

Result<TaskLoss> TaskLoss::OfEach(const Model& reference, std::span<const Picture> pictures,
                                  const TaskRates& rates) {
  TaskLoss loss;
  loss.rates_ = rates;
  for (size_t i = 0; i < pictures.size(); ++i) {
    Sheet& sheet = loss.sheets_.emplace_back();
    sheet.picture = ToRgb8(pictures[i]);
    sheet.parts = {{i, 0, pictures[i].info.height}};
  }
  GLINT_TRY(loss.Measure(reference));
  return loss;
}

Status TaskLoss::Measure(const Model& reference) {
  for (const double lrd : rates_.lrds) {
    for (const double ratio : rates_.around) {
      const ModelInfo& info = reference.info();
      all_lrds_.push_back(std::clamp(lrd * ratio, info.lrd_min, info.lrd_max));
    }
  }
  GLINT_ASSIGN(reference_, CodeAll(reference));
  for (std::vector<Coded>& rate : reference_) {
    for (Coded& coded : rate) coded.samples = {};
  }
  return Status::Ok();
}

double TaskLoss::Dissimilarity(const Picture& sheet, const std::vector<uint8_t>& decoded,
                               const Part& part) {
  const auto cut = [&](const std::vector<uint8_t>& samples) {
    const size_t row_bytes = sheet.info.width * kSamples;
    const auto from = samples.begin() + static_cast<std::ptrdiff_t>(part.first_row * row_bytes);
    Picture picture;
    picture.info = {sheet.info.width, static_cast<uint32_t>(part.rows), kSamples, false, 8};
    picture.samples = {from, from + static_cast<std::ptrdiff_t>(part.rows * row_bytes)};
    return picture;
  };
  const double similarity = MsSsimRgb(cut(sheet.samples), cut(decoded)).value_or(0.0);
  return (1 - similarity) * static_cast<double>(part.rows * sheet.info.width);
}

Result<TaskLoss::Coded> TaskLoss::Code(const Model& model, const Sheet& sheet, double lrd,
                                       int threads) const {
  EncodeOptions encode;
  encode.detail = Detail::kOff;  // of the model alone
  encode.lrd = lrd;
  encode.threads = threads;
  Report report;
  const auto stream = Encode(model, sheet.picture, encode, &report);
  if (!stream) return ToStatus(stream.error());
  DecodeOptions decode;
  decode.threads = threads;
  auto decoded = Decode(model, stream->data(), stream->size(), decode);
  if (!decoded) return ToStatus(decoded.error());
  Coded coded;
  coded.bits = report.estimated_bits;
  coded.samples = std::move(decoded->samples);
  const size_t row_bytes = sheet.picture.info.width * kSamples;
  for (const Part& part : sheet.parts) {
    Change& change = coded.parts.emplace_back();
    for (size_t i = part.first_row * row_bytes; i < (part.first_row + part.rows) * row_bytes; ++i) {
      const double after = static_cast<double>(coded.samples[i]);
      const double d = after - static_cast<double>(sheet.picture.samples[i]);
      change.squared_error += d * d;
      change.sum[i % kSamples] += after;
    }
    if (rates_.metric == LossMetric::kMsSsim) {
      change.dissimilarity = Dissimilarity(sheet.picture, coded.samples, part);
    }
  }
  return coded;
}

// One sheet with all threads; many, each with one.
Result<TaskLoss::AllCoded> TaskLoss::CodeAll(const Model& model) const {
  const bool many = sheets_.size() > 1;
  ThreadPool pool(static_cast<size_t>(many ? rates_.threads : 1));
  const size_t count = sheets_.size() * all_lrds_.size();
  AllCoded coded(all_lrds_.size(), std::vector<Coded>(sheets_.size()));
  std::vector<Status> errors(count, Status::Ok());
  WorkProgress progress(rates_.progress);
  progress.Begin(1);
  std::atomic<bool> stopped{false};
  ParallelFor(pool.runner(), count, [&](size_t i, size_t) {
    if (stopped) return;
    const size_t rate = i / sheets_.size(), sheet = i % sheets_.size();
    auto result = WithoutBadAlloc(
        [&] { return Code(model, sheets_[sheet], all_lrds_[rate], many ? 1 : rates_.threads); });
    if (result.ok()) {
      coded[rate][sheet] = std::move(*result);
    } else {
      errors[i] = result.status();
    }
    const Status told = progress.Done(1.0 / static_cast<double>(count));
    if (told.ok()) return;
    errors[i] = told;
    stopped = true;
  });
  progress.Rethrow();
  for (const Status& error : errors) GLINT_TRY(error);
  return coded;
}

Result<TaskLoss::AllCoded> TaskLoss::CodeAll(const std::vector<uint8_t>& file) const {
  const auto model = Model::FromMemory(file.data(), file.size(), "quantised model");
  if (!model) return ToStatus(model.error());
  return CodeAll(*model);
}

double TaskLoss::ErrorOf(const Change& change) const {
  return rates_.metric == LossMetric::kMsSsim ? change.dissimilarity : change.squared_error;
}

// Training minimised bits per pixel + lambda * (mean over a pixel's samples). A model that does not
// say its lambda is taken to give bits for errors as models do on average, of which some want one
// per cent more bits for one per cent less error, others more than two. No model says it
// for 1 - MS-SSIM: along the rates of `light` tuned for it, one per cent of that costs 0.86 to 1.03
// per cent of the bits.
double TaskLoss::BitsOfError(size_t k) const {
  const bool squared = rates_.metric == LossMetric::kSquaredError;
  const double bits_for_error = squared ? 2.0 : 1.0, least = squared ? 1.0 : 1e-6;
  const RateControl& control = rates_.control;
  const double lambda = squared ? control.LambdaAt(all_lrds_[k]) * control.squared_error_share : 0;
  if (lambda > 0) return lambda / static_cast<double>(kSamples);
  double bits = 0, error = 0;
  for (const Coded& coded : reference_[k]) {
    bits += coded.bits;
    for (const Change& part : coded.parts) error += ErrorOf(part);
  }
  return bits_for_error * bits / std::max(least, error);
}

// Bits per pixel + lambda * error, both times the number of pixels.
double TaskLoss::LossOf(const AllCoded& coded) const {
  double loss = 0;
  for (size_t k = 0; k < coded.size(); ++k) {
    const double lambda = BitsOfError(k);
    double change = 0, bits = 0;
    for (size_t s = 0; s < sheets_.size(); ++s) {
      const Coded &before = reference_[k][s], &after = coded[k][s];
      change += after.bits - before.bits;
      bits += before.bits;
      for (size_t p = 0; p < before.parts.size(); ++p) {
        change += lambda * (ErrorOf(after.parts[p]) - ErrorOf(before.parts[p]));
      }
    }
    loss += 100.0 * change / std::max(1.0, bits) / static_cast<double>(coded.size());
  }
  return loss;
}

PictureLoss TaskLoss::Compare(const AllCoded& coded, size_t rate, size_t sheet, size_t part) const {
  const size_t row = sheets_[sheet].picture.info.width;
  const double pixels = static_cast<double>(sheets_[sheet].parts[part].rows * row);
  const double samples = pixels * static_cast<double>(kSamples);
  const size_t count = rates_.around.size();
  PictureLoss loss;
  loss.picture = sheets_[sheet].parts[part].picture;
  loss.lrd = rates_.lrds[rate];
  std::array<double, kSamples> shift = {};
  double bits = 0, added_bits = -kUnseenBits;
  for (size_t k = rate * count; k < (rate + 1) * count; ++k) {
    const Change& before = reference_[k][sheet].parts[part];
    const Change& after = coded[k][sheet].parts[part];
    loss.decibels +=
        (Decibels(after.squared_error / samples) - Decibels(before.squared_error / samples)) /
        static_cast<double>(count);
    for (size_t c = 0; c < kSamples; ++c) {
      shift[c] += (after.sum[c] - before.sum[c]) / pixels / static_cast<double>(count);
    }
    bits += reference_[k][sheet].bits / static_cast<double>(count);
    added_bits += (coded[k][sheet].bits - reference_[k][sheet].bits) / static_cast<double>(count);
  }
  if (sheets_[sheet].parts.size() == 1) loss.growth = 100.0 * added_bits / std::max(1.0, bits);
  for (const double channel : shift) loss.colour = std::max(loss.colour, std::abs(channel));
  return loss;
}

Result<SetLoss> TaskLoss::Of(const std::vector<uint8_t>& file) const {
  GLINT_ASSIGN(const AllCoded coded, CodeAll(file));
  SetLoss loss;
  loss.loss = LossOf(coded);
  loss.worst.decibels = -std::numeric_limits<double>::infinity();
  loss.worst_colour.colour = -1;
  loss.worst_growth.growth = -std::numeric_limits<double>::infinity();
  for (size_t rate = 0; rate < rates_.lrds.size(); ++rate) {
    for (size_t s = 0; s < sheets_.size(); ++s) {
      for (size_t p = 0; p < sheets_[s].parts.size(); ++p) {
        const PictureLoss part = Compare(coded, rate, s, p);
        if (part.decibels > loss.worst.decibels) loss.worst = part;
        if (part.colour > loss.worst_colour.colour) loss.worst_colour = part;
        if (part.growth > loss.worst_growth.growth) loss.worst_growth = part;
      }
    }
  }
  return loss;
}

Status TaskLoss::MeasureDifferenceFrom(const std::vector<uint8_t>& file) {
  GLINT_ASSIGN(near_, CodeAll(file));
  return Status::Ok();
}

double TaskLoss::DifferenceOf(const AllCoded& coded) const {
  double sum = 0;
  for (size_t k = 0; k < near_.size(); ++k) {
    double difference = 0, error = 0;
    for (size_t s = 0; s < sheets_.size(); ++s) {
      const std::vector<uint8_t>&a = near_[k][s].samples, &b = coded[k][s].samples;
      for (size_t i = 0; i < a.size(); ++i) {
        const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        difference += d * d;
      }
      for (const Change& part : near_[k][s].parts) error += part.squared_error;
    }
    sum += 100.0 * difference / std::max(1.0, error) / static_cast<double>(near_.size());
  }
  return sum;
}

Result<TaskLoss::Distance> TaskLoss::DistanceOf(const std::vector<uint8_t>& file) const {
  GLINT_ASSIGN(const AllCoded coded, CodeAll(file));
  return Distance{LossOf(coded), DifferenceOf(coded)};
}

}  // namespace glint::quantiser
