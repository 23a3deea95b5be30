#include "cache/delegation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Referral {
  std::vector<Record> records;
  std::string_view bailiwick = "com.";
  std::string_view cut = "example.com.";
  uint32_t cap = 86400;
};

Result<Bytes> encode(const Referral& referral, Octets& out) {
  const Octets octets = message({.records = referral.records});
  const MessageView view = parsed(octets);
  const DnameBuf cut = name(referral.cut), bailiwick = name(referral.bailiwick);
  return encode_delegation({.referral = view, .cut = cut, .bailiwick = bailiwick}, at(1000), referral.cap,
                           out);
}

// "name ttl address address ..."
std::vector<std::string> servers(const DelegationBlob& blob) {
  std::vector<std::string> lines;
  blob.for_each_server([&](const DelegationServer& server) {
    std::string line = server.name.to_string();
    if (!server.glue.empty()) line += " " + std::to_string(server.glue_ttl);
    server.for_each_address([&](const IpAddress& address) { line += " " + address.to_string(); });
    lines.push_back(line);
  });
  return lines;
}

TEST(Delegation, ServersAndGlueInBailiwick) {
  Octets out(max_delegation_blob);
  const auto blob =
      encode({.records = {{Section::answer, "example.com.", 300, Type::ns, "answer.example.com."},
                          {Section::authority, "Example.com.", 300, Type::ns, "ns1.example.com."},
                          {Section::authority, "example.com.", 200, Type::ns, "ns.elsewhere.net."},
                          {Section::authority, "example.com.", 400, Type::ns, "ns2.example.com."},
                          {Section::authority, "other.com.", 1, Type::ns, "ns.other.com."},
                          {Section::additional, "NS1.example.com.", 90, Type::a, "192.0.2.1"},
                          {Section::additional, "ns1.example.com.", 80, Type::aaaa, "2001:db8::1"},
                          {Section::additional, "ns.elsewhere.net.", 90, Type::a, "198.51.100.1"},
                          {Section::additional, "unasked.example.com.", 90, Type::a, "192.0.2.9"}}},
             out);
  ASSERT_TRUE(blob);
  const DelegationBlob delegation = DelegationBlob::open(*blob).value();
  EXPECT_EQ(delegation.ttl(), 200u);
  EXPECT_EQ(delegation.expires_at(), at(1200));
  EXPECT_THAT(servers(delegation), ElementsAre("ns1.example.com. 80 192.0.2.1 2001:db8::1",
                                               "ns.elsewhere.net.", "ns2.example.com."))
      << "an address that the servers asked have no say about is not believed";
}

TEST(Delegation, AReferralWithoutServersIsNone) {
  Octets out(max_delegation_blob);
  EXPECT_EQ(encode({.records = {}}, out).error(), Error::not_found);
  EXPECT_EQ(
      encode({.records = {{Section::authority, "other.com.", 1, Type::ns, "ns.other.com."}}}, out).error(),
      Error::not_found);
}

TEST(Delegation, TheTtlIsCapped) {
  Octets out(max_delegation_blob);
  const auto blob = encode(
      {.records = {{Section::authority, "example.com.", 300, Type::ns, "ns.example.com."}}, .cap = 60}, out);
  EXPECT_EQ(DelegationBlob::open(blob.value()).value().ttl(), 60u);
}

TEST(Delegation, WhatAParentSaysIsBounded) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("ns" + std::to_string(i) + ".example.com.");
  Referral referral{.records = {}};
  for (const std::string& server : names)
    referral.records.push_back({Section::authority, "example.com.", 300, Type::ns, server});
  for (int i = 0; i < 30; ++i)
    referral.records.push_back({Section::additional, names[0], 300, Type::a, "192.0.2.1"});
  Octets out(max_delegation_blob);
  const auto blob = encode(referral, out);
  ASSERT_TRUE(blob);
  const DelegationBlob delegation = DelegationBlob::open(*blob).value();
  EXPECT_EQ(delegation.server_count(), max_delegation_servers);
  size_t addresses = 0;
  delegation.for_each_server([&](const DelegationServer& server) {
    server.for_each_address([&](const IpAddress&) { ++addresses; });
  });
  EXPECT_EQ(addresses, max_glue_per_server);
}

TEST(Delegation, NoRoom) {
  const Referral referral{.records = {{Section::authority, "example.com.", 300, Type::ns, "ns.example.com."},
                                      {Section::additional, "ns.example.com.", 300, Type::a, "192.0.2.1"}}};
  Octets large(max_delegation_blob);
  const size_t needed = encode(referral, large).value().size();
  for (size_t room = 0; room < needed; ++room) {
    Octets out(room);
    EXPECT_EQ(encode(referral, out).error(), Error::no_space) << room;
  }
}

TEST(Delegation, AnyOctetsAreSound) {
  Octets out(max_delegation_blob);
  const Bytes blob =
      encode({.records = {{Section::authority, "example.com.", 300, Type::ns, "ns1.example.com."},
                          {Section::authority, "example.com.", 300, Type::ns, "ns2.example.com."},
                          {Section::additional, "ns1.example.com.", 300, Type::a, "192.0.2.1"},
                          {Section::additional, "ns2.example.com.", 300, Type::aaaa, "2001:db8::1"}}},
             out)
          .value();
  const Octets whole(blob.begin(), blob.end());
  EXPECT_TRUE(DelegationBlob::open(whole));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(DelegationBlob::open(Bytes(whole).first(size)));
  Random random = Random::from_seed(3);
  unsigned opened = 0;
  for (int i = 0; i < 20'000; ++i) {
    Octets damaged = whole;
    for (uint32_t flips = 1 + random.below(3); flips > 0; --flips)
      damaged[random.below(static_cast<uint32_t>(damaged.size()))] = static_cast<uint8_t>(random.u16());
    if (const auto opening = DelegationBlob::open(damaged)) {
      ++opened;
      servers(*opening);
    }
  }
  EXPECT_GT(opened, 0u);
}

}  // namespace
}  // namespace peregrine
