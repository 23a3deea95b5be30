// What the kernels for x86-64 share. Private to the room.
#pragma once

#include <cstdint>

#include "simd/kernels.h"

namespace peregrine {

extern const Kernels avx2_kernels;    // needs cpu_has_avx2()
extern const Kernels avx512_kernels;  // needs cpu_has_avx512()

namespace x86 {

inline int fold_one(uint8_t c) { return c | (static_cast<uint8_t>(c - 'A') < 26) << 5; }

inline int fold_difference(uint8_t a, uint8_t b) { return fold_one(a) - fold_one(b); }

// For both sets, needs AVX2: two loads that overlap are faster than masked ones (1.6 and 2.4 ns for 24
// octets).
bool same_key(const uint8_t* a, const uint8_t* b, size_t size);

}  // namespace x86
}  // namespace peregrine
