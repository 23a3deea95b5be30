// The keyed hash's arithmetic, which all kernels share. Private to the room.
#pragma once

#include <cstring>

#include "simd/kernels.h"

namespace peregrine::nh {

__extension__ using Wide = unsigned __int128;

// Names are hashed padded with zeros to a multiple of this: a vector of AVX2. Nearly all names that are
// looked up then take one or two vectors, and few branches depend on a name's length.
inline constexpr size_t chunk = 32;

inline uint64_t load(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// NH of (prefix, size) and of the name's words. As the size is one of them, names of different lengths differ
// in a word that both have.
class Sum {
 public:
  Sum(uint64_t prefix, size_t size, const HashSecret& secret)
      : sum_(Wide{prefix + secret.prefix[0]} * (size + secret.prefix[1])) {}

  // Two words with the secret already added to each.
  void add(uint64_t a, uint64_t b) { sum_ += Wide{a} * b; }

  uint64_t finish(const HashSecret& secret) const {
    const Wide product = Wide{static_cast<uint64_t>(sum_) ^ secret.mix[0]} *
                         (static_cast<uint64_t>(sum_ >> 64) ^ secret.mix[1]);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

 private:
  Wide sum_;
};

}  // namespace peregrine::nh
