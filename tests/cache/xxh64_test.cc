#include "cache/xxh64.h"

#include <gtest/gtest.h>

#include <string_view>

#include "cache/cache_support.h"

namespace peregrine {
namespace {

uint64_t hash_of(std::string_view text, uint64_t seed = 0) {
  return xxh64({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, seed);
}

// As the reference implementation has them.
TEST(Xxh64, KnownResults) {
  EXPECT_EQ(hash_of(""), 0xef46db3751d8e999u);
  EXPECT_EQ(hash_of("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(hash_of("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(hash_of("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
}

TEST(Xxh64, EveryBitCounts) {
  for (size_t size : {1, 4, 7, 8, 31, 32, 33, 63, 100}) {
    Octets octets = self_checking_blob(7, size + 8);
    octets.resize(size);
    const uint64_t before = xxh64(octets, 5);
    EXPECT_NE(before, xxh64(octets, 6));
    for (size_t bit = 0; bit < size * 8; ++bit) {
      octets[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      EXPECT_NE(xxh64(octets, 5), before) << size << " " << bit;
      octets[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
  }
}

}  // namespace
}  // namespace peregrine
