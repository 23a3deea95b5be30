#include "simd/kernels.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "simd/kernel_tables.h"

namespace peregrine {
namespace {

std::atomic<const Kernels*> in_use = &scalar_kernels;

// AVX-512 before AVX2: on Zen 5 no kernel is slower and compare() takes two thirds of the time for names of
// up to 64 octets (bench/micro/kernels_bench.cc). make_key() uses vectors of 256 bits in both, so that CPUs
// which run slower for a while after one of 512 do so for none on the path of a hit.
constexpr std::array by_preference{KernelSet::avx512, KernelSet::avx2, KernelSet::scalar};

const Kernels& preferred() {
  const Kernels* found = nullptr;
  for (size_t i = 0; !found; ++i) found = find_kernels(by_preference[i]);
  return *found;
}

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
  for (uint64_t& word : prefix) word = next();
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

const Kernels* find_kernels(KernelSet set) {
  return set == KernelSet::scalar ? &scalar_kernels : find_vector_kernels(set);
}

KernelChoice choose_kernels(std::string_view asked) {
  const Kernels& best = preferred();
  if (asked.empty()) return {best, ""};
  const auto* named = std::ranges::find(by_preference, asked, to_string);
  if (named == by_preference.end()) return {best, "PEREGRINE_KERNEL is not scalar, avx2 or avx512"};
  const Kernels* found = find_kernels(*named);
  if (!found) return {best, "the CPU lacks what PEREGRINE_KERNEL asks for"};
  return {*found, ""};
}

KernelChoice choose_kernels() {
  const char* asked = std::getenv("PEREGRINE_KERNEL");
  return choose_kernels(asked ? asked : "");
}

const Kernels& kernels() { return *in_use.load(std::memory_order_relaxed); }

void use_kernels(const Kernels& table) { in_use.store(&table, std::memory_order_relaxed); }

}  // namespace peregrine
