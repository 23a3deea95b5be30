#include "server/worker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/memory_stream.h"
#include "server/query_builder.h"
#include "server/worker_world.h"
#include "wire/rdata.h"

namespace peregrine {
namespace {

using testing::query;
using testing::QuerySpec;

class WorkerTest : public ::testing::Test {
 protected:
  explicit WorkerTest(const std::string& config = testing::WorldOptions{}.config)
      : world_({.config = config}) {}

  void reload(const std::string& config) {
    worker_.adopt(next_snapshot(worker_.service().snapshot(), testing::load(config), {}));
  }
  std::vector<std::vector<uint8_t>> ask(const std::vector<uint8_t>& octets,
                                        const char* client = "127.0.0.1:4000") {
    return world_.ask({octets}, client);
  }
  std::vector<std::vector<uint8_t>> replies() { return world_.replies(); }
  void wait(Duration duration) {
    const Instant end = clock_.now() + duration;
    while (clock_.now() < end) {
      clock_.advance(std::chrono::milliseconds(10));
      timers_.advance(clock_.now());
    }
  }
  // Puts "qname A 192.0.2.7, TTL 60" where the worker will find it.
  void cache(std::string_view qname, uint32_t generation = 1) { world_.cache({.qname = qname}, generation); }

  testing::WorkerWorld<> world_;
  VirtualClock& clock_ = world_.clock;
  Timers& timers_ = world_.timers;
  testing::SilentNetwork& network_ = world_.network;
  Counters& counters_ = world_.counters;
  Worker<MemoryEngine, MutexStore>& worker_ = world_.worker;
};

TEST_F(WorkerTest, AnswersFromTheCacheAtOnce) {
  cache("www.example.");
  const auto got = ask(query({.qname = "WWW.Example."}));
  ASSERT_EQ(got.size(), 1u);
  const auto view = MessageView::parse(got[0]).value();
  EXPECT_EQ(to_text(*view.section(Section::answer).begin()), "WWW.Example.\t60\tIN\tA\t192.0.2.7");
  EXPECT_EQ(counters_.get(Counter::cache_hits), 1u);
  EXPECT_EQ(network_.sent, 0u);
}

TEST_F(WorkerTest, AnEntryFromTheFutureIsResolvedAnew) {
  cache("www.example.");
  clock_.step_wall(std::chrono::seconds(-3));
  EXPECT_EQ(ask(query()).size(), 1u);  // a clock that is set right by a little
  clock_.step_wall(std::chrono::hours(-24));
  EXPECT_TRUE(ask(query()).empty());
}

TEST_F(WorkerTest, AnswersOfServersThatServeNoMoreAreNotGiven) {
  cache("www.corp.example.");
  cache("www.example.");
  reload(
      "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n"
      "[[forward]]\nzone = \"corp.example\"\nservers = [\"192.0.2.54\"]\n");
  EXPECT_TRUE(ask(query({.qname = "www.corp.example."})).empty());
  EXPECT_EQ(ask(query({.qname = "www.example."})).size(), 1u);
}

TEST_F(WorkerTest, AnExpiredEntryIsResolvedAnew) {
  cache("www.example.");
  clock_.advance(std::chrono::seconds(60));
  EXPECT_TRUE(ask(query()).empty());
  EXPECT_EQ(network_.sent, 1u);
}

TEST_F(WorkerTest, DoAndCdHaveAnswersOfTheirOwn) {
  cache("www.example.");
  EXPECT_TRUE(ask(query({.opt = {.dnssec_ok = true}})).empty());
  EXPECT_TRUE(ask(query({.cd = true})).empty());
  EXPECT_EQ(counters_.get(Counter::cache_hits), 0u);
}

TEST_F(WorkerTest, WithoutRecursionDesiredOnlyTheCacheAnswers) {
  cache("www.example.");
  EXPECT_EQ(MessageView::parse(ask(query({.rd = false}))[0])->rcode(), Rcode::noerror);
  EXPECT_EQ(MessageView::parse(ask(query({.qname = "other.example.", .rd = false}))[0])->rcode(),
            Rcode::refused);
  EXPECT_EQ(network_.sent, 0u);
}

TEST_F(WorkerTest, StrangersAreRefusedWithAReason) {
  cache("www.example.");
  const auto got = ask(query(), "203.0.113.5:53");
  ASSERT_EQ(got.size(), 1u);
  const auto view = MessageView::parse(got[0]).value();
  EXPECT_EQ(view.rcode(), Rcode::refused);
  EXPECT_EQ(view.header().count(Section::answer), 0);
  const auto extended = view.edns()->find(EdnsOption::extended_error);
  ASSERT_TRUE(extended);
  EXPECT_EQ(load_u16(extended->data()), 18);
  EXPECT_EQ(counters_.get(Counter::refused_acl), 1u);
}

TEST_F(WorkerTest, StrangersOnStreamsKeepNoClientOutAndReloadsSayWhoTheyAre) {
  std::vector<std::unique_ptr<Stream>> ends;
  auto connect = [&](const char* from) {
    auto pipe = make_stream_pair(timers_, {.client = Endpoint::parse(from, 1).value()});
    worker_.sessions().adopt(std::move(pipe.server));
    ends.push_back(std::move(pipe.client));
    return worker_.sessions().size();
  };
  const std::string places = "[server]\ntcp_sessions = 2\n";
  reload(places);
  EXPECT_EQ(connect("203.0.113.5"), 1u);
  EXPECT_EQ(connect("203.0.113.6"), 1u);
  EXPECT_EQ(connect("127.0.0.1"), 2u);
  EXPECT_EQ(connect("127.0.0.2"), 3u);
  reload(places + "[access]\nallow = [\"203.0.113.0/24\"]\n");
  EXPECT_EQ(worker_.sessions().size(), 2u);  // the loopback ones share a stranger's place now
  EXPECT_EQ(connect("203.0.113.7"), 3u);
  EXPECT_EQ(connect("203.0.113.8"), 3u);
}

TEST_F(WorkerTest, SilenceForWhatIsNoQuery) {
  auto response = query();
  response[2] |= 0x80;
  EXPECT_TRUE(ask(response).empty());
  EXPECT_TRUE(ask({1, 2, 3}).empty());
  EXPECT_EQ(counters_.get(Counter::dropped_malformed), 2u);
}

TEST_F(WorkerTest, IdenticalQuestionsShareAResolutionAndEachGetsItsOwnReply) {
  EXPECT_TRUE(ask(query({.qname = "a.example.", .id = 1}), "127.0.0.1:1001").empty());
  EXPECT_TRUE(ask(query({.qname = "A.Example.", .id = 2, .edns = false}), "127.0.0.1:1002").empty());
  EXPECT_EQ(network_.sent, 1u);
  EXPECT_EQ(worker_.service().resolving(), 1u);
  wait(std::chrono::seconds(6));
  const auto got = replies();
  ASSERT_EQ(got.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const auto view = MessageView::parse(got[i]).value();
    EXPECT_EQ(view.header().id(), i + 1);
    EXPECT_EQ(view.rcode(), Rcode::servfail);
    EXPECT_EQ(view.question().qname.to_string(), i == 0 ? "a.example." : "A.Example.");
    EXPECT_EQ(view.edns().has_value(), i == 0);
  }
  EXPECT_EQ(worker_.service().resolving(), 0u);
}

TEST_F(WorkerTest, WhoAsksAfterAReloadDoesNotJoinWhatBeganBefore) {
  EXPECT_TRUE(ask(query({.qname = "a.example."})).empty());
  reload("[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n");
  EXPECT_TRUE(ask(query({.qname = "a.example."})).empty());
  EXPECT_EQ(worker_.service().resolving(), 1u);  // the same servers: the same resolution
  reload("[[forward]]\nzone = \".\"\nservers = [\"192.0.2.54\"]\n");
  EXPECT_TRUE(ask(query({.qname = "a.example."})).empty());
  EXPECT_EQ(worker_.service().resolving(), 2u);
}

TEST_F(WorkerTest, AReloadThatChangesNoServersLeavesTheCacheOnTheHitPath) {
  cache("www.example.");
  reload("[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n[edns]\nudp_size = 1000\n");
  EXPECT_EQ(worker_.service().snapshot().generation, 2u);
  EXPECT_EQ(worker_.service().snapshot().policy_generation, 1u);
}

TEST_F(WorkerTest, SpecialNamesNeverLeaveUnlessAZoneIsConfiguredThere) {
  EXPECT_EQ(
      MessageView::parse(ask(query({.qname = "1.0.0.10.in-addr.arpa.", .qtype = Type::ptr}))[0])->rcode(),
      Rcode::nxdomain);
  EXPECT_EQ(network_.sent, 0u);
  reload(
      "[[forward]]\nzone = \"0.10.in-addr.arpa\"\nservers = [\"192.0.2.53\"]\n"
      "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.54\"]\n");
  EXPECT_TRUE(ask(query({.qname = "1.0.0.10.in-addr.arpa.", .qtype = Type::ptr})).empty());
  EXPECT_EQ(network_.sent, 1u);
  EXPECT_EQ(ask(query({.qname = "1.0.1.10.in-addr.arpa.", .qtype = Type::ptr})).size(),
            1u);  // beside the zone
  EXPECT_EQ(network_.sent, 1u);
}

TEST_F(WorkerTest, WhatWasForwardedIsLocalOnceItsZoneIsGone) {
  const std::string root = "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n";
  reload(root + "[[forward]]\nzone = \"home.arpa\"\nservers = [\"192.0.2.54\"]\n");
  const uint32_t then = worker_.service().snapshot().policy_generation;
  cache("printer.home.arpa.", then);
  cache("www.example.", then);
  EXPECT_EQ(MessageView::parse(ask(query({.qname = "printer.home.arpa."}))[0])->rcode(), Rcode::noerror);
  reload(root);
  EXPECT_EQ(MessageView::parse(ask(query({.qname = "printer.home.arpa."}))[0])->rcode(), Rcode::nxdomain);
  EXPECT_EQ(MessageView::parse(ask(query())[0])->rcode(), Rcode::noerror);  // a reload keeps the cache
}

class SmallWorker : public WorkerTest {
 protected:
  SmallWorker()
      : WorkerTest(
            "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n"
            "[resolver]\nqueries_in_flight = 2\nwaiters_per_query = 2\n") {}
};

TEST_F(SmallWorker, CapsAreAnsweredNotQueued) {
  EXPECT_TRUE(ask(query({.qname = "a.example."})).empty());
  EXPECT_TRUE(ask(query({.qname = "a.example."})).empty());
  EXPECT_EQ(MessageView::parse(ask(query({.qname = "a.example."}))[0])->rcode(), Rcode::servfail);
  EXPECT_TRUE(ask(query({.qname = "b.example."})).empty());
  EXPECT_EQ(MessageView::parse(ask(query({.qname = "c.example."}))[0])->rcode(), Rcode::servfail);
  EXPECT_EQ(counters_.get(Counter::waiters_refused), 1u);
  EXPECT_EQ(counters_.get(Counter::resolutions_refused), 1u);
  EXPECT_EQ(counters_.get(Counter::servfail), 2u);
}

TEST_F(WorkerTest, CancelledResolutionsAreAnswered) {
  EXPECT_TRUE(ask(query()).empty());
  worker_.service().cancel();
  const auto got = replies();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(MessageView::parse(got[0])->rcode(), Rcode::servfail);
}

}  // namespace
}  // namespace peregrine
