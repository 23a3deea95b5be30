#include "base/siphash.h"

#include <bit>

#include "base/random.h"

namespace peregrine {
namespace {

template <unsigned absorbing, unsigned finishing>
struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
  }

  uint64_t finish() {
    v2 ^= 0xff;
    for (unsigned i = 0; i < finishing; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }

  void absorb(uint64_t word) {
    v3 ^= word;
    for (unsigned i = 0; i < absorbing; ++i) round();
    v0 ^= word;
  }
};

uint64_t load_whole(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// The n < 8 octets at p, the first the least significant.
uint64_t load_tail(const uint8_t* p, size_t n) {
  uint64_t v = 0;
  for (size_t i = 0; i < n; ++i) v |= uint64_t{p[i]} << (8 * i);
  return v;
}

template <unsigned absorbing, unsigned finishing>
uint64_t siphash(const HashKey& key, Bytes data) {
  // "somepseudorandomlygeneratedbytes", section 2 of the paper.
  State<absorbing, finishing> s{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d,
                                key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
  const size_t whole = data.size() & ~size_t{7};
  for (size_t at = 0; at < whole; at += 8) s.absorb(load_whole(data.data() + at));
  const Bytes tail = data.subspan(whole);
  s.absorb(uint64_t{data.size()} << 56 | load_tail(tail.data(), tail.size()));
  return s.finish();
}

}  // namespace

HashKey HashKey::make(Random& random) {
  const uint64_t k0 = random.u64();
  return {k0, random.u64()};
}

uint64_t siphash13(const HashKey& key, Bytes data) { return siphash<1, 3>(key, data); }

uint64_t siphash24(const HashKey& key, Bytes data) { return siphash<2, 4>(key, data); }

}  // namespace peregrine
