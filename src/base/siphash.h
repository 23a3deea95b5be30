// SipHash-1-3 (Aumasson and Bernstein, 2012; the reduced-round variant): a keyed hash for tables whose keys
// clients choose. Every implementation of it, SIMD or not, must agree with this one bit for bit.
#pragma once

#include <bit>
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

// The state itself, for messages of a fixed shape: absorb() their little-endian words, the last of which has
// the message's size in its upper octet.
template <unsigned absorbing, unsigned finishing>
class SipState {
 public:
  // "somepseudorandomlygeneratedbytes", section 2 of the paper.
  explicit SipState(const HashKey& key)
      : v0_(key.k0 ^ 0x736f6d6570736575),
        v1_(key.k1 ^ 0x646f72616e646f6d),
        v2_(key.k0 ^ 0x6c7967656e657261),
        v3_(key.k1 ^ 0x7465646279746573) {}

  void absorb(uint64_t word) {
    v3_ ^= word;
    for (unsigned i = 0; i < absorbing; ++i) round();
    v0_ ^= word;
  }
  uint64_t finish() {
    v2_ ^= 0xff;
    for (unsigned i = 0; i < finishing; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void round() {
    v0_ += v1_, v1_ = std::rotl(v1_, 13) ^ v0_, v0_ = std::rotl(v0_, 32);
    v2_ += v3_, v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_, v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_, v1_ = std::rotl(v1_, 17) ^ v2_, v2_ = std::rotl(v2_, 32);
  }

  uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace peregrine
