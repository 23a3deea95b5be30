#include "resolve/match.h"

#include <gtest/gtest.h>

#include "resolve/dns_script.h"

namespace peregrine {
namespace {

Octets asked(std::string_view qname) {
  const Buffer query = query_for(qname);
  return {query.begin(), query.end()};
}

const Octets query = asked("www.Example.com");
const Octets reply = reply_to(query, {.answer = {"www.example.com. 60 A 192.0.2.1"}});

Octets flipped(size_t at, uint8_t bits) {
  Octets message = reply;
  message.at(at) ^= bits;
  return message;
}

TEST(Match, TheReply) {
  EXPECT_EQ(match(reply, query, true), Match::reply);
  EXPECT_EQ(match(reply, query, false), Match::reply);
}

TEST(Match, LetterCase) {
  EXPECT_EQ(match(flipped(13, 0x20), query, true), Match::other_case);
  EXPECT_EQ(match(flipped(13, 0x20), query, false), Match::reply);
  EXPECT_EQ(match(flipped(16, 0x20), query, true), Match::none) << "the octet of a length is no letter";
  // '@' and '`' differ in the same bit as letters do, and are none.
  Octets sign = asked("\\@.example"), grave = asked("`.example");
  EXPECT_EQ(match(reply_to(grave, {}), sign, false), Match::none);
}

TEST(Match, HeaderAndQuestion) {
  EXPECT_EQ(match(flipped(2, 0x80), query, false), Match::none) << "QR";
  EXPECT_EQ(match(flipped(2, 0x10), query, false), Match::none) << "opcode";
  EXPECT_EQ(match(flipped(5, 3), query, false), Match::none) << "two questions";
  EXPECT_EQ(match(flipped(14, 1), query, false), Match::none) << "qname";
  size_t type_at = header_size + name("www.example.com").view().size();
  for (size_t octet = 0; octet < 4; ++octet)
    EXPECT_EQ(match(flipped(type_at + octet, 4), query, false), Match::none) << "qtype, qclass";
}

TEST(Match, EveryBeginningOfTheReply) {
  size_t question_end = header_size + question_octets(query).value().size();
  for (size_t size = 0; size < reply.size(); ++size)
    EXPECT_EQ(match(Bytes(reply).first(size), query, true),
              size < question_end ? Match::none : Match::malformed);
}

TEST(Match, OctetsBehindTheReply) { EXPECT_EQ(match(reply + Octets{0}, query, true), Match::malformed); }

TEST(Match, NoQuestion) {
  ReplyScript script{.rcode = Rcode::formerr, .edns = false, .question = false};
  EXPECT_EQ(match(reply_to(query, script), query, true), Match::no_question);
  EXPECT_EQ(match(reply_to(query, script) + Octets{0}, query, true), Match::none);
  script.rcode = Rcode::noerror;
  EXPECT_EQ(match(reply_to(query, script), query, true), Match::none);
}

TEST(Match, QuestionOctets) {
  auto octets = question_octets(query);
  ASSERT_TRUE(octets);
  EXPECT_EQ(octets->size(), name("www.example.com").view().size() + 4);
  EXPECT_EQ(octets->data(), query.data() + header_size);
  for (size_t size = 0; size < header_size + octets->size(); ++size)
    EXPECT_EQ(question_octets(Bytes(query).first(size)).error(), Error::bad_message) << size;
  Octets none = query;
  none[5] = 0;
  EXPECT_FALSE(question_octets(none));
  EXPECT_EQ(match(reply, none, true), Match::none);
}

}  // namespace
}  // namespace peregrine
