#include "load/flights.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

Instant at(int64_t nanos) { return Instant{Duration{nanos}}; }

TEST(Flights, AReplyFindsItsQuery) {
  Flights flights(4);
  flights.depart({at(10), {7}});
  flights.depart({at(20), {8}});
  EXPECT_EQ(flights.in_flight(), 2u);
  const auto second = flights.arrive(1);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->due, at(20));
  EXPECT_EQ(second->query.index, 8u);
  EXPECT_EQ(flights.arrive(0)->query.index, 7u);
  EXPECT_EQ(flights.in_flight(), 0u);
  EXPECT_EQ(flights.room(), 4u);
}

TEST(Flights, ASecondReplyAndOneToNothingAreNone) {
  Flights flights(4);
  flights.depart({at(10), {7}});
  EXPECT_FALSE(flights.arrive(1));
  EXPECT_FALSE(flights.arrive(65'535));
  EXPECT_TRUE(flights.arrive(0));
  EXPECT_FALSE(flights.arrive(0));
  EXPECT_EQ(flights.in_flight(), 0u);
}

TEST(Flights, AnIdIsNotUsedAgainWhileItsPlaceIsTaken) {
  Flights flights(2);
  flights.depart({at(1), {1}});
  flights.depart({at(2), {2}});
  EXPECT_EQ(flights.room(), 0u);
  EXPECT_TRUE(flights.arrive(1));
  EXPECT_EQ(flights.room(), 0u);  // 0 is still under way, and 2 would have its place
  EXPECT_TRUE(flights.arrive(0));
  EXPECT_EQ(flights.room(), 2u);
}

TEST(Flights, IdsGoRound) {
  Flights flights(65'536);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 65'536; ++i) {
      ASSERT_EQ(flights.next_id(), i);
      flights.depart({at(i), {i}});
    }
    EXPECT_EQ(flights.room(), 0u);
    for (uint32_t i = 0; i < 65'536; ++i) ASSERT_EQ(flights.arrive(static_cast<uint16_t>(i))->query.index, i);
  }
}

TEST(Flights, TheOldestExpireFirst) {
  Flights flights(8);
  for (int i = 0; i < 4; ++i) flights.depart({at(i * 10), {static_cast<uint32_t>(i)}});
  EXPECT_TRUE(flights.arrive(1));
  EXPECT_EQ(flights.expire(at(20)), 1u);  // 0; 1 has its reply, 2 is due at 20 and not before
  EXPECT_EQ(flights.in_flight(), 2u);
  EXPECT_FALSE(flights.arrive(0));  // too late
  EXPECT_TRUE(flights.arrive(2));
  EXPECT_EQ(flights.expire(at(1000)), 1u);
  EXPECT_EQ(flights.expire(at(1000)), 0u);
  EXPECT_EQ(flights.in_flight(), 0u);
  EXPECT_EQ(flights.room(), 8u);
}

}  // namespace
}  // namespace peregrine
