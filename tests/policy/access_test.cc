#include "policy/access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace peregrine {
namespace {

AccessList list(std::initializer_list<const char*> prefixes) {
  std::vector<Prefix> parsed;
  for (const char* text : prefixes) parsed.push_back(Prefix::parse(text).value());
  return AccessList(parsed);
}

bool allows(const AccessList& access, const char* address) {
  const IpAddress parsed = IpAddress::parse(address).value();
  return access.allows(parsed.octets());
}

TEST(AccessList, AnEmptyOneAllowsNobody) {
  const AccessList nobody = list({});
  EXPECT_FALSE(allows(nobody, "127.0.0.1"));
  EXPECT_FALSE(allows(nobody, "::1"));
}

TEST(AccessList, AllowsWhatAPrefixHoldsAndItsNeighboursNot) {
  const AccessList access = list({"192.0.2.0/25", "2001:db8:0:8000::/49", "::1"});
  EXPECT_TRUE(allows(access, "192.0.2.0"));
  EXPECT_TRUE(allows(access, "192.0.2.127"));
  EXPECT_FALSE(allows(access, "192.0.2.128"));
  EXPECT_FALSE(allows(access, "192.0.1.255"));
  EXPECT_TRUE(allows(access, "2001:db8:0:8000::"));
  EXPECT_TRUE(allows(access, "2001:db8:0:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(allows(access, "2001:db8:0:7fff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(allows(access, "2001:db8:1::"));
  EXPECT_TRUE(allows(access, "::1"));
  EXPECT_FALSE(allows(access, "::2"));
}

TEST(AccessList, FamiliesDoNotMix) {
  EXPECT_FALSE(allows(list({"0.0.0.0/0"}), "::1"));
  EXPECT_FALSE(allows(list({"::/0"}), "127.0.0.1"));
  EXPECT_TRUE(allows(list({"0.0.0.0/0"}), "255.255.255.255"));
  EXPECT_TRUE(allows(list({"::/0"}), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST(AccessList, AnAddressOfAnImpossibleSizeIsNotAllowed) {
  const AccessList all = list({"0.0.0.0/0", "::/0"});
  EXPECT_FALSE(all.allows({}));
  const uint8_t five[5] = {};
  EXPECT_FALSE(all.allows(five));
}

// The oracle is Prefix::contains, asked for every prefix in turn.
TEST(AccessList, AgreesWithEachPrefixAskedInTurn) {
  Random random = Random::from_seed(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Prefix> prefixes;
    for (uint32_t i = 0, n = random.below(12); i < n; ++i) {
      std::string text = std::to_string(10 + random.below(3)) + "." + std::to_string(random.below(4) * 64) +
                         ".0.0/" + std::to_string(10 + random.below(6) / 5 * 6);
      if (auto prefix = Prefix::parse(text)) prefixes.push_back(*prefix);
    }
    const AccessList access(prefixes);
    for (int probe = 0; probe < 50; ++probe) {
      const IpAddress address = IpAddress::v4(
          {static_cast<uint8_t>(9 + random.below(5)), static_cast<uint8_t>(random.u16()), 0, 1});
      bool expected = false;
      for (const Prefix& prefix : prefixes) expected = expected || prefix.contains(address);
      EXPECT_EQ(access.allows(address.octets()), expected) << address.to_string();
    }
  }
}

}  // namespace
}  // namespace peregrine
