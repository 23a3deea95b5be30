// The Store: a map from key octets to an immutable blob, bounded in octets. Several implementations, one
// contract.
#pragma once

#include <cassert>
#include <concepts>
#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"
#include "wire/message_view.h"

namespace peregrine {

// The views of one store, told apart by an octet of their keys.
enum class KeyView : uint8_t { answer, rrset, delegation, denial };

// A key and its keyed hash. The octets are the caller's.
struct StoreKey {
  Bytes octets;  // at most max_store_key
  uint64_t hash;
};
inline constexpr size_t max_store_key = 288;
// The largest message, in which an RR takes at least 11 octets, with a header and a two-octet offset per RR.
inline constexpr size_t max_blob = max_message_size + 64 + max_message_size / 11 * 2;

// When a blob is no longer fresh. Wall-clock: it survives a restart.
struct Lifetime {
  WallTime refresh_at;  // from here on it is worth fetching anew; <= expires_at
  WallTime expires_at;  // from here on it is stale
  bool fresh(WallTime now) const { return now < expires_at; }
  bool refresh_due(WallTime now) const { return now >= refresh_at; }
};

// What find() gives: a view of a blob that stays whole until its reader's next quiet point (never across an
// await). Debug builds check that.
class Hit {
 public:
  Hit() = default;  // a miss
  Hit(Bytes blob, Lifetime lifetime, const uint64_t* reader_epoch)
      : blob_(blob), lifetime_(lifetime), reader_epoch_(reader_epoch), epoch_(*reader_epoch) {}
  explicit operator bool() const { return reader_epoch_ != nullptr; }
  Bytes blob() const {
    assert(reader_epoch_ && *reader_epoch_ == epoch_ && "a Hit was used after its reader's quiet point");
    return blob_;
  }
  const Lifetime& lifetime() const { return lifetime_; }

 private:
  Bytes blob_;
  Lifetime lifetime_{};
  const uint64_t* reader_epoch_ = nullptr;
  [[maybe_unused]] uint64_t epoch_ = 0;  // read by the assertion only
};

struct StoreStats {
  uint64_t entries = 0;
  uint64_t octets = 0;    // in use, overheads and what only Hits keep included; <= capacity
  uint64_t capacity = 0;  // octets allowed
  uint64_t inserted = 0, replaced = 0, removed = 0, evicted = 0, expired = 0, refused = 0;  // since the start
};

// S::Reader is one thread's handle: made from a Store, which outlives it.
template <class S>
concept Store = requires(S& store, typename S::Reader& reader, const StoreKey& key, const Lifetime& lifetime,
                         WallTime now, Bytes blob) {
  { typename S::Reader(store) };
  // Hints for a key that will be looked up soon, one after the other for a whole batch: first the index's
  // line is on its way, then the entry's.
  { reader.prefetch(key.hash) };
  { reader.prefetch_entry(key.hash) };
  { reader.find(key) } -> std::same_as<Hit>;  // fresh or stale: the caller compares
  { reader.quiet() };                         // every Hit of this reader is given up
  { reader.offline() };                       // quiet, and stays so until online(): before blocking
  { reader.online() };
  // Thread-safe. Replaces what was there. False where the blob cannot be held (over max_blob, or too large
  // for the store): what was there is gone all the same, so that an old blob never outlives a newer one.
  { store.put(key, lifetime, blob) } -> std::same_as<bool>;
  { store.remove(key) } -> std::same_as<bool>;  // whether it was there
  { store.clear() };
  { store.tell_time(now) };  // the wall clock as it is now, so that what has expired goes first; thread-safe
  { store.stats() } -> std::same_as<StoreStats>;
};

}  // namespace peregrine
