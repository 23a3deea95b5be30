// The blobs of RRsets and the rule of which one stays.
#include "cache/rrset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "cache/cache_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

std::vector<Octets> all(RdataList list) {
  std::vector<Octets> octets;
  for (const Bytes rdata : list) octets.emplace_back(rdata.begin(), rdata.end());
  return octets;
}

// Their first field, the type covered, and nothing sensible behind it.
constexpr std::string_view signature_of_a = "\\# 6 00010d030102";
constexpr std::string_view signature_of_mx = "\\# 6 000f0d030102";

MessageSpec signed_answer() {
  return {.records = {{Section::answer, "www.example.com.", 300, Type::a, "192.0.2.1"},
                      {Section::answer, "WWW.example.com.", 200, Type::a, "192.0.2.2"},
                      {Section::answer, "www.example.com.", 250, Type::rrsig, signature_of_a},
                      {Section::answer, "www.example.com.", 10, Type::rrsig, signature_of_mx},
                      {Section::answer, "www.example.com.", 20, Type::aaaa, "2001:db8::1"},
                      {Section::answer, "web.example.com.", 30, Type::a, "192.0.2.3"},
                      {Section::authority, "www.example.com.", 5, Type::a, "192.0.2.4"}}};
}

TEST(RrsetBlob, HoldsOneRrsetOfASectionWithItsSignatures) {
  const Octets octets = message(signed_answer());
  const MessageView view = parsed(octets);
  const DnameBuf owner = name("www.EXAMPLE.com.");
  Octets out(max_blob);
  const auto blob =
      encode_rrset({.message = view, .section = Section::answer, .owner = owner, .type = Type::a},
                   {.credibility = Credibility::authoritative_answer,
                    .security = Security::secure,
                    .stored_at = at(1000),
                    .ttl = 86400},
                   out);
  ASSERT_TRUE(blob);
  const RrsetBlob rrset = RrsetBlob::open(*blob).value();
  EXPECT_EQ(rrset.credibility(), Credibility::authoritative_answer);
  EXPECT_EQ(rrset.security(), Security::secure);
  EXPECT_THAT(all(rrset.records()), ElementsAre(Octets{192, 0, 2, 1}, Octets{192, 0, 2, 2}));
  ASSERT_EQ(rrset.signatures().size(), 1u);
  EXPECT_EQ(Type{load_u16((*rrset.signatures().begin()).data())}, Type::a);
  EXPECT_EQ(rrset.ttl(), 200u) << "the least of the records and their signature";
  EXPECT_EQ(rrset.expires_at(), at(1200));
  EXPECT_EQ(rrset.ttl_at(at(1050)), 150u);
  EXPECT_EQ(rrset.ttl_at(at(1200)), 0u);
  EXPECT_EQ(rrset.ttl_at(at(9999)), 0u);
  EXPECT_EQ(rrset.ttl_at(at(0)), 200u) << "a clock that was set back";
}

TEST(RrsetBlob, NamesAreExpandedAndTheTtlIsCapped) {
  const Octets octets =
      message({.qname = "example.com.",
               .qtype = Type::mx,
               .records = {{Section::answer, "example.com.", 900, Type::mx, "10 mail.example.com."}}});
  const MessageView view = parsed(octets);
  const DnameBuf owner = name("example.com.");
  Octets out(max_blob);
  const auto blob = encode_rrset(
      {.message = view, .section = Section::answer, .owner = owner, .type = Type::mx}, {.ttl = 60}, out);
  ASSERT_TRUE(blob);
  const RrsetBlob rrset = RrsetBlob::open(*blob).value();
  const Bytes rdata = *rrset.records().begin();
  EXPECT_EQ(Dname::parse(rdata.subspan(2)).value(), name("mail.example.com."));
  EXPECT_EQ(rrset.ttl(), 60u);
}

TEST(RrsetBlob, WhatCannotBeEncoded) {
  const Octets octets = message(signed_answer());
  const MessageView view = parsed(octets);
  const DnameBuf owner = name("www.example.com.");
  const auto encode = [&](Type type, Class rclass, size_t room) {
    Octets out(room);
    return encode_rrset(
        {.message = view, .section = Section::answer, .owner = owner, .type = type, .rclass = rclass}, {},
        out);
  };
  EXPECT_EQ(encode(Type::mx, Class::in, 500).error(), Error::not_found) << "a signature alone is no RRset";
  EXPECT_EQ(encode(Type::a, Class::ch, 500).error(), Error::not_found);
  const size_t needed = encode(Type::a, Class::in, 500).value().size();
  for (size_t room = 0; room < needed; ++room)
    EXPECT_EQ(encode(Type::a, Class::in, room).error(), Error::no_space);
  EXPECT_TRUE(encode(Type::a, Class::in, needed));

  const Octets large(65'536);
  Octets out(70'000);
  const Bytes records[] = {large};
  EXPECT_EQ(encode_rrset(RrsetFields{}, records, {}, out).error(), Error::limit);
}

TEST(RrsetBlob, EmptyListsAndEmptyRdatas) {
  Octets out(100);
  const Bytes records[] = {Bytes(), Bytes()};
  const auto blob = encode_rrset(RrsetFields{.ttl = 1}, records, {}, out);
  ASSERT_TRUE(blob);
  EXPECT_THAT(all(RrsetBlob::open(*blob).value().records()), ElementsAre(Octets{}, Octets{}));
  EXPECT_THAT(all(RrsetBlob::open(encode_rrset(RrsetFields{}, {}, {}, out).value()).value().signatures()),
              ElementsAre());
}

TEST(RrsetBlob, AnyOctetsAreSound) {
  Random random = Random::from_seed(7);
  const Octets a{192, 0, 2, 1}, signature(40, 9);
  const Bytes records[] = {a, a}, signatures[] = {signature};
  Octets out(200);
  const Octets whole = [&] {
    const Bytes blob = encode_rrset(RrsetFields{.ttl = 1}, records, signatures, out).value();
    return Octets(blob.begin(), blob.end());
  }();
  unsigned opened = 0;
  for (int i = 0; i < 20'000; ++i) {
    Octets damaged = whole;
    for (uint32_t flips = 1 + random.below(3); flips > 0; --flips)
      damaged[random.below(static_cast<uint32_t>(damaged.size()))] = static_cast<uint8_t>(random.u16());
    damaged.resize(damaged.size() - random.below(3));
    damaged.shrink_to_fit();  // for the address sanitizer
    const auto blob = RrsetBlob::open(damaged);
    if (!blob) continue;
    ++opened;
    size_t octets = sizeof(RrsetBlobHeader);
    for (const RdataList& list : {blob->records(), blob->signatures()})
      for (const Bytes rdata : list) octets += 2 + rdata.size();
    EXPECT_EQ(octets, damaged.size());
  }
  EXPECT_GT(opened, 0u);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(RrsetBlob::open(Bytes(whole).first(size))) << size;
}

// The rule: old and new data by credibility and security; the old expires at 1100, the new at 1200.
class Replacement : public testing::Test {
 protected:
  struct Data {
    Credibility credibility;
    Security security = Security::unchecked;
    uint32_t ttl = 100;
    int64_t stored_at = 1000;
  };
  static bool replaces(Data candidate, Data old, Type type = Type::a, int64_t now = 1050) {
    Octets old_octets(100), new_octets(100);
    return may_replace(blob(old, old_octets), at(old.stored_at + old.ttl), blob(candidate, new_octets), type,
                       at(now));
  }
  static RrsetBlob blob(const Data& data, Octets& out) {
    return RrsetBlob::open(encode_rrset({.credibility = data.credibility,
                                         .security = data.security,
                                         .stored_at = at(data.stored_at),
                                         .ttl = data.ttl},
                                        {}, {}, out)
                               .value())
        .value();
  }
  using C = Credibility;
  using S = Security;
};

TEST_F(Replacement, TheMoreCredibleReplacesTheLessAndNotTheReverse) {
  for (int old = 0; old <= static_cast<int>(C::zone_file); ++old)
    for (int candidate = 0; candidate <= static_cast<int>(C::zone_file); ++candidate)
      EXPECT_EQ(replaces({C(candidate)}, {C(old)}), candidate >= old) << old << candidate;
}

TEST_F(Replacement, WhatIsStaleNeitherStaysNorReplaces) {
  EXPECT_TRUE(replaces({C::additional, S::unchecked, 300}, {C::zone_file, S::secure}, Type::a, 1100));
  EXPECT_FALSE(replaces({C::additional, S::unchecked, 300}, {C::zone_file, S::secure}, Type::a, 1099));
  EXPECT_FALSE(replaces({C::zone_file, S::secure, 50}, {C::additional}, Type::a, 1050));
  EXPECT_FALSE(replaces({C::zone_file, S::secure, 50}, {C::additional, S::bogus, 10}, Type::a, 1050));
}

TEST_F(Replacement, BogusDataGivesWayAndNeverPushesOut) {
  for (const Security security : {S::unchecked, S::indeterminate, S::insecure, S::secure}) {
    EXPECT_FALSE(replaces({C::zone_file, S::bogus}, {C::additional, security}));
    EXPECT_TRUE(replaces({C::additional, security}, {C::zone_file, S::bogus}));
  }
  EXPECT_TRUE(replaces({C::answer, S::bogus}, {C::answer, S::bogus}));
}

TEST_F(Replacement, SecureDataStaysUnlessWhatComesIsMoreCredibleOrSecure) {
  for (const Security security : {S::unchecked, S::indeterminate, S::insecure}) {
    EXPECT_FALSE(replaces({C::additional, security}, {C::answer, S::secure}));
    EXPECT_FALSE(replaces({C::answer, security}, {C::answer, S::secure}));
    EXPECT_TRUE(replaces({C::authoritative_answer, security}, {C::answer, S::secure}));
    EXPECT_TRUE(replaces({C::additional, S::secure}, {C::zone_file, security}));
  }
  EXPECT_TRUE(replaces({C::answer, S::secure}, {C::answer, S::secure}));
  EXPECT_FALSE(replaces({C::additional, S::secure}, {C::answer, S::secure}));
}

TEST_F(Replacement, ADelegationCannotRenewItself) {
  EXPECT_FALSE(replaces({C::authority, S::unchecked, 101}, {C::authority}, Type::ns));
  EXPECT_TRUE(replaces({C::authority, S::unchecked, 100}, {C::authority}, Type::ns));
  EXPECT_TRUE(replaces({C::authority, S::unchecked, 101}, {C::authority}, Type::a));
  EXPECT_TRUE(replaces({C::authoritative_answer, S::unchecked, 101}, {C::authority}, Type::ns));
  EXPECT_TRUE(replaces({C::authority, S::unchecked, 300}, {C::authority}, Type::ns, 1100))
      << "once it is stale";
}

}  // namespace
}  // namespace peregrine
