#include "zone/zone.h"

#include <gmock/gmock.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto in = Class::in;

class ZoneTest : public testing::Test {
 protected:
  ZoneTest() {
    for (const char* line :
         {"@ 3600 SOA ns host 1 7200 900 1209600 300", "@ 3600 NS ns", "ns 3600 A 192.0.2.1",
          "www 300 A 192.0.2.80", "www 300 A 192.0.2.81", "alias 300 CNAME www",
          "out 300 CNAME www.example.net.", "a.b.deep 300 A 192.0.2.2", "*.wild 300 TXT \"any\"",
          "real.wild 300 A 192.0.2.3", "old 300 DNAME new", "x.new 300 A 192.0.2.4", "child 3600 NS ns.child",
          "child 3600 NS ns.example.net.", "ns.child 3600 AAAA 2001:db8::1",
          "child 3600 DS \\# 6 00010d020011"}) {
      EXPECT_TRUE(zone.add_line(line)) << line;
    }
  }

  MessageView ask(std::string_view qname, Type qtype = Type::a, bool dnssec_ok = false) {
    asked = name(qname);
    MessageWriter writer(buffer);
    writer.question(asked, qtype, in);
    outcome = zone.answer({asked, qtype, in}, dnssec_ok, writer);
    return MessageView::parse(writer.message()).value();
  }

  Zone zone{name("example.com.")};
  Octets buffer = Octets(65535);
  DnameBuf asked;
  Zone::Outcome outcome{};
};

TEST_F(ZoneTest, AnswersFromItsData) {
  const MessageView reply = ask("WWW.example.com.");
  EXPECT_EQ(outcome, Zone::Outcome::answered);
  EXPECT_TRUE(reply.header().aa());
  EXPECT_EQ(reply.rcode(), Rcode::noerror);
  EXPECT_THAT(records(reply, Section::answer), ElementsAre(HasSubstr("192.0.2.80"), HasSubstr("192.0.2.81")));
}

TEST_F(ZoneTest, SaysWhatDoesNotExist) {
  const MessageView no_name = ask("gone.example.com.");
  EXPECT_EQ(no_name.rcode(), Rcode::nxdomain);
  EXPECT_THAT(records(no_name, Section::authority), ElementsAre(HasSubstr("SOA")));
  const MessageView no_data = ask("www.example.com.", Type::mx);
  EXPECT_EQ(no_data.rcode(), Rcode::noerror);
  EXPECT_THAT(records(no_data, Section::authority), ElementsAre(HasSubstr("SOA")));
  EXPECT_EQ(ask("b.deep.example.com.").rcode(), Rcode::noerror)
      << "an empty non-terminal (RFC 4592 section 2.2.2)";
}

TEST_F(ZoneTest, FollowsAliasesAsFarAsItReaches) {
  EXPECT_THAT(records(ask("alias.example.com."), Section::answer), SizeIs(3));
  EXPECT_EQ(outcome, Zone::Outcome::answered);
  const MessageView out = ask("out.example.com.");
  EXPECT_EQ(outcome, Zone::Outcome::alias);
  EXPECT_THAT(records(out, Section::answer), ElementsAre(HasSubstr("CNAME")));
  EXPECT_THAT(records(out, Section::authority), IsEmpty());
  EXPECT_THAT(records(ask("alias.example.com.", Type::cname), Section::answer), SizeIs(1));
}

TEST_F(ZoneTest, WildcardsAnswerWhereNothingExists) {
  const MessageView reply = ask("far.away.wild.example.com.", Type::txt);
  EXPECT_THAT(records(reply, Section::answer), ElementsAre(HasSubstr("far.away.wild.example.com.")));
  EXPECT_EQ(ask("real.wild.example.com.", Type::txt).rcode(), Rcode::noerror);
  EXPECT_THAT(records(ask("real.wild.example.com.", Type::txt), Section::answer), IsEmpty());
  EXPECT_EQ(ask("below.real.wild.example.com.", Type::txt).rcode(), Rcode::nxdomain)
      << "the closest encloser exists (RFC 4592 section 3.3.1)";
}

TEST_F(ZoneTest, DnamesAreFollowed) {
  const MessageView reply = ask("x.old.example.com.");
  EXPECT_THAT(records(reply, Section::answer),
              ElementsAre(HasSubstr("DNAME"), HasSubstr("CNAME"), HasSubstr("192.0.2.4")));
  EXPECT_THAT(records(ask("old.example.com.", Type::dname), Section::answer), SizeIs(1));
  std::string longest;
  for (int i = 0; i < 3; ++i) longest += std::string(63, 'x') + ".";
  ASSERT_TRUE(zone.add(name("long.example.com."), Type::dname, 60, wire_of(name(longest))));
  EXPECT_EQ(ask(std::string(60, 'y') + "." + std::string(60, 'y') + ".long.example.com.").rcode(),
            Rcode::yxdomain);
}

TEST_F(ZoneTest, RefersToItsChildren) {
  const MessageView reply = ask("www.child.example.com.");
  EXPECT_EQ(outcome, Zone::Outcome::referral);
  EXPECT_FALSE(reply.header().aa());
  EXPECT_THAT(records(reply, Section::answer), IsEmpty());
  EXPECT_THAT(records(reply, Section::authority), SizeIs(2));
  EXPECT_THAT(records(reply, Section::additional), ElementsAre(HasSubstr("2001:db8::1")));
  EXPECT_THAT(records(ask("www.child.example.com.", Type::a, true), Section::authority), SizeIs(3))
      << "the DS, too";
  const MessageView ds = ask("child.example.com.", Type::ds);
  EXPECT_TRUE(ds.header().aa()) << "a DS is the parent's (RFC 4035 section 3.1.4.1)";
  EXPECT_THAT(records(ds, Section::answer), SizeIs(1));
}

TEST_F(ZoneTest, AnAliasThatLeadsBelowADelegationLeadsOut) {
  ASSERT_TRUE(zone.add_line("into 60 CNAME www.child"));
  const MessageView reply = ask("into.example.com.");
  EXPECT_EQ(outcome, Zone::Outcome::alias);
  EXPECT_TRUE(reply.header().aa());
  EXPECT_THAT(records(reply, Section::answer), SizeIs(1));
  EXPECT_THAT(records(reply, Section::authority), SizeIs(2));
}

TEST_F(ZoneTest, AliasesThatGoRoundAreThereOnce) {
  for (const char* line : {"l1 60 CNAME l2", "l2 60 CNAME l1", "self 60 CNAME self"})
    ASSERT_TRUE(zone.add_line(line));
  EXPECT_THAT(records(ask("l1.example.com."), Section::answer), SizeIs(2));
  EXPECT_EQ(outcome, Zone::Outcome::answered);
  EXPECT_THAT(records(ask("self.example.com."), Section::answer), SizeIs(1));
}

TEST_F(ZoneTest, ADenialLivesAsLongAsTheSoaSays) {
  EXPECT_THAT(records(ask("gone.example.com."), Section::authority),
              ElementsAre(HasSubstr("\t300\tIN\tSOA")));
  EXPECT_THAT(records(ask("example.com.", Type::soa), Section::answer),
              ElementsAre(HasSubstr("\t3600\tIN\tSOA")));
}

TEST_F(ZoneTest, ProvesDenialsWhereItHasNsecRecords) {
  Zone signed_zone(name("z."));
  const auto nsec = [&](std::string_view owner, std::string_view next, std::string_view bits) {
    auto rdata = wire_of(name(next));
    EXPECT_TRUE(signed_zone.add(name(owner), Type::nsec, 300, rdata + hex(bits)));
  };
  for (const char* line : {"@ 300 SOA ns host 1 1 1 1 300", "b 300 A 192.0.2.1", "*.w 300 A 192.0.2.1",
                           "unsigned 300 NS ns.unsigned", "x.ent 300 A 192.0.2.1"})
    ASSERT_TRUE(signed_zone.add_line(line)) << line;
  nsec("z.", "b.z.", "00 01 02");
  nsec("b.z.", "x.ent.z.", "00 01 40");
  nsec("x.ent.z.", "unsigned.z.", "00 01 40");
  nsec("unsigned.z.", "*.w.z.", "00 01 20");
  nsec("*.w.z.", "z.", "00 01 40");
  zone = signed_zone;
  EXPECT_THAT(records(ask("c.z.", Type::a, true), Section::authority),
              ElementsAre(HasSubstr("SOA"), HasSubstr("b.z."), HasSubstr("z.\t300\tIN\tNSEC")));
  EXPECT_THAT(records(ask("b.z.", Type::mx, true), Section::authority),
              ElementsAre(HasSubstr("SOA"), HasSubstr("b.z.\t300\tIN\tNSEC")));
  EXPECT_THAT(records(ask("ent.z.", Type::a, true), Section::authority), SizeIs(2));
  EXPECT_THAT(records(ask("q.w.z.", Type::a, true), Section::authority), ElementsAre(HasSubstr("*.w.z.")));
  EXPECT_THAT(records(ask("q.w.z.", Type::mx, true), Section::authority), SizeIs(2));
  EXPECT_THAT(records(ask("a.unsigned.z.", Type::a, true), Section::authority),
              ElementsAre(HasSubstr("NS\tns"), HasSubstr("NSEC")));
  EXPECT_THAT(records(ask("c.z."), Section::authority), SizeIs(1)) << "without DO";
}

// A signature without what it signs, as a broken or malicious zone file may have it.
TEST_F(ZoneTest, SignaturesAloneAreNoData) {
  const auto sign = [&](std::string_view owner, Type covered) {
    Octets rdata(18);
    rdata[0] = static_cast<uint8_t>(static_cast<uint16_t>(covered) >> 8);
    rdata[1] = static_cast<uint8_t>(covered);
    EXPECT_TRUE(zone.add(name(owner), Type::rrsig, 300, rdata + hex("00 'sig'")));
  };
  for (const Type type : {Type::ns, Type::dname, Type::cname, Type::aaaa, Type::nsec})
    sign("www.example.com.", type);
  sign("child.example.com.", Type::nsec);
  sign("only.wild.example.com.", Type::a);
  sign("*.wild.example.com.", Type::mx);
  EXPECT_THAT(zone.delegations(), ElementsAre(name("child.example.com.")));
  EXPECT_THAT(records(ask("www.example.com.", Type::a, true), Section::answer), SizeIs(2));
  const MessageView no_data = ask("www.example.com.", Type::aaaa, true);
  EXPECT_EQ(outcome, Zone::Outcome::answered);
  EXPECT_THAT(records(no_data, Section::answer), IsEmpty());
  EXPECT_THAT(records(no_data, Section::authority), ElementsAre(HasSubstr("SOA")));
  EXPECT_EQ(ask("below.www.example.com.", Type::a, true).rcode(), Rcode::nxdomain) << "no cut, no DNAME";
  EXPECT_THAT(records(ask("only.wild.example.com.", Type::a, true), Section::authority),
              ElementsAre(HasSubstr("SOA")));
  EXPECT_THAT(records(ask("x.wild.example.com.", Type::mx, true), Section::answer), IsEmpty());
}

TEST_F(ZoneTest, ShowsWhatItHas) {
  EXPECT_THAT(zone.records(name("www.example.com."), Type::a), SizeIs(2));
  EXPECT_THAT(zone.records(name("www.example.com."), Type::mx), IsEmpty());
  EXPECT_THAT(zone.records(name("gone.example.com."), Type::a), IsEmpty());
  EXPECT_THAT(zone.delegations(), ElementsAre(name("child.example.com.")));
  Zone other = zone;
  EXPECT_EQ(zone, other);
  ASSERT_TRUE(other.add_line("www 300 A 192.0.2.82"));
  EXPECT_NE(zone, other);
}

TEST_F(ZoneTest, AnRrsetIsNoLargerThanAMessage) {
  Result<> added;
  for (int i = 0; added && i < 70'000; ++i)
    added =
        zone.add(name("many.example.com."), Type::a, 60, hex("c000") + Octets{uint8_t(i >> 8), uint8_t(i)});
  EXPECT_EQ(added.error(), Error::limit);
}

TEST_F(ZoneTest, KnowsItsBounds) {
  ask("www.example.net.");
  EXPECT_EQ(outcome, Zone::Outcome::outside);
  EXPECT_EQ(zone.add_line("www.example.net. 60 A 192.0.2.1").error(), Error::not_found);
}

TEST_F(ZoneTest, RefusesWhatCannotStandTogether) {
  EXPECT_EQ(zone.add_line("www 60 CNAME x").error(), Error::bad_rdata);
  EXPECT_EQ(zone.add_line("alias 60 A 192.0.2.1").error(), Error::bad_rdata);
  EXPECT_EQ(zone.add_line("alias 60 CNAME other").error(), Error::bad_rdata);
  EXPECT_TRUE(zone.add_line("alias 60 CNAME www")) << "the same again";
  EXPECT_EQ(zone.add_line("@ 3600 SOA ns host 2 7200 900 1209600 300").error(), Error::bad_rdata);
  EXPECT_EQ(zone.add(name("x.example.com."), Type::ns, 60, hex("03 'a'")).error(), Error::bad_rdata);
}

TEST_F(ZoneTest, RefusesLinesThatItCannotRead) {
  for (const char* line : {"", "www", "www 60", "www 60 A", "www x A 192.0.2.1", "www 60 NOTYPE 1",
                           "www 60 A 1.2.3", "www -1 A 192.0.2.1", "www 99999999999 A 192.0.2.1"})
    EXPECT_FALSE(zone.add_line(line)) << line;
}

TEST_F(ZoneTest, SaysThatItDoesNotFit) {
  buffer.resize(60);
  ask("alias.example.com.");
  EXPECT_EQ(outcome, Zone::Outcome::overflow);
}

}  // namespace
}  // namespace peregrine
