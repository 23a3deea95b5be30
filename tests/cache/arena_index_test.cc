#include "cache/arena_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "base/random.h"

namespace peregrine {
namespace {

constexpr unsigned group_slots = ArenaBucket::slot_count * ArenaGroup::buckets;

struct alignas(256) Buckets {
  ArenaBucket at[ArenaGroup::buckets]{};
};

TEST(ArenaSlot, KeepsItsParts) {
  const ArenaSlot slot(0xfedc, 3, ArenaSlot::max_granules, 0x12345678);
  EXPECT_EQ(slot.tag(), 0xfedc);
  EXPECT_EQ(slot.distance(), 3u);
  EXPECT_EQ(slot.granules(), ArenaSlot::max_granules);
  EXPECT_EQ(slot.ref(), 0x12345678u);
  EXPECT_TRUE(ArenaSlot(0, 0, 1, 0));
  EXPECT_FALSE(ArenaSlot());
}

TEST(ArenaBucket, MatchFindsEverySlotOfATag) {
  Random random = Random::from_seed(1);
  for (int round = 0; round < 2000; ++round) {
    Buckets buckets;
    ArenaBucket& bucket = buckets.at[0];
    std::vector<uint16_t> tags(ArenaBucket::slot_count);
    {
      ArenaGroup group(bucket);
      for (unsigned i = 0; i < tags.size(); ++i) {
        tags[i] = static_cast<uint16_t>(random.one_in(2) ? random.u16() : random.below(3) * 0x7fff);
        group.set({&bucket, i}, tags[i], 1 + random.below(100), random.u32(), random.below(4));
      }
    }
    for (unsigned tag : {0u, 1u, 0x7fffu, 0x8000u, 0xfffeu, 0xffffu, unsigned{tags[3]}}) {
      unsigned expected = 0;
      for (unsigned i = 0; i < tags.size(); ++i) expected |= unsigned{tags[i] == tag} << (2 * i);
      ASSERT_EQ(bucket.match(static_cast<uint16_t>(tag)), expected) << tag;
    }
  }
}

TEST(ArenaBucket, CountsUsesUpToThree) {
  Buckets buckets;
  ArenaBucket& bucket = buckets.at[0];
  for (unsigned i = 0; i < ArenaBucket::slot_count; ++i)
    for (unsigned k = 0; k < i; ++k) bucket.count_use(i);
  for (unsigned i = 0; i < ArenaBucket::slot_count; ++i) EXPECT_EQ(bucket.frequency(i), std::min(i, 3u));
  ArenaGroup group(bucket);
  group.set({&bucket, 4}, 1, 1, 1, 2);
  EXPECT_EQ(bucket.frequency(3), 3u);
  EXPECT_EQ(bucket.frequency(4), 2u);
  EXPECT_EQ(bucket.frequency(5), 3u);
}

TEST(ArenaGroup, FillsTheHomeFirstAndThenTheOthers) {
  Buckets buckets;
  ArenaBucket& home = buckets.at[2];
  for (ArenaRef ref = 0; ref < group_slots; ++ref) {
    ArenaGroup group(home);
    const ArenaPlace place = group.find_empty();
    ASSERT_TRUE(place);
    group.set(place, 77, 1, ref, 0);
    EXPECT_EQ(place.bucket == &home, ref < ArenaBucket::slot_count);
    EXPECT_EQ(&place.home(), &home);
  }
  EXPECT_EQ(home.displaced(), group_slots - ArenaBucket::slot_count);
  EXPECT_EQ(buckets.at[0].displaced(), 0u);

  ArenaGroup group(home);
  EXPECT_FALSE(group.find_empty());
  for (ArenaRef ref = 0; ref < group_slots; ++ref) EXPECT_EQ(group.find(77, ref).read().ref(), ref);
  EXPECT_FALSE(group.find(77, ArenaRef{group_slots}));
  EXPECT_FALSE(group.find(78, ArenaRef{3}));
  for (ArenaRef ref = 0; ref < group_slots; ++ref) ArenaGroup::clear(group.find(77, ref));
  EXPECT_EQ(home.displaced(), 0u);
  for (ArenaBucket& bucket : buckets.at) EXPECT_TRUE(bucket.empty());
}

TEST(ArenaGroup, CountsWhatIsDisplacedForItsOwnHome) {
  Buckets buckets;
  for (ArenaRef ref = 0; ref < ArenaBucket::slot_count + 3; ++ref) {
    ArenaGroup group(buckets.at[1]);
    group.set(group.find_empty(), 5, 1, ref, 0);
  }
  // From home 0, whose slots home 1 has taken three of: seven of its own would displace three.
  for (ArenaRef ref = 100; ref < 100 + ArenaBucket::slot_count; ++ref) {
    ArenaGroup group(buckets.at[0]);
    group.set(group.find_empty(), 5, 1, ref, 0);
  }
  EXPECT_EQ(buckets.at[1].displaced(), 3u);
  EXPECT_EQ(buckets.at[0].displaced(), 3u);
  ArenaGroup group(buckets.at[0]);
  group.set(group.find(5, ArenaRef{106}), 5, 2, 200, 1);  // in its place: displaced as before
  EXPECT_EQ(buckets.at[0].displaced(), 3u);
  ArenaGroup::clear(group.find(5, ArenaRef{200}));
  EXPECT_EQ(buckets.at[0].displaced(), 2u);
  EXPECT_EQ(buckets.at[1].displaced(), 3u);
}

TEST(ArenaGroup, FindsTheColdest) {
  Buckets buckets;
  ArenaGroup group(buckets.at[0]);
  for (ArenaRef ref = 0; ref < group_slots; ++ref)
    group.set(group.find_empty(), 9, 1, ref, ref == 20 ? 1 : 3);
  EXPECT_EQ(group.find_coldest(0).read().ref(), 20u);
  EXPECT_EQ(group.find_coldest(6).read().ref(), 20u);
  group.set(group.find(9, ArenaRef{2}), 9, 1, 2, 0);
  EXPECT_EQ(group.find_coldest(5).read().ref(), 2u);
}

TEST(ArenaGroup, OneHolderAtATime) {
  Buckets buckets;
  uint64_t counted = 0;  // under the group's lock
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 5000; ++i) {
          const ArenaGroup group(buckets.at[t]);
          ++counted;
        }
      });
    }
  }
  EXPECT_EQ(counted, 20'000u);
}

TEST(ArenaGhosts, RemembersTheLastFour) {
  ArenaGhosts ghosts{};
  for (uint16_t tag = 1; tag <= 6; ++tag) ghosts.add(tag);
  EXPECT_FALSE(ghosts.take(1));
  EXPECT_FALSE(ghosts.take(2));
  EXPECT_TRUE(ghosts.take(4));
  EXPECT_FALSE(ghosts.take(4));
  EXPECT_TRUE(ghosts.take(3));
  EXPECT_TRUE(ghosts.take(6));
  EXPECT_TRUE(ghosts.take(5));
  EXPECT_FALSE(ghosts.take(0));
}

}  // namespace
}  // namespace peregrine
