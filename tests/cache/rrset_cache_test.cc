// RrsetCache and DelegationCache over every Store.
#include "cache/rrset_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "cache/arena_store.h"
#include "cache/cache_support.h"
#include "cache/mutex_store.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

const HashSecret secret({5, 6});

using Stores = testing::Types<MutexStore, ArenaStore>;

struct Data {
  uint8_t last_octet = 1;
  uint32_t ttl = 100;
  int64_t stored_at = 1000;
  Credibility credibility = Credibility::answer;
  Security security = Security::unchecked;
};

template <class S>
class RrsetCacheTest : public testing::Test {
 protected:
  bool put(std::string_view owner, const Data& data, int64_t now = 1000, std::optional<uint64_t> began = {},
           Type type = Type::a) {
    const Octets rdata{192, 0, 2, data.last_octet};
    const Bytes records[] = {rdata};
    Octets out(200);
    const Bytes blob = encode_rrset({.credibility = data.credibility,
                                     .security = data.security,
                                     .stored_at = at(data.stored_at),
                                     .ttl = data.ttl},
                                    records, {}, out)
                           .value();
    return cache_.put({.owner = name(owner), .type = type}, RrsetBlob::open(blob).value(), at(now), began);
  }
  // The last octet of the address that is there; 0: nothing.
  int found(std::string_view owner, Type type = Type::a, Class rclass = Class::in) {
    const DnameBuf asked = name(owner);
    const auto found = cache_.find(reader_, {.owner = asked, .type = type, .rclass = rclass});
    return found ? (*found->rrset.records().begin())[3] : 0;
  }

  S store_{4 << 20};
  FlushGeneration flushes_;
  RrsetCache<S> cache_{store_, secret, &flushes_};
  typename S::Reader reader_{store_};
};
TYPED_TEST_SUITE(RrsetCacheTest, Stores);

TYPED_TEST(RrsetCacheTest, IsKeptByOwnerTypeAndClass) {
  ASSERT_TRUE(this->put("www.example.com.", {.last_octet = 7}));
  EXPECT_EQ(this->found("WWW.Example.COM."), 7);
  EXPECT_EQ(this->found("www.example.com.", Type::aaaa), 0);
  EXPECT_EQ(this->found("www.example.com.", Type::a, Class::ch), 0);
  EXPECT_EQ(this->found("example.com."), 0);
  EXPECT_TRUE(this->cache_.remove({.owner = name("www.example.com."), .type = Type::a}));
  EXPECT_EQ(this->found("www.example.com."), 0);
}

TYPED_TEST(RrsetCacheTest, LivesAsLongAsItsTtl) {
  ASSERT_TRUE(this->put("www.example.com.", {.ttl = 300}));
  const DnameBuf owner = name("www.example.com.");
  const auto found = this->cache_.find(this->reader_, {.owner = owner, .type = Type::a});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->lifetime.expires_at, at(1300));
  EXPECT_EQ(found->lifetime.refresh_at, at(1270));
  EXPECT_EQ(found->rrset.ttl_at(at(1100)), 200u);
  EXPECT_FALSE(this->put("zero.example.com.", {.ttl = 0}));
  EXPECT_EQ(this->found("zero.example.com."), 0);
}

TYPED_TEST(RrsetCacheTest, TheBetterStays) {
  ASSERT_TRUE(this->put("www.example.com.", {.last_octet = 1, .credibility = Credibility::authority}));
  EXPECT_FALSE(this->put("www.example.com.", {.last_octet = 2, .credibility = Credibility::additional}));
  EXPECT_EQ(this->found("www.example.com."), 1);
  EXPECT_TRUE(this->put("www.example.com.", {.last_octet = 3, .credibility = Credibility::authority}));
  EXPECT_EQ(this->found("www.example.com."), 3);
  EXPECT_TRUE(this->put(
      "www.example.com.",
      {.last_octet = 4, .credibility = Credibility::authoritative_answer, .security = Security::secure}));
  EXPECT_FALSE(
      this->put("www.example.com.", {.last_octet = 5, .credibility = Credibility::authoritative_answer}));
  EXPECT_EQ(this->found("www.example.com."), 4);
}

TYPED_TEST(RrsetCacheTest, AnyFreshDataReplacesWhatIsStale) {
  ASSERT_TRUE(
      this->put("www.example.com.",
                {.last_octet = 1, .credibility = Credibility::zone_file, .security = Security::secure}));
  EXPECT_FALSE(this->put("www.example.com.", {.last_octet = 2, .ttl = 100, .stored_at = 1000}, 1100))
      << "stale itself";
  EXPECT_EQ(this->found("www.example.com."), 1);
  EXPECT_TRUE(this->put("www.example.com.", {.last_octet = 3, .stored_at = 1100}, 1100));
  EXPECT_EQ(this->found("www.example.com."), 3);
}

TYPED_TEST(RrsetCacheTest, ADamagedEntryIsNothingAndIsReplaced) {
  ViewKey key;
  const DnameBuf owner = name("www.example.com.");
  key.assign(key_prefix(KeyView::rrset, Type::a, Class::in), owner.view().wire(), secret);
  ASSERT_TRUE(this->store_.put(key.store_key(), until(5000), Octets{1, 2, 3}));
  EXPECT_EQ(this->found("www.example.com."), 0);
  EXPECT_TRUE(this->put("www.example.com.", {.last_octet = 9, .credibility = Credibility::additional}));
  EXPECT_EQ(this->found("www.example.com."), 9);
}

TYPED_TEST(RrsetCacheTest, WhatBeganBeforeAFlushIsNotKept) {
  const uint64_t before = this->cache_.flush_generation();
  this->flushes_.raise();
  EXPECT_FALSE(this->put("www.example.com.", {}, 1000, before));
  EXPECT_EQ(this->found("www.example.com."), 0);
  EXPECT_TRUE(this->put("www.example.com.", {}, 1000, this->cache_.flush_generation()));
}

// Writers of several ranks at once: the most credible is there in the end, whoever came last.
TYPED_TEST(RrsetCacheTest, TheBetterStaysAmongThreads) {
  constexpr int rounds = 200;
  std::vector<std::thread> writers;
  for (uint8_t rank = 0; rank <= static_cast<uint8_t>(Credibility::zone_file); ++rank) {
    writers.emplace_back([this, rank] {
      for (int i = 0; i < rounds; ++i)
        this->put("n" + std::to_string(i) + ".example.com.",
                  {.last_octet = rank, .credibility = Credibility{rank}});
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int i = 0; i < rounds; ++i)
    EXPECT_EQ(this->found("n" + std::to_string(i) + ".example.com."),
              static_cast<int>(Credibility::zone_file))
        << i;
}

template <class S>
class DelegationCacheTest : public testing::Test {
 protected:
  // A delegation of `cut` to ns.<cut> with one address.
  bool put(std::string_view cut, uint32_t ttl = 100, int64_t now = 1000, std::optional<uint64_t> began = {}) {
    const std::string server = cut == "." ? "ns." : "ns." + std::string(cut);
    const Octets octets = message({.records = {{Section::authority, cut, ttl, Type::ns, server},
                                               {Section::additional, server, ttl, Type::a, "192.0.2.53"}}});
    const MessageView view = parsed(octets);
    const DnameBuf owner = name(cut);
    Octets out(max_delegation_blob);
    const auto blob =
        encode_delegation({.referral = view, .cut = owner, .bailiwick = Dname()}, at(now), 86400, out);
    return cache_.put(owner, DelegationBlob::open(blob.value()).value(), at(now), began);
  }
  std::string deepest(std::string_view asked, int64_t now = 1000) {
    const DnameBuf buffer = name(asked);
    const auto found = cache_.deepest(reader_, buffer, at(now));
    return found ? found->cut.to_string() : "none";
  }

  S store_{4 << 20};
  FlushGeneration flushes_;
  DelegationCache<S> cache_{store_, secret, &flushes_};
  typename S::Reader reader_{store_};
};
TYPED_TEST_SUITE(DelegationCacheTest, Stores);

TYPED_TEST(DelegationCacheTest, TheDeepestFreshOneIsFound) {
  EXPECT_EQ(this->deepest("www.example.com."), "none");
  ASSERT_TRUE(this->put(".", 5000));
  ASSERT_TRUE(this->put("com.", 1000));
  ASSERT_TRUE(this->put("Example.com.", 100));
  EXPECT_EQ(this->deepest("a.b.www.EXAMPLE.com."), "EXAMPLE.com.");
  EXPECT_EQ(this->deepest("example.com."), "example.com.");
  EXPECT_EQ(this->deepest("other.com."), "com.");
  EXPECT_EQ(this->deepest("example.net."), ".");
  EXPECT_EQ(this->deepest("."), ".");
  EXPECT_EQ(this->deepest("www.example.com.", 1100), "com.") << "the nearer one is stale";
  EXPECT_EQ(this->deepest("www.example.com.", 3000), ".");
  EXPECT_EQ(this->deepest("www.example.com.", 6000), "none");
}

TYPED_TEST(DelegationCacheTest, ServersComeWithTheirAddresses) {
  ASSERT_TRUE(this->put("example.com."));
  const DnameBuf cut = name("example.com.");
  const auto found = this->cache_.find(this->reader_, cut);
  ASSERT_TRUE(found);
  std::vector<std::string> servers;
  found->delegation.for_each_server([&](const DelegationServer& server) {
    std::string line = server.name.to_string();
    server.for_each_address([&](const IpAddress& address) { line += " " + address.to_string(); });
    servers.push_back(line);
  });
  EXPECT_THAT(servers, ElementsAre("ns.example.com. 192.0.2.53"));
  EXPECT_TRUE(this->cache_.remove(cut));
  EXPECT_FALSE(this->cache_.find(this->reader_, cut));
}

TYPED_TEST(DelegationCacheTest, NoTtlAndNoOldFlushGenerationAreKept) {
  EXPECT_FALSE(this->put("example.com.", 0));
  const uint64_t before = this->cache_.flush_generation();
  this->flushes_.raise();
  EXPECT_FALSE(this->put("example.com.", 100, 1000, before));
  EXPECT_EQ(this->deepest("example.com."), "none");
}

TYPED_TEST(DelegationCacheTest, TheLongestNameIsWalked) {
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  ASSERT_TRUE(this->put("."));
  EXPECT_EQ(this->deepest(longest), ".");
}

// The views share a store and never each other's entries.
TYPED_TEST(DelegationCacheTest, IsNotAnRrset) {
  ASSERT_TRUE(this->put("example.com."));
  const DnameBuf owner = name("example.com.");
  EXPECT_FALSE(
      (RrsetCache<TypeParam>(this->store_, secret).find(this->reader_, {.owner = owner, .type = Type::ns})));
}

}  // namespace
}  // namespace peregrine
