// What ArenaStore promises beyond the contract: what it evicts, and how it counts and bounds its octets.
#include "cache/arena_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include "base/random.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

constexpr uint64_t mebi = 1 << 20;

// As an answer with one A record and an owner name of 30 octets.
constexpr size_t usual_key = 38, usual_blob = 38;

bool put(ArenaStore& store, uint64_t number, int64_t expires = 1000) {
  return store.put(TestKey(number, usual_key), until(expires), self_checking_blob(number, usual_blob));
}

// Uses it, as a reader that is offline before and after.
bool holds(ArenaStore& store, uint64_t number) {
  ArenaStore::Reader reader(store);
  return static_cast<bool>(reader.find(TestKey(number, usual_key)));
}

// Without using it.
bool is_there(ArenaStore& store, uint64_t number) {
  bool there = false;
  store.scan([&](const StoredEntry& entry) {
    there |= seed_of(entry.blob) == number;
    return ScanAction::keep;
  });
  return there;
}

// Puts numbers from `from` on until the store evicts; the first that was not put.
uint64_t fill(ArenaStore& store, uint64_t from = 0) {
  const uint64_t before = store.stats().evicted_cold + store.stats().expired;
  while (store.stats().evicted_cold + store.stats().expired == before)
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(put(store, from++));
  return from;
}

TEST(ArenaStore, HoldsAnAnswerIn128Octets) {
  ArenaStore store(32 * mebi);
  for (uint64_t i = 0; i < 600'000; ++i) ASSERT_TRUE(put(store, i));
  const StoreStats stats = store.stats();
  EXPECT_LE(stats.octets, stats.capacity);
  EXPECT_LE(static_cast<double>(stats.capacity) / static_cast<double>(stats.entries), 128.0) << stats.entries;
  EXPECT_LT(stats.evicted_crowded, stats.inserted / 10);
}

TEST(ArenaStore, HardlyAnythingIsCrowdedOutBeforeTheStoreIsFull) {
  ArenaStore store(32 * mebi);
  const uint64_t count = fill(store);
  EXPECT_LT(store.stats().evicted_crowded, count / 50);
}

TEST(ArenaStore, FloodOfOnceAskedNamesLeavesTheHotOnes) {
  ArenaStore store(4 * mebi);
  constexpr uint64_t hot = 4000, flood = 10 * 40'000;
  for (uint64_t i = 0; i < hot; ++i) ASSERT_TRUE(put(store, i));
  Random random = Random::from_seed(1);
  uint64_t hits = 0, asked = 0;
  for (uint64_t i = 0; i < flood; ++i) {
    ASSERT_TRUE(put(store, (uint64_t{1} << 32) + i));
    const uint64_t number = random.below(hot);
    ++asked;
    if (holds(store, number))
      ++hits;
    else
      ASSERT_TRUE(put(store, number));  // it is resolved again
  }
  EXPECT_GT(static_cast<double>(hits) / static_cast<double>(asked), 0.95);
  EXPECT_LE(store.stats().octets, store.stats().capacity);
}

TEST(ArenaStore, WhatComesBackAfterEvictionIsKeptFromThenOn) {
  ArenaStore store(2 * mebi);
  uint64_t next = fill(store, 100);
  ASSERT_TRUE(put(store, 1));
  while (is_there(store, 1))
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(put(store, next++));
  ASSERT_TRUE(put(store, 1));
  const uint64_t entries = store.stats().entries;
  for (uint64_t i = 0; i < entries * 3; ++i) ASSERT_TRUE(put(store, next++));
  EXPECT_TRUE(holds(store, 1));
}

TEST(ArenaStore, ExpiredEntriesGoFirst) {
  ArenaStore store(2 * mebi);
  const uint64_t entries = fill(store) * 9 / 10;
  store.clear();
  const uint64_t cold = store.stats().evicted_cold;
  // The older half lives long, the younger half has expired when room is needed.
  for (uint64_t i = 0; i < entries; ++i) ASSERT_TRUE(put(store, i, i < entries / 2 ? 1000 : 100));
  store.tell_time(at(500));
  for (uint64_t i = 0; i < entries / 3; ++i) ASSERT_TRUE(put(store, 1'000'000 + i));
  EXPECT_GT(store.stats().expired, entries / 10);
  EXPECT_EQ(store.stats().evicted_cold, cold);
  uint64_t kept = 0;
  for (uint64_t i = 0; i < entries / 2; ++i) kept += holds(store, i);
  EXPECT_GT(kept, entries / 2 * 9 / 10);
}

TEST(ArenaStore, ExpiredEntriesGoFirstWhereverTheyLie) {
  ArenaStore store(2 * mebi);
  const uint64_t entries = fill(store) * 9 / 10;
  store.clear();
  store.tell_time(at(40));
  const uint64_t cold = store.stats().evicted_cold;
  for (uint64_t i = 0; i < entries; ++i) ASSERT_TRUE(put(store, i, i % 10 == 0 ? 1000 : 100));
  store.tell_time(at(500));
  for (uint64_t i = 0; i < entries / 2; ++i) ASSERT_TRUE(put(store, 1'000'000 + i));
  EXPECT_EQ(store.stats().evicted_cold, cold);
  uint64_t kept = 0;
  for (uint64_t i = 0; i < entries; i += 10) kept += holds(store, i);
  EXPECT_GT(kept, entries / 10 * 95 / 100) << "more than what a full index crowds out";
}

TEST(ArenaStore, ExpiredEntriesStayWhileThereIsRoom) {
  ArenaStore store(2 * mebi);
  for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(put(store, i, 10));
  store.tell_time(at(1'000'000));
  ASSERT_TRUE(put(store, 100));
  for (uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(holds(store, i));
  EXPECT_EQ(store.stats().expired, 0u);
}

TEST(ArenaStore, ChosenHashesAreBounded) {
  ArenaStore store(4 * mebi);
  ArenaStore::Reader reader(store);
  for (uint64_t i = 0; i < 1000; ++i) ASSERT_TRUE(put(store, i));
  constexpr uint64_t chosen = 0xabcdef0123450000, keys = 50'000;
  for (uint64_t i = 0; i < keys; ++i) {
    const TestKey key(i, 20);
    const StoreKey forced{.octets = StoreKey(key).octets, .hash = chosen};
    ASSERT_TRUE(store.put(forced, until(1), self_checking_blob(i, 40)));
    ASSERT_TRUE(reader.find(forced));
    reader.quiet();
  }
  const StoreStats stats = store.stats();
  EXPECT_LE(stats.entries, 1000u + 28);
  EXPECT_GE(stats.evicted_crowded, keys - 28);
  uint64_t others = 0;
  for (uint64_t i = 0; i < 1000; ++i) others += holds(store, i);
  EXPECT_GT(others, 950u);
}

TEST(ArenaStore, UsedOnesStayInACrowdedGroup) {
  ArenaStore store(4 * mebi);
  ArenaStore::Reader reader(store);
  const TestKey used(1, 20);
  const StoreKey key{.octets = StoreKey(used).octets, .hash = 5};
  ASSERT_TRUE(store.put(key, until(1), self_checking_blob(1, 40)));
  ASSERT_TRUE(reader.find(key));
  for (uint64_t i = 2; i < 1000; ++i) {
    const TestKey other(i, 20);
    ASSERT_TRUE(
        store.put({.octets = StoreKey(other).octets, .hash = 5}, until(1), self_checking_blob(i, 40)));
  }
  EXPECT_TRUE(reader.find(key));
}

TEST(ArenaStore, ReaderThatIsNeverQuietLeavesMostOfWhatIsThere) {
  ArenaStore store(2 * mebi);
  ArenaStore::Reader reader(store);
  uint64_t next = 0;
  ASSERT_TRUE(put(store, next++));
  const Hit held = reader.find(TestKey(0, usual_key));
  while (put(store, next)) ++next;
  EXPECT_GT(store.stats().refused, 0u);
  const uint64_t entries = store.stats().entries;
  EXPECT_GT(entries, next / 3);
  for (int i = 0; i < 1000; ++i) put(store, next + i);
  EXPECT_EQ(store.stats().entries, entries);
  EXPECT_TRUE(is_whole(held.blob()));

  // A refused put takes away what was there.
  uint64_t there = next - 1;
  while (!reader.find(TestKey(there, usual_key))) --there;
  EXPECT_FALSE(put(store, there));
  EXPECT_FALSE(reader.find(TestKey(there, usual_key)));
  reader.quiet();
  EXPECT_TRUE(put(store, there));
  reader.offline();
  for (uint64_t i = 0; i < 100'000; ++i) ASSERT_TRUE(put(store, next + i));
  reader.online();
}

// While a reader is not quiet what is emptied cannot be used again: nothing that is in use goes for want of
// room that will be there in a moment.
TEST(ArenaStore, EntriesInUseOutlastAReaderThatIsNotQuiet) {
  ArenaStore store(16 * mebi);
  constexpr uint64_t count = 80'000;
  ArenaStore::Reader reader(store), stalling(store);
  stalling.offline();
  Random random = Random::from_seed(1);
  uint64_t next = count;
  const auto use = [&](uint64_t number) {
    bool found = false;
    for (int i = 0; i < 3; ++i) found = static_cast<bool>(reader.find(TestKey(number, usual_key)));
    reader.quiet();
    return found;
  };
  const auto renew = [&](uint64_t puts) {
    for (uint64_t i = 0; i < puts; ++i) {
      const uint64_t number = random.below(count);
      use(number);
      put(store, number);
      if (i % 4 == 0) put(store, next++);
    }
  };
  for (int round = 0; round < 4; ++round)
    for (uint64_t i = 0; i < count; ++i)
      if (!use(i)) put(store, i);
  renew(3 * count);
  const auto missing = [&] {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; ++i) sum += !use(i);
    return sum;
  };
  ASSERT_LT(missing(), count / 1000);
  const uint64_t refused = store.stats().refused;
  for (int stall = 0; stall < 10; ++stall) {
    stalling.online();
    renew(1000);
    stalling.offline();
    renew(20'000);
  }
  EXPECT_LE(missing(), store.stats().refused - refused) << "more is gone than what could not be renewed";
}

TEST(ArenaStore, LargestBlobsGoThroughASmallStore) {
  ArenaStore store(mebi);
  ArenaStore::Reader reader(store);
  for (uint64_t i = 0; i < 500; ++i) {
    ASSERT_TRUE(store.put(TestKey(i, max_store_key), until(1), self_checking_blob(i, max_blob - i))) << i;
    const Hit hit = reader.find(TestKey(i, max_store_key));
    ASSERT_TRUE(hit);
    ASSERT_TRUE(is_whole(hit.blob()));
    ASSERT_LE(store.stats().octets, mebi);
    reader.quiet();
  }
}

TEST(ArenaStore, ClearedRoomIsUsedAgain) {
  ArenaStore store(2 * mebi);
  for (int round = 0; round < 20; ++round) {
    for (uint64_t i = 0; i < 12'000; ++i) ASSERT_TRUE(put(store, i));
    EXPECT_EQ(store.stats().entries + store.stats().evicted, store.stats().inserted - store.stats().removed);
    store.clear();
    EXPECT_EQ(store.stats().entries, 0u);
    EXPECT_EQ(store.stats().octets_live, 0u);
  }
  EXPECT_EQ(store.stats().evicted_cold, 0u);
}

TEST(ArenaStore, ReplacingDoesNotEvictOthers) {
  ArenaStore store(2 * mebi);
  for (uint64_t i = 0; i < 1000; ++i) ASSERT_TRUE(put(store, i));
  for (int round = 0; round < 200; ++round) {
    for (uint64_t i = 0; i < 300; ++i) ASSERT_TRUE(put(store, i));
    for (uint64_t i = 0; i < 1000; ++i) holds(store, i);
  }
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_TRUE(holds(store, i)) << i;
}

// Even numbers are replaced all the time, odd ones are neither replaced nor asked for. There is room for all
// once what is dead has gone.
TEST(ArenaStore, DeadRoomIsTakenBackBeforeAnythingIsEvicted) {
  ArenaStore store(2 * mebi);
  constexpr uint64_t count = 8000;
  for (uint64_t i = 0; i < count; ++i) ASSERT_TRUE(put(store, i));
  for (int use = 0; use < 2; ++use)
    for (uint64_t i = 0; i < count; ++i) ASSERT_TRUE(holds(store, i));
  for (uint64_t i = count; i < 4 * count; ++i) ASSERT_TRUE(put(store, i));  // the others go to main
  const auto kept = [&store] {
    uint64_t there = 0;
    store.scan([&](const StoredEntry& entry) {
      const uint64_t number = seed_of(entry.blob);
      there += number < count && number % 2 == 1;
      return ScanAction::keep;
    });
    return there;
  };
  const uint64_t before = kept();
  ASSERT_GT(before, count / 4);
  Random random = Random::from_seed(1);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(put(store, random.below(count / 2) * 2));
  EXPECT_GE(kept(), before);
}

TEST(ArenaStore, TooSmallForAnythingRefuses) {
  for (uint64_t capacity : {0, 1, 100, 4096}) {
    ArenaStore store(capacity);
    EXPECT_FALSE(put(store, 1)) << capacity;
    EXPECT_FALSE(holds(store, 1));
    EXPECT_FALSE(store.remove(TestKey(1)));
    store.clear();
    store.scan([](const StoredEntry&) { return ScanAction::remove; });
    EXPECT_LE(store.stats().octets, store.stats().capacity);
  }
}

TEST(ArenaStore, ReadersAreBounded) {
  ArenaStore store(64 << 10);
  std::vector<std::unique_ptr<ArenaStore::Reader>> readers;
  EXPECT_THROW(for (int i = 0; i < 1000; ++i) readers.push_back(std::make_unique<ArenaStore::Reader>(store)),
               std::runtime_error);
  EXPECT_GE(readers.size(), 8u);
  readers.pop_back();
  EXPECT_NO_THROW(ArenaStore::Reader{store});
  store.scan([](const StoredEntry&) { return ScanAction::keep; });  // has a place of its own
}

TEST(ArenaStore, ScanTellsWhatIsInUse) {
  ArenaStore store(mebi);
  for (uint64_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(put(store, i));
    for (uint64_t k = 0; k < i; ++k) holds(store, i);
  }
  std::map<uint64_t, unsigned> frequencies;
  store.scan([&](const StoredEntry& entry) {
    frequencies[seed_of(entry.blob)] = entry.frequency;
    return ScanAction::keep;
  });
  EXPECT_EQ(frequencies, (std::map<uint64_t, unsigned>{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 3}}));
}

// Every entry that stays is seen however much is put, removed and moved around it.
TEST(ArenaStore, ScanSeesWhatStaysWhileOthersComeAndGo) {
  ArenaStore store(2 * mebi);
  constexpr uint64_t lasting = 500;
  for (uint64_t i = 0; i < lasting; ++i) ASSERT_TRUE(put(store, i));
  uint64_t next = fill(store, 1000);
  for (int k = 0; k < 3; ++k)
    for (uint64_t i = 0; i < lasting; ++i)
      if (!holds(store, i)) ASSERT_TRUE(put(store, i));
  std::set<uint64_t> seen;
  uint64_t visited = 0;
  store.scan([&](const StoredEntry& entry) {
    EXPECT_TRUE(is_whole(entry.blob));
    seen.insert(seed_of(entry.blob));
    if (++visited % 4 == 0) put(store, next++);
    holds(store, visited % lasting);
    return ScanAction::keep;
  });
  for (uint64_t i = 0; i < lasting; ++i)
    if (holds(store, i)) EXPECT_TRUE(seen.contains(i)) << i;
}

TEST(ArenaStore, RemovalsAreToldOfThoughTheScanIsCutShort) {
  ArenaStore store(mebi);
  RemovalLog log;
  store.log_removals(log);
  for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(put(store, i));
  int visited = 0;
  const auto visit = [&](const StoredEntry&) {
    if (++visited == 50) throw std::runtime_error("enough");
    return ScanAction::remove;
  };
  EXPECT_THROW(store.scan(visit), std::runtime_error);
  EXPECT_TRUE(log.take().all);
  store.scan([](const StoredEntry&) { return ScanAction::keep; });
  EXPECT_TRUE(log.take().empty());
}

// An older blob of the key may have been evicted and still be in the file.
TEST(ArenaStore, RefusedPutOfAnAbsentKeyIsToldOf) {
  ArenaStore store(mebi);
  RemovalLog log;
  store.log_removals(log);
  const std::vector<uint8_t> too_large(max_blob + 1);
  const TestKey absent(7);
  const StoreKey key = absent;
  EXPECT_FALSE(store.put(key, until(1), too_large));
  EXPECT_EQ(log.take().hashes, std::vector{key.hash});

  // Nobody was asked whether what the file has may be replaced.
  EXPECT_FALSE(store.put_if(key, until(1), too_large, [](const StoredEntry&) { return true; }));
  EXPECT_TRUE(log.take().empty());

  ASSERT_TRUE(store.put(key, until(1), self_checking_blob(7, 40)));
  EXPECT_FALSE(store.put_if(key, until(1), too_large, [](const StoredEntry&) { return false; }));
  EXPECT_TRUE(log.take().empty());
  EXPECT_FALSE(store.put_if(key, until(1), too_large, [](const StoredEntry&) { return true; }));
  EXPECT_EQ(log.take().hashes, std::vector{key.hash});
}

}  // namespace
}  // namespace peregrine
