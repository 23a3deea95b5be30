// Unpredictable numbers for query ids, ports and letter case (RFC 5452).
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace peregrine {

// ChaCha20 (RFC 8439) with fast key erasure: each refill replaces the key, so that past output cannot be
// computed from the state. Not thread-safe: one per worker.
class Random {
 public:
  using Seed = std::array<uint8_t, 32>;

  static Random from_system();  // seeded by getrandom(2); throws std::system_error where there is none
  static Random from_seed(uint64_t seed);  // the same numbers for the same seed: tests and simulation
  explicit Random(const Seed& seed) : key_(seed) {}
  Random(Random&&) = default;  // moved, not copied: a copy would draw the same numbers
  Random& operator=(Random&&) = default;

  void fill(MutableBytes out);
  uint16_t u16();
  uint32_t u32();
  uint64_t u64();
  uint32_t below(uint32_t bound);  // uniform in [0, bound), bound > 0, without modulo bias
  bool one_in(uint32_t n) { return below(n) == 0; }
  double unit();  // uniform in [0, 1)

 private:
  void refill();

  Seed key_;
  std::array<uint8_t, 512> pool_{};
  size_t used_ = pool_.size();
};

// One ChaCha20 block (RFC 8439 section 2.3): key, block counter, nonce -> 64 octets.
void chacha20_block(const Random::Seed& key, uint32_t counter, const std::array<uint8_t, 12>& nonce,
                    std::array<uint8_t, 64>& out);

}  // namespace peregrine
