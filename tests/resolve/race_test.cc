#include "resolve/race.h"

#include <gmock/gmock.h>

#include "resolve/recursor_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const Endpoint first_server = endpoint("203.0.113.1"), second_server = endpoint("203.0.113.2");

class RaceTest : public RecursorTest {
 protected:
  // All zones above are known, and so are both servers.
  RaceTest() {
    resolve("www.example.com.");
    for (int i = 0; i < 10; ++i) {
      upstreams.answered(first_server, 10ms);
      upstreams.answered(second_server, 12ms);
    }
    world.network.forget_queries();
  }
  // As many as are asked for at once.
  std::vector<Resolution> resolve_together(const std::vector<std::string>& names) {
    std::vector<std::optional<Resolution>> results(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      spawn(keep_result(recursor.resolve({.qname = name(names[i])}, table, forwards, {}), &results[i]));
    }
    while (world.network.step()) {
    }
    std::vector<Resolution> all;
    for (auto& result : results) all.push_back(result.value());
    return all;
  }
};

TEST_F(RaceTest, AnotherServerIsAskedBesideASlowOne) {
  world.network.serve(first_server, answering("www2.example.com. 60 A 192.0.2.1", 500ms));
  internet.zone("example.com.", {"203.0.113.2"}, {soa, "www2 60 A 192.0.2.2"});
  const Instant begun = world.clock.now();
  EXPECT_THAT(answer("www2.example.com."), ElementsAre(HasSubstr("192.0.2.2")));
  EXPECT_LT(world.clock.now() - begun, 60ms);
  EXPECT_EQ(upstreams.health(first_server).failures, 0u) << "it is late, no more";
}

TEST_F(RaceTest, ASlowReplyWinsWhereTheOtherIsOfNoUse) {
  internet.zone("example.com.", {"203.0.113.1"}, {soa, "www2 60 A 192.0.2.1"});
  world.network.serve(first_server, [this](const FakeQuery& query) {
    return std::vector<FakeReply>{{.message = internet.answer(first_server, query.message), .delay = 100ms}};
  });
  world.network.serve(second_server, always({.rcode = Rcode::refused}));
  EXPECT_THAT(answer("www2.example.com."), ElementsAre(HasSubstr("192.0.2.1")));
}

TEST_F(RaceTest, ALoneServerIsAskedAgainWhenAPacketIsLost) {
  internet.zone("com.", {"192.5.6.30"}, {soa, "lone 60 NS ns.lone", "ns.lone 60 A 203.0.113.9"});
  internet.zone("lone.com.", {"203.0.113.9"}, {soa, "www 60 A 192.0.2.3"});
  const Endpoint lone = endpoint("203.0.113.9");
  for (int i = 0; i < 10; ++i) upstreams.answered(lone, 10ms);
  bool lost = false;
  world.network.serve(lone, [&](const FakeQuery& query) -> std::vector<FakeReply> {
    if (!std::exchange(lost, true)) return {};
    return {{.message = internet.answer(lone, query.message)}};
  });
  const Instant begun = world.clock.now();
  EXPECT_THAT(answer("www.lone.com."), ElementsAre(HasSubstr("192.0.2.3")));
  EXPECT_LT(world.clock.now() - begun, 100ms);
}

// A tenth of all queries, and ten to begin with.
TEST_F(RaceTest, SecondQueriesAreBounded) {
  world.network.serve(first_server, {});
  world.network.serve(second_server, {});
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) names.push_back("n" + std::to_string(i) + ".example.com.");
  options().max_packets = 2;
  resolve_together(names);
  EXPECT_LE(world.network.queries().size(), 2 * names.size());
  HedgeCredit credit;
  unsigned spent = 0;
  for (int i = 0; i < 1000; ++i) {
    credit.earn();
    spent += credit.spend();
  }
  EXPECT_LE(spent, 110u);
  EXPECT_GE(spent, 100u);
}

// RFC 5452 section 5: many identical queries under way would be a birthday paradox's gift to a forger.
TEST_F(RaceTest, OneQueryServesAllThatWaitForIt) {
  internet.zone("com.", {"192.5.6.30"}, {soa, "new 60 NS ns.new", "ns.new 60 A 203.0.113.9"});
  internet.zone("new.com.", {"203.0.113.9"}, {soa, "* 60 A 192.0.2.3"});
  const auto all = resolve_together({"a.new.com.", "b.new.com.", "c.new.com.", "d.new.com."});
  for (const Resolution& resolution : all) EXPECT_EQ(resolution.rcode, Rcode::noerror);
  EXPECT_THAT(internet.asked("192.5.6.30"), ElementsAre("new.com. A"));
  EXPECT_THAT(internet.asked("203.0.113.9"), SizeIs(4));
}

// A reply that many share is one reply, and a lone server is not asked again by each who waits for it.
TEST_F(RaceTest, ASharedQueryCountsOnce) {
  internet.zone("com.", {"192.5.6.30"}, {soa, "new 60 NS ns.new", "ns.new 60 A 203.0.113.9"});
  internet.zone("new.com.", {"203.0.113.9"}, {soa, "* 60 A 192.0.2.3"});
  unsigned referrals = 0;
  world.network.serve(endpoint("192.5.6.30"), [&](const FakeQuery& query) {
    ++referrals;
    return std::vector<FakeReply>{
        {.message = internet.answer(endpoint("192.5.6.30"), query.message), .delay = 700ms}};
  });
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("n" + std::to_string(i) + ".new.com.");
  resolve_together(names);
  EXPECT_LE(referrals, 8u) << "three rounds, each hedged at most once, whoever waits";
}

TEST_F(RaceTest, WhoHasNoTimeDoesNotMakeAServerFail) {
  world.network.serve(first_server, {});
  world.network.serve(second_server, {});
  options().timeout = 50ms;
  for (int i = 0; i < 5; ++i) resolve("n" + std::to_string(i) + ".example.com.");
  EXPECT_EQ(upstreams.health(first_server).failures, 0u);
  EXPECT_EQ(upstreams.health(second_server).failures, 0u);
}

// Who is served by another's query does not wait longer than he has time.
TEST_F(RaceTest, EachKeepsToItsOwnTime) {
  world.network.serve(first_server, {});
  world.network.serve(second_server, {});
  std::optional<Resolution> patient, hasty;
  spawn(keep_result(recursor.resolve({.qname = name("slow.example.com.")}, table, forwards, {}), &patient));
  options().timeout = 100ms;
  const Instant begun = world.clock.now();
  spawn(keep_result(recursor.resolve({.qname = name("slow.example.com.")}, table, forwards, {}), &hasty));
  while (!hasty && world.network.step()) {
  }
  EXPECT_LE(world.clock.now() - begun, 110ms);
  EXPECT_FALSE(patient);
  while (world.network.step()) {
  }
  EXPECT_EQ(patient.value().rcode, Rcode::servfail);
}

TEST_F(RaceTest, WhoRefusesTcpIsNotAskedByItAgain) {
  for (const Endpoint& server : {first_server, second_server})
    world.network.host(server, {.server = always({.truncated = true}), .tcp = FakeTcp::refuses});
  resolve("big.example.com.");
  const uint64_t connections = world.count(Counter::upstream_tcp);
  EXPECT_GE(connections, 2u);
  resolve("large.example.com.");
  EXPECT_EQ(world.count(Counter::upstream_tcp), connections);
  EXPECT_EQ(upstreams.health(first_server).failures, 0u);
}

// Whoever sends junk in a server's name must not be able to have it passed over.
TEST_F(RaceTest, JunkDemotesNobody) {
  const auto junk = by_transport(
      [](const FakeQuery& query) {
        Octets message = reply_to(query.message, {.answer = {"www2.example.com. 60 A 192.0.2.66"}});
        message[header_size + 1] ^= 0x20;  // the letter case of the qname
        return std::vector<FakeReply>{{.message = message}};
      },
      {});
  for (const Endpoint& server : {first_server, second_server})
    world.network.host(server, {.server = junk, .tcp = FakeTcp::silent});
  resolve("www2.example.com.");
  for (const Endpoint& server : {first_server, second_server}) {
    EXPECT_EQ(upstreams.health(server).failures, 0u);
    EXPECT_TRUE(upstreams.health(server).in_good_order());
  }
}

}  // namespace
}  // namespace peregrine
