// Latents out of streams, and pictures of latents.
#include <nanobind/stl/string.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"
#include "packaging/python/call.h"
#include "packaging/python/output.h"

namespace glint::python {
namespace {

struct LatentArray {
  std::unique_ptr<uint8_t[]> memory;
  std::vector<size_t> shape;
  int fraction_bits = 0;
};

// The rows of latents of a decoding, one after the other.
bool Collect(const LatentRow& row, LatentArray* to) {
  const size_t row_bytes = sizeof(int16_t) * row.columns * row.channels;
  if (to->memory == nullptr) {
    to->memory = std::make_unique<uint8_t[]>(row_bytes * row.rows);
    to->shape = {row.rows, row.columns, row.channels};
    to->fraction_bits = row.fraction_bits;
  }
  std::memcpy(to->memory.get() + row_bytes * row.y, row.values, row_bytes);
  return true;
}

PictureInfo InfoOf(uint32_t width, uint32_t height, uint32_t channels, uint32_t bit_depth) {
  PictureInfo info;
  info.width = width;
  info.height = height;
  info.channels = channels;
  info.bit_depth = bit_depth;
  return info;
}

// Of the array of a stream's latents; 0 where they are another model's, which decoding says.
uint64_t LatentBytes(const Model& model, const PictureInfo& source, const Limits& limits) {
  const Expected<LatentShape> shape =
      ShapeOfLatents(model, InfoOf(source.width, source.height, source.channels, 8), limits);
  return shape ? sizeof(int16_t) * uint64_t{shape->rows} * shape->columns * shape->channels : 0;
}

nb::tuple LatentsOfStream(const Model& model, nb::handle stream, const DecodeOptions& options,
                          nb::object progress) {
  const Buffer buffer(stream, Buffer::Access::kBytes);
  Call call(std::move(progress));
  LatentArray array;
  DecodeOptions own = options;
  own.detail = DetailOutput::kSkip;
  own.limits.held_memory = buffer.size();
  const StreamInfo said = Value(Call().Run(
      [&] { return Inspect(buffer.data(), buffer.size(), own.limits, /*damaged_details=*/true); }));
  own.limits.held_memory += LatentBytes(model, said.source, own.limits);
  own.progress = call.progress();
  own.latents = [&array](const LatentRow& row) { return Collect(row, &array); };
  const Error error = call.Run([&] {
    return DecodeRows(
        model, buffer.data(), buffer.size(),
        [](const PictureInfo&, const Metadata&) { return true; },
        [](uint32_t, const void*) { return true; }, own);
  });
  Check(WithMemoryNeeded(error, model, said.source, own));
  const int bits = array.fraction_bits;
  return nb::make_tuple(ArrayOf(std::move(array.memory), array.shape, Kind::kInt16), bits);
}

// `latents`: int16, contiguous.
nb::object SynthesiseArray(const Model& model, nb::handle latents, uint32_t width, uint32_t height,
                           uint32_t channels, uint32_t bit_depth, int fraction_bits, double lrd,
                           const CallOptions& options, nb::object out, nb::object progress) {
  const Buffer buffer(latents, Buffer::Access::kStrided);
  Output output(std::move(out));
  const PictureInfo info = InfoOf(width, height, channels, output.is_deep() ? 16 : bit_depth);
  const LatentShape shape = Value(ShapeOfLatents(model, info, options.limits));
  const std::vector<size_t> wanted = {shape.rows, shape.columns, shape.channels};
  if (buffer.shape() != wanted || buffer.format() != 'h') {
    Refuse("latents of shape " + ShapeText(buffer.shape()) +
           ": those of this picture and model are " + "int16 of " + ShapeText(wanted));
  }
  if (fraction_bits != shape.fraction_bits) {
    Refuse("latents of " + std::to_string(fraction_bits) + " fraction bits: those of model " +
           model.info().id + " have " + std::to_string(shape.fraction_bits));
  }
  Call call(std::move(progress));
  CallOptions own = options;
  own.limits.held_memory = buffer.size();
  if (!output.is_given()) own.limits.held_memory += uint64_t{info.RowBytes()} * info.height;
  own.progress = call.progress();
  const Error error = call.Run([&]() -> Error {
    if (!output.Start(info)) return {};
    const size_t row_bytes = sizeof(int16_t) * shape.columns * shape.channels;
    return SynthesiseRows(
        model, info, lrd,
        [&](uint32_t y, int16_t* values) {
          std::memcpy(values, buffer.data() + row_bytes * y, row_bytes);
          return true;
        },
        output.writer(), own);
  });
  return output.Finish(error);
}

}  // namespace

void AddLatents(nb::module_& m) {
  m.def("latents", LatentsOfStream, nb::arg("model"), nb::arg("stream"), nb::arg("options"),
        nb::arg("progress").none(),
        nb::sig("def latents(model: Model, stream: object, options: DecodeOptions, progress: "
                "object | None) -> tuple[numpy.typing.NDArray[numpy.int16], int]"));
  m.def("synthesise", SynthesiseArray, nb::arg("model"), nb::arg("latents"), nb::arg("width"),
        nb::arg("height"), nb::arg("channels"), nb::arg("bit_depth"), nb::arg("fraction_bits"),
        nb::arg("lrd"), nb::arg("options"), nb::arg("out").none(), nb::arg("progress").none(),
        nb::sig("def synthesise(model: Model, latents: object, width: int, height: int, channels: "
                "int, bit_depth: int, fraction_bits: int, lrd: float, options: CallOptions, out: "
                "object | None, "
                "progress: object | None) -> numpy.typing.NDArray[typing.Any]"));
}

}  // namespace glint::python
