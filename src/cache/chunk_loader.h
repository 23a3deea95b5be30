// Entries of a cache file's chunks on their way into a store that is in use already.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/function_ref.h"
#include "cache/removal_journal.h"
#include "cache/restored_entry.h"
#include "cache/store.h"

namespace peregrine {

// The store to load into. Others may use it meanwhile.
struct LoadTarget {
  FunctionRef<void(uint64_t hash)> prefetch;  // of a key that is put soon
  // As a store's put_if().
  FunctionRef<bool(const StoreKey& key, const Lifetime& lifetime, Bytes blob, Decide decide)> put;
  // Removes the entry where decide() says so; removals() of the file need not hear of it.
  FunctionRef<void(const StoreKey& key, Decide decide)> forget;
};

struct Loading {
  const HashSecret& secret;  // of the file's hash_key()
  WallTime now;              // nothing of the store was stored before, but what comes from the file
  uint64_t rules;       // a fingerprint of what entries depend on: nothing is loaded that was under others
  uint32_t generation;  // answers get this policy generation
  // Nothing is good for longer after it was stored, whatever the file says of it.
  std::chrono::seconds longest_lifetime = std::chrono::days{7};
};

// Entries.
struct LoadCounts {
  uint64_t loaded = 0;      // older ones of the same key with them
  uint64_t superseded = 0;  // not loaded: the store has a later one, which it was given meanwhile
  uint64_t expired = 0;
  uint64_t removed = 0;  // after they had been written
  uint64_t from_future = 0;
  uint64_t malformed = 0;  // or octets that are no entries, and what is behind them
};

// One thread. What its references lead to outlives it.
class ChunkLoader {
 public:
  ChunkLoader(const Loading& loading, const RemovalJournal& journal, LoadTarget target)
      : loading_(loading),
        journal_(journal),
        target_(target),
        checker_(loading.secret, loading.now, loading.longest_lifetime) {}
  // Chunks come in the order of their sequences. Any octets may be in one; blobs are changed in place.
  void load(MutableBytes chunk, uint64_t sequence);
  const LoadCounts& counts() const { return counts_; }

 private:
  void load_entry(const EntryView& entry, MutableBytes blob);
  void refuse(EntryFault fault);
  bool may_replace(const StoredEntry& old) const;

  Loading loading_;
  const RemovalJournal& journal_;
  LoadTarget target_;
  EntryChecker checker_;
  LoadCounts counts_;
};

}  // namespace peregrine
