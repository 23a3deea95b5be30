#include "resolve/upstreams.h"

#include <gmock/gmock.h>

#include <map>

#include "resolve/dns_script.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class UpstreamsTest : public testing::Test {
 protected:
  // The most frequent order of many: exploration left out.
  std::vector<Endpoint> usual_order() {
    std::map<std::vector<Endpoint>, int> seen;
    for (int i = 0; i < 100; ++i) ++seen[upstreams.order(servers, 10)];
    return std::ranges::max_element(seen, {}, [](const auto& entry) { return entry.second; })->first;
  }
  Endpoint first() { return upstreams.order(servers, 1).at(0); }
  void fail(const Endpoint& server, int times) {
    for (int i = 0; i < times; ++i) upstreams.failed(server);
  }

  VirtualClock clock;
  Random random = Random::from_seed(1);
  Upstreams upstreams{clock, random};
  Endpoint a = endpoint("192.0.2.1"), b = endpoint("192.0.2.2"), c = endpoint("192.0.2.3");
  std::vector<Endpoint> servers{a, b, c};
};

TEST_F(UpstreamsTest, BestFirst) {
  upstreams.answered(a, 30ms);
  upstreams.answered(b, 10ms);
  upstreams.answered(c, 20ms);
  EXPECT_THAT(usual_order(), ElementsAre(b, c, a));
}

TEST_F(UpstreamsTest, AsConfiguredWhileNothingIsKnown) {
  EXPECT_THAT(usual_order(), ElementsAre(a, b, c));
  upstreams.answered(a, 1ms);
  EXPECT_THAT(usual_order(), ElementsAre(b, c, a)) << "the others are yet to be measured";
}

TEST_F(UpstreamsTest, NoMoreThanAskedFor) {
  EXPECT_EQ(upstreams.order(servers, 2).size(), 2u);
  EXPECT_TRUE(upstreams.order(servers, 0).empty());
  EXPECT_TRUE(upstreams.order({}, 5).empty());
}

TEST_F(UpstreamsTest, AnotherOneNowAndThen) {
  upstreams.answered(a, 10ms);
  upstreams.answered(b, 20ms);
  upstreams.answered(c, 30ms);
  std::map<Endpoint, int> firsts;
  for (int i = 0; i < 4000; ++i) ++firsts[first()];
  EXPECT_NEAR(firsts[a], 3800, 70) << "five standard deviations";
  EXPECT_NEAR(firsts[b], 100, 50);
  EXPECT_NEAR(firsts[c], 100, 50);
  std::vector<Endpoint> one{a};
  for (int i = 0; i < 100; ++i) EXPECT_THAT(upstreams.order(one, 1), ElementsAre(a));
}

TEST_F(UpstreamsTest, SmoothsAsRfc6298) {
  upstreams.answered(a, 100ms);
  EXPECT_EQ(upstreams.health(a).srtt, 100ms);
  EXPECT_EQ(upstreams.health(a).rttvar, 50ms);
  upstreams.answered(a, 180ms);
  EXPECT_EQ(upstreams.health(a).rttvar, 57500us);
  EXPECT_EQ(upstreams.health(a).srtt, 110ms);
  EXPECT_EQ(upstreams.health(a).timeout(), 340ms);
}

TEST_F(UpstreamsTest, TimeoutHasBounds) {
  EXPECT_EQ(upstreams.health(a).timeout(), 800ms) << "unknown";
  upstreams.answered(a, 0ms);
  EXPECT_NE(upstreams.health(a).srtt, 0ms) << "measured, however fast";
  EXPECT_EQ(upstreams.health(a).timeout(), 200ms);
  upstreams.answered(b, 5s);
  EXPECT_EQ(upstreams.health(b).timeout(), 2s);
  upstreams.answered(c, 100h);
  EXPECT_LE(upstreams.health(c).srtt, 1min);
}

TEST_F(UpstreamsTest, TimeoutDoublesWithFailuresButNotForAProbe) {
  upstreams.answered(a, 1ms);
  upstreams.failed(a);
  EXPECT_EQ(upstreams.health(a).timeout(), 400ms);
  upstreams.failed(a);
  EXPECT_EQ(upstreams.health(a).timeout(), 800ms);
  clock.advance(2s);
  EXPECT_EQ(first(), a);
  EXPECT_EQ(upstreams.health(a).timeout(), 200ms);
  upstreams.failed(a);
  EXPECT_EQ(upstreams.health(a).timeout(), 800ms) << "twice is enough";
}

TEST_F(UpstreamsTest, AFailureDemotesAndASecondRests) {
  for (const Endpoint& server : servers) upstreams.answered(server, 10ms);
  upstreams.failed(a);
  EXPECT_THAT(usual_order(), ElementsAre(b, c, a));
  EXPECT_EQ(upstreams.health(a).rest_until, Instant{});
  upstreams.failed(a);
  EXPECT_EQ(upstreams.health(a).rest_until, clock.now() + 1s);
  for (int i = 0; i < 500; ++i) EXPECT_NE(first(), a) << "not even to explore";
}

TEST_F(UpstreamsTest, RestsLongerAndLonger) {
  upstreams.failed(a);
  std::vector<Duration> rests;
  for (int i = 0; i < 9; ++i) {
    upstreams.failed(a);
    Duration rest = upstreams.health(a).rest_until - clock.now();
    rests.push_back(rest);
    clock.advance(rest);
  }
  EXPECT_THAT(rests, ElementsAre(1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s));
}

TEST_F(UpstreamsTest, ManyQueriesAtOnceAreOneFailure) {
  fail(a, 1000);
  EXPECT_EQ(upstreams.health(a).rest_until, clock.now() + 1s);
  EXPECT_EQ(upstreams.health(a).failures, 2u);
}

TEST_F(UpstreamsTest, ProbesOnceWhenTheRestIsOver) {
  upstreams.answered(b, 1ms);
  upstreams.answered(c, 1ms);
  fail(a, 2);
  clock.advance(999ms);
  EXPECT_NE(first(), a);
  clock.advance(1ms);
  EXPECT_EQ(first(), a);
  for (int i = 0; i < 100; ++i) EXPECT_NE(first(), a) << "one query is enough to see";
  upstreams.failed(a);
  EXPECT_EQ(upstreams.health(a).rest_until, clock.now() + 2s)
      << "the probe counts, though it counted as resting";
  clock.advance(2s);
  EXPECT_EQ(first(), a);
  upstreams.answered(a, 1us);
  EXPECT_THAT(usual_order(), ElementsAre(a, b, c)) << "back as if nothing had been";
  EXPECT_EQ(upstreams.health(a).failures, 0u);
}

TEST_F(UpstreamsTest, AProbeWithoutOutcomeIsMadeAgain) {
  upstreams.answered(b, 1ms);
  fail(a, 2);
  clock.advance(1s);
  EXPECT_EQ(first(), a);
  clock.advance(2s);
  EXPECT_EQ(first(), a);
}

TEST_F(UpstreamsTest, WhenAllRestTheSoonestIsFirst) {
  fail(b, 2);
  clock.advance(100ms);
  fail(a, 2);
  clock.advance(100ms);
  fail(c, 2);
  EXPECT_THAT(usual_order(), ElementsAre(b, a, c));
}

TEST_F(UpstreamsTest, UselessRepliesDemoteInTheLongRun) {
  for (const Endpoint& server : {b, c}) upstreams.answered(server, 50ms);
  for (int i = 0; i < 7; ++i) upstreams.answered_uselessly(a, 1ms);
  EXPECT_EQ(usual_order().front(), a) << "the names may have been at fault";
  upstreams.answered_uselessly(a, 1ms);
  EXPECT_EQ(usual_order().back(), a);
  EXPECT_EQ(upstreams.health(a).rest_until, Instant{});
  upstreams.answered(a, 1ms);
  EXPECT_EQ(usual_order().front(), a);
}

TEST_F(UpstreamsTest, UselessRepliesEndARest) {
  fail(a, 3);
  upstreams.answered_uselessly(a, 5ms);
  EXPECT_EQ(upstreams.health(a).failures, 0u);
  EXPECT_EQ(upstreams.health(a).srtt, 5ms);
}

TEST_F(UpstreamsTest, RemembersWhoLacksEdns) {
  EXPECT_LE(upstreams.health(a).no_edns_until, clock.now());
  upstreams.lacks_edns(a);
  EXPECT_EQ(upstreams.health(a).no_edns_until, clock.now() + 10min);
}

TEST_F(UpstreamsTest, TheSameChoiceForTheSameNumbers) {
  auto orders = [&] {
    VirtualClock own_clock;
    Random own_random = Random::from_seed(9);
    Upstreams own(own_clock, own_random);
    std::vector<std::vector<Endpoint>> all;
    for (int i = 0; i < 300; ++i) all.push_back(own.order(servers, 3));
    return all;
  };
  EXPECT_EQ(orders(), orders());
}

}  // namespace
}  // namespace peregrine
