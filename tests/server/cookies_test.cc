#include "server/cookies.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace peregrine {
namespace {

std::vector<uint8_t> from_hex(std::string_view hex) {
  std::vector<uint8_t> octets;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    octets.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return octets;
}

HashKey secret(std::string_view hex) {
  const auto octets = from_hex(hex);
  HashKey key;
  std::memcpy(&key.k0, octets.data(), 8);
  std::memcpy(&key.k1, octets.data() + 8, 8);
  return key;
}

Cookie cookie(std::string_view hex) {
  Cookie read;
  EXPECT_TRUE(read.read(from_hex(hex)));
  return read;
}

constexpr WallTime at(int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

const HashKey first = secret("e5e973e5a6b2a43f48e7dc849e37bfcf");
const HashKey rolled_over = secret("445536bcd2513298075a5d379663c962");
const HashKey before_it = secret("dd3bdf9344b678b185a6f5cb60fca715");
const HashKey unused{1, 2};

// RFC 9018 appendix A.
struct Example {
  CookieSecrets secrets;
  std::string_view client, sent, replied;
  int64_t now;
  CookieVerdict verdict;
};

TEST(Cookies, TheExamplesOfTheRfc) {
  const Example examples[] = {
      {{first, unused},
       "198.51.100.100",
       "2464c4abcf10c957",
       "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
       1559731985,
       CookieVerdict::client_only},
      {{first, unused},
       "198.51.100.100",
       "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
       "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
       1559734385,
       CookieVerdict::good},
      // Its cookie is older than the hour that section 4.3 recommends.
      {{first, unused},
       "203.0.113.203",
       "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
       "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
       1559734700,
       CookieVerdict::bad},
      {{rolled_over, before_it},
       "2001:db8:220:1:59de:d0f4:8769:82b8",
       "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
       "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
       1559741961,
       CookieVerdict::good},
  };
  for (const Example& example : examples) {
    Cookie got = cookie(example.sent);
    const IpAddress client = ip(example.client);
    EXPECT_EQ(example.secrets.answer(got, client.octets(), at(example.now)), example.verdict)
        << example.replied;
    EXPECT_EQ(got, cookie(example.replied)) << example.replied;
  }
}

TEST(Cookies, ReservedOctetsAreHashedAsTheyCame) {
  Cookie got = cookie("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
  const Cookie sent = got;
  EXPECT_EQ(CookieSecrets(first, unused).answer(got, ip("203.0.113.203").octets(), at(0x5cf78f71 + 60)),
            CookieVerdict::good);
  EXPECT_EQ(got, sent);
}

class MadeCookie : public ::testing::Test {
 protected:
  MadeCookie() {
    made_.read(from_hex("0102030405060708"));
    secrets_.answer(made_, client_.octets(), at(made_at));
  }
  CookieVerdict verdict(int64_t now, const char* client = "192.0.2.1") {
    Cookie sent = made_;
    const auto verdict = secrets_.answer(sent, ip(client).octets(), at(now));
    renewed_ = !(sent == made_);
    return verdict;
  }
  static constexpr int64_t made_at = 1'700'000'000;
  CookieSecrets secrets_{first, unused};
  IpAddress client_ = ip("192.0.2.1");
  Cookie made_;
  bool renewed_ = false;
};

TEST_F(MadeCookie, IsKeptForHalfAnHourAndRenewedForAnother) {
  EXPECT_EQ(verdict(made_at + 1799), CookieVerdict::good);
  EXPECT_FALSE(renewed_);
  EXPECT_EQ(verdict(made_at + 1800), CookieVerdict::good);
  EXPECT_TRUE(renewed_);
  EXPECT_EQ(verdict(made_at + 3600), CookieVerdict::good);
  EXPECT_EQ(verdict(made_at + 3601), CookieVerdict::bad);
  EXPECT_TRUE(renewed_);
}

TEST_F(MadeCookie, MayBeAheadByFiveMinutes) {
  EXPECT_EQ(verdict(made_at - 300), CookieVerdict::good);
  EXPECT_EQ(verdict(made_at - 301), CookieVerdict::bad);
}

TEST_F(MadeCookie, IsBadFromAnotherAddressOrWithAnyBitChanged) {
  EXPECT_EQ(verdict(made_at, "192.0.2.2"), CookieVerdict::bad);
  const Cookie whole = made_;
  for (size_t bit = 0; bit < 8 * Cookie::whole_size; ++bit) {
    made_ = whole;
    made_.octets[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_NE(verdict(made_at), CookieVerdict::good) << bit;
  }
}

TEST(Cookies, LengthsThatNoCookieHasAreMalformed) {
  for (size_t size = 0; size <= 50; ++size) {
    Cookie read;
    EXPECT_EQ(read.read(std::vector<uint8_t>(size, 7)), size == 8 || (size >= 16 && size <= 40)) << size;
  }
}

TEST(Cookies, AServerCookieOfAnotherMakerIsAnsweredWithOneOfOurs) {
  Cookie foreign;
  ASSERT_TRUE(foreign.read(std::vector<uint8_t>(40, 7)));
  EXPECT_EQ(CookieSecrets(first, unused).answer(foreign, ip("192.0.2.1").octets(), at(1'700'000'000)),
            CookieVerdict::client_only);
  EXPECT_EQ(foreign.size, Cookie::whole_size);
}

class KnownCookie : public MadeCookie {
 protected:
  CookieVerdict verdict(const CookieSecrets& secrets, int64_t now, const char* client = "192.0.2.1") {
    Cookie sent = made_;
    const auto verdict = known_.answer(secrets, sent, ip(client).octets(), at(now));
    renewed_ = !(sent == made_);
    return verdict;
  }
  KnownCookies known_;
};

TEST_F(KnownCookie, IsJudgedAsIfItWereNotKnown) {
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(verdict(secrets_, made_at), CookieVerdict::good);
    EXPECT_FALSE(renewed_);
    EXPECT_EQ(verdict(secrets_, made_at, "192.0.2.2"), CookieVerdict::bad);
    EXPECT_EQ(verdict(secrets_, made_at, "2001:db8::1"), CookieVerdict::bad);
    EXPECT_EQ(verdict(secrets_, made_at - 301), CookieVerdict::bad);
    EXPECT_EQ(verdict(secrets_, made_at + 1800), CookieVerdict::good);
    EXPECT_TRUE(renewed_);
    EXPECT_EQ(verdict(secrets_, made_at + 3601), CookieVerdict::bad);
    EXPECT_EQ(verdict(CookieSecrets(rolled_over, unused), made_at), CookieVerdict::bad);
  }
}

TEST_F(KnownCookie, NoOtherCookieIsTakenForIt) {
  ASSERT_EQ(verdict(secrets_, made_at), CookieVerdict::good);
  const Cookie whole = made_;
  for (size_t bit = 0; bit < 8 * Cookie::whole_size; ++bit) {
    made_ = whole;
    made_.octets[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_NE(verdict(secrets_, made_at), CookieVerdict::good) << bit;
  }
}

}  // namespace
}  // namespace peregrine
