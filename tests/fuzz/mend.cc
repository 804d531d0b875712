#include "tests/fuzz/mend.h"

#include "tests/mutate.h"

namespace glint::fuzz {

void MendChecksums(Bytes* stream) { testing::RepairStream(stream); }

void MendStream(const std::string& model_id, Bytes* stream) {
  const testing::StreamChunk header = testing::StreamChunkAt(*stream, testing::kStreamSignature);
  if (header.whole && header.type == 'H') {
    // Behind version, options, width and height (docs/BITSTREAM.md, section 2).
    size_t at = header.payload + 2;
    for (int sizes = 0; sizes < 2; ++sizes) {
      while (at < header.crc() && ((*stream)[at] & 0x80) != 0) ++at;
      ++at;
    }
    const size_t id_bytes = model_id.size() / 2;
    for (size_t i = 0; i < id_bytes && at + id_bytes <= header.crc(); ++i) {
      (*stream)[at + i] = static_cast<uint8_t>(std::stoul(model_id.substr(2 * i, 2), nullptr, 16));
    }
  }
  MendChecksums(stream);
}

}  // namespace glint::fuzz
