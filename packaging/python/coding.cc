// Encoding and decoding.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "glint/rate.hpp"
#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"
#include "packaging/python/call.h"
#include "packaging/python/output.h"

namespace glint::python {
namespace {

using Stream = Expected<std::vector<uint8_t>>;

// `read` runs without the GIL. `held`: bytes of the picture.
nb::bytes EncodeFrom(const RowReader& read, const PictureInfo& info, uint64_t held,
                     const Model& model, const Metadata& given, EncodeOptions options,
                     const std::optional<Target>& target, nb::object progress) {
  const Metadata metadata = given;  // which other threads may change meanwhile
  Call call(std::move(progress));
  options.limits.held_memory = held;
  options.progress = call.progress();
  return BytesOf(Value(call.Run([&]() -> Stream {
    if (!target) return EncodeRows(model, info, metadata, read, options);
    Expected<TargetResult> result =
        EncodeRowsToTarget(model, info, metadata, read, *target, options);
    if (!result) return result.error();
    return std::move(result->stream);
  })));
}

nb::bytes EncodeArray(const Model& model, nb::handle array, const Metadata& metadata,
                      const EncodeOptions& options, const std::optional<Target>& target,
                      nb::object progress) {
  const Buffer buffer(array, Buffer::Access::kStrided);
  const SampleView view(buffer, "a picture");
  const RowReader read = [&view](uint32_t y, void* row) {
    view.ReadRow(y, row);
    return true;
  };
  return EncodeFrom(read, view.info(), buffer.size(), model, metadata, options, target,
                    std::move(progress));
}

nb::bytes EncodePicture(const Model& model, const HeldPicture& held, const Metadata& metadata,
                        const EncodeOptions& options, const std::optional<Target>& target,
                        nb::object progress) {
  const Picture& picture = held.picture;
  const size_t row_bytes = picture.info.RowBytes();
  const RowReader read = [&](uint32_t y, void* row) {
    std::memcpy(row, picture.samples.data() + row_bytes * y, row_bytes);
    return true;
  };
  return EncodeFrom(read, picture.info, picture.samples.size(), model, metadata, options, target,
                    std::move(progress));
}

// The most bytes that the array of a decoding has.
uint64_t ArrayBytes(const StreamInfo& said, const DecodeOptions& options) {
  PictureInfo info = said.output;
  const auto shrink = static_cast<uint32_t>(std::max(options.shrink, 1));
  info.width = (info.width + shrink - 1) / shrink;
  info.height = (info.height + shrink - 1) / shrink;
  if (options.crop) {
    info.width = std::min(info.width, options.crop->width);
    info.height = std::min(info.height, options.crop->height);
  }
  info.has_alpha = info.has_alpha && options.alpha == AlphaOutput::kKeep;
  info.bit_depth = std::max(info.bit_depth, 8U);
  if (options.deep) info.bit_depth = std::max(info.bit_depth, said.source.bit_depth);
  return uint64_t{info.RowBytes()} * info.height;
}

nb::object DecodeStream(const Model& model, nb::handle stream, const DecodeOptions& options,
                        nb::object out, nb::object progress) {
  const Buffer buffer(stream, Buffer::Access::kBytes);
  Output output(out);
  DecodeOptions own = options;
  own.limits.held_memory = buffer.size();
  const StreamInfo said = Value(Call().Run(
      [&] { return Inspect(buffer.data(), buffer.size(), own.limits, /*damaged_details=*/true); }));
  if (!output.is_given()) own.limits.held_memory += ArrayBytes(said, options);
  own.deep = own.deep || output.is_deep();
  Call call(std::move(progress));
  own.progress = call.progress();
  const Error error = call.Run([&] {
    return DecodeRows(
        model, buffer.data(), buffer.size(),
        [&](const PictureInfo& info, const Metadata&) { return output.Start(info); },
        output.writer(), own);
  });
  return output.Finish(WithMemoryNeeded(error, model, said.source, own));
}

}  // namespace

void AddCoding(nb::module_& m) {
  nb::enum_<Target::Kind>(m, "TargetKind")
      .value("BYTES", Target::Kind::kBytes)
      .value("BITS_PER_PIXEL", Target::Kind::kBitsPerPixel)
      .value("PSNR", Target::Kind::kPsnr);
  nb::class_<Target>(m, "Target")
      .def(
          "__init__",
          [](Target* made, Target::Kind kind, double value) {
            new (made) Target{kind, value};
          },
          nb::arg("kind"), nb::arg("value"));
  m.def("encode_picture", EncodePicture, nb::arg("model"), nb::arg("picture"), nb::arg("metadata"),
        nb::arg("options"), nb::arg("target").none(), nb::arg("progress").none());
  m.def("encode_array", EncodeArray, nb::arg("model"), nb::arg("array"), nb::arg("metadata"),
        nb::arg("options"), nb::arg("target").none(), nb::arg("progress").none());
  m.def(
      "decode", DecodeStream, nb::arg("model"), nb::arg("stream"), nb::arg("options"),
      nb::arg("out").none(), nb::arg("progress").none(),
      nb::sig("def decode(model: Model, stream: object, options: DecodeOptions, "
              "out: object | None, progress: object | None) -> numpy.typing.NDArray[typing.Any]"));
}

}  // namespace glint::python
