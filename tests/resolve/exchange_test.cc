#include "resolve/exchange.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "resolve/resolve_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

const Endpoint server = endpoint("192.0.2.53");
constexpr std::string_view www = "www.example.com";
const std::string www_a = "www.example.com. 300 A 192.0.2.1";
const std::string www_forged = "www.example.com. 300 A 203.0.113.66";

// The answer of www_forged, then what `change` makes of it; the truth comes later.
template <class Change>
FakeServer forged_first(Change change) {
  return [change](const FakeQuery& query) {
    Octets forged = reply_to(query.message, {.answer = {www_forged}});
    FakeReply first{.message = forged, .delay = 5ms};
    change(first);
    return std::vector<FakeReply>{first,
                                  {.message = reply_to(query.message, {.answer = {www_a}}), .delay = 20ms}};
  };
}

struct Outcome {
  std::vector<std::string> answer;
  uint64_t mismatched;
};

Outcome after_forgery(FakeServer script) {
  TestWorld world;
  world.network.serve(server, std::move(script));
  auto reply = world.udp(server, www);
  EXPECT_TRUE(reply.has_value()) << to_string(reply.error());
  if (!reply) return {};
  return {answer_of(reply->message), world.count(Counter::upstream_mismatched)};
}

TEST(Exchange, GivesTheReplyAndItsRoundTrip) {
  TestWorld world;
  world.network.serve(server, answering(www_a, 30ms));
  auto reply = world.udp(server, www);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->rtt, 30ms);
  EXPECT_EQ(parsed(reply->message).question().qname, name(www).view());
  EXPECT_EQ(world.count(Counter::upstream_queries), 1u);
  EXPECT_EQ(world.count(Counter::upstream_replies), 1u);
  EXPECT_EQ(world.count(Counter::upstream_mismatched), 0u);
  EXPECT_EQ(world.exchange.in_flight(), 0u);
  EXPECT_EQ(world.timers.armed(), 0u);
}

TEST(Exchange, WorksOverIpv6) {
  TestWorld world;
  Endpoint v6 = endpoint("2001:db8::53");
  world.network.serve(v6, answering(www_a));
  EXPECT_TRUE(world.udp(v6, www));
}

TEST(Exchange, WaitsForTheTrueAddress) {
  auto outcome = after_forgery(forged_first([](FakeReply& r) { r.from = endpoint("192.0.2.54"); }));
  EXPECT_EQ(outcome.mismatched, 1u);
}

TEST(Exchange, WaitsForTheTrueServerPort) {
  auto outcome = after_forgery(forged_first([](FakeReply& r) { r.from = endpoint("192.0.2.53:5353"); }));
  EXPECT_EQ(outcome.mismatched, 1u);
}

TEST(Exchange, WaitsForTheTrueId) {
  auto outcome = after_forgery(forged_first([](FakeReply& r) { r.message = with_octet(r.message, 1, 1); }));
  EXPECT_EQ(outcome.mismatched, 1u);
}

TEST(Exchange, WaitsForTheTrueQuestion) {
  auto outcome = after_forgery(forged_first([](FakeReply& r) { r.message = with_octet(r.message, 13, 1); }));
  EXPECT_EQ(outcome.mismatched, 1u);
  size_t type_at = header_size + name(www).view().size() + 1;
  outcome = after_forgery(forged_first([&](FakeReply& r) { r.message = with_octet(r.message, type_at, 1); }));
  EXPECT_EQ(outcome.mismatched, 1u);
  outcome =
      after_forgery(forged_first([&](FakeReply& r) { r.message = with_octet(r.message, type_at + 2, 1); }));
  EXPECT_EQ(outcome.mismatched, 1u);
}

TEST(Exchange, WaitsPastQueriesNoiseAndStubs) {
  auto outcome =
      after_forgery(forged_first([](FakeReply& r) { r.message = with_octet(r.message, 2, 0x80); }));
  EXPECT_EQ(outcome.mismatched, 1u) << "QR=0";
  outcome = after_forgery(forged_first([](FakeReply& r) { r.message = with_octet(r.message, 2, 0x20); }));
  EXPECT_EQ(outcome.mismatched, 1u) << "opcode 4";
  outcome = after_forgery(forged_first([](FakeReply& r) { r.message.resize(1); }));
  EXPECT_EQ(outcome.mismatched, 1u);
  outcome = after_forgery(forged_first([](FakeReply& r) { r.message.resize(11); }));
  EXPECT_EQ(outcome.mismatched, 1u);
  outcome = after_forgery(forged_first([](FakeReply& r) { r.message.clear(); }));
  EXPECT_EQ(outcome.mismatched, 1u);
  outcome = after_forgery(forged_first([](FakeReply& r) { r.message.resize(30); }));
  EXPECT_EQ(outcome.mismatched, 1u) << "ends within the question";
}

TEST(Exchange, ADatagramToAnotherPortOfOursIsNoReply) {
  TestWorld world;
  std::vector<FakeQuery> seen;
  world.network.serve(server, [&](const FakeQuery& query) {
    seen.push_back(query);
    return std::vector<FakeReply>{};
  });
  std::optional<Result<Reply>> first, second;
  spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &first));
  spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &second));
  world.network.run_for(10ms);
  ASSERT_EQ(seen.size(), 2u);
  ASSERT_NE(seen[0].client.port, seen[1].client.port);
  FakeReply forged{.message = reply_to(seen[0].message, {.answer = {www_forged}}), .delay = 0ms};
  world.network.inject(Family::v4, seen[1].client.port, forged, server);
  world.network.run();
  EXPECT_EQ(first->error(), Error::timeout);
  EXPECT_EQ(second->error(), Error::timeout);
  EXPECT_EQ(world.count(Counter::upstream_mismatched), 1u);
  EXPECT_EQ(world.count(Counter::upstream_timeouts), 2u);
}

TEST(Exchange, TheTrueReplyIsFoundAmongThousandsOfGuesses) {
  TestWorld world;
  world.network.serve(server, [](const FakeQuery& query) {
    std::vector<FakeReply> flood;
    Octets guess = reply_to(query.message, {.answer = {www_forged}});
    for (unsigned id = 0; id < 5000; ++id) {
      if (id == load_u16(query.message.data())) continue;
      store_u16(guess.data(), static_cast<uint16_t>(id));
      flood.push_back({.message = guess, .delay = 1ms});
    }
    flood.push_back({.message = reply_to(query.message, {.answer = {www_a}}), .delay = 2ms});
    return flood;
  });
  auto reply = world.udp(server, www);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->rtt, 2ms);
  EXPECT_GE(world.count(Counter::upstream_mismatched), 4999u);
}

TEST(Exchange, AReplyInOtherLettersIsWorthTcp) {
  TestWorld world;
  world.network.serve(server,
                      forged_first([](FakeReply& r) { r.message = with_octet(r.message, 13, 0x20); }));
  auto reply = world.udp(server, www);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), Error::bad_message);
  EXPECT_EQ(world.count(Counter::upstream_errors), 1u);
}

TEST(Exchange, LettersDoNotMatterWhereTheyWereNotChosen) {
  TestWorld world;
  world.network.serve(server,
                      forged_first([](FakeReply& r) { r.message = with_octet(r.message, 13, 0x20); }));
  auto reply = world.ask(world.exchange.udp(server, {query_for(www), false}, world.in(1s)));
  ASSERT_TRUE(reply);
  EXPECT_THAT(answer_of(reply->message), ElementsAre(testing::HasSubstr("203.0.113.66")));
  EXPECT_TRUE(same_octets(parsed(world.network.queries()[0].message).question().qname, name(www)));
}

TEST(Exchange, AMatchingReplyThatCannotBeParsedIsWorthTcp) {
  for (size_t cut : {1u, 5u, 20u}) {
    TestWorld world;
    world.network.serve(server,
                        forged_first([&](FakeReply& r) { r.message.resize(r.message.size() - cut); }));
    EXPECT_EQ(world.udp(server, www).error(), Error::bad_message) << cut;
  }
  TestWorld world;
  world.network.serve(server, forged_first([](FakeReply& r) { r.message.resize(9000); }));
  EXPECT_EQ(world.udp(server, www).error(), Error::bad_message) << "octets behind the message";
}

TEST(Exchange, AnErrorWithoutTheQuestionIsWorthTcp) {
  TestWorld world;
  world.network.serve(server, always({.rcode = Rcode::formerr, .edns = false, .question = false}));
  EXPECT_EQ(world.udp(server, www).error(), Error::bad_message);
}

TEST(Exchange, NoErrorWithoutTheQuestionIsNoReply) {
  auto outcome = after_forgery([](const FakeQuery& query) {
    return std::vector<FakeReply>{
        {.message = reply_to(query.message, {.answer = {www_forged}, .question = false})},
        {.message = reply_to(query.message, {.answer = {www_a}}), .delay = 20ms}};
  });
  EXPECT_EQ(outcome.mismatched, 1u);
}

TEST(Exchange, EndsAtTheDeadlineAndNotBefore) {
  TestWorld world;
  world.network.serve(server, answering(www_a, 251ms));
  Instant start = world.clock.now();
  EXPECT_EQ(world.udp(server, www, 250ms).error(), Error::timeout);
  EXPECT_EQ(world.clock.now() - start, 250ms);
  world.network.run();
  EXPECT_EQ(world.count(Counter::upstream_mismatched), 1u) << "the late reply";
  EXPECT_EQ(world.count(Counter::upstream_timeouts), 1u);
}

TEST(Exchange, NoRouteFailsAtOnce) {
  TestWorld world;
  world.network.host(server, {.server = {}, .reachable = false});
  EXPECT_EQ(world.udp(server, www).error(), Error::unreachable);
  EXPECT_EQ(world.clock.now(), Instant{});
  world.network.has_v6 = false;
  EXPECT_EQ(world.udp(endpoint("2001:db8::1"), www).error(), Error::unreachable);
  EXPECT_EQ(world.count(Counter::upstream_errors), 2u);
  EXPECT_EQ(world.exchange.in_flight(), 0u);
}

TEST(Exchange, AQueryWithoutOneQuestionIsNotSent) {
  TestWorld world;
  for (const Octets& message : {Octets{}, Octets(12), Octets(header_size - 1), golden::query() + Octets{}}) {
    Buffer query(message.begin(), message.end());
    if (query.size() > header_size) query.resize(20);
    EXPECT_EQ(world.ask(world.exchange.udp(server, {query}, world.in(1s))).error(), Error::bad_message);
    EXPECT_EQ(world.ask(world.exchange.tcp(server, {query}, world.in(1s))).error(), Error::bad_message);
  }
  EXPECT_EQ(world.count(Counter::upstream_queries), 0u);
}

TEST(Exchange, InFlightIsCapped) {
  TestWorld world(1, {.max_in_flight = 2});
  world.network.host(server, {});
  std::optional<Result<Reply>> first, second;
  spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &first));
  spawn(keep_result(world.exchange.tcp(server, {query_for(www)}, world.in(1s)), &second));
  EXPECT_EQ(world.exchange.in_flight(), 2u);
  EXPECT_EQ(world.udp(server, www).error(), Error::limit);
  EXPECT_EQ(world.tcp(server, www).error(), Error::limit);
  EXPECT_FALSE(first || second);
  world.network.run();
  EXPECT_EQ(first->error(), Error::timeout);
  EXPECT_EQ(world.exchange.in_flight(), 0u);
  EXPECT_EQ(world.udp(server, www).error(), Error::timeout) << "room again";
}

TEST(Exchange, QueriesOnOnePortToOneServerHaveDifferentIds) {
  TestWorld world(1, {.sockets = 1, .uses_per_socket = 100'000});
  world.network.serve(server, [](const FakeQuery& query) {
    return std::vector<FakeReply>{{.message = reply_to(query.message, {.answer = {www_a}}), .delay = 500ms}};
  });
  std::vector<std::optional<Result<Reply>>> results(3000);
  for (auto& result : results)
    spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &result));
  world.network.run();
  std::set<uint16_t> ids;
  for (const FakeQuery& query : world.network.queries()) ids.insert(load_u16(query.message.data()));
  EXPECT_EQ(ids.size(), results.size());
  for (auto& result : results) EXPECT_TRUE(result && *result);
  EXPECT_EQ(world.count(Counter::upstream_mismatched), 0u);
}

TEST(Exchange, IdsPortsAndLettersCannotBeForetold) {
  constexpr int queries = 4096;
  TestWorld world(7);
  world.network.serve(server, answering(www_a, 1ms));
  for (int i = 0; i < queries; ++i) ASSERT_TRUE(world.udp(server, www));

  std::vector<int> ids(16), places(16), letters(13);
  std::map<uint16_t, int> ports;
  for (const FakeQuery& query : world.network.queries()) {
    ++ids[query.message[0] >> 4];
    ++places[query.client.port >> 12];
    ++ports[query.client.port];
    size_t letter = 0;
    for (uint8_t c : Bytes(query.message).subspan(header_size + 1, 15)) {
      if (c <= max_label_size) continue;
      letters[letter++] += c < 'a';
    }
  }
  auto chi_square = [](const std::vector<int>& found) {
    double expected = double{queries} / static_cast<double>(found.size()), sum = 0;
    for (int n : found) sum += (n - expected) * (n - expected) / expected;
    return sum;
  };
  EXPECT_LT(chi_square(ids), 45) << "15 degrees of freedom: one seed in 10,000 exceeds this";
  EXPECT_LT(chi_square(places), 90) << "the lowest 1024 ports are left out";
  for (int upper : letters) EXPECT_NEAR(upper, queries / 2, 5 * 32) << "five standard deviations";
  // Of 1024 places, drawn 4 times each on the mean, all but about 19 have been used.
  EXPECT_GT(ports.size(), 960u);
  EXPECT_LE(ports.size(), 1024u);
  EXPECT_GE(ports.begin()->first, 1024);
}

TEST(Exchange, PortsAreReplacedAfterTheirUses) {
  TestWorld world(1, {.sockets = 1, .uses_per_socket = 4});
  world.network.serve(server, answering(www_a));
  std::vector<uint16_t> ports;
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(world.udp(server, www));
  for (const FakeQuery& query : world.network.queries()) ports.push_back(query.client.port);
  std::set<uint16_t> distinct(ports.begin(), ports.end());
  EXPECT_EQ(distinct.size(), 3u);
  EXPECT_EQ(ports[0], ports[3]);
  EXPECT_NE(ports[3], ports[4]);
  EXPECT_EQ(world.network.open_ports(), 1u);
}

TEST(Exchange, AWornOutPortStaysOpenForThoseWhoWait) {
  TestWorld world(1, {.sockets = 1, .uses_per_socket = 1});
  world.network.serve(server, answering(www_a, 100ms));
  std::vector<std::optional<Result<Reply>>> results(5);
  for (auto& result : results)
    spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &result));
  EXPECT_EQ(world.network.open_ports(), 5u);
  world.network.run();
  for (auto& result : results) EXPECT_TRUE(result && *result);
  EXPECT_EQ(world.network.open_ports(), 1u);
}

TEST(Exchange, CancelEndsAllThatWaitsAndAllThatComes) {
  TestWorld world;
  world.network.host(server, {});
  Endpoint silent_tcp = endpoint("192.0.2.54");
  world.network.host(silent_tcp, {.server = {}, .tcp = FakeTcp::silent});
  std::vector<std::optional<Result<Reply>>> results(4);
  spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &results[0]));
  spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &results[1]));
  spawn(keep_result(world.exchange.tcp(server, {query_for(www)}, world.in(1s)), &results[2]));
  spawn(keep_result(world.exchange.tcp(silent_tcp, {query_for(www)}, world.in(1s)), &results[3]));
  world.network.run_for(50ms);
  EXPECT_EQ(world.exchange.in_flight(), 4u);
  world.exchange.cancel_all();
  for (auto& result : results) {
    ASSERT_TRUE(result);
    EXPECT_EQ(result->error(), Error::cancelled);
  }
  EXPECT_EQ(world.exchange.in_flight(), 0u);
  EXPECT_EQ(world.udp(server, www).error(), Error::cancelled);
  EXPECT_EQ(world.tcp(server, www).error(), Error::cancelled);
  EXPECT_EQ(world.count(Counter::upstream_errors), 0u);
}

// What a resumed exchange does at once may be another exchange, or the end of all.
Task<void> ask_again(TestWorld* world, int times, int* answered) {
  for (int i = 0; i < times; ++i) {
    auto reply = co_await world->exchange.udp(server, {query_for(www)}, world->in(1s));
    if (reply) ++*answered;
  }
}

TEST(Exchange, AnExchangeMayStartWithinAnothersReply) {
  TestWorld world(1, {.sockets = 1, .uses_per_socket = 1});
  world.network.serve(server, answering(www_a));
  int answered = 0;
  spawn(ask_again(&world, 100, &answered));
  world.network.run();
  EXPECT_EQ(answered, 100);
}

Task<void> cancel_after_one(TestWorld* world, bool* done) {
  auto reply = co_await world->exchange.udp(server, {query_for(www)}, world->in(1s));
  world->exchange.cancel_all();
  *done = reply.has_value();
}

TEST(Exchange, CancelMayComeFromWithinAReply) {
  TestWorld world(1, {.sockets = 1});
  world.network.serve(server, answering(www_a));
  std::optional<Result<Reply>> other;
  bool done = false;
  spawn(cancel_after_one(&world, &done));
  spawn(keep_result(world.exchange.udp(server, {query_for(www)}, world.in(1s)), &other));
  world.network.run();
  EXPECT_TRUE(done);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->error(), Error::cancelled);
}

TEST(Exchange, LossDoublesAndReorderHarmNothing) {
  TestWorld world(3, {.sockets = 8, .uses_per_socket = 3});
  world.network.faults = {.lost_in_100 = 20, .doubled_in_100 = 20, .jitter = 80ms};
  world.network.serve(server, [](const FakeQuery& query) {
    auto qname = parsed(query.message).question().qname.to_string();
    return std::vector<FakeReply>{
        {.message = reply_to(query.message, {.answer = {qname + " 300 A 192.0.2.1"}})}};
  });
  std::vector<std::optional<Result<Reply>>> results(300);
  for (size_t i = 0; i < results.size(); ++i) {
    OutgoingQuery query{query_for("n" + std::to_string(i) + ".example")};
    spawn(keep_result(world.exchange.udp(server, std::move(query), world.in(1s)), &results[i]));
  }
  world.network.run();
  size_t answered = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i]);
    if (!*results[i]) continue;
    ++answered;
    EXPECT_EQ(parsed((*results[i])->message).question().qname,
              name("n" + std::to_string(i) + ".example").view());
  }
  EXPECT_GT(answered, 150u);
  EXPECT_EQ(world.count(Counter::upstream_replies), answered);
  EXPECT_EQ(world.count(Counter::upstream_timeouts), results.size() - answered);
}

}  // namespace
}  // namespace peregrine
