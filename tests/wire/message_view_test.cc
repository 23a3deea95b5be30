#include "wire/message_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A response of one question (a. IN A, 12 to 18) and what follows it.
Octets response(std::string_view counts, std::string_view rest) {
  return hex("0000 8000 0001") + hex(counts) + hex("01'a' 00 0001 0001") + hex(rest);
}

Error error_of(const Octets& message) {
  auto view = MessageView::parse(message);
  return view ? Error::not_found : view.error();
}

TEST(EffectiveTtl, TheTopBitMeansZero) {
  EXPECT_EQ(effective_ttl(0), 0u);
  EXPECT_EQ(effective_ttl(0x7fffffff), 0x7fffffffu);
  EXPECT_EQ(effective_ttl(0x80000000), 0u);
  EXPECT_EQ(effective_ttl(0xffffffff), 0u);
}

TEST(MessageView, QueryWithEdns) {
  Octets octets = golden::query();
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header().id(), 0x1a2b);
  EXPECT_FALSE(view->header().qr());
  EXPECT_TRUE(view->header().rd());
  EXPECT_TRUE(view->header().ad());
  EXPECT_EQ(view->header().opcode(), Opcode::query);
  ASSERT_TRUE(view->has_question());
  Question question = view->question();
  EXPECT_TRUE(same_octets(question.qname, name("www.Example.com")));
  EXPECT_EQ(question.qtype, Type::a);
  EXPECT_EQ(question.qclass, Class::in);
  EXPECT_EQ(view->question_end(), 12 + question.wire_size());
  ASSERT_TRUE(view->edns());
  EXPECT_EQ(view->edns()->udp_size, 1232);
  EXPECT_TRUE(view->edns()->dnssec_ok);
  EXPECT_EQ(view->edns()->find(EdnsOption::cookie)->size(), 8u);
  EXPECT_EQ(view->rcode(), Rcode::noerror);
  EXPECT_FALSE(view->has_trailing_octets());
}

TEST(MessageView, CnameChain) {
  Octets octets = golden::answer();
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_THAT(records(*view, Section::answer),
              ElementsAre("www.example.com.\t3600\tIN\tCNAME\tweb.cdn.example.net.",
                          "web.cdn.example.net.\t60\tIN\tCNAME\te1.cdn.example.net.",
                          "e1.cdn.example.net.\t30\tIN\tA\t192.0.2.25"));
  EXPECT_THAT(records(*view, Section::authority), IsEmpty());
  EXPECT_FALSE(view->edns());
}

TEST(MessageView, Referral) {
  Octets octets = golden::referral();
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_THAT(records(*view, Section::answer), IsEmpty());
  EXPECT_THAT(records(*view, Section::authority), ElementsAre("com.\t172800\tIN\tNS\ta.gtld-servers.net.",
                                                              "com.\t172800\tIN\tNS\tb.gtld-servers.net."));
  EXPECT_THAT(records(*view, Section::additional),
              ElementsAre("a.gtld-servers.net.\t172800\tIN\tA\t192.5.6.30",
                          "a.gtld-servers.net.\t172800\tIN\tAAAA\t2001:503:a83e::2:30",
                          "b.gtld-servers.net.\t172800\tIN\tA\t192.33.14.30"));
}

TEST(MessageView, Nxdomain) {
  Octets octets = golden::nxdomain();
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->rcode(), Rcode::nxdomain);
  EXPECT_TRUE(view->header().aa());
  EXPECT_THAT(
      records(*view, Section::authority),
      ElementsAre("example.org.\t900\tIN\tSOA\tns.example.org. hostmaster.example.org. 2024077257 7200 3600 "
                  "1209600 900"));
  EXPECT_EQ(view->edns()->find(EdnsOption::extended_error)->size(), 8u);
}

TEST(MessageView, EveryHeaderBit) {
  auto header = Header::read(hex("abcd ffff 0001 0002 0003 0004"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->id(), 0xabcd);
  for (bool bit :
       {header->qr(), header->aa(), header->tc(), header->rd(), header->ra(), header->ad(), header->cd()})
    EXPECT_TRUE(bit);
  EXPECT_EQ(header->opcode(), Opcode(15));
  EXPECT_EQ(header->rcode_low(), 15);
  for (unsigned s = 0; s < 4; ++s) EXPECT_EQ(header->count(Section(s)), s + 1);
  EXPECT_EQ(header->counts(), one_in(Section::question) + 2 * one_in(Section::answer) +
                                  3 * one_in(Section::authority) + 4 * one_in(Section::additional));
  EXPECT_EQ(Header::read(hex("0000 0000 0000 0000 0000 00")).error(), Error::truncated);
  using Bit = bool (Header::*)() const;
  const std::pair<const char*, Bit> bits[] = {{"0000 8000", &Header::qr}, {"0000 0400", &Header::aa},
                                              {"0000 0200", &Header::tc}, {"0000 0100", &Header::rd},
                                              {"0000 0080", &Header::ra}, {"0000 0020", &Header::ad},
                                              {"0000 0010", &Header::cd}};
  for (auto [octets, bit] : bits)
    for (auto [other_octets, other_bit] : bits) {
      auto one = Header::read(hex(octets) + Octets(8));
      EXPECT_EQ(((*one).*other_bit)(), bit == other_bit) << octets;
    }
}

TEST(MessageView, NoQuestionIsNoError) {
  Octets octets = hex("0000 0000 0000 0000 0000 0001  00 0029 0200 00000000 0000");
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->has_question());
  EXPECT_EQ(view->question_end(), 12u);
  EXPECT_TRUE(view->edns());
}

TEST(MessageView, RootQuestion) {
  Octets octets = hex("0000 0000 0001 0000 0000 0000  00 0002 0001");
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->question().qname.is_root());
  EXPECT_EQ(view->question().qtype, Type::ns);
}

TEST(MessageView, TrailingOctetsAreSeen) {
  Octets octets = golden::answer() + Octets{0};
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->has_trailing_octets());
}

TEST(MessageView, EveryCutIsTruncated) {
  for (const Octets& whole : golden::all()) {
    ASSERT_TRUE(MessageView::parse(whole));
    for (size_t size = 0; size < whole.size(); ++size) {
      Octets cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      ASSERT_EQ(error_of(cut), Error::truncated) << size;
    }
  }
}

TEST(MessageView, CountsBeyondTheMessageAreTruncated) {
  EXPECT_EQ(error_of(response("ffff ffff ffff", "")), Error::truncated);
  EXPECT_EQ(error_of(response("0000 0000 0001", "c00c 0001 0001 00000000 0005 01020304")), Error::truncated);
}

TEST(MessageView, OneQuestionAtMost) {
  EXPECT_EQ(error_of(hex("0000 0000 0002 0000 0000 0000  00 0001 0001  00 0001 0001")), Error::bad_message);
  EXPECT_EQ(error_of(hex("0000 0000 ffff 0000 0000 0000")), Error::bad_message);
}

TEST(MessageView, QuestionIsNotCompressed) {
  EXPECT_EQ(error_of(hex("0000 0000 0001 0000 0000 0000  c00c 0001 0001")), Error::bad_label);
  EXPECT_EQ(error_of(hex("0000 0000 0001 0000 0000 0000  01'a' c00c 0001 0001")), Error::bad_label);
  EXPECT_EQ(error_of(hex("0000 0000 0001 0000 0000 0000  41'a' 00 0001 0001")), Error::bad_label);
  Octets wide =
      hex("0000 0000 0001 0000 0000 0000") + repeat(Octets{63} + repeat({'x'}, 63), 4) + hex("00 0001 0001");
  EXPECT_EQ(error_of(wide), Error::name_too_long);
}

TEST(MessageView, OwnerLabelTypesOfNoMeaning) {
  for (auto type : {"40", "7f", "80", "bf"}) {
    EXPECT_EQ(error_of(response("0001 0000 0000", type) + repeat({0}, 250)), Error::bad_label) << type;
    EXPECT_EQ(error_of(response("0001 0000 0000", "01'b'") + hex(type) + repeat({0}, 250)), Error::bad_label)
        << type;
  }
}

// The owner is at offset 19; a pointer must lead to before the run of labels that it ends.
TEST(MessageView, PointersOnlyLeadBackward) {
  constexpr auto rest = " 0001 0001 00000000 0004 01020304";
  auto with_owner = [&](std::string owner) { return error_of(response("0001 0000 0000", owner + rest)); };
  EXPECT_EQ(with_owner("c00c"), Error::not_found);
  EXPECT_EQ(with_owner("c00e"), Error::not_found);  // the root of the question's name
  EXPECT_EQ(with_owner("c012"), Error::truncated) << "labels read across the pointer itself";
  EXPECT_EQ(with_owner("c013"), Error::bad_pointer) << "itself";
  EXPECT_EQ(with_owner("01'b' c013"), Error::bad_pointer) << "its own labels";
  EXPECT_EQ(with_owner("01'b' c015"), Error::bad_pointer) << "itself after a label";
  EXPECT_EQ(with_owner("c015"), Error::bad_pointer) << "forward";
  EXPECT_EQ(with_owner("ffff"), Error::bad_pointer) << "beyond the message";
  for (auto header : {"c000", "c004", "c00b"})
    EXPECT_EQ(with_owner(header), Error::bad_pointer) << "the header";
}

TEST(MessageView, PointersDoNotLoop) {
  // Two RRs whose owners point at each other's rdata; the first points forward.
  EXPECT_EQ(error_of(response("0002 0000 0000",
                              "c02b 0001 0001 00000000 0002 c02b  c01d 0001 0001 00000000 0002 c01f")),
            Error::bad_pointer);
  // Rdata with a pointer to itself is not looked at until an owner leads there.
  EXPECT_EQ(
      error_of(response("0002 0000 0000", "c00c 0010 0001 00000000 0002 c01f  c01f 0001 0001 00000000 0000")),
      Error::bad_pointer);
}

TEST(MessageView, PointerChainsAreBounded) {
  // A TXT's rdata at 31 is a ladder of pointers, each to the one before it, the first to the question.
  auto ladder = [](size_t rungs) {
    Octets message = response("0002 0000 0000", "c00c 0010 0001 00000000");
    message.push_back(static_cast<uint8_t>(2 * rungs >> 8));
    message.push_back(static_cast<uint8_t>(2 * rungs));
    size_t target = 12;
    for (size_t i = 0; i < rungs; ++i) {
      size_t here = message.size();
      message =
          std::move(message) + Octets{static_cast<uint8_t>(0xc0 | target >> 8), static_cast<uint8_t>(target)};
      target = here;
    }
    return std::move(message) +
           Octets{static_cast<uint8_t>(0xc0 | target >> 8), static_cast<uint8_t>(target)} +
           hex("0001 0001 00000000 0000");
  };
  EXPECT_EQ(error_of(ladder(1)), Error::not_found);
  EXPECT_EQ(error_of(ladder(126)), Error::not_found);
  EXPECT_EQ(error_of(ladder(127)), Error::bad_pointer);
  EXPECT_EQ(error_of(ladder(8000)), Error::bad_pointer);
}

TEST(MessageView, ExpandedNamesAre255OctetsAtMost) {
  auto with_lengths = [](size_t in_question, size_t before_pointer) {
    return hex("0000 8000 0001 0001 0000 0000") + repeat(hex("01'a'"), in_question) + hex("00 0001 0001") +
           repeat(hex("01'b'"), before_pointer) + hex("c00c 0001 0001 00000000 0000");
  };
  Octets longest = with_lengths(100, 27);
  auto view = MessageView::parse(longest);
  ASSERT_TRUE(view);
  EXPECT_EQ((*view->section(Section::answer).begin()).owner.expand().view().size(), 255u);
  EXPECT_EQ(error_of(with_lengths(100, 28)), Error::name_too_long);
  Octets one_more = hex("0000 8000 0001 0001 0000 0000") + repeat(hex("01'a'"), 100) + hex("00 0001 0001") +
                    repeat(hex("01'b'"), 26) + hex("02'bb' c00c 0001 0001 00000000 0000");
  EXPECT_EQ(error_of(one_more), Error::name_too_long) << "256 octets";
  EXPECT_EQ(error_of(with_lengths(127, 0)), Error::not_found);
  EXPECT_EQ(error_of(with_lengths(127, 1)), Error::name_too_long);
  EXPECT_EQ(error_of(with_lengths(128, 0)), Error::name_too_long);
}

TEST(MessageView, OptRules) {
  constexpr std::string_view opt = " 00 0029 0200 00000000 0000 ";
  auto with = [&](std::string_view counts, std::string rest) { return error_of(response(counts, rest)); };
  EXPECT_EQ(with("0000 0000 0001", std::string(opt)), Error::not_found);
  EXPECT_EQ(with("0000 0000 0002", std::string(opt) + std::string(opt)), Error::bad_message);
  EXPECT_EQ(with("0001 0000 0000", std::string(opt)), Error::bad_message);
  EXPECT_EQ(with("0000 0001 0000", std::string(opt)), Error::bad_message);
  EXPECT_EQ(with("0000 0000 0001", "c00c 0029 0200 00000000 0000"), Error::bad_message);
  EXPECT_EQ(with("0000 0000 0001", "01'a' 00 0029 0200 00000000 0000"), Error::bad_message);
  EXPECT_EQ(with("0000 0000 0001", "00 0029 0200 00000000 0003 000a00"), Error::bad_rdata);
  EXPECT_EQ(with("0000 0000 0001", "00 0029 0200 00000000 0005 000a 0002 00"), Error::bad_rdata);
}

TEST(MessageView, OptGivesTheUpperBitsOfTheRcode) {
  Octets octets = hex("0000 8000 0000 0000 0000 0001  00 0029 0200 01 01 0000 0000");
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->rcode(), Rcode::badvers);
  EXPECT_EQ(view->edns()->version, 1);
}

TEST(MessageView, RrFieldsAndPlaces) {
  Octets octets = golden::answer();
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  auto it = view->section(Section::answer).begin();
  RrView first = *it;
  EXPECT_EQ(first.owner.packed_size(), 2u);
  EXPECT_EQ(first.rdata_offset(), 45u);
  EXPECT_EQ(first.rdata.size(), 21u);
  EXPECT_TRUE(first.owner.equals(name("WWW.example.com")));
  for (auto other : {".", "com", "example.com", "www.example.con", "a.www.example.com", "wwv.example.com"})
    EXPECT_FALSE(first.owner.equals(name(other))) << other;
  RrView second = *++it;
  EXPECT_EQ(second.owner.expand(), name("web.cdn.example.net"));
  EXPECT_TRUE(second.owner.equals(name("web.cdn.example.net")));
}

TEST(MessageView, RootOwnerIsTheRoot) {
  Octets octets = hex("0000 8000 0000 0001 0000 0000  00 0002 0001 00000000 0001 00");
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  RrView rr = *view->section(Section::answer).begin();
  EXPECT_EQ(rr.owner.packed_size(), 1u);
  EXPECT_TRUE(rr.owner.equals(Dname()));
  EXPECT_FALSE(rr.owner.equals(name("a")));
  EXPECT_EQ(to_text(rr), ".\t0\tIN\tNS\t.");
}

}  // namespace
}  // namespace peregrine
