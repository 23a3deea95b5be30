// What the kernels for x86-64 share. Private to the room.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "simd/kernels.h"
#include "simd/nh.h"

namespace peregrine {

extern const Kernels avx2_kernels;    // needs cpu_has_avx2()
extern const Kernels avx512_kernels;  // needs cpu_has_avx512()

namespace x86 {

inline int fold_one(uint8_t c) { return c | (static_cast<uint8_t>(c - 'A') < 26) << 5; }

inline int fold_difference(uint8_t a, uint8_t b) { return fold_one(a) - fold_one(b); }

// Puts a chunk of a name, already folded, into the key and adds it to the sum. The words are read back from
// memory, as that takes fewer instructions than to extract them one by one; the empty asm keeps the compiler
// from doing so. `secret` is aligned to 32.
[[gnu::always_inline, gnu::target("avx2,bmi2")]] inline void take_chunk(__m256i folded, uint8_t* key,
                                                                        const uint64_t* secret,
                                                                        nh::Sum& sum) {
  struct alignas(16) Words {
    uint64_t word[4];
  } words;
  const __m256i secrets = _mm256_load_si256(reinterpret_cast<const __m256i*>(secret));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(key), folded);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(&words), _mm256_add_epi64(folded, secrets));
  asm("" : "+m"(words));
  sum.add(words.word[0], words.word[1]);
  sum.add(words.word[2], words.word[3]);
}

}  // namespace x86
}  // namespace peregrine
