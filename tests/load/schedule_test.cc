#include "load/schedule.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

using std::chrono::milliseconds;

constexpr Instant start{std::chrono::hours(1000)};

TEST(Schedule, QueriesAreDueAtAFixedRate) {
  const Schedule schedule(start, 1000);
  EXPECT_EQ(schedule.due(0), start);
  EXPECT_EQ(schedule.due(1), start + milliseconds(1));
  EXPECT_EQ(schedule.due(3'600'000), start + std::chrono::hours(1));
}

TEST(Schedule, CountsWhatIsDue) {
  const Schedule schedule(start, 1000);
  EXPECT_EQ(schedule.due_by(start - Duration{1}), 0u);
  EXPECT_EQ(schedule.due_by(start), 1u);
  EXPECT_EQ(schedule.due_by(start + milliseconds(1) - Duration{1}), 1u);
  EXPECT_EQ(schedule.due_by(start + milliseconds(1)), 2u);
  EXPECT_EQ(schedule.due_by(start + std::chrono::hours(1)), 3'600'001u);
}

TEST(Schedule, RoundingNeverPutsTheTwoApart) {
  for (double rate : {3.0, 7.7, 333'333.3, 1e6}) {
    const Schedule schedule(start, rate);
    for (uint64_t i : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{99'999}, uint64_t{1'000'000'007}}) {
      EXPECT_EQ(schedule.due_by(schedule.due(i)), i + 1) << rate;
      EXPECT_EQ(schedule.due_by(schedule.due(i) - Duration{1}), i) << rate;
    }
  }
}

}  // namespace
}  // namespace peregrine
