#include "base/ip.h"

#include <gmock/gmock.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <unordered_set>

namespace peregrine {
namespace {

using namespace std::string_view_literals;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
Endpoint endpoint(std::string_view text, uint16_t port = 53) { return Endpoint::parse(text, port).value(); }

// The interface that every Linux network namespace has.
std::string loopback_interface() {
  char name[IF_NAMESIZE]{};
  return if_indextoname(1, name) ? name : "";
}

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  EXPECT_EQ(ip("192.0.2.1").family(), Family::v4);
  EXPECT_THAT(ip("192.0.2.1").octets(), testing::ElementsAre(192, 0, 2, 1));
  EXPECT_EQ(ip("2001:db8::1").family(), Family::v6);
  EXPECT_EQ(ip("2001:db8::1").octets().size(), 16U);
  for (auto text : {"0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2"}) {
    EXPECT_EQ(ip(text).to_string(), text);
  }
  EXPECT_EQ(ip("2001:DB8:0:0::1").to_string(), "2001:db8::1");
  EXPECT_EQ(IpAddress(), ip("0.0.0.0"));
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (auto text : {""sv, "1"sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.0.0.1"sv, "1.2.3.4 "sv, " 1.2.3.4"sv,
                    "1.2.3.4\0"sv, "1.2.3.4\0x"sv, "01.2.3.4"sv, ":"sv, ":::"sv, "1::2::3"sv, "12345::"sv,
                    "::1%1"sv, "[::1]"sv, "example.com"sv}) {
    auto parsed = IpAddress::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), Error::bad_text);
  }
  EXPECT_FALSE(IpAddress::parse(std::string(5000, '1')));
  EXPECT_EQ(ip("1111:2222:3333:4444:5555:6666:255.255.255.255").family(), Family::v6) << "the longest form";
}

TEST(IpAddress, MappedIpv4IsIpv4) {
  EXPECT_EQ(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
  EXPECT_EQ(IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}),
            IpAddress::v4({1, 2, 3, 4}));
  EXPECT_EQ(ip("::192.0.2.1").family(), Family::v6) << "compatible addresses are not mapped ones";
}

TEST(IpAddress, FamiliesAreNotConfused) {
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_NE(ip("1.2.3.4"), ip("102:304::"));
  EXPECT_LT(ip("1.2.3.4"), ip("1.2.3.5"));
}

TEST(IpAddress, Kinds) {
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
  EXPECT_FALSE(ip("::1").is_unspecified());
  for (auto text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(ip(text).is_loopback());
  for (auto text : {"128.0.0.1", "0.0.0.1", "::", "::2", "100::1"})
    EXPECT_FALSE(ip(text).is_loopback()) << text;
  for (auto text : {"fe80::", "fe80::1", "febf:ffff::"}) EXPECT_TRUE(ip(text).is_link_local()) << text;
  for (auto text : {"::", "fec0::", "fe7f::", "ff02::1", "2001:db8::1", "254.128.0.1", "169.254.0.1"})
    EXPECT_FALSE(ip(text).is_link_local()) << text;
}

TEST(Endpoint, ParsesEveryForm) {
  EXPECT_EQ(endpoint("192.0.2.1"), (Endpoint{ip("192.0.2.1"), 53}));
  EXPECT_EQ(endpoint("192.0.2.1:5353"), (Endpoint{ip("192.0.2.1"), 5353}));
  EXPECT_EQ(endpoint("2001:db8::1"), (Endpoint{ip("2001:db8::1"), 53}));
  EXPECT_EQ(endpoint("[2001:db8::1]"), (Endpoint{ip("2001:db8::1"), 53}));
  EXPECT_EQ(endpoint("[2001:db8::1]:853"), (Endpoint{ip("2001:db8::1"), 853}));
  EXPECT_EQ(endpoint("[::ffff:192.0.2.1]:853"), (Endpoint{ip("192.0.2.1"), 853}));
  EXPECT_EQ(endpoint("::1", 0).port, 0);
  EXPECT_EQ(endpoint("127.0.0.1:0").port, 0) << "the kernel chooses";
  EXPECT_EQ(endpoint("127.0.0.1:65535").port, 65535);
}

TEST(Endpoint, RefusesWhatIsNoEndpoint) {
  for (auto text : {"",
                    ":",
                    ":53",
                    "192.0.2.1:",
                    "192.0.2.1:65536",
                    "192.0.2.1:-1",
                    "192.0.2.1:+1",
                    "192.0.2.1:5 ",
                    "192.0.2.1:0x35",
                    "192.0.2.1:99999999999",
                    "[192.0.2.1]:53",
                    "[",
                    "[]",
                    "[]:53",
                    "[::1",
                    "[::1]53",
                    "[::1]:",
                    "[::1]:x",
                    "[::1]x:53",
                    "[::1]:53:",
                    "::1]:53",
                    "[[::1]]:53",
                    "example.com",
                    "example.com:53"}) {
    auto parsed = Endpoint::parse(text, 53);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), Error::bad_text);
  }
}

TEST(Endpoint, ScopeByNumber) {
  EXPECT_EQ(endpoint("fe80::1%4000000000"), (Endpoint{ip("fe80::1"), 53, 4'000'000'000}));
  EXPECT_EQ(endpoint("[fe80::1%4000000000]:54"), (Endpoint{ip("fe80::1"), 54, 4'000'000'000}));
  EXPECT_EQ(endpoint("fe80::1%4000000000").to_string(), "[fe80::1%4000000000]:53");
}

TEST(Endpoint, ScopeByName) {
  const std::string name = loopback_interface();
  if (name.empty()) GTEST_SKIP() << "no interface has the index 1";
  EXPECT_EQ(endpoint("fe80::1%" + name).scope, 1U);
  EXPECT_EQ(endpoint("[ff02::fb%" + name + "]:5353"), (Endpoint{ip("ff02::fb"), 5353, 1}));
  EXPECT_EQ(endpoint("fe80::1%1").to_string(), "[fe80::1%" + name + "]:53");
}

TEST(Endpoint, ScopeOnlyWhereItMeansSomething) {
  for (auto text : {"fe80::1%", "fe80::1%no-such-if", "fe80::1%a-name-longer-than-any", "fe80::1%4294967296",
                    "2001:db8::1%1", "::1%1", "192.0.2.1%1", "192.0.2.1%1:53", "::ffff:192.0.2.1%1", "%1"}) {
    EXPECT_FALSE(Endpoint::parse(text, 53)) << text;
  }
}

TEST(Endpoint, TextRoundTrips) {
  for (auto text : {"192.0.2.1:53", "0.0.0.0:0", "[2001:db8::1]:65535", "[::]:53"}) {
    EXPECT_EQ(endpoint(text, 1).to_string(), text);
  }
}

TEST(Endpoint, SockaddrIpv4) {
  sockaddr_storage storage;
  std::memset(&storage, 0xee, sizeof storage);
  ASSERT_EQ(endpoint("192.0.2.1:53").to_sockaddr(storage), sizeof(sockaddr_in));
  sockaddr_in in;
  std::memcpy(&in, &storage, sizeof in);
  EXPECT_EQ(in.sin_family, AF_INET);
  EXPECT_EQ(ntohs(in.sin_port), 53);
  EXPECT_EQ(ntohl(in.sin_addr.s_addr), 0xc0000201U);
  EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&storage)), endpoint("192.0.2.1:53"));
}

TEST(Endpoint, SockaddrIpv6KeepsTheScopeOfLinkLocalOnly) {
  sockaddr_storage storage;
  const Endpoint link_local{ip("fe80::1"), 53, 7};
  ASSERT_EQ(link_local.to_sockaddr(storage), sizeof(sockaddr_in6));
  EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&storage)), link_local);

  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(53);
  in6.sin6_scope_id = 7;
  in6.sin6_flowinfo = 99;
  in6.sin6_addr = in6addr_loopback;
  EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&in6)), endpoint("[::1]:53"));
}

TEST(Endpoint, SockaddrMappedIpv4IsIpv4) {
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(53);
  const std::array<uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  std::memcpy(&in6.sin6_addr, mapped.data(), mapped.size());
  EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&in6)), endpoint("192.0.2.1:53"));
}

TEST(Endpoint, SockaddrOfAnotherFamilyIsNothing) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&storage)), Endpoint{});
}

TEST(Endpoint, HashDependsOnEveryPart) {
  const std::hash<Endpoint> hash;
  const Endpoint base = endpoint("[fe80::1]:53");
  EXPECT_EQ(hash(base), hash(endpoint("[fe80::1]:53")));
  std::unordered_set<size_t> seen{hash(base),
                                  hash({base.address, 54}),
                                  hash({base.address, 53, 1}),
                                  hash({ip("fe80::2"), 53}),
                                  hash({ip("fe81::1"), 53}),
                                  hash({ip("0.0.0.0"), 53}),
                                  hash({ip("::"), 53})};
  EXPECT_EQ(seen.size(), 7U);
}

TEST(Endpoint, HashSpreadsNeighbours) {
  std::unordered_set<size_t> low_bits;
  for (uint8_t i = 0; i < 250; ++i) {
    low_bits.insert(std::hash<Endpoint>{}({IpAddress::v4({10, 0, 0, i}), 53}) % 65536);
  }
  EXPECT_GT(low_bits.size(), 240U);
}

TEST(Prefix, ParsesAndPrints) {
  for (auto text :
       {"192.0.2.0/24", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0", "::1/128", "10.0.0.0/9"}) {
    EXPECT_EQ(prefix(text).to_string(), text);
  }
  EXPECT_EQ(prefix("192.0.2.1").to_string(), "192.0.2.1/32");
  EXPECT_EQ(prefix("2001:db8::1").to_string(), "2001:db8::1/128");
}

TEST(Prefix, MappedIpv4CountsFromThe96thBit) {
  EXPECT_EQ(prefix("::ffff:192.0.2.0/120"), prefix("192.0.2.0/24"));
  EXPECT_EQ(prefix("::ffff:0:0/96"), prefix("0.0.0.0/0"));
  EXPECT_FALSE(Prefix::parse("::ffff:192.0.2.0/24"));
  EXPECT_FALSE(Prefix::parse("::ffff:0:0/95"));
}

TEST(Prefix, RefusesWhatIsNoPrefix) {
  for (auto text :
       {"", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/024x", "192.0.2.0/24/1",
        "2001:db8::/129", "2001:db8::/256", "2001:db8::/2560", "fe80::%1/64", "example/8"}) {
    auto parsed = Prefix::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error(), Error::bad_text);
  }
}

TEST(Prefix, HostBitsMustBeZero) {
  for (auto text :
       {"192.0.2.1/24", "192.0.2.128/24", "0.0.0.1/0", "10.128.0.0/8", "2001:db8::1/127", "8000::/0"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
  EXPECT_TRUE(Prefix::parse("10.128.0.0/9"));
}

TEST(Prefix, ContainsItsRangeOnly) {
  EXPECT_TRUE(prefix("192.0.2.0/24").contains(ip("192.0.2.0")));
  EXPECT_TRUE(prefix("192.0.2.0/24").contains(ip("192.0.2.255")));
  EXPECT_FALSE(prefix("192.0.2.0/24").contains(ip("192.0.3.0")));
  EXPECT_FALSE(prefix("192.0.2.0/24").contains(ip("192.0.1.255")));
  EXPECT_TRUE(prefix("10.64.0.0/10").contains(ip("10.127.255.255")));
  EXPECT_FALSE(prefix("10.64.0.0/10").contains(ip("10.128.0.0")));
  EXPECT_FALSE(prefix("10.64.0.0/10").contains(ip("10.63.255.255")));
  EXPECT_TRUE(prefix("192.0.2.1").contains(ip("192.0.2.1")));
  EXPECT_FALSE(prefix("192.0.2.1").contains(ip("192.0.2.0")));
  EXPECT_TRUE(prefix("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(prefix("2001:db8::/33").contains(ip("2001:db8:8000::1")));
}

TEST(Prefix, TheWholeOfAFamilyIsNotTheOther) {
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(ip("255.255.255.255")));
  EXPECT_TRUE(prefix("::/0").contains(ip("ffff::")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(ip("::")));
  EXPECT_FALSE(prefix("::/0").contains(ip("0.0.0.0")));
}

TEST(Prefix, ALengthThatIsTooLongReadsNothingPastTheAddress) {
  const Prefix odd{ip("192.0.2.1"), 255};
  EXPECT_TRUE(odd.contains(ip("192.0.2.1")));
  EXPECT_FALSE(odd.contains(ip("192.0.2.2")));
}

}  // namespace
}  // namespace peregrine
