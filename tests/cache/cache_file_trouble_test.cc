// What happens to the file while it is in use, or keeps it from being had: the cache goes on.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "cache/cache_file.h"
#include "cache/file_support.h"
#include "support/log_recorder.h"

namespace peregrine {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr uint64_t entries = 200;

// No file of this process can be longer, as when the disk is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t octets) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit full{.rlim_cur = octets, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  struct rlimit before_{};
  void (*handler_)(int);
};

class CacheFileTroubleTest : public testing::Test {
 protected:
  FiledStore::Options options() const { return {.path = path_}; }
  static void fill(FiledStore& filed, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; ++i) ASSERT_TRUE(filed.put({.number = i, .version = 1}));
  }
  void write_file() const {
    FiledStore filed(options());
    fill(filed, 0, entries);
    filed.finish();
  }

  TempDir dir_;
  std::string path_ = dir_ / "cache.file";
};

TEST_F(CacheFileTroubleTest, CutOffUnderneath) {
  for (const uint64_t length : {uint64_t{0}, uint64_t{40}, uint64_t{5000}, journal_at + sector, slots_at,
                                slots_at + 100, slots_at + 4096}) {
    std::filesystem::remove(path_);
    {
      FiledStore filed(options());
      fill(filed, 0, entries / 2);
      filed.remove(1);
      filed.tick();
      std::filesystem::resize_file(path_, length);
      fill(filed, entries / 2, entries);
      filed.remove(2);
      filed.tick();
      EXPECT_TRUE(filed.find(entries / 2));
      filed.finish();
    }
    FiledStore again(options());
    ASSERT_TRUE(again.file);
    again.present(entries);
    EXPECT_FALSE(again.find(1)) << length;
    EXPECT_FALSE(again.find(2)) << length;
  }
}

TEST_F(CacheFileTroubleTest, ReplacedUnderneath) {
  {
    FiledStore filed(options());
    fill(filed, 0, entries);
    std::filesystem::remove(path_);
    overwrite(path_, Octets(100'000, 7));
    filed.tick();
    filed.finish();
    EXPECT_TRUE(filed.stats().writing);
    EXPECT_EQ(filed.present(entries), entries);
  }
  EXPECT_EQ(contents(path_), Octets(100'000, 7)) << "written to";
  FiledStore again(options());
  EXPECT_TRUE(again.stats().set_aside);
  EXPECT_EQ(again.present(entries), 0u);
}

TEST_F(CacheFileTroubleTest, OverwrittenUnderneathWhileItIsLoaded) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < entries; i += 20) {
      fill(filed, i, i + 20);
      filed.tick();
    }
  }
  FiledStore::Options later = options();
  later.load = false;
  FiledStore again(later);
  again.before_put = [&](const StoreKey&) { std::filesystem::resize_file(path_, slots_at + 100); };
  again.load();
  EXPECT_EQ(again.present(entries), 20u);
  EXPECT_GE(again.stats().damaged_contents, 1u);
}

TEST_F(CacheFileTroubleTest, WhatCannotBeSetAsideIsLeftAlone) {
  const Octets garbage(50'000, 3);
  overwrite(path_, garbage);
  std::filesystem::create_directories(dir_ / "cache.file.bad/in/use");
  LogRecorder log;
  FiledStore filed(options());
  EXPECT_FALSE(filed.file);
  EXPECT_EQ(contents(path_), garbage);
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_NE(log.lines()[0].second.find("cannot be renamed"), std::string::npos);
}

TEST_F(CacheFileTroubleTest, AReadOnlyDirectory) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ASSERT_EQ(chmod(dir_.path().c_str(), 0500), 0);
  FiledStore filed(options());
  EXPECT_FALSE(filed.file);
  fill(filed, 0, 10);
  chmod(dir_.path().c_str(), 0700);
}

TEST_F(CacheFileTroubleTest, ADirectoryOrAPipeInItsPlace) {
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(FiledStore(options()).file);
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(FiledStore(options()).file);
}

TEST_F(CacheFileTroubleTest, ADiskThatIsFullAtTheStart) {
  const FullDisk full(slots_at - 1);
  LogRecorder log;
  FiledStore filed(options());
  EXPECT_FALSE(filed.file);
  EXPECT_EQ(log.lines().size(), 1u);
  fill(filed, 0, 10);
  EXPECT_TRUE(filed.find(3));
}

// What is removed then cannot be written down: nothing of the file may come back.
TEST_F(CacheFileTroubleTest, ADiskThatIsFullWhenAnotherSizeIsBegun) {
  write_file();
  FiledStore::Options other = options();
  other.capacity *= 2;
  {
    const FullDisk full(slots_at - 1);
    FiledStore again(other);
    EXPECT_FALSE(again.stats().writing);
    EXPECT_EQ(again.present(entries), entries);
    again.remove(3);
    again.finish();
  }
  FiledStore last(options());
  ASSERT_TRUE(last.file);
  EXPECT_FALSE(last.find(3));
}

TEST_F(CacheFileTroubleTest, ADiskThatIsFullWhenItIsLoaded) {
  write_file();
  FiledStore::Options later = options();
  later.load = false;
  {
    const FullDisk full(100);
    FiledStore again(later);
    again.remove(3);
    again.load();
    EXPECT_FALSE(again.stats().writing);
    EXPECT_FALSE(again.stats().loading);
  }
  EXPECT_EQ(FiledStore(options()).stats().entries.loaded, 0u);
}

TEST_F(CacheFileTroubleTest, TimeGoesBackwards) {
  {
    FiledStore filed(options());
    fill(filed, 0, 10);
    filed.tick(file_now);
    filed.put({.number = 20, .stored_at = file_now - hours{3}}, days{1});
    filed.tick(file_now - hours{3});
    filed.finish(WallTime{});
  }
  FiledStore::Options earlier = options();
  earlier.now = file_now - hours{2};
  FiledStore again(earlier);
  EXPECT_FALSE(again.stats().set_aside);
  EXPECT_EQ(again.stats().entries.from_future, 10u);
  EXPECT_EQ(again.stats().dropped_segments(), 0u);
  EXPECT_TRUE(again.find(20));
  again.file.reset();

  earlier.now = WallTime{};
  FiledStore first(earlier);
  EXPECT_TRUE(first.stats().set_aside);
  EXPECT_TRUE(first.stats().writing);
}

// However much is damaged, it is told in one line.
TEST_F(CacheFileTroubleTest, DamageIsOneLine) {
  {
    FiledStore filed(options());
    for (uint64_t i = 0; i < entries; ++i) {
      filed.put({.number = i, .stored_at = i % 50 == 0 ? file_now + hours{1} : file_now});
      filed.tick();
    }
  }
  Octets octets = contents(path_);
  uint64_t sectors = 0;
  for (size_t at = slots_at; at + sector <= octets.size(); at += sector) octets[at + 100] ^= sectors++ % 2;
  overwrite(path_, octets);
  LogRecorder log;
  FiledStore again(options());
  EXPECT_EQ(log.lines().size(), 0u);
  EXPECT_GT(again.stats().damaged_contents, entries / 4);
  const std::string text = damage_text(again.stats());
  EXPECT_NE(text.find(std::to_string(again.stats().damaged_contents) + " by what is in them"),
            std::string::npos);
  EXPECT_NE(text.find(std::to_string(again.stats().entries.from_future) + " from the future"),
            std::string::npos);
  EXPECT_GT(again.present(entries), entries / 4);
  EXPECT_EQ(damage_text({}), "");

  again.file.reset();
  octets[journal_at + 20] ^= 1;
  overwrite(path_, octets);
  FiledStore none(options());
  EXPECT_EQ(log.lines().size(), 0u);
  EXPECT_EQ(none.present(entries), 0u);
  EXPECT_NE(damage_text(none.stats()).find("nobody knows what was removed"), std::string::npos);
}

}  // namespace
}  // namespace peregrine
