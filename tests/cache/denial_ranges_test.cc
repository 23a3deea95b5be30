#include "cache/denial_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/random.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

class DenialRangesTest : public testing::Test {
 protected:
  bool put(std::string_view owner, std::string_view next, int64_t expires = 2000,
           std::string_view zone = "example.com.") {
    return ranges_.put(name(zone), name(owner), name(next), at(expires));
  }
  std::string find(std::string_view asked, int64_t now = 1000, std::string_view zone = "example.com.") {
    const auto range = ranges_.find(name(zone), name(asked), at(now));
    return range ? range->owner.to_string() + " " + range->next.to_string() : "none";
  }
  DenialRanges ranges_{1 << 20};
};

TEST_F(DenialRangesTest, ANameBetweenTheEndsIsCovered) {
  ASSERT_TRUE(put("B.example.com.", "d.example.com."));
  EXPECT_EQ(find("c.example.com."), "b.example.com. d.example.com.");
  EXPECT_EQ(find("C.EXAMPLE.com."), "b.example.com. d.example.com.");
  EXPECT_EQ(find("x.b.example.com."), "b.example.com. d.example.com.")
      << "canonical order: below b is behind b";
  EXPECT_EQ(find("b.example.com."), "b.example.com. d.example.com.") << "the owner, which exists";
  EXPECT_EQ(find("d.example.com."), "none");
  EXPECT_EQ(find("a.example.com."), "none");
  EXPECT_EQ(find("example.com."), "none");
  EXPECT_EQ(find("c.example.net."), "none");
  EXPECT_EQ(find("c.example.com.", 1000, "com."), "none");
}

TEST_F(DenialRangesTest, TheLastRangeEndsAtTheApex) {
  ASSERT_TRUE(put("y.example.com.", "example.com."));
  EXPECT_EQ(find("z.example.com."), "y.example.com. example.com.");
  EXPECT_EQ(find("x.example.com."), "none");
  ASSERT_TRUE(put("example.com.", "example.com."));
  EXPECT_EQ(find("anything.example.com."), "example.com. example.com.") << "a zone of one name";
}

TEST_F(DenialRangesTest, WhatIsNoRangeOfTheZoneIsRefused) {
  EXPECT_FALSE(put("d.example.com.", "b.example.com."));
  EXPECT_FALSE(put("b.example.com.", "b.example.com."));
  EXPECT_FALSE(put("b.example.net.", "d.example.com."));
  EXPECT_FALSE(put("b.example.com.", "d.example.net."));
  EXPECT_EQ(ranges_.stats().octets, 0u);
}

TEST_F(DenialRangesTest, ExpiredRangesAreAsIfTheyWereNotThere) {
  ASSERT_TRUE(put("b.example.com.", "d.example.com.", 1100));
  EXPECT_NE(find("c.example.com.", 1099), "none");
  EXPECT_EQ(find("c.example.com.", 1100), "none");
  EXPECT_EQ(ranges_.stats().ranges, 0u);
  EXPECT_EQ(ranges_.stats().zones, 0u);
  EXPECT_EQ(ranges_.stats().octets, 0u);
}

TEST_F(DenialRangesTest, NewRangesPushOutWhatTheyContradict) {
  ASSERT_TRUE(put("b.example.com.", "f.example.com."));
  ASSERT_TRUE(put("d.example.com.", "f.example.com.")) << "d exists now";
  EXPECT_EQ(find("c.example.com."), "none");
  ASSERT_TRUE(put("b.example.com.", "d.example.com."));
  EXPECT_EQ(find("c.example.com."), "b.example.com. d.example.com.");
  EXPECT_EQ(find("e.example.com."), "d.example.com. f.example.com.");
  ASSERT_TRUE(put("a.example.com.", "example.com.")) << "all others have gone";
  EXPECT_EQ(ranges_.stats().ranges, 1u);
  EXPECT_EQ(find("e.example.com."), "a.example.com. example.com.");
}

TEST_F(DenialRangesTest, ZonesAreApart) {
  ASSERT_TRUE(put("b.example.com.", "d.example.com."));
  ASSERT_TRUE(put("example.com.", "sub.example.com.", 2000, "com."));
  EXPECT_EQ(find("c.example.com."), "b.example.com. d.example.com.");
  EXPECT_EQ(find("c.example.com.", 1000, "com."), "example.com. sub.example.com.");
}

TEST_F(DenialRangesTest, Flush) {
  ASSERT_TRUE(put("b.example.com.", "d.example.com."));
  ASSERT_TRUE(put("d.example.com.", "f.example.com."));
  ASSERT_TRUE(put("m.example.com.", "p.example.com."));
  EXPECT_EQ(ranges_.flush({.name = name("D.example.com.")}), 2u);
  EXPECT_EQ(ranges_.flush({.name = name("n.example.com.")}), 1u) << "it was held for absent";
  ASSERT_TRUE(put("m.example.com.", "p.example.com."));
  EXPECT_EQ(ranges_.flush({.name = name("com.")}), 0u);
  EXPECT_EQ(ranges_.flush({.name = name("com."), .below = true}), 1u);
  EXPECT_EQ(ranges_.stats().octets, 0u);
  ASSERT_TRUE(put("m.example.com.", "p.example.com."));
  ranges_.clear();
  EXPECT_EQ(ranges_.stats().octets, 0u);
  EXPECT_EQ(find("n.example.com."), "none");
}

TEST_F(DenialRangesTest, OneZoneTakesAQuarterAtMost) {
  ASSERT_TRUE(put("a.example.net.", "b.example.net.", 2000, "example.net."));
  for (int i = 10'000; i < 40'000; ++i) {
    const std::string label = std::to_string(i);
    ASSERT_TRUE(put("a" + label + ".example.com.", "a" + label + "x.example.com."));
  }
  const DenialStats stats = ranges_.stats();
  EXPECT_LE(stats.octets, stats.capacity / 4 + 1000);
  EXPECT_GT(stats.octets, stats.capacity / 5);
  EXPECT_GT(stats.evicted, 0u);
  EXPECT_EQ(stats.ranges, 30'001 - stats.evicted);
  EXPECT_NE(find("aa.example.net.", 1000, "example.net."), "none");
}

TEST_F(DenialRangesTest, TheLeastRecentlyUsedGoFirst) {
  const auto zone = [](int i) { return "z" + std::to_string(i) + "."; };
  const auto fill = [&](int i) { return put("b." + zone(i), "d." + zone(i), 2000, zone(i)); };
  ASSERT_TRUE(fill(0));
  int next = 1;
  while (ranges_.stats().evicted == 0) {
    ASSERT_TRUE(fill(next++));
    EXPECT_NE(find("c.z0.", 1000, "z0."), "none");
  }
  EXPECT_EQ(find("c.z1.", 1000, "z1."), "none");
  EXPECT_NE(find("c.z2.", 1000, "z2."), "none");
  EXPECT_LE(ranges_.stats().octets, ranges_.stats().capacity);
}

TEST(DenialRanges, ATinyCapacityRefuses) {
  DenialRanges ranges(1000);
  EXPECT_FALSE(ranges.put(name("example.com."), name("a.example.com."), name("b.example.com."), at(2000)));
  EXPECT_EQ(ranges.stats().refused, 1u);
  EXPECT_EQ(ranges.stats().octets, 0u);
}

// Beside a set of the names that exist: whatever was evicted, nothing that exists is held for absent.
TEST(DenialRanges, NeverDeniesWhatExists) {
  Random random = Random::from_seed(5);
  DenialRanges ranges(64 << 10);
  const auto label = [](uint32_t i) { return name("n" + std::to_string(100 + i) + ".example.com."); };
  const DnameBuf zone = name("example.com.");
  std::vector<bool> exists(800);
  unsigned covered = 0;
  for (int step = 0; step < 20'000; ++step) {
    const uint32_t at_label = random.below(800);
    if (random.one_in(50)) {
      exists[at_label] = !exists[at_label];
      ranges.flush({.name = label(at_label)});
    } else if (random.one_in(2) && exists[at_label]) {
      uint32_t next = at_label + 1;
      while (next < exists.size() && !exists[next]) ++next;
      ASSERT_TRUE(ranges.put(zone, label(at_label), next < exists.size() ? label(next) : zone,
                             at(1000 + step + 500)));
    } else if (const auto range = ranges.find(zone, label(at_label), at(1000 + step))) {
      ASSERT_EQ(exists[at_label], range->owner == label(at_label)) << at_label;
      ++covered;
    }
    ASSERT_LE(ranges.stats().octets, ranges.stats().capacity);
  }
  EXPECT_GT(covered, 100u);
}

TEST(DenialRanges, Threads) {
  DenialRanges ranges(64 << 10);
  const DnameBuf zone = name("example.com.");
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&ranges, &zone, seed] {
      Random random = Random::from_seed(seed);
      for (int i = 0; i < 3000; ++i) {
        const uint32_t n = random.below(500);
        const DnameBuf owner = name("n" + std::to_string(n) + "0.example.com.");
        ranges.put(zone, owner, name("n" + std::to_string(n) + "9.example.com."), at(2000));
        ranges.find(zone, owner, at(random.one_in(20) ? 3000 : 1000));
        if (random.one_in(200)) ranges.flush({.name = owner});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(ranges.stats().octets, ranges.stats().capacity);
  ranges.clear();
  EXPECT_EQ(ranges.stats().octets, 0u);
}

TEST(DenialRanges, SharesMakeUpTheWhole) {
  for (const uint64_t total : {uint64_t{0}, uint64_t{1} << 20, uint64_t{1} << 40}) {
    const CacheShares shares = share_out_cache(total);
    EXPECT_EQ(shares.store + shares.denial_ranges, total);
    EXPECT_LE(shares.denial_ranges, uint64_t{16} << 20);
  }
}

}  // namespace
}  // namespace peregrine
