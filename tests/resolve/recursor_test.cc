#include "resolve/recursor.h"

#include <gmock/gmock.h>

#include "resolve/recursor_support.h"
#include "resolve/zone_inquiry.h"

namespace peregrine {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST_F(RecursorTest, WalksFromTheRoot) {
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.80")));
  // RFC 9156: the root sees one label, the next two. RFC 9609: primed before anything else.
  EXPECT_THAT(internet.asked("198.41.0.4"), ElementsAre(". NS", "com. A"));
  EXPECT_THAT(internet.asked("192.5.6.30"), ElementsAre("example.com. A"));
}

TEST_F(RecursorTest, KnowsTheWayTheNextTime) {
  answer("www.example.com.");
  world.network.forget_queries();
  EXPECT_THAT(answer("www.example.com."), SizeIs(1));
  EXPECT_THAT(internet.asked(), IsEmpty());
  EXPECT_EQ(resolve("nothing.example.com.").rcode, Rcode::nxdomain);
  EXPECT_THAT(internet.asked(), ElementsAre("nothing.example.com. A"));
}

TEST_F(RecursorTest, FollowsAliasesAcrossZones) {
  EXPECT_THAT(answer("alias.example.com."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.80")));
  EXPECT_THAT(answer("away.example.com."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.90")));
  world.network.forget_queries();
  answer("away.example.com.");
  EXPECT_THAT(internet.asked(), IsEmpty()) << "each piece is cached";
}

TEST_F(RecursorTest, EndsLoops) {
  const Resolution resolution = resolve("loop1.example.com.");
  EXPECT_EQ(resolution.rcode, Rcode::servfail);
  EXPECT_LT(resolution.upstream_packets, 10u);
}

TEST_F(RecursorTest, SynthesisesFromDname) {
  EXPECT_THAT(answer("x.old.example.com."),
              ElementsAre(HasSubstr("DNAME"), HasSubstr("CNAME"), HasSubstr("192.0.2.83")));
  world.network.forget_queries();
  EXPECT_EQ(resolve("y.old.example.com.").rcode, Rcode::nxdomain);
  EXPECT_THAT(internet.asked(), ElementsAre("new.example.com. A", "y.new.example.com. A"))
      << "the DNAME is known";
}

// RFC 8020: below a name that does not exist there is nothing.
TEST_F(RecursorTest, AskedOnceOfWhatDoesNotExist) {
  EXPECT_EQ(resolve("gone.example.com.").rcode, Rcode::nxdomain);
  world.network.forget_queries();
  const Resolution below = resolve("far.below.gone.example.com.", Type::aaaa);
  EXPECT_EQ(below.rcode, Rcode::nxdomain);
  EXPECT_THAT(records(parsed(below.message), Section::authority), ElementsAre(HasSubstr("SOA")));
  EXPECT_THAT(internet.asked(), IsEmpty());
  pass(301s);
  EXPECT_EQ(resolve("gone.example.com.").rcode, Rcode::nxdomain);
  EXPECT_THAT(internet.asked(), SizeIs(1)) << "for as long as the SOA says";
}

TEST_F(RecursorTest, TheRootIsBelieved) {
  EXPECT_EQ(resolve("printer.office.nothing.").rcode, Rcode::nxdomain);
  EXPECT_EQ(resolve("other.nothing.").rcode, Rcode::nxdomain);
  EXPECT_THAT(internet.asked(), ElementsAre(". NS", "nothing. A"));
}

TEST_F(RecursorTest, TellsNoDataFromNoName) {
  const Resolution no_data = resolve("www.example.com.", Type::aaaa);
  EXPECT_EQ(no_data.rcode, Rcode::noerror);
  EXPECT_THAT(records(parsed(no_data.message), Section::authority), ElementsAre(HasSubstr("SOA")));
  const Resolution empty_non_terminal = resolve("b.deep.example.com.");
  EXPECT_EQ(empty_non_terminal.rcode, Rcode::noerror);
  EXPECT_THAT(answer("a.b.deep.example.com."), ElementsAre(HasSubstr("192.0.2.81")));
  EXPECT_THAT(answer("any.thing.wild.example.com."), ElementsAre(HasSubstr("192.0.2.82")));
}

TEST_F(RecursorTest, LooksUpServersWithoutGlue) {
  EXPECT_THAT(answer("www.other.net."), ElementsAre(HasSubstr("192.0.2.90")));
  EXPECT_THAT(internet.asked(), Contains("ns1.example.com. A"));
}

TEST_F(RecursorTest, AsksAnotherServerWhereOneIsSilentOrLame) {
  for (const FakeServer& bad :
       {FakeServer{}, always({.rcode = Rcode::refused}), always({.rcode = Rcode::servfail}),
        always({.authority = {". 60 NS a.root."}}), always({.authority = {"com. 60 NS a.gtld.com."}})}) {
    world.network.serve(endpoint("203.0.113.1"), bad);
    pass(100'000s);
    EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.80")));
  }
}

TEST_F(RecursorTest, SaysWhyNothingWasFound) {
  world.network.serve(endpoint("203.0.113.1"), {});
  world.network.serve(endpoint("203.0.113.2"), {});
  const Instant begun = world.clock.now();
  const Resolution resolution = resolve("www.example.com.");
  EXPECT_EQ(resolution.rcode, Rcode::servfail);
  EXPECT_EQ(resolution.ede, Ede::network_error);
  EXPECT_THAT(resolution.ede_text, HasSubstr("example.com."));
  EXPECT_LE(world.clock.now() - begun, table->options.timeout);
}

// What the public root says of a name that somebody has a zone of his own at is not about that.
TEST_F(RecursorTest, NobodyElseDeniesAZoneThatWasConfigured) {
  internet.zone("lan.", {"192.0.2.53"}, {soa, "www 60 A 192.0.2.99"});
  auto made = std::make_shared<RecursionTable>(*table);
  made->stubs.push_back({.zone = name("lan."),
                         .servers = {{.name = {}, .addresses = {endpoint("192.0.2.53").address}}},
                         .configured = true});
  table = made;
  EXPECT_EQ(resolve("lan.", Type::ds).rcode, Rcode::nxdomain);
  EXPECT_THAT(answer("www.lan."), ElementsAre(HasSubstr("192.0.2.99")));
}

TEST_F(RecursorTest, AFallbackDoesNotOutliveTheFailure) {
  const auto silent = FakeServer{};
  world.network.serve(endpoint("192.0.2.53"), silent);
  forwards = std::make_shared<ForwardTable>(
      std::vector<ForwardTable::Zone>{{name("lan."), {endpoint("192.0.2.53")}, true}});
  EXPECT_EQ(resolve("www.lan.").rcode, Rcode::nxdomain);
  world.network.serve(endpoint("192.0.2.53"), answering("www.lan. 60 A 192.0.2.99"));
  pass(100s);
  EXPECT_THAT(answer("www.lan."), ElementsAre(HasSubstr("192.0.2.99")));
}

// The server of one zone is no authority for others, though it is a resolver.
TEST_F(RecursorTest, ForwardersAreBelievedBelowTheirZone) {
  world.network.serve(
      endpoint("192.0.2.53"),
      always({.answer = {"x.corp.example.com. 60 CNAME www.example.com.",
                         "www.example.com. 60 CNAME evil.example.com.", "com. 60 DNAME evil."}}));
  forwards = std::make_shared<ForwardTable>(
      std::vector<ForwardTable::Zone>{{name("corp.example.com."), {endpoint("192.0.2.53")}}});
  EXPECT_THAT(answer("x.corp.example.com."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.80")));
  EXPECT_FALSE(knowledge.rrset(name("com."), Type::dname));
}

// Whoever leads a request to a name when it has no packets left must not make that name fail for others.
TEST_F(RecursorTest, AnAliasDoesNotMakeItsTargetFail) {
  options().max_packets = 4;
  EXPECT_EQ(resolve("away.example.com.").rcode, Rcode::servfail);
  options().max_packets = 100;
  EXPECT_THAT(answer("www.other.net."), SizeIs(1));
}

TEST_F(RecursorTest, SaysThatTheRootIsSilent) {
  world.network.serve(endpoint("198.41.0.4"), {});
  const Resolution resolution = resolve("www.example.com.");
  EXPECT_EQ(resolution.ede, Ede::network_error);
  EXPECT_THAT(resolution.ede_text, HasSubstr("servers of ."));
}

// RFC 9520 section 3.2.
TEST_F(RecursorTest, FailuresHoldForAWhile) {
  for (const char* server : {"203.0.113.1", "203.0.113.2"})
    world.network.serve(endpoint(server), always({.rcode = Rcode::servfail}));
  EXPECT_EQ(resolve("www.example.com.").ede, Ede::no_reachable_authority);
  world.network.forget_queries();
  EXPECT_EQ(resolve("www.example.com.").ede, Ede::cached_error);
  EXPECT_THAT(internet.asked(), IsEmpty());
  internet.zone("example.com.", {"203.0.113.1", "203.0.113.2"}, {soa, "www 300 A 192.0.2.80"});
  pass(1s);
  EXPECT_THAT(answer("www.example.com."), SizeIs(1));
}

// A server's name that this request has no packets left for is not in the way of one that has.
TEST_F(RecursorTest, WhatWasCutShortIsNoFailureForOthers) {
  options().max_packets = 6;
  EXPECT_EQ(resolve("www.other.net.").rcode, Rcode::servfail);
  options().max_packets = 100;
  EXPECT_THAT(answer("ns1.example.com."), SizeIs(1));
}

// RFC 6672 section 3.1, RFC 1034 section 4.3.2 step 3a.
TEST_F(RecursorTest, AliasesThemselvesAreNotFollowed) {
  for (int cached = 0; cached < 2; ++cached) {
    EXPECT_THAT(answer("x.old.example.com.", Type::cname),
                ElementsAre(HasSubstr("DNAME"), HasSubstr("CNAME\tx.new.example.com.")));
    EXPECT_THAT(answer("alias.example.com.", Type::cname), ElementsAre(HasSubstr("CNAME\twww.example.com.")));
  }
  EXPECT_FALSE(knowledge.rrset(name("x.old.example.com."), Type::cname)) << "it is made from the DNAME";
}

// What only the parent has is asked of the parent when it has expired.
TEST_F(RecursorTest, AddressesThatExpireBeforeTheirServersAreAskedForAgain) {
  internet.zone("com.", {"192.5.6.30"},
                {soa, "lost 3600 NS ns1.lost", "lost 3600 NS ns2.lost", "ns1.lost 60 A 203.0.113.7",
                 "ns2.lost 3600 A 203.0.113.8"});
  internet.zone("lost.com.", {"203.0.113.7"}, {soa, "* 1 A 192.0.2.1"});
  world.network.serve(endpoint("203.0.113.8"), always({.rcode = Rcode::refused}));
  EXPECT_THAT(answer("a.lost.com."), SizeIs(1));
  pass(61s);
  EXPECT_THAT(answer("b.lost.com."), SizeIs(1));
}

TEST_F(RecursorTest, AsksTheFamilyThatIsNotCached) {
  internet.zone("net.", {"192.5.6.30"}, {soa, "six 60 NS ns.two.com."});
  internet.zone("com.", {"192.5.6.30"}, {soa, "two 60 NS ns1.example", "ns1.example 60 A 203.0.113.1"});
  internet.zone("two.com.", {"203.0.113.1"}, {soa, "ns 60 A 203.0.113.9", "ns 60 AAAA 2001:db8::9"});
  internet.zone("six.net.", {"2001:db8::9"}, {soa, "www 60 A 192.0.2.96"});
  answer("ns.two.com.");
  EXPECT_THAT(answer("www.six.net."), ElementsAre(HasSubstr("192.0.2.96")));
}

// The letters that were sent at random (0x20) come back in what a reply compresses into its question.
TEST_F(RecursorTest, NamesKeepTheirCase) {
  internet.zone("example.com.", {"203.0.113.1", "203.0.113.2"},
                {soa, "point 60 CNAME Host", "Host 60 A 192.0.2.1"});
  EXPECT_THAT(answer("point.example.com."),
              ElementsAre(HasSubstr("Host.example.com."), HasSubstr("Host.example.com.")));
}

TEST_F(RecursorTest, AMissingFamilyCostsNothing) {
  std::vector<std::string> lines{soa};
  for (int i = 0; i < 8; ++i) {
    const std::string server = "ns" + std::to_string(i) + ".dual";
    lines.push_back("dual 60 NS " + server);
    lines.push_back(server + " 60 AAAA 2001:db8::" + std::to_string(i + 1));
  }
  lines.push_back("ns7.dual 60 A 203.0.113.7");
  internet.zone("com.", {"192.5.6.30"}, lines);
  internet.zone("dual.com.", {"203.0.113.7"}, {soa, "www 60 A 192.0.2.1"});
  world.network.has_v6 = false;
  options().max_packets = 6;
  EXPECT_THAT(answer("www.dual.com."), SizeIs(1));
}

TEST_F(RecursorTest, AsksBothFamiliesOfAServer) {
  internet.zone("net.", {"192.5.6.30"}, {soa, "two 60 NS ns.two.com."});
  internet.zone("com.", {"192.5.6.30"}, {soa, "two 60 NS ns1.example", "ns1.example 60 A 203.0.113.1"});
  internet.zone("two.com.", {"203.0.113.1"}, {soa, "ns 60 A 203.0.113.7", "ns 60 AAAA 2001:db8::7"});
  world.network.serve(endpoint("203.0.113.7"), always({.rcode = Rcode::refused}));
  internet.zone("two.net.", {"2001:db8::7"}, {soa, "www 60 A 192.0.2.1"});
  EXPECT_THAT(answer("www.two.net."), SizeIs(1));
}

// Servers that answer at the address that the parent knows, and not at the one that they give for themselves.
TEST_F(RecursorTest, AsksWhereTheParentsSayAtLast) {
  internet.zone("net.", {"192.5.6.30"},
                {soa, "child 60 NS ns.child", "ns.child 60 A 203.0.113.7", "other 60 NS ns.child"});
  internet.zone("child.net.", {"203.0.113.7"}, {soa, "ns 60 A 203.0.113.8"});
  internet.zone("other.net.", {"203.0.113.7"}, {soa, "www 60 A 192.0.2.91"});
  EXPECT_THAT(answer("www.other.net."), ElementsAre(HasSubstr("192.0.2.91")));
}

// A server's own zone says that its name is another zone's, which has no servers.
TEST_F(RecursorTest, AsksWhereAnyParentSaysAtLast) {
  internet.zone("com.", {"192.5.6.30"}, {soa, "child 60 NS ns.child.net."});
  internet.zone("net.", {"192.5.6.30"}, {soa, "child 60 NS ns.child", "ns.child 60 A 203.0.113.7"});
  internet.zone("child.com.", {"203.0.113.7"}, {soa, "www 60 A 192.0.2.91"});
  internet.zone("child.net.", {"203.0.113.7"}, {soa, "ns 60 NS nowhere"});
  EXPECT_THAT(answer("www.child.com."), ElementsAre(HasSubstr("192.0.2.91")));
}

TEST_F(RecursorTest, LooksUpSiblingGlueWhereThatIsWanted) {
  internet.zone("com.", {"192.5.6.30"},
                {soa, "child 60 NS ns.sibling", "ns.sibling 60 A 203.0.113.7", "sibling 60 NS ns1.example",
                 "ns1.example 60 A 203.0.113.1"});
  internet.zone("sibling.com.", {"203.0.113.1"}, {soa, "ns 60 A 203.0.113.8"});
  internet.zone("child.com.", {"203.0.113.7", "203.0.113.8"},
                {soa, "www 60 A 192.0.2.91", "ftp 60 A 192.0.2.92"});
  answer("www.child.com.");
  EXPECT_THAT(internet.asked("203.0.113.7"), SizeIs(1));
  options().verify_sibling_glue = true;
  world.network.forget_queries();
  answer("ftp.child.com.");
  EXPECT_THAT(internet.asked("203.0.113.7"), IsEmpty());
  EXPECT_THAT(internet.asked("203.0.113.8"), SizeIs(1));
}

// RFC 4035 section 3.1.4.1: whether there is a DS is for the parent to say.
TEST_F(RecursorTest, AliasesDoNotHideWhatTheParentHas) {
  internet.zone("example.com.", {"203.0.113.1", "203.0.113.2"},
                {soa, "at 300 NS ns.at", "ns.at 300 A 203.0.113.5"});
  world.network.serve(endpoint("203.0.113.5"), answering("at.example.com. 300 CNAME www.example.com."));
  resolve("at.example.com.");
  const Resolution resolution = resolve("at.example.com.", Type::ds);
  EXPECT_EQ(resolution.rcode, Rcode::noerror);
  EXPECT_THAT(answer_of(resolution.message), IsEmpty());
}

TEST_F(RecursorTest, FollowsServersThatAreAliases) {
  internet.zone("net.", {"192.5.6.30"}, {soa, "aliased 60 NS alias.example.com."});
  internet.zone("example.com.", {"203.0.113.1", "203.0.113.2"},
                {soa, "alias 60 CNAME real", "real 60 A 203.0.113.4"});
  internet.zone("aliased.net.", {"203.0.113.4"}, {soa, "www 60 A 192.0.2.92"});
  EXPECT_THAT(answer("www.aliased.net."), ElementsAre(HasSubstr("192.0.2.92")));
}

// A name that its own zone's server has: asking for it would need it first.
TEST_F(RecursorTest, EndsWhereServersNeedEachOther) {
  internet.zone("net.", {"192.5.6.30"}, {"one 60 NS ns.two", "two 60 NS ns.one"});
  const Resolution resolution = resolve("www.one.net.");
  EXPECT_EQ(resolution.rcode, Rcode::servfail);
  EXPECT_LT(resolution.upstream_packets, 20u);
}

TEST_F(RecursorTest, BelievesNothingFromOutsideOfTheZone) {
  world.network.serve(
      endpoint("203.0.113.1"),
      always({.answer = {"evil.example.com. 60 A 192.0.2.66", "www.bank.com. 60 A 192.0.2.66"},
              .authority = {"com. 60 NS ns.evil.example.com.",
                            "example.com. 9999999 NS ns.evil.example.com."}}));
  world.network.serve(endpoint("203.0.113.2"), {});
  resolve("evil.example.com.");
  EXPECT_FALSE(knowledge.rrset(name("www.bank.com."), Type::a));
  const auto com = knowledge.delegation(name("com."));
  ASSERT_TRUE(com);
  EXPECT_EQ(com->servers.front().name, name("a.gtld.com."));
}

TEST_F(RecursorTest, TakesNoAddressesFromOutsideOfTheZone) {
  world.network.serve(endpoint("192.5.6.30"), [](const FakeQuery& query) {
    const Octets reply = reply_to(query.message, {.authority = {"example.com. 60 NS ns.victim.net."},
                                                  .additional = {"ns.victim.net. 60 A 203.0.113.66"}});
    return std::vector<FakeReply>{{.message = reply}};
  });
  resolve("www.example.com.");
  EXPECT_THAT(internet.asked("203.0.113.66"), IsEmpty());
  const auto known = knowledge.delegation(name("example.com."));
  ASSERT_TRUE(known);
  EXPECT_THAT(known->servers.front().addresses, IsEmpty());
}

TEST_F(RecursorTest, AsksNoPrivateAddressesForPublicNames) {
  options().query_private = false;
  internet.zone("com.", {"192.5.6.30"},
                {"inside 60 NS ns.inside", "ns.inside 60 A 127.0.0.1", "ns.inside 60 A 10.1.2.3"});
  const Resolution resolution = resolve("www.inside.com.");
  EXPECT_EQ(resolution.rcode, Rcode::servfail);
  for (const FakeQuery& query : world.network.queries()) EXPECT_TRUE(is_public(query.server.address));
}

TEST_F(RecursorTest, DoesNotAskItself) {
  options().query_private = false;
  auto made = std::make_shared<RecursionTable>(*table);
  made->own_addresses = {endpoint("192.0.2.200").address, endpoint("203.0.113.2").address};
  table = made;
  answer("www.example.com.");
  world.network.serve(endpoint("203.0.113.1"), {});
  EXPECT_EQ(resolve("ftp.example.com.").rcode, Rcode::servfail);
  EXPECT_THAT(internet.asked("203.0.113.2"), IsEmpty());
}

TEST_F(RecursorTest, RecallsWhatItKnows) {
  const auto recall = [&](std::string_view qname) {
    return recursor.recall({.qname = name(qname)}, table, forwards);
  };
  EXPECT_FALSE(recall("alias.example.com."));
  answer("alias.example.com.");
  resolve("nothing.example.com.");
  world.network.forget_queries();
  ASSERT_TRUE(recall("alias.example.com."));
  EXPECT_THAT(answer_of(recall("alias.example.com.")->message), SizeIs(2));
  EXPECT_EQ(recall("below.nothing.example.com.")->rcode, Rcode::nxdomain);
  pass(100s);
  EXPECT_THAT(answer_of(recall("www.example.com.")->message), ElementsAre(HasSubstr("200")));
  EXPECT_FALSE(recall("away.example.com."));
  EXPECT_THAT(internet.asked(), IsEmpty());
}

TEST_F(RecursorTest, PrimesAheadOfTheFirstQuery) {
  EXPECT_EQ(run(world.network, recursor.prime(table)), true);
  EXPECT_THAT(internet.asked(), ElementsAre(". NS"));
  answer("www.example.com.");
  EXPECT_THAT(internet.asked("198.41.0.4"), ElementsAre(". NS", "com. A"));
  world.network.serve(endpoint("198.41.0.4"), {});
  EXPECT_EQ(run(world.network, recursor.prime(table)), false);
}

TEST_F(RecursorTest, StubsAreAskedWhateverTheParentSays) {
  internet.zone("example.com.", {"192.0.2.53"}, {soa, "www 60 A 192.0.2.99"});
  auto made = std::make_shared<RecursionTable>(*table);
  made->stubs.push_back({.zone = name("example.com."),
                         .servers = {{.name = {}, .addresses = {endpoint("192.0.2.53").address}}},
                         .configured = true});
  table = made;
  EXPECT_THAT(answer("www.example.com."), ElementsAre(HasSubstr("192.0.2.99")));
  EXPECT_THAT(internet.asked(), ElementsAre("www.example.com. A"));
}

TEST_F(RecursorTest, ForwardedZonesAreForwarded) {
  world.network.serve(endpoint("192.0.2.53"), answering("www.corp.example. 60 A 192.0.2.77"));
  forwards = std::make_shared<ForwardTable>(
      std::vector<ForwardTable::Zone>{{name("corp.example."), {endpoint("192.0.2.53")}}});
  internet.zone("example.com.", {"203.0.113.1", "203.0.113.2"}, {"in 60 CNAME www.corp.example."});
  EXPECT_THAT(answer("in.example.com."), ElementsAre(HasSubstr("CNAME"), HasSubstr("192.0.2.77")));
}

TEST_F(RecursorTest, WhatForwardersDenyIsDenied) {
  world.network.serve(
      endpoint("192.0.2.53"),
      always({.rcode = Rcode::nxdomain, .authority = {"corp.example. 60 SOA n. h. 1 2 3 4 5"}}));
  forwards = std::make_shared<ForwardTable>(
      std::vector<ForwardTable::Zone>{{name("corp.example."), {endpoint("192.0.2.53")}}});
  internet.zone("example.com.", {"203.0.113.1", "203.0.113.2"}, {"in 60 CNAME gone.corp.example."});
  const Resolution resolution = resolve("in.example.com.");
  EXPECT_EQ(resolution.rcode, Rcode::nxdomain);
  EXPECT_THAT(records(parsed(resolution.message), Section::authority), ElementsAre(HasSubstr("SOA")));
}

// What the public tree says of names above a zone that was configured is not about it.
TEST_F(RecursorTest, StubsBelowWhatDoesNotExist) {
  internet.zone("ad.corp.", {"192.0.2.53"}, {soa, "www 60 A 192.0.2.99"});
  auto made = std::make_shared<RecursionTable>(*table);
  made->stubs.push_back({.zone = name("ad.corp."),
                         .servers = {{.name = {}, .addresses = {endpoint("192.0.2.53").address}}},
                         .configured = true});
  table = made;
  EXPECT_EQ(resolve("corp.").rcode, Rcode::nxdomain);
  EXPECT_THAT(answer("www.ad.corp."), ElementsAre(HasSubstr("192.0.2.99")));
}

// Aliases that each come with a large message.
TEST_F(RecursorTest, BoundsTheOctetsOfReplies) {
  unsigned replies = 0;
  const FakeServer large = [&](const FakeQuery& query) {
    const std::string asked = parsed(query.message).question().qname.to_string();
    ReplyScript script{.answer = {asked + " 60 CNAME n" + std::to_string(++replies) + ".example.com."}};
    for (int i = 0; i < 150; ++i) {
      script.additional.push_back("x" + std::to_string(i) + ".example.com. 60 TXT " + std::string(200, 'x'));
    }
    return std::vector<FakeReply>{{.message = reply_to(query.message, script)}};
  };
  for (const char* server : {"203.0.113.1", "203.0.113.2"})
    world.network.serve(endpoint(server), by_transport(always({.truncated = true}), large));
  options().max_octets = 100'000;
  EXPECT_EQ(resolve("n0.example.com.").rcode, Rcode::servfail);
  EXPECT_LE(replies, 6u);
}

// "NXNSAttack", USENIX Security 2020: a referral to many names of servers that do not exist.
TEST_F(RecursorTest, BoundsLookUpsOfServers) {
  std::vector<std::string> lines{soa};
  for (int i = 0; i < 30; ++i) lines.push_back("attack 60 NS ns" + std::to_string(i) + ".victim.com.");
  internet.zone("net.", {"192.5.6.30"}, lines);
  const Resolution resolution = resolve("www.attack.net.");
  EXPECT_EQ(resolution.rcode, Rcode::servfail);
  EXPECT_EQ(resolution.upstream_packets, world.network.queries().size());
  EXPECT_LE(resolution.upstream_packets, 30u);
}

// "Ghost Domain Names", NDSS 2012: what the child says of itself does not outlive what the parent said.
TEST_F(RecursorTest, ADelegationEndsWithTheParentsLease) {
  internet.zone("com.", {"192.5.6.30"}, {"ghost 600 NS ns.ghost", "ns.ghost 600 A 203.0.113.9"});
  internet.zone("ghost.com.", {"203.0.113.9"},
                {soa, "@ 86400 NS ns", "ns 86400 A 203.0.113.9", "a 1 A 192.0.2.1"});
  EXPECT_THAT(answer("a.ghost.com."), SizeIs(1));
  resolve("ghost.com.", Type::ns);
  pass(601s);
  world.network.forget_queries();
  answer("a.ghost.com.");
  EXPECT_THAT(internet.asked("192.5.6.30"), ElementsAre("ghost.com. A"));
}

}  // namespace
}  // namespace peregrine
