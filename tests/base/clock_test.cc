#include "base/clock.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

using namespace std::chrono_literals;

// Reads until the clock has moved: the kernel's clock is what is waited for.
void wait_for_change(SystemClock& clock, Instant since) {
  while (clock.precise() == since) {
  }
}

TEST(SystemClock, NowIsThatOfTheLastTick) {
  SystemClock clock;
  const Instant first = clock.now();
  wait_for_change(clock, first);
  EXPECT_EQ(clock.now(), first);
  clock.tick();
  EXPECT_GT(clock.now(), first);
}

TEST(SystemClock, PreciseNeverRunsBackward) {
  SystemClock clock;
  Instant last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Instant next = clock.precise();
    ASSERT_GE(next, last);
    last = next;
  }
}

TEST(SystemClock, WallIsTheSystemsTime) {
  const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  SystemClock clock;
  const auto after = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  EXPECT_GE(clock.wall(), before);
  EXPECT_LE(clock.wall(), after);
}

TEST(VirtualClock, MovesOnlyWhenTold) {
  VirtualClock clock(WallTime{1000s});
  const Instant start = clock.now();
  clock.tick();
  EXPECT_EQ(clock.now(), start);
  EXPECT_EQ(clock.precise(), start);
  EXPECT_EQ(clock.wall(), WallTime{1000s});
  clock.advance(1500ms);
  EXPECT_EQ(clock.now(), start + 1500ms);
  EXPECT_EQ(clock.precise(), start + 1500ms);
}

TEST(VirtualClock, WallCountsWholeSeconds) {
  VirtualClock clock(WallTime{1000s});
  clock.advance(999ms);
  EXPECT_EQ(clock.wall(), WallTime{1000s});
  clock.advance(1ms);
  EXPECT_EQ(clock.wall(), WallTime{1001s});
  for (int i = 0; i < 4; ++i) clock.advance(500ms);
  EXPECT_EQ(clock.wall(), WallTime{1003s}) << "parts of seconds add up";
}

TEST(VirtualClock, NeverBackward) {
  VirtualClock clock;
  const Instant start = clock.now();
  clock.advance_to(start + 10s);
  clock.advance_to(start + 5s);
  EXPECT_EQ(clock.now(), start + 10s);
  clock.advance(-1s);
  EXPECT_EQ(clock.now(), start + 10s);
}

TEST(VirtualClock, SteppingTheWallLeavesMonotonicTime) {
  VirtualClock clock(WallTime{1000s});
  const Instant start = clock.now();
  clock.step_wall(-600s);
  EXPECT_EQ(clock.wall(), WallTime{400s});
  EXPECT_EQ(clock.now(), start);
  clock.advance(2s);
  EXPECT_EQ(clock.wall(), WallTime{402s}) << "the step lasts";
  clock.step_wall(3600s);
  EXPECT_EQ(clock.wall(), WallTime{4002s});
}

}  // namespace
}  // namespace peregrine
