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
  Draw draw({.order = Order::zipf}, 100);
  constexpr int draws = 100'000;
  int first = 0, last = 0;
  for (int i = 0; i < draws; ++i) {
    const uint32_t index = draw.next()->index;
    ASSERT_LT(index, 100u);
    first += index == 0, last += index == 99;
  }
  // 1 / 5.187 and a hundredth of that: five standard deviations around.
  EXPECT_NEAR(first, draws / 5.187, 620);
  EXPECT_NEAR(last, draws / 518.7, 70);
}

TEST(Draw, OnceGivesEachInItsOrderAndEnds) {
  Draw draw({.order = Order::once}, 3);
  EXPECT_FALSE(draw.is_through());
  EXPECT_EQ(draw.next()->index, 0u);
  EXPECT_EQ(draw.next()->index, 1u);
  EXPECT_EQ(draw.next()->index, 2u);
  EXPECT_TRUE(draw.is_through());
  EXPECT_FALSE(draw.next());
}

TEST(Draw, UniformTakesAllAlike) {
  Draw draw({}, 10);
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) ++counts[draw.next()->index];
  for (int count : counts) EXPECT_NEAR(count, 10'000, 475);  // five standard deviations
  EXPECT_FALSE(draw.is_through());
}

bool same(const Drawn& a, const Drawn& b) { return a.index == b.index && a.denied == b.denied; }

TEST(Draw, TheSeedDecides) {
  DrawOptions options{.order = Order::zipf, .denied_share = 0.3, .once_share = 0.3};
  Draw a(options, 1'000'000), b(options, 1'000'000);
  options.seed = 2;
  Draw c(options, 1'000'000);
  bool differ = false;
  for (int i = 0; i < 100; ++i) {
    const Drawn drawn = a.next().value();
    EXPECT_TRUE(same(drawn, b.next().value()));
    differ |= !same(drawn, c.next().value());
  }
  EXPECT_TRUE(differ);
}

// Five standard deviations of a binomial distribution.
double five_sigma(int draws, double share) { return 5 * std::sqrt(draws * share * (1 - share)); }

TEST(Draw, AMixHasItsShares) {
  constexpr uint32_t size = 10'000;
  constexpr int draws = 200'000;
  constexpr double denied_share = 0.12, once_share = 0.15;
  Draw draw({.order = Order::zipf, .denied_share = denied_share, .once_share = once_share}, size);
  int denied = 0, once = 0, both = 0, first = 0, first_denied = 0;
  for (int i = 0; i < draws; ++i) {
    const Drawn drawn = draw.next().value();
    const bool is_once = drawn.index >= size;
    denied += drawn.denied, once += is_once, both += drawn.denied && is_once;
    first += drawn.index == 0, first_denied += drawn.index == 0 && drawn.denied;
  }
  EXPECT_NEAR(denied, draws * denied_share, five_sigma(draws, denied_share));
  EXPECT_NEAR(once, draws * once_share, five_sigma(draws, once_share));
  EXPECT_NEAR(both, draws * denied_share * once_share, five_sigma(draws, denied_share * once_share));
  // The first of 10,000 has 1 / 9.7876 of what is not asked once, and its twin the same part as everybody's.
  EXPECT_NEAR(first, draws * (1 - once_share) / 9.7876, five_sigma(draws, (1 - once_share) / 9.7876));
  EXPECT_NEAR(first_denied, first * denied_share, five_sigma(first, denied_share));
}

TEST(Draw, WhatIsAskedOnceIsNotAskedAgain) {
  Draw draw({.once_share = 0.5}, 10);
  uint32_t next = 10;
  for (int i = 0; i < 10'000; ++i) {
    const Drawn drawn = draw.next().value();
    if (drawn.index < 10) continue;
    ASSERT_EQ(drawn.index, next);
    ++next;
  }
  EXPECT_GT(next, 10u);
}

TEST(Draw, SharesMayBeAllOrNothing) {
  Draw all({.denied_share = 1, .once_share = 1}, 10);
  for (uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(same(all.next().value(), {.index = 10 + i, .denied = true}));
  Draw denied({.order = Order::once, .denied_share = 1}, 2);
  EXPECT_TRUE(same(denied.next().value(), {.index = 0, .denied = true}));
  EXPECT_TRUE(same(denied.next().value(), {.index = 1, .denied = true}));
  EXPECT_FALSE(denied.next());
}

}  // namespace
}  // namespace peregrine
