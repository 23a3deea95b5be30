#include "load/check.h"

#include <gtest/gtest.h>

#include "wire/message_writer.h"

namespace peregrine {
namespace {

struct ReplySpec {
  std::string qname = made_up_name(0).to_string();
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
    return judge(expectation, reply(spec), 0);
  }
  Verdict judge(const Expectation& expectation, Bytes octets, uint32_t index) {
    Queries::Buffer buffer;
    return expectation.judge(octets, queries.encode({.index = index}, buffer), index);
  }
  Verdict judge_denied(const ReplySpec& spec) {
    Queries::Buffer buffer;
    return by_name.judge(reply(spec), queries.encode({.denied = true}, buffer), 0);
  }
  MadeUpQueries queries{{.count = 2}, {}};
  Expectation by_name = Expectation::address_of_name();
  uint32_t address = address_of_name(made_up_name(0));
};

TEST_F(Check, TheRightAddressIsRight) {
  EXPECT_EQ(judge(by_name, {.addresses = {address}}), Verdict::right);
  EXPECT_EQ(judge(by_name, {.addresses = {1, address}}), Verdict::right);
  EXPECT_EQ(judge(Expectation::answer(), {.addresses = {1}}), Verdict::right);
}

TEST_F(Check, AnotherNamesAddressIsWrong) {
  EXPECT_EQ(judge(by_name, {.addresses = {address_of_name(made_up_name(1))}}), Verdict::rdata);
  EXPECT_EQ(judge(by_name, reply({.addresses = {address}}), 1), Verdict::question);
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
  EXPECT_EQ(judge(by_name, octets, 0), Verdict::malformed);
  octets.resize(octets.size() - 2);
  EXPECT_EQ(judge(by_name, octets, 0), Verdict::malformed);
  octets.resize(11);
  EXPECT_EQ(judge(by_name, octets, 0), Verdict::malformed);
}

TEST_F(Check, AnEchoNeedsOnlyTheQuestion) {
  Queries::Buffer buffer;
  const Bytes query = queries.encode({}, buffer).message;
  std::vector<uint8_t> echo(query.begin(), query.end());
  echo[2] |= 0x80;
  echo.resize(echo.size() + 16);
  EXPECT_EQ(judge(Expectation::question(), echo, 0), Verdict::right);
  EXPECT_EQ(judge(Expectation::question(), echo, 1), Verdict::question);
  EXPECT_EQ(judge(Expectation::answer(), echo, 0), Verdict::malformed);
}

TEST_F(Check, ANameThatDoesNotExistIsDenied) {
  const std::string denied = made_up_name(0, true).to_string();
  EXPECT_EQ(judge_denied({.qname = denied, .rcode = Rcode::nxdomain}), Verdict::right);
  EXPECT_EQ(judge_denied({.qname = denied, .addresses = {address_of_name(made_up_name(0, true))}}),
            Verdict::rcode);
  EXPECT_EQ(judge_denied({.qname = denied}), Verdict::rcode);
  EXPECT_EQ(judge_denied({.qname = denied, .rcode = Rcode::servfail}), Verdict::rcode);
  EXPECT_EQ(judge_denied({.qname = denied, .rcode = Rcode::nxdomain, .addresses = {1}}), Verdict::rdata);
  EXPECT_EQ(judge_denied({.rcode = Rcode::nxdomain}), Verdict::question);
  EXPECT_EQ(judge(by_name, {.rcode = Rcode::nxdomain}), Verdict::rcode);
}

TEST_F(Check, TheIndexMayBeTheAddress) {
  const auto by_index = Expectation::address_of_index();
  EXPECT_EQ(judge(by_index, {.addresses = {0x0a00'0000}}), Verdict::right);
  EXPECT_EQ(judge(by_index, {.addresses = {0x0a00'0001}}), Verdict::rdata);
  const auto second = made_up_name(1).to_string();
  EXPECT_EQ(judge(by_index, reply({.qname = second, .addresses = {0x0a00'0001}}), 1), Verdict::right);
  EXPECT_EQ(judge(Expectation::address(0xc000'0201), {.addresses = {0xc000'0201}}), Verdict::right);
}

}  // namespace
}  // namespace peregrine
