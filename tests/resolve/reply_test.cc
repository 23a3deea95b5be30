#include "resolve/reply.h"

#include <gmock/gmock.h>

#include "resolve/dns_script.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Plain {
  std::vector<std::string> answer, authority;
  Octets message;
};

std::string squeezed(std::string text) {
  std::ranges::replace(text, '\t', ' ');
  return text;
}

std::vector<std::string> texts(const MessageView& view, Section section) {
  std::vector<std::string> found;
  for (RrView rr : view.section(section)) {
    std::string text = squeezed(to_text(rr));
    if (rr.type == Type::rrsig)
      text = squeezed(rr.owner.expand().to_string() + " " + std::to_string(rr.ttl) + " RRSIG(" +
                      to_string(Type(load_u16(rr.rdata.data()))) + ")");
    found.push_back(text);
  }
  return found;
}

struct Asked {
  std::string_view qname = "www.example.";
  Type qtype = Type::a;
  bool dnssec_ok = false;
};

Result<Octets> normalised(const Asked& asked, const Octets& reply) {
  DnameBuf qname = name(asked.qname);
  Octets buffer(65535);
  auto message = normalise(parsed(reply), {qname, asked.qtype, Class::in}, asked.dnssec_ok, buffer);
  if (!message) return std::unexpected(message.error());
  return Octets(message->begin(), message->end());
}

Plain plain(const Asked& asked, const ReplyScript& script) {
  auto message = normalised(asked, reply_to(query_for(asked.qname, asked.qtype), script));
  if (!message) throw std::logic_error(std::string(to_string(message.error())));
  MessageView view = parsed(*message);
  return {texts(view, Section::answer), texts(view, Section::authority), *message};
}

const std::string soa = "example. 900 SOA ns.example. root.example. 1 2 3 4 60";
const std::string soa_text = "example. 900 IN SOA ns.example. root.example. 1 2 3 4 60";

TEST(Normalise, HeaderAndQuestionAreOurs) {
  auto result =
      plain({.qname = "wWw.ExAmPlE."}, {.answer = {"www.example. 300 A 192.0.2.1"}, .authentic = true});
  MessageView view = parsed(result.message);
  EXPECT_TRUE(same_octets(view.question().qname, name("wWw.ExAmPlE.")));
  EXPECT_TRUE(view.header().qr());
  EXPECT_TRUE(view.header().ra());
  EXPECT_FALSE(view.header().ad()) << "what others verified is not ours to claim";
  EXPECT_FALSE(view.header().aa());
  EXPECT_FALSE(view.header().tc());
  EXPECT_EQ(view.rcode(), Rcode::noerror);
  EXPECT_FALSE(view.edns()) << "the OPT is not passed on";
  EXPECT_EQ(view.header().count(Section::additional), 0);
  RrView first = *view.section(Section::answer).begin();
  EXPECT_EQ(first.owner.packed_size(), 2u) << "a pointer to the question";
}

TEST(Normalise, OnlyWhatAnswers) {
  auto result = plain({}, {.answer = {"www.example. 300 A 192.0.2.1", "www.example. 300 AAAA 2001:db8::1",
                                      "other.example. 300 A 192.0.2.66", "example. 300 A 192.0.2.66",
                                      "x.www.example. 300 A 192.0.2.66", "www.example. 300 A 192.0.2.2"},
                           .authority = {"example. 300 NS ns.example.", soa}});
  EXPECT_THAT(result.answer,
              ElementsAre("www.example. 300 IN A 192.0.2.1", "www.example. 300 IN A 192.0.2.2"));
  EXPECT_THAT(result.authority, IsEmpty());
}

TEST(Normalise, FollowsTheChainInItsOrder) {
  auto result =
      plain({}, {.answer = {"c.example.net. 60 A 192.0.2.1", "b.example.org. 60 CNAME c.example.net.",
                            "stray.example. 60 CNAME d.example.", "www.example. 60 CNAME b.example.org."}});
  EXPECT_THAT(result.answer,
              ElementsAre("www.example. 60 IN CNAME b.example.org.",
                          "b.example.org. 60 IN CNAME c.example.net.", "c.example.net. 60 IN A 192.0.2.1"));
}

TEST(Normalise, AChainThatEndsEarlyIsPassedOn) {
  auto result = plain({}, {.answer = {"www.example. 60 CNAME b.example.org."}});
  EXPECT_THAT(result.answer, ElementsAre("www.example. 60 IN CNAME b.example.org."));
  EXPECT_THAT(result.authority, IsEmpty());
}

TEST(Normalise, ALoopEndsWhereItMeetsItself) {
  auto result = plain({}, {.answer = {"www.example. 60 CNAME b.example.", "b.example. 60 CNAME c.example.",
                                      "c.example. 60 CNAME b.example.", "b.example. 60 A 192.0.2.66"}});
  EXPECT_THAT(result.answer,
              ElementsAre("www.example. 60 IN CNAME b.example.", "b.example. 60 IN CNAME c.example.",
                          "c.example. 60 IN CNAME b.example."));
  EXPECT_THAT(plain({}, {.answer = {"www.example. 60 CNAME www.example."}}).answer, SizeIs(1));
}

TEST(Normalise, AChainIsFollowedForSixteenSteps) {
  ReplyScript script;
  auto owner = [](int i) {
    return i == 0 ? std::string("www.example.") : "n" + std::to_string(i) + ".example.";
  };
  for (int i = 0; i < 30; ++i) script.answer.push_back(owner(i) + " 60 CNAME " + owner(i + 1));
  script.answer.push_back(owner(16) + " 60 A 192.0.2.16");
  script.answer.push_back(owner(17) + " 60 A 192.0.2.17");
  auto result = plain({}, script);
  // The seventeenth CNAME belongs to the last name reached.
  ASSERT_THAT(result.answer, SizeIs(18));
  EXPECT_EQ(result.answer[0], "www.example. 60 IN CNAME n1.example.");
  EXPECT_EQ(result.answer[16], "n16.example. 60 IN A 192.0.2.16");
}

TEST(Normalise, ManyAliasesCostLittle) {
  ReplyScript script;
  for (int i = 0; i < 2000; ++i)
    script.answer.push_back("n" + std::to_string(i) + ".example. 60 CNAME n" + std::to_string(i + 1) +
                            ".example.");
  EXPECT_THAT(plain({.qname = "n0.example."}, script).answer, SizeIs(17));
  EXPECT_THAT(plain({}, script).answer, IsEmpty());
}

TEST(Normalise, DnameComesBeforeWhatWasMadeFromIt) {
  auto result = plain({.qname = "a.old.example.", .dnssec_ok = true},
                      {.answer = {"a.old.example. 0 CNAME a.new.example.",
                                  "old.example. 60 DNAME new.example.", "old.example. 60 RRSIG(DNAME)",
                                  "a.new.example. 60 A 192.0.2.1", "else.example. 60 DNAME new.example."}});
  EXPECT_THAT(result.answer,
              ElementsAre("old.example. 60 IN DNAME new.example.", "old.example. 60 RRSIG(DNAME)",
                          "a.old.example. 0 IN CNAME a.new.example.", "a.new.example. 60 IN A 192.0.2.1"));
}

TEST(Normalise, DnameOwnsNothingOfItself) {
  auto result = plain({.qname = "old.example."}, {.answer = {"old.example. 60 DNAME new.example."}});
  EXPECT_THAT(result.answer, IsEmpty()) << "RFC 6672 section 2.3: the owner itself is not redirected";
  result = plain({.qname = "old.example.", .qtype = Type::dname},
                 {.answer = {"old.example. 60 DNAME new.example."}});
  EXPECT_THAT(result.answer, ElementsAre("old.example. 60 IN DNAME new.example."));
}

TEST(Normalise, CnameAskedForIsNotFollowed) {
  auto result = plain({.qtype = Type::cname},
                      {.answer = {"www.example. 60 CNAME b.example.", "b.example. 60 CNAME c.example."}});
  EXPECT_THAT(result.answer, ElementsAre("www.example. 60 IN CNAME b.example."));
}

TEST(Normalise, AnyIsAllThatTheNameOwns) {
  auto result = plain({.qtype = Type::any},
                      {.answer = {"www.example. 60 A 192.0.2.1", "www.example. 60 MX 10 mx.example.",
                                  "www.example. 60 RRSIG(A)", "b.example. 60 A 192.0.2.66"}});
  EXPECT_THAT(result.answer, ElementsAre("www.example. 60 IN A 192.0.2.1", "www.example. 60 RRSIG(A)",
                                         "www.example. 60 IN MX 10 mx.example."));
}

TEST(Normalise, OtherClassesAreLeftOut) {
  Octets reply =
      reply_to(query_for("www.example."), {.answer = {"www.example. 60 A 192.0.2.1"}, .edns = false});
  reply[reply.size() - 4 - 2 - 4 - 1] = static_cast<uint8_t>(Class::ch);
  auto message = normalised({}, reply);
  ASSERT_TRUE(message);
  EXPECT_THAT(answer_of(*message), IsEmpty());
}

TEST(Normalise, TtlsOfAnRrsetAreTheLeast) {
  auto result =
      plain({.dnssec_ok = true},
            {.answer = {"www.example. 300 CNAME b.example.", "b.example. 60 A 192.0.2.1",
                        "b.example. 30 A 192.0.2.2", "b.example. 90 RRSIG(A)", "b.example. 90 A 192.0.2.3"}});
  EXPECT_THAT(result.answer, ElementsAre("www.example. 300 IN CNAME b.example.",
                                         "b.example. 30 IN A 192.0.2.1", "b.example. 30 IN A 192.0.2.2",
                                         "b.example. 30 IN A 192.0.2.3", "b.example. 30 RRSIG(A)"));
}

TEST(Normalise, ATtlWithTheTopBitIsZero) {
  auto result = plain({}, {.answer = {"www.example. 2147483648 A 192.0.2.1"}});
  EXPECT_THAT(result.answer, ElementsAre("www.example. 0 IN A 192.0.2.1"));
  result = plain({}, {.answer = {"www.example. 2147483647 A 192.0.2.1"}});
  EXPECT_THAT(result.answer, ElementsAre("www.example. 2147483647 IN A 192.0.2.1"));
  result = plain({}, {.authority = {"example. 4294967295 SOA ns.example. root.example. 1 2 3 4 60"}});
  EXPECT_THAT(result.authority, ElementsAre("example. 0 IN SOA ns.example. root.example. 1 2 3 4 60"));
}

TEST(Normalise, NegativeAnswersKeepTheSoa) {
  for (Rcode rcode : {Rcode::noerror, Rcode::nxdomain}) {
    auto result = plain({}, {.rcode = rcode, .authority = {"example. 900 NS ns.example.", soa}});
    EXPECT_EQ(parsed(result.message).rcode(), rcode);
    EXPECT_THAT(result.answer, IsEmpty());
    EXPECT_THAT(result.authority, ElementsAre(soa_text));
  }
}

TEST(Normalise, NegativeBehindAnAlias) {
  auto result = plain({}, {.rcode = Rcode::nxdomain,
                           .answer = {"www.example. 60 CNAME gone.elsewhere."},
                           .authority = {"elsewhere. 900 SOA ns.elsewhere. root.elsewhere. 1 2 3 4 60"}});
  EXPECT_EQ(parsed(result.message).rcode(), Rcode::nxdomain);
  EXPECT_THAT(result.answer, SizeIs(1));
  EXPECT_THAT(result.authority, SizeIs(1));
}

TEST(Normalise, AnSoaOfAnotherZoneProvesNothing) {
  auto result = plain({}, {.rcode = Rcode::nxdomain,
                           .authority = {"elsewhere. 900 SOA ns.elsewhere. root.elsewhere. 1 2 3 4 60"}});
  EXPECT_THAT(result.authority, IsEmpty());
}

TEST(Normalise, AReferralIsNoDataWithoutSoa) {
  auto result = plain({}, {.authority = {"example. 900 NS ns.example."}});
  EXPECT_THAT(result.answer, IsEmpty());
  EXPECT_THAT(result.authority, IsEmpty());
}

const std::vector<std::string> proofs = {"example. 60 RRSIG(SOA)",
                                         soa,
                                         "a.example. 300 NSEC \\# 3 000100",
                                         "a.example. 200 RRSIG(NSEC)",
                                         "0123.example. 300 NSEC3 \\# 3 000100",
                                         "0123.example. 300 RRSIG(NSEC3)",
                                         "example. 900 RRSIG(NS)"};

TEST(Normalise, ProofsOnlyForThoseWhoAsk) {
  auto result = plain({.dnssec_ok = true}, {.rcode = Rcode::nxdomain, .authority = proofs});
  EXPECT_THAT(
      result.authority,
      ElementsAre("example. 60 IN SOA ns.example. root.example. 1 2 3 4 60", "example. 60 RRSIG(SOA)",
                  testing::StartsWith("a.example. 200 IN NSEC"), "a.example. 200 RRSIG(NSEC)",
                  testing::StartsWith("0123.example. 300 IN NSEC3"), "0123.example. 300 RRSIG(NSEC3)"));
  result = plain({}, {.rcode = Rcode::nxdomain, .authority = proofs});
  EXPECT_THAT(result.authority, ElementsAre(soa_text));
}

TEST(Normalise, WildcardAnswersKeepTheirProof) {
  ReplyScript script{.answer = {"www.example. 60 A 192.0.2.1", "www.example. 60 RRSIG(A)"},
                     .authority = proofs};
  auto result = plain({.dnssec_ok = true}, script);
  EXPECT_THAT(result.answer, SizeIs(2));
  EXPECT_THAT(result.authority, SizeIs(4)) << "no SOA";
  result = plain({}, script);
  EXPECT_THAT(result.answer, ElementsAre("www.example. 60 IN A 192.0.2.1"));
  EXPECT_THAT(result.authority, IsEmpty());
}

TEST(Normalise, SignaturesAskedForAreGivenWithoutDo) {
  auto result = plain(
      {.qtype = Type::rrsig},
      {.answer = {"www.example. 60 RRSIG(A)", "www.example. 90 RRSIG(TXT)", "www.example. 60 A 192.0.2.1"}});
  EXPECT_THAT(result.answer, ElementsAre("www.example. 60 RRSIG(A)", "www.example. 90 RRSIG(TXT)"));
  result = plain({.qtype = Type::nsec}, {.answer = {"www.example. 60 NSEC \\# 3 000100"}});
  EXPECT_THAT(result.answer, SizeIs(1));
}

TEST(Normalise, StuntedSignaturesAreLeftOut) {
  auto result =
      plain({.dnssec_ok = true}, {.answer = {"www.example. 60 A 192.0.2.1", "www.example. 60 RRSIG \\# 1 00"},
                                  .authority = {"example. 60 RRSIG \\# 0"}});
  EXPECT_THAT(result.answer, SizeIs(1));
  EXPECT_THAT(result.authority, IsEmpty());
}

TEST(Normalise, BadRdataOfWhatIsKept) {
  Octets reply =
      reply_to(query_for("www.example."), {.answer = {"www.example. 60 A 192.0.2.1"}, .edns = false});
  reply[reply.size() - 5] = 3;
  reply.pop_back();
  EXPECT_EQ(normalised({}, reply).error(), Error::bad_rdata);
  EXPECT_TRUE(normalised({.qtype = Type::aaaa}, reply)) << "what is left out is not read";

  Octets alias =
      reply_to(query_for("www.example."), {.answer = {"www.example. 60 CNAME b.example."}, .edns = false});
  alias.back() = 63;
  EXPECT_FALSE(normalised({}, alias));
}

TEST(Normalise, SmallBuffer) {
  Octets reply = reply_to(query_for("www.example."), {.answer = {"www.example. 60 A 192.0.2.1"}});
  DnameBuf qname = name("www.example.");
  Octets whole = *normalised({}, reply);
  for (size_t size = 0; size < whole.size(); ++size) {
    Octets buffer(size);
    EXPECT_EQ(normalise(parsed(reply), {qname, Type::a, Class::in}, false, buffer).error(), Error::no_space);
  }
  Octets buffer(whole.size());
  EXPECT_TRUE(normalise(parsed(reply), {qname, Type::a, Class::in}, false, buffer));
}

TEST(Normalise, ProofsWithoutEndAreCut) {
  ReplyScript script{.rcode = Rcode::nxdomain, .authority = {soa}};
  for (int i = 0; i < 1000; ++i)
    script.authority.push_back("n" + std::to_string(i) + ".example. 60 NSEC \\# 1 00");
  EXPECT_THAT(plain({.dnssec_ok = true}, script).authority, SizeIs(64));
}

TEST(Normalise, DamagedRepliesDoNoHarm) {
  Random random = Random::from_seed(5);
  Octets sound =
      reply_to(query_for("a.old.example."),
               {.answer = {"a.old.example. 0 CNAME a.new.example.", "old.example. 60 DNAME new.example.",
                           "a.new.example. 60 A 192.0.2.1", "a.new.example. 60 RRSIG(A)"},
                .authority = proofs});
  Octets buffer(65535);
  DnameBuf qname = name("a.old.example.");
  for (int i = 0; i < 20'000; ++i) {
    Octets damaged = sound;
    for (int hits = 0; hits < 3; ++hits)
      damaged[random.below(static_cast<uint32_t>(damaged.size()))] = static_cast<uint8_t>(random.u16());
    auto view = MessageView::parse(damaged);
    if (!view) continue;
    auto message = normalise(*view, {qname, Type::a, Class::in}, true, buffer);
    if (message) EXPECT_TRUE(MessageView::parse(*message));
  }
}

TEST(EndsInAlias, WhereTheServerSaysNothingOfTheTarget) {
  const auto ends = [](const ReplyScript& script, Type qtype = Type::a) {
    return ends_in_alias(parsed(reply_to(query_for("www.example.", qtype), script)));
  };
  const std::string alias = "www.example. 60 CNAME host.example.";
  EXPECT_TRUE(ends({.answer = {alias}}));
  EXPECT_FALSE(ends({.answer = {alias, "host.example. 60 A 192.0.2.1"}}));
  EXPECT_FALSE(ends({.answer = {alias}, .authority = {soa}})) << "no data at the target";
  EXPECT_FALSE(ends({.rcode = Rcode::nxdomain, .answer = {alias}}));
  EXPECT_FALSE(ends({.answer = {alias}}, Type::cname));
  EXPECT_FALSE(ends({.answer = {alias}}, Type::any));
  EXPECT_FALSE(ends({}));
}

ReplyKind kind_of(const ReplyScript& script, bool asked_with_edns = true) {
  Octets reply = reply_to(query_for("www.example."), script);
  return classify(parsed(reply), asked_with_edns);
}

TEST(Classify, AnswersAndTruncation) {
  EXPECT_EQ(kind_of({}), ReplyKind::answer);
  EXPECT_EQ(kind_of({.rcode = Rcode::nxdomain}), ReplyKind::answer);
  EXPECT_EQ(kind_of({.rcode = Rcode::yxdomain}), ReplyKind::answer);
  EXPECT_EQ(kind_of({.truncated = true}), ReplyKind::truncated);
  EXPECT_EQ(kind_of({.rcode = Rcode::nxdomain, .truncated = true}), ReplyKind::truncated);
}

TEST(Classify, WhatEdnsMayHaveCaused) {
  for (Rcode rcode : {Rcode::formerr, Rcode::notimp, Rcode::badvers}) {
    EXPECT_EQ(kind_of({.rcode = rcode}, true), ReplyKind::no_edns) << to_string(rcode);
    EXPECT_EQ(kind_of({.rcode = rcode}, false), ReplyKind::failure) << to_string(rcode);
  }
}

TEST(Classify, Failures) {
  for (Rcode rcode :
       {Rcode::servfail, Rcode::refused, Rcode::yxrrset, Rcode::notauth, Rcode::badcookie, Rcode(4095)})
    EXPECT_EQ(kind_of({.rcode = rcode}), ReplyKind::failure) << to_string(rcode);
  EXPECT_EQ(kind_of({.rcode = Rcode::servfail, .truncated = true}), ReplyKind::failure);
}

}  // namespace
}  // namespace peregrine
