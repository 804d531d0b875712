#include "packaging/python/buffer.h"

#include <nanobind/ndarray.h>

#include <cstring>
#include <limits>

namespace glint::python {
namespace {

int FlagsOf(Buffer::Access access) {
  switch (access) {
    case Buffer::Access::kStrided:
      return PyBUF_RECORDS_RO;
    case Buffer::Access::kWritten:
      return PyBUF_RECORDS;
    default:
      return PyBUF_SIMPLE;
  }
}

bool IsLittleEndian() {
  const uint16_t one = 1;
  uint8_t first = 0;
  std::memcpy(&first, &one, 1);
  return first == 1;
}

uint32_t Side(size_t length, const std::string& what) {
  if (length > std::numeric_limits<uint32_t>::max()) {
    Refuse(what + ": no picture has " + std::to_string(length) + " rows or columns");
  }
  return static_cast<uint32_t>(length);
}

uint32_t TopOf(uint32_t bit_depth) { return (1U << bit_depth) - 1; }

}  // namespace

std::string ShapeText(const std::vector<size_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

Buffer::Buffer(nb::handle object, Access access) {
  if (PyObject_GetBuffer(object.ptr(), &view_, FlagsOf(access)) != 0) throw nb::python_error();
}

std::vector<size_t> Buffer::shape() const {
  if (view_.ndim == 0) return {};
  if (view_.shape == nullptr) return {size()};
  return {view_.shape, view_.shape + view_.ndim};
}

std::vector<ptrdiff_t> Buffer::strides() const {
  if (view_.strides == nullptr) return {view_.itemsize};
  return {view_.strides, view_.strides + view_.ndim};
}

char Buffer::format() const {
  const char* format = view_.format == nullptr ? "B" : view_.format;
  const char other_order = IsLittleEndian() ? '>' : '<';
  const bool is_other = *format == other_order || (*format == '!' && IsLittleEndian());
  if (is_other && item_bytes() > 1) return 0;
  if (std::strchr("@=<>!", *format) != nullptr && *format != 0) ++format;
  return std::strlen(format) == 1 ? *format : '\0';
}

SampleView::SampleView(const Buffer& buffer, const char* what)
    : data_(buffer.data()), row_stride_(0), pixel_stride_(0), sample_stride_(0) {
  const std::vector<size_t> shape = buffer.shape();
  const std::vector<ptrdiff_t> strides = buffer.strides();
  const std::string text = std::string(what) + " of shape " + ShapeText(shape);
  const bool is_picture =
      shape.size() == 2 || (shape.size() == 3 && shape[2] >= 1 && shape[2] <= 4);
  if (!is_picture) {
    Refuse(text +
           ": a picture has (height, width) or (height, width, samples), and 1 to 4 samples");
  }
  const char format = buffer.format();
  if (format != 'B' && format != 'H') {
    Refuse(text + ": its samples are neither uint8 nor uint16 in this machine's byte order");
  }
  const size_t samples = shape.size() == 2 ? 1 : shape[2];
  info_.height = Side(shape[0], text);
  info_.width = Side(shape[1], text);
  info_.channels = samples <= 2 ? 1 : 3;
  info_.has_alpha = samples % 2 == 0;
  info_.bit_depth = format == 'B' ? 8 : 16;
  row_stride_ = strides[0];
  pixel_stride_ = strides[1];
  sample_stride_ = shape.size() == 2 ? static_cast<ptrdiff_t>(info_.SampleBytes()) : strides[2];
}

SampleView::SampleView(uint8_t* data, const PictureInfo& info)
    : info_(info),
      data_(data),
      row_stride_(static_cast<ptrdiff_t>(info.RowBytes())),
      pixel_stride_(static_cast<ptrdiff_t>(info.SamplesPerPixel() * info.SampleBytes())),
      sample_stride_(static_cast<ptrdiff_t>(info.SampleBytes())) {}

bool SampleView::IsPacked() const {
  const auto bytes = static_cast<ptrdiff_t>(info_.SampleBytes());
  const auto samples = static_cast<ptrdiff_t>(info_.SamplesPerPixel());
  return pixel_stride_ == samples * bytes && (samples == 1 || sample_stride_ == bytes);
}

void SampleView::ReadRow(uint32_t y, void* row) const {
  const uint8_t* pixel = data_ + row_stride_ * ptrdiff_t{y};
  if (IsPacked()) {
    std::memcpy(row, pixel, info_.RowBytes());
    return;
  }
  auto* to = static_cast<uint8_t*>(row);
  const size_t bytes = info_.SampleBytes(), samples = info_.SamplesPerPixel();
  for (uint32_t x = 0; x < info_.width; ++x, pixel += pixel_stride_) {
    for (size_t c = 0; c < samples; ++c, to += bytes) {
      std::memcpy(to, pixel + sample_stride_ * static_cast<ptrdiff_t>(c), bytes);
    }
  }
}

template <typename From, typename To>
void SampleView::WriteSamples(uint8_t* to, const void* row, uint32_t bit_depth) const {
  // Whole numbers: 2^n - 1 divides 2^m - 1 where n divides m.
  const uint32_t factor = TopOf(info_.bit_depth) / TopOf(bit_depth);
  const auto* from = static_cast<const uint8_t*>(row);
  const size_t samples = info_.SamplesPerPixel();
  for (uint32_t x = 0; x < info_.width; ++x, to += pixel_stride_) {
    for (size_t c = 0; c < samples; ++c, from += sizeof(From)) {
      From source;
      std::memcpy(&source, from, sizeof(From));
      const auto level = static_cast<To>(source * factor);
      std::memcpy(to + sample_stride_ * static_cast<ptrdiff_t>(c), &level, sizeof(To));
    }
  }
}

void SampleView::WriteRow(uint32_t y, const void* row, uint32_t bit_depth) const {
  uint8_t* const to = data_ + row_stride_ * ptrdiff_t{y};
  if (IsPacked() && bit_depth == info_.bit_depth) {
    std::memcpy(to, row, info_.RowBytes());
  } else if (bit_depth > 8) {
    WriteSamples<uint16_t, uint16_t>(to, row, bit_depth);
  } else if (info_.bit_depth > 8) {
    WriteSamples<uint8_t, uint16_t>(to, row, bit_depth);
  } else {
    WriteSamples<uint8_t, uint8_t>(to, row, bit_depth);
  }
}

std::vector<size_t> ShapeOf(const PictureInfo& info) {
  std::vector<size_t> shape = {info.height, info.width};
  if (info.SamplesPerPixel() > 1) shape.push_back(info.SamplesPerPixel());
  return shape;
}

nb::object ArrayOf(std::unique_ptr<uint8_t[]> data, const std::vector<size_t>& shape, Kind kind) {
  uint8_t* const memory = data.get();
  const nb::capsule owner(memory, [](void* p) noexcept { delete[] static_cast<uint8_t*>(p); });
  data.release();  // NOLINT(bugprone-unused-return-value): the capsule's now
  const auto array = [&](auto sample) {
    using Sample = decltype(sample);
    return nb::cast(nb::ndarray<nb::numpy, Sample>(memory, shape.size(), shape.data(), owner));
  };
  switch (kind) {
    case Kind::kUint8:
      return array(uint8_t{});
    case Kind::kUint16:
      return array(uint16_t{});
    default:
      return array(int16_t{});
  }
}

}  // namespace glint::python
