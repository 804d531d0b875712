// SynthesiseRows: the second half of decoding, for latents that come from the caller.
#include <cstdint>
#include <string>
#include <vector>

#include "codec/api/call_context.h"
#include "codec/api/synthesis.h"
#include "codec/call_log.h"
#include "codec/latents/latent_geometry.h"
#include "codec/model/model_impl.h"
#include "codec/public_error.h"
#include "codec/rate/layer_rates.h"
#include "codec/stage_clock.h"
#include "codec/stream/container.h"
#include "engine/float_env.h"
#include "engine/rate.h"
#include "kernels/pointwise.h"

namespace glint {
namespace {

LatentGeometry GeometryOf(const Model::Impl& model, const PictureInfo& info) {
  return {model.document, model.graphs(), info.width, info.height};
}

LatentShape ShapeIn(const Model::Impl& model, const LatentGeometry& geometry) {
  LatentShape shape;
  shape.rows = static_cast<uint32_t>(geometry.height());
  shape.columns = static_cast<uint32_t>(geometry.width());
  shape.channels = static_cast<uint32_t>(model.document.latent_channels);
  shape.fraction_bits = model.document.fraction_bits;
  return shape;
}

Status CheckInfo(const PictureInfo& info, const Limits& limits) {
  GLINT_TRY(CheckPictureInfo(info, limits));
  if (!info.has_alpha) return Status::Ok();
  return Status::Error(StatusCode::kInvalidArgument, "latents have no alpha");
}

struct Call {
  const Model::Impl& model;
  const PictureInfo& info;
  const LatentReader& read;
  const RowWriter& write;
  const CallOptions& options;
  Report* report;
};

Status NotTaken(const char* what, int64_t row) {
  return Status::Error(StatusCode::kCancelled, std::string(what) + std::to_string(row));
}

Status Run(const Call& call, double t) {
  CallContext context(call.options);
  GLINT_TRY(context.Init());
  const LatentGeometry geometry = GeometryOf(call.model, call.info);
  Synthesis::Options options{context, call.options, call.model.WholeSynthesis(), t};
  options.part = Crop{0, 0, call.info.width, call.info.height};
  options.deep = call.info.SampleBytes() > 1;
  Synthesis synthesis(call.model, geometry, call.info, options);
  PixelWriter pixels(call.info);
  const size_t row_values =
      geometry.width() * static_cast<size_t>(call.model.document.latent_channels);
  GLINT_ASSIGN(const uint64_t bytes, synthesis.Memory());
  call.report->planned_bytes = bytes + pixels.MemoryNeeded() + row_values * sizeof(int16_t);
  GLINT_TRY(context.CheckPlan(call.report->planned_bytes));
  GLINT_TRY(synthesis.Allocate());
  pixels.Allocate();
  std::vector<int16_t> latents(row_values);

  const auto scale = static_cast<float>(1 << call.model.document.fraction_bits);
  const Synthesis::ReadLatents read = [&](int64_t, size_t first, size_t count, float* values) {
    kernels::FixedToFloat(latents.data() + first, values, count, scale);
  };
  Synthesis::Sink sink;
  sink.take = [&](int64_t row, const uint8_t* levels) {
    const uint16_t* deep = synthesis.deep_levels();
    const uint8_t* samples = deep != nullptr ? pixels.FromDeep(deep) : pixels.FromColour(levels);
    if (call.write(static_cast<uint32_t>(row), samples)) return Status::Ok();
    return NotTaken("the caller did not take row ", row);
  };
  sink.progress = [&](double done) { return context.Progress(done); };
  const auto height = static_cast<int64_t>(call.info.height);
  for (int64_t y = 0; y < geometry.height(); ++y) {
    if (!call.read(static_cast<uint32_t>(y), latents.data())) {
      return NotTaken("the caller did not give row of latents ", y);
    }
    double* seconds = &call.report->times.synthesis;
    GLINT_TRY(synthesis.AddRows(read, y + 1, height, sink, seconds).status());
  }
  if (call.options.profile) synthesis.AppendProfile(&call.report->layers);
  return Status::Ok();
}

Status Synthesise(const Call& call, double lrd) {
  if (!call.read || !call.write) {
    return Status::Error(StatusCode::kInvalidArgument, "a callback is missing");
  }
  GLINT_TRY(CheckInfo(call.info, call.options.limits));
  GLINT_ASSIGN(const LayerRates rates, RatesOf(call.model.document.rate, lrd, false));
  return Run(call, RateToT(call.model.document.rate, rates.model_lrd));
}

}  // namespace

Expected<LatentShape> ShapeOfLatents(const Model& model, const PictureInfo& info,
                                     const Limits& limits) {
  return PublicCall([&]() -> Result<LatentShape> {
    GLINT_TRY(CheckInfo(info, limits));
    return ShapeIn(model.impl(), GeometryOf(model.impl(), info));
  });
}

Error SynthesiseRows(const Model& model, const PictureInfo& info, double lrd,
                     const LatentReader& read, const RowWriter& write, const CallOptions& options,
                     Report* report) {
  const ScopedFloatEnv float_env;
  Report own_report;
  if (report == nullptr) report = &own_report;
  *report = Report();
  const Error error = [&] {
    const StageClock clock(&report->times.total);
    return PublicCall([&] {
      return Synthesise({model.impl(), info, read, write, options, report}, lrd);
    });
  }();
  Log(options.log, {"synthesised", info, 0, *report, error});
  return error;
}

}  // namespace glint
