// Mutators that make hostile inputs out of good ones: bytes, streams and PNGs whose CRCs are made
// good again, model files by their JSON and their tensors. Used by tests, and fit for a fuzz
// driver.
// Thread rules: a Mutator belongs to one thread; the same seed gives the same inputs everywhere.
#ifndef GLINT_TESTS_MUTATE_H_
#define GLINT_TESTS_MUTATE_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace glint::testing {

using Bytes = std::vector<uint8_t>;

uint32_t CrcOf(const uint8_t* data, size_t size);

// ---- streams ------------------------------------------------------------------------------------

inline constexpr size_t kStreamSignature = 7;

// One chunk of a stream: where it and its payload lie. `whole`: it ends within the stream.
struct StreamChunk {
  uint8_t type = 0;
  size_t begin = 0, payload = 0, payload_bytes = 0;
  bool whole = false;
  size_t crc() const { return payload + payload_bytes; }
  size_t end() const { return crc() + 4; }
};

StreamChunk StreamChunkAt(const Bytes& stream, size_t begin);
std::vector<StreamChunk> StreamChunks(const Bytes& stream);

// Makes the CRC of every chunk right, as far as chunks can be walked.
void RepairStream(Bytes* stream);

// The chunk anew around another payload.
Bytes MakeStreamChunk(uint8_t type, const Bytes& payload);

// ---- PNG ----------------------------------------------------------------------------------------

inline constexpr size_t kPngSignature = 8;

struct PngChunk {
  std::string type;
  Bytes data;
};

inline uint32_t LoadBig(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

void AppendBig(uint32_t value, Bytes* out);

std::vector<PngChunk> PngChunks(const Bytes& file);
Bytes JoinPng(const Bytes& signature_of, const std::vector<PngChunk>& chunks);

// What zlib data inflate to, at most `most` bytes, as far as they are sound.
Bytes InflateUpTo(const Bytes& packed, size_t most);
Bytes DeflateAll(const Bytes& bytes);

// ---- model files --------------------------------------------------------------------------------

// A safetensors file in its two parts.
struct ModelParts {
  nlohmann::json header;
  Bytes data;
};

ModelParts SplitModel(const Bytes& file);
Bytes JoinModel(const ModelParts& parts);

// ---- the mutator --------------------------------------------------------------------------------

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  // 0 .. count - 1; 0 when there is none.
  size_t Below(size_t count) { return count == 0 ? 0 : random_() % count; }
  bool OneIn(size_t count) { return Below(count) == 0; }
  uint8_t Byte() { return static_cast<uint8_t>(random_()); }

  // 1 to 4 edits, mostly 1: bits, bytes, words, ranges of `bytes` cut, doubled, moved, or taken
  // from `other`.
  void EditBytes(Bytes* bytes, const Bytes& other);

  // Edits anywhere or in one payload, whole chunks moved; the CRCs are right more often than not.
  Bytes Stream(const Bytes& stream, const Bytes& other);

  // The same for a PNG; half the time the filtered rows inside IDAT change.
  Bytes Png(const Bytes& file, const Bytes& other);

  // A model file with changes in its document, its tensor list or its tensors.
  Bytes Model(const Bytes& file);

 private:
  using Json = nlohmann::json;

  static std::ptrdiff_t Signed(size_t n) { return static_cast<std::ptrdiff_t>(n); }

  // A range of `bytes`, often short.
  std::pair<size_t, size_t> Range(const Bytes& bytes);

  void EditOnce(Bytes* bytes, const Bytes& other);
  void EditWord(Bytes* bytes, size_t at);

  // A range of `other` in place of one of `bytes`.
  void Splice(Bytes* bytes, const Bytes& other);

  // ---- streams

  static Bytes Piece(const Bytes& bytes, size_t begin, size_t end);
  static Bytes ChunkBytes(const Bytes& stream, const StreamChunk& chunk);

  Bytes EditPayload(const Bytes& stream, const Bytes& other);
  Bytes MoveChunks(const Bytes& stream, const Bytes& other);

  // Drops, doubles, swaps, or takes one of another list.
  template <typename T>
  void MoveElements(std::vector<T>* list, const std::vector<T>& others);

  // ---- PNG

  void EditName(std::string* type);
  void MovePngChunks(std::vector<PngChunk>* chunks, const std::vector<PngChunk>& others);

  // All IDAT chunks become one, with other filtered rows.
  void EditImageData(std::vector<PngChunk>* chunks);

  // ---- models

  void EditDocument(Json* header);
  static void CollectValues(Json* value, std::vector<Json*>* all);

  // Changes one value; leaves are as likely as each other.
  void EditJson(Json* root);

  void EditNumber(Json* value);
  void EditString(Json* value, const std::vector<Json*>& all);
  void EditArray(Json* array);
  void EditObject(Json* object);

  // Values of 4 bytes, as floats or as integers; all tensors of test models have such.
  void EditTensors(Bytes* data);

  std::mt19937 random_;
};

}  // namespace glint::testing

#endif  // GLINT_TESTS_MUTATE_H_
