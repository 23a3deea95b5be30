#include "cache/arena_layout.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

constexpr int64_t last_second = 0xffffffff;

Lifetime kept(Lifetime lifetime) { return EntryHeader(1, 2, lifetime, 3).lifetime(); }

TEST(EntryHeader, KeepsWhatItIsGiven) {
  Random random = Random::from_seed(1);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t hash = random.u64();
    const size_t key = random.below(max_store_key + 1), blob = random.below(max_blob + 1);
    const int64_t expires = random.u32(),
                  lead = std::min<int64_t>(random.below(max_refresh_lead + 1), expires);
    const Lifetime lifetime{.refresh_at = at(expires - lead), .expires_at = at(expires)};
    const EntryHeader header(hash, key, lifetime, blob);
    ASSERT_EQ(header.hash(), hash & 0xffffffffffff);
    ASSERT_EQ(header.key_size(), key);
    ASSERT_EQ(header.blob_size(), blob);
    ASSERT_EQ(header.lifetime().expires_at, lifetime.expires_at);
    ASSERT_EQ(header.lifetime().refresh_at, lifetime.refresh_at);
    ASSERT_TRUE(header.sound());
    ASSERT_EQ(header.granules(), (16 + key + blob + 15) / 16);
  }
}

TEST(EntryHeader, TimesThatCannotBeWritten) {
  EXPECT_EQ(kept({.refresh_at = at(-5), .expires_at = at(-1)}).expires_at, at(0));
  EXPECT_EQ(kept({.refresh_at = at(-5), .expires_at = at(7)}).refresh_at, at(0));
  EXPECT_EQ(kept({.refresh_at = at(0), .expires_at = at(last_second + 1)}).expires_at, at(last_second));
  const Lifetime early = kept({.refresh_at = at(0), .expires_at = at(10'000'000)});
  EXPECT_EQ(early.expires_at, at(10'000'000));
  EXPECT_EQ(early.refresh_at, at(10'000'000 - int64_t{max_refresh_lead}));
  const Lifetime late = kept({.refresh_at = at(9), .expires_at = at(5)});
  EXPECT_EQ(late.refresh_at, at(5));
  EXPECT_EQ(kept({.refresh_at = at(last_second), .expires_at = at(last_second)}).refresh_at, at(last_second));
}

Octets segment_of(std::initializer_list<std::pair<size_t, size_t>> sizes) {
  Octets segment;
  for (auto [key, blob] : sizes) {
    const EntryHeader header(segment.size(), key, until(1), blob);
    const size_t from = segment.size();
    segment.resize(from + header.granules() * granule);
    std::memcpy(&segment[from], &header, sizeof header);
    std::fill_n(&segment[from] + sizeof header, key, uint8_t{'k'});
    std::fill_n(&segment[from] + sizeof header + key, blob, uint8_t{'b'});
  }
  return segment;
}

TEST(EntryAt, WalksASegment) {
  const Octets segment = segment_of({{8, 100}, {0, 0}, {max_store_key, 1}, {16, 16}});
  std::vector<std::pair<size_t, size_t>> sizes;
  size_t at = 0;
  while (auto entry = entry_at(segment, at)) {
    EXPECT_EQ(entry->header.hash(), at);
    EXPECT_TRUE(std::ranges::all_of(entry->key, [](uint8_t c) { return c == 'k'; }));
    EXPECT_TRUE(std::ranges::all_of(entry->blob, [](uint8_t c) { return c == 'b'; }));
    sizes.emplace_back(entry->key.size(), entry->blob.size());
    at += entry->header.granules() * granule;
  }
  EXPECT_EQ(at, segment.size());
  EXPECT_EQ(sizes, (std::vector<std::pair<size_t, size_t>>{{8, 100}, {0, 0}, {max_store_key, 1}, {16, 16}}));
}

TEST(EntryAt, GivesNothingOutsideOfTheSegment) {
  const Octets segment = segment_of({{8, 100}});
  for (size_t size = 0; size < segment.size(); ++size)
    EXPECT_FALSE(entry_at(Bytes(segment).first(size), 0)) << size;
  EXPECT_FALSE(entry_at(segment, segment.size()));
  EXPECT_FALSE(entry_at(segment, segment.size() + 16));
  EXPECT_FALSE(entry_at({}, 0));
}

TEST(EntryAt, DamagedOctetsAreWalkedToAnEnd) {
  Random random = Random::from_seed(2);
  for (int round = 0; round < 300; ++round) {
    Octets segment(random.below(5000));
    random.fill(segment);
    size_t at = 0;
    while (auto entry = entry_at(segment, at)) {
      ASSERT_LE(entry->key.size(), max_store_key);
      ASSERT_LE(entry->blob.size(), max_blob);
      ASSERT_GE(entry->header.granules(), 1u);
      at += entry->header.granules() * granule;
      ASSERT_LE(at, segment.size());
    }
  }
}

TEST(Spread, IsInRangeAndEven) {
  for (uint64_t count : {1ull, 3ull, 1000ull, 0xffffffffull}) {
    EXPECT_EQ(spread(0, count), 0u);
    EXPECT_EQ(spread(~uint64_t{0}, count), count - 1);
  }
  Random random = Random::from_seed(3);
  std::vector<int> hits(100);
  for (int i = 0; i < 100'000; ++i) ++hits[spread(random.u64(), hits.size())];
  for (int n : hits) EXPECT_NEAR(n, 1000, 200);
}

}  // namespace
}  // namespace peregrine
