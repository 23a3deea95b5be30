#include "io/sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/memory_stream.h"
#include "io/session_peers.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string framed(std::string_view text) {
  std::string out{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
  return out.append(text);
}

Task<void> write_text(Stream& stream, std::string text) {
  (void)co_await stream.write(octets_of(text), Instant::max());
}

class SessionsTest : public testing::Test {
 protected:
  SessionsTest() { make({}); }
  ~SessionsTest() override {
    for (auto& client : clients_) client->stream->cancel();
  }
  void make(const SessionLimits& limits) {
    sessions_ = std::make_unique<Sessions>(clock_, timers_, limits, handler_, counters_);
  }
  void settle() {
    timers_.advance(clock_.now());
    while (timers_.until_next(clock_.now()) == 0ns) timers_.advance(clock_.now());
  }
  void advance(Duration by) {
    clock_.advance(by);
    settle();
  }
  Client& connect(MemoryPipeOptions options = {}, bool reading = true) {
    auto pipe = make_stream_pair(timers_, options);
    clients_.push_back(std::make_unique<Client>());
    Client& client = *clients_.back();
    client.stream = std::move(pipe.client);
    if (reading) spawn(collect(*client.stream, &client));
    sessions_->adopt(std::move(pipe.server));
    settle();
    return client;
  }
  void say(Client& client, const std::string& raw) {
    spawn(write_text(*client.stream, raw));
    settle();
  }
  void ask(Client& client, std::string_view text) { say(client, framed(text)); }
  void echo_at_once() {
    handler_.on_each = [this](const RecordingHandler::Got& g) {
      sessions_->send(g.session, octets_of("re:" + g.text));
    };
  }
  uint64_t count(Counter c) const { return counters_.get(c); }

  VirtualClock clock_;
  Timers timers_{clock_.now()};
  Counters counters_;
  RecordingHandler handler_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<Sessions> sessions_;
};

TEST_F(SessionsTest, AnswersAtOnceOrLaterInAnyOrder) {
  Client& client = connect();
  ask(client, "one");
  ask(client, "two");
  ask(client, "three");
  ASSERT_THAT(handler_.texts(), ElementsAre("one", "two", "three"));
  EXPECT_EQ(handler_.got[0].peer.to_string(), "192.0.2.1:40000");
  EXPECT_THAT(client.replies, IsEmpty());
  EXPECT_TRUE(sessions_->send(handler_.got[2].session, octets_of("3")));
  settle();
  EXPECT_THAT(client.replies, ElementsAre("3"));
  EXPECT_TRUE(sessions_->send(handler_.got[0].session, octets_of("1")));
  sessions_->drop_one(handler_.got[1].session);
  settle();
  EXPECT_THAT(client.replies, ElementsAre("3", "1"));
  EXPECT_EQ(sessions_->size(), 1u);
}

TEST_F(SessionsTest, TakesPipelinedMessagesHoweverTheyArrive) {
  echo_at_once();
  for (const size_t largest_read : {size_t{1}, size_t{3}, size_t{1000}}) {
    handler_.got.clear();
    Client& client = connect({.largest_read = largest_read});
    const std::string big(3000, 'b');
    say(client, framed("a") + framed(big) + framed("") + framed("c"));
    EXPECT_THAT(handler_.texts(), ElementsAre("a", big, "", "c"));
    EXPECT_THAT(client.replies, ElementsAre("re:a", "re:" + big, "re:", "re:c"));
  }
}

TEST_F(SessionsTest, TakesMessagesOfTheLargestSize) {
  Client& client = connect();
  const std::string largest(65535, 'x');
  say(client, framed(largest) + framed("next"));
  EXPECT_THAT(handler_.texts(), ElementsAre(largest, "next"));
  EXPECT_TRUE(sessions_->send(handler_.got[0].session, octets_of(largest)));
  settle();
  EXPECT_THAT(client.replies, ElementsAre(largest));
}

TEST_F(SessionsTest, AReplyThatIsTooLongEndsTheSession) {
  Client& client = connect();
  ask(client, "x");
  EXPECT_FALSE(sessions_->send(handler_.got[0].session, std::vector<uint8_t>(65536)));
  settle();
  EXPECT_TRUE(client.closed);
}

TEST_F(SessionsTest, SeveralRepliesToOneQuery) {
  Client& client = connect();
  ask(client, "axfr");
  const SessionId id = handler_.got[0].session;
  EXPECT_TRUE(sessions_->send(id, octets_of("1"), false));
  advance(1h);  // not idle: the last is still to come
  EXPECT_TRUE(sessions_->send(id, octets_of("2"), false));
  EXPECT_TRUE(sessions_->send(id, octets_of("3")));
  settle();
  EXPECT_THAT(client.replies, ElementsAre("1", "2", "3"));
  EXPECT_FALSE(client.closed);
  advance(10s);
  EXPECT_TRUE(client.closed);
}

TEST_F(SessionsTest, ClosesIdleSessions) {
  echo_at_once();
  Client& client = connect();
  advance(9s);
  ask(client, "still here");
  advance(9s);
  EXPECT_FALSE(client.closed);
  advance(1s);
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(sessions_->size(), 0u);
  EXPECT_EQ(count(Counter::tcp_accepted), 1u);
  EXPECT_EQ(count(Counter::tcp_closed), 1u);
}

TEST_F(SessionsTest, OctetsThatMakeNoMessageDoNotKeepASessionAlive) {
  Client& client = connect();
  say(client, std::string("\xff\xff", 2));
  for (int i = 0; i < 5; ++i) {
    advance(2s);
    say(client, "x");
  }
  EXPECT_TRUE(client.closed);
}

TEST_F(SessionsTest, RepliesToSessionsThatAreGoneGoNowhere) {
  Client& client = connect();
  ask(client, "x");
  const SessionId id = handler_.got[0].session;
  client.stream->cancel();
  settle();
  EXPECT_EQ(sessions_->size(), 1u);  // cancelling one's own waits closes nothing
  sessions_->close_all();
  EXPECT_EQ(sessions_->size(), 0u);
  EXPECT_FALSE(sessions_->send(id, octets_of("late")));
  sessions_->drop_one(id);
  Client& other = connect();
  ask(other, "y");
  EXPECT_EQ(handler_.got[1].session.index, id.index);
  EXPECT_NE(handler_.got[1].session, id);
  EXPECT_FALSE(sessions_->send(id, octets_of("late")));
  settle();
  EXPECT_THAT(other.replies, IsEmpty());
  EXPECT_FALSE(sessions_->send(SessionId{}, octets_of("nobody")));
  EXPECT_FALSE(sessions_->send(SessionId{99, 1}, octets_of("nobody")));
}

TEST_F(SessionsTest, AClientThatHasSaidAllStillGetsItsReplies) {
  auto pipe = make_stream_pair(timers_);
  spawn(write_text(*pipe.client, framed("a") + framed("b") + "\x01"));
  sessions_->adopt(std::move(pipe.server));
  settle();
  ASSERT_THAT(handler_.got, SizeIs(2));
  pipe.client.reset();
  settle();
  EXPECT_EQ(sessions_->size(), 1u);
  sessions_->drop_one(handler_.got[0].session);
  EXPECT_EQ(sessions_->size(), 1u);
  EXPECT_TRUE(sessions_->send(handler_.got[1].session, octets_of("b")));
  settle();
  EXPECT_EQ(sessions_->size(), 0u);
}

TEST_F(SessionsTest, CapsSessionsInTotalAndOfAClient) {
  make({.total = 3, .per_client = 2});
  auto from = [](const char* address) {
    return MemoryPipeOptions{.client = {*IpAddress::parse(address), 1000}};
  };
  Client& a1 = connect(from("192.0.2.1"));
  Client& a2 = connect(from("192.0.2.1"));
  Client& a3 = connect(from("192.0.2.1"));
  EXPECT_TRUE(a3.closed);
  Client& b1 = connect(from("192.0.2.2"));
  Client& c1 = connect(from("192.0.2.3"));
  EXPECT_TRUE(c1.closed);
  EXPECT_FALSE(a1.closed || a2.closed || b1.closed);
  EXPECT_EQ(sessions_->size(), 3u);
  EXPECT_EQ(count(Counter::tcp_refused), 2u);
  advance(10s);
  EXPECT_EQ(sessions_->size(), 0u);
  EXPECT_FALSE(connect(from("192.0.2.1")).closed);
}

TEST_F(SessionsTest, CountsAnIPv6NetworkAsOneClient) {
  make({.per_client = 1});
  auto from = [](const char* address) {
    return MemoryPipeOptions{.client = {*IpAddress::parse(address), 1000}};
  };
  EXPECT_FALSE(connect(from("2001:db8:0:1::1")).closed);
  EXPECT_TRUE(connect(from("2001:db8:0:1:ffff::2")).closed);
  EXPECT_FALSE(connect(from("2001:db8:0:2::1")).closed);
}

TEST_F(SessionsTest, CountsEachLinkLocalAddressOfALinkAsAClient) {
  make({.per_client = 1});
  auto from = [](const char* address, uint32_t scope) {
    return MemoryPipeOptions{.client = {*IpAddress::parse(address), 1000, scope}};
  };
  EXPECT_FALSE(connect(from("fe80::1", 2)).closed);
  EXPECT_FALSE(connect(from("fe80::2", 2)).closed);
  EXPECT_FALSE(connect(from("fe80::1", 3)).closed);
  EXPECT_TRUE(connect(from("fe80::1", 2)).closed);
  advance(10s);
  EXPECT_FALSE(connect(from("fe80::1", 2)).closed);
}

// Strangers are those with an address in 203.0.113.0/24.
class SessionsOfStrangers : public SessionsTest {
 protected:
  SessionsOfStrangers() {
    handler_.is_stranger = [this](const Endpoint& peer) { return strangers_.contains(peer.address); };
  }
  Client& connect_from(const std::string& address) {
    return connect({.client = {*IpAddress::parse(address), 1000}});
  }
  Client& stranger(int number) { return connect_from("203.0.113." + std::to_string(number)); }
  Prefix strangers_ = *Prefix::parse("203.0.113.0/24");
};

TEST_F(SessionsOfStrangers, HaveAFewPlacesOfTheirOwn) {
  make({.total = 32});
  echo_at_once();
  Client& first = stranger(1);
  EXPECT_FALSE(stranger(2).closed);
  EXPECT_TRUE(stranger(3).closed);
  EXPECT_EQ(count(Counter::tcp_refused), 1u);
  ask(first, "x");
  EXPECT_THAT(first.replies, ElementsAre("re:x"));
  for (int i = 1; i <= 32; ++i) EXPECT_FALSE(connect_from("192.0.2." + std::to_string(i)).closed) << i;
  EXPECT_TRUE(connect_from("192.0.2.33").closed);
  EXPECT_EQ(sessions_->size(), 34u);
  first.stream->cancel();
  advance(10s);
  EXPECT_EQ(sessions_->size(), 0u);
  EXPECT_FALSE(stranger(1).closed || stranger(2).closed);
}

TEST_F(SessionsOfStrangers, HaveOnePlaceAtLeastAndTheCapOfAClient) {
  make({.total = 1});
  EXPECT_FALSE(stranger(1).closed);
  EXPECT_TRUE(stranger(2).closed);
  make({.total = 1600, .per_client = 1});
  EXPECT_FALSE(stranger(1).closed);
  EXPECT_TRUE(stranger(1).closed);
}

TEST_F(SessionsOfStrangers, AreJudgedAnewWithNewLimits) {
  make({.total = 3});
  Client& a = connect_from("192.0.2.1");
  Client& b = connect_from("192.0.2.2");
  Client& c = connect_from("192.0.2.3");
  Client& welcome = stranger(1);
  strangers_ = *Prefix::parse("192.0.2.0/31");  // holds the first client alone
  sessions_->limits({.total = 3});
  settle();
  EXPECT_FALSE(a.closed || b.closed || c.closed || welcome.closed);
  EXPECT_TRUE(connect_from("192.0.2.4").closed);  // three clients again
  strangers_ = *Prefix::parse("192.0.2.0/24");
  sessions_->limits({.total = 3});
  settle();
  EXPECT_EQ(a.closed + b.closed + c.closed, 2);  // one place for strangers
  EXPECT_FALSE(welcome.closed);
  EXPECT_EQ(sessions_->size(), 2u);
  EXPECT_FALSE(stranger(2).closed || stranger(3).closed);
  EXPECT_TRUE(stranger(4).closed);
}

TEST_F(SessionsTest, PausesReadingAtTheCapOfPipelinedMessages) {
  make({.pipelined = 2});
  Client& client = connect();
  say(client, framed("1") + framed("2") + framed("3") + framed("4") + framed("5"));
  EXPECT_THAT(handler_.texts(), ElementsAre("1", "2"));
  const SessionId id = handler_.got[0].session;
  EXPECT_TRUE(sessions_->send(id, octets_of("r")));
  EXPECT_THAT(handler_.got, SizeIs(2));  // not from within send()
  settle();
  EXPECT_THAT(handler_.texts(), ElementsAre("1", "2", "3"));
  sessions_->drop_one(id);
  sessions_->drop_one(id);
  settle();
  EXPECT_THAT(handler_.texts(), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(client.replies, ElementsAre("r"));
}

TEST_F(SessionsTest, SynchronousAnswersNeverReachTheCap) {
  make({.pipelined = 1});
  echo_at_once();
  Client& client = connect();
  std::string all;
  for (int i = 0; i < 1000; ++i) all += framed("q");
  say(client, all);
  EXPECT_THAT(client.replies, SizeIs(1000));
}

// Octets that are always there already must not keep the reader from giving the thread back.
TEST_F(SessionsTest, ASenderWithoutPauseLeavesOthersTheirTurn) {
  handler_.on_each = [this](const RecordingHandler::Got& g) { sessions_->drop_one(g.session); };
  Client& client = connect({.capacity = 1 << 20});
  std::string all;
  for (int i = 0; i < 1000; ++i) all += framed("");
  spawn(write_text(*client.stream, all));
  unsigned turns = 0;
  for (size_t before = 0; handler_.got.size() < 1000; before = handler_.got.size(), ++turns) {
    timers_.advance(clock_.now());
    ASSERT_LE(handler_.got.size() - before, 200u);
    ASSERT_LT(turns, 100u);
  }
  EXPECT_GT(turns, 5u);
  EXPECT_EQ(sessions_->size(), 1u);
}

TEST_F(SessionsTest, APausedSessionCanBeClosed) {
  make({.pipelined = 1});
  Client& client = connect();
  say(client, framed("1") + framed("2"));
  sessions_->close_all();
  settle();
  EXPECT_TRUE(client.closed);
  EXPECT_THAT(handler_.got, SizeIs(1));
  // and so can one that was about to go on
  Client& other = connect();
  say(other, framed("1") + framed("2"));
  sessions_->drop_one(handler_.got.back().session);
  sessions_->close_all();
  settle();
  EXPECT_TRUE(other.closed);
  EXPECT_THAT(handler_.got, SizeIs(2));
}

TEST_F(SessionsTest, CutsOffAReaderThatDoesNotRead) {
  Client& client = connect({.capacity = 10}, false);
  ask(client, "x");
  EXPECT_TRUE(sessions_->send(handler_.got[0].session, std::vector<uint8_t>(100)));
  advance(10s - 1ms);
  EXPECT_EQ(sessions_->size(), 1u);
  advance(1ms);
  EXPECT_EQ(sessions_->size(), 0u);
}

TEST_F(SessionsTest, CutsOffAReaderWithTooMuchUnsent) {
  make({.unsent_octets = 1000});
  Client& client = connect({.capacity = 10}, false);
  ask(client, "x");
  const SessionId id = handler_.got[0].session;
  EXPECT_TRUE(sessions_->send(id, std::vector<uint8_t>(498), false));
  EXPECT_TRUE(sessions_->send(id, std::vector<uint8_t>(498), false));
  EXPECT_FALSE(sessions_->send(id, std::vector<uint8_t>(1), false));
  EXPECT_EQ(sessions_->size(), 0u);
}

TEST_F(SessionsTest, ASlowReaderThatReadsIsServed) {
  Client& client = connect({.capacity = 7});
  ask(client, "x");
  const std::string reply(20000, 'r');
  EXPECT_TRUE(sessions_->send(handler_.got[0].session, octets_of(reply), false));
  EXPECT_TRUE(sessions_->send(handler_.got[0].session, octets_of(reply)));
  settle();
  EXPECT_THAT(client.replies, ElementsAre(reply, reply));
}

TEST_F(SessionsTest, DrainsWhatIsUnderWay) {
  Client& idle = connect();
  Client& busy = connect();
  ask(busy, "before");
  sessions_->drain();
  settle();
  EXPECT_TRUE(idle.closed);
  EXPECT_FALSE(busy.closed);
  ask(busy, "after");
  EXPECT_THAT(handler_.texts(), ElementsAre("before"));
  EXPECT_TRUE(connect().closed);
  EXPECT_TRUE(sessions_->send(handler_.got[0].session, octets_of("done")));
  settle();
  EXPECT_THAT(busy.replies, ElementsAre("done"));
  EXPECT_TRUE(busy.closed);
  EXPECT_EQ(sessions_->size(), 0u);
}

TEST_F(SessionsTest, DrainingReleasesAPausedSession) {
  make({.pipelined = 1});
  Client& client = connect();
  say(client, framed("1") + framed("2"));
  sessions_->drain();
  EXPECT_TRUE(sessions_->send(handler_.got[0].session, octets_of("1")));
  settle();
  EXPECT_TRUE(client.closed);
  EXPECT_THAT(handler_.got, SizeIs(1));
}

TEST_F(SessionsTest, AHandlerMayCloseAllFromWithin) {
  handler_.on_each = [this](const RecordingHandler::Got& g) {
    sessions_->send(g.session, octets_of("gathered"));
    sessions_->close_all();
  };
  Client& client = connect();
  Client& other = connect();
  say(client, framed("1") + framed("2"));
  EXPECT_THAT(handler_.got, SizeIs(1));
  EXPECT_TRUE(client.closed);
  EXPECT_TRUE(other.closed);
  EXPECT_EQ(sessions_->size(), 0u);
}

TEST_F(SessionsTest, AHandlerMayDrainFromWithin) {
  handler_.on_each = [this](const RecordingHandler::Got&) { sessions_->drain(); };
  Client& client = connect();
  say(client, framed("1") + framed("2"));
  EXPECT_THAT(handler_.got, SizeIs(1));
  EXPECT_FALSE(client.closed);
  sessions_->drop_one(handler_.got[0].session);
  settle();
  EXPECT_TRUE(client.closed);
}

TEST_F(SessionsTest, NewLimitsHoldForWaitsThatBeginNow) {
  Client& client = connect();
  sessions_->limits({.total = 1, .idle = 1s});
  EXPECT_TRUE(connect().closed);
  advance(2s);
  EXPECT_FALSE(client.closed);
  ask(client, "x");
  sessions_->drop_one(handler_.got[0].session);
  advance(1s);
  EXPECT_TRUE(client.closed);
}

TEST_F(SessionsTest, IsDestroyedWithSessionsInEveryState) {
  make({.pipelined = 1});
  Client& idle = connect();
  Client& paused = connect();
  say(paused, framed("1") + framed("2"));
  Client& writing = connect({.capacity = 10}, false);
  ask(writing, "x");
  sessions_->send(handler_.got.back().session, std::vector<uint8_t>(100), false);
  sessions_.reset();
  settle();
  EXPECT_TRUE(idle.closed && paused.closed);
}

}  // namespace
}  // namespace peregrine
