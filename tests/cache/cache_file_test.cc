// What comes back after a restart, and what does not.
#include "cache/cache_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <map>
#include <new>

#include "cache/file_support.h"

namespace peregrine {
namespace {

using std::chrono::days;
using std::chrono::hours;

class CacheFileTest : public testing::Test {
 protected:
  FiledStore::Options options() const { return {.path = path_}; }

  // Numbers below `count`, each in its first version.
  void fill(uint64_t count) const {
    FiledStore filed(options());
    for (uint64_t i = 0; i < count; ++i) ASSERT_TRUE(filed.put({.number = i, .version = 1}));
    filed.finish();
    ASSERT_TRUE(filed.stats().writing);
  }

  TempDir dir_;
  std::string path_ = dir_ / "cache.file";
};

TEST_F(CacheFileTest, WhatWasStoredComesBack) {
  fill(5000);
  FiledStore again(options());
  EXPECT_EQ(again.stats().entries.loaded, 5000u);
  EXPECT_EQ(again.stats().dropped_segments(), 0u);
  EXPECT_FALSE(again.stats().set_aside);
  EXPECT_EQ(again.store.stats().entries, 5000u);
  for (uint64_t i = 0; i < 5000; ++i) {
    const auto found = again.find(i);
    ASSERT_TRUE(found) << i;
    EXPECT_EQ(found->version, 1u);
  }
}

TEST_F(CacheFileTest, LifetimesComeBackToo) {
  {
    FiledStore filed(options());
    const AnswerKey key = numbered_key(1, *filed.secret);
    filed.store.put(key.store_key(),
                    {.refresh_at = file_now + seconds{30}, .expires_at = file_now + seconds{40}},
                    blob_of({.number = 1, .stored_at = file_now}));
    filed.finish();
  }
  FiledStore again(options());
  again.reader.online();
  const Hit hit = again.reader.find(numbered_key(1, *again.secret).store_key());
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit.lifetime().refresh_at, file_now + seconds{30});
  EXPECT_EQ(hit.lifetime().expires_at, file_now + seconds{40});
}

TEST_F(CacheFileTest, NothingIsGoodForLongerThanAnythingCanBe) {
  {
    FiledStore filed(options());
    filed.put({.number = 1, .stored_at = file_now}, days{1000});
    filed.put({.number = 2, .stored_at = file_now - days{7}}, days{1000});
    filed.finish();
  }
  FiledStore again(options());
  EXPECT_FALSE(again.find(2));
  EXPECT_EQ(again.stats().entries.expired, 1u);
  again.reader.online();
  const Hit hit = again.reader.find(numbered_key(1, *again.secret).store_key());
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit.lifetime().expires_at, file_now + days{7});
  EXPECT_EQ(hit.lifetime().refresh_at, file_now + days{7});
}

// A tick is all that a killed process has had: nobody calls finish().
TEST_F(CacheFileTest, EachTickAddsWhatIsNew) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < 300; ++i) {
      filed.put({.number = i, .version = 1});
      filed.tick();
    }
  }
  FiledStore again(options());
  EXPECT_EQ(again.store.stats().entries, 300u);
  for (uint64_t i = 0; i < 300; ++i) EXPECT_TRUE(again.find(i)) << i;
}

TEST_F(CacheFileTest, TheLatestVersionWinsWhereverItStands) {
  {
    FiledStore filed(options());
    for (uint64_t version = 1; version <= 40; ++version) {
      for (uint64_t i = 0; i < 100; ++i)
        if (version % (i % 7 + 1) == 0) filed.put({.number = i, .version = version, .size = 100 + i * 20});
      filed.tick();
    }
  }
  FiledStore again(options());
  for (uint64_t i = 0; i < 100; ++i) {
    const auto found = again.find(i);
    ASSERT_TRUE(found) << i;
    EXPECT_EQ(found->version, 40 / (i % 7 + 1) * (i % 7 + 1)) << i;
  }
}

TEST_F(CacheFileTest, ComesBackAgainAndAgain) {
  fill(2000);
  for (uint64_t round = 1; round <= 5; ++round) {
    FiledStore again(options());
    ASSERT_EQ(again.store.stats().entries, 2000 + round - 1);
    again.put({.number = 1'000'000 + round, .version = round});
    again.put({.number = round, .version = 100 + round});
    if (round % 2)
      again.tick();
    else
      again.finish();
  }
  FiledStore last(options());
  for (uint64_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(last.find(i).value().version, 100 + i);
    EXPECT_TRUE(last.find(1'000'000 + i));
  }
  EXPECT_TRUE(last.find(1999));
}

TEST_F(CacheFileTest, WhatHasExpiredStaysAway) {
  {
    FiledStore filed(options());
    filed.put({.number = 1}, seconds{10});
    filed.put({.number = 2}, hours{1});
    filed.finish();
  }
  FiledStore::Options later = options();
  later.now = file_now + seconds{10};
  FiledStore again(later);
  EXPECT_FALSE(again.find(1));
  EXPECT_TRUE(again.find(2));
  EXPECT_EQ(again.stats().entries.expired, 1u);
}

// It took the place of an older one that would be good for longer.
TEST_F(CacheFileTest, WhatHasExpiredHidesWhatItReplaced) {
  {
    FiledStore filed(options());
    for (uint64_t i = 1; i <= 2; ++i) filed.put({.number = i, .version = 1}, days{1});
    filed.tick();
    filed.put({.number = 1, .version = 2}, seconds{60});
    filed.tick();
    filed.put({.number = 2, .version = 2}, seconds{1});
    filed.tick(file_now + seconds{2});
  }
  FiledStore::Options later = options();
  later.now = file_now + seconds{120};
  for (int start = 0; start < 2; ++start) {
    FiledStore again(later);
    EXPECT_FALSE(again.find(1));
    EXPECT_FALSE(again.find(2));
    EXPECT_EQ(again.stats().entries.expired, 2u);
    again.tick(later.now);
    EXPECT_EQ(again.stats().removals_written, 0u);
  }
}

TEST_F(CacheFileTest, WhatIsFromTheFutureStaysAway) {
  {
    FiledStore filed(options());
    filed.put({.number = 1, .stored_at = file_now + seconds{100}});
    filed.put({.number = 2, .stored_at = file_now + seconds{5}});
    filed.finish();
  }
  FiledStore again(options());
  EXPECT_FALSE(again.find(1));
  EXPECT_TRUE(again.find(2));
  EXPECT_EQ(again.stats().entries.from_future, 1u);
}

TEST_F(CacheFileTest, RemovedEntriesStayAway) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < 100; ++i) filed.put({.number = i});
    filed.tick();
    for (uint64_t i = 0; i < 100; i += 2) EXPECT_TRUE(filed.remove(i));
    filed.put({.number = 4, .version = 2});
    bool safe = false;
    filed.file->when_removals_are_safe([&] { safe = true; });
    EXPECT_FALSE(safe);
    filed.executor.run_all();
    EXPECT_TRUE(safe);
    filed.tick();
  }
  FiledStore again(options());
  for (uint64_t i = 0; i < 100; ++i) EXPECT_EQ(again.find(i).has_value(), i % 2 == 1 || i == 4) << i;
  EXPECT_EQ(again.find(4).value().version, 2u);
  EXPECT_EQ(again.stats().entries.removed, 50u);
  EXPECT_GE(again.stats().entries.loaded, 51u);
}

TEST_F(CacheFileTest, RemovedAfterARestartStaysAwayToo) {
  fill(100);
  {
    FiledStore again(options());
    again.remove(7);
    again.tick();
  }
  FiledStore last(options());
  EXPECT_FALSE(last.find(7));
  EXPECT_TRUE(last.find(8));
}

// The store has forgotten it, the file has not.
TEST_F(CacheFileTest, RemovalOfWhatWasEvictedCounts) {
  {
    FiledStore filed(options());
    filed.put({.number = 7, .size = 1000});
    filed.tick();
    for (uint64_t i = 100; i < 20'000; ++i) filed.put({.number = i, .size = 1000});
    ASSERT_FALSE(filed.find(7));
    EXPECT_FALSE(filed.remove(7));
    filed.file->when_removals_are_safe([] {});
    filed.executor.run_all();
  }
  FiledStore again(options());
  EXPECT_FALSE(again.find(7));
  EXPECT_EQ(again.stats().entries.removed, 1u);
}

TEST_F(CacheFileTest, ClearedStaysCleared) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < 1000; ++i) filed.put({.number = i});
    filed.tick();
    filed.store.clear();
    filed.put({.number = 5, .version = 2});
    filed.file->when_removals_are_safe([] {});
    filed.executor.run_all();
  }
  {
    FiledStore again(options());
    EXPECT_EQ(again.stats().entries.loaded, 0u);
    again.put({.number = 6, .version = 3});
    again.tick();
  }
  FiledStore last(options());
  EXPECT_EQ(last.stats().entries.loaded, 1u);
  EXPECT_TRUE(last.find(6));
}

// What a scan has removed is gone, and what it has left is written again.
TEST_F(CacheFileTest, RemovalByScanKeepsTheRest) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < 1000; ++i) filed.put({.number = i});
    filed.tick();
    filed.store.scan([](const StoredEntry& entry) {
      return read_numbered(entry.blob).value().number % 3 == 0 ? ScanAction::remove : ScanAction::keep;
    });
    filed.tick();
  }
  FiledStore again(options());
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(again.find(i).has_value(), i % 3 != 0) << i;
}

TEST_F(CacheFileTest, MoreRemovalsThanTheJournalHolds) {
  constexpr uint64_t all = journal_blocks * JournalBlock::most + 3000;
  {
    FiledStore::Options wide = options();
    wide.capacity = 16 << 20;
    FiledStore filed(wide);
    for (uint64_t i = 0; i < all + 100; ++i) ASSERT_TRUE(filed.put({.number = i, .size = 64}));
    filed.tick();
    for (uint64_t i = 0; i < all; ++i) {
      filed.remove(i);
      if (i % 1000 == 0) filed.tick();
    }
    filed.tick();
  }
  FiledStore again(options());
  EXPECT_EQ(again.store.stats().entries, 100u);
  EXPECT_FALSE(again.find(0));
  EXPECT_FALSE(again.find(all - 1));
  EXPECT_TRUE(again.find(all));
}

TEST_F(CacheFileTest, WhatCannotBeHeldTakesTheOldWithIt) {
  {
    FiledStore filed(options());
    filed.put({.number = 1});
    filed.tick();
    const AnswerKey key = numbered_key(1, *filed.secret);
    EXPECT_FALSE(filed.store.put(key.store_key(), until(file_now.time_since_epoch().count() + 10),
                                 Octets(max_blob + 1)));
    filed.tick();
  }
  EXPECT_FALSE(FiledStore(options()).find(1));
}

TEST_F(CacheFileTest, OtherRulesLoadNothing) {
  fill(100);
  FiledStore::Options other = options();
  other.rules = 2;
  {
    FiledStore again(other);
    EXPECT_EQ(again.stats().entries.loaded, 0u);
    again.put({.number = 1000});
    again.finish();
  }
  FiledStore last(other);
  EXPECT_EQ(last.stats().entries.loaded, 1u);
}

// As when a reload gives a zone other servers: answers of older generations must not come back as if they
// were of the new ones.
TEST_F(CacheFileTest, RulesThatChangeWhileRunning) {
  FiledStore::Options other = options();
  other.rules = 2;
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < 100; ++i) filed.put({.number = i, .generation = 1});
    filed.tick();
    filed.file->change_rules(2, 2);
    filed.put({.number = 200, .generation = 2});
    filed.put({.number = 201, .generation = 1});  // it was under way
    filed.tick();
  }
  other.generation = 9;
  FiledStore again(other);
  EXPECT_EQ(again.stats().entries.loaded, 1u);
  EXPECT_EQ(again.find(200).value().generation, 9u);
}

TEST_F(CacheFileTest, AnotherSizeOfTheCache) {
  fill(1000);
  FiledStore::Options smaller = options();
  smaller.capacity = 1 << 20;
  {
    FiledStore again(smaller);
    EXPECT_EQ(again.stats().entries.loaded, 1000u);
    EXPECT_LE(again.store.stats().octets, smaller.capacity);
    again.finish();
  }
  EXPECT_EQ(FiledStore(smaller).stats().entries.loaded, 1000u);
}

TEST_F(CacheFileTest, StaysWithinItsSize) {
  FiledStore filed(options());
  const ArenaGeometry& geometry = filed.store.geometry();
  for (uint64_t i = 0; i < 60'000; ++i) {
    filed.put({.number = i * i % 9001, .version = i, .size = 64 + i % 900});
    if (i % 500 == 0) filed.tick();
    if (i % 7 == 0) filed.find(i / 2);
  }
  filed.finish();
  EXPECT_LE(std::filesystem::file_size(path_),
            SegmentFile::octets_of(
                CacheFile::geometry_for(geometry.segment_octets, static_cast<uint32_t>(geometry.segments))));
  EXPECT_TRUE(filed.stats().writing);
  std::map<uint64_t, uint64_t> versions;
  filed.store.scan([&](const StoredEntry& entry) {
    const auto answer = read_numbered(entry.blob).value();
    versions[answer.number] = answer.version;
    return ScanAction::keep;
  });
  filed.file.reset();
  FiledStore::Options larger = options();  // so that all that comes back stays
  larger.capacity *= 4;
  FiledStore again(larger);
  EXPECT_EQ(again.stats().dropped_segments(), 0u);
  for (const auto& [number, version] : versions) {
    const auto found = again.find(number);
    ASSERT_TRUE(found) << number;
    EXPECT_EQ(found->version, version) << number;
  }
}

TEST_F(CacheFileTest, OnlyTheOwnerMayReadIt) {
  const mode_t before = umask(0);
  fill(1);
  umask(before);
  struct stat seen{};
  ASSERT_EQ(stat(path_.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 07777, 0600u);
  chmod(path_.c_str(), 0644);
  FiledStore again(options());
  ASSERT_EQ(stat(path_.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 07777, 0600u);
}

TEST_F(CacheFileTest, TwoAtATimeAreRefused) {
  FiledStore one(options());
  FiledStore other(options());
  EXPECT_TRUE(one.file);
  EXPECT_FALSE(other.file);
  EXPECT_FALSE(other.store.put(numbered_key(1, *other.secret).store_key(), until(1), Octets(max_blob + 1)));
}

TEST_F(CacheFileTest, WhatCannotBeOpenedIsGoneWithout) {
  FiledStore::Options nowhere = options();
  nowhere.path = dir_ / "no/such/directory";
  EXPECT_FALSE(FiledStore(nowhere).file);
  nowhere.path = dir_ / "";
  EXPECT_FALSE(FiledStore(nowhere).file);
}

#ifndef NDEBUG
FiledStore* ticked = nullptr;

// A writer has room in a segment and has written nothing there: what is behind waits for it.
TEST_F(CacheFileTest, WhatIsBeingWrittenComesWithALaterTick) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < 10; ++i) filed.put({.number = i});
    ticked = &filed;
    for (const ArenaStep step : {ArenaStep::appended, ArenaStep::written, ArenaStep::linked}) {
      static ArenaStep at;
      at = step;
      arena_hook = [](ArenaStep now) {
        if (now == at && ticked) std::exchange(ticked, nullptr)->tick();
      };
      ticked = &filed;
      filed.put({.number = 100 + static_cast<uint64_t>(step)});
      EXPECT_EQ(ticked, nullptr);
      filed.put({.number = 200 + static_cast<uint64_t>(step)});
    }
    arena_hook = nullptr;
    filed.tick();
  }
  FiledStore again(options());
  EXPECT_EQ(again.store.stats().entries, 16u);
  EXPECT_EQ(again.stats().entries.malformed, 0u);
}
#endif

// As when memory runs out while a segment is copied.
class ThrowingEntries final : public EntrySource {
 public:
  uint32_t segment_count() const override { return 3; }
  uint32_t segment_octets() const override { return 4096; }
  SegmentCursor position(uint32_t) const override { return {.sequence = 1, .octets = 4096}; }
  SegmentCursor copy(uint32_t, SegmentCursor, std::vector<uint8_t>&) override {
    ++copies;
    throw std::bad_alloc();
  }
  int copies = 0;
};

TEST_F(CacheFileTest, AnExceptionEndsTheFileAndNobodyWaits) {
  fill(10);
  for (const bool finish : {false, true}) {
    FiledStore filed(options());
    ThrowingEntries throwing;
    filed.file->start(throwing, filed.executor);
    filed.remove(3);
    if (finish)
      filed.finish();
    else
      filed.tick();
    EXPECT_FALSE(filed.stats().writing);
    EXPECT_EQ(std::filesystem::file_size(path_), 0u);
    bool safe = false;
    filed.file->when_removals_are_safe([&] { safe = true; });
    filed.tick();
    EXPECT_TRUE(safe);
    EXPECT_EQ(throwing.copies, 1);
  }
}

// /dev/full is no regular file, so the disk is made full by a limit.
TEST_F(CacheFileTest, FullDiskEndsTheFileAndNotTheCache) {
  FiledStore filed(options());
  for (uint64_t i = 0; i < 10; ++i) filed.put({.number = i});
  filed.tick();
  ASSERT_GT(std::filesystem::file_size(path_), slots_at);
  struct rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit full{.rlim_cur = slots_at, .rlim_max = before.rlim_max};
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &full);
  for (uint64_t i = 10; i < 20; ++i) filed.put({.number = i});
  filed.tick();
  filed.tick();
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(filed.stats().writing);
  EXPECT_TRUE(filed.find(15));
  filed.remove(3);
  filed.finish();
  filed.file.reset();
  EXPECT_EQ(FiledStore(options()).stats().entries.loaded, 0u);
}

}  // namespace
}  // namespace peregrine
