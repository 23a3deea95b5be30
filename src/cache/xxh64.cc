#include "cache/xxh64.h"

#include <array>
#include <bit>
#include <cstring>

namespace peregrine {
namespace {

constexpr uint64_t prime1 = 0x9e3779b185ebca87, prime2 = 0xc2b2ae3d27d4eb4f, prime3 = 0x165667b19e3779f9;
constexpr uint64_t prime4 = 0x85ebca77c2b2ae63, prime5 = 0x27d4eb2f165667c5;
static_assert(std::endian::native == std::endian::little);

template <class Integer>
uint64_t word_at(const uint8_t* at) {
  Integer word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

uint64_t round(uint64_t lane, uint64_t word) { return std::rotl(lane + word * prime2, 31) * prime1; }

// Whole stripes of 32 octets, in four lanes that do not wait for one another.
uint64_t stripes(const uint8_t* at, size_t count, uint64_t seed) {
  std::array<uint64_t, 4> lanes{seed + prime1 + prime2, seed + prime2, seed, seed - prime1};
  for (; count != 0; --count) {
    for (uint64_t& lane : lanes) {
      lane = round(lane, word_at<uint64_t>(at));
      at += 8;
    }
  }
  uint64_t sum =
      std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  for (uint64_t lane : lanes) sum = (sum ^ round(0, lane)) * prime1 + prime4;
  return sum;
}

uint64_t avalanche(uint64_t hash) {
  hash = (hash ^ hash >> 33) * prime2;
  hash = (hash ^ hash >> 29) * prime3;
  return hash ^ hash >> 32;
}

}  // namespace

uint64_t xxh64(Bytes data, uint64_t seed) {
  const uint8_t* at = data.data();
  const uint8_t* const end = at + data.size();
  const size_t whole = data.size() / 32;
  uint64_t hash = whole != 0 ? stripes(at, whole, seed) : seed + prime5;
  at += whole * 32;
  hash += data.size();
  for (; end - at >= 8; at += 8)
    hash = std::rotl(hash ^ round(0, word_at<uint64_t>(at)), 27) * prime1 + prime4;
  if (end - at >= 4) {
    hash = std::rotl(hash ^ word_at<uint32_t>(at) * prime1, 23) * prime2 + prime3;
    at += 4;
  }
  for (; at != end; ++at) hash = std::rotl(hash ^ *at * prime5, 11) * prime1;
  return avalanche(hash);
}

}  // namespace peregrine
