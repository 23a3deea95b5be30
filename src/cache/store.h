// The Store: a map from key octets to an immutable blob, bounded in octets. Several implementations, one
// contract.
#pragma once

#include <cassert>
#include <concepts>
#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/function_ref.h"
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

// Stored by a wall clock that was ahead: what was stored would live as much longer. A little is let pass.
inline bool is_from_future(WallTime stored_at, WallTime now) {
  return stored_at > now + std::chrono::seconds(5);
}

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

// An entry as decide() and visit() below see it, valid while they are called.
struct StoredEntry {
  StoreKey key;  // some of the hash's bits may be zero
  Lifetime lifetime;
  Bytes blob;
  unsigned frequency;  // how often it was found of late, 0 to 3; 0 where the store does not count
};
using Decide = FunctionRef<bool(const StoredEntry& old)>;
enum class ScanAction : uint8_t { keep, remove };
using Visit = FunctionRef<ScanAction(const StoredEntry& entry)>;

struct StoreStats {
  uint64_t entries = 0;
  uint64_t octets = 0;    // in use, overheads and what only Hits keep included; <= capacity
  uint64_t capacity = 0;  // octets allowed
  uint64_t inserted = 0, replaced = 0, removed = 0, evicted = 0, expired = 0, refused = 0;  // since the start

  // Parts of `octets`; the rest are fixed overheads.
  uint64_t octets_live = 0;   // entries that can be found, their headers and padding included
  uint64_t octets_dead = 0;   // entries that cannot, whose room is not free yet
  uint64_t octets_index = 0;  // what finds them
  // Parts of `evicted`. What had expired is in `expired` and not here.
  uint64_t evicted_cold = 0;     // to make room, rarely used or long ago
  uint64_t evicted_crowded = 0;  // because its place in the index was needed
  uint64_t moved = 0;  // entries copied forward, because they were in use or much beside them was dead
};

// S::Reader is one thread's handle: made from a Store, which outlives it.
template <class S>
concept Store =
    requires(S& store, typename S::Reader& reader, const StoreKey& key, const Lifetime& lifetime,
             WallTime now, Bytes blob, Decide decide, Visit visit, typename S::Reader::Candidate candidate) {
      { typename S::Reader(store) };
      // Hints for a key that will be looked up soon, one after the other for a whole batch: first the index's
      // line is on its way, then the entry's. `candidate` remembers what was seen.
      { reader.prefetch(candidate, key.hash) };
      { reader.prefetch_entry(candidate, key.hash) };
      { reader.find(key) } -> std::same_as<Hit>;  // fresh or stale: the caller compares
      // Looks only where prefetch_entry() has, since the last quiet point: quick, and what it does not find
      // may be there all the same.
      { reader.find_at(candidate, key) } -> std::same_as<Hit>;
      { reader.quiet() };    // every Hit of this reader is given up
      { reader.offline() };  // quiet, and stays so until online(): before blocking
      { reader.online() };
      // Thread-safe. Replaces what was there. False where the blob cannot be held (over max_blob, or too
      // large for the store): what was there is gone all the same, so that an old blob never outlives a newer
      // one.
      { store.put(key, lifetime, blob) } -> std::same_as<bool>;
      // put(), but where the key is there decide() says first whether the blob may replace it. False as well
      // where it may not: what was there stays. decide() is called under the key's lock: it must be short,
      // must not call the store, and may be called again with what is there then.
      { store.put_if(key, lifetime, blob, decide) } -> std::same_as<bool>;
      { store.remove(key) } -> std::same_as<bool>;  // whether it was there
      { store.clear() };
      // Visits the entries in no order: every one that is there throughout, and of the others some. Those
      // that are replaced meanwhile may come as they were or as they are, or not. `remove` removes exactly
      // what was seen. Takes long and allocates: for one thread that is no worker. Readers are never held up
      // by it, writers not for long, however long visit() takes; it may call the store.
      { store.scan(visit) };
      {
        store.tell_time(now)
      };  // the wall clock as it is now, so that what has expired goes first; thread-safe
      { store.stats() } -> std::same_as<StoreStats>;
    };

}  // namespace peregrine
