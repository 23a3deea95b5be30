// The tables of kernels that this binary has. Private to the room.
#pragma once

#include "simd/kernels.h"

namespace peregrine {

extern const Kernels scalar_kernels;

}  // namespace peregrine
