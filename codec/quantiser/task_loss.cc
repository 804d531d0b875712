#include "codec/quantiser/task_loss.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/quantiser/codec_status.h"
#include "glint/image_io.hpp"

namespace glint::quantiser {
namespace {

constexpr size_t kSamples = 3;  // of a pixel, 8 bits each

// Crops one below the other; narrower ones repeat their last column.
Picture Mosaic(std::span<const Picture> pictures, uint32_t crop) {
  Picture mosaic;
  mosaic.info.width = 1;
  for (const Picture& picture : pictures) {
    mosaic.info.width = std::max(mosaic.info.width, std::min(picture.info.width, crop));
  }
  const size_t row_bytes = mosaic.info.width * kSamples;
  for (const Picture& source : pictures) {
    const Picture picture = ToRgb8(source);
    const uint32_t width = std::min(picture.info.width, crop);
    const uint32_t height = std::min(picture.info.height, crop);
    const size_t left = (picture.info.width - width) / 2, top = (picture.info.height - height) / 2;
    for (size_t y = 0; y < height; ++y) {
      const uint8_t* from =
          picture.samples.data() + ((top + y) * picture.info.width + left) * kSamples;
      std::vector<uint8_t> row(from, from + size_t{width} * kSamples);
      while (row.size() < row_bytes) row.push_back(row[row.size() - kSamples]);
      mosaic.samples.insert(mosaic.samples.end(), row.begin(), row.end());
    }
    mosaic.info.height += height;
  }
  return mosaic;
}

double SquaredError(const Picture& a, const Picture& b) {
  double sum = 0;
  for (size_t i = 0; i < a.samples.size(); ++i) {
    const double d = static_cast<double>(a.samples[i]) - static_cast<double>(b.samples[i]);
    sum += d * d;
  }
  return sum;
}

}  // namespace

Result<TaskLoss> TaskLoss::Make(const Model& reference, std::span<const Picture> pictures,
                                uint32_t crop, const std::vector<double>& lrds,
                                double lambda_per_lrd, int threads) {
  TaskLoss loss;
  loss.mosaic_ = Mosaic(pictures, crop);
  loss.lrds_ = lrds;
  loss.lambda_per_lrd_ = lambda_per_lrd;
  loss.threads_ = threads;
  for (const double lrd : lrds) {
    GLINT_ASSIGN(const Point point, loss.Code(reference, lrd));
    loss.reference_.push_back(point);
  }
  return loss;
}

Result<TaskLoss::Point> TaskLoss::Code(const Model& model, double lrd) const {
  EncodeOptions encode;
  encode.lrd = lrd;
  encode.threads = threads_;
  Report report;
  const auto stream = Encode(model, mosaic_, encode, &report);
  if (!stream) return ToStatus(stream.error());
  DecodeOptions decode;
  decode.threads = threads_;
  const auto decoded = Decode(model, stream->data(), stream->size(), decode);
  if (!decoded) return ToStatus(decoded.error());
  return Point{report.estimated_bits, SquaredError(mosaic_, *decoded)};
}

Result<double> TaskLoss::Of(const Model& model) const {
  double loss = 0;
  for (size_t k = 0; k < lrds_.size(); ++k) {
    GLINT_ASSIGN(const Point point, Code(model, lrds_[k]));
    // Bits per pixel + lambda * (mean over a pixel's samples), both times the number of pixels.
    const double lambda = lambda_per_lrd_ * lrds_[k] / static_cast<double>(kSamples);
    const double change = point.bits - reference_[k].bits +
                          lambda * (point.squared_error - reference_[k].squared_error);
    loss += 100.0 * change / std::max(1.0, reference_[k].bits) / static_cast<double>(lrds_.size());
  }
  return loss;
}

Result<double> TaskLoss::Of(const std::vector<uint8_t>& file) const {
  const auto model = Model::FromMemory(file.data(), file.size(), "quantised model");
  if (!model) return ToStatus(model.error());
  return Of(*model);
}

}  // namespace glint::quantiser
