#include "simd/kernel_tables.h"

namespace peregrine {

const Kernels* find_vector_kernels(KernelSet) { return nullptr; }

}  // namespace peregrine
