#include "cache/arena_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "cache/arena_layout.h"
#include "cache/arena_store.h"
#include "support/temp_dir.h"

namespace peregrine {
namespace {

using testing::HasSubstr;

constexpr uint64_t kibi = 1024, mebi = 1024 * kibi, gibi = 1024 * mebi;

TEST(ArenaGeometry, StaysWithinTheCapacity) {
  for (uint64_t capacity = 20 * kibi; capacity < 64 * gibi; capacity += capacity / 7) {
    const ArenaGeometry geometry(capacity);
    ASSERT_EQ(geometry.capacity, capacity);
    ASSERT_LE(geometry.octets, capacity);
    ASSERT_GE(geometry.segments, least_arena_segments) << capacity;
    ASSERT_EQ(geometry.segment_octets % granule, 0u);
    ASSERT_EQ(geometry.buckets_at % 256, 0u);
    ASSERT_EQ(geometry.table_at % 64, 0u);
    ASSERT_EQ(geometry.segments_at % 64, 0u);
    ASSERT_LT(geometry.readers_at, geometry.counters_at);
    ASSERT_LT(geometry.counters_at, geometry.ghosts_at);
    ASSERT_LE(geometry.ghosts_at + 8 * geometry.buckets, geometry.buckets_at);
    ASSERT_LE(geometry.buckets_at + 64 * geometry.buckets, geometry.table_at);
    // What is not given to anything is less than a segment.
    if (capacity < 60 * gibi)
      ASSERT_LT(capacity - geometry.octets, geometry.segment_octets + 64u) << capacity;
  }
}

TEST(ArenaGeometry, LargestBlobFitsFromAMebibyteOn) {
  for (uint64_t capacity = mebi; capacity < 8 * gibi; capacity += capacity / 3)
    EXPECT_GE(ArenaGeometry(capacity).segment_octets, max_entry_octets) << capacity;
}

TEST(ArenaGeometry, TooSmallForAnything) {
  for (uint64_t capacity : {0ull, 1ull, 1000ull, 4096ull}) {
    const ArenaGeometry geometry(capacity);
    EXPECT_EQ(geometry.segments, 0u);
    EXPECT_LE(geometry.octets, geometry.capacity);
  }
}

TEST(ArenaRegion, IsZeroAndOnAHugePage) {
  const ArenaRegion region(5 * mebi + 123);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(region.at(0)) % (2 * mebi), 0u);
  for (uint64_t at = 0; at < 5 * mebi + 123; at += 1000) EXPECT_EQ(*region.at(at), std::byte{0});
  *region.at(5 * mebi + 122) = std::byte{1};
}

TEST(ArenaRegion, SaysWhatToDoWhereTheKernelRefuses) {
  try {
    const ArenaRegion region(uint64_t{1} << 60);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cache.size"));
  }
}

class MemoryRoomTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  const TempDir root_;
};

TEST_F(MemoryRoomTest, NothingKnownIsNoBound) { EXPECT_EQ(memory_room(root_.path()).octets, UINT64_MAX); }

TEST_F(MemoryRoomTest, WhatTheMachineHas) {
  write("proc/meminfo", "MemTotal:       24683940 kB\nMemFree:  1 kB\nMemAvailable:   1000 kB\n");
  EXPECT_EQ(memory_room(root_.path()).octets, 1000 * kibi);
  EXPECT_THAT(memory_room(root_.path()).said_by, HasSubstr("MemAvailable"));
}

TEST_F(MemoryRoomTest, TheLeastOfAllGroups) {
  write("proc/meminfo", "MemAvailable:   100000000 kB\n");
  write("proc/self/cgroup", "12:memory:/old\n0::/system.slice/peregrine.service\n");
  write("sys/fs/cgroup/system.slice/peregrine.service/memory.max", "max\n");
  EXPECT_EQ(memory_room(root_.path()).octets, 100'000'000 * kibi);
  write("sys/fs/cgroup/system.slice/memory.max", "7000\n");
  EXPECT_EQ(memory_room(root_.path()).octets, 7000u);
  EXPECT_EQ(memory_room(root_.path()).said_by, "/sys/fs/cgroup/system.slice/memory.max");
  write("sys/fs/cgroup/system.slice/peregrine.service/memory.max", "6000\n");
  EXPECT_EQ(memory_room(root_.path()).octets, 6000u);
  write("sys/fs/cgroup/memory.max", "5000\n");
  EXPECT_EQ(memory_room(root_.path()).octets, 5000u);
}

TEST_F(MemoryRoomTest, NonsenseIsNoBound) {
  write("proc/meminfo", "MemAvailable:\n");
  write("proc/self/cgroup", "0::/a\n");
  write("sys/fs/cgroup/a/memory.max", "-1\n");
  write("sys/fs/cgroup/memory.max", "99999999999999999999999999\n");
  EXPECT_EQ(memory_room(root_.path()).octets, UINT64_MAX);
}

std::string refusal(uint64_t capacity, const MemoryRoom& room) {
  try {
    check_capacity(capacity, room);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(CheckCapacity, RefusesInOneClearLine) {
  const MemoryRoom room{.octets = 20 * gibi, .said_by = "the test"};
  EXPECT_EQ(refusal(20 * gibi, room), "");
  EXPECT_EQ(
      refusal(20 * gibi + 1, room),
      "cache.size: 20 GiB are more than the 20 GiB that the machine has left (the test); lower cache.size");
  EXPECT_EQ(refusal(65 * gibi, {.octets = UINT64_MAX, .said_by = ""}),
            "cache.size: 65 GiB are more than the largest cache, 64 GiB; lower cache.size");
}

TEST(CheckCapacity, IsAskedWhenAStoreIsMade) {
  EXPECT_THROW(ArenaStore(uint64_t{1} << 50), std::runtime_error);
}

}  // namespace
}  // namespace peregrine
