// What `evaluate` measures, by its own code (tools/evaluation/measurement.h,
// tools/evaluation/bd_rate.h).
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "glint/pictures.hpp"
#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"
#include "packaging/python/call.h"
#include "tools/common/messages.h"
#include "tools/evaluation/bd_rate.h"
#include "tools/evaluation/measurement.h"

namespace glint::python {
namespace {

using tools::Measurement;
using Point = std::tuple<double, double>;

std::vector<tools::RatePoint> PointsOf(const std::vector<Point>& pairs) {
  std::vector<tools::RatePoint> points;
  for (const auto& [rate, quality] : pairs) points.push_back({rate, quality});
  return points;
}

double BdRateOf(const std::vector<Point>& first, const std::vector<Point>& other) {
  return Value(tools::ComputeBdRate(PointsOf(first), PointsOf(other))).percent;
}

void CheckSizes(const Picture& a, const Picture& b) {
  for (const Picture* picture : {&a, &b}) {
    if (picture->samples.empty()) {
      Refuse("a picture of shape " + ShapeText(ShapeOf(picture->info)) + ": it has no samples");
    }
  }
  if (a.info.width == b.info.width && a.info.height == b.info.height) return;
  Refuse("pictures of " + ShapeText(ShapeOf(a.info)) + " and " + ShapeText(ShapeOf(b.info)) +
         ": their sizes differ");
}

double PsnrOf(const HeldPicture& original, const HeldPicture& decoded) {
  CheckSizes(original.picture, decoded.picture);
  const double psnr = Call().Run([&] { return PsnrAsSeen(original.picture, decoded.picture); });
  if (std::isnan(psnr)) throw std::bad_alloc();
  return psnr;
}

std::optional<double> MsSsimOf(const HeldPicture& original, const HeldPicture& decoded) {
  CheckSizes(original.picture, decoded.picture);
  return Call().Run(
      [&] { return MsSsimRgb(tools::AsSeen(original.picture), tools::AsSeen(decoded.picture)); });
}

bool IsEmpty(const Metadata& of) { return of.icc.empty() && of.exif.empty() && of.chunks.empty(); }

// Of a measurement: each encoding, each decoding, and verifying are parts of the same length.
double ShareOf(const char* what, double done, const tools::MeasureOptions& options) {
  const std::string_view name = what;
  const double repeat = options.repeat;
  const double before = name == "encoding" ? 0 : name == "decoding" ? repeat : 2 * repeat;
  const double length = name == "verifying" ? 1 : repeat;
  return (before + length * done) / (2 * repeat + (options.verify ? 1 : 0));
}

Measurement MeasureOne(const Model& encoder, const Model& decoder, const HeldPicture& held,
                       const EncodeOptions& options, int repeat, bool verify, nb::object progress) {
  Call call(std::move(progress));
  const std::function<bool(double)> heard = call.progress();
  tools::MeasureOptions measure;
  measure.lrd = options.lrd;
  measure.detail = options.detail;
  measure.effort = options.effort;
  measure.threads = options.threads;
  measure.limits = options.limits;
  measure.repeat = repeat;
  measure.verify = verify;
  measure.progress = [&](const char* what, double done) {
    return heard(ShareOf(what, done, measure));
  };
  Picture with_metadata;
  if (!IsEmpty(held.metadata)) {
    measure.limits.held_memory = held.picture.samples.size();
    Check(tools::CheckRoom(held.picture.samples.size(), measure.limits));
    with_metadata = held.picture;
    with_metadata.metadata = held.metadata;
  }
  const Picture& picture = with_metadata.samples.empty() ? held.picture : with_metadata;
  return Value(call.Run([&]() -> Expected<Measurement> {
    Expected<tools::Coded> coded = tools::Measure(encoder, decoder, picture, measure);
    if (!coded) return coded.error();
    return std::move(coded->measurement);
  }));
}

void AddMeasurement(nb::module_& m) {
  nb::class_<StageTimes>(m, "StageTimes")
      .def_ro("analysis", &StageTimes::analysis)
      .def_ro("hyper", &StageTimes::hyper)
      .def_ro("context", &StageTimes::context)
      .def_ro("entropy", &StageTimes::entropy)
      .def_ro("synthesis", &StageTimes::synthesis)
      .def_ro("detail", &StageTimes::detail)
      .def_ro("effort", &StageTimes::effort)
      .def_ro("total", &StageTimes::total);
  nb::class_<Measurement>(m, "Measurement")
      .def_ro("width", &Measurement::width)
      .def_ro("height", &Measurement::height)
      .def_ro("lrd", &Measurement::lrd)
      .def_ro("bytes", &Measurement::bytes)
      .def_ro("bpp", &Measurement::bpp)
      .def_ro("estimated_bpp", &Measurement::estimated_bpp)
      .def_ro("saturated_latents", &Measurement::saturated_latents)
      .def_ro("psnr", &Measurement::psnr)
      .def_ro("ms_ssim", &Measurement::ms_ssim)
      .def_prop_ro("detail_bytes", [](const Measurement& of) { return of.detail.bytes; })
      .def_ro("encoding_time", &Measurement::encoding_time)
      .def_ro("decoding_time", &Measurement::decoding_time)
      .def_ro("encoding_stages", &Measurement::encoding_stages)
      .def_ro("decoding_stages", &Measurement::decoding_stages);
}

}  // namespace

void AddMeasuring(nb::module_& m) {
  AddMeasurement(m);
  m.def("measure", MeasureOne, nb::arg("encoder"), nb::arg("decoder"), nb::arg("picture"),
        nb::arg("options"), nb::arg("repeat"), nb::arg("verify"), nb::arg("progress").none());
  m.def("psnr", PsnrOf, nb::arg("original"), nb::arg("decoded"));
  m.def("ms_ssim", MsSsimOf, nb::arg("original"), nb::arg("decoded"));
  m.def("bd_rate", BdRateOf, nb::arg("first"), nb::arg("other"));
  m.def("decibels", tools::Decibels, nb::arg("value"));
}

}  // namespace glint::python
