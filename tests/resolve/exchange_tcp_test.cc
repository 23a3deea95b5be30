#include <gmock/gmock.h>

#include "resolve/exchange.h"
#include "resolve/resolve_support.h"

namespace peregrine {
namespace {

const Endpoint server = endpoint("192.0.2.53");
constexpr std::string_view www = "www.example.com";
const std::string www_a = "www.example.com. 300 A 192.0.2.1";

FakeServer close_after(Duration delay) {
  return [delay](const FakeQuery&) {
    return std::vector<FakeReply>{{.message = {}, .delay = delay, .close = true}};
  };
}

TEST(ExchangeTcp, GivesTheReply) {
  TestWorld world;
  world.network.host(server, {.server = answering(www_a, 30ms), .connect_time = 400ms});
  auto reply = world.tcp(server, www);
  ASSERT_TRUE(reply);
  EXPECT_EQ(answer_of(reply->message).size(), 1u);
  EXPECT_GE(reply->rtt, 30ms);
  EXPECT_LT(reply->rtt, 100ms) << "without the making of the connection";
  EXPECT_EQ(world.count(Counter::upstream_tcp), 1u);
  EXPECT_EQ(world.count(Counter::upstream_replies), 1u);
  ASSERT_EQ(world.network.queries().size(), 1u);
  EXPECT_EQ(world.network.queries()[0].transport, Transport::tcp);
}

TEST(ExchangeTcp, AsksInSmallLetters) {
  TestWorld world;
  world.network.serve(server, answering(www_a));
  ASSERT_TRUE(world.tcp(server, "WWW.Example.COM"));
  EXPECT_TRUE(same_octets(parsed(world.network.queries()[0].message).question().qname, name(www)));
}

TEST(ExchangeTcp, TakesTheLargestMessage) {
  TestWorld world;
  ReplyScript script;
  std::string text = "www.example.com. 300 TXT";
  for (int i = 0; i < 15; ++i) text += " \"" + std::string(250, 'x') + "\"";
  for (int i = 0; i < 17; ++i) script.answer.push_back(text);
  world.network.serve(server, always(script));
  auto reply = world.tcp(server, www);
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_GT(reply->message.size(), 60'000u);
}

TEST(ExchangeTcp, RefusedConnection) {
  TestWorld world;
  world.network.host(server, {.server = {}, .tcp = FakeTcp::refuses});
  EXPECT_EQ(world.tcp(server, www).error(), Error::unreachable);
  EXPECT_EQ(world.count(Counter::upstream_errors), 1u);
}

TEST(ExchangeTcp, SilentConnection) {
  TestWorld world;
  world.network.host(server, {.server = {}, .tcp = FakeTcp::silent});
  EXPECT_EQ(world.tcp(server, www).error(), Error::timeout);
  EXPECT_EQ(world.clock.now() - Instant{}, 1s);
  EXPECT_EQ(world.count(Counter::upstream_timeouts), 1u);
}

TEST(ExchangeTcp, SilentServer) {
  TestWorld world;
  world.network.host(server, {});
  EXPECT_EQ(world.tcp(server, www).error(), Error::timeout);
}

TEST(ExchangeTcp, ConnectionClosedWithoutAReply) {
  TestWorld world;
  world.network.serve(server, close_after(10ms));
  EXPECT_EQ(world.tcp(server, www).error(), Error::unreachable);
}

TEST(ExchangeTcp, AnErrorWithoutTheQuestionIsTaken) {
  TestWorld world;
  world.network.serve(server, always({.rcode = Rcode::formerr, .edns = false, .question = false}));
  auto reply = world.tcp(server, www);
  ASSERT_TRUE(reply);
  EXPECT_EQ(parsed(reply->message).rcode(), Rcode::formerr);
}

// Each made of the true reply.
using Change = std::function<void(Octets&)>;
FakeServer changed(Change change, bool truth_follows) {
  return [=](const FakeQuery& query) {
    Octets truth = reply_to(query.message, {.answer = {www_a}});
    Octets lie = truth;
    change(lie);
    std::vector<FakeReply> replies{{.message = lie, .delay = 5ms}};
    if (truth_follows) replies.push_back({.message = truth, .delay = 20ms});
    return replies;
  };
}

const Change other_id = [](Octets& m) { m[0] ^= 1; };
const Change other_case = [](Octets& m) { m[13] ^= 0x20; };
const Change other_name = [](Octets& m) { m[13] ^= 1; };
const Change no_reply = [](Octets& m) { m[2] ^= 0x80; };
const Change one_octet = [](Octets& m) { m.resize(1); };

TEST(ExchangeTcp, PassesOverWhatIsNotTheReply) {
  for (const Change& change : {other_id, other_case, other_name, no_reply, one_octet}) {
    TestWorld world;
    world.network.serve(server, changed(change, true));
    EXPECT_TRUE(world.tcp(server, www));
  }
}

TEST(ExchangeTcp, NothingButOthersIsABadMessage) {
  for (const Change& change : {other_id, other_case, other_name, no_reply, one_octet}) {
    TestWorld world;
    world.network.serve(server, [=](const FakeQuery& query) {
      std::vector<FakeReply> replies = changed(change, false)(query);
      replies.push_back({.message = replies[0].message, .delay = 30s});  // so that the connection stays open
      return replies;
    });
    EXPECT_EQ(world.tcp(server, www).error(), Error::bad_message);
    EXPECT_LT(world.clock.now() - Instant{}, 500ms) << "soon, not at the deadline";
  }
}

TEST(ExchangeTcp, OthersWithoutEndAreNotRead) {
  TestWorld world;
  world.network.serve(server, [](const FakeQuery& query) {
    return std::vector<FakeReply>(1000, {.message = with_octet(reply_to(query.message, {}), 0, 1)});
  });
  EXPECT_EQ(world.tcp(server, www).error(), Error::bad_message);
  EXPECT_LT(world.clock.now() - Instant{}, 500ms) << "at once, not at the deadline";
}

TEST(ExchangeTcp, AMatchingReplyThatCannotBeParsedIsBad) {
  TestWorld world;
  world.network.serve(server, changed([](Octets& m) { m.resize(m.size() - 2); }, true));
  EXPECT_EQ(world.tcp(server, www).error(), Error::bad_message);
}

TEST(ExchangeTcp, AMessageOfNoOctetsIsBad) {
  TestWorld world;
  world.network.serve(server, changed([](Octets& m) { m.clear(); }, true));
  EXPECT_EQ(world.tcp(server, www).error(), Error::bad_message);
}

TEST(ExchangeTcp, CancelledWhileItReads) {
  TestWorld world;
  world.network.host(server, {});
  std::optional<Result<Reply>> result;
  spawn(keep_result(world.exchange.tcp(server, {query_for(www)}, world.in(10s)), &result));
  world.network.run_for(100ms);
  ASSERT_EQ(world.network.queries().size(), 1u);
  world.exchange.cancel_all();
  world.network.run_for(10ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error(), Error::cancelled);
}

TEST(ExchangeTcp, AConnectionThatComesAfterTheCancellationIsClosed) {
  TestWorld world;
  world.network.host(server, {.server = {}, .connect_time = 500ms});
  std::optional<Result<Reply>> result;
  spawn(keep_result(world.exchange.tcp(server, {query_for(www)}, world.in(1s)), &result));
  world.network.run_for(100ms);
  world.exchange.cancel_all();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error(), Error::cancelled);
  world.network.run();
  EXPECT_TRUE(world.network.queries().empty());
  EXPECT_EQ(world.timers.armed(), 0u);
}

}  // namespace
}  // namespace peregrine
