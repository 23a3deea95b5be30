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

}  // namespace x86
}  // namespace peregrine
