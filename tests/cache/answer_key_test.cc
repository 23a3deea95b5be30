#include <gtest/gtest.h>

#include <set>

#include "cache/answer.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

const HashSecret hash_secret{HashKey{1, 2}};

AnswerKey key_of(std::string_view qname) {
  DnameBuf buf = name(qname);
  return AnswerKey({.qname = buf}, hash_secret);
}

TEST(AnswerKey, IgnoresTheLetterCaseOfTheQname) {
  AnswerKey lower = key_of("www.abcxyz.example.com."), mixed = key_of("wWw.AbCXYZ.EXAMPLE.com.");
  EXPECT_TRUE(lower == mixed);
  EXPECT_EQ(lower.hash(), mixed.hash());
  EXPECT_EQ(Octets(lower.store_key().octets.begin(), lower.store_key().octets.end()),
            Octets(mixed.store_key().octets.begin(), mixed.store_key().octets.end()));
}

TEST(AnswerKey, FoldsLettersAndNothingElse) {
  Octets folded;
  for (unsigned c = 0; c < 256; ++c) {
    Octets wire{1, static_cast<uint8_t>(c), 0};
    AnswerKey key({.qname = Dname::from_checked(wire)}, hash_secret);
    folded.push_back(key.store_key().octets[key_prefix_size + 1]);
  }
  for (unsigned c = 0; c < 256; ++c) EXPECT_EQ(folded[c], c >= 'A' && c <= 'Z' ? c + 32 : c) << c;
}

TEST(AnswerKey, EveryFieldCounts) {
  DnameBuf example = name("example.com."), other = name("example.net."), root = name(".");
  std::vector<AnswerKey> keys = {
      AnswerKey({.qname = example}, hash_secret),
      AnswerKey({.realm = 1, .qname = example}, hash_secret),
      AnswerKey({.realm = 256, .qname = example}, hash_secret),
      AnswerKey({.qname = other}, hash_secret),
      AnswerKey({.qname = root}, hash_secret),
      AnswerKey({.qname = example, .qtype = Type::aaaa}, hash_secret),
      AnswerKey({.qname = example, .qtype = Type{257}}, hash_secret),
      AnswerKey({.qname = example, .qclass = Class::ch}, hash_secret),
      AnswerKey({.qname = example, .dnssec_ok = true}, hash_secret),
      AnswerKey({.qname = example, .checking_disabled = true}, hash_secret),
      AnswerKey({.qname = example, .dnssec_ok = true, .checking_disabled = true}, hash_secret),
  };
  std::set<uint64_t> hashes;
  for (size_t i = 0; i < keys.size(); ++i) {
    hashes.insert(keys[i].hash());
    for (size_t j = 0; j < keys.size(); ++j) EXPECT_EQ(keys[i] == keys[j], i == j) << i << " " << j;
  }
  EXPECT_EQ(hashes.size(), keys.size());
}

TEST(AnswerKey, HashIsKeyed) {
  DnameBuf qname = name("example.com.");
  AnswerKey a({.qname = qname}, HashSecret({1, 2})), b({.qname = qname}, HashSecret({1, 3}));
  EXPECT_TRUE(a == b);
  EXPECT_NE(a.hash(), b.hash());
}

TEST(AnswerKey, HoldsTheLongestName) {
  std::string label(63, 'X');
  std::string text = label + "." + label + "." + label + "." + std::string(61, 'Y') + ".";
  AnswerKey key = key_of(text);
  ASSERT_EQ(name(text).view().size(), max_dname_size);
  EXPECT_EQ(key.store_key().octets.size(), key_prefix_size + max_dname_size);
  EXPECT_LE(key.store_key().octets.size(), max_store_key);
  EXPECT_EQ(key.store_key().octets[key_prefix_size + 1], 'x');
  EXPECT_EQ(key.store_key().octets[key_prefix_size + max_dname_size - 2], 'y');
}

TEST(AnswerKey, CopiesViewTheirOwnOctets) {
  AnswerKey a = key_of("example.com.");
  AnswerKey b = a;
  EXPECT_NE(a.store_key().octets.data(), b.store_key().octets.data());
  EXPECT_TRUE(a == b);
}

}  // namespace
}  // namespace peregrine
