#include "engine/sha256.h"

#include <algorithm>
#include <cstring>

namespace glint {
namespace {

void StoreBigEndian(uint32_t value, uint8_t* p) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

}  // namespace

void Sha256::Blocks(const uint8_t* data, size_t blocks) {
  static const bool has_instructions = HasSha256Instructions();
  (has_instructions ? Sha256BlocksByInstructions : Sha256BlocksPortable)(data, blocks, &state_);
}

void Sha256::Update(std::span<const uint8_t> bytes) {
  const size_t held = bytes_ % 64;
  bytes_ += bytes.size();
  if (held > 0) {
    const size_t take = std::min(64 - held, bytes.size());
    if (take > 0) std::memcpy(pending_.data() + held, bytes.data(), take);
    bytes = bytes.subspan(take);
    if (held + take < 64) return;
    Blocks(pending_.data(), 1);
  }
  Blocks(bytes.data(), bytes.size() / 64);
  const auto rest = bytes.last(bytes.size() % 64);
  if (!rest.empty()) std::memcpy(pending_.data(), rest.data(), rest.size());
}

Sha256Digest Sha256::Finish() {
  const uint64_t bits = bytes_ * 8;
  // A one bit, zeros up to 8 bytes before a block's end, the length in bits.
  std::array<uint8_t, 72> tail{0x80};
  const size_t zeros = (64 + 56 - (bytes_ + 1) % 64) % 64;
  StoreBigEndian(static_cast<uint32_t>(bits >> 32), tail.data() + 1 + zeros);
  StoreBigEndian(static_cast<uint32_t>(bits), tail.data() + 5 + zeros);
  Update({tail.data(), 9 + zeros});
  Sha256Digest digest;
  for (size_t i = 0; i < state_.size(); ++i) StoreBigEndian(state_[i], digest.data() + 4 * i);
  return digest;
}

Sha256Digest Sha256Of(std::span<const uint8_t> bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return sha.Finish();
}

}  // namespace glint
