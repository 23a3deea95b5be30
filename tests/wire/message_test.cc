#include "wire/message.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/random.h"
#include "wire/damage.h"
#include "wire/message_equality.h"
#include "wire/message_writer.h"
#include "wire/wire_support.h"

namespace peregrine {
namespace {

Message parsed(const Octets& octets) {
  auto message = Message::parse(octets);
  if (!message) throw std::invalid_argument("no message");
  return *message;
}

std::string_view difference_of(const Octets& octets) {
  return difference(Message::parse(octets), MessageView::parse(octets));
}

TEST(Message, OwnsWhatItTells) {
  Octets octets = golden::query();
  const Message message = parsed(octets);
  std::ranges::fill(octets, 0xff);
  EXPECT_EQ(message.header().id(), 0x1a2b);
  ASSERT_TRUE(message.has_question());
  EXPECT_EQ(message.question().qname.to_string(), "www.Example.com.");
  EXPECT_EQ(message.question_end(), header_size + 17 + 4);
  const auto edns = message.edns();
  ASSERT_TRUE(edns);
  EXPECT_TRUE(edns->dnssec_ok);
  const auto cookie = edns->find(EdnsOption::cookie);
  ASSERT_TRUE(cookie);
  EXPECT_TRUE(std::ranges::equal(*cookie, hex("0102030405060708")));
}

TEST(Message, ACopyOutlivesItsOriginal) {
  std::optional<Message> original = parsed(golden::query());
  const Message copy = *original;
  original.reset();
  EXPECT_EQ(copy.edns()->options.size(), 12u);
  EXPECT_EQ(copy.question().qname.to_string(), "www.Example.com.");
  EXPECT_EQ(copy.section(Section::additional).size(), 1u);
}

TEST(Message, ExpandsTheNamesOfRecords) {
  const Message message = parsed(golden::answer());
  const auto& answer = message.section(Section::answer);
  ASSERT_EQ(answer.size(), 3u);
  EXPECT_EQ(answer[1].owner, name("web.cdn.example.net"));
  EXPECT_TRUE(answer[1].well_formed);
  EXPECT_EQ(answer[1].rdata, wire_of(name("e1.cdn.example.net")));
  EXPECT_EQ(answer[2].type, Type::a);
  EXPECT_EQ(answer[2].ttl, 30u);
  EXPECT_TRUE(message.section(Section::authority).empty());
}

TEST(Message, RdataThatItsTypeForbidsIsKeptAsFound) {
  const Octets octets = hex("0001 8000 0000 0001 0000 0000  00 0001 0001 00000000 0003 010203");
  const Message message = parsed(octets);
  const Message::Record& record = message.section(Section::answer).at(0);
  EXPECT_FALSE(record.well_formed);
  EXPECT_EQ(record.rdata, hex("010203"));
  std::array<uint8_t, 512> buffer;
  MessageWriter writer(buffer);
  EXPECT_EQ(message.write(writer).error(), Error::bad_rdata);
}

TEST(Message, AnOptBelowAPointerToTheRootIsRefusedByBoth) {
  const Octets octets = hex("0001 0000 0001 0000 0000 0001  00 0001 0001  c00c 0029 0200 00000000 0000");
  EXPECT_EQ(Message::parse(octets).error(), Error::bad_message);
  EXPECT_EQ(difference_of(octets), "");
}

TEST(Message, CountsWithoutOctetsAreTruncated) {
  const Octets octets = hex("0001 8000 0000 ffff ffff ffff");
  EXPECT_EQ(Message::parse(octets).error(), Error::truncated);
  EXPECT_EQ(Message::parse(hex("0001")).error(), Error::truncated);
  EXPECT_EQ(Message::parse({}).error(), Error::truncated);
}

TEST(Message, WhatIsWrittenIsReadAgainAlike) {
  for (const Octets& octets : golden::all()) {
    const Message message = parsed(octets);
    std::array<uint8_t, 4096> buffer;
    MessageWriter writer(buffer);
    const auto size = message.write(writer);
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, writer.size());
    const auto again = MessageView::parse(writer.message());
    ASSERT_TRUE(again);
    EXPECT_EQ(difference(message, again), "");
  }
}

TEST(Message, WritingTellsWhereTheBufferIsTooSmall) {
  const Message message = parsed(golden::answer());
  for (size_t size : {size_t{0}, header_size, size_t{40}, golden::answer().size() - 1}) {
    std::vector<uint8_t> buffer(size);
    MessageWriter writer(buffer);
    EXPECT_EQ(message.write(writer).error(), Error::no_space) << size;
  }
}

TEST(MessageEquality, AnyTwoPacketsDiffer) {
  const std::vector<Octets> packets = golden::all();
  for (size_t i = 0; i < packets.size(); ++i) {
    for (size_t j = 0; j < packets.size(); ++j) {
      const auto view = MessageView::parse(packets[j]);
      EXPECT_EQ(difference(Message::parse(packets[i]), view).empty(), i == j) << i << " " << j;
    }
  }
}

TEST(MessageEquality, HoldsForTheCorpusOfTheFuzzTargets) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PEREGRINE_CORPUS)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const Octets octets{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(difference_of(octets), "") << entry.path();
    ++files;
  }
  EXPECT_GT(files, 0u);
}

TEST(MessageEquality, HoldsForDamagedPackets) {
  Random random = Random::from_seed(1999);
  const std::vector<Octets> packets = golden::all();
  constexpr int rounds = 100'000;
  int accepted = 0;
  for (int round = 0; round < rounds; ++round) {
    Octets octets = packets[random.below(static_cast<uint32_t>(packets.size()))];
    damage(octets, random);
    accepted += MessageView::parse(octets).has_value();
    ASSERT_EQ(difference_of(octets), "") << "round " << round;
  }
  EXPECT_GT(accepted, rounds / 10);
  EXPECT_LT(accepted, rounds * 9 / 10);
}

}  // namespace
}  // namespace peregrine
