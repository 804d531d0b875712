#include "engine/sha256_blocks.h"

#include <bit>

namespace glint {
namespace {

uint32_t LoadBigEndian(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

// One round with the working variables in place: only d and h change.
inline void Round(uint32_t a, uint32_t b, uint32_t c, uint32_t& d, uint32_t e, uint32_t f,
                  uint32_t g, uint32_t& h, uint32_t k_plus_w) {
  const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
  const uint32_t choose = g ^ (e & (f ^ g));
  const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
  const uint32_t majority = (a & b) | (c & (a | b));
  const uint32_t t = h + sum1 + choose + k_plus_w;
  d += t;
  h = t + sum0 + majority;
}

// The schedule's next word, in the place of the word of 16 rounds ago.
inline uint32_t NextWord(uint32_t* w, size_t i) {
  const uint32_t near = w[(i + 14) & 15], far = w[(i + 1) & 15];
  const uint32_t sigma1 = std::rotr(near, 17) ^ std::rotr(near, 19) ^ (near >> 10);
  const uint32_t sigma0 = std::rotr(far, 7) ^ std::rotr(far, 18) ^ (far >> 3);
  return w[i] += sigma1 + w[(i + 9) & 15] + sigma0;
}

}  // namespace

const uint32_t kSha256Constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void Sha256BlocksPortable(const uint8_t* data, size_t blocks, Sha256State* state) {
  auto [a0, b0, c0, d0, e0, f0, g0, h0] = *state;
  for (; blocks > 0; --blocks, data += 64) {
    uint32_t w[16];
    for (size_t i = 0; i < 16; ++i) w[i] = LoadBigEndian(data + 4 * i);
    uint32_t a = a0, b = b0, c = c0, d = d0, e = e0, f = f0, g = g0, h = h0;
    for (size_t r = 0; r < 64; r += 16) {
      // The schedule runs between the rounds, which wait for each other: 20 % faster than ahead of
      // them.
      const auto word = [&](size_t i) {
        return kSha256Constants[r + i] + (r > 0 ? NextWord(w, i) : w[i]);
      };
      Round(a, b, c, d, e, f, g, h, word(0));
      Round(h, a, b, c, d, e, f, g, word(1));
      Round(g, h, a, b, c, d, e, f, word(2));
      Round(f, g, h, a, b, c, d, e, word(3));
      Round(e, f, g, h, a, b, c, d, word(4));
      Round(d, e, f, g, h, a, b, c, word(5));
      Round(c, d, e, f, g, h, a, b, word(6));
      Round(b, c, d, e, f, g, h, a, word(7));
      Round(a, b, c, d, e, f, g, h, word(8));
      Round(h, a, b, c, d, e, f, g, word(9));
      Round(g, h, a, b, c, d, e, f, word(10));
      Round(f, g, h, a, b, c, d, e, word(11));
      Round(e, f, g, h, a, b, c, d, word(12));
      Round(d, e, f, g, h, a, b, c, word(13));
      Round(c, d, e, f, g, h, a, b, word(14));
      Round(b, c, d, e, f, g, h, a, word(15));
    }
    a0 += a, b0 += b, c0 += c, d0 += d, e0 += e, f0 += f, g0 += g, h0 += h;
  }
  *state = {a0, b0, c0, d0, e0, f0, g0, h0};
}

}  // namespace glint
