#include "base/executor.h"

#include <gmock/gmock.h>
#include <pthread.h>

#include <future>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"

namespace peregrine {
namespace {

TEST(ThreadExecutor, DestructorRunsWhatIsQueuedInOrder) {
  std::vector<int> ran;
  std::promise<void> gate;
  auto executor = make_thread_executor("test");
  executor->run([opened = gate.get_future()] { opened.wait(); });
  for (int i = 0; i < 100; ++i) executor->run([&ran, i] { ran.push_back(i); });
  gate.set_value();
  executor.reset();
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(ran, expected);
}

TEST(ThreadExecutor, DestructorOfAnIdleOneReturns) { make_thread_executor("idle").reset(); }

TEST(ThreadExecutor, RunsElsewhereAndAlwaysOnTheSameThread) {
  std::vector<std::thread::id> threads;
  auto executor = make_thread_executor("test");
  for (int i = 0; i < 3; ++i) executor->run([&threads] { threads.push_back(std::this_thread::get_id()); });
  executor.reset();
  ASSERT_EQ(threads.size(), 3U);
  EXPECT_NE(threads[0], std::this_thread::get_id());
  EXPECT_THAT(threads, testing::Each(threads[0]));
}

TEST(ThreadExecutor, AJobMayQueueAnotherEvenWhileItIsBeingDestroyed) {
  bool second_ran = false;
  std::promise<void> gate;
  auto executor = make_thread_executor("test");
  Executor& ref = *executor;
  executor->run([&, opened = gate.get_future()] {
    opened.wait();
    ref.run([&] { second_ran = true; });
  });
  gate.set_value();
  executor.reset();
  EXPECT_TRUE(second_ran);
}

TEST(ThreadExecutor, JobsOfSeveralThreadsRunOneAfterAnother) {
  constexpr int producers = 4, each = 200;
  std::vector<int> last(producers, -1);  // touched by jobs alone, without a lock
  int out_of_order = 0;
  auto executor = make_thread_executor("test");
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      for (int i = 0; i < each; ++i) {
        executor->run([&last, &out_of_order, p, i] {
          out_of_order += last[static_cast<size_t>(p)] != i - 1;
          last[static_cast<size_t>(p)] = i;
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  executor.reset();
  EXPECT_EQ(out_of_order, 0);
  EXPECT_THAT(last, testing::Each(each - 1));
}

TEST(ThreadExecutor, AJobThatThrowsIsLoggedAndTheNextOneRuns) {
  struct Recorder final : LogSink {
    void write(LogLevel level, std::string_view line) override { lines.emplace_back(level, line); }
    std::vector<std::pair<LogLevel, std::string>> lines;
  } recorder;
  set_log_sink(&recorder);
  bool next_ran = false;
  auto executor = make_thread_executor("test");
  executor->run([] { throw std::runtime_error("no such luck"); });
  executor->run([&next_ran] { next_ran = true; });
  executor.reset();
  set_log_sink(nullptr);
  EXPECT_TRUE(next_ran);
  EXPECT_THAT(recorder.lines,
              testing::ElementsAre(testing::Pair(LogLevel::error, "a background job failed: no such luck")));
}

TEST(ThreadExecutor, WhatAJobOwnsIsReleasedOnItsThread) {
  std::thread::id released_on;
  struct Owned {
    std::thread::id& where;
    ~Owned() { where = std::this_thread::get_id(); }
  };
  auto executor = make_thread_executor("test");
  executor->run([owned = std::make_unique<Owned>(released_on)] {});
  executor.reset();
  EXPECT_NE(released_on, std::thread::id{});
  EXPECT_NE(released_on, std::this_thread::get_id());
}

TEST(ThreadExecutor, BearsItsNameCutToWhatTheKernelKeeps) {
  std::string seen;
  auto executor = make_thread_executor("a-name-of-over-15-octets");
  executor->run([&seen] {
    char name[32]{};
    pthread_getname_np(pthread_self(), name, sizeof name);
    seen = name;
  });
  executor.reset();
  EXPECT_EQ(seen, "a-name-of-over-");
}

}  // namespace
}  // namespace peregrine
