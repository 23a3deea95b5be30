#include "zone/master_file.h"

#include <gmock/gmock.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class MasterFileTest : public testing::Test {
 protected:
  void read(std::string_view text, std::string_view apex = "example.") {
    lines.clear();
    faults.clear();
    const auto take = [&](ZoneRecord record) -> std::expected<void, std::string> {
      lines.push_back(record.owner.to_string() + ' ' + std::to_string(record.ttl) + ' ' +
                      to_string(record.type) + ' ' + rdata_to_text(record.type, record.rdata));
      return {};
    };
    for (const ZoneFault& fault : read_master_file(text, "db", name(apex), take))
      faults.push_back(fault.to_string());
  }
  std::vector<std::string> lines, faults;
};

TEST_F(MasterFileTest, ReadsAZoneAsTheStandardWritesIt) {
  read(R"(; a zone
$TTL 300

@       IN SOA ns host.example. (   ; parentheses
          1 7200 900                ; and a comment
          1209600 300 )
           NS  ns                   ; the owner is left out
ns      60 IN A 192.0.2.1
        IN 61 AAAA 2001:db8::1
www     1h30m A 192.0.2.80
$ORIGIN sub
a       TXT "a;b (c" "d\"e" plain
@       MX 10 @
$ORIGIN example.
*.w     CNAME www
)");
  EXPECT_THAT(faults, IsEmpty());
  EXPECT_THAT(lines,
              ElementsAre("example. 300 SOA ns.example. host.example. 1 7200 900 1209600 300",
                          "example. 300 NS ns.example.", "ns.example. 60 A 192.0.2.1",
                          "ns.example. 61 AAAA 2001:db8::1", "www.example. 5400 A 192.0.2.80",
                          R"(a.sub.example. 300 TXT "a;b (c" "d\"e" "plain")",
                          "sub.example. 300 MX 10 sub.example.", "*.w.example. 300 CNAME www.example."));
}

TEST_F(MasterFileTest, ReadsTheTypesOfTheRootZone) {
  read(R"(
.            86400 IN SOA a.root-servers.net. nstld.verisign-grs.com. 2026010100 1800 900 604800 86400
.            518400 IN NS a.root-servers.net.
.            172800 IN DNSKEY 257 3 8 AwEAAQ==
.            86400 IN RRSIG SOA 8 0 86400 20260114050000 20260101040000 61809 . AAAA
.            86400 IN NSEC aaa. NS SOA RRSIG NSEC DNSKEY ZONEMD
.            86400 IN ZONEMD 2026010100 1 1 616c6c6f77656420 6275742069676e6f
aaa.         86400 IN DS 1 8 2 000102
             172800 IN TXT "text"
x.           60 TYPE65280 \# 4 01020304
y.           60 A \# 4 c0000201
z.           60 HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.1
z.           60 CAA 0 issue "ca.example"
z.           60 SRV 0 0 443 www
)",
       ".");
  EXPECT_THAT(faults, IsEmpty());
  EXPECT_THAT(lines, SizeIs(13));
  EXPECT_THAT(lines[9], HasSubstr("A 192.0.2.1"));
  EXPECT_THAT(lines[12], HasSubstr("443 www."));
}

TEST_F(MasterFileTest, WithoutATtlTheLastOneHolds) {
  read("a A 192.0.2.1\nb 60 A 192.0.2.1\nc A 192.0.2.1\n$TTL 7\nd A 192.0.2.1\n");
  EXPECT_THAT(lines, ElementsAre(HasSubstr("a.example. 3600"), HasSubstr("b.example. 60"),
                                 HasSubstr("c.example. 60"), HasSubstr("d.example. 7")));
}

TEST_F(MasterFileTest, SaysWhatIsWrongAndWhere) {
  read(R"(  A 192.0.2.1
www A 192.0.2
www A 192.0.2.1 more
www NOTYPE x
www
www 60 CH TXT "x"
a..b A 192.0.2.1
www.other. A 192.0.2.1
$INCLUDE /etc/passwd
$GENERATE 1-3 a$ A 192.0.2.$
$TTL never
$ORIGIN a b
www AXFR x
www 9999999999 A 192.0.2.1
t TXT "open
)");
  EXPECT_THAT(lines, IsEmpty());
  EXPECT_THAT(
      faults,
      ElementsAre("db:1: the first record has no owner", R"(db:2: "192.0.2" is no data of type A)",
                  R"(db:3: "192.0.2.1 more" is no data of type A)", R"(db:4: "NOTYPE" is no type)",
                  "db:5: a record without a type", R"(db:6: only class IN may stand here, not "CH")",
                  R"(db:7: "a..b" is no domain name)", "db:8: www.other. is not in the zone example.",
                  "db:9: $INCLUDE is not read; put the records here",
                  R"(db:10: unknown directive "$GENERATE")", R"(db:11: "never" is no TTL)",
                  "db:12: $ORIGIN has one value", R"(db:13: "AXFR" is no type of records)",
                  R"(db:14: "9999999999" is no TTL)", "db:15: a quoted string without an end on its line"));
}

TEST_F(MasterFileTest, ParenthesesMustMatch) {
  read("a A ) 192.0.2.1\nb A ( 192.0.2.1 (\nc A 192.0.2.3\nd A ( 192.0.2.4\n");
  EXPECT_THAT(lines, ElementsAre(HasSubstr("c.example.")));
  EXPECT_THAT(faults, ElementsAre("db:1: a ) without a (", "db:2: a parenthesis within parentheses",
                                  "db:4: a ( without a )"));
}

TEST_F(MasterFileTest, AFaultyFileHasNoEndlessReport) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "x\n";
  read(text);
  EXPECT_THAT(faults, SizeIs(20));
  read(std::string(max_master_file + 1, '\n'));
  EXPECT_THAT(faults, ElementsAre("db: larger than 16 MiB"));
}

TEST_F(MasterFileTest, OctetsOfAnyKindAreNoHarm) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  read(all);
  read("\\");
  read("a\\");
  read("a A \\");
  read(std::string("a A 192.0.2.1\0x", 15));
  read("a TXT \"x\\");
  read("a TYPE65280 \\# 70000 " + std::string(140'000, '0'));
  read("a TXT " + std::string(100'000, 'x'));
  read("(((((");
  read(std::string(100'000, '.') + " A 192.0.2.1");
  EXPECT_FALSE(faults.empty());
}

TEST_F(MasterFileTest, WhatIsNotTakenIsAFaultOfItsLine) {
  const auto take = [](ZoneRecord) -> std::expected<void, std::string> { return std::unexpected("no"); };
  EXPECT_THAT(read_master_file("\na A 192.0.2.1", "db", name("example."), take),
              ElementsAre(ZoneFault{"db", 2, "no"}));
}

TEST(ReadRecord, OneAndNoMore) {
  const DnameBuf origin = name("example.");
  const auto record = read_record("www 60 IN A 192.0.2.1", origin);
  ASSERT_TRUE(record) << record.error();
  EXPECT_EQ(record->owner, name("www.example."));
  EXPECT_EQ(record->ttl, 60u);
  EXPECT_EQ(record->rdata, hex("c0000201"));
  EXPECT_EQ(read_record("@ A 192.0.2.1", origin)->owner, origin);
  EXPECT_EQ(read_record("x TXT ( \"a\"\n\"b\" )", origin)->rdata, hex("01 'a' 01 'b'"));
  EXPECT_EQ(read_record("", origin).error(), "an empty record");
  EXPECT_EQ(read_record("a A 192.0.2.1\nb A 192.0.2.1", origin).error(), "more than one record");
  for (const char* text : {" A 192.0.2.1", "$TTL 60"})
    EXPECT_EQ(read_record(text, origin).error(), "a record begins with its owner's name");
}

}  // namespace
}  // namespace peregrine
