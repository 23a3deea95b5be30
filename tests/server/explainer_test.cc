#include "server/explainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker_world.h"

namespace peregrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using By = Explanation::By;
using Kind = TraceStep::Kind;

constexpr std::string_view recursion = "[recursion]\nenabled = true\n";

DnameBuf name(std::string_view text) { return DnameBuf::from_text(text).value(); }
Endpoint endpoint(std::string_view text) { return Endpoint::parse(text, 53).value(); }

template <class World>
void start(World& world, const ExplainRequest& request, std::vector<std::optional<Explanation>>& done) {
  Explainer<MutexStore>::start(world.worker.service(), request,
                               [&done](std::optional<Explanation> made) { done.push_back(std::move(made)); });
}

// What is said at once, or when all that waits is cancelled.
template <class World>
Explanation explain(World& world, std::string_view qname, Type qtype = Type::a) {
  std::vector<std::optional<Explanation>> done;
  start(world, {.qname = name(qname), .qtype = qtype}, done);
  if (done.empty()) world.worker.service().cancel();
  if (done.size() != 1 || !done.front()) return ADD_FAILURE() << "not explained", Explanation{};
  return *std::move(done.front());
}

std::string first_words(const Explanation& explanation) { return explanation.steps.at(1).outcome; }

TEST(Explainer, AWholeAnswerOfTheCache) {
  testing::WorkerWorld<> world;
  world.cache({.qname = "www.example.com.", .ttl = 60});
  world.clock.advance(std::chrono::seconds(12));
  const Explanation made = explain(world, "WWW.example.com.");
  EXPECT_EQ(made.by, By::cache);
  EXPECT_EQ(made.age.count(), 12);
  EXPECT_EQ(made.time_left.count(), 48);
  ASSERT_EQ(made.steps.size(), 2u);
  EXPECT_EQ(made.steps[0].kind, Kind::quest);
  EXPECT_EQ(made.steps[0].outcome, "NOERROR");
  EXPECT_EQ(made.steps[1].kind, Kind::cached);
  const auto message = MessageView::parse(made.resolution.message);
  ASSERT_TRUE(message);
  for (const RrView& rr : message->section(Section::answer)) EXPECT_EQ(rr.ttl, 48u);
}

TEST(Explainer, ADnssecQuestionHasAnEntryOfItsOwn) {
  testing::WorkerWorld<> world;
  world.cache({.qname = "www.example.com.", .dnssec_ok = true});
  EXPECT_EQ(explain(world, "www.example.com.").by, By::forward);
  std::vector<std::optional<Explanation>> done;
  start(world, {.qname = name("www.example.com."), .dnssec_ok = true}, done);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0]->by, By::cache);
}

TEST(Explainer, WhatIsAnsweredHere) {
  testing::WorkerWorld<> world;
  const Explanation special = explain(world, "a.localhost.");
  EXPECT_EQ(special.by, By::special_name);
  EXPECT_EQ(special.zone.to_string(), "localhost.");
  EXPECT_EQ(explain(world, "a.invalid.").resolution.rcode, Rcode::nxdomain);
  EXPECT_EQ(explain(world, "example.com.", Type::any).by, By::minimal_any);
  const Explanation refused = explain(world, "example.com.", Type::axfr);
  EXPECT_EQ(refused.by, By::refusal);
  EXPECT_EQ(refused.resolution.rcode, Rcode::notimp);
  EXPECT_EQ(refused.resolution.ede, Ede::not_supported);
  EXPECT_EQ(first_words(refused), "refused: no zone transfers, no mail meta types");
}

TEST(Explainer, NothingIsCountedAsAClients) {
  testing::WorkerWorld<> world;
  world.cache({.qname = "www.example.com."});
  for (const char* qname : {"www.example.com.", "localhost.", "other.example."}) explain(world, qname);
  for (const Counter counter : {Counter::answers, Counter::cache_hits, Counter::cache_misses,
                                Counter::local_answers, Counter::resolutions})
    EXPECT_EQ(world.counters.get(counter), 0u);
}

TEST(Explainer, WhereANameIsForwardedTo) {
  testing::WorkerWorld<> world({.config = "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.53\"]\n"
                                          "[[forward]]\nzone = \"corp.\"\nservers = [\"192.0.2.54:54\"]\n"});
  const Explanation made = explain(world, "www.corp.");
  EXPECT_EQ(made.by, By::forward);
  EXPECT_EQ(made.zone.to_string(), "corp.");
  EXPECT_THAT(made.servers, ElementsAre(endpoint("192.0.2.54:54")));
  EXPECT_EQ(made.steps.at(1).kind, Kind::zone);
  EXPECT_EQ(made.steps.at(1).name.to_string(), "corp.");
  EXPECT_EQ(made.resolution.rcode, Rcode::servfail);
}

TEST(Explainer, AForwardThatIsOnlyFirst) {
  testing::WorkerWorld<> world(
      {.config = "[[forward]]\nzone = \"corp.\"\nservers = [\"192.0.2.54\"]\nfirst = true\n"});
  const Explanation made = explain(world, "www.corp.");
  EXPECT_EQ(made.by, By::forward);
  EXPECT_TRUE(made.first);
  EXPECT_EQ(made.zone.to_string(), "corp.");
}

TEST(Explainer, ALocalZoneAndWhereItLeads) {
  const std::string config =
      "[[local]]\nzone = \"lan.\"\nrecords = [\"nas A 192.168.1.2\", \"out CNAME example.com.\"]\n";
  testing::WorkerWorld<> world({.config = config});
  const Config loaded = testing::load(config);
  const OwnZones own = load_own_zones(loaded, world.clock.wall());
  ASSERT_TRUE(own.errors.empty());
  world.worker.adopt(make_snapshot(loaded, {}, own));
  const Explanation here = explain(world, "nas.lan.");
  EXPECT_EQ(here.by, By::local);
  EXPECT_EQ(here.zone.to_string(), "lan.");
  EXPECT_EQ(here.resolution.rcode, Rcode::noerror);
  EXPECT_EQ(here.resolution.upstream_packets, 0u);
  EXPECT_EQ(explain(world, "absent.lan.").resolution.rcode, Rcode::nxdomain);
  const Explanation away = explain(world, "out.lan.");
  EXPECT_EQ(away.by, By::local);
  EXPECT_GT(world.network.sent, 0u);
}

TEST(Explainer, WhereNobodyIsAsked) {
  testing::WorkerWorld<> world({.config = "[recursion]\nenabled = false\n"
                                          "[[forward]]\nzone = \"corp.\"\nservers = [\"192.0.2.54\"]\n"});
  const Explanation made = explain(world, "example.com.");
  EXPECT_EQ(made.by, By::nobody);
  EXPECT_EQ(made.steps.at(0).outcome, "no server for this name");
}

TEST(Explainer, FromTheRootOrAStub) {
  testing::WorkerWorld<> world(
      {.config = std::string(recursion) + "[[stub]]\nzone = \"corp.\"\nservers = [\"192.168.1.53\"]\n"});
  const Explanation from_root = explain(world, "www.example.com.");
  EXPECT_EQ(from_root.by, By::root);
  EXPECT_THAT(from_root.servers, IsEmpty());
  EXPECT_GE(from_root.steps.size(), 3u);
  const Explanation stub = explain(world, "www.corp.");
  EXPECT_EQ(stub.by, By::stub);
  EXPECT_EQ(stub.zone.to_string(), "corp.");
  EXPECT_THAT(stub.servers, ElementsAre(endpoint("192.168.1.53")));
}

TEST(Explainer, AFewAtOnceAndNoMore) {
  testing::WorkerWorld<> world({.config = std::string(recursion)});
  constexpr size_t most = Explainer<MutexStore>::most_at_once;
  std::vector<std::optional<Explanation>> done;
  for (size_t i = 0; i < most; ++i) start(world, {.qname = name("example.com."), .fresh = i % 2 == 1}, done);
  EXPECT_THAT(done, IsEmpty());
  EXPECT_EQ(world.worker.service().resolving(), most);
  start(world, {.qname = name("localhost.")}, done);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_FALSE(done[0]);
  world.worker.service().cancel();
  EXPECT_EQ(done.size(), 1 + most);
  EXPECT_EQ(world.worker.service().resolving(), 0u);
}

TEST(Explainer, FreshPassesTheCacheOver) {
  testing::WorkerWorld<> world({.config = std::string(recursion)});
  world.cache({.qname = "www.example.com."});
  EXPECT_EQ(explain(world, "www.example.com.").by, By::cache);
  std::vector<std::optional<Explanation>> done;
  start(world, {.qname = name("www.example.com."), .fresh = true}, done);
  EXPECT_THAT(done, IsEmpty());
  EXPECT_GT(world.network.sent, 0u);
  world.worker.service().cancel();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0]->by, By::root);
}

}  // namespace
}  // namespace peregrine
