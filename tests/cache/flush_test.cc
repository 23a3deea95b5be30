// Flush over every Store: what goes, what stays, and that nothing older comes back.
#include "cache/flush.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "cache/answer_cache.h"
#include "cache/arena_store.h"
#include "cache/cache_support.h"
#include "cache/mutex_store.h"
#include "cache/rrset_cache.h"

namespace peregrine {
namespace {

const HashSecret secret({5, 6});

template <class S>
class FlushTest : public testing::Test {
 protected:
  void put(const MessageSpec& spec, std::optional<uint64_t> began = {}) {
    const Octets octets = message(spec);
    Octets scratch(max_blob);
    const DnameBuf qname = name(spec.qname);
    ASSERT_TRUE(answers_.put(AnswerKey({.qname = qname, .qtype = spec.qtype}, secret), parsed(octets),
                             at(1000), 1, {}, scratch, began));
  }
  static MessageSpec one_a(std::string_view qname) {
    return {.qname = qname, .records = {{Section::answer, qname, 300, Type::a, "192.0.2.1"}}};
  }
  bool has(std::string_view qname, Type qtype = Type::a) {
    const DnameBuf asked = name(qname);
    const bool found(reader_.find(AnswerKey({.qname = asked, .qtype = qtype}, secret).store_key()));
    reader_.quiet();
    return found;
  }
  FlushReport flush(std::string_view target, bool below = false) {
    return peregrine::flush(any_, flushes_, {.name = name(target), .below = below});
  }
  bool put_rrset(std::string_view owner, Type type, Bytes rdata) {
    const Bytes records[] = {rdata};
    Octets out(600);
    const auto blob = encode_rrset({.stored_at = at(1000), .ttl = 100}, records, {}, out);
    return rrsets_.put({.owner = name(owner), .type = type}, RrsetBlob::open(blob.value()).value(), at(1000));
  }
  bool has_rrset(std::string_view owner, Type type) {
    const DnameBuf asked = name(owner);
    return rrsets_.find(reader_, {.owner = asked, .type = type}).has_value();
  }

  S store_{4 << 20};
  AnyStoreOf<S> any_{store_};
  FlushGeneration flushes_;
  AnswerCache<S> answers_{store_, &flushes_};
  RrsetCache<S> rrsets_{store_, secret, &flushes_};
  DelegationCache<S> delegations_{store_, secret, &flushes_};
  typename S::Reader reader_{store_};
};
using Stores = testing::Types<MutexStore, ArenaStore>;
TYPED_TEST_SUITE(FlushTest, Stores);

TYPED_TEST(FlushTest, ANameAloneOrAllBelow) {
  for (const std::string_view qname :
       {"example.com.", "www.example.com.", "a.www.example.com.", "wwwexample.com."})
    this->put(this->one_a(qname));
  const FlushReport one = this->flush("WWW.Example.com.");
  EXPECT_EQ(one.seen, 4u);
  EXPECT_EQ(one.removed, 1u);
  EXPECT_FALSE(this->has("www.example.com."));
  EXPECT_TRUE(this->has("a.www.example.com."));
  EXPECT_EQ(this->flush("example.com.", true).removed, 2u);
  EXPECT_FALSE(this->has("example.com."));
  EXPECT_FALSE(this->has("a.www.example.com."));
  EXPECT_TRUE(this->has("wwwexample.com."));
  EXPECT_EQ(this->flush(".", true).removed, 1u);
  EXPECT_EQ(this->flush(".", true).seen, 0u);
}

TYPED_TEST(FlushTest, AllTypesOfAName) {
  this->put(this->one_a("www.example.com."));
  this->put(
      {.qtype = Type::aaaa,
       .records = {{Section::authority, "com.", 900, Type::soa, "ns.com. host.com. 1 7200 3600 86400 600"}}});
  EXPECT_EQ(this->flush("www.example.com.").removed, 2u);
}

TYPED_TEST(FlushTest, OwnersAndTargetsInAnswers) {
  // www.example.com -> web.hosting.example.net -> pool.hosting.example.net, NS of hosting.example.net
  for (const std::string_view target : {"web.hosting.example.net.", "pool.hosting.example.net.",
                                        "hosting.example.net.", "ns.hosting.example.net."}) {
    this->put(chain_answer());
    ASSERT_TRUE(this->has("www.example.com."));
    EXPECT_EQ(this->flush("mail.hosting.example.net.").removed, 0u);
    EXPECT_EQ(this->flush(target).removed, 1u) << target;
    EXPECT_FALSE(this->has("www.example.com."));
  }
  this->put(chain_answer());
  EXPECT_EQ(this->flush("example.net.").removed, 0u);
  EXPECT_EQ(this->flush("example.net.", true).removed, 1u);
  this->put({.records = {{Section::answer, "www.example.com.", 300, Type::cname, "nowhere.example.org."},
                         {Section::authority, "example.edu.", 9, Type::soa, "a. b. 1 2 3 4 5"}}});
  EXPECT_EQ(this->flush("nowhere.example.org.").removed, 1u) << "a target without records";
}

TYPED_TEST(FlushTest, RrsetsAndDelegations) {
  ASSERT_TRUE(this->put_rrset("alias.example.com.", Type::cname, name("www.example.net.").view().wire()));
  ASSERT_TRUE(this->put_rrset("tree.example.com.", Type::dname, name("example.net.").view().wire()));
  ASSERT_TRUE(this->put_rrset("example.com.", Type::ns, name("www.example.net.").view().wire()));
  EXPECT_EQ(this->flush("www.example.net.").removed, 1u);
  EXPECT_FALSE(this->has_rrset("alias.example.com.", Type::cname));
  EXPECT_EQ(this->flush("example.net.").removed, 1u);
  EXPECT_FALSE(this->has_rrset("tree.example.com.", Type::dname));
  EXPECT_TRUE(this->has_rrset("example.com.", Type::ns));
  EXPECT_EQ(this->flush("example.com.").removed, 1u);

  const Octets octets =
      message({.records = {{Section::authority, "example.com.", 300, Type::ns, "ns.example.org."},
                           {Section::additional, "ns.example.org.", 300, Type::a, "192.0.2.1"}}});
  const MessageView view = parsed(octets);
  const DnameBuf cut = name("example.com."), root;
  Octets out(max_delegation_blob);
  const auto blob = encode_delegation({.referral = view, .cut = cut, .bailiwick = root}, at(1000), 300, out);
  const auto put = [&] {
    return this->delegations_.put(cut, DelegationBlob::open(blob.value()).value(), at(1000));
  };
  ASSERT_TRUE(put());
  EXPECT_EQ(this->flush("example.net.", true).removed, 0u);
  EXPECT_EQ(this->flush("ns.example.org.").removed, 1u) << "its address is in there";
  ASSERT_TRUE(put());
  EXPECT_EQ(this->flush("example.com.").removed, 1u);
}

TYPED_TEST(FlushTest, WhatCannotBeReadGoes) {
  ViewKey key;
  key.assign(key_prefix(KeyView::answer, Type::a, Class::in), name("www.example.com.").view().wire(), secret);
  ASSERT_TRUE(this->store_.put(key.store_key(), until(5000), Octets{1, 2, 3}));
  ASSERT_TRUE(this->store_.put(TestKey(1), until(5000), Octets{1, 2, 3}));
  key.assign(key_prefix(KeyView{77}, Type::a, Class::in), name("other.example.com.").view().wire(), secret);
  ASSERT_TRUE(this->store_.put(key.store_key(), until(5000), Octets{1}));
  EXPECT_EQ(this->flush("elsewhere.example.").removed, 3u);
}

// An answer that is whole by its header, and whose tail is not.
TYPED_TEST(FlushTest, AnAnswerWhoseTailIsDamagedGoes) {
  const Octets octets = message(chain_answer());
  Octets blob = encoded(octets, {.keep = seconds{300}});
  const AnswerBlob opened = AnswerBlob::open(blob).value();
  blob[blob.size() - opened.tail_size()] = 0x80;  // a label type that does not exist
  const DnameBuf qname = name("www.example.com.");
  const AnswerKey key({.qname = qname}, secret);
  ASSERT_TRUE(this->store_.put(key.store_key(), until(5000), blob));
  EXPECT_EQ(this->flush("elsewhere.example.").removed, 1u);
}

TYPED_TEST(FlushTest, WhatBeganEarlierDoesNotComeBack) {
  const uint64_t before = this->answers_.flush_generation();
  this->flush("www.example.com.");
  this->put(this->one_a("www.example.com."), before);
  EXPECT_FALSE(this->has("www.example.com."));
  this->put(this->one_a("www.example.com."), this->answers_.flush_generation());
  EXPECT_TRUE(this->has("www.example.com."));
}

// Writers store answers that carry the generation they began in, as the TTL. When a flush has returned, none
// of an older generation is there, now or later.
TYPED_TEST(FlushTest, NothingOlderIsServedAfterwardsWhateverWritersDo) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([this, &stop] {
      while (!stop) {
        const uint64_t began = this->answers_.flush_generation();
        MessageSpec spec = this->one_a("www.example.com.");
        spec.records[0].ttl = static_cast<uint32_t>(100 + began);
        this->put(spec, began);
      }
    });
  }
  const DnameBuf qname = name("www.example.com.");
  const AnswerKey key({.qname = qname}, secret);
  for (int i = 1; i <= 200; ++i) {
    this->flush("www.example.com.");
    for (int look = 0; look < 3; ++look) {
      const Hit hit = this->reader_.find(key.store_key());
      if (hit) EXPECT_GE(hit.lifetime().expires_at, at(1100 + i));
      this->reader_.quiet();
    }
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace peregrine
