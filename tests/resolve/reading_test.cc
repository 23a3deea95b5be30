#include "resolve/reading.h"

#include <gmock/gmock.h>

#include "resolve/dns_script.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Reading::Kind;

const std::string soa = "example.com. 60 SOA ns. host. 1 2 3 4 5";

struct Said {
  Rcode rcode = Rcode::noerror;
  std::vector<std::string> answer = {};
  std::vector<std::string> authority = {};
  bool authoritative = true;
  bool recursion_available = false;
};

Result<Reading> read(const Said& said, std::string_view qname = "www.example.com.", Type qtype = Type::a,
                     std::string_view zone = "example.com.") {
  Octets buffer(65535);
  MessageWriter writer(buffer);
  writer.qr(true);
  writer.aa(said.authoritative);
  writer.ra(said.recursion_available);
  writer.rcode(said.rcode);
  const DnameBuf asked = name(qname);
  writer.question(asked, qtype, Class::in);
  const auto add = [&](Section section, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const Record record(text);
      EXPECT_TRUE(writer.rr(section, record.owner, record.type, Class::in, record.ttl, record.rdata)) << text;
    }
  };
  add(Section::answer, said.answer);
  add(Section::authority, said.authority);
  return read_reply(parsed(writer.message()), {asked, qtype, Class::in}, name(zone));
}

std::vector<std::string> owners(const std::vector<Rrset>& sets) {
  std::vector<std::string> all;
  for (const Rrset& set : sets) all.push_back(set.owner.to_string() + " " + to_string(set.type));
  return all;
}

TEST(Reading, Data) {
  const Reading reading =
      *read({.answer = {"www.example.com. 300 A 192.0.2.1", "www.example.com. 60 A 192.0.2.2",
                        "www.example.com. 60 A 192.0.2.2"}});
  EXPECT_EQ(reading.kind, Kind::data);
  ASSERT_THAT(reading.chain, SizeIs(1));
  EXPECT_THAT(reading.chain[0].records, SizeIs(2)) << "no record twice (RFC 2181 section 5)";
  EXPECT_EQ(reading.chain[0].ttl, 60u) << "one TTL (RFC 2181 section 5.2)";
  EXPECT_EQ(reading.chain[0].credibility, Credibility::authoritative_answer);
}

TEST(Reading, SignaturesGoWithWhatTheyCover) {
  const Reading reading =
      *read({.answer = {"www.example.com. 300 A 192.0.2.1", "www.example.com. 300 RRSIG(A)",
                        "www.example.com. 300 RRSIG(MX)"}});
  ASSERT_THAT(reading.chain, SizeIs(1));
  EXPECT_THAT(reading.chain[0].signatures, SizeIs(1));
}

// What an alias leads to may be another zone's: it is asked for on its own.
TEST(Reading, ChainsWithinTheZone) {
  const Reading reading =
      *read({.answer = {"b.example.com. 60 CNAME c.example.com.", "www.example.com. 60 CNAME b.example.com.",
                        "c.example.com. 60 A 192.0.2.1"}});
  EXPECT_EQ(reading.kind, Kind::alias);
  EXPECT_THAT(owners(reading.chain), ElementsAre("www.example.com. CNAME", "b.example.com. CNAME"));
  EXPECT_EQ(reading.end, name("c.example.com."));
}

TEST(Reading, ChainsThatLeaveTheZone) {
  for (const Rcode rcode : {Rcode::noerror, Rcode::nxdomain}) {
    const Reading reading =
        *read({.rcode = rcode,
               .answer = {"www.example.com. 60 CNAME www.example.net.", "www.example.net. 60 A 192.0.2.66"}});
    EXPECT_EQ(reading.kind, Kind::alias);
    EXPECT_EQ(reading.end, name("www.example.net."));
    EXPECT_THAT(reading.chain, SizeIs(1)) << "what is said of another zone is not looked at";
  }
}

TEST(Reading, ChainsWithoutAnEnd) {
  EXPECT_EQ(read({.answer = {"www.example.com. 60 CNAME b.example.com."}})->kind, Kind::alias);
  const Reading loop = *read(
      {.answer = {"www.example.com. 60 CNAME b.example.com.", "b.example.com. 60 CNAME www.example.com."}});
  EXPECT_EQ(loop.kind, Kind::alias);
  EXPECT_THAT(loop.chain, SizeIs(2));
}

TEST(Reading, DenialsAtTheEndOfAChain) {
  const Reading reading = *read(
      {.rcode = Rcode::nxdomain, .answer = {"www.example.com. 60 CNAME b.example.com."}, .authority = {soa}});
  EXPECT_EQ(reading.kind, Kind::alias);
  EXPECT_EQ(reading.end, name("b.example.com."));
}

TEST(Reading, DnamesMakeCnames) {
  const Reading reading = *read(
      {.answer = {"old.example.com. 60 DNAME new.example.com.",
                  "x.old.example.com. 60 CNAME liar.example.com.", "x.new.example.com. 60 A 192.0.2.1"}},
      "x.old.example.com.");
  EXPECT_EQ(reading.kind, Kind::alias);
  ASSERT_THAT(owners(reading.chain), ElementsAre("old.example.com. DNAME", "x.old.example.com. CNAME"));
  EXPECT_TRUE(reading.chain[1].synthesised) << "made here, whatever came along";
}

TEST(Reading, DnamesThatMakeNamesTooLong) {
  const std::string label(63, 'x');
  const Reading reading =
      *read({.rcode = Rcode::yxdomain,
             .answer = {"example.com. 60 DNAME " + label + "." + label + "." + label + "."}},
            std::string(60, 'y') + "." + std::string(60, 'y') + ".example.com.");
  EXPECT_EQ(reading.kind, Kind::overflow);
}

TEST(Reading, Denials) {
  const Reading no_name = *read({.rcode = Rcode::nxdomain, .authority = {soa}});
  EXPECT_EQ(no_name.kind, Kind::denial);
  EXPECT_TRUE(no_name.denial.of_name);
  EXPECT_THAT(no_name.denial.proof, SizeIs(1));
  const Reading no_data = *read({.authority = {soa}});
  EXPECT_EQ(no_data.kind, Kind::denial);
  EXPECT_FALSE(no_data.denial.of_name);
  const Reading of_others =
      *read({.rcode = Rcode::nxdomain, .authority = {"com. 60 SOA ns. host. 1 2 3 4 5"}});
  EXPECT_THAT(of_others.denial.proof, IsEmpty()) << "the SOA of a zone that it does not serve";
}

TEST(Reading, Referrals) {
  const Reading reading =
      *read({.authority = {"a.www.example.com. 60 NS ns.a.", "www.example.com. 60 NS ns.b."},
             .authoritative = false});
  EXPECT_EQ(reading.kind, Kind::referral);
  EXPECT_EQ(reading.cut, name("www.example.com."));
}

TEST(Reading, LameServers) {
  EXPECT_EQ(read({.authority = {"com. 60 NS ns.com."}, .authoritative = false})->kind, Kind::lame)
      << "upwards";
  EXPECT_EQ(read({.authority = {"example.com. 60 NS ns.b."}, .authoritative = false})->kind, Kind::lame)
      << "to itself";
  EXPECT_EQ(read({.authoritative = false, .recursion_available = true})->kind, Kind::lame);
  EXPECT_EQ(
      read(
          {.rcode = Rcode::nxdomain, .authority = {soa}, .authoritative = false, .recursion_available = true})
          ->kind,
      Kind::lame);
  EXPECT_EQ(read({.answer = {"www.example.com. 60 A 192.0.2.1"},
                  .authoritative = false,
                  .recursion_available = true})
                ->kind,
            Kind::lame);
  EXPECT_EQ(read({.answer = {"www.example.com. 60 A 192.0.2.1"},
                  .authority = {"example.com. 60 NS ns.b."},
                  .authoritative = false})
                ->kind,
            Kind::data)
      << "one that does not set AA";
  EXPECT_EQ(read({.authoritative = false})->kind, Kind::empty);
  EXPECT_EQ(read({})->kind, Kind::empty) << "AA alone says nothing";
}

// RFC 4035 section 3.1.4.1: the zone below a cut has no DS, which says nothing of the parent's.
TEST(Reading, TheChildDoesNotDenyADs) {
  const Said child{.authority = {"sub.example.com. 60 SOA ns. host. 1 2 3 4 5"}};
  EXPECT_EQ(read(child, "sub.example.com.", Type::ds)->kind, Kind::lame);
  EXPECT_EQ(read(child, "sub.example.com.", Type::mx)->kind, Kind::denial);
  EXPECT_EQ(read({.authority = {soa}}, "sub.example.com.", Type::ds)->kind, Kind::denial);
}

TEST(Reading, ManyRrsetsAreReadSoFar) {
  Said said;
  for (int i = 0; i < 1000; ++i)
    said.answer.push_back("x" + std::to_string(i) + ".example.com. 60 A 192.0.2.1");
  said.answer.push_back("www.example.com. 60 A 192.0.2.1");
  EXPECT_EQ(read(said)->kind, Kind::empty);
}

TEST(Reading, RefusesWhatNoHonestServerSends) {
  Said many;
  for (int i = 0; i < 300; ++i)
    many.answer.push_back("www.example.com. 60 A 192.0." + std::to_string(i / 200) + "." +
                          std::to_string(i % 200));
  EXPECT_EQ(read(many).error(), Error::limit);
  Said large;
  for (int i = 0; i < 200; ++i)
    large.answer.push_back("www.example.com. 60 TXT " + std::to_string(i) + " " + std::string(250, 'x') +
                           " " + std::string(40, 'y'));
  EXPECT_TRUE(read(large, "www.example.com.", Type::txt));
}

TEST(Reading, Substitutes) {
  EXPECT_EQ(*substitute(name("a.b.old."), name("old."), name("new.net.")), name("a.b.new.net."));
  EXPECT_EQ(*substitute(name("a.old."), name("old."), name(".")), name("a."));
}

}  // namespace
}  // namespace peregrine
