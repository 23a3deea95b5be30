// The keyed hash's arithmetic, which all kernels share. Private to the room.
#pragma once

#include <cstring>

#include "simd/kernels.h"

namespace peregrine::nh {

__extension__ using Wide = unsigned __int128;

inline constexpr size_t granule = 16;  // two words: one product
constexpr size_t padded(size_t size) { return (size + granule - 1) & ~(granule - 1); }

inline uint64_t load(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

inline uint64_t multiply_fold(uint64_t a, uint64_t b) {
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// `size` is a multiple of 16.
inline uint64_t hash(const uint8_t* key, size_t size, const HashSecret& secret) {
  Wide sum = 0;
  for (size_t i = 0; i < size / 8; i += 2) {
    sum += Wide{load(key + 8 * i) + secret.words[i]} * (load(key + 8 * i + 8) + secret.words[i + 1]);
  }
  const uint64_t mixed = multiply_fold(static_cast<uint64_t>(sum) ^ secret.mix[0],
                                       static_cast<uint64_t>(sum >> 64) ^ secret.mix[1]);
  return multiply_fold(mixed ^ secret.mix[2], secret.mix[3] ^ size);
}

}  // namespace peregrine::nh
