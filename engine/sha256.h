// SHA-256 (FIPS 180-4): the identity of model files.
// Called by engine/model_file.cc and tests.
// Thread rules: an instance belongs to one thread.
#ifndef GLINT_ENGINE_SHA256_H_
#define GLINT_ENGINE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/sha256_blocks.h"

namespace glint {

using Sha256Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  void Update(std::span<const uint8_t> bytes);
  // The digest of all bytes so far; nothing may follow.
  Sha256Digest Finish();

 private:
  void Blocks(const uint8_t* data, size_t blocks);

  Sha256State state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_{};
  uint64_t bytes_ = 0;
};

Sha256Digest Sha256Of(std::span<const uint8_t> bytes);

}  // namespace glint

#endif  // GLINT_ENGINE_SHA256_H_
