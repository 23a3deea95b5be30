// The tables of kernels that this binary has. Private to the room.
#pragma once

#include "simd/kernels.h"

namespace peregrine {

extern const Kernels scalar_kernels;

// avx2 or avx512, where both the binary and the CPU have it; else null.
const Kernels* find_vector_kernels(KernelSet set);

}  // namespace peregrine
