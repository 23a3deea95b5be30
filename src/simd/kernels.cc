#include "simd/kernels.h"

#include <atomic>

#include "simd/kernel_tables.h"

namespace peregrine {
namespace {

std::atomic<const Kernels*> in_use = &scalar_kernels;

}  // namespace

// The words are SipHash-1-3 in counter mode under the seed.
HashSecret::HashSecret(const HashKey& seed) {
  uint64_t counter = 0;
  const auto next = [&] {
    const uint64_t input = counter++;
    uint8_t octets[8];
    std::memcpy(octets, &input, sizeof input);
    return siphash13(seed, octets);
  };
  for (uint64_t& word : words) word = next();
  for (uint64_t& word : mix) word = next();
}

std::string_view to_string(KernelSet set) {
  switch (set) {
    case KernelSet::scalar:
      return "scalar";
    case KernelSet::avx2:
      return "avx2";
    case KernelSet::avx512:
      return "avx512";
  }
  return "unknown";
}

const Kernels* find_kernels(KernelSet set) { return set == KernelSet::scalar ? &scalar_kernels : nullptr; }

const Kernels& best_kernels() { return scalar_kernels; }

const Kernels& kernels() { return *in_use.load(std::memory_order_relaxed); }

void use_kernels(const Kernels& table) { in_use.store(&table, std::memory_order_relaxed); }

}  // namespace peregrine
