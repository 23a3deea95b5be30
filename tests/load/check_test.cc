#include "load/check.h"

#include <gtest/gtest.h>

#include "wire/message_writer.h"

namespace peregrine {
namespace {

struct ReplySpec {
  std::string qname = generated_name(0).to_string();
  bool qr = true, tc = false, with_question = true;
  Rcode rcode = Rcode::noerror;
  std::vector<uint32_t> addresses = {};
};

std::vector<uint8_t> reply(const ReplySpec& spec) {
  std::array<uint8_t, 512> buffer;
  MessageWriter writer(buffer);
  writer.qr(spec.qr);
  writer.tc(spec.tc);
  writer.rcode(spec.rcode);
  const auto qname = DnameBuf::from_text(spec.qname).value();
  if (spec.with_question) writer.question(qname, Type::a, Class::in);
  for (uint32_t address : spec.addresses) {
    std::array<uint8_t, 4> octets;
    store_u32(octets.data(), address);
    writer.rr(Section::answer, qname, Type::a, Class::in, 60, octets);
  }
  writer.edns({});
  return {writer.message().begin(), writer.message().end()};
}

class Check : public ::testing::Test {
 protected:
  Verdict judge(const Expectation& expectation, const ReplySpec& spec) {
    return expectation.judge(reply(spec), queries, 0);
  }
  QueryList queries = generate_queries(0, 2, {});
  Expectation by_name = Expectation::address_of_name(queries);
  uint32_t address = address_of_name(generated_name(0));
};

TEST_F(Check, TheRightAddressIsRight) {
  EXPECT_EQ(judge(by_name, {.addresses = {address}}), Verdict::right);
  EXPECT_EQ(judge(by_name, {.addresses = {1, address}}), Verdict::right);
  EXPECT_EQ(judge(Expectation::answer(), {.addresses = {1}}), Verdict::right);
}

TEST_F(Check, AnotherNamesAddressIsWrong) {
  EXPECT_EQ(judge(by_name, {.addresses = {address_of_name(generated_name(1))}}), Verdict::rdata);
  EXPECT_EQ(by_name.judge(reply({.addresses = {address}}), queries, 1), Verdict::question);
}

TEST_F(Check, EachFaultHasItsVerdict) {
  EXPECT_EQ(judge(by_name, {.qr = false, .addresses = {address}}), Verdict::malformed);
  EXPECT_EQ(judge(by_name, {.tc = true, .addresses = {address}}), Verdict::truncated);
  EXPECT_EQ(judge(by_name, {.rcode = Rcode::servfail}), Verdict::rcode);
  EXPECT_EQ(judge(by_name, {.rcode = Rcode::badvers}), Verdict::rcode);  // its upper bits are in the OPT
  EXPECT_EQ(judge(by_name, {}), Verdict::empty);
  EXPECT_EQ(judge(by_name, {.with_question = false}), Verdict::question);
  EXPECT_EQ(judge(by_name, {.qname = "WWW0.shop0.bench.example.", .addresses = {address}}),
            Verdict::question);
}

TEST_F(Check, AMessageCutOffOrWithMoreBehindItIsMalformed) {
  auto octets = reply({.addresses = {address}});
  octets.push_back(0);
  EXPECT_EQ(by_name.judge(octets, queries, 0), Verdict::malformed);
  octets.resize(octets.size() - 2);
  EXPECT_EQ(by_name.judge(octets, queries, 0), Verdict::malformed);
  octets.resize(11);
  EXPECT_EQ(by_name.judge(octets, queries, 0), Verdict::malformed);
}

TEST_F(Check, AnEchoNeedsOnlyTheQuestion) {
  std::vector<uint8_t> echo(queries.message(0).begin(), queries.message(0).end());
  echo[2] |= 0x80;
  echo.resize(echo.size() + 16);
  EXPECT_EQ(Expectation::question().judge(echo, queries, 0), Verdict::right);
  EXPECT_EQ(Expectation::question().judge(echo, queries, 1), Verdict::question);
  EXPECT_EQ(Expectation::answer().judge(echo, queries, 0), Verdict::malformed);
}

TEST_F(Check, TheIndexMayBeTheAddress) {
  const auto by_index = Expectation::address_of_index(queries);
  EXPECT_EQ(judge(by_index, {.addresses = {0x0a00'0000}}), Verdict::right);
  EXPECT_EQ(judge(by_index, {.addresses = {0x0a00'0001}}), Verdict::rdata);
  const auto second = generated_name(1).to_string();
  EXPECT_EQ(by_index.judge(reply({.qname = second, .addresses = {0x0a00'0001}}), queries, 1), Verdict::right);
  EXPECT_EQ(judge(Expectation::address(queries, 0xc000'0201), {.addresses = {0xc000'0201}}), Verdict::right);
}

}  // namespace
}  // namespace peregrine
