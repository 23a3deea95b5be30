// How much is written at once, and in which order.
#include <gtest/gtest.h>

#include "cache/cache_file.h"
#include "cache/file_support.h"

namespace peregrine {
namespace {

constexpr uint64_t large = 60'000;  // octets of a blob
constexpr uint64_t entries = 1200;
constexpr uint64_t slack = 2 << 20;  // a segment is written whole

class CacheFilePaceTest : public testing::Test {
 protected:
  FiledStore::Options options() const { return {.path = path_, .capacity = 128 << 20}; }
  // More than two ticks' share.
  static void fill(FiledStore& filed) {
    for (uint64_t i = 0; i < entries; ++i) ASSERT_TRUE(filed.put({.number = i, .version = 1, .size = large}));
  }

  TempDir dir_;
  std::string path_ = dir_ / "cache.file";
};

TEST_F(CacheFilePaceTest, ATickWritesItsShareAndFinishAll) {
  FiledStore filed(options());
  fill(filed);
  uint64_t before = 0;
  for (int tick = 0; tick < 2; ++tick) {
    filed.tick();
    const uint64_t written = filed.stats().octets_written - before;
    EXPECT_GE(written, CacheFile::most_per_tick);
    EXPECT_LE(written, CacheFile::most_per_tick + slack);
    EXPECT_GT(filed.stats().octets_waiting, 0u);
    before = filed.stats().octets_written;
  }
  filed.store.clear();
  for (int i = 0; i < 3; ++i) filed.tick();
  EXPECT_EQ(filed.stats().octets_waiting, 0u);

  fill(filed);
  before = filed.stats().entries_written;
  filed.finish();
  EXPECT_EQ(filed.stats().entries_written - before, entries);
}

TEST_F(CacheFilePaceTest, WhatIsNewComesBeforeWhatIsRewritten) {
  {
    FiledStore filed(options());
    fill(filed);
    filed.finish();
    filed.file->removals().removed_all();
    for (uint64_t i = 0; i < 2; ++i) {
      filed.put({.number = entries + i});
      filed.tick();
    }
    ASSERT_GT(filed.stats().octets_waiting, 0u);
  }
  FiledStore again(options());
  EXPECT_LT(again.stats().entries.loaded, entries);
  EXPECT_TRUE(again.find(entries));
  EXPECT_TRUE(again.find(entries + 1));
}

TEST_F(CacheFilePaceTest, WhatIsRewrittenIsWholeInTheEnd) {
  {
    FiledStore filed(options());
    fill(filed);
    filed.file->removals().removed_all();
    for (int i = 0; i < 3; ++i) filed.tick();
    EXPECT_EQ(filed.stats().octets_waiting, 0u);
  }
  EXPECT_EQ(FiledStore(options()).stats().entries.loaded, entries);
}

// Each slot of the file is overwritten when what is in it stands elsewhere.
TEST_F(CacheFilePaceTest, AKillWhileAllIsRewrittenLosesLittle) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < 3 * entries; ++i)
      filed.put({.number = i, .version = 1, .size = large});  // more than it holds
    filed.finish();
  }
  uint64_t before = 0;
  {
    FiledStore filed(options());
    before = filed.store.stats().entries;
    filed.tick();
    EXPECT_GT(filed.stats().octets_waiting, 0u);
  }
  FiledStore again(options());
  EXPECT_GE(again.store.stats().entries, before - before / 20);
}

// One removal does not wait until a whole tick's share is written.
TEST_F(CacheFilePaceTest, ARemovalComesBetweenTwoSteps) {
  FiledStore filed(options());
  fill(filed);
  filed.file->tick(file_now);
  uint64_t written = 0;
  filed.file->when_removals_are_safe([&] { written = filed.stats().octets_written; });
  filed.executor.run_all();
  EXPECT_GT(written, 0u);
  EXPECT_LE(written, CacheFile::most_per_tick / 2);
}

}  // namespace
}  // namespace peregrine
