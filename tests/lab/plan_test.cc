#include "lab/plan.h"

#include <gmock/gmock.h>

#include <set>

#include "lab/plan_builder.h"

namespace peregrine {
namespace {

using testing::Contains;
using testing::Not;

const PlannedZone& zone_of(const InternetPlan& plan, std::string_view apex) {
  const auto found = std::ranges::find(plan.zones, apex, &PlannedZone::apex);
  if (found == plan.zones.end()) throw std::invalid_argument("no such zone");
  return *found;
}

TEST(PlanTest, TheSameSeedGivesTheSamePlan) {
  const InternetPlan one = make_plan({.seed = 7}), two = make_plan({.seed = 7}),
                     other = make_plan({.seed = 8});
  ASSERT_EQ(one.zones.size(), two.zones.size());
  bool differs = false;
  for (size_t i = 0; i < one.zones.size(); ++i) {
    EXPECT_EQ(one.zones[i].records, two.zones[i].records) << one.zones[i].apex;
    EXPECT_EQ(one.zones[i].servers, two.zones[i].servers);
    differs |= one.zones[i].records != other.zones[i].records;
  }
  EXPECT_TRUE(differs);
}

TEST(PlanTest, EveryRecordIsOneAndEveryZoneHasSoaAndServers) {
  const InternetPlan plan = make_plan({});
  std::set<std::string> apexes;
  for (const PlannedZone& planned : plan.zones) {
    EXPECT_TRUE(apexes.insert(planned.apex).second) << planned.apex;
    EXPECT_FALSE(planned.servers.empty()) << planned.apex;
    const Zone zone = planned.build();
    EXPECT_EQ(zone.records(zone.apex(), Type::soa).size(), 1U) << planned.apex;
    EXPECT_FALSE(zone.records(zone.apex(), Type::ns).empty()) << planned.apex;
  }
}

TEST(PlanTest, AddressesAreOfTheLabAndOfOneServer) {
  const auto [v4, v6] = lab_prefixes();
  for (const bool on_loopback : {false, true}) {
    std::set<IpAddress> seen;
    for (const PlannedServer& server : make_plan({.made_up = 100, .on_loopback = on_loopback}).servers) {
      EXPECT_FALSE(server.addresses.empty());
      for (const IpAddress& address : server.addresses) {
        EXPECT_TRUE(seen.insert(address).second) << address.to_string();
        const bool is_v4 = address.family() == Family::v4;
        EXPECT_TRUE(is_v4 ? (on_loopback ? address.is_loopback() : v4.contains(address))
                          : v6.contains(address));
      }
    }
  }
}

TEST(PlanTest, TheLieIsNoTrueRecord) {
  for (const PlannedZone& zone : make_plan({}).zones)
    EXPECT_THAT(zone.records, Not(Contains(testing::HasSubstr(lie)))) << zone.apex;
}

TEST(PlanTest, DelayAndLossAreAddedToEveryServer) {
  const InternetPlan plain = make_plan({});
  const InternetPlan far = make_plan({.delay = std::chrono::milliseconds(20), .loss = 0.01});
  for (size_t i = 0; i < plain.servers.size(); ++i) {
    EXPECT_EQ(far.servers[i].conduct.delay - plain.servers[i].conduct.delay, std::chrono::milliseconds(20));
    EXPECT_EQ(far.servers[i].conduct.loss, std::max(plain.servers[i].conduct.loss, 0.01));
  }
}

TEST(PlanTest, TheRootsHaveBothFamilies) {
  const auto roots = make_plan({}).roots();
  EXPECT_EQ(std::ranges::count(roots, Family::v4, &IpAddress::family), 3);
  EXPECT_EQ(std::ranges::count(roots, Family::v6, &IpAddress::family), 3);
  EXPECT_TRUE(InternetPlan().roots().empty());
}

TEST(PlanTest, ARecordThatIsNoneIsNamed) {
  const PlannedZone zone{
      .apex = "example.", .shape = "", .records = {"www 300 A 192.0.2.256"}, .servers = {}};
  try {
    (void)zone.build();
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("192.0.2.256"));
  }
}

class PlanBuilderTest : public testing::Test {
 protected:
  PlanBuilderTest() : server(builder.server()) {
    builder.zone(".", "the root", {{"a.root.", server}});
    builder.zone_at("example.", "", {server});
  }
  const std::vector<std::string>& records(std::string_view apex) {
    if (plan.zones.empty()) plan = std::move(builder).finish();
    return zone_of(plan, apex).records;
  }
  PlanBuilder builder{PlanOptions{}};
  size_t server;
  InternetPlan plan;
};

TEST_F(PlanBuilderTest, NamesBelowTheZoneHaveGlue) {
  builder.zone_at("a.example.", "", {server});
  EXPECT_THAT(records("example."), Contains("a.example. 86400 NS ns1.a.example."));
  EXPECT_THAT(records("example."), Contains("ns1.a.example. 86400 A 198.18.0.1"));
  EXPECT_THAT(records("example."), Contains("ns1.a.example. 86400 AAAA fd6c:6162:0:1::53"));
  EXPECT_THAT(records("a.example."), Contains("ns1.a.example. 86400 A 198.18.0.1"));
}

TEST_F(PlanBuilderTest, OtherNamesHaveNone) {
  builder.zone_at("a.example.", "", {server});
  builder.zone("b.example.", "", {{"x.a.example.", server}});
  EXPECT_THAT(records("example."), Contains("b.example. 86400 NS x.a.example."));
  EXPECT_THAT(records("example."), Not(Contains(testing::StartsWith("x.a.example."))));
  EXPECT_THAT(records("a.example."), Contains("x.a.example. 86400 A 198.18.0.1"));
  EXPECT_THAT(records("b.example."), Not(Contains(testing::StartsWith("x.a.example."))));
}

TEST_F(PlanBuilderTest, AParentMayNameOtherServers) {
  const size_t old = builder.server({}, Reach::v6);
  builder.zone_at("a.example.", "", {server}).parent_hosts = {{"old.a.example.", old}};
  EXPECT_THAT(records("example."), Contains("a.example. 86400 NS old.a.example."));
  EXPECT_THAT(records("example."), Contains("old.a.example. 86400 AAAA fd6c:6162:0:2::53"));
  EXPECT_THAT(records("a.example."), Contains("@ 86400 NS ns1.a.example."));
  EXPECT_THAT(plan.servers[old].zones, testing::SizeIs(1));
}

TEST_F(PlanBuilderTest, TheNearestZoneAboveDelegates) {
  builder.zone_at("b.c.d.example.", "", {server});
  builder.zone_at("d.example.", "", {server});
  EXPECT_THAT(records("d.example."), Contains("b.c.d.example. 86400 NS ns1.b.c.d.example."));
  EXPECT_THAT(records("example."), Not(Contains(testing::StartsWith("b.c.d.example."))));
}

}  // namespace
}  // namespace peregrine
