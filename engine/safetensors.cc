#include "engine/safetensors.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "engine/byte_order.h"
#include "engine/float16.h"
#include "engine/json.h"
#include "engine/model_file.h"

namespace glint {
namespace {

constexpr uint64_t kMaxHeaderBytes = uint64_t{16} << 20;
constexpr size_t kMaxTensors = 65536;
constexpr size_t kMaxRank = 8;

struct DTypeEntry {
  const char* name;
  DType dtype;
  size_t bytes;
};
constexpr DTypeEntry kDTypes[] = {
    {"F32", DType::kF32, 4}, {"F16", DType::kF16, 2}, {"I32", DType::kI32, 4},
    {"I16", DType::kI16, 2}, {"I8", DType::kI8, 1},   {"U8", DType::kU8, 1},
};

struct Extent {
  uint64_t begin = 0, end = 0;
  const std::string* name = nullptr;
};

bool MultiplyChecked(uint64_t a, uint64_t b, uint64_t* out) {
  if (b != 0 && a > UINT64_MAX / b) return false;
  *out = a * b;
  return true;
}

Status ParseShape(const Json::Array& shape, const std::string& place, TensorView* view) {
  uint64_t elements = 1;
  for (const Json& item : shape) {
    if (!item.is_unsigned() || item.unsigned_integer() > INT32_MAX) {
      return BadModel(place, "shape has " + item.Dump() + ", which is not a size");
    }
    if (!MultiplyChecked(elements, item.unsigned_integer(), &elements)) {
      return BadModel(place, "the product of shape overflows");
    }
    view->shape.push_back(item.integer());
  }
  if (elements > SIZE_MAX) return BadModel(place, "the product of shape overflows");
  view->elements = static_cast<size_t>(elements);
  return Status::Ok();
}

Status ParseTensor(const Json& value, const std::string& place, std::span<const uint8_t> data,
                   TensorView* view, Extent* extent) {
  ObjectReader reader(value, place);
  std::string dtype;
  GLINT_TRY(reader.String("dtype", &dtype));
  const auto* entry = std::find_if(std::begin(kDTypes), std::end(kDTypes),
                                   [&](const DTypeEntry& e) { return dtype == e.name; });
  if (entry == std::end(kDTypes)) return reader.Fail("unknown dtype " + Quote(dtype));
  view->dtype = entry->dtype;

  const Json::Array* shape = nullptr;
  GLINT_TRY(reader.Array("shape", 0, kMaxRank, &shape));
  GLINT_TRY(ParseShape(*shape, place, view));

  const Json::Array* offsets = nullptr;
  GLINT_TRY(reader.Array("data_offsets", 2, 2, &offsets));
  GLINT_TRY(reader.Finish());
  if (!(*offsets)[0].is_unsigned() || !(*offsets)[1].is_unsigned()) {
    return reader.Fail("data_offsets are not two sizes");
  }
  extent->begin = (*offsets)[0].unsigned_integer();
  extent->end = (*offsets)[1].unsigned_integer();
  const std::string range =
      "data_offsets [" + std::to_string(extent->begin) + ", " + std::to_string(extent->end) + "]";
  if (extent->begin > extent->end) return reader.Fail(range + " end before they begin");
  if (extent->end > data.size()) {
    return reader.Fail(range + " reach beyond the " + std::to_string(data.size()) +
                       " bytes of the file's data");
  }
  uint64_t bytes = 0;
  if (!MultiplyChecked(view->elements, entry->bytes, &bytes)) {
    return reader.Fail("the product of shape overflows");
  }
  if (bytes != extent->end - extent->begin) {
    return reader.Fail(range + " hold " + std::to_string(extent->end - extent->begin) +
                       " bytes, but " + dtype + " " + ShapeText(*view) + " needs " +
                       std::to_string(bytes));
  }
  view->data = data.data() + extent->begin;
  return Status::Ok();
}

Status ParseMetadata(const Json& value, std::map<std::string, std::string>* metadata) {
  if (!value.is_object()) return BadModel("__metadata__", "is not an object");
  for (const auto& [key, text] : value.object()) {
    if (!text.is_string()) {
      return BadModel("__metadata__", "the value of " + Quote(key) + " is not a string");
    }
    (*metadata)[key] = text.string();
  }
  return Status::Ok();
}

// Every byte of the data belongs to exactly one tensor.
Status CheckExtents(std::vector<Extent>* extents, uint64_t data_bytes) {
  std::sort(extents->begin(), extents->end(), [](const Extent& a, const Extent& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  uint64_t at = 0;
  const std::string* before = nullptr;
  for (const Extent& extent : *extents) {
    const std::string place = "tensor " + Quote(*extent.name);
    if (extent.begin < at) {
      return BadModel(place, "its data overlaps that of tensor " + Quote(*before));
    }
    if (extent.begin > at) {
      return BadModel(place,
                      "a hole of " + std::to_string(extent.begin - at) + " bytes before its data");
    }
    at = extent.end;
    before = extent.name;
  }
  if (at != data_bytes) {
    return BadModel("", std::to_string(data_bytes - at) + " bytes after the last tensor");
  }
  return Status::Ok();
}

Result<SafeTensors> Parse(std::span<const uint8_t> bytes) {
  if (bytes.size() < 8) {
    return BadModel("", "has " + std::to_string(bytes.size()) + " bytes, too few for a model file");
  }
  const auto header_bytes = LoadLittleEndian<uint64_t>(bytes.data());
  if (header_bytes > kMaxHeaderBytes) {
    return BadModel("", "not a safetensors file (a header of " + std::to_string(header_bytes) +
                            " bytes, at most " + std::to_string(kMaxHeaderBytes) + " are allowed)");
  }
  if (header_bytes > bytes.size() - 8) {
    return BadModel("", "is cut short: a header of " + std::to_string(header_bytes) +
                            " bytes in a file of " + std::to_string(bytes.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8,
                              static_cast<size_t>(header_bytes));
  GLINT_ASSIGN(const Json header, ParseJson(text, "header"));
  if (!header.is_object()) return BadModel("header", "is not an object");
  if (header.object().size() > kMaxTensors) {
    return BadModel("header", "more than " + std::to_string(kMaxTensors) + " tensors");
  }
  const std::span<const uint8_t> data = bytes.subspan(8 + static_cast<size_t>(header_bytes));
  SafeTensors out;
  std::vector<Extent> extents;
  for (const auto& [key, value] : header.object()) {
    if (key == "__metadata__") {
      GLINT_TRY(ParseMetadata(value, &out.metadata));
      continue;
    }
    const std::string place = "tensor " + Quote(key);
    if (!IsName(key)) return BadModel(place, "is not a valid name");
    const auto added = out.tensors.emplace(key, TensorView()).first;
    Extent extent;
    GLINT_TRY(ParseTensor(value, place, data, &added->second, &extent));
    extent.name = &added->first;
    extents.push_back(extent);
  }
  GLINT_TRY(CheckExtents(&extents, data.size()));
  return out;
}

// Tensors begin at any byte.
template <typename T>
T ElementAt(const uint8_t* data, size_t i) {
  return LoadLittleEndian<T>(data + i * sizeof(T));
}

template <typename T, typename Convert>
void CopyConverted(const uint8_t* from, size_t count, float* out, const Convert& convert) {
  for (size_t i = 0; i < count; ++i) out[i] = convert(ElementAt<T>(from, i));
}

// Whether no element has an exponent of all ones, which infinities and NaNs have.
template <typename T>
bool HasFiniteExponents(const TensorView& tensor, T exponent) {
  T most = 0;
  for (size_t i = 0; i < tensor.elements; ++i) {
    most = std::max(most, static_cast<T>(ElementAt<T>(tensor.data, i) & exponent));
  }
  return most < exponent;
}

}  // namespace

size_t BytesOf(DType dtype) {
  for (const DTypeEntry& entry : kDTypes) {
    if (entry.dtype == dtype) return entry.bytes;
  }
  return 0;
}

const char* NameOf(DType dtype) {
  for (const DTypeEntry& entry : kDTypes) {
    if (entry.dtype == dtype) return entry.name;
  }
  return "";
}

std::string ShapeText(const TensorView& tensor) {
  std::string out = "[";
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    out += (i == 0 ? "" : ", ") + std::to_string(tensor.shape[i]);
  }
  return out + "]";
}

Result<SafeTensors> ParseSafeTensors(std::span<const uint8_t> bytes, const std::string& name) {
  Result<SafeTensors> result = Parse(bytes);
  if (!result.ok()) return result.status().WithContext(name);
  return result;
}

void CopyAsFloat(const TensorView& tensor, size_t first, size_t count, float* out) {
  if (count == 0) return;
  const uint8_t* from = tensor.data + first * BytesOf(tensor.dtype);
  const auto plain = [](auto value) { return static_cast<float>(value); };
  switch (tensor.dtype) {
    case DType::kF32:
      CopyLittleEndian(from, count, out);
      break;
    case DType::kF16:
      CopyConverted<uint16_t>(from, count, out, Float16ToFloat);
      break;
    case DType::kI32:
      CopyConverted<int32_t>(from, count, out, plain);
      break;
    case DType::kI16:
      CopyConverted<int16_t>(from, count, out, plain);
      break;
    case DType::kI8:
      CopyConverted<int8_t>(from, count, out, plain);
      break;
    case DType::kU8:
      CopyConverted<uint8_t>(from, count, out, plain);
      break;
  }
}

void TensorValues::Load(size_t i) {
  first_ = i;
  count_ = std::min(values_.size(), tensor_.elements - i);
  CopyAsFloat(tensor_, first_, count_, values_.data());
}

std::vector<int16_t> ReadAsInt16(const TensorView& tensor) {
  std::vector<int16_t> out(tensor.elements);
  if (tensor.dtype == DType::kI16) {
    CopyLittleEndian(tensor.data, out.size(), out.data());
  } else {
    const void* data = tensor.data;
    std::copy_n(static_cast<const int8_t*>(data), out.size(), out.begin());
  }
  return out;
}

bool IsFinite(const TensorView& tensor) {
  if (tensor.dtype == DType::kF32) return HasFiniteExponents<int32_t>(tensor, 0x7f800000);
  if (tensor.dtype == DType::kF16) return HasFiniteExponents<int16_t>(tensor, 0x7c00);
  return true;
}

}  // namespace glint
