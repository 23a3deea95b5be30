#include "server/render.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/query_builder.h"
#include "wire/rdata.h"

namespace peregrine {
namespace {

using testing::query;
using testing::QuerySpec;
using testing::slot_with;

constexpr WallTime stored_at{std::chrono::seconds(1'700'000'000)};

// A blob of `records` TXT records below one A-less question, stored at `stored_at`.
std::vector<uint8_t> blob_of(std::string_view qname, int records, uint32_t ttl = 300,
                             Rcode rcode = Rcode::noerror) {
  const DnameBuf owner = DnameBuf::from_text(qname).value();
  std::vector<uint8_t> buffer(65'535), blob(max_blob);
  MessageWriter writer(buffer);
  writer.rcode(rcode);
  writer.question(owner, Type::txt, Class::in);
  for (int i = 0; i < records; ++i) {
    std::vector<uint8_t> text(100, static_cast<uint8_t>('a' + i % 26));
    text[0] = 99;
    EXPECT_TRUE(writer.rr(Section::answer, owner, Type::txt, Class::in, ttl, text));
  }
  auto encoded = encode_answer(
      MessageView::parse(writer.message()).value(),
      {.stored_at = stored_at, .policy_generation = 1, .keep = std::chrono::seconds(ttl)}, blob);
  EXPECT_TRUE(encoded);
  blob.resize(encoded->size());
  return blob;
}

struct Rendered {
  std::vector<uint8_t> octets;
  MessageView view() const { return MessageView::parse(octets).value(); }
};

QueryFields fields_of(const std::vector<uint8_t>& message) {
  Query q;
  take_in(message, Transport::udp, 1232, q);
  return q.fields;
}

Rendered render(const QuerySpec& spec, const std::vector<uint8_t>& blob, std::chrono::seconds age = {}) {
  const auto message = query(spec);
  auto slot = slot_with(message);
  const size_t size =
      render_answer(slot, fields_of(message), AnswerBlob::open(blob).value(), {.now = stored_at + age});
  slot.resize(size);
  return {slot};
}

TEST(Render, KeepsIdCaseAndFlagsOfTheClient) {
  const auto blob = blob_of("www.example.", 1);
  const Rendered reply =
      render({.qname = "WwW.eXample.", .qtype = Type::txt, .id = 0xBEEF, .cd = true}, blob);
  const MessageView view = reply.view();
  EXPECT_EQ(view.header().id(), 0xBEEF);
  EXPECT_TRUE(view.header().qr() && view.header().rd() && view.header().ra() && view.header().cd());
  EXPECT_FALSE(view.header().aa() || view.header().tc() || view.header().ad());
  EXPECT_EQ(view.question().qname.to_string(), "WwW.eXample.");
  EXPECT_EQ((*view.section(Section::answer).begin()).owner.expand().to_string(), "WwW.eXample.");
  EXPECT_FALSE(view.has_trailing_octets());
}

TEST(Render, AgesTtls) {
  const auto blob = blob_of("www.example.", 2);
  for (auto [age, ttl] : {std::pair{0, 300u}, {100, 200u}, {299, 1u}, {1000, 0u}}) {
    const Rendered reply = render({.qtype = Type::txt}, blob, std::chrono::seconds(age));
    const MessageView view = reply.view();
    for (RrView rr : view.section(Section::answer)) EXPECT_EQ(rr.ttl, ttl);
  }
}

TEST(Render, WithoutEdnsThereIsNoOpt) {
  const auto blob = blob_of("www.example.", 1);
  EXPECT_FALSE(render({.qtype = Type::txt, .edns = false}, blob).view().edns());
  const auto edns = render({.qtype = Type::txt, .opt = {.dnssec_ok = true}}, blob).view().edns();
  ASSERT_TRUE(edns);
  EXPECT_TRUE(edns->dnssec_ok);
  EXPECT_EQ(edns->udp_size, 1232);
  EXPECT_EQ(edns->version, 0);
}

TEST(Render, WhatDoesNotFitIsTruncatedWithoutRecords) {
  const auto blob = blob_of("www.example.", 5);  // some 560 octets
  const Rendered small = render({.qtype = Type::txt, .edns = false}, blob);
  EXPECT_TRUE(small.view().header().tc());
  EXPECT_EQ(small.view().header().count(Section::answer), 0);
  EXPECT_EQ(small.octets.size(), query({.qtype = Type::txt, .edns = false}).size());
  const Rendered large = render({.qtype = Type::txt}, blob);
  EXPECT_FALSE(large.view().header().tc());
  EXPECT_EQ(large.view().header().count(Section::answer), 5);
}

// The edge of every limit: with one octet less the same answer must be truncated.
TEST(Render, FillsTheLimitToTheLastOctet) {
  const auto blob = blob_of("www.example.", 6);
  const auto message = query({.qtype = Type::txt});
  auto fields = fields_of(message);
  const size_t whole = fields.question_end + AnswerBlob::open(blob)->tail_size() + 11;
  auto slot = slot_with(message);
  fields.limit = static_cast<uint16_t>(whole);
  EXPECT_EQ(render_answer(slot, fields, *AnswerBlob::open(blob), {.now = stored_at}), whole);
  fields.limit = static_cast<uint16_t>(whole - 1);
  EXPECT_LT(render_answer(slot, fields, *AnswerBlob::open(blob), {.now = stored_at}), whole);
  EXPECT_TRUE(slot[2] & 0x02);
}

TEST(Render, RejectionsCarryTheExtendedErrorOnlyWithEdns) {
  const Rejection rejection{Rcode::refused, Ede::prohibited, "not in access.allow"};
  for (bool edns : {true, false}) {
    const auto message = query({.edns = edns});
    auto slot = slot_with(message);
    slot.resize(render_rejection(slot, fields_of(message), rejection, {.now = stored_at}));
    const auto view = MessageView::parse(slot).value();
    EXPECT_EQ(view.rcode(), Rcode::refused);
    EXPECT_EQ(view.edns().has_value(), edns);
    if (!edns) continue;
    const auto extended = view.edns()->find(EdnsOption::extended_error);
    ASSERT_TRUE(extended);
    EXPECT_EQ(load_u16(extended->data()), static_cast<uint16_t>(Ede::prohibited));
  }
}

TEST(Render, ExtendedRcodesUseTheOpt) {
  const auto message = query({.opt = {.version = 1}});
  auto slot = slot_with(message);
  slot.resize(render_rejection(slot, fields_of(message), {Rcode::badvers, {}, {}}, {.now = stored_at}));
  EXPECT_EQ(MessageView::parse(slot)->rcode(), Rcode::badvers);
}

TEST(Render, WithoutAQuestionOnlyTheHeaderIsAnswered) {
  auto message = query();
  message.resize(14);
  auto slot = slot_with(message);
  slot.resize(render_rejection(slot, fields_of(message), {Rcode::formerr, {}, {}}, {.now = stored_at}));
  EXPECT_EQ(slot.size(), header_size);
  EXPECT_EQ(MessageView::parse(slot)->rcode(), Rcode::formerr);
}

TEST(Render, AnyGetsASmallAnswer) {
  const auto message = query({.qtype = Type::any});
  auto slot = slot_with(message);
  slot.resize(render_minimal_any(slot, fields_of(message), {.now = stored_at}));
  const auto view = MessageView::parse(slot).value();
  ASSERT_EQ(view.header().count(Section::answer), 1);
  EXPECT_EQ((*view.section(Section::answer).begin()).type, Type{13});
  EXPECT_TRUE(view.edns());
  EXPECT_FALSE(view.has_trailing_octets());
}

}  // namespace
}  // namespace peregrine
