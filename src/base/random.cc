#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace peregrine {
namespace {

using State = std::array<uint32_t, 16>;

uint32_t load_le32(const uint8_t* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

void store_le32(uint8_t* p, uint32_t v) {
  for (size_t i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(v >> (8 * i));
}

// RFC 8439 section 2.1.
void quarter_round(State& s, size_t a, size_t b, size_t c, size_t d) {
  s[a] += s[b], s[d] = std::rotl(s[d] ^ s[a], 16);
  s[c] += s[d], s[b] = std::rotl(s[b] ^ s[c], 12);
  s[a] += s[b], s[d] = std::rotl(s[d] ^ s[a], 8);
  s[c] += s[d], s[b] = std::rotl(s[b] ^ s[c], 7);
}

void double_round(State& s) {
  for (size_t i = 0; i < 4; ++i) quarter_round(s, i, 4 + i, 8 + i, 12 + i);
  for (size_t i = 0; i < 4; ++i) quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
}

}  // namespace

void chacha20_block(const Random::Seed& key, uint32_t counter, const std::array<uint8_t, 12>& nonce,
                    std::array<uint8_t, 64>& out) {
  State initial{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // "expand 32-byte k"
  for (size_t i = 0; i < 8; ++i) initial[4 + i] = load_le32(&key[4 * i]);
  initial[12] = counter;
  for (size_t i = 0; i < 3; ++i) initial[13 + i] = load_le32(&nonce[4 * i]);

  State state = initial;
  for (int i = 0; i < 10; ++i) double_round(state);
  for (size_t i = 0; i < state.size(); ++i) store_le32(&out[4 * i], state[i] + initial[i]);
  explicit_bzero(initial.data(), sizeof initial);
  explicit_bzero(state.data(), sizeof state);
}

Random Random::from_system() {
  Seed seed;
  size_t got = 0;
  while (got < seed.size()) {
    const ssize_t n = getrandom(&seed[got], seed.size() - got, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    got += static_cast<size_t>(n);
  }
  return Random(seed);
}

Random Random::from_seed(uint64_t seed) {
  Seed key{};
  store_le32(&key[0], static_cast<uint32_t>(seed));
  store_le32(&key[4], static_cast<uint32_t>(seed >> 32));
  return Random(key);
}

void Random::refill() {
  std::array<uint8_t, 64> block;
  for (size_t at = 0; at < pool_.size(); at += block.size()) {
    // Every key makes the stream of one refill only, so the nonce may stay zero.
    chacha20_block(key_, static_cast<uint32_t>(at / block.size()), {}, block);
    std::memcpy(&pool_[at], block.data(), block.size());
  }
  explicit_bzero(block.data(), block.size());
  std::memcpy(key_.data(), pool_.data(), key_.size());
  std::memset(pool_.data(), 0, key_.size());
  used_ = key_.size();
}

void Random::fill(MutableBytes out) {
  while (!out.empty()) {
    if (used_ == pool_.size()) refill();
    const size_t n = std::min(out.size(), pool_.size() - used_);
    std::memcpy(out.data(), &pool_[used_], n);
    std::memset(&pool_[used_], 0, n);
    used_ += n;
    out = out.subspan(n);
  }
}

uint16_t Random::u16() {
  std::array<uint8_t, 2> b;
  fill(b);
  return static_cast<uint16_t>(b[0] | b[1] << 8);
}

uint32_t Random::u32() {
  std::array<uint8_t, 4> b;
  fill(b);
  return load_le32(b.data());
}

uint64_t Random::u64() {
  std::array<uint8_t, 8> b;
  fill(b);
  return load_le32(&b[0]) | uint64_t{load_le32(&b[4])} << 32;
}

// Lemire, "Fast random integer generation in an interval" (2019): the high half of a product, where the first
// 2^32 mod bound values of the low half are drawn again because they would come up once too often.
uint32_t Random::below(uint32_t bound) {
  uint64_t product = uint64_t{u32()} * bound;
  if (static_cast<uint32_t>(product) >= bound) return static_cast<uint32_t>(product >> 32);
  if (bound == 0) return 0;
  const uint32_t excess = (0 - bound) % bound;
  while (static_cast<uint32_t>(product) < excess) product = uint64_t{u32()} * bound;
  return static_cast<uint32_t>(product >> 32);
}

double Random::unit() { return static_cast<double>(u64() >> 11) * 0x1p-53; }

}  // namespace peregrine
