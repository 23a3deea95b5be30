// What comes back while the store is in use already: nothing that is newer is lost to it.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "cache/cache_file.h"
#include "cache/file_support.h"

namespace peregrine {
namespace {

using std::chrono::hours;

constexpr WallTime later = file_now + seconds{60};
constexpr uint64_t entries = 400;

class CacheFileLoadTest : public testing::Test {
 protected:
  // In several chunks, each in its first version.
  void SetUp() override {
    FiledStore filed({.path = path_});
    for (uint64_t i = 0; i < entries; ++i) {
      ASSERT_TRUE(filed.put({.number = i, .version = 1}));
      if (i % 20 == 19) filed.tick();
    }
  }

  // Nothing of it is loaded yet.
  FiledStore::Options again() const { return {.path = path_, .now = later, .generation = 2, .load = false}; }
  FiledStore::Options after() const { return {.path = path_, .now = later}; }
  static NumberedAnswer answer_now(uint64_t number) {
    return {.number = number, .version = 2, .stored_at = later, .generation = 2};
  }
  // The rules change before the file is loaded; an answer under the new ones is stored, and one under the
  // old.
  void load_under_new_rules() const {
    FiledStore filed(again());
    filed.file->change_rules(7, 3);
    filed.load();
    filed.put({.number = 1000, .stored_at = later, .generation = 3});
    filed.put({.number = 1001, .stored_at = later, .generation = 2});
    filed.tick();
  }

  TempDir dir_;
  std::string path_ = dir_ / "cache.file";
};

TEST_F(CacheFileLoadTest, WhatIsStoredBeforeStays) {
  FiledStore filed(again());
  for (uint64_t i = 0; i < entries; i += 2) filed.put(answer_now(i));
  filed.load();
  for (uint64_t i = 0; i < entries; ++i) EXPECT_EQ(filed.find(i).value().version, i % 2 ? 1u : 2u) << i;
  EXPECT_EQ(filed.stats().entries.loaded, entries / 2);
  EXPECT_EQ(filed.stats().entries.superseded, entries / 2);
}

// Between the look at an entry of the file and its way into the store.
TEST_F(CacheFileLoadTest, WhatIsStoredInTheMidstStays) {
  FiledStore filed(again());
  uint64_t next = 0;
  filed.before_put = [&](const StoreKey&) { filed.put(answer_now(next++)); };
  filed.load();
  for (uint64_t i = 0; i < entries; ++i) EXPECT_EQ(filed.find(i).value().version, 2u) << i;
}

TEST_F(CacheFileLoadTest, WhatHasExpiredInTheFileHidesNothingNew) {
  {
    FiledStore filed(after());
    filed.put({.number = 1, .version = 3}, seconds{61});
    filed.put({.number = 2, .version = 3}, seconds{61});
    filed.tick();
  }
  FiledStore::Options options = again();
  options.now = later + seconds{60};
  FiledStore filed(options);
  filed.put({.number = 1, .version = 4, .stored_at = options.now});
  filed.load();
  EXPECT_EQ(filed.stats().entries.expired, 2u);
  EXPECT_EQ(filed.find(1).value().version, 4u);
  EXPECT_FALSE(filed.find(2));
  filed.tick();
  EXPECT_EQ(filed.stats().removals_written, 0u);
}

// The order in the file tells which is the later one, whatever the clock said.
TEST_F(CacheFileLoadTest, AClockThatWasSetBackChangesNoOrder) {
  {
    FiledStore filed(after());
    filed.put({.number = 1, .version = 5, .stored_at = file_now + seconds{40}});
    filed.tick();
    filed.put({.number = 1, .version = 6, .stored_at = file_now - hours{5}}, hours{6});
    filed.tick(file_now - hours{5});
  }
  EXPECT_EQ(FiledStore(after()).find(1).value().version, 6u);
}

TEST_F(CacheFileLoadTest, WhatIsRemovedMeanwhileStaysAway) {
  {
    FiledStore filed(again());
    filed.remove(3);
    bool first = true;
    filed.before_put = [&](const StoreKey&) {
      if (std::exchange(first, false)) filed.remove(entries - 1);
    };
    filed.load();
    EXPECT_FALSE(filed.find(3));
    EXPECT_FALSE(filed.find(entries - 1));
    EXPECT_TRUE(filed.find(4));
    EXPECT_EQ(filed.stats().entries.removed, 2u);
    EXPECT_EQ(filed.stats().removals_written, 2u);
  }
  FiledStore last(after());
  EXPECT_EQ(last.present(entries), entries - 2);
}

TEST_F(CacheFileLoadTest, ClearedMeanwhileEndsIt) {
  {
    FiledStore filed(again());
    uint64_t put = 0;
    filed.before_put = [&](const StoreKey&) {
      if (++put == 50) filed.store.clear();
    };
    filed.load();
    EXPECT_LT(filed.present(entries), 20u);
    filed.put(answer_now(1000));
    filed.tick();
  }
  FiledStore last(after());
  EXPECT_LT(last.present(entries), 20u);
  EXPECT_TRUE(last.find(1000));
}

TEST_F(CacheFileLoadTest, ToldToStopItLeavesTheFileAsItIs) {
  for (const uint64_t capacity : {4 << 20, 8 << 20}) {  // of another size it would be made anew
    FiledStore::Options options = again();
    options.capacity = capacity;
    FiledStore filed(options);
    uint64_t put = 0;
    filed.before_put = [&](const StoreKey&) {
      if (++put == 50) filed.file->stop_loading();
    };
    filed.load();
    EXPECT_LE(filed.stats().entries.loaded, 60u);  // the chunk that was at hand
    filed.put(answer_now(1000));
    filed.remove(7 + capacity / (4 << 20));
    filed.finish();
  }
  FiledStore last(after());
  EXPECT_EQ(last.present(entries), entries - 2);
  EXPECT_FALSE(last.find(8));
  EXPECT_FALSE(last.find(9));
  EXPECT_FALSE(last.find(1000));
}

TEST_F(CacheFileLoadTest, ToldToStopItStillTakesAFlush) {
  {
    FiledStore filed(again());
    filed.file->stop_loading();
    filed.load();
    filed.file->removals().removed_all();
    bool safe = false;
    filed.file->when_removals_are_safe([&] { safe = true; });
    filed.executor.run_all();
    EXPECT_TRUE(safe);
  }
  FiledStore last(after());
  EXPECT_EQ(last.present(entries), 0u);
}

TEST_F(CacheFileLoadTest, RulesThatChangeBeforeItBegins) {
  load_under_new_rules();
  EXPECT_EQ(FiledStore(after()).present(entries), 0u);
}

TEST_F(CacheFileLoadTest, TheNewRulesAreTheFilesThen) {
  load_under_new_rules();
  FiledStore::Options options = after();
  options.rules = 7;
  FiledStore last(options);
  EXPECT_TRUE(last.find(1000));
  EXPECT_FALSE(last.find(1001));
  EXPECT_EQ(last.present(entries), 0u);
}

TEST_F(CacheFileLoadTest, WritersAndReadersOnOtherThreads) {
  FiledStore filed(again());
  std::vector<std::thread> threads;
  for (uint64_t first = 0; first < 2; ++first)
    threads.emplace_back([&filed, first] {
      ArenaStore::Reader reader(filed.store);
      for (uint64_t i = first; i < entries; i += 4) {
        filed.put(answer_now(i));
        const Hit hit = reader.find(numbered_key(i, *filed.secret).store_key());
        if (!hit || read_numbered(hit.blob()).value_or(NumberedAnswer{}).version != 2) std::abort();
        reader.quiet();
      }
    });
  filed.load();
  for (std::thread& thread : threads) thread.join();
  for (uint64_t i = 0; i < entries; ++i) EXPECT_EQ(filed.find(i).value().version, i % 4 < 2 ? 2u : 1u) << i;
}

}  // namespace
}  // namespace peregrine
