// The keyed hash of keys. The kernels agree on it (kernels_test.cc), so the scalar one stands for all.
#include <bit>
#include <cmath>
#include <set>

#include "simd/simd_support.h"

namespace peregrine {
namespace {

const Kernels& scalar = *find_kernels(KernelSet::scalar);

// Wire form of <label>.example.com.
std::vector<uint8_t> name_below_example(const std::string& label) {
  const std::string rest("\7example\3com\0", 13);
  std::string wire = static_cast<char>(label.size()) + label + rest;
  return {wire.begin(), wire.end()};
}

uint64_t hash(const std::vector<uint8_t>& name, const HashSecret& secret, uint8_t prefix = 0) {
  return make_key(scalar, name.data(), name.size(), secret, prefix).hash;
}

TEST(KeyHash, IsTheSameForEveryLetterCase) {
  const HashSecret secret = test_secret();
  EXPECT_EQ(hash(name_below_example("www"), secret), hash(name_below_example("wWW"), secret));
}

TEST(KeyHash, DependsOnEveryOctetOfThePrefixAndTheName) {
  const HashSecret secret = test_secret();
  std::set<uint64_t> hashes;
  size_t keys = 0;
  alignas(64) std::array<uint8_t, key_buffer_size> key{};
  for (size_t size : {1, 17, 32, 33, 64, 65, 128, 255}) {
    std::vector<uint8_t> name(size, 'x');
    for (size_t i = 0; i < key_prefix_size + size; ++i, ++keys) {
      uint8_t& changed = i < key_prefix_size ? key[i] : name[i - key_prefix_size];
      changed ^= 1;
      hashes.insert(scalar.make_key(key.data(), name.data(), size, secret));
      changed ^= 1;
    }
  }
  EXPECT_EQ(hashes.size(), keys);
}

TEST(KeyHash, TellsNamesApartThatDifferInTheirPaddingAlone) {
  const HashSecret secret = test_secret();
  std::set<uint64_t> hashes;
  const std::vector<uint8_t> zeros(max_name_octets);
  for (size_t size = 1; size <= max_name_octets; ++size) {
    hashes.insert(make_key(scalar, zeros.data(), size, secret).hash);
  }
  EXPECT_EQ(hashes.size(), max_name_octets);
}

TEST(KeyHash, AnotherSeedGivesAnotherHash) {
  const std::vector<uint8_t> name = name_below_example("www");
  std::set<uint64_t> hashes;
  for (uint64_t k = 0; k < 100; ++k) {
    hashes.insert(hash(name, HashSecret(HashKey{k, 0})));
    hashes.insert(hash(name, HashSecret(HashKey{0, k + 1})));
  }
  EXPECT_EQ(hashes.size(), 200);
}

TEST(KeyHash, TheSecretComesFromItsSeedAlone) {
  EXPECT_EQ(hash(name_below_example("a"), test_secret()), hash(name_below_example("a"), test_secret()));
}

// Chi-square of names over buckets: near the number of buckets where the bits are as good as random.
double deviation(const std::vector<uint64_t>& hashes, unsigned shift) {
  constexpr size_t buckets = 1024;
  std::array<double, buckets> counts{};
  for (uint64_t h : hashes) ++counts[(h >> shift) % buckets];
  const double expected = static_cast<double>(hashes.size()) / buckets;
  double chi_square = 0;
  for (double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  return (chi_square - (buckets - 1)) / std::sqrt(2.0 * (buckets - 1));
}

TEST(KeyHash, SequentialNamesSpreadOverBucketsByAnyBits) {
  for (uint64_t seed : {1, 2, 3}) {
    const HashSecret secret(HashKey{seed, 0});
    std::vector<uint64_t> hashes;
    for (int i = 0; i < 100'000; ++i)
      hashes.push_back(hash(name_below_example("host" + std::to_string(i)), secret));
    for (unsigned shift = 0; shift <= 54; ++shift) {
      EXPECT_LT(std::abs(deviation(hashes, shift)), 5.0) << "bits from " << shift << ", seed " << seed;
    }
    std::ranges::sort(hashes);
    EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end()) << "no two of the same hash";
  }
}

// Over many names and secrets, a bit changed anywhere changes each bit of the hash half of the time.
TEST(KeyHash, OneBitChangesHalfOfTheHash) {
  constexpr int rounds = 400;
  Random random = Random::from_seed(7);
  for (size_t size : {1, 15, 24, 32, 40, 70}) {
    std::array<int, 64> flips{};
    for (int round = 0; round < rounds; ++round) {
      const HashSecret secret(HashKey{random.u64(), random.u64()});
      std::vector<uint8_t> name(size, 0x81);
      const uint64_t before = hash(name, secret);
      name[random.below(static_cast<uint32_t>(size))] ^= static_cast<uint8_t>(1 << random.below(8));
      const uint64_t changed = before ^ hash(name, secret);
      for (unsigned bit = 0; bit < 64; ++bit) flips[bit] += static_cast<int>(changed >> bit & 1);
    }
    // Five times the standard deviation of a fair coin.
    for (unsigned bit = 0; bit < 64; ++bit) EXPECT_NEAR(flips[bit], rounds / 2, 50) << bit << " of " << size;
  }
}

}  // namespace
}  // namespace peregrine
