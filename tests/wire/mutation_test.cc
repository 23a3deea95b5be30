// Packets with random damage: each is refused, or everything in it can be read, printed and copied within
// bounds.

#include <gtest/gtest.h>

#include <algorithm>

#include "wire/damage.h"
#include "wire/message_writer.h"
#include "wire/wire_support.h"

namespace peregrine {
namespace {

bool is_inside(Bytes part, const Octets& whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

unsigned read_section(const MessageView& view, Section section, const Octets& octets, MessageWriter& writer) {
  unsigned count = 0;
  std::array<uint8_t, 0x10000> out;
  for (RrView rr : view.section(section)) {
    ++count;
    EXPECT_TRUE(is_inside(rr.rdata, octets));
    DnameBuf owner = rr.owner.expand();
    EXPECT_TRUE(rr.owner.equals(owner));
    EXPECT_TRUE(Dname::parse(owner.view().wire()));
    EXPECT_FALSE(to_text(rr).empty());
    bool well_formed = check_rdata(rr).has_value();
    EXPECT_EQ(expand_rdata(rr, out).has_value(), well_formed);
    EXPECT_EQ(writer.copy(section, rr), well_formed);
    if (!well_formed) EXPECT_FALSE(target_of(rr));
  }
  return count;
}

bool read_all(const Octets& octets) {
  auto view = MessageView::parse(octets);
  if (!view) return false;
  std::array<uint8_t, 0x10000> buffer;
  MessageWriter writer(buffer);
  if (view->has_question()) {
    Question question = view->question();
    EXPECT_TRUE(is_inside(question.qname.wire(), octets));
    EXPECT_TRUE(writer.question(question.qname, question.qtype, question.qclass));
  }
  if (view->edns()) {
    size_t options = 0;
    for (EdnsOptions it(view->edns()->options); it.next();) options += 4 + it.value().size();
    EXPECT_EQ(options, view->edns()->options.size());
  }
  for (Section section : {Section::answer, Section::authority, Section::additional})
    EXPECT_EQ(read_section(*view, section, octets, writer), view->header().count(section));
  auto copy = MessageView::parse(writer.message());
  EXPECT_TRUE(copy && !copy->has_trailing_octets());
  return true;
}

TEST(Mutation, DamagedPacketsAreRefusedOrReadWithinBounds) {
  Random random = Random::from_seed(20260);
  const std::vector<Octets> packets = golden::all();
  int accepted = 0;
  constexpr int rounds = 10000;
  for (int round = 0; round < rounds; ++round) {
    Octets octets = packets[random.below(static_cast<uint32_t>(packets.size()))];
    damage(octets, random);
    accepted += read_all(octets);
    ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
  }
  // Else the damage is too much or too little to say anything.
  EXPECT_GT(accepted, rounds / 10);
  EXPECT_LT(accepted, rounds * 9 / 10);
}

TEST(Mutation, NoiseIsRefusedOrReadWithinBounds) {
  Random random = Random::from_seed(7);
  for (int round = 0; round < 5000; ++round) {
    Octets octets(12 + random.below(200));
    random.fill(octets);
    for (size_t i = 4; i < 12; ++i) octets[i] = static_cast<uint8_t>(i % 2 * random.below(3));
    read_all(octets);
    ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
  }
}

}  // namespace
}  // namespace peregrine
