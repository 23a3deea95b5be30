#include "load/pace.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000h};

Pace started(const LoadOptions& options) {
  Pace pace(options);
  pace.start(start);
  return pace;
}

TEST(Pace, AClosedLoopFillsItsWindow) {
  const LoadOptions options{.duration = 1s, .window = 100, .batch = 32};
  const Pace pace = started(options);
  EXPECT_EQ(pace.allowance(start, {}), 100u);
  EXPECT_EQ(pace.allowance(start, {.sent = 500, .in_flight = 60}), 40u);
  EXPECT_EQ(pace.allowance(start, {.sent = 500, .in_flight = 84}), 16u);
  EXPECT_EQ(pace.allowance(start, {.sent = 500, .in_flight = 85}), 0u);  // not worth a call yet
  EXPECT_EQ(pace.allowance(start, {.sent = 500, .in_flight = 100}), 0u);
  EXPECT_EQ(pace.counts_from(7, start + 5ms), start + 5ms);
  EXPECT_FALSE(pace.is_over(start + 1s - 1ns, 500));
  EXPECT_TRUE(pace.is_over(start + 1s, 500));
}

TEST(Pace, ASmallWindowIsFilledOneByOne) {
  const LoadOptions options{.window = 1, .batch = 32};
  const Pace pace = started(options);
  EXPECT_EQ(pace.allowance(start, {}), 1u);
  EXPECT_EQ(pace.idle_time(start, {}), 0ns);
  EXPECT_EQ(pace.allowance(start, {.sent = 1, .in_flight = 1}), 0u);
  EXPECT_EQ(pace.idle_time(start, {.sent = 1, .in_flight = 1}), Pace::longest_wait);
}

TEST(Pace, AnOpenLoopKeepsItsSchedule) {
  const LoadOptions options{.duration = 1s, .rate = 1000, .timeout = 2s};
  const Pace pace = started(options);
  EXPECT_EQ(pace.allowance(start, {}), 1u);
  // Whatever is under way, and all that a stall kept back.
  EXPECT_EQ(pace.allowance(start + 10ms, {.sent = 4, .in_flight = 4}), 7u);
  EXPECT_EQ(pace.allowance(start + 5s, {.sent = 4, .in_flight = 4}), 996u);
  EXPECT_EQ(pace.counts_from(4, start + 10ms), start + 4ms);
  EXPECT_EQ(pace.idle_time(start, {.sent = 10}), Pace::longest_wait);
  EXPECT_EQ(pace.idle_time(start, {.sent = 1}), 0ns);
}

TEST(Pace, AnOpenLoopSendsLateWhatWasDue) {
  const LoadOptions options{.duration = 1s, .rate = 1000, .timeout = 2s};
  const Pace pace = started(options);
  EXPECT_FALSE(pace.is_over(start + 1s, 999));
  EXPECT_TRUE(pace.is_over(start + 1s, 1000));
  EXPECT_TRUE(pace.is_over(start + 3s, 999));
}

}  // namespace
}  // namespace peregrine
