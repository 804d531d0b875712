// Pictures of files and arrays, and bytes of files.
#include "glint/pictures.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "glint/image_io.hpp"
#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"
#include "packaging/python/call.h"
#include "tools/common/messages.h"

namespace glint::python {
namespace {

// For copies that a caller asks for by name.
constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
constexpr Limits kNoLimits{kMost, kMost, 0};

// Before memory is taken for a copy.
void CheckSize(const PictureInfo& info, const Limits& limits) {
  const uint64_t pixels = uint64_t{info.width} * info.height;
  if (pixels > limits.max_pixels) {
    throw CodecError({ErrorCode::kLimit, "the picture of shape " + ShapeText(ShapeOf(info)) +
                                             " exceeds the limit of " +
                                             std::to_string(limits.max_pixels) + " pixels"});
  }
  Check(tools::CheckRoom(uint64_t{info.RowBytes()} * info.height, limits));
}

HeldPicture PictureOf(nb::handle array, const Metadata& metadata, const Limits& limits) {
  const Buffer buffer(array, Buffer::Access::kStrided);
  const SampleView view(buffer, "a picture");
  CheckSize(view.info(), limits);
  Picture copied = Call().Run([&] {
    Picture picture;
    picture.info = view.info();
    const size_t row = picture.info.RowBytes();
    picture.samples.resize(row * picture.info.height);
    for (uint32_t y = 0; y < picture.info.height; ++y) {
      view.ReadRow(y, picture.samples.data() + row * y);
    }
    return picture;
  });
  return {std::move(copied), metadata};
}

HeldPicture Held(Picture picture) {
  Metadata metadata = std::move(picture.metadata);
  picture.metadata = {};
  return {std::move(picture), std::move(metadata)};
}

nb::object SamplesOf(const HeldPicture& held) {
  const Picture& picture = held.picture;
  const std::vector<size_t> shape = ShapeOf(picture.info);
  const bool deep = picture.info.bit_depth > 8;
  std::unique_ptr<uint8_t[]> samples(new uint8_t[picture.samples.size()]);
  uint8_t* const to = samples.get();
  nb::object array = ArrayOf(std::move(samples), shape, deep ? Kind::kUint16 : Kind::kUint8);
  if (picture.samples.empty()) return array;
  Call().Run([&] {
    std::memcpy(to, picture.samples.data(), picture.samples.size());
    const uint32_t factor = deep ? 1 : 255 / ((1U << picture.info.bit_depth) - 1);
    if (factor > 1) {
      for (size_t i = 0; i < picture.samples.size(); ++i) {
        to[i] = static_cast<uint8_t>(to[i] * factor);
      }
    }
    return true;
  });
  return array;
}

HeldPicture ReadPictureFile(const nb::bytes& name, const Limits& given) {
  const std::string path = PathOf(name);
  const Limits limits = given;  // which other threads may change meanwhile
  return Held(Value(Call().Run([&] { return ReadPicture(path, limits); })));
}

Expected<Picture> ReadAll(PictureReader* reader) {
  Picture picture;
  picture.info = reader->info();
  const size_t row = picture.info.RowBytes();
  picture.samples.resize(row * picture.info.height);
  for (uint32_t y = 0; y < picture.info.height; ++y) {
    if (Error error = reader->ReadRow(picture.samples.data() + row * y); !error.ok()) return error;
  }
  if (Error error = reader->Finish(); !error.ok()) return error;
  picture.metadata = reader->TakeMetadata();
  return picture;
}

// As ReadPicture does of a path.
HeldPicture ReadPictureBytes(nb::handle bytes, const Limits& given) {
  const Buffer buffer(bytes, Buffer::Access::kBytes);
  const Limits limits = given;  // as above
  return Held(Value(Call().Run([&]() -> Expected<Picture> {
    Expected<std::unique_ptr<PictureReader>> reader =
        PictureReader::FromMemory(buffer.data(), buffer.size(), "the picture's bytes", limits);
    if (!reader) return reader.error();
    return ReadAll(reader->get());
  })));
}

Error WriteAll(const std::string& path, const Picture& picture, const Metadata& metadata) {
  Expected<std::unique_ptr<PictureWriter>> writer =
      PictureWriter::Create(path, picture.info, metadata);
  if (!writer) return writer.error();
  const size_t row = picture.info.RowBytes();
  for (uint32_t y = 0; y < picture.info.height; ++y) {
    Error error = (*writer)->WriteRow(picture.samples.data() + row * y);
    if (!error.ok()) return error;
  }
  return (*writer)->Finish();
}

void WritePictureFile(const nb::bytes& name, const HeldPicture& held, const Metadata& given) {
  const std::string path = PathOf(name);
  const Metadata metadata = given;  // which other threads may change meanwhile
  Check(Call().Run([&] { return WriteAll(path, held.picture, metadata); }));
}

bool IsPictureFile(nb::handle bytes) {
  const Buffer buffer(bytes, Buffer::Access::kBytes);
  return !IdentifyFormat(buffer.data(), std::min<size_t>(buffer.size(), 64)).name.empty();
}

nb::bytes ReadBytes(const nb::bytes& name, uint64_t max_bytes) {
  const std::string path = PathOf(name);
  return BytesOf(Value(Call().Run([&] { return ReadFile(path, max_bytes); })));
}

// width, height, channels, whether it has alpha, bit depth, samples, metadata.
using State = std::tuple<uint32_t, uint32_t, uint32_t, bool, uint32_t, nb::bytes, Metadata>;

State StateOf(const HeldPicture& held) {
  const PictureInfo& info = held.picture.info;
  return {info.width,     info.height,    info.channels,
          info.has_alpha, info.bit_depth, BytesOf(held.picture.samples),
          held.metadata};
}

HeldPicture OfState(const State& state) {
  HeldPicture held;
  PictureInfo& info = held.picture.info;
  nb::bytes samples;
  std::tie(info.width, info.height, info.channels, info.has_alpha, info.bit_depth, samples,
           held.metadata) = state;
  const bool is_sound =
      info.channels <= 3 && info.bit_depth <= 16 && info.RowBytes() * info.height == samples.size();
  if (!is_sound) Refuse("a pickled picture whose samples are not as many as its size says");
  const auto* data = static_cast<const uint8_t*>(samples.data());
  held.picture.samples.assign(data, data + samples.size());
  return held;
}

}  // namespace

void AddPictures(nb::module_& m) {
  nb::class_<HeldPicture>(m, "Picture", R"(A picture in memory: its samples and its metadata.

Picture(samples, metadata=Metadata()): of an array of shape (height, width) for gray, or
(height, width, n): gray, gray and alpha, RGB, RGB and alpha for n of 1 to 4. uint8 or uint16, any
strides. The samples are copied.)")
      .def(
          "__init__",
          [](HeldPicture* made, nb::handle samples, const Metadata& metadata) {
            new (made) HeldPicture(PictureOf(samples, metadata, kNoLimits));
          },
          nb::arg("samples"), nb::arg("metadata") = Metadata())
      .def_prop_ro("samples", SamplesOf,
                   nb::sig("def samples(self) -> numpy.typing.NDArray[typing.Any]"),
                   "A new array: uint8, or uint16 where the picture has more than 8 bits, from 0 "
                   "to the dtype's greatest value, whatever depth the file has.")
      .def_rw("metadata", &HeldPicture::metadata)
      .def_prop_ro(
          "shape",
          [](const HeldPicture& held) { return nb::tuple(nb::cast(ShapeOf(held.picture.info))); },
          nb::sig("def shape(self) -> tuple[int, ...]"),
          "(height, width), or (height, width, samples).")
      .def_prop_ro(
          "bit_depth", [](const HeldPicture& held) { return held.picture.info.bit_depth; },
          "Bits a sample of the file: 1, 2, 4, 8 or 16.")
      .def("__repr__",
           [](const HeldPicture& held) {
             return "Picture(" + ShapeText(ShapeOf(held.picture.info)) + ", " +
                    std::to_string(held.picture.info.bit_depth) + " bits)";
           })
      .def("__getstate__", StateOf)
      .def("__setstate__",
           [](HeldPicture& made, const State& state) { new (&made) HeldPicture(OfState(state)); });
  m.def("picture_of_array", PictureOf, nb::arg("array"), nb::arg("metadata"), nb::arg("limits"));
  m.def("read_picture", ReadPictureFile, nb::arg("path"), nb::arg("limits"));
  m.def("read_picture_bytes", ReadPictureBytes, nb::arg("bytes"), nb::arg("limits"));
  m.def("write_picture", WritePictureFile, nb::arg("path"), nb::arg("picture"),
        nb::arg("metadata"));
  m.def("is_picture_file", IsPictureFile, nb::arg("bytes"));
  m.def("read_file", ReadBytes, nb::arg("path"), nb::arg("max_bytes"));
}

}  // namespace glint::python
