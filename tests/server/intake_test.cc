#include "server/intake.h"

#include <gtest/gtest.h>

#include <string>

#include "server/query_builder.h"
#include "wire/damage.h"

namespace peregrine {
namespace {

using testing::query;
using testing::QuerySpec;

IntakeResult take(const std::vector<uint8_t>& message, Query& out, Transport transport = Transport::udp) {
  return take_in(message, transport, 1232, out);
}
IntakeResult take(const std::vector<uint8_t>& message) {
  Query ignored;
  return take(message, ignored);
}

void expect_rejected(const std::vector<uint8_t>& message, Rcode rcode) {
  const IntakeResult result = take(message);
  EXPECT_EQ(result.verdict, Intake::reject);
  EXPECT_EQ(result.rejection.rcode, rcode);
}

TEST(Intake, TakesWhatAQuerySaysAboutItsAnswer) {
  Query q;
  const auto message = query({.qname = "wWw.example.",
                              .qtype = Type::aaaa,
                              .id = 77,
                              .cd = true,
                              .opt = {.udp_size = 1400, .dnssec_ok = true}});
  ASSERT_EQ(take(message, q).verdict, Intake::look_up);
  EXPECT_EQ(q.id, 77);
  EXPECT_TRUE(q.fields.rd() && q.fields.cd() && q.fields.has_edns && q.fields.dnssec_ok);
  EXPECT_FALSE(q.fields.ad());
  EXPECT_EQ(q.fields.limit, 1232);  // ours is smaller than the client's
  EXPECT_EQ(q.fields.question_end, 12 + 13 + 4);
  EXPECT_EQ(q.question.qname.to_string(), "wWw.example.");
  EXPECT_EQ(q.question.qtype, Type::aaaa);
}

TEST(Intake, TheReplyIsNeverLargerThanTheClientTakes) {
  struct Row {
    bool edns;
    uint16_t offered;
    Transport transport;
    uint16_t limit;
  };
  for (const Row& row : {Row{false, 0, Transport::udp, 512}, Row{true, 100, Transport::udp, 512},
                         Row{true, 512, Transport::udp, 512}, Row{true, 1000, Transport::udp, 1000},
                         Row{true, 65'535, Transport::udp, 1232}, Row{false, 0, Transport::tcp, 65'535},
                         Row{true, 512, Transport::tcp, 65'535}}) {
    Query q;
    QuerySpec spec;
    spec.edns = row.edns;
    spec.opt.udp_size = row.offered;
    ASSERT_EQ(take(query(spec), q, row.transport).verdict, Intake::look_up);
    EXPECT_EQ(q.fields.limit, row.limit) << row.offered;
  }
}

TEST(Intake, WhatIsNoQueryGetsSilence) {
  EXPECT_EQ(take({}).verdict, Intake::drop);
  EXPECT_EQ(take(std::vector<uint8_t>(11, 0)).verdict, Intake::drop);
  auto response = query();
  response[2] |= 0x80;
  EXPECT_EQ(take(response).verdict, Intake::drop);
}

TEST(Intake, UnknownOpcodesAreNotImplementedWhateverFollows) {
  for (uint8_t opcode = 1; opcode < 16; ++opcode) {
    auto message = query();
    message[2] = static_cast<uint8_t>((message[2] & 0x87) | opcode << 3);
    message.resize(13);  // and the rest is garbage
    Query q;
    const IntakeResult result = take(message, q);
    EXPECT_EQ(result.verdict, Intake::reject);
    EXPECT_EQ(result.rejection.rcode, Rcode::notimp);
    EXPECT_EQ(static_cast<int>(q.fields.opcode()), opcode);
    EXPECT_EQ(q.fields.question_end, header_size);
  }
}

TEST(Intake, AnUnknownOpcodeWithEdnsIsAnsweredWithEdns) {
  auto message = query({.opt = {.udp_size = 1000}});
  message[2] = static_cast<uint8_t>((message[2] & 0x87) | 5 << 3);
  Query q;
  EXPECT_EQ(take(message, q).rejection.rcode, Rcode::notimp);
  EXPECT_TRUE(q.fields.has_edns);  // RFC 6891 section 6.1.1
}

TEST(Intake, BrokenMessagesAreFormatErrors) {
  auto truncated = query();
  truncated.resize(20);
  expect_rejected(truncated, Rcode::formerr);

  auto two_questions = query();
  two_questions[5] = 2;
  expect_rejected(two_questions, Rcode::formerr);

  auto none = query({.edns = false});
  none[5] = 0;
  none.resize(12);
  expect_rejected(none, Rcode::formerr);

  auto two_opts = query();
  const std::vector<uint8_t> opt(two_opts.end() - 11, two_opts.end());
  two_opts.insert(two_opts.end(), opt.begin(), opt.end());
  two_opts[11] = 2;
  expect_rejected(two_opts, Rcode::formerr);

  auto trailing = query();
  trailing.push_back(0);
  expect_rejected(trailing, Rcode::formerr);

  for (uint8_t label : std::initializer_list<uint8_t>{0x40, 0x80, 0xC0}) {
    auto bad_label = query({.edns = false});
    bad_label[12] = label;
    expect_rejected(bad_label, Rcode::formerr);
  }
}

TEST(Intake, RecordsInAQueryAreAFormatError) {
  auto with_answer = query({.edns = false});
  const uint8_t record[] = {0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4};
  with_answer.insert(with_answer.end(), std::begin(record), std::end(record));
  with_answer[7] = 1;
  expect_rejected(with_answer, Rcode::formerr);
  std::swap(with_answer[7], with_answer[9]);  // in the authority section
  expect_rejected(with_answer, Rcode::formerr);
}

TEST(Intake, AnotherEdnsVersionIsBadvers) {
  Query q;
  const auto result = take(query({.opt = {.version = 1}}), q);
  EXPECT_EQ(result.verdict, Intake::reject);
  EXPECT_EQ(result.rejection.rcode, Rcode::badvers);
  EXPECT_TRUE(q.fields.has_edns);  // the rcode's upper bits need the OPT
}

TEST(Intake, ClassesAndTypesThatCannotBeLookedUp) {
  expect_rejected(query({.qname = "version.bind.", .qtype = Type::txt, .qclass = Class::ch}), Rcode::refused);
  expect_rejected(query({.qclass = Class::any}), Rcode::refused);
  for (Type type : {Type::axfr, Type::ixfr, Type::maila, Type::mailb})
    expect_rejected(query({.qtype = type}), Rcode::notimp);
  for (Type type : {Type::opt, Type::tsig, Type::tkey, Type{0}, Type{128}})
    expect_rejected(query({.qtype = type}), Rcode::formerr);
  EXPECT_EQ(take(query({.qtype = Type::any})).verdict, Intake::minimal_any);
  EXPECT_EQ(take(query({.qtype = Type{65'400}})).verdict,
            Intake::look_up);  // RFC 8906: unknown types are asked
}

TEST(Intake, AMalformedCookieIsFormerr) {
  for (size_t size : {0, 7, 9, 15, 41}) {
    std::vector<uint8_t> option = {0, 10, 0, static_cast<uint8_t>(size)};
    option.resize(4 + size);
    Query q;
    const auto intake = take_in(query({.opt = {.options = option}}), Transport::udp, 1232, q);
    EXPECT_EQ(intake.verdict, Intake::reject) << size;
    EXPECT_EQ(intake.rejection.rcode, Rcode::formerr) << size;
    EXPECT_TRUE(q.fields.has_edns);
  }
}

TEST(Intake, ACookieMayBeFetchedWithoutAQuestion) {
  const std::vector<uint8_t> option = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<uint8_t> buffer(100);
  MessageWriter writer(buffer);
  writer.edns({.options = option});
  Query q;
  const auto intake = take_in(writer.message(), Transport::udp, 1232, q);
  EXPECT_EQ(intake.verdict, Intake::reject);
  EXPECT_EQ(intake.rejection.rcode, Rcode::noerror);
  EXPECT_TRUE(q.fields.cookie);
}

TEST(Intake, OwningMessagesGiveTheSame) {
  Random random = Random::from_seed(3);
  const std::vector<uint8_t> cookie = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  for (int i = 0; i < 100'000; ++i) {
    auto octets = query({.qtype = Type(random.below(300)),
                         .edns = random.below(2) == 0,
                         .opt = {.options = random.below(2) == 0 ? Bytes(cookie) : Bytes()}});
    if (random.below(8) != 0) damage(octets, random);
    const Transport transport = random.below(2) == 0 ? Transport::udp : Transport::tcp;
    Query view, owning;
    const IntakeResult a = take_in(octets, transport, 1232, view);
    const IntakeResult b = take_in_owning(octets, transport, 1232, owning);
    ASSERT_EQ(a.verdict, b.verdict);
    ASSERT_EQ(a.rejection.rcode, b.rejection.rcode);
    ASSERT_EQ(a.rejection.ede, b.rejection.ede);
    ASSERT_EQ(view.fields, owning.fields);
    ASSERT_EQ(view.question.qname.wire().size(), owning.question.qname.wire().size());
    ASSERT_EQ(view.question.qtype, owning.question.qtype);
    ASSERT_EQ(view.question.qclass, owning.question.qclass);
  }
}

}  // namespace
}  // namespace peregrine
