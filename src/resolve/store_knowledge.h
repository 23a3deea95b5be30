// Knowledge in a Store, shared with all that use the store.
#pragma once

#include <algorithm>
#include <vector>

#include "cache/denial_cache.h"
#include "cache/flush.h"
#include "cache/rrset_cache.h"
#include "resolve/knowledge.h"

namespace peregrine {

template <Store S>
class StoreKnowledge final : public Knowledge {
 public:
  // All outlive it. What the reader finds is copied at once. Without `flushes` nobody flushes the store.
  StoreKnowledge(S& store, typename S::Reader& reader, const Clock& clock, const HashSecret& secret,
                 FlushGeneration* flushes)
      : reader_(reader),
        clock_(clock),
        rrsets_(store, secret, flushes),
        delegations_(store, secret, flushes),
        denials_(store, secret, flushes),
        blob_(max_blob),
        message_(max_message_size) {}

  void limits(const TtlLimits& limits) { limits_ = limits; }
  // What is learned from other servers, for the same names, belongs to another realm.
  void realm(uint16_t realm) { realm_ = realm; }

  std::optional<Rrset> rrset(Dname owner, Type type) override;
  std::optional<Denial> denial(Dname name, Type type, Dname highest) override;
  std::optional<Delegation> delegation(Dname name) override;
  // With the realm: what a resolution learns belongs to that in which it began.
  uint64_t flush_generation() const override { return rrsets_.flush_generation() << 16 | realm_; }
  void learn(const Rrset& rrset, uint64_t began) override;
  void learn(Dname name, Type type, const Denial& denial, uint64_t began) override;
  std::optional<Delegation> learn(const DelegationSource& referral, uint64_t began) override;

 private:
  static constexpr Type whole_name = DenialCache<S>::whole_name;
  // Of what a parent says: nobody changes the servers of a zone more often than he must.
  static constexpr uint32_t longest_delegation = 86'400;

  WallTime now() const { return clock_.wall(); }
  uint32_t age_of(WallTime stored_at) const {
    return static_cast<uint32_t>(std::clamp<int64_t>((now() - stored_at).count(), 0, UINT32_MAX));
  }
  uint32_t capped(uint32_t ttl, std::chrono::seconds cap) const {
    const auto floor = std::max<int64_t>(ttl, limits_.floor.count());
    return static_cast<uint32_t>(std::min<int64_t>(floor, cap.count()));
  }
  static uint64_t flushes_of(uint64_t began) { return began >> 16; }
  static uint16_t realm_of(uint64_t began) { return static_cast<uint16_t>(began); }
  std::optional<Denial> denial_at(Dname name, Type type);
  Delegation owned(Dname zone, const DelegationBlob& blob) const;

  typename S::Reader& reader_;
  const Clock& clock_;
  RrsetCache<S> rrsets_;
  DelegationCache<S> delegations_;
  DenialCache<S> denials_;
  TtlLimits limits_;
  uint16_t realm_ = 0;
  AnswerReader answers_;
  std::vector<uint8_t> blob_, message_;
};

template <Store S>
std::optional<Rrset> StoreKnowledge<S>::rrset(Dname owner, Type type) {
  const auto found = rrsets_.find(reader_, {.owner = owner, .type = type, .realm = realm_});
  if (!found || !found->lifetime.fresh(now())) return std::nullopt;
  Rrset set{.owner = DnameBuf(owner),
            .type = type,
            .ttl = found->rrset.ttl_at(now()),
            .credibility = found->rrset.credibility(),
            .records = {},
            .signatures = {}};
  for (const Bytes rdata : found->rrset.records()) set.records.emplace_back(rdata.begin(), rdata.end());
  for (const Bytes rdata : found->rrset.signatures()) set.signatures.emplace_back(rdata.begin(), rdata.end());
  return set;
}

template <Store S>
std::optional<Denial> StoreKnowledge<S>::denial_at(Dname name, Type type) {
  const auto found = denials_.find(reader_, {.owner = name, .type = type, .realm = realm_});
  if (!found || !found->lifetime.fresh(now())) return std::nullopt;
  const KeyParts key{
      .realm = 0, .flags = 0, .view = KeyView::denial, .type = type, .rclass = Class::in, .owner = name};
  const auto message = answers_.read(key, found->answer);
  if (!message) return std::nullopt;
  return read_denial(*message, age_of(found->answer.stored_at()));
}

template <Store S>
std::optional<Denial> StoreKnowledge<S>::denial(Dname name, Type type, Dname highest) {
  if (auto found = denial_at(name, type)) return found;
  while (true) {
    if (auto found = denial_at(name, whole_name)) return found;
    if (name.size() <= highest.size()) return std::nullopt;
    name = name.parent();
  }
}

template <Store S>
Delegation StoreKnowledge<S>::owned(Dname zone, const DelegationBlob& blob) const {
  Delegation delegation{.zone = DnameBuf(zone), .servers = {}};
  const uint32_t age = age_of(blob.stored_at());
  blob.for_each_server([&](const DelegationServer& server) {
    NameServer& added = delegation.servers.emplace_back(NameServer{DnameBuf(server.name), {}});
    if (server.glue_ttl < age) return;
    server.for_each_address([&](const IpAddress& address) { added.addresses.push_back(address); });
  });
  return delegation;
}

template <Store S>
std::optional<Delegation> StoreKnowledge<S>::delegation(Dname name) {
  const auto found = delegations_.deepest(reader_, name, now(), Class::in, realm_);
  if (!found) return std::nullopt;
  return owned(found->cut, found->delegation);
}

template <Store S>
void StoreKnowledge<S>::learn(const Rrset& rrset, uint64_t began) {
  if (rrset.synthesised) return;
  const uint32_t ttl = capped(rrset.ttl, limits_.cap);
  if (ttl == 0) return;
  const std::vector<Bytes> records(rrset.records.begin(), rrset.records.end());
  const std::vector<Bytes> signatures(rrset.signatures.begin(), rrset.signatures.end());
  const auto blob = encode_rrset({.credibility = rrset.credibility, .stored_at = now(), .ttl = ttl}, records,
                                 signatures, blob_);
  const auto opened = blob ? RrsetBlob::open(*blob) : std::nullopt;
  if (!opened) return;
  rrsets_.put({.owner = rrset.owner, .type = rrset.type, .realm = realm_of(began)}, *opened, now(),
              flushes_of(began));
}

template <Store S>
void StoreKnowledge<S>::learn(Dname name, Type type, const Denial& denial, uint64_t began) {
  if (denial.proof.empty() || denial.proof.front().type != Type::soa) return;  // RFC 2308 section 5
  const uint32_t ttl = capped(ttl_of(denial), std::min(limits_.cap, limits_.negative_cap));
  const Type at = denial.of_name ? whole_name : type;
  const auto message = write_denial(name, at, denial, message_);
  const auto view = message ? MessageView::parse(*message) : std::unexpected(Error::no_space);
  if (!view || ttl == 0) return;
  const auto blob = encode_answer(*view, {.stored_at = now(), .keep = std::chrono::seconds(ttl)}, blob_);
  const auto opened = blob ? AnswerBlob::open(*blob) : std::nullopt;
  if (!opened) return;
  denials_.put({.owner = name, .type = at, .realm = realm_of(began)}, *opened, *blob, ttl, flushes_of(began));
}

template <Store S>
std::optional<Delegation> StoreKnowledge<S>::learn(const DelegationSource& referral, uint64_t began) {
  const auto blob = encode_delegation(referral, now(), longest_delegation, blob_);
  const auto opened = blob ? DelegationBlob::open(*blob) : std::nullopt;
  if (!opened) return std::nullopt;
  delegations_.put(referral.cut, *opened, now(), flushes_of(began), Class::in, realm_of(began));
  return owned(referral.cut, *opened);
}

}  // namespace peregrine
