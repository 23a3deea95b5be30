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
  unsigned difference = 0;
  for (size_t i = 0; i < size; ++i) difference |= fold_one(a[i]) ^ fold_one(b[i]);
  return difference == 0;
}

int compare(const uint8_t* a, const uint8_t* b, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (const int difference = fold_one(a[i]) - fold_one(b[i]); difference != 0) return difference;
  }
  return 0;
}

uint64_t make_key(uint8_t* key, const uint8_t* name, size_t size, const HashSecret& secret) {
  uint8_t* folded = key + key_prefix_size;
  fold(folded, name, size);
  const size_t hashed = (size + nh::chunk - 1) / nh::chunk * nh::chunk;
  std::memset(folded + size, 0, hashed + key_prefix_size - size);
  nh::Sum sum(nh::load(key), size, secret);
  for (size_t i = 0; i < hashed / 8; i += 2) {
    sum.add(nh::load(folded + 8 * i) + secret.words[i], nh::load(folded + 8 * i + 8) + secret.words[i + 1]);
  }
  return sum.finish(secret);
}

}  // namespace

constinit const Kernels scalar_kernels{KernelSet::scalar, fold, equal, compare, make_key};

}  // namespace peregrine
