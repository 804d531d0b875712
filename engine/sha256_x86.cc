#include "engine/sha256_blocks.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

namespace glint {

bool HasSha256Instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

// Lanes of a vector from the first on. The instructions keep the eight words as (f, e, b, a) and
// (h, g, d, c); one does two rounds, with words of the schedule in the two first lanes of its last
// operand.
__attribute__((target("sha,sse4.1"))) void Sha256BlocksByInstructions(const uint8_t* data,
                                                                      size_t blocks,
                                                                      Sha256State* state) {
  auto* const words = reinterpret_cast<__m128i*>(state->data());
  const auto* const constants = reinterpret_cast<const __m128i*>(kSha256Constants);
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
  __m128i feba = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i hgdc = _mm_blend_epi16(hgfe, badc, 0xf0);
  for (; blocks > 0; --blocks, data += 64) {
    const __m128i feba_before = feba, hgdc_before = hgdc;
    __m128i w[4];  // the last 16 words of the schedule
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __m128i& next = w[i % 4];  // holds the words of 16 rounds ago
      if (i < 4) {
        next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data) + i);
        next = _mm_shuffle_epi8(next, big_endian);
      } else {
        const __m128i last = w[(i + 3) % 4];
        const __m128i seven_ago = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
        next = _mm_add_epi32(_mm_sha256msg1_epu32(next, w[(i + 1) % 4]), seven_ago);
        next = _mm_sha256msg2_epu32(next, last);
      }
      const __m128i added = _mm_add_epi32(next, _mm_loadu_si128(constants + i));
      hgdc = _mm_sha256rnds2_epu32(hgdc, feba, added);
      feba = _mm_sha256rnds2_epu32(feba, hgdc, _mm_shuffle_epi32(added, 0x0e));
    }
    feba = _mm_add_epi32(feba, feba_before);
    hgdc = _mm_add_epi32(hgdc, hgdc_before);
  }
  const __m128i abef = _mm_shuffle_epi32(feba, 0x1b);
  const __m128i ghcd = _mm_shuffle_epi32(hgdc, 0xb1);
  _mm_storeu_si128(words, _mm_blend_epi16(abef, ghcd, 0xf0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(ghcd, abef, 8));
}

}  // namespace glint

#else

namespace glint {

bool HasSha256Instructions() { return false; }
void Sha256BlocksByInstructions(const uint8_t* data, size_t blocks, Sha256State* state) {
  Sha256BlocksPortable(data, blocks, state);
}

}  // namespace glint

#endif
