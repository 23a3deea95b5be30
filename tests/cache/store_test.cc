// The contract of every Store. A new one joins by its name in `Stores`.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "base/random.h"
#include "cache/arena_store.h"
#include "cache/cache_support.h"
#include "cache/mutex_store.h"

namespace peregrine {
namespace {

constexpr uint64_t ample = 64 << 20;
constexpr uint64_t scarce = 512 << 10;

uint64_t load_number(Bytes test_key) {  // of a TestKey of at least eight octets
  uint64_t number;
  std::memcpy(&number, test_key.data(), sizeof number);
  return number;
}

Octets copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

template <class S>
class StoreTest : public testing::Test {};
using Stores = testing::Types<MutexStore, ArenaStore>;
TYPED_TEST_SUITE(StoreTest, Stores);

// Where the stores differ for good reason: an ArenaStore's group of buckets has 28 slots, and a hash of 64
// good bits does not come twice; and what it empties is whole segments, so that few of them leave it less
// choice.
template <class S>
constexpr size_t keys_of_one_hash = 51;
template <>
constexpr size_t keys_of_one_hash<ArenaStore> = 28;
template <class S>
constexpr uint64_t pressing = 128 << 10;
template <>
constexpr uint64_t pressing<ArenaStore> = 384 << 10;

template <class Reader>
typename Reader::Candidate prefetched(Reader& reader, const StoreKey& key) {
  typename Reader::Candidate candidate;
  reader.prefetch(candidate, key.hash);
  reader.prefetch_entry(candidate, key.hash);
  return candidate;
}

TYPED_TEST(StoreTest, PutFindRemove) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  TestKey key(1);
  prefetched(reader, key);
  EXPECT_FALSE(reader.find(key));
  EXPECT_FALSE(store.remove(key));

  Octets blob = self_checking_blob(9, 100);
  EXPECT_TRUE(store.put(key, {.refresh_at = at(5), .expires_at = at(10)}, blob));
  Hit hit = reader.find(key);
  ASSERT_TRUE(hit);
  EXPECT_EQ(copy(hit.blob()), blob);
  EXPECT_EQ(hit.lifetime().refresh_at, at(5));
  EXPECT_EQ(hit.lifetime().expires_at, at(10));

  EXPECT_TRUE(store.remove(key));
  EXPECT_FALSE(store.remove(key));
  EXPECT_FALSE(reader.find(key));
  EXPECT_TRUE(store.put(key, until(1), blob));
  EXPECT_TRUE(reader.find(key));
}

// What came between the two is seen, or nothing is.
TYPED_TEST(StoreTest, StagedLookUpSeesWhatIsThereNow) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  const TestKey key(1), other(2);
  const StoreKey wanted = key;
  ASSERT_TRUE(store.put(key, until(1), self_checking_blob(1, 100)));
  EXPECT_EQ(seed_of(reader.find_at(prefetched(reader, wanted), key).blob()), 1u);

  const auto before_replacing = prefetched(reader, wanted);
  ASSERT_TRUE(store.put(key, until(1), self_checking_blob(2, 300)));
  const Hit replaced = reader.find_at(before_replacing, key);
  EXPECT_TRUE(!replaced || seed_of(replaced.blob()) == 2u);

  const auto before_removal = prefetched(reader, wanted);
  ASSERT_TRUE(store.remove(key));
  EXPECT_FALSE(reader.find_at(before_removal, key));
  const auto absent = prefetched(reader, wanted);
  EXPECT_FALSE(reader.find_at(absent, key));

  ASSERT_TRUE(store.put({StoreKey(other).octets, wanted.hash}, until(1), self_checking_blob(3, 100)));
  EXPECT_FALSE(reader.find_at(prefetched(reader, wanted), key)) << "another key with the same hash";
}

TYPED_TEST(StoreTest, KeepsItsOwnCopies) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  Octets key_octets{1, 2, 3}, blob{4, 5, 6};
  ASSERT_TRUE(store.put({key_octets, 77}, until(1), blob));
  key_octets.assign(3, 0);
  blob.assign(3, 0);
  EXPECT_FALSE(reader.find({key_octets, 77}));
  Hit hit = reader.find({Octets{1, 2, 3}, 77});
  ASSERT_TRUE(hit);
  EXPECT_EQ(copy(hit.blob()), (Octets{4, 5, 6}));
}

TYPED_TEST(StoreTest, LimitsOfSizes) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  Octets none, largest = self_checking_blob(1, max_blob), too_large(max_blob + 1);
  TestKey longest(2, max_store_key), too_long(3, max_store_key + 1), empty(4, 0);

  EXPECT_TRUE(store.put(longest, until(1), largest));
  ASSERT_TRUE(reader.find(longest));
  EXPECT_EQ(copy(reader.find(longest).blob()), largest);
  EXPECT_TRUE(store.put(empty, until(1), none));
  ASSERT_TRUE(reader.find(empty));
  EXPECT_TRUE(reader.find(empty).blob().empty());

  EXPECT_FALSE(store.put(too_long, until(1), none));
  EXPECT_FALSE(reader.find(too_long));
  EXPECT_FALSE(store.put(TestKey(5), until(1), too_large));
  EXPECT_FALSE(reader.find(TestKey(5)));
  EXPECT_EQ(store.stats().refused, 2u);
}

TYPED_TEST(StoreTest, RefusedBlobDoesNotLeaveAnOlderOne) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  ASSERT_TRUE(store.put(TestKey(1), until(1), self_checking_blob(1, 50)));
  EXPECT_FALSE(store.put(TestKey(1), until(1), Octets(max_blob + 1)));
  EXPECT_FALSE(reader.find(TestKey(1)));
  EXPECT_EQ(store.stats().entries, 0u);
  EXPECT_EQ(store.stats().removed, 1u);
}

TYPED_TEST(StoreTest, RefusesWhatIsLargerThanTheStore) {
  TypeParam store(32 << 10);
  typename TypeParam::Reader reader(store);
  EXPECT_FALSE(store.put(TestKey(1), until(1), Octets(33 << 10)));
  EXPECT_FALSE(reader.find(TestKey(1)));
  EXPECT_EQ(store.stats().refused, 1u);
}

TYPED_TEST(StoreTest, KeysOfOneHashAreToldApart) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  std::vector<Octets> keys{{0, 1}};
  for (uint8_t i = 1; i < keys_of_one_hash<TypeParam>; ++i) keys.push_back({i, 1, 2});
  for (size_t i = 0; i < keys.size(); ++i)
    ASSERT_TRUE(store.put({keys[i], 42}, until(1), self_checking_blob(i, 40)));
  for (size_t i = 0; i < keys.size(); i += 3) EXPECT_TRUE(store.remove({keys[i], 42}));
  for (size_t i = 0; i < keys.size(); ++i) {
    Hit hit = reader.find({keys[i], 42});
    ASSERT_EQ(static_cast<bool>(hit), i % 3 != 0) << i;
    if (hit) EXPECT_EQ(seed_of(hit.blob()), i);
  }
}

TYPED_TEST(StoreTest, CountsWhatHappens) {
  TypeParam store(ample);
  Octets blob = self_checking_blob(1, 50);
  store.put(TestKey(1), until(1), blob);
  store.put(TestKey(2), until(1), blob);
  store.put(TestKey(2), until(1), blob);
  store.remove(TestKey(1));
  StoreStats stats = store.stats();
  EXPECT_EQ(stats.entries, 1u);
  EXPECT_EQ(stats.inserted, 2u);
  EXPECT_EQ(stats.replaced, 1u);
  EXPECT_EQ(stats.removed, 1u);
  EXPECT_EQ(stats.evicted + stats.expired + stats.refused, 0u);
  EXPECT_EQ(stats.capacity, ample);
  store.clear();
  EXPECT_EQ(store.stats().entries, 0u);
}

TYPED_TEST(StoreTest, PutIfAsksOnlyWhereThereIsAnEntry) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  const auto never = [](const StoredEntry&) -> bool { throw std::logic_error("asked"); };
  EXPECT_TRUE(store.put_if(TestKey(1), until(5), self_checking_blob(1, 50), never));
  ASSERT_TRUE(reader.find(TestKey(1)));

  EXPECT_FALSE(store.put_if(TestKey(1), until(6), self_checking_blob(2, 60), [](const StoredEntry& old) {
    EXPECT_EQ(seed_of(old.blob), 1u);
    EXPECT_EQ(old.lifetime.expires_at, at(5));
    EXPECT_EQ(copy(old.key.octets), copy(StoreKey(TestKey(1)).octets));
    return false;
  }));
  EXPECT_EQ(seed_of(reader.find(TestKey(1)).blob()), 1u);
  EXPECT_TRUE(store.put_if(TestKey(1), until(6), self_checking_blob(2, 60),
                           [](const StoredEntry& old) { return old.lifetime.expires_at < at(6); }));
  EXPECT_EQ(seed_of(reader.find(TestKey(1)).blob()), 2u);
  EXPECT_EQ(store.stats().inserted, 1u);
  EXPECT_EQ(store.stats().replaced, 1u);
  EXPECT_EQ(store.stats().refused, 0u);
}

TYPED_TEST(StoreTest, PutIfOfWhatCannotBeHeld) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  ASSERT_TRUE(store.put(TestKey(1), until(1), self_checking_blob(1, 50)));
  EXPECT_FALSE(store.put_if(TestKey(1), until(1), Octets(max_blob + 1), [](auto&) { return false; }));
  EXPECT_TRUE(reader.find(TestKey(1)));
  EXPECT_FALSE(store.put_if(TestKey(1), until(1), Octets(max_blob + 1), [](auto&) { return true; }));
  EXPECT_FALSE(reader.find(TestKey(1)));
}

TYPED_TEST(StoreTest, ScanSeesAllAndRemovesWhatIsAsked) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  constexpr uint64_t count = 3000;
  for (uint64_t i = 0; i < count; ++i)
    ASSERT_TRUE(store.put(TestKey(i), until(static_cast<int64_t>(i)), self_checking_blob(i, 8 + i % 500)));
  std::map<uint64_t, int> seen;
  store.scan([&](const StoredEntry& entry) {
    const uint64_t number = load_number(entry.key.octets);
    ++seen[number];
    EXPECT_TRUE(is_whole(entry.blob));
    EXPECT_EQ(seed_of(entry.blob), number);
    EXPECT_EQ(entry.lifetime.expires_at, at(static_cast<int64_t>(number)));
    return number % 3 == 0 ? ScanAction::remove : ScanAction::keep;
  });
  EXPECT_EQ(seen.size(), count);
  EXPECT_TRUE(std::ranges::all_of(seen, [](auto& one) { return one.second == 1; }));
  for (uint64_t i = 0; i < count; ++i) EXPECT_EQ(static_cast<bool>(reader.find(TestKey(i))), i % 3 != 0) << i;
  EXPECT_EQ(store.stats().removed, count / 3);
}

TYPED_TEST(StoreTest, VisitorOfAScanMayUseTheStore) {
  TypeParam store(ample);
  for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(store.put(TestKey(i), until(1), self_checking_blob(i, 40)));
  store.scan([&](const StoredEntry& entry) {
    EXPECT_TRUE(store.put(entry.key, until(2), self_checking_blob(7, 50)));
    return ScanAction::remove;  // not what was seen any more
  });
  EXPECT_EQ(store.stats().entries, 100u);
  EXPECT_EQ(store.stats().removed, 0u);
  uint64_t newer = 0;
  store.scan([&](const StoredEntry& entry) {
    newer += entry.lifetime.expires_at == at(2);
    return ScanAction::keep;
  });
  EXPECT_EQ(newer, 100u);
}

TYPED_TEST(StoreTest, OctetsByWhatTheyAreFor) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  const StoreStats empty = store.stats();
  EXPECT_EQ(empty.octets_live, 0u);
  EXPECT_EQ(empty.octets_dead, 0u);
  for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(store.put(TestKey(i), until(1), self_checking_blob(i, 100)));
  ASSERT_TRUE(reader.find(TestKey(1)));
  ASSERT_TRUE(store.remove(TestKey(1)));
  const StoreStats stats = store.stats();
  EXPECT_GE(stats.octets_live, 99u * (20 + 100));
  EXPECT_LE(stats.octets_live, 99u * (20 + 100 + 100));
  EXPECT_GE(stats.octets_dead, 20u + 100);  // what the hit needs
  EXPECT_GT(stats.octets_index, 0u);
  EXPECT_LE(stats.octets_live + stats.octets_dead + stats.octets_index, stats.octets);
}

// Random operations beside a std::map. With `exact` nothing may be missing; without, a hit must still be the
// last blob put. Hits are kept up to the next quiet point and must stay as they were found.
template <class S>
void check_against_model(uint64_t capacity, uint64_t seed, bool exact) {
  S store(capacity);
  typename S::Reader reader(store);
  Random random = Random::from_seed(seed);
  std::map<uint64_t, std::pair<int64_t, Octets>> model;
  std::vector<std::pair<Hit, Octets>> held;
  uint64_t next_blob = 1;

  auto quiet = [&] {
    for (auto& [hit, octets] : held) ASSERT_TRUE(std::ranges::equal(hit.blob(), octets));
    held.clear();
    reader.quiet();
  };
  // Accepts or declines as the key's blob and the step say; counts how often it was asked.
  auto put_if = [&](uint64_t number, int step, Octets blob) {
    auto entry = model.find(number);
    bool asked = false;
    const bool wanted = step % 3 != 0;
    const bool done = store.put_if(TestKey(number), until(step), blob, [&](const StoredEntry& old) {
      asked = true;
      EXPECT_TRUE(entry != model.end());
      EXPECT_TRUE(std::ranges::equal(old.blob, entry->second.second));
      EXPECT_TRUE(std::ranges::equal(old.key.octets, StoreKey(TestKey(number)).octets));
      EXPECT_EQ(old.lifetime.expires_at, at(entry->second.first));
      return wanted;
    });
    if (exact) ASSERT_EQ(asked, entry != model.end());
    ASSERT_FALSE(done && asked && !wanted);
    if (asked && !wanted) return;
    ASSERT_TRUE(done || !exact);
    model.erase(number);
    if (done) model[number] = {step, std::move(blob)};
  };
  auto scan = [&] {
    std::set<uint64_t> seen;
    store.scan([&](const StoredEntry& stored) {
      const uint64_t number = load_number(stored.key.octets);
      EXPECT_TRUE(seen.insert(number).second) << "twice";
      auto entry = model.find(number);
      EXPECT_TRUE(entry != model.end());
      if (entry == model.end()) return ScanAction::keep;
      EXPECT_TRUE(std::ranges::equal(stored.blob, entry->second.second));
      EXPECT_EQ(stored.lifetime.expires_at, at(entry->second.first));
      if (number % 50 != 7) return ScanAction::keep;
      model.erase(entry);
      return ScanAction::remove;
    });
    ASSERT_EQ(seen.size(),
              store.stats().entries + std::ranges::count_if(seen, [](uint64_t n) { return n % 50 == 7; }));
    if (exact) ASSERT_EQ(store.stats().entries, model.size());
  };
  auto find = [&](uint64_t number) {
    Hit hit = reader.find(TestKey(number));
    auto entry = model.find(number);
    if (exact) ASSERT_EQ(static_cast<bool>(hit), entry != model.end());
    if (!hit) return;
    ASSERT_TRUE(entry != model.end());
    ASSERT_TRUE(std::ranges::equal(hit.blob(), entry->second.second));
    ASSERT_EQ(hit.lifetime().expires_at, at(entry->second.first));
    held.emplace_back(hit, entry->second.second);
  };

  for (int step = 0; step < 5000; ++step) {
    uint64_t number = random.below(400);
    uint32_t what = random.below(1000);
    if (what < 100) {
      ASSERT_NO_FATAL_FAILURE(put_if(number, step, self_checking_blob(next_blob++, 8 + random.below(900))));
    } else if (what < 104) {
      ASSERT_NO_FATAL_FAILURE(scan());
    } else if (what < 110) {
      store.tell_time(at(step - static_cast<int>(random.below(200))));
    } else if (what < 450) {
      Octets blob = self_checking_blob(next_blob++, 8 + random.below(random.one_in(20) ? 20'000 : 1500));
      // Refused where all that would have to go waits for the reader; then what was there is gone.
      bool done = store.put(TestKey(number), until(step), blob);
      ASSERT_TRUE(done || !exact) << step;
      model.erase(number);
      if (!done) {
        ASSERT_FALSE(reader.find(TestKey(number)));
        ASSERT_NO_FATAL_FAILURE(quiet());
        done = store.put(TestKey(number), until(step), blob);
      }
      ASSERT_TRUE(done) << step;
      model[number] = {step, std::move(blob)};
    } else if (what < 850) {
      ASSERT_NO_FATAL_FAILURE(find(number));
    } else if (what < 930) {
      bool removed = store.remove(TestKey(number));
      bool known = model.erase(number) != 0;
      ASSERT_TRUE(exact ? removed == known : !removed || known);
    } else if (what < 999) {
      ASSERT_NO_FATAL_FAILURE(quiet());
    } else {
      store.clear();
      model.clear();
    }
    StoreStats stats = store.stats();
    ASSERT_LE(stats.octets, stats.capacity);
    ASSERT_EQ(stats.entries, stats.inserted - stats.removed - stats.evicted - stats.expired);
    if (exact) ASSERT_EQ(stats.entries, model.size());
  }
  quiet();
  if (!exact) EXPECT_GT(store.stats().evicted + store.stats().expired, 0u);
}

const uint64_t model_seeds = std::getenv("PEREGRINE_SOAK") ? 1000 : 20;  // of 5000 steps

TYPED_TEST(StoreTest, AgreesWithAMap) {
  for (uint64_t seed = 1; seed <= model_seeds; ++seed)
    ASSERT_NO_FATAL_FAILURE(check_against_model<TypeParam>(ample, seed, true)) << seed;
}

TYPED_TEST(StoreTest, UnderPressureNeverGivesAnOldBlob) {
  for (uint64_t seed = 1; seed <= model_seeds; ++seed)
    ASSERT_NO_FATAL_FAILURE(check_against_model<TypeParam>(pressing<TypeParam>, seed, false)) << seed;
}

TYPED_TEST(StoreTest, FloodStaysWithinTheCapacity) {
  TypeParam store(scarce);
  typename TypeParam::Reader reader(store);
  Random random = Random::from_seed(5);
  for (uint64_t i = 0; i < 10'000; ++i) {
    // From many small blobs to few large ones and back: what was grown for the ones must not harm the others.
    size_t size = 8 + random.below(i / 2500 % 2 ? 30'000 : 60);
    ASSERT_TRUE(store.put(TestKey(i), until(static_cast<int64_t>(i)), self_checking_blob(i, size)));
    ASSERT_TRUE(reader.find(TestKey(i)));
    reader.quiet();
    ASSERT_LE(store.stats().octets, scarce);
  }
  EXPECT_GT(store.stats().evicted + store.stats().expired, 5000u);
  EXPECT_GT(store.stats().octets, scarce / 2);
}

TYPED_TEST(StoreTest, FloodWhileHitsAreHeldStaysWithinTheCapacity) {
  TypeParam store(scarce);
  typename TypeParam::Reader reader(store);
  std::vector<Hit> held;
  for (uint64_t i = 0; i < 2000; ++i) {
    store.put(TestKey(i), until(1), self_checking_blob(i, 1000));
    if (Hit hit = reader.find(TestKey(i))) held.push_back(hit);
    ASSERT_LE(store.stats().octets, scarce);
  }
  ASSERT_GT(held.size(), 100u);
  for (const Hit& hit : held) ASSERT_TRUE(is_whole(hit.blob()));
  reader.quiet();
  EXPECT_TRUE(store.put(TestKey(1), until(1), self_checking_blob(1, 1000)));
}

TYPED_TEST(StoreTest, HitOutlivesItsEntry) {
  TypeParam store(scarce);
  typename TypeParam::Reader reader(store);
  std::vector<Hit> hits;
  for (uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(store.put(TestKey(i), until(1), self_checking_blob(i, 3000)));
    hits.push_back(reader.find(TestKey(i)));
    ASSERT_TRUE(hits.back());
  }
  ASSERT_TRUE(store.put(TestKey(0), until(2), self_checking_blob(99, 3000)));
  ASSERT_TRUE(store.remove(TestKey(1)));
  for (uint64_t i = 100; i < 2000; ++i) store.put(TestKey(i), until(1), self_checking_blob(i, 3000));
  EXPECT_FALSE(reader.find(TestKey(2)));
  store.clear();
  for (uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(hits[i].blob().size(), 3000u);
    EXPECT_TRUE(is_whole(hits[i].blob()));
    EXPECT_EQ(seed_of(hits[i].blob()), i);
    EXPECT_EQ(hits[i].lifetime().expires_at, at(1));
  }
}

TYPED_TEST(StoreTest, QuietPointOfOneReaderLeavesTheOthersHits) {
  TypeParam store(ample);
  typename TypeParam::Reader one(store), other(store);
  ASSERT_TRUE(store.put(TestKey(1), until(1), self_checking_blob(1, 500)));
  one.find(TestKey(1));
  Hit hit = other.find(TestKey(1));
  store.remove(TestKey(1));
  one.quiet();
  one.offline();
  one.online();
  EXPECT_TRUE(is_whole(hit.blob()));
  EXPECT_FALSE(one.find(TestKey(1)));
}

#ifndef NDEBUG
TYPED_TEST(StoreTest, HitAfterTheQuietPointIsCaught) {
  TypeParam store(ample);
  typename TypeParam::Reader reader(store);
  store.put(TestKey(1), until(1), self_checking_blob(1, 50));
  Hit hit = reader.find(TestKey(1));
  reader.quiet();
  EXPECT_DEATH(hit.blob(), "quiet point");
  hit = reader.find(TestKey(1));
  reader.offline();
  EXPECT_DEATH(hit.blob(), "quiet point");
  EXPECT_DEATH(Hit().blob(), "quiet point");
}
#endif

// One thread's share of a scramble for a few keys. Each blob says which key it is of; false on a wrong or
// torn one.
template <class S>
bool scramble(S& store, uint64_t seed, uint64_t keys, int steps) {
  typename S::Reader reader(store);
  Random random = Random::from_seed(seed);
  std::vector<std::pair<Hit, uint64_t>> held;
  for (int step = 0; step < steps; ++step) {
    uint64_t number = random.below(static_cast<uint32_t>(keys));
    uint32_t what = random.below(1000);
    if (what < 300) {
      store.put(TestKey(number), until(step), self_checking_blob(number, 8 + random.below(2000)));
    } else if (what < 900) {
      if (Hit hit = reader.find(TestKey(number))) held.emplace_back(hit, number);
    } else if (what < 998) {
      store.remove(TestKey(number));
    } else {
      store.clear();
    }
    if (store.stats().octets > store.stats().capacity) return false;
    if (held.size() < 16) continue;
    for (auto& [hit, expected] : held)
      if (!is_whole(hit.blob()) || seed_of(hit.blob()) != expected) return false;
    held.clear();
    reader.quiet();
  }
  return true;
}

TYPED_TEST(StoreTest, FourThreadsOnTheSameKeys) {
  for (uint64_t capacity : {scarce, uint64_t{64 << 10}}) {
    TypeParam store(capacity);
    std::array<bool, 4> fine{};
    {
      std::vector<std::jthread> threads;
      for (uint64_t i = 0; i < fine.size(); ++i)
        threads.emplace_back([&, i] { fine[i] = scramble(store, 100 + i, 200, 4000); });
    }
    EXPECT_EQ(fine, (std::array<bool, 4>{true, true, true, true})) << capacity;
  }
}

}  // namespace
}  // namespace peregrine
