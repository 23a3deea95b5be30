// SipHash-1-3 (Aumasson and Bernstein, 2012; the reduced-round variant): a keyed hash for tables whose keys
// clients choose. Every implementation of it, SIMD or not, must agree with this one bit for bit.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace peregrine {

class Random;

struct HashKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
  static HashKey make(Random& random);
};

uint64_t siphash13(const HashKey& key, Bytes data);
// SipHash-2-4, the full-strength variant: a message authentication code (RFC 9018 section 4.4 asks for it).
uint64_t siphash24(const HashKey& key, Bytes data);

}  // namespace peregrine
