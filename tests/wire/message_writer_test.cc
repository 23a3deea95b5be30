#include "wire/message_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

constexpr Section data_sections[] = {Section::answer, Section::authority, Section::additional};

class MessageWriterTest : public testing::Test {
 protected:
  Octets written() const { return {writer_.message().begin(), writer_.message().end()}; }
  // What is written so far, which must be a whole message at any time.
  MessageView view() {
    octets_ = written();
    auto parsed = MessageView::parse(octets_);
    EXPECT_TRUE(parsed);
    EXPECT_FALSE(parsed->has_trailing_octets());
    return *parsed;
  }
  bool a(Section section, std::string_view owner) {
    return writer_.rr(section, name(owner), Type::a, Class::in, 60, hex("c0000201"));
  }
  bool ns(std::string_view owner, Octets target) {
    return writer_.rr(Section::authority, name(owner), Type::ns, Class::in, 60, target);
  }

  std::array<uint8_t, 0x12000> buffer_{};
  MessageWriter writer_{buffer_};
  Octets octets_;
};

TEST_F(MessageWriterTest, BeginsWithAHeaderOfZeros) {
  buffer_.fill(0xff);
  MessageWriter writer(buffer_);
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(Octets(writer.message().begin(), writer.message().end()), Octets(12));
}

TEST_F(MessageWriterTest, HeaderFieldsDoNotDisturbEachOther) {
  writer_.id(0x1234);
  writer_.opcode(Opcode(15));
  writer_.rcode(Rcode(15));
  EXPECT_EQ(written(), hex("1234 780f 0000 0000 0000 0000"));
  writer_.opcode(Opcode::notify);
  writer_.rcode(Rcode::refused);
  EXPECT_EQ(written(), hex("1234 2005 0000 0000 0000 0000"));
  using Setter = void (MessageWriter::*)(bool);
  const std::pair<Setter, const char*> flags[] = {{&MessageWriter::qr, "8000"}, {&MessageWriter::aa, "0400"},
                                                  {&MessageWriter::tc, "0200"}, {&MessageWriter::rd, "0100"},
                                                  {&MessageWriter::ra, "0080"}, {&MessageWriter::ad, "0020"},
                                                  {&MessageWriter::cd, "0010"}};
  writer_.opcode(Opcode::query);
  writer_.rcode(Rcode::noerror);
  for (auto [set, bits] : flags) {
    (writer_.*set)(true);
    EXPECT_EQ(written(), hex("1234") + hex(bits) + Octets(8));
    (writer_.*set)(false);
  }
  EXPECT_EQ(written(), hex("1234") + Octets(10));
}

TEST_F(MessageWriterTest, CompressesOwnersAndNamesInRdata) {
  ASSERT_TRUE(writer_.question(name("www.example.com"), Type::a, Class::in));
  ASSERT_TRUE(writer_.rr(Section::answer, name("www.example.com"), Type::cname, Class::in, 60,
                         wire_of(name("web.Example.com"))));
  ASSERT_TRUE(a(Section::answer, "web.example.com"));
  ASSERT_TRUE(writer_.rr(Section::authority, name("com"), Type::ns, Class::in, 60, wire_of(Dname())));
  EXPECT_EQ(written(), hex("0000 0000 0001 0002 0001 0000"
                           "03'www' 07'example' 03'com' 00 0001 0001"
                           "c00c 0005 0001 0000003c 0006 03'web' c010"
                           "c02d 0001 0001 0000003c 0004 c0000201"
                           "c018 0002 0001 0000003c 0001 00"));
}

TEST_F(MessageWriterTest, OnlyTypesOfRfc1035AreCompressedInRdata) {
  ASSERT_TRUE(writer_.question(name("example"), Type::srv, Class::in));
  Octets target = wire_of(name("s.example"));
  ASSERT_TRUE(
      writer_.rr(Section::answer, name("example"), Type::srv, Class::in, 0, hex("0001 0002 0035") + target));
  ASSERT_TRUE(writer_.rr(Section::answer, name("example"), Type::dname, Class::in, 0, target));
  ASSERT_TRUE(writer_.rr(Section::answer, name("example"), Type(65280), Class::in, 0, target));
  ASSERT_TRUE(writer_.rr(Section::answer, name("example"), Type::mx, Class::in, 0, hex("0001") + target));
  EXPECT_EQ(written(), hex("0000 0000 0001 0004 0000 0000  07'example' 00 0021 0001"
                           "c00c 0021 0001 00000000 0011 0001 0002 0035 01's' 07'example' 00"
                           "c00c 0027 0001 00000000 000b 01's' 07'example' 00"
                           "c00c ff00 0001 00000000 000b 01's' 07'example' 00"
                           "c00c 000f 0001 00000000 0006 0001 01's' c00c"));
}

TEST_F(MessageWriterTest, LabelsAreComparedWhole) {
  ASSERT_TRUE(writer_.question(name("ab.c"), Type::a, Class::in));
  ASSERT_TRUE(a(Section::answer, "b.c"));
  ASSERT_TRUE(a(Section::answer, "ab"));
  ASSERT_TRUE(a(Section::answer, "x.ab.c"));
  ASSERT_TRUE(a(Section::answer, "ab.d.c"));
  MessageView whole = view();
  std::vector<std::string> owners;
  for (RrView rr : whole.section(Section::answer)) owners.push_back(rr.owner.expand().to_string());
  EXPECT_THAT(owners, ElementsAre("b.c.", "ab.", "x.ab.c.", "ab.d.c."));
}

TEST_F(MessageWriterTest, PointersReachNoFurtherThan14Bits) {
  ASSERT_TRUE(writer_.question(name("q"), Type::txt, Class::in));
  ASSERT_TRUE(writer_.rr(Section::answer, Dname(), Type(65280), Class::in, 0, Octets(0x4000 - 30 - 4)));
  ASSERT_EQ(writer_.size(), 0x4000u - 4);
  ASSERT_TRUE(
      a(Section::answer, "a.b.c"));  // starts at 0x3ffc: c at 0x4000 is out of reach, and so are the rest
  size_t before = writer_.size();
  ASSERT_TRUE(a(Section::answer, "a.b.c"));
  EXPECT_EQ(writer_.size() - before, 7u + 14);
  before = writer_.size();
  ASSERT_TRUE(a(Section::answer, "q"));
  EXPECT_EQ(writer_.size() - before, 2u + 14);
  EXPECT_THAT(records(view(), Section::answer), testing::Contains("a.b.c.\t60\tIN\tA\t192.0.2.1").Times(2));
}

TEST_F(MessageWriterTest, ManyNamesStayRightWhenTheTableIsFull) {
  ASSERT_TRUE(writer_.question(name("example"), Type::ns, Class::in));
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    std::string owner = "h" + std::to_string(i) + ".example.";
    ASSERT_TRUE(a(Section::answer, owner));
    expected.push_back(owner + "\t60\tIN\tA\t192.0.2.1");
  }
  EXPECT_EQ(records(view(), Section::answer), expected);
  EXPECT_LT(writer_.size(), 300u * 22);
}

TEST_F(MessageWriterTest, DeepNamesCompress) {
  Octets deep = repeat(hex("01'a'"), 127) + Octets{0};
  Dname deepest = *Dname::parse(deep);
  ASSERT_TRUE(writer_.question(deepest, Type::a, Class::in));
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(writer_.rr(Section::answer, deepest, Type::a, Class::in, 0, hex("01020304")));
  MessageView whole = view();
  for (RrView rr : whole.section(Section::answer)) EXPECT_TRUE(rr.owner.equals(deepest));
  EXPECT_LT(writer_.size(), 12u + 259 + 3 * 150);
}

TEST_F(MessageWriterTest, SectionsComeInOrder) {
  ASSERT_TRUE(a(Section::authority, "a"));
  Octets before = written();
  EXPECT_FALSE(writer_.question(name("a"), Type::a, Class::in));
  EXPECT_FALSE(a(Section::answer, "a"));
  EXPECT_FALSE(a(Section::question, "a"));
  EXPECT_EQ(written(), before);
  EXPECT_TRUE(a(Section::authority, "a"));
  EXPECT_TRUE(a(Section::additional, "a"));
  EXPECT_FALSE(a(Section::authority, "a"));
}

TEST_F(MessageWriterTest, OneQuestion) {
  EXPECT_TRUE(writer_.question(name("a"), Type::a, Class::in));
  EXPECT_FALSE(writer_.question(name("a"), Type::a, Class::in));
  EXPECT_EQ(view().header().count(Section::question), 1);
}

TEST_F(MessageWriterTest, RollBackReopensTheSectionAndForgetsNames) {
  ASSERT_TRUE(writer_.question(name("q"), Type::a, Class::in));
  Octets before = written();
  auto mark = writer_.mark();
  ASSERT_TRUE(a(Section::authority, "new.q"));
  ASSERT_TRUE(writer_.edns({}));
  writer_.roll_back(mark);
  EXPECT_EQ(written(), before);
  ASSERT_TRUE(a(Section::answer, "x.new.q"));
  ASSERT_TRUE(a(Section::answer, "new.q"));
  EXPECT_TRUE(writer_.edns({}));
  EXPECT_THAT(records(view(), Section::answer),
              ElementsAre("x.new.q.\t60\tIN\tA\t192.0.2.1", "new.q.\t60\tIN\tA\t192.0.2.1"));
}

TEST_F(MessageWriterTest, RefusesRdataThatItsTypeDoesNotAllow) {
  ASSERT_TRUE(writer_.question(name("q"), Type::a, Class::in));
  Octets before = written();
  EXPECT_FALSE(writer_.rr(Section::answer, name("n"), Type::a, Class::in, 0, hex("010203")));
  EXPECT_FALSE(ns("n", hex("01'n'")));
  EXPECT_FALSE(ns("n", hex("01'n' 00 00")));
  EXPECT_FALSE(ns("n", hex("c00c")));
  EXPECT_FALSE(writer_.rr(Section::answer, name("n"), Type::txt, Class::in, 0, {}));
  EXPECT_EQ(written(), before);
  ASSERT_TRUE(a(Section::answer, "n"));
  EXPECT_EQ(written().at(before.size()), 1) << "no pointer to a name that was given up";
}

TEST_F(MessageWriterTest, EdnsAndExtendedRcode) {
  writer_.rcode(Rcode::badvers);
  Octets options = hex("000a 0002 0102");
  ASSERT_TRUE(writer_.edns({.udp_size = 1400, .version = 0, .dnssec_ok = true, .options = options}));
  EXPECT_EQ(written(), hex("0000 0000 0000 0000 0000 0001  00 0029 0578 01008000 0006 000a 0002 0102"));
  EXPECT_EQ(view().rcode(), Rcode::badvers);
  writer_.rcode(Rcode::badcookie);
  EXPECT_EQ(view().rcode(), Rcode::badcookie);
  writer_.rcode(Rcode::nxdomain);
  EXPECT_EQ(view().rcode(), Rcode::nxdomain);
}

TEST_F(MessageWriterTest, OneOptAndWhereItBelongs) {
  EXPECT_FALSE(writer_.edns({.options = hex("000a 0002 01")})) << "options that are cut";
  EXPECT_FALSE(writer_.rr(Section::answer, Dname(), Type::opt, Class(512), 0, {}));
  EXPECT_FALSE(writer_.rr(Section::additional, name("a"), Type::opt, Class(512), 0, {}));
  EXPECT_TRUE(writer_.edns({}));
  EXPECT_FALSE(writer_.edns({}));
  EXPECT_FALSE(writer_.rr(Section::additional, Dname(), Type::opt, Class(512), 0, {}));
  EXPECT_TRUE(a(Section::additional, "a"));
  EXPECT_EQ(view().header().count(Section::additional), 2);
}

TEST_F(MessageWriterTest, ReserveKeepsRoomForTheOpt) {
  std::array<uint8_t, 12 + 17 + 11> small;
  MessageWriter writer(small);
  writer.reserve(12);
  EXPECT_FALSE(writer.rr(Section::answer, name("a"), Type::a, Class::in, 0, hex("01020304")));
  writer.reserve(11);
  EXPECT_TRUE(writer.rr(Section::answer, name("a"), Type::a, Class::in, 0, hex("01020304")));
  EXPECT_FALSE(writer.edns({}));
  writer.reserve(0);
  EXPECT_TRUE(writer.edns({}));
  EXPECT_EQ(writer.size(), small.size());
  MessageWriter none(small);
  none.reserve(SIZE_MAX);
  EXPECT_FALSE(none.edns({}));
}

TEST_F(MessageWriterTest, CopiesRecordsOfAnotherMessage) {
  for (const Octets& whole : golden::all()) {
    auto source = MessageView::parse(whole);
    ASSERT_TRUE(source);
    MessageWriter writer(buffer_);
    ASSERT_TRUE(
        writer.question(source->question().qname, source->question().qtype, source->question().qclass));
    for (Section section : data_sections)
      for (RrView rr : source->section(section)) ASSERT_TRUE(writer.copy(section, rr)) << to_text(rr);
    auto copy = MessageView::parse(writer.message());
    ASSERT_TRUE(copy);
    for (Section section : data_sections) EXPECT_EQ(records(*copy, section), records(*source, section));
    EXPECT_LE(writer.size(), whole.size());
  }
}

TEST_F(MessageWriterTest, CopyTakesAnotherTtl) {
  Octets whole = golden::answer();
  auto source = MessageView::parse(whole);
  ASSERT_TRUE(source);
  ASSERT_TRUE(writer_.copy(Section::answer, *source->section(Section::answer).begin(), 7));
  EXPECT_THAT(records(view(), Section::answer),
              ElementsAre("www.example.com.\t7\tIN\tCNAME\tweb.cdn.example.net."));
}

TEST_F(MessageWriterTest, CopyRefusesHostileRdata) {
  for (auto rdata :
       {"0002 c01d", "0001 c0", "0002 01'b'", "0002 c000", "0003 c00c 00", "0000", "0001 40", "0002 ffff"}) {
    Octets whole =
        hex("0000 8000 0001 0001 0000 0000 01'a' 00 0001 0001  c00c 0002 0001 00000000") + hex(rdata);
    if (std::string_view(rdata) == "0002 c01d") whole[whole.size() - 1] = 31;  // at itself
    auto source = MessageView::parse(whole);
    ASSERT_TRUE(source) << rdata;
    Octets before = written();
    EXPECT_FALSE(writer_.copy(Section::answer, *source->section(Section::answer).begin())) << rdata;
    EXPECT_EQ(written(), before);
  }
}

// One thing that a message can have added to it; says whether it was.
using Step = std::function<bool(MessageWriter&)>;

std::vector<Step> steps_of(const MessageView& source) {
  std::vector<Step> steps;
  Question question = source.question();
  steps.push_back(
      [=](MessageWriter& w) { return w.question(question.qname, question.qtype, question.qclass); });
  for (Section section : data_sections)
    for (RrView rr : source.section(section))
      steps.push_back([=](MessageWriter& w) { return w.copy(section, rr); });
  return steps;
}

TEST_F(MessageWriterTest, WholeAndConsistentAtEveryLimit) {
  for (const Octets& whole : golden::all()) {
    auto source = MessageView::parse(whole);
    ASSERT_TRUE(source);
    auto steps = steps_of(*source);
    for (size_t limit = 0; limit <= whole.size(); ++limit) {
      Octets buffer(limit);  // of its own, so that ASan sees a write past it
      MessageWriter writer(buffer);
      EXPECT_EQ(writer.ok(), limit >= header_size);
      writer.id(0xffff);
      writer.qr(true);
      writer.rcode(Rcode::servfail);
      unsigned added = 0;
      for (const Step& step : steps) {
        Octets before(writer.message().begin(), writer.message().end());
        bool done = step(writer);
        added += done;
        if (!done) ASSERT_EQ(Octets(writer.message().begin(), writer.message().end()), before) << limit;
        if (!writer.ok()) continue;
        auto view = MessageView::parse(writer.message());
        ASSERT_TRUE(view) << limit;
        ASSERT_FALSE(view->has_trailing_octets()) << limit;
        unsigned count = 0;
        for (unsigned s = 0; s < 4; ++s) count += view->header().count(Section(s));
        ASSERT_EQ(count, added) << limit;
        for (Section section : data_sections)
          for (RrView rr : view->section(section)) ASSERT_TRUE(check_rdata(rr)) << limit;
      }
      EXPECT_EQ(added == steps.size(), limit == whole.size()) << limit;
    }
  }
}

TEST_F(MessageWriterTest, IsNoLongerThanAMessageCanBe) {
  Octets rdata(60000);
  ASSERT_TRUE(writer_.rr(Section::answer, Dname(), Type(65280), Class::in, 0, rdata));
  EXPECT_FALSE(writer_.rr(Section::answer, Dname(), Type(65280), Class::in, 0, rdata));
  rdata.resize(65535 - writer_.size() - 11);
  EXPECT_TRUE(writer_.rr(Section::answer, Dname(), Type(65280), Class::in, 0, rdata));
  EXPECT_EQ(writer_.size(), 65535u);
  EXPECT_EQ(view().header().count(Section::answer), 2);
}

TEST_F(MessageWriterTest, NoRoomForAHeader) {
  std::array<uint8_t, 11> small;
  small.fill(0xaa);
  MessageWriter writer(small);
  EXPECT_FALSE(writer.ok());
  writer.id(1);
  writer.tc(true);
  writer.rcode(Rcode::badvers);
  writer.roll_back(writer.mark());
  EXPECT_FALSE(writer.question(Dname(), Type::ns, Class::in));
  EXPECT_FALSE(writer.edns({}));
  EXPECT_TRUE(writer.message().empty());
  EXPECT_THAT(small, testing::Each(0xaa));
}

TEST(PutOption, WholeOrNothing) {
  std::array<uint8_t, 15> buffer;
  ByteWriter out(buffer);
  Octets value = hex("0102");
  EXPECT_TRUE(put_option(out, EdnsOption::cookie, value));
  EXPECT_TRUE(put_extended_error(out, Ede::blocked, "x"));
  EXPECT_EQ(Octets(out.written().begin(), out.written().end()), hex("000a 0002 0102 000f 0003 000f 'x'"));
  EXPECT_FALSE(put_option(out, EdnsOption::nsid, {}));
  EXPECT_FALSE(put_extended_error(out, Ede::other, ""));
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.size(), 13u);
}

TEST(PutOption, NoLongerThanItsLengthFieldCanSay) {
  Octets buffer(70000), value(65536);
  ByteWriter out(buffer);
  EXPECT_FALSE(put_option(out, EdnsOption::padding, value));
  EXPECT_FALSE(put_extended_error(out, Ede::other, std::string(65534, 'x')));
  EXPECT_EQ(out.size(), 0u);
  EXPECT_TRUE(put_extended_error(out, Ede::other, std::string(65533, 'x')));
}

}  // namespace
}  // namespace peregrine
