#include "load/names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace peregrine {
namespace {

DnameBuf name(const char* text) { return DnameBuf::from_text(text).value(); }

TEST(Names, HaveLookOfNames) {
  EXPECT_EQ(made_up_name(5).to_string(), "static5.shop5.bench.example.");
  EXPECT_EQ(made_up_name(5, true).to_string(), "static5.shop5.none.bench.example.");
}

TEST(Names, DifferByTheirNumber) {
  std::set<std::string> names;
  for (uint32_t number = 0; number < 2000; ++number) {
    names.insert(made_up_name(number).to_string());
    names.insert(made_up_name(0xffff'ffff - number, true).to_string());
  }
  EXPECT_EQ(names.size(), 4000u);
}

TEST(Names, AreNames) {
  for (uint32_t number : {0u, 21u, 976u, 4'294'967'295u, 4'294'967'270u}) {
    for (bool denied : {false, true}) {
      const DnameBuf made = made_up_name(number, denied);
      const auto parsed = Dname::parse(made.view().wire());
      ASSERT_TRUE(parsed);
      EXPECT_EQ(parsed->size(), made.view().size());
      EXPECT_LE(made.view().size(), max_made_up_size);
      EXPECT_EQ(is_denied(made), denied);
    }
  }
}

TEST(Names, ThoseBelowNoneAreDenied) {
  EXPECT_TRUE(is_denied(name("a.none.bench.example")));
  EXPECT_TRUE(is_denied(name("b.a.NONE.Bench.example")));
  EXPECT_FALSE(is_denied(name("none.bench.example")));
  EXPECT_FALSE(is_denied(name("a.bench.example")));
  EXPECT_FALSE(is_denied(name("anone.bench.example")));
  EXPECT_FALSE(is_denied(name("a\\004none.bench.example")));  // in one label
  EXPECT_FALSE(is_denied(Dname()));
}

TEST(Names, TheAddressOfANameIsThatOfAllItsSpellings) {
  const uint32_t address = address_of_name(name("www.example.com"));
  EXPECT_EQ(address >> 24, 10u);
  EXPECT_EQ(address_of_name(name("WWW.Example.com")), address);
  EXPECT_NE(address_of_name(name("www.example.net")), address);
}

TEST(Names, AddressesOfMadeUpNamesRarelyMeet) {
  std::set<uint32_t> addresses;
  for (uint32_t number = 0; number < 10'000; ++number)
    addresses.insert(address_of_name(made_up_name(number)));
  // Of 10,000 drawn from 2^24 three pairs are alike, on average.
  EXPECT_GT(addresses.size(), 9'980u);
}

}  // namespace
}  // namespace peregrine
