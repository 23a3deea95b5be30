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
  const MessageView out = ask("out.example.com.");
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
