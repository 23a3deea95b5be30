#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "cache/answer.h"
#include "cache/cache_support.h"
#include "wire/rdata.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

constexpr int64_t stored = 1'700'000'000;
constexpr BlobFields hundred{.stored_at = at(stored), .policy_generation = 7, .keep = seconds{100}};

MessageSpec one_a(uint32_t ttl) {
  return {.records = {{Section::answer, "www.example.com.", ttl, Type::a, "192.0.2.1"}}};
}

AnswerBlob opened(Bytes blob) { return AnswerBlob::open(blob).value(); }

std::vector<uint32_t> ttls_after(Bytes blob, int64_t age) {
  return ttls(parsed(reply_from(opened(blob), "www.example.com.", Type::a, at(stored + age))));
}

TEST(AnswerBlob, KeepsTheFields) {
  Octets blob = encoded(message(chain_answer()), hundred);
  AnswerBlob answer = opened(blob);
  EXPECT_EQ(answer.rcode(), Rcode::noerror);
  EXPECT_TRUE(answer.authentic());
  EXPECT_EQ(answer.stored_at(), at(stored));
  EXPECT_EQ(answer.policy_generation(), 7u);
  EXPECT_EQ(answer.count(Section::answer), 4);
  EXPECT_EQ(answer.count(Section::authority), 1);
  EXPECT_EQ(answer.count(Section::additional), 1);
}

TEST(AnswerBlob, KeepsTwelveBitsOfRcode) {
  MessageSpec spec{.rcode = Rcode::nxdomain};
  EXPECT_EQ(opened(encoded(message(spec), {})).rcode(), Rcode::nxdomain);
  EXPECT_FALSE(opened(encoded(message(spec), {})).authentic());
  EXPECT_EQ(opened(encoded(message(spec), {.extended_rcode = 0xff})).rcode(), Rcode{0xff3});
}

TEST(AnswerBlob, IsSmall) {
  Octets octets = message(one_a(300));
  EXPECT_EQ(encoded(octets, hundred).size(), 20 + 2 + octets.size() - parsed(octets).question_end());
}

TEST(AnswerBlob, KeepsTheClientsLetterCase) {
  Octets blob = encoded(message(chain_answer()), hundred);
  Octets reply = reply_from(opened(blob), "wWw.eXaMpLe.CoM.", Type::a, at(stored));
  MessageView view = parsed(reply);
  EXPECT_FALSE(view.has_trailing_octets());
  EXPECT_EQ(view.question().qname.to_string(), "wWw.eXaMpLe.CoM.");
  EXPECT_THAT(records(view, Section::answer),
              ElementsAre("wWw.eXaMpLe.CoM.\t100\tIN\tCNAME\tweb.hosting.example.net.",
                          "web.hosting.example.net.\t100\tIN\tCNAME\tpool.hosting.example.net.",
                          "pool.hosting.example.net.\t100\tIN\tA\t192.0.2.1",
                          "pool.hosting.example.net.\t100\tIN\tA\t192.0.2.2"));
  EXPECT_THAT(records(view, Section::authority),
              ElementsAre("hosting.example.net.\t50\tIN\tNS\tns.hosting.example.net."));
  EXPECT_THAT(records(view, Section::additional),
              ElementsAre("ns.hosting.example.net.\t100\tIN\tAAAA\t2001:db8::53"));
}

TEST(AnswerBlob, TargetsBelowTheQnameFollowTheClientsCase) {
  MessageSpec spec{.records = {{Section::answer, "www.example.com.", 60, Type::cname, "cdn.example.com."},
                               {Section::answer, "cdn.example.com.", 60, Type::a, "192.0.2.9"}}};
  Octets blob = encoded(message(spec), hundred);
  Octets reply = reply_from(opened(blob), "www.EXAMPLE.com.", Type::a, at(stored));
  EXPECT_THAT(records(parsed(reply), Section::answer),
              ElementsAre("www.EXAMPLE.com.\t60\tIN\tCNAME\tcdn.EXAMPLE.com.",
                          "cdn.EXAMPLE.com.\t60\tIN\tA\t192.0.2.9"));
}

TEST(AnswerBlob, TtlsAge) {
  Octets blob = encoded(message(chain_answer()), hundred);
  EXPECT_THAT(ttls_after(blob, 0), ElementsAre(100, 100, 100, 100, 50, 100));
  EXPECT_THAT(ttls_after(blob, 30), ElementsAre(70, 70, 70, 70, 20, 70));
  EXPECT_THAT(ttls_after(blob, 60), ElementsAre(40, 40, 40, 40, 0, 40));
  EXPECT_THAT(ttls_after(blob, 99), ElementsAre(1, 1, 1, 1, 0, 1));
  EXPECT_THAT(ttls_after(blob, 100), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(ttls_after(blob, 1'000'000'000'000), ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(AnswerBlob, ClockSetBackDoesNotLengthenTtls) {
  Octets blob = encoded(message(one_a(300)), hundred);
  EXPECT_THAT(ttls_after(blob, -1), ElementsAre(100));
  EXPECT_THAT(ttls_after(blob, -stored - 5), ElementsAre(100));
}

TEST(AnswerBlob, RenderingLeavesTheBlobAsItWas) {
  Octets blob = encoded(message(chain_answer()), hundred);
  Octets before = blob;
  ttls_after(blob, 60);
  EXPECT_EQ(blob, before);
  EXPECT_THAT(ttls_after(blob, 0), ElementsAre(100, 100, 100, 100, 50, 100));
}

TEST(AnswerBlob, EveryTtlCanBeSet) {
  Octets blob = encoded(message(chain_answer()), hundred);
  Octets reply = reply_from(opened(blob), "www.example.com.", Type::a, uint32_t{30});
  EXPECT_THAT(ttls(parsed(reply)), ElementsAre(30, 30, 30, 30, 30, 30));
  reply = reply_from(opened(blob), "www.example.com.", Type::a, uint32_t{0xfffefdfc});
  EXPECT_THAT(ttls(parsed(reply)), testing::Each(0xfffefdfc));
}

TEST(AnswerBlob, TtlsAreCutToKeepAndLiftedToTheFloor) {
  MessageSpec spec{.records = {{Section::answer, "www.example.com.", 5, Type::a, "192.0.2.1"},
                               {Section::answer, "www.example.com.", 0, Type::a, "192.0.2.2"},
                               {Section::answer, "www.example.com.", 0x80000000, Type::a, "192.0.2.3"},
                               {Section::authority, "example.com.", 10, Type::ns, "ns.example.com."},
                               {Section::additional, "ns.example.com.", 3600, Type::a, "192.0.2.53"}}};
  Octets octets = message(spec);
  TtlLimits limits{.floor = seconds{60}};
  seconds keep = time_to_keep(parsed(octets), limits).value();
  Octets blob = encoded(octets, {.stored_at = at(stored), .keep = keep, .floor = limits.floor});
  EXPECT_THAT(ttls_after(blob, 0), ElementsAre(60, 60, 60, 60, 60));
  EXPECT_THAT(ttls_after(blob, 59), testing::Each(1));

  blob = encoded(octets, {.stored_at = at(stored), .keep = seconds{8}});
  EXPECT_THAT(ttls_after(blob, 0), ElementsAre(5, 0, 0, 8, 8));
}

TEST(AnswerBlob, WithoutRecords) {
  Octets blob = encoded(message({}), hundred);
  AnswerBlob answer = opened(blob);
  EXPECT_EQ(answer.tail_size(), 0u);
  EXPECT_TRUE(answer.render({}, at(stored)));
  EXPECT_TRUE(parsed(reply_from(answer, "www.example.com.", Type::a, at(stored))).has_question());
}

TEST(AnswerBlob, TooSmallABufferIsLeftAlone) {
  Octets blob = encoded(message(one_a(300)), hundred);
  AnswerBlob answer = opened(blob);
  Octets out(answer.tail_size(), 0xee);
  MutableBytes short_out = MutableBytes(out).first(out.size() - 1);
  EXPECT_FALSE(answer.render(short_out, at(stored)));
  EXPECT_FALSE(answer.render_with_ttl(short_out, 1));
  EXPECT_THAT(out, testing::Each(0xee));
  EXPECT_TRUE(answer.render(out, at(stored)));
}

TEST(AnswerBlob, OctetsBeyondTheTailAreLeftAlone) {
  Octets blob = encoded(message(one_a(300)), hundred);
  Octets out(opened(blob).tail_size() + 1, 0xee);
  EXPECT_TRUE(opened(blob).render(out, at(stored)));
  EXPECT_EQ(out.back(), 0xee);
  EXPECT_NE(out[out.size() - 2], 0xee);
}

TEST(EncodeAnswer, TrailingOctetsAreLeftOut) {
  Octets octets = message(one_a(300));
  Octets blob = encoded(octets, hundred);
  octets.push_back(0);
  EXPECT_EQ(encoded(octets, hundred), blob);
}

TEST(EncodeAnswer, NeedsRoomToTheLastOctet) {
  Octets octets = message(chain_answer());
  size_t size = encoded(octets, hundred).size();
  for (size_t room = 0; room < size; ++room) {
    Octets out(room);
    EXPECT_EQ(encode_answer(parsed(octets), hundred, out).error(), Error::no_space) << room;
  }
  Octets out(size);
  EXPECT_TRUE(encode_answer(parsed(octets), hundred, out));
}

TEST(EncodeAnswer, RefusesWhatABlobCannotHold) {
  auto error_of = [](const MessageSpec& spec) {
    Octets octets = message(spec), out(max_blob);
    auto blob = encode_answer(parsed(octets), hundred, out);
    return blob ? std::nullopt : std::optional(blob.error());
  };
  MessageSpec with_opt = one_a(300);
  with_opt.edns = true;
  EXPECT_EQ(error_of(with_opt), Error::bad_message);
  EXPECT_EQ(error_of({.question = false}), Error::bad_message);
  EXPECT_EQ(error_of({.records = {{Section::additional, "key.", 0, Type::tsig, "\\# 1 00", Class::any}}}),
            Error::bad_message);
  EXPECT_EQ(error_of(one_a(300)), std::nullopt);
}

TEST(EncodeAnswer, MessageOfTheGreatestSize) {
  MessageSpec spec{.qname = "a.", .qtype = Type::txt};
  std::string longest = "\\# 4000 ";
  for (int i = 0; i < 250; ++i) longest += "0f000000000000000000000000000000";
  for (int i = 0; i < 16; ++i) spec.records.push_back({Section::answer, "a.", 900, Type::txt, longest});
  Octets octets = message(spec);
  ASSERT_GT(octets.size(), 64000u);
  Octets blob = encoded(octets, hundred);
  EXPECT_LE(blob.size(), max_blob);
  Octets reply = reply_from(opened(blob), "A.", Type::txt, at(stored + 1));
  EXPECT_THAT(ttls(parsed(reply)), testing::Each(99));
  EXPECT_EQ(ttls(parsed(reply)).size(), 16u);
}

TEST(OpenBlob, RefusesOtherLayoutsAndSizes) {
  Octets blob = encoded(message(chain_answer()), hundred);
  for (size_t size = 0; size < blob.size(); ++size)
    EXPECT_FALSE(AnswerBlob::open(Bytes(blob).first(size))) << size;
  Octets longer = blob;
  longer.push_back(0);
  EXPECT_FALSE(AnswerBlob::open(longer));
  Octets other_version = blob;
  ++other_version[0];
  EXPECT_FALSE(AnswerBlob::open(other_version));
}

TEST(OpenBlob, RefusesATailTooShortForItsRecords) {
  AnswerBlobHeader header{.version = AnswerBlobHeader::layout_version,
                          .extended_rcode = 0,
                          .reply = {0, 0, 0, 1, 0, 0, 0, 0},
                          .tail_size = 10,
                          .policy_generation = 0,
                          .stored_at = 0};
  Octets blob(sizeof(header) + 2 + 10);
  std::memcpy(blob.data(), &header, sizeof(header));
  EXPECT_FALSE(AnswerBlob::open(blob));
}

TEST(OpenBlob, OffsetOutsideOfTheTailIsNotRendered) {
  Octets blob = encoded(message(one_a(300)), hundred);
  size_t tail_size = opened(blob).tail_size();
  for (size_t offset : {tail_size - 3, tail_size, size_t{0xffff}}) {
    Octets damaged = blob;
    damaged[20] = static_cast<uint8_t>(offset);
    damaged[21] = static_cast<uint8_t>(offset >> 8);
    Octets out(tail_size);
    EXPECT_FALSE(opened(damaged).render(out, at(stored))) << offset;
    EXPECT_FALSE(opened(damaged).render_with_ttl(out, 1)) << offset;
  }
}

// Sound whatever the octets: AddressSanitizer watches, every buffer is of exactly the size needed.
TEST(OpenBlob, DamagedBlobsStayInBounds) {
  Octets whole = encoded(message(chain_answer()), hundred);
  Random random = Random::from_seed(20);
  int rendered = 0, refused = 0;
  for (int round = 0; round < 10'000; ++round) {
    Octets blob = whole;
    // Half of the damage goes where it is interpreted: the header and the offsets.
    uint32_t span = static_cast<uint32_t>(8 * (round % 2 ? blob.size() : 20 + 2 * 6));
    for (uint32_t flips = 1 + random.below(4); flips > 0; --flips) {
      uint32_t bit = random.below(span);
      blob[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
    auto answer = AnswerBlob::open(blob);
    if (!answer) {
      ++refused;
      continue;
    }
    Octets out(answer->tail_size());
    rendered += answer->render(out, at(stored + random.below(200)));
    rendered += answer->render_with_ttl(out, random.u32());
  }
  EXPECT_GT(rendered, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace peregrine
