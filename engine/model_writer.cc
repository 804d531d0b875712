#include "engine/model_writer.h"

#include <algorithm>
#include <utility>

#include "engine/byte_order.h"
#include "engine/json_value.h"
#include "engine/safetensors.h"

namespace glint {

void ModelWriter::Set(const std::string& name, DType dtype, const std::vector<int64_t>& shape,
                      const void* data) {
  size_t bytes = BytesOf(dtype);
  for (const int64_t size : shape) bytes *= static_cast<size_t>(size);
  Entry& entry = tensors_[name];
  entry.dtype = dtype;
  entry.shape = shape;
  const uint8_t* from = static_cast<const uint8_t*>(data);
  entry.data.assign(from, from + bytes);
  SwapToLittleEndian(entry.data.data(), bytes / BytesOf(dtype), BytesOf(dtype));
}

std::vector<uint8_t> ModelWriter::Finish(const std::string& document_text) const {
  // Wide elements first: so all of them are aligned to their size.
  std::vector<std::pair<const std::string*, const Entry*>> order;
  for (const auto& [name, entry] : tensors_) order.emplace_back(&name, &entry);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return BytesOf(a.second->dtype) > BytesOf(b.second->dtype);
  });
  Json header;
  header["__metadata__"]["glint"] = document_text;
  size_t offset = 0;
  for (const auto& [name, entry] : order) {
    const size_t end = offset + entry->data.size();
    header[*name] = Json::Object{{"dtype", NameOf(entry->dtype)},
                                 {"shape", entry->shape},
                                 {"data_offsets", Json::Array{offset, end}}};
    offset = end;
  }
  constexpr size_t kLengthBytes = 8, kAlign = 64;
  std::string text = header.Dump();
  text.append((kAlign - (text.size() + kLengthBytes) % kAlign) % kAlign, ' ');
  std::vector<uint8_t> file;
  file.reserve(kLengthBytes + text.size() + offset);
  for (size_t i = 0; i < kLengthBytes; ++i) {
    file.push_back(static_cast<uint8_t>(uint64_t{text.size()} >> (8 * i)));
  }
  file.insert(file.end(), text.begin(), text.end());
  for (const auto& entry : order) {
    file.insert(file.end(), entry.second->data.begin(), entry.second->data.end());
  }
  return file;
}

}  // namespace glint
