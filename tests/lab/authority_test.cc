#include "lab/authority.h"

#include <gmock/gmock.h>

#include "lab/plan_builder.h"
#include "wire/message_writer.h"
#include "wire/rdata.h"

namespace peregrine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Ask {
  Transport transport = Transport::udp;
  std::optional<uint16_t> edns = 1232;
  Class qclass = Class::in;
};

// The root, example. and child.example. on one server with a conduct.
class AuthorityTest : public testing::Test {
 protected:
  void serve(const Conduct& conduct, bool child_too = true) {
    PlanBuilder builder{PlanOptions{}};
    const size_t server = builder.server(conduct), other = builder.server();
    builder.zone(".", "the root", {{"a.root.", server}});
    auto& zone = builder.zone_at("example.", "", {server});
    zone.add_all("www 300 A 192.0.2.1\n a.ent 300 A 192.0.2.2\n *.wild 300 A 192.0.2.3");
    for (int i = 0; i < 20; ++i)
      zone.add("big 300 TXT \"" + std::to_string(i) + std::string(100, 'x') + "\"");
    for (int i = 0; i < 50; ++i) zone.add("middle 300 A 192.0.2." + std::to_string(i));
    builder.zone_at("child.example.", "", {child_too ? server : other}).add("www 300 A 192.0.2.4");
    authority.emplace(std::move(builder).finish());
  }

  Bytes ask(std::string_view name, Type type = Type::a, const Ask& how = {}) {
    std::array<uint8_t, 512> query;
    MessageWriter writer(query);
    writer.id(0x1234);
    writer.rd(true);
    writer.question(*DnameBuf::from_text(name), type, how.qclass);
    if (how.edns) writer.edns({.udp_size = *how.edns, .dnssec_ok = true});
    return reply_to(writer.message(), how.transport);
  }
  Bytes reply_to(Bytes query, Transport transport = Transport::udp) {
    const size_t size = authority->reply(0, query, transport, buffer);
    return Bytes(buffer).first(size);
  }
  static std::vector<std::string> texts(const MessageView& view, Section section) {
    std::vector<std::string> found;
    for (const RrView rr : view.section(section))
      if (rr.type != Type::opt) found.push_back(to_text(rr));
    return found;
  }

  std::optional<Authority> authority;
  std::vector<uint8_t> buffer = std::vector<uint8_t>(max_message_size);
};

TEST_F(AuthorityTest, AGoodServerAnswersWithAaAndEchoesWhatItMust) {
  serve({});
  const auto view = MessageView::parse(ask("WwW.example.")).value();
  EXPECT_EQ(view.header().id(), 0x1234);
  EXPECT_TRUE(view.header().qr() && view.header().aa() && view.header().rd());
  EXPECT_FALSE(view.header().ra());
  EXPECT_TRUE(same_octets(view.question().qname, *DnameBuf::from_text("WwW.example.")));
  EXPECT_THAT(texts(view, Section::answer), ElementsAre(HasSubstr("192.0.2.1")));
  ASSERT_TRUE(view.edns());
  EXPECT_TRUE(view.edns()->dnssec_ok);
}

TEST_F(AuthorityTest, TheDeepestOfItsZonesAnswers) {
  serve({});
  EXPECT_TRUE(MessageView::parse(ask("www.child.example."))->header().aa());
  serve({}, /*child_too=*/false);
  const auto view = MessageView::parse(ask("www.child.example.")).value();
  EXPECT_FALSE(view.header().aa());
  EXPECT_THAT(texts(view, Section::authority), Contains(HasSubstr("ns1.child.example.")));
  EXPECT_THAT(texts(view, Section::additional), Contains(HasSubstr("198.18.0.2")));
}

TEST_F(AuthorityTest, TheDsOfAChildIsTheParents) {
  serve({});
  const auto view = MessageView::parse(ask("child.example.", Type::ds)).value();
  EXPECT_THAT(texts(view, Section::authority), ElementsAre(HasSubstr("SOA")));
  EXPECT_THAT(texts(view, Section::authority), ElementsAre(testing::StartsWith("example.")));
}

TEST_F(AuthorityTest, WhatDoesNotFitIsTruncatedOverUdpAndWholeOverTcp) {
  serve({});
  const auto cut = MessageView::parse(ask("big.example.", Type::txt)).value();
  EXPECT_TRUE(cut.header().tc());
  EXPECT_THAT(texts(cut, Section::answer), IsEmpty());
  EXPECT_TRUE(cut.edns());
  const auto whole =
      MessageView::parse(ask("big.example.", Type::txt, {.transport = Transport::tcp})).value();
  EXPECT_FALSE(whole.header().tc());
  EXPECT_THAT(texts(whole, Section::answer), testing::SizeIs(20));
}

TEST_F(AuthorityTest, WithoutEdnsTheLimitIs512) {
  serve({});
  EXPECT_FALSE(MessageView::parse(ask("middle.example."))->header().tc());
  const auto old = MessageView::parse(ask("middle.example.", Type::a, {.edns = std::nullopt})).value();
  EXPECT_TRUE(old.header().tc());
  EXPECT_FALSE(old.edns());
  EXPECT_TRUE(MessageView::parse(ask("big.example.", Type::txt, {.edns = 65535}))->header().tc());
}

TEST_F(AuthorityTest, OtherClassesAndOpcodesAreRefused) {
  serve({});
  EXPECT_EQ(MessageView::parse(ask("www.example.", Type::a, {.qclass = Class::hs}))->rcode(), Rcode::refused);
  std::array<uint8_t, 64> query;
  MessageWriter writer(query);
  writer.opcode(Opcode::notify);
  writer.question(*DnameBuf::from_text("example."), Type::soa, Class::in);
  EXPECT_EQ(MessageView::parse(reply_to(writer.message()))->rcode(), Rcode::notimp);
}

TEST_F(AuthorityTest, WhatIsNoQueryGetsNoReply) {
  serve({});
  EXPECT_THAT(reply_to(Bytes()), IsEmpty());
  std::array<uint8_t, 64> query;
  MessageWriter writer(query);
  writer.qr(true);
  writer.question(*DnameBuf::from_text("example."), Type::soa, Class::in);
  EXPECT_THAT(reply_to(writer.message()), IsEmpty());
  const std::array<uint8_t, 12> header{};
  EXPECT_EQ(MessageView::parse(reply_to(header))->rcode(), Rcode::formerr);
}

TEST_F(AuthorityTest, ServersThatDoNotServe) {
  serve({.silent = true});
  EXPECT_THAT(ask("www.example."), IsEmpty());
  serve({.refuses = true});
  EXPECT_EQ(MessageView::parse(ask("www.example."))->rcode(), Rcode::refused);
  serve({.fails = true});
  EXPECT_EQ(MessageView::parse(ask("www.example."))->rcode(), Rcode::servfail);
  serve({.refers_up = true});
  const auto up = MessageView::parse(ask("www.example.")).value();
  EXPECT_FALSE(up.header().aa());
  EXPECT_THAT(texts(up, Section::answer), IsEmpty());
  EXPECT_THAT(texts(up, Section::authority),
              ElementsAre(testing::AllOf(testing::StartsWith(".\t"), HasSubstr("NS"))));
}

TEST_F(AuthorityTest, OldSoftwareAndEdns) {
  const Ask without{.edns = std::nullopt};
  serve({.formerr_edns = true});
  EXPECT_EQ(MessageView::parse(ask("www.example."))->rcode(), Rcode::formerr);
  EXPECT_EQ(MessageView::parse(ask("www.example.", Type::a, without))->rcode(), Rcode::noerror);
  serve({.drops_edns = true});
  EXPECT_THAT(ask("www.example."), IsEmpty());
  EXPECT_EQ(MessageView::parse(ask("www.example.", Type::a, without))->rcode(), Rcode::noerror);
  serve({.ignores_edns = true});
  EXPECT_FALSE(MessageView::parse(ask("www.example."))->edns());
}

TEST_F(AuthorityTest, ATruncatingServerAnswersOverTcp) {
  serve({.truncates = true});
  EXPECT_TRUE(MessageView::parse(ask("www.example."))->header().tc());
  const auto whole = MessageView::parse(ask("www.example.", Type::a, {.transport = Transport::tcp})).value();
  EXPECT_FALSE(whole.header().tc());
  EXPECT_THAT(texts(whole, Section::answer), testing::SizeIs(1));
}

TEST_F(AuthorityTest, ALiarAddsToTheTruth) {
  serve({.lies = true});
  const auto view = MessageView::parse(ask("www.example.")).value();
  EXPECT_THAT(texts(view, Section::answer), Contains(HasSubstr("192.0.2.1")));
  for (const Section section : {Section::answer, Section::additional})
    EXPECT_THAT(texts(view, section), Contains(HasSubstr(lie)));
  EXPECT_THAT(texts(view, Section::authority), Contains(HasSubstr("liar")));
}

TEST_F(AuthorityTest, SmallFaults) {
  serve({.no_aa = true});
  EXPECT_FALSE(MessageView::parse(ask("www.example."))->header().aa());
  serve({.folds_case = true});
  const auto folded = MessageView::parse(ask("WWW.eXample.")).value();
  EXPECT_TRUE(same_octets(folded.question().qname, *DnameBuf::from_text("www.example.")));
  serve({.no_soa = true});
  const auto denied = MessageView::parse(ask("gone.example.")).value();
  EXPECT_EQ(denied.rcode(), Rcode::nxdomain);
  EXPECT_THAT(texts(denied, Section::authority), IsEmpty());
  EXPECT_THAT(texts(MessageView::parse(ask("example.", Type::soa)).value(), Section::answer),
              testing::SizeIs(1));
}

TEST_F(AuthorityTest, OnlyEmptyNonTerminalsAreDeniedInError) {
  serve({.denies_ents = true});
  EXPECT_EQ(MessageView::parse(ask("ent.example."))->rcode(), Rcode::nxdomain);
  EXPECT_EQ(MessageView::parse(ask("www.example.", Type::mx))->rcode(), Rcode::noerror);
  EXPECT_EQ(MessageView::parse(ask("x.wild.example.", Type::mx))->rcode(), Rcode::noerror);
  EXPECT_EQ(MessageView::parse(ask("a.ent.example."))->rcode(), Rcode::noerror);
  serve({});
  EXPECT_EQ(MessageView::parse(ask("ent.example."))->rcode(), Rcode::noerror);
}

}  // namespace
}  // namespace peregrine
