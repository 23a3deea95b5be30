#include "simd/x86.h"

#include "base/cpu.h"
#include "simd/kernel_tables.h"

namespace peregrine {

const Kernels* find_vector_kernels(KernelSet set) {
  if (set == KernelSet::avx2 && cpu_has_avx2()) return &avx2_kernels;
  if (set == KernelSet::avx512 && cpu_has_avx512()) return &avx512_kernels;
  return nullptr;
}

}  // namespace peregrine
