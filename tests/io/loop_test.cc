#include "io/loop.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace peregrine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct CallWatcher final : Watcher {
  explicit CallWatcher(std::function<void(uint32_t)> c) : call(std::move(c)) {}
  void ready(uint32_t events) override { call(events); }
  std::function<void(uint32_t)> call;
};

// Readable from the start and until it is read.
Fd readable() { return Fd(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)); }

class LoopTest : public testing::Test {
 protected:
  SystemClock clock_;
  Loop loop_{clock_};
};

TEST_F(LoopTest, CallsTheWatcherOfAReadyDescriptor) {
  const Fd fd = readable();
  uint32_t got = 0;
  CallWatcher watcher([&](uint32_t events) { got = events; });
  ASSERT_TRUE(loop_.watch(fd.get(), EPOLLIN, watcher));
  loop_.run_once(1h);
  EXPECT_EQ(got, uint32_t{EPOLLIN});
  loop_.unwatch(fd.get());
  got = 0;
  loop_.run_once(0s);
  EXPECT_EQ(got, 0u);
}

TEST_F(LoopTest, WatchingAgainChangesEventsAndWatcher) {
  const Fd fd = readable();
  int first = 0;
  uint32_t second = 0;
  CallWatcher a([&](uint32_t) { ++first; });
  CallWatcher b([&](uint32_t events) { second = events; });
  ASSERT_TRUE(loop_.watch(fd.get(), EPOLLIN, a));
  ASSERT_TRUE(loop_.watch(fd.get(), EPOLLOUT, b));
  loop_.run_once(1h);
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, uint32_t{EPOLLOUT});
  loop_.unwatch(fd.get());
}

TEST_F(LoopTest, WhatIsUnwatchedInARoundIsNotCalledInIt) {
  const Fd a = readable();
  const Fd b = readable();
  int calls = 0;
  // Whichever comes first unwatches both.
  CallWatcher watcher([&](uint32_t) {
    ++calls;
    loop_.unwatch(a.get());
    loop_.unwatch(b.get());
  });
  ASSERT_TRUE(loop_.watch(a.get(), EPOLLIN, watcher));
  ASSERT_TRUE(loop_.watch(b.get(), EPOLLIN, watcher));
  loop_.run_once(1h);
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopTest, AnEventOfAnEarlierWatchIsStale) {
  Fd a = readable();
  Fd b = readable();
  int old_calls = 0;
  int new_calls = 0;
  CallWatcher fresh([&](uint32_t) { ++new_calls; });
  // Whichever comes first puts another, silent descriptor in the place of each.
  auto replace = [&](Fd& fd) {
    const int number = fd.get();
    loop_.unwatch(number);
    fd.close();
    const Fd silent(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (silent.get() != number) ASSERT_EQ(dup3(silent.get(), number, O_CLOEXEC), number);
    fd = silent.get() == number ? Fd(const_cast<Fd&>(silent).release()) : Fd(number);
    ASSERT_TRUE(loop_.watch(number, EPOLLIN, fresh));
  };
  CallWatcher old([&](uint32_t) {
    ++old_calls;
    replace(a);
    replace(b);
  });
  ASSERT_TRUE(loop_.watch(a.get(), EPOLLIN, old));
  ASSERT_TRUE(loop_.watch(b.get(), EPOLLIN, old));
  loop_.run_once(1h);
  EXPECT_EQ(old_calls, 1);
  EXPECT_EQ(new_calls, 0);
  loop_.unwatch(a.get());
  loop_.unwatch(b.get());
}

TEST_F(LoopTest, RefusesADescriptorThatCannotBeWatched) {
  CallWatcher watcher([](uint32_t) {});
  EXPECT_FALSE(loop_.watch(-1, EPOLLIN, watcher));
  EXPECT_FALSE(loop_.watch(1'000'000 - 1, EPOLLIN, watcher));
  loop_.unwatch(-1);
  loop_.unwatch(999);
}

TEST_F(LoopTest, RunsPostedJobsInOrderOncePerRound) {
  std::vector<std::string> log;
  loop_.post([&] {
    log.push_back("a");
    loop_.post([&] { log.push_back("c"); });
  });
  loop_.post([&] { log.push_back("b"); });
  loop_.run_once(1h);
  EXPECT_THAT(log, ElementsAre("a", "b"));
  loop_.run_once(1h);
  EXPECT_THAT(log, ElementsAre("a", "b", "c"));
}

TEST_F(LoopTest, JobsThenDescriptorsThenTimers) {
  std::vector<std::string> log;
  const Fd fd = readable();
  CallWatcher watcher([&](uint32_t) { log.push_back("ready"); });
  Timer timer([&] { log.push_back("timer"); });
  ASSERT_TRUE(loop_.watch(fd.get(), EPOLLIN, watcher));
  loop_.timers().arm(timer, Instant::min());
  loop_.post([&] { log.push_back("job"); });
  loop_.run_once(1h);
  EXPECT_THAT(log, ElementsAre("job", "ready", "timer"));
  loop_.unwatch(fd.get());
}

TEST_F(LoopTest, WaitsForTheNextTimer) {
  bool fired = false;
  Timer timer([&] { fired = true; });
  const Instant due = clock_.now() + 3ms;
  loop_.timers().arm(timer, due);
  while (!fired) loop_.run_once(1h);
  EXPECT_GE(clock_.now(), due);
}

TEST_F(LoopTest, TellsOfAWaitThatMayBlock) {
  std::vector<std::string> log;
  loop_.before_block = [&] { log.push_back("before"); };
  loop_.after_block = [&] { log.push_back("after"); };
  loop_.run_once(0s);
  EXPECT_TRUE(log.empty());
  loop_.run_once(1ms);
  EXPECT_THAT(log, ElementsAre("before", "after"));
}

TEST_F(LoopTest, OtherThreadsPostAndStop) {
  int ran = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop_.post([&] { ++ran; });
    loop_.post([&] { loop_.stop(); });
  });
  loop_.run();
  other.join();
  EXPECT_EQ(ran, 1000);
}

TEST_F(LoopTest, StopBeforeRunIsNotLost) {
  std::thread other([&] { loop_.stop(); });
  other.join();
  loop_.run();
}

TEST(Fd, MovesAndDuplicates) {
  Fd a = readable();
  const int number = a.get();
  Fd b = std::move(a);
  EXPECT_FALSE(a);
  EXPECT_EQ(b.get(), number);
  const Fd copy = b.duplicate();
  b.close();
  EXPECT_FALSE(b);
  uint64_t value = 0;
  EXPECT_EQ(read(copy.get(), &value, sizeof value), static_cast<ssize_t>(sizeof value));
  EXPECT_THROW(Fd().duplicate(), std::system_error);
}

}  // namespace
}  // namespace peregrine
