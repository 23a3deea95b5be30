#include "base/siphash.h"

#include <bit>

#include "base/random.h"

namespace peregrine {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
  }

  void absorb(uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

// The n octets at p, the first the least significant. A constant n compiles to one load.
uint64_t load_le(const uint8_t* p, size_t n) {
  uint64_t v = 0;
  for (size_t i = 0; i < n; ++i) v |= uint64_t{p[i]} << (8 * i);
  return v;
}

}  // namespace

HashKey HashKey::make(Random& random) {
  const uint64_t k0 = random.u64();
  return {k0, random.u64()};
}

uint64_t siphash13(const HashKey& key, Bytes data) {
  // "somepseudorandomlygeneratedbytes", section 2 of the paper.
  State s{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
          key.k1 ^ 0x7465646279746573};
  const size_t whole = data.size() & ~size_t{7};
  for (size_t at = 0; at < whole; at += 8) s.absorb(load_le(&data[at], 8));
  const Bytes tail = data.subspan(whole);
  s.absorb(uint64_t{data.size()} << 56 | load_le(tail.data(), tail.size()));
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace peregrine
