#include "load/draw.h"

#include <gtest/gtest.h>

#include <cmath>

namespace peregrine {
namespace {

TEST(ZipfTable, GivesEachIndexItsShare) {
  for (double exponent : {0.0, 0.8, 1.0, 2.0}) {
    constexpr uint32_t size = 1000;
    const ZipfTable table(size, exponent);
    double sum = 0;
    for (uint32_t i = 0; i < size; ++i) sum += std::pow(i + 1.0, -exponent);
    for (uint32_t i = 0; i < size; ++i) {
      EXPECT_NEAR(table.probability(i), std::pow(i + 1.0, -exponent) / sum, 1e-9) << i << " of " << exponent;
    }
  }
}

TEST(ZipfTable, OfOneNameGivesThatName) {
  const ZipfTable table(1, 1.0);
  EXPECT_EQ(table.draw(0), 0u);
  EXPECT_EQ(table.draw(~uint64_t{0}), 0u);
}

TEST(ZipfTable, StaysInsideForAnyRandomNumber) {
  const ZipfTable table(7, 1.0);
  for (uint64_t random : {uint64_t{0}, ~uint64_t{0}, uint64_t{0xffff'ffff}, ~uint64_t{0} << 32}) {
    EXPECT_LT(table.draw(random), 7u);
  }
}

TEST(Draw, ZipfPrefersTheFirst) {
  Draw draw(Order::zipf, 100, 1.0, 1);
  constexpr int draws = 100'000;
  int first = 0, last = 0;
  for (int i = 0; i < draws; ++i) {
    const uint32_t index = draw.next().value();
    ASSERT_LT(index, 100u);
    first += index == 0, last += index == 99;
  }
  // 1 / 5.187 and a hundredth of that: five standard deviations around.
  EXPECT_NEAR(first, draws / 5.187, 620);
  EXPECT_NEAR(last, draws / 518.7, 70);
}

TEST(Draw, OnceGivesEachInItsOrderAndEnds) {
  Draw draw(Order::once, 3, 1.0, 1);
  EXPECT_EQ(draw.remaining(), 3u);
  EXPECT_EQ(draw.next(), 0u);
  EXPECT_EQ(draw.next(), 1u);
  EXPECT_EQ(draw.next(), 2u);
  EXPECT_EQ(draw.remaining(), 0u);
  EXPECT_EQ(draw.next(), std::nullopt);
}

TEST(Draw, UniformTakesAllAlike) {
  Draw draw(Order::uniform, 10, 1.0, 1);
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) ++counts[draw.next().value()];
  for (int count : counts) EXPECT_NEAR(count, 10'000, 475);  // five standard deviations
  EXPECT_EQ(draw.remaining(), std::nullopt);
}

TEST(Draw, TheSeedDecides) {
  Draw a(Order::uniform, 1'000'000, 1.0, 1), b(Order::uniform, 1'000'000, 1.0, 1),
      c(Order::uniform, 1'000'000, 1.0, 2);
  bool differ = false;
  for (int i = 0; i < 100; ++i) {
    const auto drawn = a.next();
    EXPECT_EQ(drawn, b.next());
    differ |= drawn != c.next();
  }
  EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace peregrine
