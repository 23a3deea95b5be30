// Zones of one's own, the local root and forwarders that may be gone without, as the recursor goes by them.
#include "resolve/own_zone.h"

#include <gmock/gmock.h>

#include "recursor_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::shared_ptr<Zone> zone_of(std::string_view apex, const std::vector<std::string>& lines) {
  auto zone = std::make_shared<Zone>(name(apex));
  for (const std::string& line : lines) EXPECT_TRUE(zone->add_line(line)) << line;
  return zone;
}

class OwnZoneTest : public RecursorTest {
 protected:
  void local(std::vector<std::shared_ptr<const Zone>> zones) {
    auto made = std::make_shared<RecursionTable>(*table);
    for (const auto& zone : zones) {
      for (const DnameBuf& cut : zone->delegations()) {
        made->stubs.push_back(delegation_in(*zone, cut));
        made->stubs.back().configured = true;
      }
    }
    made->locals = std::make_shared<const LocalZones>(std::move(zones));
    table = made;
  }
  void local_root(const std::vector<std::string>& lines,
                  std::chrono::seconds left = std::chrono::seconds(60)) {
    auto made = std::make_shared<RecursionTable>(*table);
    made->local_root = zone_of(".", lines);
    made->local_root_expires = world.clock.wall() + left;
    table = made;
  }
  void forward(std::string_view zone, std::string_view server, bool first) {
    forwards = std::make_shared<ForwardTable>(
        std::vector<ForwardTable::Zone>{{name(zone), {endpoint(server)}, first}});
  }
};

const std::vector<std::string> root_lines = {". 86400 SOA a.root. host. 1 2 3 4 86400", ". 518400 NS a.root.",
                                             "com. 172800 NS a.gtld.com.", "a.gtld.com. 172800 A 192.5.6.30",
                                             "net. 172800 NS a.gtld.com."};

TEST_F(OwnZoneTest, AnswersWithoutAskingAnybody) {
  local({zone_of("example.com.", {soa, "www 60 A 192.0.2.7", "in 60 CNAME www", "*.w 60 A 192.0.2.8"})});
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.7")));
  EXPECT_THAT(answer("in.example.com."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.7")));
  EXPECT_THAT(answer("x.w.example.com."), ElementsAre(HasSubstr("192.0.2.8")));
  EXPECT_EQ(resolve("gone.example.com.").rcode, Rcode::nxdomain);
  EXPECT_THAT(internet.asked(), IsEmpty());
}

TEST_F(OwnZoneTest, AnAliasThatLeadsOutIsFollowed) {
  local({zone_of("home.", {soa, "web 60 CNAME www.example.com."})});
  EXPECT_THAT(answer("web.home."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.80")));
}

TEST_F(OwnZoneTest, AnAliasOfTheWorldMayLeadIn) {
  local({zone_of("other.net.", {soa, "www 60 A 192.0.2.7"})});
  EXPECT_THAT(answer("away.example.com."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.7")));
}

TEST_F(OwnZoneTest, ItsDelegationsAreFollowed) {
  internet.zone("sub.home.", {"10.0.0.53"}, {soa, "www 60 A 192.0.2.9"});
  options().query_private = false;
  local({zone_of("home.", {soa, "sub 60 NS ns.sub", "ns.sub 60 A 10.0.0.53", "web 60 CNAME www.sub"})});
  EXPECT_THAT(answer("www.sub.home."), ElementsAre(HasSubstr("192.0.2.9")));
  EXPECT_THAT(answer("web.home."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.9")));
  EXPECT_THAT(internet.asked("198.41.0.4"), IsEmpty());
}

TEST_F(OwnZoneTest, WinsOverWhatIsKnown) {
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.80")));
  local({zone_of("example.com.", {soa, "www 60 A 192.0.2.7"})});
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.7")));
}

TEST_F(OwnZoneTest, WhatIsLearnedFromOtherServersIsApart) {
  answer("www.example.com.");
  const size_t before = internet.asked().size();
  answer("www.example.com.");
  EXPECT_EQ(internet.asked().size(), before);
  knowledge.realm(7);
  answer("www.example.com.");
  EXPECT_EQ(internet.asked().size(), 2 * before) << "nothing is known there";
  knowledge.realm(0);
  answer("www.example.com.");
  EXPECT_EQ(internet.asked().size(), 2 * before) << "and here it still is";
}

TEST_F(OwnZoneTest, WithoutARootTheForwardersAreAsked) {
  world.network.serve(endpoint("192.0.2.53"), answering("www.example.net. 60 A 192.0.2.77"));
  auto made = std::make_shared<RecursionTable>(*table);
  made->root = {.zone = {}, .servers = {}, .configured = true};
  table = made;
  local({zone_of("home.", {soa, "web 60 CNAME www.example.net."})});
  EXPECT_EQ(resolve("web.home.").rcode, Rcode::servfail);
  forward(".", "192.0.2.53", false);
  pass(std::chrono::minutes(10));  // the failure is remembered for a while
  EXPECT_THAT(answer("web.home."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.77")));
}

TEST_F(OwnZoneTest, TheLocalRootIsAskedInsteadOfItsServers) {
  local_root(root_lines);
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.80")));
  EXPECT_EQ(resolve("nothing.").rcode, Rcode::nxdomain);
  EXPECT_EQ(resolve("a.b.junk.").rcode, Rcode::nxdomain);
  EXPECT_THAT(answer(".", Type::ns), SizeIs(1));
  EXPECT_THAT(internet.asked("198.41.0.4"), IsEmpty());
}

TEST_F(OwnZoneTest, AnExpiredLocalRootIsNot) {
  local_root(root_lines, std::chrono::seconds(0));
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.80")));
  EXPECT_FALSE(internet.asked("198.41.0.4").empty());
}

TEST_F(OwnZoneTest, ALocalRootExpiresWhileItIsUsed) {
  local_root(root_lines);
  EXPECT_EQ(resolve("nothing.").rcode, Rcode::nxdomain);
  pass(std::chrono::seconds(61));
  EXPECT_EQ(resolve("nothing2.").rcode, Rcode::nxdomain);
  EXPECT_FALSE(internet.asked("198.41.0.4").empty());
}

TEST_F(OwnZoneTest, WhereForwardersThatComeFirstFailOthersAreAsked) {
  world.network.serve(endpoint("192.0.2.53"), always({.rcode = Rcode::servfail}));
  forward("example.com.", "192.0.2.53", true);
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.80")));
  forward("example.com.", "192.0.2.53", false);
  EXPECT_EQ(resolve("alias.example.com.").rcode, Rcode::servfail);
}

TEST_F(OwnZoneTest, ForwardersThatAreSilentLeaveTimeForOthers) {
  forward("example.com.", "192.0.2.99", true);
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.80")));
}

TEST_F(OwnZoneTest, WhatForwardersDenyIsNotAskedElsewhere) {
  world.network.serve(endpoint("192.0.2.53"),
                      always({.rcode = Rcode::nxdomain, .authority = {"com. 60 SOA n. h. 1 2 3 4 5"}}));
  forward("example.com.", "192.0.2.53", true);
  EXPECT_EQ(resolve("www.example.com.").rcode, Rcode::nxdomain);
}

TEST(OwnZone, ADelegationHasTheAddressesThatTheZoneHas) {
  const auto zone = zone_of("home.", {"sub 60 NS ns.sub", "sub 60 NS ns.example.com.",
                                      "ns.sub 60 A 10.0.0.53", "ns.sub 60 AAAA 2001:db8::53"});
  const Delegation made = delegation_in(*zone, name("sub.home."));
  ASSERT_THAT(made.servers, SizeIs(2));
  EXPECT_EQ(made.zone, name("sub.home."));
  EXPECT_THAT(made.servers[0].addresses, SizeIs(2));
  EXPECT_EQ(made.servers[0].addresses[0].to_string(), "10.0.0.53");
  EXPECT_THAT(made.servers[1].addresses, IsEmpty());
}

}  // namespace
}  // namespace peregrine
