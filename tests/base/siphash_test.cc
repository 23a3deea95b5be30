#include "base/siphash.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

#include "base/random.h"

namespace peregrine {
namespace {

constexpr HashKey counting_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::vector<uint8_t> counting(size_t n) {
  std::vector<uint8_t> data(n);
  std::iota(data.begin(), data.end(), uint8_t{0});
  return data;
}

// The vectors that implementations of SipHash-1-3 share: key 00 01 .. 0f, data 00 01 .. n-1.
TEST(SipHash13, PublishedVectors) {
  struct Vector {
    size_t length;
    uint64_t hash;
  };
  constexpr Vector vectors[]{
      {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93}, {2, 0x82cb9b024dc7d44d},  {3, 0x8bf80ab8e7ddf7fb},
      {4, 0xcf75576088d38328},  {5, 0xdef9d52f49533b67}, {6, 0xc50d2b50c59f22a7},  {7, 0xd3927d989bb11140},
      {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4}, {15, 0xd320d86d2a519956}, {16, 0xcc4fdd1a7d908b66},
      {63, 0x9d199062b7bbb3a8},
  };
  for (const Vector& v : vectors) EXPECT_EQ(siphash13(counting_key, counting(v.length)), v.hash) << v.length;
}

TEST(SipHash13, EveryOctetAndTheLengthCount) {
  for (size_t n : {1UL, 7UL, 8UL, 9UL, 255UL, 256UL}) {
    const auto data = counting(n);
    const uint64_t hash = siphash13(counting_key, data);
    for (size_t at = 0; at < n; ++at) {
      auto changed = data;
      changed[at] ^= 0x80;
      ASSERT_NE(siphash13(counting_key, changed), hash) << n << " at " << at;
    }
  }
  std::set<uint64_t> of_zeros;
  for (size_t n = 0; n < 64; ++n) of_zeros.insert(siphash13(counting_key, std::vector<uint8_t>(n)));
  EXPECT_EQ(of_zeros.size(), 64U);
}

TEST(SipHash13, AlignmentDoesNotMatter) {
  const auto data = counting(40);
  std::vector<uint8_t> shifted(48);
  for (size_t shift = 0; shift < 8; ++shift) {
    std::copy(data.begin(), data.end(), shifted.begin() + static_cast<ptrdiff_t>(shift));
    EXPECT_EQ(siphash13(counting_key, Bytes(shifted).subspan(shift, 40)), siphash13(counting_key, data));
  }
}

TEST(SipHash13, BothHalvesOfTheKeyCount) {
  const auto data = counting(10);
  const uint64_t hash = siphash13(counting_key, data);
  EXPECT_NE(siphash13({counting_key.k0 ^ 1, counting_key.k1}, data), hash);
  EXPECT_NE(siphash13({counting_key.k0, counting_key.k1 ^ 1}, data), hash);
}

// The first rows of the table in the authors' reference implementation (vectors.h), and the paper's appendix
// A.
TEST(SipHash24, AgreesWithTheReference) {
  EXPECT_EQ(siphash24(counting_key, counting(0)), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(siphash24(counting_key, counting(1)), 0x74f839c593dc67fdU);
  EXPECT_EQ(siphash24(counting_key, counting(8)), 0x93f5f5799a932462U);
  EXPECT_EQ(siphash24(counting_key, counting(15)), 0xa129ca6149be45e5U);
}

TEST(HashKey, IsDrawnFromTheGenerator) {
  Random a = Random::from_seed(1), b = Random::from_seed(1);
  const HashKey key = HashKey::make(a);
  EXPECT_EQ(key.k0, b.u64());
  EXPECT_EQ(key.k1, b.u64());
}

}  // namespace
}  // namespace peregrine
