// The cache file of a server: what is loaded, what the log says of it, and who waits.
#include "server/store_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "cache/answer.h"
#include "support/log_recorder.h"
#include "support/temp_dir.h"

namespace peregrine {
namespace {

constexpr std::chrono::seconds longest{86400};

class StoreFileTest : public testing::Test {
 protected:
  // A server's part of it, without the server.
  struct Run {
    explicit Run(const std::string& path) : loop(clock), store(1 << 20) {
      file = StoreFile::open(path, store, loop);
      if (!file) return;
      secret = std::make_shared<const HashSecret>(file->hash_key());
      file->start(secret, table, 1, longest);
    }
    bool put(uint16_t number) {
      const uint32_t now = static_cast<uint32_t>(clock.wall().time_since_epoch().count());
      const AnswerBlobHeader header{.version = AnswerBlobHeader::layout_version,
                                    .extended_rcode = 3,
                                    .reply = {0x80, 0x80},
                                    .tail_size = 0,
                                    .policy_generation = 1,
                                    .stored_at = now};
      const WallTime end = clock.wall() + std::chrono::hours{1};
      return store.put(key(number).store_key(), {.refresh_at = end, .expires_at = end},
                       {reinterpret_cast<const uint8_t*>(&header), sizeof header});
    }
    AnswerKey key(uint16_t number) const { return {{.qname = Dname(), .qtype = Type(number)}, *secret}; }

    SystemClock clock;
    Loop loop;
    Sources table{ForwardTable{{}}};
    ArenaStore store;
    std::shared_ptr<const HashSecret> secret;
    std::unique_ptr<StoreFile> file;
  };

  std::vector<char> contents() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void overwrite(const std::vector<char>& octets) const {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  }

  const TempDir directory_;
  const std::string path_ = directory_ / "cache";
};

TEST_F(StoreFileTest, WhatAStopLeavesIsThereWhenItIsStarted) {
  {
    Run run(path_);
    for (uint16_t i = 1; i <= 500; ++i) ASSERT_TRUE(run.put(i));
  }
  LogRecorder log;
  Run again(path_);
  again.file->wait_until_loaded();
  EXPECT_EQ(again.file->stats().entries.loaded, 500u);
  EXPECT_FALSE(again.file->stats().loading);
  EXPECT_EQ(again.store.stats().entries, 500u);
  EXPECT_GE(log.of(LogLevel::info).size(), 1u);
  EXPECT_EQ(log.of(LogLevel::warning).size(), 0u);
}

TEST_F(StoreFileTest, GarbageIsOneWarning) {
  overwrite(std::vector<char>(3'000'000, 'x'));
  LogRecorder log;
  Run run(path_);
  EXPECT_TRUE(run.file->stats().set_aside);
  EXPECT_EQ(log.of(LogLevel::warning).size(), 1u);
  EXPECT_EQ(log.of(LogLevel::error).size(), 0u);
}

TEST_F(StoreFileTest, HoweverMuchIsDamagedItIsOneWarning) {
  {
    Run run(path_);
    for (uint16_t i = 1; i <= 5000; ++i) ASSERT_TRUE(run.put(i));
  }
  std::vector<char> octets = contents();
  for (size_t at = slots_at; at < octets.size(); at += sector) octets[at] ^= 1;
  overwrite(octets);
  LogRecorder log;
  Run again(path_);
  again.file->wait_until_loaded();
  EXPECT_GT(again.file->stats().damaged_headers, 1u);
  EXPECT_EQ(again.store.stats().entries, 0u);
  EXPECT_EQ(log.of(LogLevel::warning).size(), 1u);
  EXPECT_TRUE(again.file->stats().writing);
}

TEST_F(StoreFileTest, WithoutADirectoryThereIsNone) {
  LogRecorder log;
  Run run(directory_ / "none/cache");
  EXPECT_FALSE(run.file);
  EXPECT_EQ(log.of(LogLevel::error).size(), 1u);
}

TEST_F(StoreFileTest, AFlushIsSettledOnAnotherThread) {
  {
    Run run(path_);
    for (uint16_t i = 1; i <= 100; ++i) ASSERT_TRUE(run.put(i));
  }
  {
    Run run(path_);
    run.file->wait_until_loaded();
    run.store.clear();
    std::promise<void> settled;
    run.file->settle_flush([&] { settled.set_value(); });
    settled.get_future().wait();
    run.put(7);
  }
  Run last(path_);
  last.file->wait_until_loaded();
  EXPECT_EQ(last.store.stats().entries, 1u);
}

}  // namespace
}  // namespace peregrine
