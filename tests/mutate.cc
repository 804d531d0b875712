#include "tests/mutate.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>

namespace glint::testing {

uint32_t CrcOf(const uint8_t* data, size_t size) {
  return static_cast<uint32_t>(crc32_z(crc32_z(0, nullptr, 0), data, size));
}

StreamChunk StreamChunkAt(const Bytes& stream, size_t begin) {
  StreamChunk chunk;
  chunk.begin = begin;
  if (begin >= stream.size()) return chunk;
  chunk.type = stream[begin];
  uint64_t size = 0;
  size_t at = begin + 1;
  for (unsigned shift = 0; shift < 35 && at < stream.size(); shift += 7) {
    const uint8_t byte = stream[at++];
    size |= uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80) != 0) continue;
    chunk.payload = at;
    chunk.payload_bytes = static_cast<size_t>(size);
    chunk.whole = size + 4 <= stream.size() - at;
    return chunk;
  }
  return chunk;
}

std::vector<StreamChunk> StreamChunks(const Bytes& stream) {
  std::vector<StreamChunk> chunks;
  for (size_t at = kStreamSignature; at < stream.size();) {
    const StreamChunk chunk = StreamChunkAt(stream, at);
    if (!chunk.whole) break;
    chunks.push_back(chunk);
    at = chunk.end();
  }
  return chunks;
}

void RepairStream(Bytes* stream) {
  for (const StreamChunk& chunk : StreamChunks(*stream)) {
    const uint32_t crc = CrcOf(stream->data() + chunk.begin, chunk.crc() - chunk.begin);
    for (size_t i = 0; i < 4; ++i) {
      (*stream)[chunk.crc() + i] = static_cast<uint8_t>(crc >> (8 * i));
    }
  }
}

Bytes MakeStreamChunk(uint8_t type, const Bytes& payload) {
  Bytes chunk = {type};
  size_t size = payload.size();
  for (; size >= 0x80; size >>= 7) chunk.push_back(static_cast<uint8_t>(size | 0x80));
  chunk.push_back(static_cast<uint8_t>(size));
  chunk.insert(chunk.end(), payload.begin(), payload.end());
  const uint32_t crc = CrcOf(chunk.data(), chunk.size());
  for (size_t i = 0; i < 4; ++i) chunk.push_back(static_cast<uint8_t>(crc >> (8 * i)));
  return chunk;
}

void AppendBig(uint32_t value, Bytes* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<uint8_t>(value >> shift));
}

std::vector<PngChunk> PngChunks(const Bytes& file) {
  std::vector<PngChunk> chunks;
  for (size_t at = kPngSignature; at + 12 <= file.size();) {
    const size_t size = LoadBig(file.data() + at);
    if (size > file.size() - at - 12) break;
    const auto data = file.begin() + static_cast<std::ptrdiff_t>(at + 8);
    chunks.push_back(
        {std::string(data - 4, data), Bytes(data, data + static_cast<std::ptrdiff_t>(size))});
    at += size + 12;
  }
  return chunks;
}

Bytes JoinPng(const Bytes& signature_of, const std::vector<PngChunk>& chunks) {
  Bytes out(signature_of.begin(), signature_of.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                             kPngSignature, signature_of.size())));
  for (const PngChunk& chunk : chunks) {
    AppendBig(static_cast<uint32_t>(chunk.data.size()), &out);
    const size_t begin = out.size();
    out.insert(out.end(), chunk.type.begin(), chunk.type.end());
    out.insert(out.end(), chunk.data.begin(), chunk.data.end());
    AppendBig(CrcOf(out.data() + begin, out.size() - begin), &out);
  }
  return out;
}

Bytes InflateUpTo(const Bytes& packed, size_t most) {
  Bytes out(most);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = const_cast<uint8_t*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(most);
  inflate(&stream, Z_SYNC_FLUSH);
  out.resize(most - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

Bytes DeflateAll(const Bytes& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  Bytes out(size);
  compress2(out.data(), &size, bytes.data(), static_cast<uLong>(bytes.size()), 1);
  out.resize(size);
  return out;
}

ModelParts SplitModel(const Bytes& file) {
  uint64_t size = 0;
  std::memcpy(&size, file.data(), 8);
  const auto data = file.begin() + 8 + static_cast<std::ptrdiff_t>(size);
  return {nlohmann::json::parse(file.begin() + 8, data), Bytes(data, file.end())};
}

Bytes JoinModel(const ModelParts& parts) {
  const std::string header =
      parts.header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const uint64_t size = header.size();
  Bytes file(8 + header.size() + parts.data.size());
  std::memcpy(file.data(), &size, 8);
  const auto data = std::copy(header.begin(), header.end(), file.begin() + 8);
  std::copy(parts.data.begin(), parts.data.end(), data);
  return file;
}

void Mutator::EditBytes(Bytes* bytes, const Bytes& other) {
  for (size_t edits = 1 + (OneIn(3) ? Below(4) : 0); edits > 0; --edits) EditOnce(bytes, other);
}

Bytes Mutator::Stream(const Bytes& stream, const Bytes& other) {
  Bytes out = stream;
  switch (Below(4)) {
    case 0:
      EditBytes(&out, other);
      if (!OneIn(4)) RepairStream(&out);
      return out;
    case 1:
      return MoveChunks(stream, other);
    default:
      return EditPayload(stream, other);
  }
}

Bytes Mutator::Png(const Bytes& file, const Bytes& other) {
  std::vector<PngChunk> chunks = PngChunks(file);
  if (chunks.empty() || OneIn(6)) {
    Bytes out = file;
    EditBytes(&out, other);
    return out;
  }
  if (OneIn(2)) {
    EditImageData(&chunks);
  } else if (OneIn(3)) {
    MovePngChunks(&chunks, PngChunks(other));
  } else {
    PngChunk& chunk = chunks[Below(chunks.size())];
    OneIn(8) ? EditName(&chunk.type) : EditBytes(&chunk.data, other);
  }
  return JoinPng(file, chunks);
}

Bytes Mutator::Model(const Bytes& file) {
  if (OneIn(12)) {
    Bytes out = file;
    EditBytes(&out, file);
    return out;
  }
  ModelParts parts = SplitModel(file);
  for (size_t edits = 1 + (OneIn(3) ? Below(3) : 0); edits > 0; --edits) {
    switch (Below(8)) {
      case 0:
        EditJson(&parts.header);
        break;
      case 1:
      case 2:
      case 3:
        EditTensors(&parts.data);
        break;
      default:
        EditDocument(&parts.header);
    }
  }
  return JoinModel(parts);
}

std::pair<size_t, size_t> Mutator::Range(const Bytes& bytes) {
  const size_t begin = Below(bytes.size());
  const size_t most = OneIn(4) ? bytes.size() : 16;
  const size_t size = std::min(bytes.size() - begin, 1 + Below(most));
  return {begin, begin + size};
}

void Mutator::EditOnce(Bytes* bytes, const Bytes& other) {
  if (bytes->empty()) {
    bytes->assign(1 + Below(16), Byte());
    return;
  }
  const size_t at = Below(bytes->size());
  switch (Below(10)) {
    case 0:
    case 1:
      (*bytes)[at] ^= static_cast<uint8_t>(1U << Below(8));
      break;
    case 2:
      (*bytes)[at] = Byte();
      break;
    case 3: {
      constexpr uint8_t kValues[] = {0, 1, 0x7F, 0x80, 0xFF, '0', '9', ' ', '\n'};
      (*bytes)[at] = kValues[Below(std::size(kValues))];
      break;
    }
    case 4:
      EditWord(bytes, at);
      break;
    case 5: {  // cut
      const auto [begin, end] = Range(*bytes);
      bytes->erase(bytes->begin() + Signed(begin), bytes->begin() + Signed(end));
      break;
    }
    case 6: {  // double or move
      const auto [begin, end] = Range(*bytes);
      const Bytes part(bytes->begin() + Signed(begin), bytes->begin() + Signed(end));
      if (OneIn(2)) bytes->erase(bytes->begin() + Signed(begin), bytes->begin() + Signed(end));
      const size_t to = Below(bytes->size() + 1);
      bytes->insert(bytes->begin() + Signed(to), part.begin(), part.end());
      break;
    }
    case 7: {  // insert
      Bytes part(1 + Below(8));
      for (uint8_t& byte : part) byte = Byte();
      bytes->insert(bytes->begin() + Signed(at), part.begin(), part.end());
      break;
    }
    case 8:
      Splice(bytes, other);
      break;
    default:
      bytes->resize(at);
  }
}

void Mutator::EditWord(Bytes* bytes, size_t at) {
  constexpr uint32_t kValues[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 65536};
  const uint32_t value =
      OneIn(2) ? kValues[Below(std::size(kValues))] : static_cast<uint32_t>(random_());
  for (size_t i = 0; i < 4 && at + i < bytes->size(); ++i) {
    (*bytes)[at + i] = static_cast<uint8_t>(value >> (8 * i));
  }
}

void Mutator::Splice(Bytes* bytes, const Bytes& other) {
  if (other.empty()) return;
  const auto [begin, end] = Range(*bytes);
  const auto [from, to] = Range(other);
  const Bytes part(other.begin() + Signed(from), other.begin() + Signed(to));
  bytes->erase(bytes->begin() + Signed(begin), bytes->begin() + Signed(end));
  bytes->insert(bytes->begin() + Signed(begin), part.begin(), part.end());
}

Bytes Mutator::Piece(const Bytes& bytes, size_t begin, size_t end) {
  return Bytes(bytes.begin() + Signed(begin), bytes.begin() + Signed(end));
}

Bytes Mutator::ChunkBytes(const Bytes& stream, const StreamChunk& chunk) {
  return Piece(stream, chunk.begin, chunk.end());
}

Bytes Mutator::EditPayload(const Bytes& stream, const Bytes& other) {
  const std::vector<StreamChunk> chunks = StreamChunks(stream);
  if (chunks.empty()) return stream;
  const StreamChunk& chunk = chunks[Below(chunks.size())];
  Bytes payload = Piece(stream, chunk.payload, chunk.crc());
  EditBytes(&payload, other);
  const uint8_t type = OneIn(16) ? static_cast<uint8_t>('A' + Below(58)) : chunk.type;
  const Bytes changed = MakeStreamChunk(type, payload);
  Bytes out = Piece(stream, 0, chunk.begin);
  out.insert(out.end(), changed.begin(), changed.end());
  out.insert(out.end(), stream.begin() + Signed(chunk.end()), stream.end());
  return out;
}

Bytes Mutator::MoveChunks(const Bytes& stream, const Bytes& other) {
  std::vector<Bytes> chunks, others;
  for (const StreamChunk& chunk : StreamChunks(stream)) {
    chunks.push_back(ChunkBytes(stream, chunk));
  }
  for (const StreamChunk& chunk : StreamChunks(other)) others.push_back(ChunkBytes(other, chunk));
  MoveElements(&chunks, others);
  Bytes out = Piece(stream, 0, std::min(kStreamSignature, stream.size()));
  for (const Bytes& chunk : chunks) out.insert(out.end(), chunk.begin(), chunk.end());
  return out;
}

template <typename T>
void Mutator::MoveElements(std::vector<T>* list, const std::vector<T>& others) {
  if (list->empty()) return;
  const size_t at = Below(list->size()), to = Below(list->size());
  switch (Below(5)) {
    case 0:
      list->erase(list->begin() + Signed(at));
      break;
    case 1: {
      const T copy = (*list)[at];
      list->insert(list->begin() + Signed(to), copy);
      break;
    }
    case 2:
      std::swap((*list)[at], (*list)[to]);
      break;
    case 3:
      if (!others.empty()) (*list)[at] = others[Below(others.size())];
      break;
    default:
      if (!others.empty()) {
        list->insert(list->begin() + Signed(at), others[Below(others.size())]);
      }
  }
}

void Mutator::EditName(std::string* type) {
  constexpr const char* kTypes[] = {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "iCCP", "eXIf",
                                    "tEXt", "zTXt", "iTXt", "gAMA", "sBIT", "bKGD", "hIST"};
  *type = kTypes[Below(std::size(kTypes))];
}

void Mutator::MovePngChunks(std::vector<PngChunk>* chunks, const std::vector<PngChunk>& others) {
  MoveElements(chunks, others);
}

void Mutator::EditImageData(std::vector<PngChunk>* chunks) {
  constexpr size_t kMost = size_t{1} << 20;
  Bytes packed;
  std::vector<PngChunk> kept;
  size_t at = 0;
  for (PngChunk& chunk : *chunks) {
    if (chunk.type != "IDAT") {
      kept.push_back(std::move(chunk));
      continue;
    }
    if (packed.empty()) at = kept.size();
    packed.insert(packed.end(), chunk.data.begin(), chunk.data.end());
  }
  Bytes rows = InflateUpTo(packed, kMost);
  EditBytes(&rows, packed);
  packed = DeflateAll(rows);
  if (OneIn(8)) EditBytes(&packed, rows);
  kept.insert(kept.begin() + Signed(at), {"IDAT", std::move(packed)});
  *chunks = std::move(kept);
}

void Mutator::EditDocument(Json* header) {
  if (!header->is_object() || !header->contains("__metadata__")) return;
  Json& metadata = (*header)["__metadata__"];
  if (!metadata.is_object() || !metadata.contains("glint")) return;
  if (!metadata["glint"].is_string()) return;
  std::string text = metadata["glint"].get<std::string>();
  if (OneIn(16)) {
    Bytes bytes(text.begin(), text.end());
    EditBytes(&bytes, bytes);
    metadata["glint"] = std::string(bytes.begin(), bytes.end());
    return;
  }
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) return;
  EditJson(&document);
  metadata["glint"] = document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Mutator::CollectValues(Json* value, std::vector<Json*>* all) {
  all->push_back(value);
  if (!value->is_structured()) return;
  for (Json& item : *value) CollectValues(&item, all);
}

void Mutator::EditJson(Json* root) {
  std::vector<Json*> all;
  CollectValues(root, &all);
  Json* value = all[Below(all.size())];
  if (OneIn(12)) {
    const Json other = *all[Below(all.size())];
    *value = OneIn(4) ? Json() : other;
  } else if (value->is_number()) {
    EditNumber(value);
  } else if (value->is_string()) {
    EditString(value, all);
  } else if (value->is_boolean()) {
    *value = !value->get<bool>();
  } else if (value->is_array()) {
    EditArray(value);
  } else if (value->is_object()) {
    EditObject(value);
  }
}

void Mutator::EditNumber(Json* value) {
  static const Json kValues[] = {0,
                                 1,
                                 2,
                                 -1,
                                 255,
                                 256,
                                 4096,
                                 65536,
                                 1000000007,
                                 INT32_MAX,
                                 uint64_t{1} << 32,
                                 std::numeric_limits<int64_t>::max(),
                                 std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<uint64_t>::max(),
                                 0.5,
                                 1e-30,
                                 1e300};
  const double number = value->get<double>();
  const bool whole = value->is_number_integer() && number > -1e9 && number < 1e9;
  switch (Below(6)) {
    case 0:
      *value = kValues[Below(std::size(kValues))];
      break;
    case 1:
    case 2: {
      const int step = OneIn(2) ? 1 : -1;
      *value = whole ? Json(value->get<int64_t>() + step) : Json(number * (1 + 0.25 * step));
      break;
    }
    case 3:
      *value = whole ? Json(value->get<int64_t>() * 2) : Json(number * 2);
      break;
    case 4:
      *value = whole ? Json(value->get<int64_t>() / 2) : Json(number / 2);
      break;
    default:
      *value = whole ? Json(Below(40)) : Json(number * (1 + 1e-3 * static_cast<double>(Byte())));
  }
}

void Mutator::EditString(Json* value, const std::vector<Json*>& all) {
  std::string text = value->get<std::string>();
  const Json& other = *all[Below(all.size())];
  if (other.is_string() && !OneIn(3)) {
    *value = other;
  } else if (!text.empty() && OneIn(2)) {
    text[Below(text.size())] = static_cast<char>(Byte());
    *value = text;
  } else {
    *value = OneIn(2) ? std::string() : text + text;
  }
}

void Mutator::EditArray(Json* array) {
  const size_t at = Below(array->size());
  if (array->empty() || OneIn(4)) {
    array->push_back(array->empty() ? Json(Below(8)) : Json((*array)[at]));
  } else if (OneIn(2)) {
    std::swap((*array)[at], (*array)[Below(array->size())]);
  } else {
    array->erase(at);
  }
}

void Mutator::EditObject(Json* object) {
  if (object->empty()) return;
  const auto at = std::next(object->begin(), Signed(Below(object->size())));
  const auto other = std::next(object->begin(), Signed(Below(object->size())));
  if (OneIn(3)) {
    std::swap(*at, *other);
  } else if (OneIn(2)) {
    const std::string key = at.key() + "2";
    const Json copy = *at;
    (*object)[key] = copy;
  } else {
    object->erase(at);
  }
}

void Mutator::EditTensors(Bytes* data) {
  if (data->size() < 4) return;
  const size_t first = Below(data->size() / 4);
  const size_t last = std::min(data->size() / 4, first + 1 + (OneIn(3) ? Below(64) : 0));
  const size_t kind = Below(5);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kValues[] = {0.0f,  -0.0f, 1.0f,      -1.0f,     1e-42f,
                               1e30f, 3e38f, kInfinity, -kInfinity};
  const float value =
      OneIn(6) ? std::numeric_limits<float>::quiet_NaN() : kValues[Below(std::size(kValues))];
  const float factor = OneIn(2) ? 1000.0f : -1.0f;
  for (size_t i = first; i < last; ++i) {
    uint8_t* at = data->data() + 4 * i;
    float number = 0;
    int32_t integer = 0;
    std::memcpy(&number, at, 4);
    std::memcpy(&integer, at, 4);
    number = kind == 0 ? value : number * factor;
    const uint32_t step = OneIn(2) ? 1 : UINT32_MAX;
    integer = static_cast<int32_t>(static_cast<uint32_t>(integer) + step);
    if (kind <= 2) std::memcpy(at, &number, 4);
    if (kind == 3) std::memcpy(at, &integer, 4);
    if (kind == 4) at[Below(4)] ^= static_cast<uint8_t>(1U << Below(8));
  }
}

}  // namespace glint::testing
