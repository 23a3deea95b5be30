#include "base/siphash.h"

#include <cstring>

#include "base/random.h"

namespace peregrine {
namespace {

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
  SipState<absorbing, finishing> s(key);
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
