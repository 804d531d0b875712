// The compression function of SHA-256, in portable C++ and in the CPU's own instructions. The same
// digest from both. Called by engine/sha256.cc and tests.
// Thread rules: functions of their arguments.
#ifndef GLINT_ENGINE_SHA256_BLOCKS_H_
#define GLINT_ENGINE_SHA256_BLOCKS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace glint {

using Sha256State = std::array<uint32_t, 8>;

// `data`: `blocks` blocks of 64 bytes.
void Sha256BlocksPortable(const uint8_t* data, size_t blocks, Sha256State* state);

// x86: SHA instructions and SSE4.1. Blocks may be given to the second only where the first says
// true.
bool HasSha256Instructions();
void Sha256BlocksByInstructions(const uint8_t* data, size_t blocks, Sha256State* state);

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
extern const uint32_t kSha256Constants[64];

}  // namespace glint

#endif  // GLINT_ENGINE_SHA256_BLOCKS_H_
