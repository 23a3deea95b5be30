// The first zero octet: where a name ends that is not walked label by label.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace peregrine {

// Octets that zero_mask() looks at.
inline constexpr size_t zero_lane = 16;

// Bit i says that p[i] is zero.
#if defined(__SSE2__)
inline unsigned zero_mask(const uint8_t* p) {
  const __m128i lane = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(lane, _mm_setzero_si128())));
}
#else
inline unsigned zero_mask(const uint8_t* p) {
  unsigned mask = 0;
  for (unsigned i = 0; i < zero_lane; ++i) mask |= static_cast<unsigned>(p[i] == 0) << i;
  return mask;
}
#endif

// Octets up to the first zero one, that included; 0 where none is found. Looks at `limit` octets, rounded up
// to a multiple of zero_lane, so that it may be more than `limit`.
inline size_t size_up_to_zero(const uint8_t* octets, size_t limit) {
  for (size_t at = 0; at < limit; at += zero_lane) {
    const unsigned zeros = zero_mask(octets + at);
    if (zeros != 0) return at + static_cast<size_t>(std::countr_zero(zeros)) + 1;
  }
  return 0;
}

}  // namespace peregrine
