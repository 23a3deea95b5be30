#include "base/bytes.h"

#include <gmock/gmock.h>

#include <array>
#include <vector>

namespace peregrine {
namespace {

using testing::ElementsAre;

TEST(Bytes, LoadsAndStoresAreBigEndian) {
  std::array<uint8_t, 6> b{};
  store_u16(&b[0], 0xfedc);
  store_u32(&b[2], 0x89abcdef);
  EXPECT_THAT(b, ElementsAre(0xfe, 0xdc, 0x89, 0xab, 0xcd, 0xef));
  EXPECT_EQ(load_u16(&b[0]), 0xfedc);
  EXPECT_EQ(load_u32(&b[2]), 0x89abcdefU);
}

TEST(ByteReader, ReadsForward) {
  const std::array<uint8_t, 9> b{1, 2, 3, 4, 5, 6, 7, 8, 9};
  ByteReader in(b);
  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u32(), 0x04050607U);
  EXPECT_EQ(in.offset(), 7U);
  EXPECT_EQ(in.remaining(), 2U);
  EXPECT_THAT(in.take(2), ElementsAre(8, 9));
  EXPECT_TRUE(in.at_end());
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.take(0).empty());
  EXPECT_TRUE(in.ok()) << "nothing can be taken at the end";
}

TEST(ByteReader, ErrorSticks) {
  const std::array<uint8_t, 3> b{1, 2, 3};
  ByteReader in(b);
  EXPECT_EQ(in.u32(), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0) << "the octet is there, but the reader has failed";
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_FALSE(in.ok());
}

TEST(ByteReader, EachReadStopsAtTheEnd) {
  const std::array<uint8_t, 4> b{1, 2, 3, 4};
  ByteReader past8(b, 4), past16(b, 3), past32(b, 1), past_take(b, 2);
  EXPECT_EQ(past8.u8(), 0);
  EXPECT_EQ(past16.u16(), 0);
  EXPECT_EQ(past32.u32(), 0U);
  EXPECT_TRUE(past_take.take(3).empty());
  EXPECT_FALSE(past8.ok() || past16.ok() || past32.ok() || past_take.ok());
}

TEST(ByteReader, HugeTakeDoesNotWrap) {
  const std::array<uint8_t, 4> b{};
  ByteReader in(b, 2);
  EXPECT_TRUE(in.take(SIZE_MAX).empty());
  EXPECT_FALSE(in.ok());
}

TEST(ByteReader, StartPastTheEndFails) {
  const std::array<uint8_t, 2> b{};
  EXPECT_TRUE(ByteReader(b, 2).ok());
  ByteReader in(b, 3);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(in.u8(), 0);
}

TEST(ByteReader, EmptyInput) {
  ByteReader in(Bytes{});
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_FALSE(in.ok());
}

TEST(ByteReader, FailIsForGood) {
  const std::array<uint8_t, 2> b{1, 2};
  ByteReader in(b);
  in.fail();
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
}

TEST(ByteWriter, WritesForward) {
  std::array<uint8_t, 9> b{};
  const std::array<uint8_t, 2> tail{8, 9};
  ByteWriter out(b);
  out.u8(1);
  out.u16(0x0203);
  out.u32(0x04050607);
  EXPECT_EQ(out.room(), 2U);
  out.put(tail);
  EXPECT_TRUE(out.ok());
  EXPECT_EQ(out.size(), 9U);
  EXPECT_THAT(out.written(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  out.put({});
  EXPECT_TRUE(out.ok()) << "nothing fits into no room";
}

TEST(ByteWriter, OverflowWritesNothingAndSticks) {
  std::array<uint8_t, 4> b{0xee, 0xee, 0xee, 0xee};
  ByteWriter out(MutableBytes(b).first(3));
  out.u32(0x01020304);
  EXPECT_FALSE(out.ok());
  out.u8(1);
  out.u16(1);
  out.put(std::vector<uint8_t>{1});
  EXPECT_FALSE(out.ok());
  EXPECT_EQ(out.size(), 0U);
  EXPECT_THAT(b, ElementsAre(0xee, 0xee, 0xee, 0xee));
}

TEST(ByteWriter, RollBackForgetsAnOverflow) {
  std::array<uint8_t, 3> b{};
  ByteWriter out(b);
  out.u8(1);
  const size_t mark = out.size();
  out.u8(2);
  out.u32(3);
  EXPECT_FALSE(out.ok());
  out.roll_back(mark);
  EXPECT_TRUE(out.ok());
  out.u16(0x0405);
  EXPECT_THAT(out.written(), ElementsAre(1, 4, 5));
}

}  // namespace
}  // namespace peregrine
