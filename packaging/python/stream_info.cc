// What a stream says of itself.
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <tuple>
#include <vector>

#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"
#include "packaging/python/call.h"

namespace glint::python {
namespace {

using Rows = std::tuple<uint32_t, uint32_t>;
using Chunk = std::tuple<std::string, uint64_t, uint64_t>;

std::vector<Rows> DamagedRows(const StreamInfo& info) {
  std::vector<Rows> rows;
  for (const RowRange& range : info.damaged_rows) rows.emplace_back(range.begin, range.end);
  return rows;
}

std::vector<Chunk> ChunksOf(const StreamInfo& info) {
  std::vector<Chunk> chunks;
  for (const StreamInfo::Chunk& chunk : info.chunks) {
    chunks.emplace_back(std::string(1, chunk.type), chunk.offset, chunk.bytes);
  }
  return chunks;
}

StreamInfo InspectBytes(nb::handle stream, const Limits& given) {
  const Buffer buffer(stream, Buffer::Access::kBytes);
  const Limits limits = given;  // which other threads may change meanwhile
  return Value(Call().Run(
      [&] { return Inspect(buffer.data(), buffer.size(), limits, /*damaged_details=*/true); }));
}

bool IsStreamBytes(nb::handle bytes) {
  const Buffer buffer(bytes, Buffer::Access::kBytes);
  return IsStream(buffer.data(), buffer.size());
}

std::string Text(const StreamInfo& info) {
  return "StreamInfo(" + ShapeText(ShapeOf(info.output)) + ", " +
         std::to_string(info.source.bit_depth) + " bits, " + std::to_string(info.bytes) +
         " bytes, model " + info.model_id + ")";
}

}  // namespace

void AddStreamInfo(nb::module_& m) {
  nb::class_<StreamInfo>(m, "StreamInfo", "What a stream says of itself; nothing can be set.")
      .def_prop_ro("width", [](const StreamInfo& info) { return info.output.width; })
      .def_prop_ro("height", [](const StreamInfo& info) { return info.output.height; })
      .def_prop_ro(
          "shape", [](const StreamInfo& info) { return nb::tuple(nb::cast(ShapeOf(info.output))); },
          nb::sig("def shape(self) -> tuple[int, ...]"),
          "Of the array that decode gives: (height, width), or (height, width, samples).")
      .def_prop_ro(
          "channels", [](const StreamInfo& info) { return info.output.channels; },
          "Colour channels: 1 or 3.")
      .def_prop_ro("has_alpha", [](const StreamInfo& info) { return info.output.has_alpha; })
      .def_prop_ro(
          "bit_depth", [](const StreamInfo& info) { return info.source.bit_depth; },
          "Bits a sample of the picture that was encoded: 1, 2, 4, 8 or 16.")
      .def_prop_ro(
          "output_bit_depth", [](const StreamInfo& info) { return info.output.bit_depth; },
          "Of the picture that is decoded without `deep`.")
      .def_ro("model_id", &StreamInfo::model_id, "16 hexadecimal digits, as Model.id has them.")
      .def_ro("lrd", &StreamInfo::lrd, "Rate of the model's part; 0: of a model of one fixed rate.")
      .def_ro("detail", &StreamInfo::detail, "Whether it has details.")
      .def_ro("gray", &StreamInfo::gray, "RGB whose three channels are the same, coded as gray.")
      .def_ro("bytes", &StreamInfo::bytes, "Of the whole stream.")
      .def_prop_ro("damaged_rows", DamagedRows,
                   "(begin, end) of the rows whose details are damaged; the rest is sound.")
      .def_prop_ro("chunks", ChunksOf, "(type, offset, bytes) of each part of the stream.")
      .def_ro("metadata", &StreamInfo::metadata)
      .def("__repr__", Text);
  m.def("inspect", InspectBytes, nb::arg("stream"), nb::arg("limits"));
  m.def("is_stream", IsStreamBytes, nb::arg("bytes"),
        "Whether bytes begin like a Glint stream; the first 64 are enough.");
}

}  // namespace glint::python
