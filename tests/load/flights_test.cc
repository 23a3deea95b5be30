#include "load/flights.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

Instant at(int64_t nanos) { return Instant{Duration{nanos}}; }

TEST(Flights, AReplyFindsItsQuery) {
  Flights flights(4);
  flights.depart({.due = at(10), .query = {7}, .sent = at(10)});
  flights.depart({.due = at(20), .query = {8}, .sent = at(20)});
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
  flights.depart({.due = at(10), .query = {7}, .sent = at(10)});
  EXPECT_FALSE(flights.arrive(1));
  EXPECT_FALSE(flights.arrive(65'535));
  EXPECT_TRUE(flights.arrive(0));
  EXPECT_FALSE(flights.arrive(0));
  EXPECT_EQ(flights.in_flight(), 0u);
}

TEST(Flights, AnIdIsNotUsedAgainWhileItsPlaceIsTaken) {
  Flights flights(2);
  flights.depart({.due = at(1), .query = {1}, .sent = at(1)});
  flights.depart({.due = at(2), .query = {2}, .sent = at(2)});
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
      flights.depart({.due = at(i), .query = {i}, .sent = at(i)});
    }
    EXPECT_EQ(flights.room(), 0u);
    for (uint32_t i = 0; i < 65'536; ++i) ASSERT_EQ(flights.arrive(static_cast<uint16_t>(i))->query.index, i);
  }
}

TEST(Flights, TheOldestExpireFirst) {
  Flights flights(8);
  for (int i = 0; i < 4; ++i)
    flights.depart({.due = at(0), .query = {static_cast<uint32_t>(i)}, .sent = at(i * 10)});
  EXPECT_TRUE(flights.arrive(1));
  EXPECT_EQ(flights.expire(at(20)), 1u);  // 0; 1 has its reply, 2 was sent at 20 and not before
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
