#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/rdata.h"
#include "wire/wire_support.h"

namespace peregrine {
namespace {

struct Pair {
  Type type;
  const char* text;
  const char* rdata;
};

Result<Octets> read(Type type, std::string_view text, Dname origin = {}) {
  static std::array<uint8_t, 70000> out;
  auto rdata = rdata_from_text(type, text, origin, out);
  if (!rdata) return std::unexpected(rdata.error());
  return Octets(rdata->begin(), rdata->end());
}

const Pair both_ways[] = {
    {Type::a, "192.0.2.1", "c0000201"},
    {Type::aaaa, "2001:db8::1", "20010db8000000000000000000000001"},
    {Type::aaaa, "::ffff:192.0.2.1", "00000000000000000000ffffc0000201"},
    {Type::ns, "ns.example.", "02'ns' 07'example' 00"},
    {Type::cname, ".", "00"},
    {Type::ptr, "a\\.b\\000.c.", "04'a.b'00 01'c' 00"},
    {Type::mx, "10 mx.", "000a 02'mx' 00"},
    {Type::mx, "65535 .", "ffff 00"},
    {Type::soa, "ns. h\\.m. 4294967295 2 3 4 0",
     "02'ns' 00 03'h.m' 00 ffffffff 00000002 00000003 00000004 00000000"},
    {Type::txt, "\"\"", "00"},
    {Type::txt, "\"a b;c()\" \"\" \"d\"", "07'a b;c()' 00 01'd'"},
    {Type::txt, "\"\\\"\\\\\\000\\255\\127\"", "05'\"\\' 00 ff 7f"},
    {Type::srv, "1 2 53 s.x.", "0001 0002 0035 01's' 01'x' 00"},
    {Type::dname, "d.", "01'd' 00"},
    {Type::md, "m.", "01'm' 00"},
    {Type::mf, "m.", "01'm' 00"},
    {Type::mb, "m.", "01'm' 00"},
    {Type::mg, "m.", "01'm' 00"},
    {Type::mr, "m.", "01'm' 00"},
    {Type::minfo, "r. e.", "01'r' 00 01'e' 00"},
    {Type::rp, "m. .", "01'm' 00 00"},
    {Type::afsdb, "1 a.", "0001 01'a' 00"},
    {Type::rt, "10 r.", "000a 01'r' 00"},
    {Type::px, "10 a. b.", "000a 01'a' 00 01'b' 00"},
    {Type::kx, "10 k.", "000a 01'k' 00"},
    {Type::naptr, "100 50 \"u\" \"E2U+sip\" \"!^.*$!sip:a@x!\" .",
     "0064 0032 01'u' 07'E2U+sip' 0e'!^.*$!sip:a@x!' 00"},
    {Type::naptr, "0 0 \"\" \"\" \"\" r.", "0000 0000 00 00 00 01'r' 00"},
    {Type::opt, "\\# 0", ""},
    {Type::opt, "\\# 4 00030000", "0003 0000"},
    {Type(65280), "\\# 0", ""},
    {Type(65280), "\\# 3 ABCDEF", "abcdef"},
    {Type(257), "\\# 2 0005", "0005"},
};

TEST(RdataText, BothWays) {
  for (const Pair& pair : both_ways) {
    EXPECT_EQ(rdata_to_text(pair.type, hex(pair.rdata)), pair.text);
    auto rdata = read(pair.type, pair.text);
    ASSERT_TRUE(rdata) << pair.text;
    EXPECT_EQ(*rdata, hex(pair.rdata)) << pair.text;
  }
}

TEST(RdataText, OtherSpellings) {
  const Pair cases[] = {
      {Type::txt, "plain", "05'plain'"},
      {Type::txt, " a\\ b \"c\td\"\n\\\"", "03'a b' 03'c'09'd' 01'\"'"},
      {Type::txt, "a\\;b", "03'a;b'"},
      {Type::aaaa, "2001:DB8:0:0:0:0:0:1", "20010db8000000000000000000000001"},
      {Type::mx, "\t010\tMX.", "000a 02'MX' 00"},
      {Type::naptr, "1 2 S SIP+D2U \"\" s.", "0001 0002 01'S' 07'SIP+D2U' 00 01's' 00"},
      {Type::a, "\\# 4 c0000201", "c0000201"},
      {Type::a, "\\#  4  C000 0201", "c0000201"},
      {Type::ns, "\\# 3 016100", "01'a' 00"},
      {Type(65280), "\\# 4 01 02 0304", "01020304"},
  };
  for (const Pair& c : cases) {
    auto rdata = read(c.type, c.text);
    ASSERT_TRUE(rdata) << c.text;
    EXPECT_EQ(*rdata, hex(c.rdata)) << c.text;
  }
}

TEST(RdataText, NamesAreRelativeToTheOrigin) {
  DnameBuf origin = name("example");
  EXPECT_EQ(*read(Type::mx, "1 mx", origin), hex("0001 02'mx' 07'example' 00"));
  EXPECT_EQ(*read(Type::ns, "@", origin), hex("07'example' 00"));
  EXPECT_EQ(*read(Type::soa, "ns @ 1 2 3 4 5", origin),
            hex("02'ns' 07'example' 00 07'example' 00 00000001 00000002 00000003 00000004 00000005"));
}

TEST(RdataText, Refuses) {
  const std::pair<Type, std::string> cases[] = {
      {Type::a, ""},
      {Type::a, "192.0.2"},
      {Type::a, "192.0.2.256"},
      {Type::a, "192.0.2.1 x"},
      {Type::a, "\"192.0.2.1\""},
      {Type::a, "::1"},
      {Type::a, std::string("1.2.3.4\0", 8)},
      {Type::a, std::string(60, '1')},
      {Type::aaaa, "192.0.2.1"},
      {Type::aaaa, ":::"},
      {Type::ns, ""},
      {Type::ns, "a..b"},
      {Type::ns, "\"a\""},
      {Type::ns, "a b"},
      {Type::mx, "10"},
      {Type::mx, "65536 mx"},
      {Type::mx, "-1 mx"},
      {Type::mx, "0x1 mx"},
      {Type::mx, "mx 10"},
      {Type::minfo, "r."},
      {Type::px, "1 a."},
      {Type::naptr, "1 2 s sip r."},
      {Type::naptr, "1 2 s sip \"\" \"\" r."},
      {Type::naptr, "1 2 s sip \"\" r. x"},
      {Type::soa, "ns h 1 2 3 4"},
      {Type::soa, "ns h 1 2 3 4 5 6"},
      {Type::soa, "ns h 1 2 3 4 4294967296"},
      {Type::txt, ""},
      {Type::txt, "   "},
      {Type::txt, "\""},
      {Type::txt, "\"a"},
      {Type::txt, "\"a\\\""},
      {Type::txt, "\"a\"b"},
      {Type::txt, "a\"b\""},
      {Type::txt, "a ; comment"},
      {Type::txt, "( a )"},
      {Type::txt, "\\256"},
      {Type::txt, "a\\"},
      {Type::txt, std::string(256, 'x')},
      {Type::opt, "00030000"},
      {Type(65280), ""},
      {Type(65280), "abcd"},
      {Type(65280), "\\#"},
      {Type(65280), "\\# 1"},
      {Type(65280), "\\# 1 0"},
      {Type(65280), "\\# 1 0102"},
      {Type(65280), "\\# 2 01"},
      {Type(65280), "\\# 1 0g"},
      {Type(65280), "\\# x 01"},
      {Type(65280), "\\# 65536"},
      {Type(65280), "\\# 2 010 2"},
      {Type(65280), "\"\\#\" 1 01"},
      {Type::a, "\\# 3 010203"},
      {Type::ns, "\\# 2 c00c"},
      {Type::txt, "\\# 0"},
      {Type::opt, "\\# 1 00"},
  };
  for (const auto& [type, text] : cases) {
    auto rdata = read(type, text);
    ASSERT_FALSE(rdata) << to_string(type) << ' ' << text;
    EXPECT_EQ(rdata.error(), Error::bad_text) << to_string(type) << ' ' << text;
  }
  EXPECT_TRUE(read(Type::txt, std::string(255, 'x')));
}

TEST(RdataText, NeedsRoom) {
  for (const Pair& pair : both_ways) {
    Octets rdata = hex(pair.rdata);
    Octets out(rdata.size());
    EXPECT_TRUE(rdata_from_text(pair.type, pair.text, Dname(), out)) << pair.text;
    for (size_t size = 0; size < out.size(); ++size)
      EXPECT_EQ(rdata_from_text(pair.type, pair.text, Dname(), MutableBytes(out).first(size)).error(),
                Error::no_space)
          << pair.text;
  }
}

TEST(RdataText, IsNoLongerThanRdataCanBe) {
  std::string longest, longer;
  for (int i = 0; i < 256; ++i) longest += std::string(i < 255 ? 255 : 254, 'x') + ' ';
  longer = longest + "y";
  EXPECT_EQ(read(Type::txt, longest)->size(), 65535u);
  EXPECT_EQ(read(Type::txt, longer).error(), Error::no_space);
}

TEST(RdataText, WhatDoesNotFitTheTypeIsGeneric) {
  EXPECT_EQ(rdata_to_text(Type::a, hex("010203")), "\\# 3 010203");
  EXPECT_EQ(rdata_to_text(Type::a, {}), "\\# 0");
  EXPECT_EQ(rdata_to_text(Type::mx, hex("000a 02'm'")), "\\# 4 000A026D");
  EXPECT_EQ(rdata_to_text(Type::soa, hex("01'a' 00 01'b' 00")), "\\# 6 016100016200");
  EXPECT_EQ(rdata_to_text(Type::txt, hex("03'a'")), "\\# 2 0361");
  // Rdata on its own has nothing that a pointer could lead to, even where one would find a name.
  EXPECT_EQ(rdata_to_text(Type::soa,
                          hex("0a'0123456789' 00 01'x' c00c 00000001 00000002 00000003 00000004 00000005"))
                .substr(0, 5),
            "\\# 36");
}

TEST(RdataText, OfARecord) {
  Octets octets = golden::kitchen_sink();
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_THAT(records(*view, Section::answer),
              testing::ElementsAre("x.\t1\tIN\tA\t192.0.2.1", "x.\t1\tIN\tNS\tns.x.", "x.\t1\tIN\tCNAME\tx.",
                                   "x.\t1\tIN\tSOA\tx. x. 1 2 3 4 5", "x.\t1\tIN\tPTR\tp.",
                                   "x.\t1\tIN\tMX\t10 mx.x.", "x.\t1\tIN\tTXT\t\"hello\" \"\" \"w\\\"\"",
                                   "x.\t1\tIN\tAAAA\t2001:db8::1", "x.\t1\tIN\tSRV\t1 2 53 s.x.",
                                   "x.\t1\tIN\tDNAME\td.", "x.\t1\tIN\tCAA\t\\# 8 000569737375653B"));
}

}  // namespace
}  // namespace peregrine
