#include "base/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>

namespace peregrine {
namespace {

TEST(BufferPool, TheLastOneGivenBackComesFirst) {
  BufferPool pool;
  pool.limits({});
  void* a = pool.take(100);
  void* b = pool.take(512);
  EXPECT_NE(a, b);
  pool.give_back(a, 100);
  pool.give_back(b, 512);
  EXPECT_EQ(pool.kept(1), 2u);
  EXPECT_EQ(pool.take(1), b);
  EXPECT_EQ(pool.take(512), a);
  EXPECT_EQ(pool.kept(1), 0u);
  pool.give_back(a, 100);
  pool.give_back(b, 512);
}

TEST(BufferPool, EachSizeHasItsClass) {
  BufferPool pool;
  pool.limits({});
  for (const size_t size : {513, 1024}) pool.give_back(pool.take(size), size);
  EXPECT_EQ(pool.kept(512), 0u);
  EXPECT_EQ(pool.kept(1024), 1u);
  for (const size_t size : {1025, 4096}) pool.give_back(pool.take(size), size);
  EXPECT_EQ(pool.kept(4096), 1u);
  pool.give_back(pool.take(4097), 4097);
  EXPECT_EQ(pool.kept(4097), 0u);
}

TEST(BufferPool, KeepsNoMoreThanItsLimits) {
  BufferPool pool;
  pool.limits({.small = 3, .medium = 2, .large = 1});
  for (const auto& [size, limit] : {std::pair<size_t, size_t>{512, 3}, {1024, 2}, {4096, 1}}) {
    std::vector<void*> taken;
    for (int i = 0; i < 5; ++i) taken.push_back(pool.take(size));
    for (void* buffer : taken) pool.give_back(buffer, size);
    EXPECT_EQ(pool.kept(size), limit);
  }
  pool.limits({.small = 1, .medium = 0, .large = 0});
  EXPECT_EQ(pool.kept(512), 1u);
  EXPECT_EQ(pool.kept(1024), 0u);
}

TEST(BufferPool, WithoutLimitsNothingIsKept) {
  BufferPool pool;
  pool.give_back(pool.take(512), 512);
  EXPECT_EQ(pool.kept(512), 0u);
}

TEST(BufferPool, BuffersAreDistinctWholeAndAligned) {
  BufferPool pool;
  pool.limits({});
  std::set<void*> taken;
  for (const size_t size : BufferPool::sizes) {
    for (int i = 0; i < 30; ++i) {
      void* buffer = pool.take(size);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer) % 64, 0u);
      std::memset(buffer, 0xa5, size);
      EXPECT_TRUE(taken.insert(buffer).second);
    }
  }
  size_t i = 0;
  for (void* buffer : taken) ::operator delete(buffer, std::align_val_t{64}), ++i;
  EXPECT_EQ(i, 90u);
}

TEST(Buffer, GrowsAndIsTakenFromThisThreadsPool) {
  BufferPool& pool = BufferPool::of_this_thread();
  pool.limits({});
  {
    Buffer buffer(600);
    std::memset(buffer.data(), 7, buffer.size());
    buffer.resize(3000);
    EXPECT_EQ(buffer[599], 7);
    EXPECT_EQ(pool.kept(1024), 1u);
  }
  EXPECT_EQ(pool.kept(4096), 1u);
  uintptr_t before = 0;
  for (int i = 0; i < 3; ++i) {
    const Buffer buffer(4000);
    const auto at = reinterpret_cast<uintptr_t>(buffer.data());
    if (i > 0) EXPECT_EQ(at, before);
    before = at;
  }
  pool.limits({.small = 0, .medium = 0, .large = 0});
}

TEST(Buffer, MayEndOnAnotherThread) {
  Buffer buffer(100);
  std::thread([moved = std::move(buffer)]() mutable {
    BufferPool::of_this_thread().limits({});
    moved = Buffer();
    EXPECT_EQ(BufferPool::of_this_thread().kept(100), 1u);
  }).join();
}

}  // namespace
}  // namespace peregrine
