#include "cache/answer_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/cache_support.h"
#include "cache/mutex_store.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

class AnswerCacheTest : public testing::Test {
 protected:
  Result<AnswerBlob> put(const MessageSpec& spec, WallTime now = at(1000), const TtlLimits& limits = {}) {
    Octets octets = message(spec);
    return cache_.put(key_, parsed(octets), now, 3, limits, scratch_);
  }
  static MessageSpec one_a(uint32_t ttl) {
    return {.records = {{Section::answer, "www.example.com.", ttl, Type::a, "192.0.2.1"}}};
  }

  MutexStore store_{1 << 20};
  AnswerCache<MutexStore> cache_{store_};
  MutexStore::Reader reader_{store_};
  DnameBuf qname_ = name("www.example.com.");
  AnswerKey key_{{.qname = qname_}, HashSecret({5, 6})};
  Octets scratch_ = Octets(max_blob);
};

TEST_F(AnswerCacheTest, WhatIsPutComesBack) {
  ASSERT_TRUE(put(one_a(300)));
  DnameBuf asked = name("WWW.EXAMPLE.COM.");
  AnswerKey same({.qname = asked}, HashSecret({5, 6}));
  Hit hit = reader_.find(same.store_key());
  ASSERT_TRUE(hit);
  AnswerBlob blob = AnswerBlob::open(hit.blob()).value();
  EXPECT_EQ(blob.policy_generation(), 3u);
  Octets reply = reply_from(blob, "WWW.EXAMPLE.COM.", Type::a, at(1100));
  EXPECT_THAT(records(parsed(reply), Section::answer),
              ElementsAre("WWW.EXAMPLE.COM.\t200\tIN\tA\t192.0.2.1"));
}

TEST_F(AnswerCacheTest, LifetimeFollowsTheTtl) {
  ASSERT_TRUE(put(one_a(300)));
  Lifetime lifetime = reader_.find(key_.store_key()).lifetime();
  EXPECT_EQ(lifetime.refresh_at, at(1270));
  EXPECT_EQ(lifetime.expires_at, at(1300));
  EXPECT_FALSE(lifetime.refresh_due(at(1269)));
  EXPECT_TRUE(lifetime.refresh_due(at(1270)));
  EXPECT_TRUE(lifetime.fresh(at(1299)));
  EXPECT_FALSE(lifetime.fresh(at(1300)));
}

TEST_F(AnswerCacheTest, WhatMayNotBeKeptCanStillBeRendered) {
  Result<AnswerBlob> zero = put(one_a(0));
  ASSERT_TRUE(zero);
  EXPECT_THAT(ttls(parsed(reply_from(*zero, "www.example.com.", Type::a, at(1000)))), ElementsAre(0));
  for (Rcode rcode : {Rcode::servfail, Rcode::nxdomain}) {
    Result<AnswerBlob> blob = put({.rcode = rcode});
    ASSERT_TRUE(blob);
    EXPECT_EQ(blob->rcode(), rcode);
  }
  EXPECT_FALSE(reader_.find(key_.store_key()));
  EXPECT_EQ(store_.stats().entries, 0u);
}

TEST_F(AnswerCacheTest, UncacheableAnswerKeepsItsTtlsUpToTheCap) {
  MessageSpec spec = one_a(300);
  spec.records.push_back({Section::answer, "www.example.com.", 604800, Type::a, "192.0.2.2"});
  spec.rcode = Rcode::refused;
  Result<AnswerBlob> blob = put(spec);
  ASSERT_TRUE(blob);
  EXPECT_THAT(ttls(parsed(reply_from(*blob, "www.example.com.", Type::a, at(1000)))),
              ElementsAre(300, 86400));
}

TEST_F(AnswerCacheTest, FloorKeepsAndServesLongerTtls) {
  ASSERT_TRUE(put(one_a(0), at(1000), {.floor = seconds{20}}));
  Hit hit = reader_.find(key_.store_key());
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit.lifetime().expires_at, at(1020));
  Octets reply = reply_from(AnswerBlob::open(hit.blob()).value(), "www.example.com.", Type::a, at(1019));
  EXPECT_THAT(ttls(parsed(reply)), ElementsAre(1));
}

TEST_F(AnswerCacheTest, NegativeAnswerIsKeptWithItsSoa) {
  ASSERT_TRUE(put({.records = {{Section::authority, "example.com.", 1000, Type::soa,
                                "ns.example.com. host.example.com. 1 7200 3600 86400 600"}},
                   .rcode = Rcode::nxdomain}));
  Hit hit = reader_.find(key_.store_key());
  ASSERT_TRUE(hit);
  AnswerBlob blob = AnswerBlob::open(hit.blob()).value();
  EXPECT_EQ(blob.rcode(), Rcode::nxdomain);
  EXPECT_THAT(ttls(parsed(reply_from(blob, "www.example.com.", Type::a, at(1001)))), ElementsAre(599));
}

TEST_F(AnswerCacheTest, ScratchTooSmall) {
  scratch_.resize(30);
  EXPECT_EQ(put(one_a(300)).error(), Error::no_space);
  EXPECT_FALSE(reader_.find(key_.store_key()));
}

TEST_F(AnswerCacheTest, MessageThatNoBlobCanHold) {
  MessageSpec spec = one_a(300);
  spec.edns = true;
  EXPECT_EQ(put(spec).error(), Error::bad_message);
  EXPECT_FALSE(reader_.find(key_.store_key()));
}

TEST_F(AnswerCacheTest, WhatBeganBeforeAFlushIsRenderedButNotKept) {
  FlushGeneration flushes;
  AnswerCache<MutexStore> cache(store_, &flushes);
  const Octets octets = message(one_a(300));
  const auto put = [&](uint64_t began) {
    return cache.put(key_, parsed(octets), at(1000), 3, {}, scratch_, began);
  };
  const uint64_t before = cache.flush_generation();
  flushes.raise();
  const Result<AnswerBlob> late = put(before);
  ASSERT_TRUE(late);
  EXPECT_THAT(ttls(parsed(reply_from(*late, "www.example.com.", Type::a, at(1000)))), ElementsAre(300));
  EXPECT_FALSE(reader_.find(key_.store_key()));
  ASSERT_TRUE(put(cache.flush_generation()));
  EXPECT_TRUE(reader_.find(key_.store_key()));
}

TEST_F(AnswerCacheTest, NewAnswerReplacesTheOld) {
  ASSERT_TRUE(put(one_a(300)));
  ASSERT_TRUE(put(one_a(50), at(2000)));
  EXPECT_EQ(reader_.find(key_.store_key()).lifetime().expires_at, at(2050));
  EXPECT_EQ(store_.stats().entries, 1u);
}

}  // namespace
}  // namespace peregrine
