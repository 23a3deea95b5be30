#include <algorithm>
#include <cstring>

#include "simd/kernel_tables.h"
#include "simd/nh.h"

namespace peregrine {
namespace {

constexpr uint8_t fold_one(uint8_t c) {
  const bool upper = static_cast<uint8_t>(c - 'A') < 26;
  return static_cast<uint8_t>(c | upper << 5);
}

void fold(uint8_t* out, const uint8_t* in, size_t size) {
  for (size_t i = 0; i < size; ++i) out[i] = fold_one(in[i]);
}

bool equal(const uint8_t* a, const uint8_t* b, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (fold_one(a[i]) != fold_one(b[i])) return false;
  }
  return true;
}

int compare(const uint8_t* a, const uint8_t* b, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (const int difference = fold_one(a[i]) - fold_one(b[i]); difference != 0) return difference;
  }
  return 0;
}

uint64_t make_key(uint8_t* key, const uint8_t* name, size_t size, const HashSecret& secret) {
  fold(key + key_prefix_size, name, size);
  const size_t used = key_prefix_size + size, padded = nh::padded(used);
  std::memset(key + used, 0, padded - used);
  return nh::hash(key, padded, secret);
}

bool same_key(const uint8_t* a, const uint8_t* b, size_t size) { return std::memcmp(a, b, size) == 0; }

}  // namespace

constinit const Kernels scalar_kernels{KernelSet::scalar, fold, equal, compare, make_key, same_key};

}  // namespace peregrine
