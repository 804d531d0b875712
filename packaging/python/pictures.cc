// Pictures of files and arrays, and bytes of files.
#include "glint/pictures.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "glint/image_io.hpp"
#include "packaging/python/binding.h"
#include "packaging/python/buffer.h"
#include "packaging/python/call.h"

namespace glint::python {
namespace {

Picture PictureOf(nb::handle array, const Metadata& metadata) {
  const Buffer buffer(array, Buffer::Access::kStrided);
  const SampleView view(buffer, "a picture");
  return Call().Run([&] {
    Picture picture;
    picture.info = view.info();
    picture.metadata = metadata;
    const size_t row = picture.info.RowBytes();
    picture.samples.resize(row * picture.info.height);
    for (uint32_t y = 0; y < picture.info.height; ++y) {
      view.ReadRow(y, picture.samples.data() + row * y);
    }
    return picture;
  });
}

nb::object SamplesOf(const Picture& picture) {
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

Picture ReadPictureFile(const std::string& path, const Limits& limits) {
  return Value(Call().Run([&] { return ReadPicture(path, limits); }));
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
Picture ReadPictureBytes(nb::handle bytes, const Limits& limits) {
  const Buffer buffer(bytes, Buffer::Access::kBytes);
  return Value(Call().Run([&]() -> Expected<Picture> {
    Expected<std::unique_ptr<PictureReader>> reader =
        PictureReader::FromMemory(buffer.data(), buffer.size(), "the picture's bytes", limits);
    if (!reader) return reader.error();
    return ReadAll(reader->get());
  }));
}

void WritePictureFile(const std::string& path, const Picture& picture) {
  Check(Call().Run([&] { return WritePicture(path, picture); }));
}

nb::bytes ReadBytes(const std::string& path, uint64_t max_bytes) {
  return BytesOf(Value(Call().Run([&] { return ReadFile(path, max_bytes); })));
}

}  // namespace

void AddPictures(nb::module_& m) {
  nb::class_<Picture>(m, "Picture", R"(A picture in memory: its samples and its metadata.

Picture(samples, metadata=Metadata()): of an array of shape (height, width) for gray, or
(height, width, n): gray, gray and alpha, RGB, RGB and alpha for n of 1 to 4. uint8 or uint16, any
strides. The samples are copied.)")
      .def(
          "__init__",
          [](Picture* made, nb::handle samples, const Metadata& metadata) {
            new (made) Picture(PictureOf(samples, metadata));
          },
          nb::arg("samples"), nb::arg("metadata") = Metadata())
      .def_prop_ro("samples", SamplesOf,
                   nb::sig("def samples(self) -> numpy.typing.NDArray[typing.Any]"),
                   "A new array: uint8, or uint16 where the picture has more than 8 bits, from 0 "
                   "to the dtype's greatest value, whatever depth the file has.")
      .def_rw("metadata", &Picture::metadata)
      .def_prop_ro(
          "shape",
          [](const Picture& picture) { return nb::tuple(nb::cast(ShapeOf(picture.info))); },
          nb::sig("def shape(self) -> tuple[int, ...]"),
          "(height, width), or (height, width, samples).")
      .def_prop_ro(
          "bit_depth", [](const Picture& picture) { return picture.info.bit_depth; },
          "Bits a sample of the file: 1, 2, 4, 8 or 16.")
      .def("__repr__", [](const Picture& picture) {
        return "Picture(" + ShapeText(ShapeOf(picture.info)) + ", " +
               std::to_string(picture.info.bit_depth) + " bits)";
      });
  m.def("read_picture", ReadPictureFile, nb::arg("path"), nb::arg("limits"));
  m.def("read_picture_bytes", ReadPictureBytes, nb::arg("bytes"), nb::arg("limits"));
  m.def("write_picture", WritePictureFile, nb::arg("path"), nb::arg("picture"));
  m.def("read_file", ReadBytes, nb::arg("path"), nb::arg("max_bytes"));
}

}  // namespace glint::python
