#include "resolve/forwarder.h"

#include <gmock/gmock.h>

#include "cache/answer.h"
#include "resolve/resolve_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string www_a = "www.example. 300 A 192.0.2.1";

FakeServer silence() { return {}; }

class ForwarderTest : public testing::Test {
 protected:
  struct Zone {
    std::string name;
    std::vector<Endpoint> servers;
  };
  void forward(const std::vector<Zone>& zones) {
    std::vector<ForwardTable::Zone> made;
    for (const Zone& zone : zones) made.push_back({name(zone.name), zone.servers});
    table = std::make_shared<ForwardTable>(std::move(made));
  }
  ResolveRequest request(std::string_view qname = "www.example.") {
    ResolveRequest asked;
    asked.qname = name(qname);
    return asked;
  }
  Task<Resolution> task(const ResolveRequest& asked) { return forwarder.resolve(asked, table, options); }
  Resolution resolve(const ResolveRequest& asked) {
    auto result = run(world.network, task(asked));
    return result ? std::move(*result) : throw std::logic_error("no result");
  }
  Resolution resolve(std::string_view qname = "www.example.") { return resolve(request(qname)); }
  MessageView sent(size_t i) { return parsed(world.network.queries().at(i).message); }
  std::vector<Endpoint> asked_servers() {
    std::vector<Endpoint> servers;
    for (const FakeQuery& query : world.network.queries()) servers.push_back(query.server);
    return servers;
  }
  void expect_answer(const Resolution& resolution) {
    EXPECT_EQ(resolution.rcode, Rcode::noerror) << resolution.ede_text;
    ASSERT_FALSE(resolution.message.empty());
    EXPECT_THAT(answer_of(resolution.message), ElementsAre(HasSubstr("192.0.2.1")));
  }
  void expect_failure(const Resolution& resolution, Ede ede) {
    EXPECT_EQ(resolution.rcode, Rcode::servfail);
    EXPECT_THAT(resolution.message, IsEmpty());
    EXPECT_EQ(resolution.ede, ede) << resolution.ede_text;
    EXPECT_FALSE(resolution.server);
  }

  TestWorld world;
  Upstreams upstreams{world.clock, world.random};
  Forwarder forwarder{world.exchange, upstreams, world.clock};
  Endpoint a = endpoint("192.0.2.53"), b = endpoint("192.0.2.54"), c = endpoint("[2001:db8::53]:5300");
  ForwarderOptions options;
  std::shared_ptr<const ForwardTable> table;
};

TEST_F(ForwarderTest, Answers) {
  forward({{".", {a}}});
  world.network.serve(a, answering(www_a));
  auto resolution = resolve("wWw.example.");
  expect_answer(resolution);
  EXPECT_TRUE(same_octets(parsed(resolution.message).question().qname, name("wWw.example.")));
  EXPECT_EQ(resolution.server, a);
  EXPECT_EQ(resolution.upstream_packets, 1u);
  EXPECT_FALSE(resolution.ede);
  EXPECT_EQ(upstreams.health(a).srtt, 10ms);
}

TEST_F(ForwarderTest, AnswersNxdomain) {
  forward({{".", {a}}});
  world.network.serve(a,
                      always({.rcode = Rcode::nxdomain, .authority = {"example. 60 SOA n. r. 1 2 3 4 5"}}));
  auto resolution = resolve();
  EXPECT_EQ(resolution.rcode, Rcode::nxdomain);
  EXPECT_EQ(parsed(resolution.message).rcode(), Rcode::nxdomain);
  EXPECT_THAT(records(parsed(resolution.message), Section::authority), SizeIs(1));
}

// RFC 6672 section 2.2: the DNAME is there, the name that it leads to would be too long.
TEST_F(ForwarderTest, AnswersYxdomain) {
  forward({{".", {a, b}}});
  const std::string label(60, 'x');
  const std::string dname = "example. 60 DNAME " + label + "." + label + "." + label + ".";
  world.network.serve(a, always({.rcode = Rcode::yxdomain, .answer = {dname}}));
  auto resolution = resolve(label + "." + std::string(10, 'y') + ".example.");
  EXPECT_EQ(resolution.rcode, Rcode::yxdomain);
  EXPECT_EQ(resolution.upstream_packets, 1u) << "another server would say the same";
  const MessageView view = parsed(resolution.message);
  EXPECT_EQ(view.rcode(), Rcode::yxdomain);
  EXPECT_THAT(records(view, Section::answer), SizeIs(1));
  EXPECT_FALSE(time_to_keep(view, {})) << "never from the cache";
}

TEST_F(ForwarderTest, AsksAsItWasAsked) {
  forward({{".", {a}}});
  options.udp_size = 1400;
  world.network.serve(a, answering(www_a));
  auto asked = request();
  resolve(asked);
  EXPECT_TRUE(sent(0).header().rd());
  EXPECT_FALSE(sent(0).header().cd());
  EXPECT_FALSE(sent(0).header().ad());
  ASSERT_TRUE(sent(0).edns());
  EXPECT_EQ(sent(0).edns()->udp_size, 1400);
  EXPECT_FALSE(sent(0).edns()->dnssec_ok);
  asked.dnssec_ok = asked.checking_disabled = true;
  asked.qtype = Type::aaaa;
  resolve(asked);
  EXPECT_TRUE(sent(1).header().cd());
  EXPECT_TRUE(sent(1).edns()->dnssec_ok);
  EXPECT_EQ(sent(1).question().qtype, Type::aaaa);
}

TEST_F(ForwarderTest, TheLongestNameFits) {
  std::string label(61, 'x');
  std::string longest = label + "." + label + "." + label + "." + std::string(63, 'y') + ".ab.";
  ASSERT_GE(name(longest).view().size(), 253u);
  forward({{".", {a}}});
  world.network.serve(a, answering(longest + " 60 A 192.0.2.1"));
  expect_answer(resolve(longest));
  EXPECT_TRUE(sent(0).edns());
}

TEST_F(ForwarderTest, NoZoneForTheName) {
  forward({{"corp.example.", {a}}});
  expect_failure(resolve(), Ede::no_reachable_authority);
  forward({{".", {}}});
  expect_failure(resolve(), Ede::no_reachable_authority);
  EXPECT_EQ(world.count(Counter::upstream_queries), 0u);
}

TEST_F(ForwarderTest, TheLongestSuffixNamesTheServers) {
  forward({{".", {a}}, {"example.", {b}}});
  world.network.serve(a, answering("www.other. 60 A 192.0.2.1"));
  world.network.serve(b, answering(www_a));
  resolve("www.other.");
  resolve("www.eXample.");
  EXPECT_THAT(asked_servers(), ElementsAre(a, b));
}

TEST_F(ForwarderTest, TriesAnotherServerWhenOneIsSilent) {
  forward({{".", {a, b}}});
  world.network.serve(a, silence());
  world.network.serve(b, answering(www_a));
  expect_answer(resolve());
  EXPECT_THAT(asked_servers(), ElementsAre(a, b));
  EXPECT_EQ(upstreams.health(a).failures, 1u);
  EXPECT_EQ(world.clock.now() - Instant{}, 810ms);
}

TEST_F(ForwarderTest, TriesAnotherServerWhenOneCannotBeReached) {
  forward({{".", {a, c, b}}});
  world.network.host(a, {.server = {}, .reachable = false});
  world.network.has_v6 = false;
  world.network.serve(b, answering(www_a));
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.server, b);
  EXPECT_EQ(world.clock.now() - Instant{}, 10ms) << "without waiting";
}

TEST_F(ForwarderTest, RestsADeadServer) {
  forward({{".", {a, b}}});
  world.network.serve(a, silence());
  world.network.serve(b, answering(www_a));
  for (int i = 0; i < 100; ++i) expect_answer(resolve());
  EXPECT_LT(std::ranges::count(asked_servers(), a), 10);
  EXPECT_GE(upstreams.health(a).failures, 1u);
}

TEST_F(ForwarderTest, FindsARevivedServer) {
  forward({{".", {a, b}}});
  world.network.serve(a, silence());
  world.network.serve(b, answering(www_a, 100ms));
  upstreams.failed(a);
  upstreams.failed(a);
  world.network.serve(a, answering(www_a, 10ms));
  expect_answer(resolve());
  EXPECT_THAT(asked_servers(), ElementsAre(b)) << "it rests";
  world.clock.advance(1s);
  EXPECT_EQ(resolve().server, a);
  EXPECT_EQ(upstreams.health(a).failures, 0u);
}

TEST_F(ForwarderTest, AsksALoneServerAgain) {
  forward({{".", {a}}});
  int queries = 0;
  world.network.serve(a, [&](const FakeQuery& query) {
    if (++queries < 3) return std::vector<FakeReply>{};
    return answering(www_a)(query);
  });
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.upstream_packets, 3u);
}

TEST_F(ForwarderTest, TriesAnotherServerOnErrors) {
  for (Rcode rcode : {Rcode::servfail, Rcode::refused, Rcode::notimp, Rcode::formerr, Rcode::notauth}) {
    Upstreams fresh(world.clock, world.random);
    Forwarder own(world.exchange, fresh, world.clock);
    forward({{".", {a, b}}});
    world.network.serve(a, always({.rcode = rcode}));
    world.network.serve(b, answering(www_a));
    auto result = run(world.network, own.resolve(request(), table, options));
    ASSERT_TRUE(result);
    expect_answer(*result);
    EXPECT_EQ(result->server, b) << to_string(rcode);
    EXPECT_EQ(fresh.health(a).failures, 0u) << "it lives";
    EXPECT_EQ(fresh.health(a).useless, 1u);
    EXPECT_EQ(fresh.health(a).no_edns_until, Instant{}) << "EDNS was not the cause";
  }
}

TEST_F(ForwarderTest, AnErrorIsNotAskedForAgain) {
  forward({{".", {a, b}}});
  world.network.serve(a, always({.rcode = Rcode::servfail}));
  world.network.serve(b, always({.rcode = Rcode::refused}));
  auto resolution = resolve();
  expect_failure(resolution, Ede::no_reachable_authority);
  EXPECT_EQ(resolution.ede_text, "no answer from 2 servers");
  EXPECT_EQ(resolution.upstream_packets, 2u);
}

TEST_F(ForwarderTest, PassesOnTheReasonOfAServfail) {
  forward({{".", {a, b, c}}});
  world.network.serve(a, always({.rcode = Rcode::refused, .ede = Ede::prohibited}));
  world.network.serve(b, always({.rcode = Rcode::servfail, .ede = Ede::dnssec_bogus}));
  world.network.serve(c, always({.rcode = Rcode::servfail, .ede = Ede::other}));
  auto resolution = resolve();
  expect_failure(resolution, Ede::dnssec_bogus);
  EXPECT_EQ(resolution.ede_text, "no answer from 3 servers") << "not the server's words";
}

TEST_F(ForwarderTest, AllSilent) {
  forward({{".", {a, b}}});
  world.network.serve(a, silence());
  world.network.serve(b, silence());
  auto resolution = resolve();
  expect_failure(resolution, Ede::network_error);
  EXPECT_EQ(resolution.ede_text, "no reply from 2 servers");
  EXPECT_EQ(world.clock.now() - Instant{}, 5s) << "all of its time";
  EXPECT_THAT(asked_servers(), ElementsAre(a, b, a, b, a)) << "800 ms each, then 1600 ms";
  EXPECT_EQ(resolution.upstream_packets, 5u);
}

// A resolver that has to find out first, and then answers all who asked: an answer for the latest query.
FakeServer slow_to_find_out(Instant found) {
  return [=](const FakeQuery& query) {
    return answering(www_a, std::max<Duration>(10ms, found - query.at))(query);
  };
}

TEST_F(ForwarderTest, WaitsForASlowServerAsLongAsTheRequestLasts) {
  for (Duration slowness : {1000ms, 2000ms, 3500ms, 4900ms}) {
    Upstreams fresh(world.clock, world.random);
    Forwarder own(world.exchange, fresh, world.clock);
    forward({{".", {a}}});
    world.network.serve(a, answering(www_a, 2ms));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(run(world.network, own.resolve(request(), table, options)));
    ASSERT_EQ(fresh.health(a).timeout(), 200ms);
    const Instant start = world.clock.now();
    world.network.serve(a, slow_to_find_out(start + slowness));
    auto result = run(world.network, own.resolve(request(), table, options));
    ASSERT_TRUE(result);
    expect_answer(*result);
    EXPECT_EQ(world.clock.now() - start, slowness);
    EXPECT_LE(result->upstream_packets, 5u);
  }
}

TEST_F(ForwarderTest, BacksOffWithEachTry) {
  forward({{".", {a}}});
  world.network.serve(a, answering(www_a, 2ms));
  for (int i = 0; i < 20; ++i) resolve();
  world.network.serve(a, silence());
  world.network.forget_queries();
  const Instant start = world.clock.now();
  expect_failure(resolve(), Ede::network_error);
  std::vector<Duration> times;
  for (const FakeQuery& query : world.network.queries()) times.push_back(query.at - start);
  EXPECT_THAT(times, ElementsAre(0ms, 200ms, 600ms, 1400ms, 3s));
  EXPECT_EQ(world.clock.now() - start, 5s);
}

TEST_F(ForwarderTest, TheLastPacketIsWaitedForToTheEnd) {
  forward({{".", {a, b}}});
  world.network.serve(a, silence());
  world.network.serve(b, answering(www_a, 4s));
  options.max_packets = 2;
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.server, b);
  EXPECT_EQ(world.clock.now() - Instant{}, 4800ms);
}

TEST_F(ForwarderTest, AllUnreachable) {
  forward({{".", {a}}});
  world.network.host(a, {.server = {}, .reachable = false});
  auto resolution = resolve();
  expect_failure(resolution, Ede::network_error);
  EXPECT_EQ(resolution.ede_text, "no reply from 1 server");
  EXPECT_EQ(resolution.upstream_packets, 0u) << "nothing was sent";
}

TEST_F(ForwarderTest, KeepsToItsTime) {
  forward({{".", {a, b, c}}});
  for (const Endpoint& server : {a, b, c}) world.network.serve(server, silence());
  options.timeout = 1s;
  expect_failure(resolve(), Ede::network_error);
  EXPECT_EQ(world.clock.now() - Instant{}, 1s);
}

TEST_F(ForwarderTest, KeepsToItsPackets) {
  forward({{".", {a, b, c}}});
  for (const Endpoint& server : {a, b, c}) world.network.serve(server, always({.truncated = true}));
  options.max_packets = 5;
  auto resolution = resolve();
  expect_failure(resolution, Ede::no_reachable_authority);
  EXPECT_EQ(resolution.upstream_packets, 5u);
  EXPECT_THAT(world.network.queries(), SizeIs(5));
  options.max_packets = 0;
  expect_failure(resolve(), Ede::network_error);
}

TEST_F(ForwarderTest, TruncatedRepliesAreAskedForOverTcp) {
  forward({{".", {a}}});
  world.network.serve(a, by_transport(always({.truncated = true}), answering(www_a)));
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.upstream_packets, 2u);
  EXPECT_EQ(world.count(Counter::upstream_tcp), 1u);
  EXPECT_EQ(upstreams.health(a).failures, 0u);
}

TEST_F(ForwarderTest, TruncatedWithoutTcpIsTriedElsewhere) {
  forward({{".", {a, b}}});
  world.network.host(a, {.server = always({.truncated = true}), .tcp = FakeTcp::refuses});
  world.network.serve(b, answering(www_a));
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.server, b);
}

TEST_F(ForwarderTest, WhatCouldNotBeUsedWasAReplyStill) {
  forward({{".", {a}}});
  world.network.host(a, {.server = always({.truncated = true}), .tcp = FakeTcp::refuses});
  auto resolution = resolve();
  expect_failure(resolution, Ede::no_reachable_authority);
  EXPECT_EQ(resolution.ede_text, "no answer from 1 server");

  forward({{".", {b}}});
  world.network.serve(b, [](const FakeQuery& query) {
    if (!parsed(query.message).edns()) return std::vector<FakeReply>{};
    return always({.rcode = Rcode::formerr, .edns = false})(query);
  });
  expect_failure(resolve(), Ede::no_reachable_authority);
}

TEST_F(ForwarderTest, TruncatedOverTcpIsNoAnswer) {
  forward({{".", {a, b}}});
  world.network.serve(a, always({.truncated = true}));
  world.network.serve(b, answering(www_a));
  EXPECT_EQ(resolve().server, b);
  EXPECT_THAT(world.network.queries(), SizeIs(3));
}

TEST_F(ForwarderTest, AWrongCaseIsAskedForOverTcp) {
  forward({{".", {a}}});
  auto small_letters = [](const FakeQuery& query) {
    Octets message = query.message;
    for (size_t i = header_size; i < header_size + name("www.example.").view().size(); ++i)
      if (message[i] >= 'A' && message[i] <= 'Z') message[i] |= 0x20;
    return std::vector<FakeReply>{{.message = reply_to(message, {.answer = {www_a}})}};
  };
  world.network.serve(a, small_letters);
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(world.count(Counter::upstream_tcp), 1u);
  EXPECT_EQ(upstreams.health(a).failures, 0u);
  options.randomise_case = false;
  resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(world.count(Counter::upstream_tcp), 1u) << "UDP will do";
}

TEST_F(ForwarderTest, ALiarIsPassedOver) {
  forward({{".", {a, b}}});
  world.network.serve(a, [](const FakeQuery& query) {
    Octets lie = reply_to(query.message, {.answer = {"www.example. 60 A 203.0.113.66"}});
    lie.resize(lie.size() - 4);
    return std::vector<FakeReply>{{.message = lie}};
  });
  world.network.serve(b, answering(www_a));
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.server, b);
  EXPECT_EQ(upstreams.health(a).failures, 1u);
  forward({{".", {a}}});
  expect_failure(resolve(), Ede::no_reachable_authority);
}

TEST_F(ForwarderTest, BadRdataIsPassedOver) {
  forward({{".", {a, b}}});
  world.network.serve(a, [](const FakeQuery& query) {
    Octets lie = reply_to(query.message, {.answer = {www_a}, .edns = false});
    lie[lie.size() - 5] = 3;
    lie.pop_back();
    return std::vector<FakeReply>{{.message = lie}};
  });
  world.network.serve(b, answering(www_a));
  EXPECT_EQ(resolve().server, b);
}

TEST_F(ForwarderTest, ForgeriesDemoteNobody) {
  forward({{".", {a}}});
  world.network.serve(a, [](const FakeQuery& query) {
    std::vector<FakeReply> replies;
    Octets forged = reply_to(query.message, {.rcode = Rcode::servfail});
    for (uint16_t i = 1; i < 1000; ++i) {
      store_u16(forged.data(), static_cast<uint16_t>(load_u16(query.message.data()) + i));
      replies.push_back({.message = forged, .delay = 1ms});
    }
    replies.push_back({.message = reply_to(query.message, {.answer = {www_a}})});
    return replies;
  });
  expect_answer(resolve());
  EXPECT_EQ(world.count(Counter::upstream_mismatched), 999u);
  EXPECT_EQ(upstreams.health(a).failures, 0u);
  EXPECT_EQ(upstreams.health(a).useless, 0u);
  EXPECT_EQ(upstreams.health(a).srtt, 10ms);
}

FakeServer without_edns(bool with_question) {
  return [=](const FakeQuery& query) {
    ReplyScript script{.answer = {www_a}, .edns = false};
    if (parsed(query.message).edns())
      script = {.rcode = Rcode::formerr, .edns = false, .question = with_question};
    return always(script)(query);
  };
}

TEST_F(ForwarderTest, DoesWithoutEdnsAndRemembersIt) {
  forward({{".", {a}}});
  world.network.serve(a, without_edns(true));
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.upstream_packets, 2u);
  EXPECT_TRUE(sent(0).edns());
  EXPECT_FALSE(sent(1).edns());
  resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.upstream_packets, 1u) << "remembered";
  world.clock.advance(10min);
  EXPECT_EQ(resolve().upstream_packets, 2u) << "forgotten";
}

TEST_F(ForwarderTest, DoesWithoutEdnsWhereTheErrorLacksItsQuestion) {
  forward({{".", {a}}});
  world.network.serve(a, without_edns(false));
  auto resolution = resolve();
  expect_answer(resolution);
  EXPECT_EQ(resolution.upstream_packets, 3u) << "UDP, TCP as it may have been forged, and without EDNS";
  EXPECT_EQ(resolve().upstream_packets, 1u);
}

TEST_F(ForwarderTest, FastServersArePreferred) {
  forward({{".", {a, b}}});
  world.network.serve(a, answering(www_a, 80ms));
  world.network.serve(b, answering(www_a, 8ms));
  for (int i = 0; i < 200; ++i) expect_answer(resolve());
  auto servers = asked_servers();
  EXPECT_GT(std::ranges::count(servers, b), 180);
  EXPECT_GE(std::ranges::count(servers, a), 2) << "looked at now and then";
}

TEST_F(ForwarderTest, MovesOverWhenTheFastServerSlowsDown) {
  forward({{".", {a, b}}});
  world.network.serve(a, answering(www_a, 5ms));
  world.network.serve(b, answering(www_a, 50ms));
  for (int i = 0; i < 50; ++i) resolve();
  world.network.serve(a, answering(www_a, 150ms));
  for (int i = 0; i < 50; ++i) resolve();
  world.network.forget_queries();
  for (int i = 0; i < 50; ++i) resolve();
  EXPECT_GT(std::ranges::count(asked_servers(), b), 40);
}

TEST_F(ForwarderTest, CancelEndsAllAtOnce) {
  forward({{".", {a, b}}});
  world.network.serve(a, silence());
  world.network.host(b, {.server = always({.truncated = true}), .tcp = FakeTcp::silent});
  std::vector<std::optional<Resolution>> results(20);
  for (size_t i = 0; i < results.size(); ++i)
    spawn(keep_result(task(request("n" + std::to_string(i) + ".example.")), &results[i]));
  world.network.run_for(900ms);
  world.exchange.cancel_all();
  for (auto& result : results) {
    ASSERT_TRUE(result);
    expect_failure(*result, Ede::not_ready);
  }
  EXPECT_EQ(world.exchange.in_flight(), 0u);
  EXPECT_EQ(upstreams.health(b).failures, 0u) << "no fault of the server's";
}

TEST_F(ForwarderTest, AShortageOfOursIsNoFaultOfTheServers) {
  world.network.most_ports = 0;
  forward({{".", {a, b}}});
  expect_failure(resolve(), Ede::network_error);
  EXPECT_EQ(upstreams.health(a).failures, 0u);
  EXPECT_EQ(world.clock.now() - Instant{}, 0ms);
}

TEST_F(ForwarderTest, TheTableIsKeptWhileItIsUsed) {
  forward({{".", {a}}});
  world.network.serve(a, answering(www_a));
  std::weak_ptr<const ForwardTable> watched = table;
  std::optional<Resolution> result;
  spawn(keep_result(task(request()), &result));
  table.reset();
  EXPECT_FALSE(watched.expired());
  world.network.run();
  ASSERT_TRUE(result);
  expect_answer(*result);
  EXPECT_TRUE(watched.expired());
}

TEST_F(ForwarderTest, AnswersThroughLoss) {
  forward({{".", {a, b}}});
  world.network.faults = {.lost_in_100 = 10, .doubled_in_100 = 5, .jitter = 20ms};
  world.network.serve(a, answering(www_a));
  world.network.serve(b, answering(www_a));
  int answered = 0;
  for (int i = 0; i < 300; ++i) answered += resolve().rcode == Rcode::noerror;
  EXPECT_GE(answered, 299);
}

TEST(ForwardTable, FindsTheLongestSuffix) {
  auto zone = [](std::string_view text) { return ForwardTable::Zone{name(text), {}}; };
  ForwardTable table(
      {zone("example."), zone("."), zone("corp.example."), zone("b.corp.example."), zone("test.")});
  auto found = [&](std::string_view qname) { return table.find(name(qname))->zone.to_string(); };
  EXPECT_EQ(found("a.b.corp.example."), "b.corp.example.");
  EXPECT_EQ(found("b.corp.example."), "b.corp.example.");
  EXPECT_EQ(found("B.CORP.example."), "b.corp.example.");
  EXPECT_EQ(found("bb.corp.example."), "corp.example.") << "labels, not letters";
  EXPECT_EQ(found("xcorp.example."), "example.");
  EXPECT_EQ(found("org."), ".");
  EXPECT_EQ(found("."), ".");
  EXPECT_EQ(table.zones().size(), 5u);
}

TEST(ForwardTable, NothingWhereNoZoneFits) {
  ForwardTable table({{name("example."), {}}});
  EXPECT_EQ(table.find(name("example.org.")), nullptr);
  EXPECT_EQ(table.find(name(".")), nullptr);
  EXPECT_EQ(ForwardTable({}).find(name("example.")), nullptr);
}

}  // namespace
}  // namespace peregrine
