#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t highest = (uint64_t{1} << 40) - 1;

double relative_error(Duration got, Duration exact) {
  return std::abs(static_cast<double>((got - exact).count())) / static_cast<double>(exact.count());
}

TEST(Histogram, EmptyHasZeroQuantiles) {
  Histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.quantile(0), 0ns);
  EXPECT_EQ(h.quantile(0.99), 0ns);
}

TEST(Histogram, SmallValuesAreExact) {
  for (int64_t v = 0; v < 128; ++v) {
    Histogram h;
    h.record(Duration{v});
    EXPECT_EQ(h.quantile(0.5), Duration{v});
  }
}

TEST(Histogram, BucketsFollowOneAnotherWithoutGap) {
  size_t last = 0;
  for (uint64_t v = 1; v < 1 << 16; ++v) {
    const size_t bucket = Histogram::bucket_of(v);
    ASSERT_TRUE(bucket == last || bucket == last + 1) << v;
    last = bucket;
  }
  for (unsigned e = 7; e <= 40; ++e) {
    const uint64_t power = uint64_t{1} << e;
    const size_t below = Histogram::bucket_of(power - 1);
    EXPECT_EQ(Histogram::bucket_of(power), e < 40 ? below + 1 : below) << e;
  }
}

TEST(Histogram, MidpointsLieInTheirBucketWithinOnePercent) {
  for (uint64_t v = 1; v < highest; v += 1 + v / 97) {
    const uint64_t mid = Histogram::midpoint_of(Histogram::bucket_of(v));
    ASSERT_EQ(Histogram::bucket_of(mid), Histogram::bucket_of(v)) << v;
    ASSERT_LE(relative_error(Duration{mid}, Duration{v}), 0.01) << v;
  }
}

TEST(Histogram, QuantilesAreWithinOnePercentOnEveryScale) {
  Random random = Random::from_seed(7);
  for (double scale = 1e2; scale < 2e11; scale *= 10) {
    Histogram h;
    std::vector<Duration> values;
    for (int i = 0; i < 2000; ++i) {
      values.emplace_back(static_cast<int64_t>(scale * (1 + 4 * random.unit())));
      h.record(values.back());
    }
    std::ranges::sort(values);
    ASSERT_EQ(h.count(), values.size());
    for (double q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = static_cast<size_t>(std::max(1.0, std::ceil(q * static_cast<double>(values.size()))));
      EXPECT_LE(relative_error(h.quantile(q), values[rank - 1]), 0.01) << scale << " at " << q;
    }
  }
}

TEST(Histogram, QuantileIsTheSmallestValueThatCoversItsShare) {
  Histogram h;
  for (int i = 0; i < 9; ++i) h.record(10ns);
  h.record(50ns);
  EXPECT_EQ(h.quantile(0), 10ns);
  EXPECT_EQ(h.quantile(0.9), 10ns);
  EXPECT_EQ(h.quantile(0.91), 50ns);
  EXPECT_EQ(h.quantile(1), 50ns);
}

TEST(Histogram, QuantilesOutOfRangeAreThoseOfItsEnds) {
  Histogram h;
  h.record(10ns);
  h.record(20ns);
  EXPECT_EQ(h.quantile(-1), 10ns);
  EXPECT_EQ(h.quantile(2), 20ns);
  EXPECT_EQ(h.quantile(std::nan("")), 10ns);
}

TEST(Histogram, ValuesOutOfRangeAreClamped) {
  Histogram h;
  h.record(-5s);
  h.record(Duration::min());
  EXPECT_EQ(h.quantile(1), 0ns);
  h.record(Duration::max());
  h.record(24h);
  EXPECT_EQ(h.count(), 4U);
  EXPECT_LE(relative_error(h.quantile(1), Duration{highest}), 0.01);
  EXPECT_EQ(Histogram::midpoint_of(SIZE_MAX), Histogram::midpoint_of(Histogram::bucket_of(UINT64_MAX)));
}

TEST(Histogram, MergingIsRecordingBoth) {
  Random random = Random::from_seed(8);
  Histogram a, b, both;
  for (int i = 0; i < 1000; ++i) {
    const Duration fast{random.below(10'000)};
    const Duration slow{uint64_t{random.u32()} * 16};
    a.record(fast);
    b.record(slow);
    both.record(fast);
    both.record(slow);
  }
  a.merge(b);
  EXPECT_EQ(a.count(), 2000U);
  EXPECT_EQ(b.count(), 1000U) << "the source stays as it is";
  for (double q = 0; q <= 1; q += 0.01) EXPECT_EQ(a.quantile(q), both.quantile(q)) << q;
}

}  // namespace
}  // namespace peregrine
