#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cache/answer.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

constexpr std::string_view www = "www.example.com.";
constexpr std::string_view soa_900 = "ns.example.com. host.example.com. 1 7200 3600 86400 900";
constexpr std::string_view soa_top_bit = "ns.example.com. host.example.com. 1 7200 3600 86400 2147483648";
constexpr std::string_view signature = "\\# 23 0001 0d 03 0000012c 70000000 60000000 0001 00 00000000";
constexpr uint32_t week = 604800;

Record a(uint32_t ttl, std::string_view owner = www) {
  return {Section::answer, owner, ttl, Type::a, "192.0.2.1"};
}
Record cname(std::string_view owner, std::string_view target, uint32_t ttl = 300) {
  return {Section::answer, owner, ttl, Type::cname, target};
}
Record soa(uint32_t ttl, std::string_view rdata = soa_900) {
  return {Section::authority, "example.com.", ttl, Type::soa, rdata};
}
Record ns(uint32_t ttl) { return {Section::authority, "example.com.", ttl, Type::ns, "ns.example.com."}; }
Record rrsig(uint32_t ttl) { return {Section::answer, www, ttl, Type::rrsig, signature}; }

struct Case {
  const char* what;
  MessageSpec message;
  std::optional<int> keep;
  TtlLimits limits{};
};

std::vector<Case> cases() {
  constexpr std::nullopt_t no = std::nullopt;
  constexpr Rcode nxdomain = Rcode::nxdomain;
  TtlLimits floor{.floor = seconds{60}};
  return {
      {"one record", {.records = {a(300)}}, 300},
      {"the least TTL of the answer section", {.records = {a(300), a(200), a(250)}}, 200},
      {"a signature's TTL counts", {.records = {a(300), rrsig(120)}}, 120},
      {"authority and additional do not", {.records = {a(300), ns(5)}}, 300},
      {"the cap", {.records = {a(week)}}, 86400},
      {"a cap of one's own", {.records = {a(300)}}, 100, {.cap = seconds{100}}},
      {"zero", {.records = {a(300), a(0)}}, 0},
      {"greatest TTL", {.records = {a(0x7fffffff)}}, 86400},
      {"the top bit means zero", {.records = {a(0x80000000)}}, 0},
      {"all bits mean zero", {.records = {a(0xffffffff)}}, 0},
      {"the floor lifts", {.records = {a(5)}}, 60, floor},
      {"the floor lifts zero", {.records = {a(0)}}, 60, floor},
      {"the floor leaves what is above", {.records = {a(61)}}, 61, floor},
      {"the cap beats the floor", {.records = {a(5)}}, 30, {.floor = seconds{60}, .cap = seconds{30}}},

      {"CNAME chain",
       {.records = {cname(www, "b.example."), cname("b.example.", "c.example.", 50), a(300, "c.example.")}},
       50},
      {"CNAME in another letter case",
       {.records = {cname("WWW.example.COM.", "B.example."), a(80, "b.EXAMPLE.")}},
       80},
      {"CNAME chain backwards",
       {.records = {a(70, "c.example."), cname("b.example.", "c.example."), cname(www, "b.example.")}},
       70},
      {"CNAME to nothing, no SOA", {.records = {cname(www, "b.example.")}}, no},
      {"CNAME to nothing, SOA", {.records = {cname(www, "b.example."), soa(500)}}, 300},
      {"CNAME beside other data (RFC 1034 section 3.6.2)",
       {.records = {cname(www, "b.example."), a(300)}},
       no},
      {"CNAME to nothing, unrelated record",
       {.records = {cname(www, "b.example."), a(300, "d.example.")}},
       no},
      {"CNAME to NXDOMAIN", {.records = {cname(www, "b.example.", 40), soa(500)}, .rcode = nxdomain}, 40},
      {"CNAME loop", {.records = {cname(www, "b.example."), cname("b.example.", www), soa(500)}}, no},
      {"CNAME to itself", {.records = {cname(www, www), soa(500)}}, no},
      {"asked for CNAME", {.qtype = Type::cname, .records = {cname(www, "b.example.", 30)}}, 30},
      {"asked for CNAME, none", {.qtype = Type::cname, .records = {soa(500)}}, 500},
      {"asked for CNAME, of another name", {.qtype = Type::cname, .records = {cname("b.example.", www)}}, no},
      {"ANY", {.qtype = Type::any, .records = {a(90)}}, 90},
      {"ANY, a CNAME is data", {.qtype = Type::any, .records = {cname(www, "b.example.", 20)}}, 20},
      {"ANY, nothing", {.qtype = Type::any, .records = {soa(100)}}, 100},
      {"another class is no data",
       {.records = {{Section::answer, www, 300, Type::a, "192.0.2.1", Class::ch}}},
       no},

      {"NODATA", {.records = {soa(1000)}}, 900},
      {"NODATA, SOA's TTL is less", {.records = {soa(600)}}, 600},
      {"NODATA, records of another type", {.qtype = Type::aaaa, .records = {a(300)}}, no},
      {"NODATA without SOA", {}, no},
      {"a referral", {.records = {ns(3600)}}, no},
      {"NXDOMAIN", {.records = {soa(1000)}, .rcode = nxdomain}, 900},
      {"NXDOMAIN without SOA", {.rcode = nxdomain}, no},
      {"NXDOMAIN, SOA in the answer section",
       {.records = {{Section::answer, "example.com.", 300, Type::soa, soa_900}}, .rcode = nxdomain},
       no},
      {"NXDOMAIN, the least of two SOAs", {.records = {soa(1000), soa(700)}, .rcode = nxdomain}, 700},
      {"NXDOMAIN, SOA of TTL zero", {.records = {soa(0)}, .rcode = nxdomain}, 0},
      {"NXDOMAIN, SOA's TTL has the top bit", {.records = {soa(0x80000001)}, .rcode = nxdomain}, 0},
      {"NXDOMAIN, MINIMUM has the top bit", {.records = {soa(1000, soa_top_bit)}, .rcode = nxdomain}, 0},
      {"NXDOMAIN, negative cap",
       {.records = {soa(1000)}, .rcode = nxdomain},
       200,
       {.negative_cap = seconds{200}}},
      {"NXDOMAIN, the plain cap holds too",
       {.records = {soa(1000)}, .rcode = nxdomain},
       150,
       {.cap = seconds{150}}},
      {"NXDOMAIN, the floor lifts", {.records = {soa(1)}, .rcode = nxdomain}, 60, floor},
      {"NXDOMAIN, the cap beats the floor",
       {.records = {soa(1)}, .rcode = nxdomain},
       30,
       {.floor = seconds{60}, .negative_cap = seconds{30}}},

      {"SERVFAIL", {.records = {a(300)}, .rcode = Rcode::servfail}, no},
      {"REFUSED", {.records = {soa(300)}, .rcode = Rcode::refused}, no},
      {"truncated", {.records = {a(300)}, .tc = true}, no},
      {"NOTIFY", {.records = {a(300)}, .opcode = Opcode::notify}, no},
      {"no question", {.records = {a(300)}, .question = false}, no},
      {"AXFR", {.qtype = Type::axfr, .records = {soa(300)}}, no},
      {"TKEY", {.qtype = Type::tkey, .records = {soa(300)}}, no},
      {"class ANY", {.records = {a(300)}, .qclass = Class::any}, no},
  };
}

TEST(TimeToKeep, Table) {
  for (const Case& c : cases()) {
    Octets octets = message(c.message);
    std::optional<seconds> keep = time_to_keep(parsed(octets), c.limits);
    EXPECT_EQ(keep.has_value(), c.keep.has_value()) << c.what;
    if (keep && c.keep) EXPECT_EQ(keep->count(), *c.keep) << c.what;
  }
}

TEST(TimeToKeep, ExtendedRcodeIsNotKept) {
  Octets octets = message({.records = {a(300)}, .rcode = Rcode::badvers, .edns = true});
  EXPECT_EQ(parsed(octets).header().rcode_low(), 0);
  EXPECT_FALSE(time_to_keep(parsed(octets), {}));
}

TEST(TimeToKeep, MalformedSoaIsNotKept) {
  Octets octets = message({.records = {soa(300)}, .rcode = Rcode::nxdomain});
  MessageView whole = parsed(octets);
  size_t rdlength_at = (*whole.section(Section::authority).begin()).rdata_offset() - 2;
  store_u16(&octets[rdlength_at], static_cast<uint16_t>(load_u16(&octets[rdlength_at]) - 1));
  octets.pop_back();
  EXPECT_FALSE(time_to_keep(parsed(octets), {}));
}

std::vector<std::string> long_chain_names() {
  std::vector<std::string> names{std::string(www)};
  for (int i = 0; i < 500; ++i) names.push_back("n" + std::to_string(i) + ".example.");
  return names;
}

MessageSpec long_chain(const std::vector<std::string>& names) {
  MessageSpec spec;
  for (size_t i = 0; i + 1 < names.size(); ++i) spec.records.push_back(cname(names[i], names[i + 1]));
  spec.records.push_back(a(77, names.back()));
  return spec;
}

TEST(TimeToKeep, LongChainInOrderIsFollowedToItsEnd) {
  std::vector<std::string> names = long_chain_names();
  MessageSpec spec = long_chain(names);
  Octets octets = message(spec);
  EXPECT_EQ(time_to_keep(parsed(octets), {}), seconds{77});
}

TEST(TimeToKeep, LongChainBackwardsIsGivenUp) {
  std::vector<std::string> names = long_chain_names();
  MessageSpec spec = long_chain(names);
  std::ranges::reverse(spec.records);
  Octets octets = message(spec);
  EXPECT_FALSE(time_to_keep(parsed(octets), {}));
}

}  // namespace
}  // namespace peregrine
