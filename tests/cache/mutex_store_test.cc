// What MutexStore promises beyond the contract: its order of eviction and its account of octets.
#include "cache/mutex_store.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

constexpr uint64_t one_shard = 256 << 10;

TEST(MutexStore, EvictsTheLeastRecentlyUsed) {
  MutexStore store(one_shard, 1);
  MutexStore::Reader reader(store);
  Random random = Random::from_seed(3);
  std::vector<uint64_t> by_use;  // the newest last
  for (int step = 0; step < 20'000; ++step) {
    uint64_t number = random.below(3000);
    bool used = random.one_in(3) ? static_cast<bool>(reader.find(TestKey(number)))
                                 : store.put(TestKey(number), until(1), self_checking_blob(number, 300));
    reader.quiet();
    if (!used) continue;
    std::erase(by_use, number);
    by_use.push_back(number);
  }
  uint64_t entries = store.stats().entries;
  ASSERT_GT(entries, 400u);
  ASSERT_LT(entries, by_use.size());
  for (size_t i = 0; i < by_use.size(); ++i)
    EXPECT_EQ(static_cast<bool>(reader.find(TestKey(by_use[i]))), i >= by_use.size() - entries) << i;
}

TEST(MutexStore, OfTheLeastRecentlyUsedEvictsTheOneThatExpiresFirst) {
  MutexStore store(one_shard, 1);
  MutexStore::Reader reader(store);
  int64_t expiry[] = {100, 50, 1000, 1000};
  for (uint64_t i = 0; i < 4; ++i)
    ASSERT_TRUE(store.put(TestKey(i), until(expiry[i]), self_checking_blob(i, 60'000)));
  ASSERT_EQ(store.stats().evicted, 0u);

  ASSERT_TRUE(store.put(TestKey(4), until(1), self_checking_blob(4, 60'000)));
  EXPECT_EQ(store.stats().evicted, 1u);
  EXPECT_FALSE(reader.find(TestKey(1)));
  for (uint64_t i : {0, 2, 3, 4}) EXPECT_TRUE(reader.find(TestKey(i))) << i;
}

TEST(MutexStore, ShardsAreNeverTooSmallForALargeBlob) {
  EXPECT_EQ(MutexStore(64 << 20).shard_count(), 64u);
  EXPECT_EQ(MutexStore(64 << 20, 100).shard_count(), 64u);
  EXPECT_EQ(MutexStore(64 << 20, 0).shard_count(), 1u);
  EXPECT_EQ(MutexStore(one_shard * 7, 64).shard_count(), 4u);
  EXPECT_EQ(MutexStore(one_shard - 1, 64).shard_count(), 1u);

  MutexStore store(one_shard * 8, 64);
  for (uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(store.put(TestKey(i), until(1), Octets(max_blob))) << i;
  EXPECT_LE(store.stats().octets, store.stats().capacity);
}

TEST(MutexStore, OctetsComeBack) {
  MutexStore store(1 << 20);
  uint64_t empty = store.stats().octets;
  EXPECT_GT(empty, 0u);
  for (uint64_t i = 0; i < 1000; ++i) ASSERT_TRUE(store.put(TestKey(i), until(1), Octets(100)));
  EXPECT_GT(store.stats().octets, empty + 1000 * (20 + 100));
  store.clear();
  EXPECT_EQ(store.stats().octets, empty);
  EXPECT_EQ(store.stats().removed, 1000u);
}

TEST(MutexStore, TableGrowsAndLosesNothing) {
  MutexStore store(64 << 20, 2);
  MutexStore::Reader reader(store);
  for (uint64_t i = 0; i < 20'000; ++i)
    ASSERT_TRUE(store.put(TestKey(i), until(1), self_checking_blob(i, 16)));
  EXPECT_EQ(store.stats().entries, 20'000u);
  for (uint64_t i = 0; i < 20'000; ++i) {
    Hit hit = reader.find(TestKey(i));
    ASSERT_TRUE(hit) << i;
    ASSERT_EQ(seed_of(hit.blob()), i);
    reader.quiet();
  }
}

TEST(MutexStore, HeldOctetsCountUntilTheQuietPoint) {
  MutexStore store(1 << 20);
  uint64_t empty = store.stats().octets;
  MutexStore::Reader reader(store);
  store.put(TestKey(1), until(1), Octets(5000));
  ASSERT_TRUE(reader.find(TestKey(1)));
  ASSERT_TRUE(reader.find(TestKey(1)));
  store.clear();
  EXPECT_EQ(store.stats().entries, 0u);
  EXPECT_GT(store.stats().octets, empty + 5000);
  reader.quiet();
  EXPECT_EQ(store.stats().octets, empty);
}

TEST(MutexStore, EndOfAReaderGivesItsHitsUp) {
  MutexStore store(1 << 20);
  uint64_t empty = store.stats().octets;
  store.put(TestKey(1), until(1), Octets(5000));
  {
    MutexStore::Reader reader(store);
    ASSERT_TRUE(reader.find(TestKey(1)));
    store.clear();
  }
  EXPECT_EQ(store.stats().octets, empty);
}

TEST(MutexStore, RefusesWhereHitsHoldEverything) {
  MutexStore store(one_shard, 1);
  MutexStore::Reader reader(store);
  for (uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(store.put(TestKey(i), until(1), Octets(60'000)));
    ASSERT_TRUE(reader.find(TestKey(i)));
  }
  EXPECT_FALSE(store.put(TestKey(4), until(1), Octets(60'000)));
  EXPECT_EQ(store.stats().refused, 1u);
  EXPECT_LE(store.stats().octets, one_shard);
  reader.quiet();
  EXPECT_TRUE(store.put(TestKey(4), until(1), Octets(60'000)));
}

TEST(MutexStore, TooSmallForAnythingRefuses) {
  for (uint64_t capacity : {0, 1, 100, 300}) {
    MutexStore store(capacity);
    MutexStore::Reader reader(store);
    EXPECT_FALSE(store.put(TestKey(1), until(1), Octets(100))) << capacity;
    EXPECT_FALSE(reader.find(TestKey(1)));
    EXPECT_FALSE(store.remove(TestKey(1)));
    store.clear();
    EXPECT_LE(store.stats().octets, store.stats().capacity);
  }
}

}  // namespace
}  // namespace peregrine
