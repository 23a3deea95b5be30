#include "base/counters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace peregrine {
namespace {

TEST(Counters, StartAtZeroAndAddUp) {
  Counters counters;
  for (const CounterRow& row : counter_rows()) EXPECT_EQ(counters.get(row.counter), 0U) << row.name;
  counters.add(Counter::answers);
  counters.add(Counter::answers, 41);
  counters.add(Counter::reloads);
  EXPECT_EQ(counters.get(Counter::answers), 42U);
  EXPECT_EQ(counters.get(Counter::reloads), 1U);
  EXPECT_EQ(counters.get(Counter::udp_queries), 0U);
}

TEST(Counters, EachRowHasItsOwnNameFitForMetrics) {
  ASSERT_EQ(counter_rows().size(), counter_count);
  std::set<std::string_view> names;
  for (size_t i = 0; i < counter_count; ++i) {
    const CounterRow& row = counter_rows()[i];
    EXPECT_EQ(static_cast<size_t>(row.counter), i);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), row.name.npos) << row.name;
    EXPECT_FALSE(row.name.empty());
    EXPECT_FALSE(row.help.empty()) << row.name;
  }
}

TEST(Counters, WorkersShareNoCacheLine) {
  EXPECT_EQ(alignof(Counters) % 64, 0U);
  EXPECT_EQ(sizeof(Counters) % 64, 0U);
}

TEST(Counters, AReaderSeesAValueThatOnlyGrows) {
  constexpr uint64_t total = 20000;
  Counters counters;
  std::thread writer([&] {
    for (uint64_t i = 0; i < total; ++i) counters.add(Counter::cache_hits);
  });
  bool shrank = false;
  for (uint64_t last = 0; last < total;) {
    const uint64_t now = counters.get(Counter::cache_hits);
    shrank |= now < last;
    last = now;
  }
  writer.join();
  EXPECT_FALSE(shrank);
  EXPECT_EQ(counters.get(Counter::cache_hits), total);
}

}  // namespace
}  // namespace peregrine
