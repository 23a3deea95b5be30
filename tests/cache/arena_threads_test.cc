// ArenaStore under threads that are made to give way between its critical steps. Run these under
// ThreadSanitizer too.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "base/random.h"
#include "cache/arena_store.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

constexpr uint64_t mebi = 1 << 20;

#ifndef NDEBUG
std::atomic<uint32_t> steps_taken = 0;

// One step in eight, by a counter that all threads share: so no two of them keep the same rhythm.
void give_way(ArenaStep) {
  const uint32_t step = steps_taken.fetch_add(1, std::memory_order_relaxed);
  if ((step * 0x9e3779b1u) >> 29 == 0) std::this_thread::yield();
}
#endif

class ArenaThreads : public testing::Test {
 protected:
#ifndef NDEBUG
  void SetUp() override { arena_hook = give_way; }
  void TearDown() override { arena_hook = nullptr; }
#endif

  template <class Work>
  static void run(unsigned threads, Work work) {
    std::vector<std::jthread> all;
    for (unsigned t = 0; t < threads; ++t) all.emplace_back([&work, t] { work(t); });
  }
};

// A blob says its key and which of the key's writes it is of.
uint64_t mark(uint64_t number, uint64_t version) { return number << 32 | version; }

// Each key has one writer: so a reader must never see a version older than one that it has seen.
TEST_F(ArenaThreads, NoReaderSeesAnotherKeysOrAnOlderOrATornBlob) {
  constexpr uint64_t keys = 64, versions = 400;
  for (uint64_t capacity : {uint64_t{128} << 10, 4 * mebi}) {
    ArenaStore store(capacity);
    std::atomic<unsigned> writing = 2, wrong = 0;
    std::atomic<uint64_t> hits = 0;
    run(4, [&](unsigned thread) {
      if (thread < 2) {
        Random random = Random::from_seed(thread);
        for (uint64_t version = 1; version <= versions; ++version)
          for (uint64_t number = thread; number < keys; number += 2) {
            if (random.one_in(20)) store.remove(TestKey(number));
            store.put(TestKey(number), until(1),
                      self_checking_blob(mark(number, version), 8 + random.below(300)));
          }
        --writing;
        return;
      }
      ArenaStore::Reader reader(store);
      Random random = Random::from_seed(thread);
      std::array<uint64_t, keys> seen{};
      while (writing) {
        for (int i = 0; i < 32; ++i) {
          const uint64_t number = random.below(keys);
          const Hit hit = reader.find(TestKey(number));
          if (!hit) continue;
          const uint64_t found = seed_of(hit.blob());
          if (!is_whole(hit.blob()) || found >> 32 != number || found < seen[number]) ++wrong;
          seen[number] = found;
          ++hits;
        }
        reader.quiet();
        if (random.one_in(16)) reader.offline(), std::this_thread::yield(), reader.online();
      }
    });
    EXPECT_EQ(wrong, 0u) << capacity;
    EXPECT_GT(hits, 0u);
    EXPECT_LE(store.stats().octets, store.stats().capacity);
  }
}

// Hits stay whole over a whole batch, while what they came from is replaced, evicted and its room used again.
TEST_F(ArenaThreads, HitsOutliveEviction) {
  ArenaStore store(256 << 10);
  std::atomic<unsigned> wrong = 0;
  run(4, [&](unsigned thread) {
    ArenaStore::Reader reader(store);
    Random random = Random::from_seed(100 + thread);
    std::vector<std::pair<Hit, uint64_t>> held;
    for (int batch = 0; batch < 300; ++batch) {
      for (int i = 0; i < 16; ++i) {
        const uint64_t number = random.below(2000);
        if (const Hit hit = reader.find(TestKey(number)))
          held.emplace_back(hit, number);
        else
          store.put(TestKey(number), until(1), self_checking_blob(number, 8 + random.below(400)));
      }
      for (auto& [hit, number] : held)
        if (!is_whole(hit.blob()) || seed_of(hit.blob()) != number) ++wrong;
      held.clear();
      reader.quiet();
    }
  });
  EXPECT_EQ(wrong, 0u);
  const StoreStats stats = store.stats();
  EXPECT_GT(stats.evicted, 0u);
  EXPECT_LE(stats.octets, stats.capacity);
}

// Two writers of one key: it is there once, whatever they do.
TEST_F(ArenaThreads, AKeyIsNeverThereTwice) {
  ArenaStore store(mebi);
  constexpr uint64_t keys = 40;
  run(3, [&](unsigned thread) {
    Random random = Random::from_seed(200 + thread);
    for (int i = 0; i < 6000; ++i) {
      const uint64_t number = random.below(keys);
      if (random.one_in(3))
        store.remove(TestKey(number));
      else
        store.put(TestKey(number), until(1), self_checking_blob(number, 8 + random.below(100)));
    }
  });
  std::array<int, keys> seen{};
  store.scan([&](const StoredEntry& entry) {
    ++seen[seed_of(entry.blob)];
    return ScanAction::remove;
  });
  for (int n : seen) EXPECT_LE(n, 1);
  EXPECT_EQ(store.stats().entries, 0u);
  EXPECT_EQ(store.stats().octets_live, 0u);
  ArenaStore::Reader reader(store);
  for (uint64_t i = 0; i < keys; ++i) EXPECT_FALSE(reader.find(TestKey(i)));
}

// Whoever's is better stays: the best of all must be there at the end.
TEST_F(ArenaThreads, PutIfIsOneStep) {
  ArenaStore store(mebi);
  std::atomic<uint64_t> best = 0;
  run(4, [&](unsigned thread) {
    Random random = Random::from_seed(300 + thread);
    for (int i = 0; i < 3000; ++i) {
      const uint64_t rank = random.u32();
      store.put_if(TestKey(1), until(1), self_checking_blob(rank, 40),
                   [&](const StoredEntry& old) { return seed_of(old.blob) < rank; });
      for (uint64_t known = best; known < rank && !best.compare_exchange_weak(known, rank);) {
      }
    }
  });
  ArenaStore::Reader reader(store);
  ASSERT_TRUE(reader.find(TestKey(1)));
  EXPECT_EQ(seed_of(reader.find(TestKey(1)).blob()), best);
}

TEST_F(ArenaThreads, ScanAndClearBesideWriters) {
  ArenaStore store(512 << 10);
  std::atomic<unsigned> wrong = 0, writing = 2;
  run(4, [&](unsigned thread) {
    Random random = Random::from_seed(400 + thread);
    if (thread < 2) {
      for (uint64_t i = 0; i < 3000; ++i)
        store.put(TestKey(random.below(3000)), until(i & 63), self_checking_blob(i, 8 + random.below(200)));
      --writing;
    } else if (thread == 2) {
      while (writing) {
        store.scan([&](const StoredEntry& entry) {
          if (!is_whole(entry.blob)) ++wrong;
          return random.one_in(10) ? ScanAction::remove : ScanAction::keep;
        });
      }
    } else {
      for (int64_t i = 0; writing; ++i) {
        store.tell_time(at(i & 63));
        if (i % 20 == 0) store.clear();
        const StoreStats stats = store.stats();
        if (stats.octets > stats.capacity) ++wrong;
        std::this_thread::yield();
      }
    }
  });
  EXPECT_EQ(wrong, 0u);
  store.clear();
  EXPECT_EQ(store.stats().entries, 0u);
  EXPECT_EQ(store.stats().octets_live, 0u);
}

#ifndef NDEBUG
// One thread, stopped at one step until it is let go.
std::atomic<bool> stalled = false, let_go = false;
thread_local const ArenaStep* stall_at = nullptr;

void stall(ArenaStep step) {
  if (!stall_at || *stall_at != step) return;
  stall_at = nullptr;
  stalled = true;
  stalled.notify_all();
  let_go.wait(false);
}

class ArenaStall : public testing::TestWithParam<ArenaStep> {
 protected:
  void SetUp() override { stalled = let_go = false, arena_hook = stall; }
  void TearDown() override { arena_hook = nullptr; }

  // `work` runs in a thread of its own and stops at the step; meanwhile the store is turned over.
  template <class Work>
  void run(ArenaStore& store, Work work) {
    const std::jthread stopped([&] {
      const ArenaStep step = GetParam();
      stall_at = &step;
      work();
      stall_at = nullptr;
    });
    stalled.wait(false);
    for (uint64_t i = 0; i < 20'000; ++i) put(store, i, i % 2);
    let_go = true;
    let_go.notify_all();
  }

  // In the upper half of the buckets, so that nobody waits for the lock that the stopped thread may hold.
  static StoreKey upper(const TestKey& key) {
    const StoreKey whole = key;
    return {.octets = whole.octets, .hash = whole.hash | uint64_t{1} << 47};
  }
  static void put(ArenaStore& store, uint64_t number, bool use) {
    const TestKey key(number);
    store.put(upper(key), until(1), self_checking_blob(number, 60));
    if (!use) return;
    ArenaStore::Reader reader(store);
    for (int i = 0; i < 3; ++i) reader.find(upper(key));
  }
  static void expect_whole(const Hit& hit, uint64_t number) {
    ASSERT_TRUE(hit);
    EXPECT_TRUE(is_whole(hit.blob()));
    EXPECT_EQ(seed_of(hit.blob()), number);
  }

  const TestKey key_{1};
  const StoreKey mine_{.octets = StoreKey(key_).octets, .hash = 7};
};

class ArenaStalledWriter : public ArenaStall {};

TEST_P(ArenaStalledWriter, LosesNothing) {
  ArenaStore store(512 << 10);
  run(store, [&] { EXPECT_TRUE(store.put(mine_, until(1), self_checking_blob(5, 3000))); });
  {
    ArenaStore::Reader reader(store);
    ASSERT_NO_FATAL_FAILURE(expect_whole(reader.find(mine_), 5));
  }
  for (uint64_t i = 0; i < 1000; ++i) put(store, 100'000 + i, false);
  ArenaStore::Reader reader(store);
  if (const Hit hit = reader.find(mine_)) expect_whole(hit, 5);
}
INSTANTIATE_TEST_SUITE_P(Steps, ArenaStalledWriter,
                         testing::Values(ArenaStep::appended, ArenaStep::written, ArenaStep::linked));

TEST_P(ArenaStalledWriter, ReplacingLosesNothing) {
  ArenaStore store(512 << 10);
  ASSERT_TRUE(store.put(mine_, until(1), self_checking_blob(4, 3000)));
  run(store, [&] { EXPECT_TRUE(store.put(mine_, until(1), self_checking_blob(5, 3000))); });
  ArenaStore::Reader reader(store);
  ASSERT_NO_FATAL_FAILURE(expect_whole(reader.find(mine_), 5));
}

class ArenaStalledReader : public ArenaStall {};

TEST_P(ArenaStalledReader, StillReadsWhatItFound) {
  ArenaStore store(512 << 10);
  ASSERT_TRUE(store.put(mine_, until(1), self_checking_blob(5, 3000)));
  run(store, [&] {
    ArenaStore::Reader reader(store);
    expect_whole(reader.find(mine_), 5);
    reader.quiet();
    const Hit hit = reader.find(mine_);
    if (hit) expect_whole(hit, 5);
    for (uint64_t i = 0; i < 2000; ++i) put(store, 200'000 + i, false);
    if (hit) expect_whole(hit, 5);
  });
}
INSTANTIATE_TEST_SUITE_P(Steps, ArenaStalledReader,
                         testing::Values(ArenaStep::slot_read, ArenaStep::announcing));

// What puts leave undone while one thread is at it is done by those that come later.
TEST(ArenaStalledEviction, FallsBehindForAMomentOnly) {
  ArenaStore store(2 * mebi);
  uint64_t next = 0;
  const auto put = [&] {
    ++next;
    return store.put(TestKey(next, 38), until(1), self_checking_blob(next, 38));
  };
  const auto evicted = [&] { return store.stats().evicted_cold; };
  while (evicted() == 0) ASSERT_TRUE(put());
  stalled = let_go = false, arena_hook = stall;
  {
    const std::jthread stopped([&] {
      const ArenaStep step = ArenaStep::emptied;
      stall_at = &step;
      while (stall_at) put();
    });
    stalled.wait(false);
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(put());
    let_go = true;
    let_go.notify_all();
  }
  arena_hook = nullptr;
  uint64_t before = 0;
  do {
    before = evicted();
    ASSERT_TRUE(put());
  } while (evicted() == before);
  EXPECT_GT(evicted() - before, 8u);  // its own share is four
}
#endif

}  // namespace
}  // namespace peregrine
