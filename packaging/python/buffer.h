// Memory of Python objects by the buffer protocol, without copies, and pictures in it.
// Used by packaging/python/*.cc.
// Thread rules: a Buffer is made and destroyed with the GIL; what it shows may be read and written
// without. A SampleView may be used without the GIL as long as its Buffer lives.
#ifndef GLINT_PACKAGING_PYTHON_BUFFER_H_
#define GLINT_PACKAGING_PYTHON_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "glint/glint.hpp"
#include "packaging/python/binding.h"

namespace glint::python {

// As NumPy writes it: "(2, 3, 4)".
std::string ShapeText(const std::vector<size_t>& shape);

class Buffer {
 public:
  enum class Access {
    kBytes,    // read, in one piece
    kStrided,  // read, with any strides
    kWritten,  // written, with any strides
  };
  // TypeError or BufferError where the object has no such memory.
  Buffer(nb::handle object, Access access);
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { PyBuffer_Release(&view_); }

  uint8_t* data() const { return static_cast<uint8_t*>(view_.buf); }
  size_t size() const { return static_cast<size_t>(view_.len); }
  size_t item_bytes() const { return static_cast<size_t>(view_.itemsize); }
  std::vector<size_t> shape() const;
  // Bytes from an item to the next, by dimension.
  std::vector<ptrdiff_t> strides() const;
  // The letter of the module `struct` for an item in native byte order; 0: another byte order, or
  // more than one number.
  char format() const;

 private:
  Py_buffer view_{};
};

// A picture as NumPy has it: rows, columns, and samples where there are several.
class SampleView {
 public:
  // CodecError where that is no picture: `what` says which one.
  SampleView(const Buffer& buffer, const char* what);
  // Packed, in memory of the caller's.
  SampleView(uint8_t* data, const PictureInfo& info);

  const PictureInfo& info() const { return info_; }
  // Interleaved, info().RowBytes().
  void ReadRow(uint32_t y, void* row) const;
  // A row of a picture of the same size and samples, whose depth may be less: levels are scaled to
  // the greatest of this one's.
  void WriteRow(uint32_t y, const void* row, uint32_t bit_depth) const;

 private:
  bool IsPacked() const;
  template <typename From, typename To>
  void WriteSamples(uint8_t* to, const void* row, uint32_t bit_depth) const;

  PictureInfo info_;
  uint8_t* data_;
  ptrdiff_t row_stride_, pixel_stride_, sample_stride_;
};

// The shape that NumPy gives a picture: (height, width), or (height, width, samples).
std::vector<size_t> ShapeOf(const PictureInfo& info);

// A new array of NumPy's with this memory.
enum class Kind { kUint8, kUint16, kInt16 };
nb::object ArrayOf(std::unique_ptr<uint8_t[]> data, const std::vector<size_t>& shape, Kind kind);

}  // namespace glint::python

#endif  // GLINT_PACKAGING_PYTHON_BUFFER_H_
