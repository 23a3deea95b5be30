// RrsetCache and DelegationCache: the views of a Store that a resolver learns into.
//
// Thread-safe: a look-up goes through the caller's own reader, and what it gives is valid until that reader's
// next quiet point. What is found may be stale: the caller compares.
#pragma once

#include <optional>

#include "cache/delegation.h"
#include "cache/flush_generation.h"
#include "cache/key.h"
#include "cache/rrset.h"

namespace peregrine {

struct RrsetId {
  Dname owner;
  Type type;
  Class rclass = Class::in;
  uint16_t realm = 0;  // of what was learned under the same rules; others do not see it
};

// A popular RRset is worth fetching anew in the last tenth of its life.
constexpr Lifetime lifetime_of(WallTime stored_at, uint32_t ttl) {
  const std::chrono::seconds keep{ttl};
  return {.refresh_at = stored_at + keep - keep / 10, .expires_at = stored_at + keep};
}

template <Store S>
class RrsetCache {
 public:
  struct Found {
    RrsetBlob rrset;
    Lifetime lifetime;
  };

  // All outlive the cache. Without `flushes` nobody flushes the store.
  RrsetCache(S& store, const HashSecret& secret, FlushGeneration* flushes = nullptr)
      : store_(store), secret_(secret), flushes_(flushes) {}

  // To be taken when a resolution begins.
  uint64_t flush_generation() const { return flushes_ ? flushes_->now() : 0; }

  std::optional<Found> find(typename S::Reader& reader, const RrsetId& id) const {
    ViewKey key;
    assign(key, id);
    const Hit hit = reader.find(key.store_key());
    if (!hit) return std::nullopt;
    const auto blob = RrsetBlob::open(hit.blob());
    if (!blob) return std::nullopt;
    return Found{.rrset = *blob, .lifetime = hit.lifetime()};
  }

  // Keeps `rrset` where may_replace() lets it take the place of what is there, and where no flush came since
  // `began`. Whether it is kept.
  bool put(const RrsetId& id, const RrsetBlob& rrset, WallTime now,
           std::optional<uint64_t> began = std::nullopt) {
    if (rrset.expires_at() <= now) return false;
    ViewKey key;
    assign(key, id);
    const auto decide = [&](const StoredEntry& old) {
      const auto blob = RrsetBlob::open(old.blob);
      return !blob || may_replace(*blob, old.lifetime.expires_at, rrset, id.type, now);
    };
    const auto store = [&] {
      return store_.put_if(key.store_key(), lifetime_of(rrset.stored_at(), rrset.ttl()), rrset.octets(),
                           decide);
    };
    return flushes_ && began ? flushes_->unless_raised(*began, store) : store();
  }

  bool remove(const RrsetId& id) {
    ViewKey key;
    assign(key, id);
    return store_.remove(key.store_key());
  }

 private:
  void assign(ViewKey& key, const RrsetId& id) const {
    key.assign(key_prefix(KeyView::rrset, id.type, id.rclass, id.realm), id.owner.wire(), secret_);
  }

  S& store_;
  const HashSecret& secret_;
  FlushGeneration* flushes_;
};

// Only what a parent says goes in here: NS records of the zone itself are RRsets like others. So an entry
// outlives its TTL only where the parent has been asked again.
template <Store S>
class DelegationCache {
 public:
  struct Found {
    Dname cut;  // within the name that was asked for
    DelegationBlob delegation;
    Lifetime lifetime;
  };

  // All outlive the cache. Without `flushes` nobody flushes the store.
  DelegationCache(S& store, const HashSecret& secret, FlushGeneration* flushes = nullptr)
      : store_(store), secret_(secret), flushes_(flushes) {}

  uint64_t flush_generation() const { return flushes_ ? flushes_->now() : 0; }

  std::optional<Found> find(typename S::Reader& reader, Dname cut, Class rclass = Class::in,
                            uint16_t realm = 0) const {
    ViewKey key;
    assign(key, cut, rclass, realm);
    const Hit hit = reader.find(key.store_key());
    if (!hit) return std::nullopt;
    const auto blob = DelegationBlob::open(hit.blob());
    if (!blob) return std::nullopt;
    return Found{.cut = cut, .delegation = *blob, .lifetime = hit.lifetime()};
  }

  // The fresh delegation nearest above `name`, or at it: one look-up for each label at most. For DS records,
  // which the parent has, ask with name.parent() (RFC 4035 section 3.1.4.1).
  std::optional<Found> deepest(typename S::Reader& reader, Dname name, WallTime now, Class rclass = Class::in,
                               uint16_t realm = 0) const {
    while (true) {
      if (const auto found = find(reader, name, rclass, realm); found && found->lifetime.fresh(now))
        return found;
      if (name.is_root()) return std::nullopt;
      name = name.parent();
    }
  }

  // Keeps `delegation` where it is fresh and no flush came since `began`. Whether it is kept.
  bool put(Dname cut, const DelegationBlob& delegation, WallTime now,
           std::optional<uint64_t> began = std::nullopt, Class rclass = Class::in, uint16_t realm = 0) {
    if (delegation.expires_at() <= now) return false;
    ViewKey key;
    assign(key, cut, rclass, realm);
    const auto store = [&] {
      return store_.put(key.store_key(), lifetime_of(delegation.stored_at(), delegation.ttl()),
                        delegation.octets());
    };
    return flushes_ && began ? flushes_->unless_raised(*began, store) : store();
  }

  bool remove(Dname cut, Class rclass = Class::in) {
    ViewKey key;
    assign(key, cut, rclass);
    return store_.remove(key.store_key());
  }

 private:
  void assign(ViewKey& key, Dname cut, Class rclass, uint16_t realm = 0) const {
    key.assign(key_prefix(KeyView::delegation, Type::ns, rclass, realm), cut.wire(), secret_);
  }

  S& store_;
  const HashSecret& secret_;
  FlushGeneration* flushes_;
};

}  // namespace peregrine
