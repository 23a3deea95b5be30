#include "wire/edns.h"

#include <gtest/gtest.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

TEST(Edns, FieldsOfTtlAndClass) {
  auto edns = Edns::parse(Class(4096), 0x01028000, {});
  ASSERT_TRUE(edns);
  EXPECT_EQ(edns->extended_rcode, 1);
  EXPECT_EQ(edns->version, 2);
  EXPECT_TRUE(edns->dnssec_ok);
  EXPECT_EQ(edns->udp_size, 4096);
  EXPECT_FALSE(Edns::parse(Class(512), 0x7fff, {})->dnssec_ok);
}

TEST(Edns, SmallSizesMean512) {
  EXPECT_EQ(Edns::parse(Class(0), 0, {})->udp_size, 512);
  EXPECT_EQ(Edns::parse(Class(511), 0, {})->udp_size, 512);
  EXPECT_EQ(Edns::parse(Class(513), 0, {})->udp_size, 513);
  EXPECT_EQ(Edns::parse(Class(65535), 0, {})->udp_size, 65535);
}

TEST(Edns, OptionsMustFillTheRdata) {
  for (auto bad : {"00", "000a", "000a00", "000a 0001", "000a 0004 010203", "000a 0001 ff 00",
                   "0003 0000 0003", "0003 ffff 00"})
    EXPECT_EQ(Edns::parse(Class(512), 0, hex(bad)).error(), Error::bad_rdata) << bad;
  EXPECT_TRUE(Edns::parse(Class(512), 0, hex("0003 0000 000a 0001 ff")));
}

TEST(Edns, OfAnotherVersionTheOptionsAreNotRead) {
  for (auto rdata : {"", "00", "0003 ffff 00", "0003 0000"}) {
    auto edns = Edns::parse(Class(1232), 0x00ff8000, hex(rdata));
    ASSERT_TRUE(edns) << rdata;
    EXPECT_EQ(edns->version, 255);
    EXPECT_EQ(edns->udp_size, 1232);
    EXPECT_TRUE(edns->dnssec_ok);
    EXPECT_TRUE(edns->options.empty());
  }
}

TEST(Edns, FindsTheFirstOption) {
  Octets options = hex("0003 0000 000a 0002 0102 000a 0001 ff");
  auto edns = Edns::parse(Class(512), 0, options);
  ASSERT_TRUE(edns);
  auto cookie = edns->find(EdnsOption::cookie);
  ASSERT_TRUE(cookie);
  EXPECT_EQ(Octets(cookie->begin(), cookie->end()), hex("0102"));
  ASSERT_TRUE(edns->find(EdnsOption::nsid));
  EXPECT_TRUE(edns->find(EdnsOption::nsid)->empty());
  EXPECT_FALSE(edns->find(EdnsOption::padding));
}

TEST(Edns, WalkStopsAtWhatIsNotWhole) {
  Octets options = hex("0003 0001 aa 000a 0009 01");
  EdnsOptions it(options);
  ASSERT_TRUE(it.next());
  EXPECT_EQ(it.code(), EdnsOption::nsid);
  EXPECT_EQ(it.value().size(), 1u);
  EXPECT_TRUE(it.ok());
  EXPECT_FALSE(it.next());
  EXPECT_FALSE(it.next());
  EXPECT_FALSE(it.ok());
}

}  // namespace
}  // namespace peregrine
