// The options of calls, and metadata.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"

namespace glint::python {
namespace {

std::vector<uint8_t> VectorOf(nb::handle object) {
  const Buffer buffer(object, Buffer::Access::kBytes);
  return {buffer.data(), buffer.data() + buffer.size()};
}

using Chunks = std::vector<std::pair<std::string, nb::bytes>>;

Chunks ChunksOf(const Metadata& metadata) {
  Chunks chunks;
  for (const auto& [type, content] : metadata.chunks) chunks.emplace_back(type, BytesOf(content));
  return chunks;
}

void SetChunks(Metadata& metadata, const Chunks& chunks) {
  metadata.chunks.clear();
  for (const auto& [type, content] : chunks) metadata.chunks.emplace_back(type, VectorOf(content));
}

void AddMetadata(nb::module_& m) {
  nb::class_<Metadata>(m, "Metadata", R"(What a picture carries besides its samples.

Kept through coding, byte for byte.

icc: an ICC profile, not compressed; exif: EXIF as it stands in PNG, from its byte order on; both
bytes, empty where there is none. chunks: a tuple of (type, content), other chunks of PNG ("tEXt",
"pHYs", "cICP", ...).)")
      .def(
          "__init__",
          [](Metadata* made, const nb::bytes& icc, const nb::bytes& exif, const Chunks& chunks) {
            new (made) Metadata{VectorOf(icc), VectorOf(exif), {}};
            SetChunks(*made, chunks);
          },
          nb::arg("icc") = nb::bytes(""), nb::arg("exif") = nb::bytes(""),
          nb::arg("chunks") = Chunks())
      .def_prop_rw(
          "icc", [](const Metadata& metadata) { return BytesOf(metadata.icc); },
          [](Metadata& metadata, const nb::bytes& icc) { metadata.icc = VectorOf(icc); })
      .def_prop_rw(
          "exif", [](const Metadata& metadata) { return BytesOf(metadata.exif); },
          [](Metadata& metadata, const nb::bytes& exif) { metadata.exif = VectorOf(exif); })
      // A tuple, for a list would take what is appended to it, and nothing would come of that.
      .def_prop_rw(
          "chunks",
          [](const Metadata& metadata) { return nb::tuple(nb::cast(ChunksOf(metadata))); },
          SetChunks, nb::for_getter(nb::sig("def chunks(self) -> tuple[tuple[str, bytes], ...]")))
      .def(
          "__eq__",
          [](const Metadata& a, nb::handle other) {
            Metadata b;
            return nb::try_cast(other, b) && a.icc == b.icc && a.exif == b.exif &&
                   a.chunks == b.chunks;
          },
          nb::arg("other").none())
      .def("__getstate__",
           [](const Metadata& metadata) {
             return std::tuple(BytesOf(metadata.icc), BytesOf(metadata.exif), ChunksOf(metadata));
           })
      .def("__setstate__",
           [](Metadata& made, const std::tuple<nb::bytes, nb::bytes, Chunks>& state) {
             new (&made) Metadata{VectorOf(std::get<0>(state)), VectorOf(std::get<1>(state)), {}};
             SetChunks(made, std::get<2>(state));
           })
      .def("__repr__", [](const Metadata& metadata) {
        return "Metadata(icc: " + std::to_string(metadata.icc.size()) +
               " bytes, exif: " + std::to_string(metadata.exif.size()) +
               " bytes, chunks: " + std::to_string(metadata.chunks.size()) + ")";
      });
}

using CropTuple = std::tuple<uint32_t, uint32_t, uint32_t, uint32_t>;
using Colour = std::tuple<uint8_t, uint8_t, uint8_t>;

void AddDecodeOptions(nb::module_& m) {
  nb::enum_<DetailOutput>(m, "DetailOutput")
      .value("DECODE", DetailOutput::kDecode)
      .value("SKIP", DetailOutput::kSkip)
      .value("SKIP_DAMAGED", DetailOutput::kSkipDamaged);
  nb::enum_<AlphaOutput>(m, "AlphaOutput")
      .value("KEEP", AlphaOutput::kKeep)
      .value("DROP", AlphaOutput::kDrop)
      .value("BLEND", AlphaOutput::kBlend);
  nb::class_<DecodeOptions, CallOptions>(m, "DecodeOptions")
      .def(nb::init<>())
      .def_rw("detail", &DecodeOptions::detail)
      .def_rw("alpha", &DecodeOptions::alpha)
      .def_rw("deep", &DecodeOptions::deep)
      .def_rw("shrink", &DecodeOptions::shrink)
      .def(
          "set_background",
          [](DecodeOptions& options, const Colour& colour) {
            const auto& [red, green, blue] = colour;
            options.background = {red, green, blue};
          },
          nb::arg("colour"))
      .def(
          "set_crop",
          [](DecodeOptions& options, const CropTuple& crop) {
            const auto& [x, y, width, height] = crop;
            options.crop = Crop{x, y, width, height};
          },
          nb::arg("crop"));
}

std::tuple<uint64_t, uint64_t> ValuesOf(const Limits& limits) {
  return {limits.max_pixels, limits.max_memory};
}

}  // namespace

void AddOptions(nb::module_& m) {
  AddMetadata(m);
  nb::class_<Limits>(m, "Limits", R"(What one call may take.

max_pixels: width * height of a picture, 2^30 unless said otherwise. max_memory: bytes that the call
allocates and the picture that it codes, 4 GiB unless said otherwise. Beyond either the call raises
LimitError.)")
      .def(
          "__init__",
          [](Limits* made, uint64_t max_pixels, uint64_t max_memory) {
            new (made) Limits{max_pixels, max_memory, 0};
          },
          nb::arg("max_pixels") = Limits().max_pixels, nb::arg("max_memory") = Limits().max_memory)
      .def_rw("max_pixels", &Limits::max_pixels)
      .def_rw("max_memory", &Limits::max_memory)
      .def(
          "__eq__",
          [](const Limits& a, nb::handle other) {
            Limits b;
            return nb::try_cast(other, b) && ValuesOf(a) == ValuesOf(b);
          },
          nb::arg("other").none())
      .def("__getstate__", ValuesOf)
      .def("__setstate__",
           [](Limits& made, const std::tuple<uint64_t, uint64_t>& state) {
             new (&made) Limits{std::get<0>(state), std::get<1>(state), 0};
           })
      .def("__repr__", [](const Limits& of) {
        return "Limits(max_pixels=" + std::to_string(of.max_pixels) +
               ", max_memory=" + std::to_string(of.max_memory) + ")";
      });
  nb::class_<CallOptions>(m, "CallOptions")
      .def(nb::init<>())
      .def_rw("threads", &CallOptions::threads)
      .def_rw("limits", &CallOptions::limits);
  nb::enum_<Detail>(m, "Detail")
      .value("AUTO", Detail::kAuto)
      .value("OFF", Detail::kOff)
      .value("ON", Detail::kOn);
  nb::class_<EncodeOptions, CallOptions>(m, "EncodeOptions")
      .def(nb::init<>())
      .def_rw("lrd", &EncodeOptions::lrd)
      .def_rw("detail", &EncodeOptions::detail)
      .def_rw("effort", &EncodeOptions::effort)
      .def_rw("max_error", &EncodeOptions::max_error)
      .def_rw("lossless", &EncodeOptions::lossless)
      .def_rw("exact", &EncodeOptions::exact);
  AddDecodeOptions(m);
}

}  // namespace glint::python
