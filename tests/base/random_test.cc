#include "base/random.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <vector>

namespace peregrine {
namespace {

Random::Seed counting_key() {
  Random::Seed key;
  std::iota(key.begin(), key.end(), uint8_t{0});
  return key;
}

std::vector<uint8_t> draw(Random& random, size_t n) {
  std::vector<uint8_t> out(n);
  random.fill(out);
  return out;
}

// The stream that one key makes: eight blocks with a zero nonce.
std::vector<uint8_t> stream(const Random::Seed& key) {
  std::vector<uint8_t> out;
  std::array<uint8_t, 64> block;
  for (uint32_t i = 0; i < 8; ++i) {
    chacha20_block(key, i, {}, block);
    out.insert(out.end(), block.begin(), block.end());
  }
  return out;
}

TEST(ChaCha20, BlockOfRfc8439Section232) {
  constexpr std::array<uint8_t, 64> expected{
      0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
      0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
      0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
      0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
  std::array<uint8_t, 64> block;
  chacha20_block(counting_key(), 1, {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0}, block);
  EXPECT_EQ(block, expected);
}

TEST(Random, EachRefillReplacesTheKeyByItsFirstOctets) {
  const auto first = stream(counting_key());
  Random::Seed second_key;
  std::copy_n(first.begin(), second_key.size(), second_key.begin());
  const auto second = stream(second_key);

  std::vector<uint8_t> expected(first.begin() + 32, first.end());
  expected.insert(expected.end(), second.begin() + 32, second.end());
  Random random(counting_key());
  EXPECT_EQ(draw(random, expected.size()), expected);
}

TEST(Random, StateHoldsNeitherPastOutputNorPastKeys) {
  static_assert(std::is_trivially_copyable_v<Random>);
  const auto seed = counting_key();
  Random random(seed);
  const auto out = draw(random, 700);
  std::array<uint8_t, sizeof random> state;
  std::memcpy(state.data(), &random, sizeof random);
  for (size_t at = 0; at + 8 <= out.size(); ++at) {
    ASSERT_EQ(std::search(state.begin(), state.end(), out.begin() + at, out.begin() + at + 8), state.end())
        << at;
  }
  EXPECT_EQ(std::search(state.begin(), state.end(), seed.begin(), seed.begin() + 8), state.end());
}

TEST(Random, PiecesAreTheSameStreamAsOneFill) {
  Random whole = Random::from_seed(1), pieces = Random::from_seed(1);
  const auto expected = draw(whole, 1500);
  std::vector<uint8_t> got;
  for (size_t n = 0; got.size() < expected.size(); n = (n + 7) % 61) {
    const auto piece = draw(pieces, std::min(n, expected.size() - got.size()));
    got.insert(got.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(got, expected);
}

TEST(Random, IntegersAreLittleEndianOctetsOfTheStream) {
  Random octets = Random::from_seed(2), numbers = Random::from_seed(2);
  const auto b = draw(octets, 14);
  auto value = [&b](size_t at, size_t n) {
    uint64_t v = 0;
    for (size_t i = 0; i < n; ++i) v |= uint64_t{b[at + i]} << (8 * i);
    return v;
  };
  EXPECT_EQ(numbers.u16(), value(0, 2));
  EXPECT_EQ(numbers.u32(), value(2, 4));
  EXPECT_EQ(numbers.u64(), value(6, 8));
}

TEST(Random, TheSameSeedGivesTheSameNumbersAnotherDoesNot) {
  Random a = Random::from_seed(1), b = Random::from_seed(1), c = Random::from_seed(uint64_t{1} << 63 | 1);
  const uint64_t first = a.u64();
  EXPECT_EQ(first, b.u64());
  EXPECT_NE(first, c.u64()) << "every bit of the seed counts";
}

TEST(Random, TwoFromTheSystemDiffer) {
  Random a = Random::from_system(), b = Random::from_system();
  EXPECT_NE(draw(a, 16), draw(b, 16));
}

TEST(Random, BelowStaysBelow) {
  Random random = Random::from_seed(3);
  for (uint32_t bound : {1U, 2U, 3U, 10U, 65535U, 0x80000000U, 0x80000001U, 0xffffffffU}) {
    for (int i = 0; i < 200; ++i) ASSERT_LT(random.below(bound), bound);
  }
}

TEST(Random, BelowReachesEveryValueAboutEquallyOften) {
  Random random = Random::from_seed(4);
  std::array<int, 10> seen{};
  for (int i = 0; i < 20000; ++i) ++seen[random.below(10)];
  EXPECT_THAT(seen, testing::Each(testing::AllOf(testing::Gt(1800), testing::Lt(2200))));
}

TEST(Random, BelowHasNoModuloBias) {
  // Reducing 32 bits modulo 3 * 2^30 would give the lowest third half of the draws.
  Random random = Random::from_seed(5);
  int lowest_third = 0, multiples_of_three = 0;
  for (int i = 0; i < 30000; ++i) {
    const uint32_t v = random.below(3U << 30);
    lowest_third += v < 1U << 30;
    // A product without rejection would give the multiples of three half of the draws.
    multiples_of_three += v % 3 == 0;
  }
  EXPECT_NEAR(lowest_third, 10000, 500);
  EXPECT_NEAR(multiples_of_three, 10000, 500);
}

TEST(Random, OneIn) {
  Random random = Random::from_seed(6);
  int hits = 0;
  for (int i = 0; i < 8000; ++i) hits += random.one_in(8);
  EXPECT_NEAR(hits, 1000, 150);
  EXPECT_TRUE(random.one_in(1));
}

TEST(Random, UnitIsAtLeastZeroAndBelowOne) {
  Random random = Random::from_seed(7);
  double sum = 0, low = 1, high = 0;
  for (int i = 0; i < 10000; ++i) {
    const double v = random.unit();
    ASSERT_GE(v, 0.0);
    ASSERT_LT(v, 1.0);
    sum += v, low = std::min(low, v), high = std::max(high, v);
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
  EXPECT_LT(low, 0.01);
  EXPECT_GT(high, 0.99);
}

}  // namespace
}  // namespace peregrine
