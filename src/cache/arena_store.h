// A Store whose readers take no lock and write nothing but how often an entry was found.
//
// Entries are appended to segments of one region; an index of buckets, each a cache line, refers to them by
// 32-bit granules; segments are emptied whole, in the order that S3-FIFO gives them, and used again when
// every reader has been quiet since. docs/design/store.md says why.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

#include "cache/arena_counters.h"
#include "cache/arena_epochs.h"
#include "cache/arena_eviction.h"
#include "cache/arena_hooks.h"
#include "cache/arena_index.h"
#include "cache/arena_memory.h"
#include "cache/arena_segments.h"
#include "cache/store.h"

namespace peregrine {

// Beside the contract of Store:
// - Of StoreKey::hash the lower 48 bits count (cache/arena_layout.h). Keys that share the upper 32 of these
//   share a bucket, which holds seven: one more evicts the least used of them.
// - Times are kept in 32 bits of seconds and refresh_at within max_refresh_lead of expires_at.
// - A Reader is online when it is made. One that stays online without a quiet point keeps segments from being
//   used again; when the reserve is used up, put() refuses.
// - Expired entries stay findable until their room is needed.
class ArenaStore {
 public:
  // Everything but the object itself lies in at most `capacity` octets, which are mapped at once and become
  // resident as they are used. Below some tens of kilobytes nothing can be stored. Throws std::runtime_error
  // where this machine does not have that much.
  explicit ArenaStore(uint64_t capacity);
  ArenaStore(const ArenaStore&) = delete;
  ArenaStore& operator=(const ArenaStore&) = delete;

  class Reader {
   public:
    explicit Reader(ArenaStore& store);  // throws std::runtime_error where there are too many
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    void prefetch(uint64_t hash) const { __builtin_prefetch(&bucket(hash)); }
    void prefetch_entry(uint64_t hash) const;
    Hit find(const StoreKey& key);
    void quiet();  // only while online
    void offline();
    void online();

   private:
    ArenaBucket& bucket(uint64_t hash) const { return buckets_[spread(hash, bucket_count_)]; }

    // Copies of what never changes.
    ArenaBucket* buckets_;
    uint64_t bucket_count_;
    const std::byte* entries_;
    const ArenaEpochs* epochs_;
    ArenaEpochs::Slot* slot_;
    uint64_t epoch_ = 0;  // counts quiet points: what Hits are checked by
  };

  void tell_time(WallTime now) { eviction_.tell_time(EntryHeader::seconds(now)); }
  bool put(const StoreKey& key, const Lifetime& lifetime, Bytes blob);
  bool put_if(const StoreKey& key, const Lifetime& lifetime, Bytes blob, Decide decide);
  bool remove(const StoreKey& key);
  void clear();
  void scan(Visit visit);
  StoreStats stats() const;
  const ArenaGeometry& geometry() const { return geometry_; }

 private:
  enum class Outcome : uint8_t { stored, declined, no_room };

  bool put(const StoreKey& key, const Lifetime& lifetime, Bytes blob, const Decide* decide);
  Outcome try_put(const StoreKey& key, const Lifetime& lifetime, Bytes blob, const Decide* decide);
  bool can_hold(const StoreKey& key, Bytes blob) const;
  void refuse(const StoreKey& key, const Decide* decide);
  unsigned find(const ArenaBucket& bucket, const StoreKey& key) const;
  void write(ArenaRef ref, const StoreKey& key, const Lifetime& lifetime, Bytes blob);
  void drop(ArenaBucket& bucket, unsigned slot, ArenaCount why);
  StoredEntry stored(const ArenaBucket& bucket, unsigned slot) const;
  struct Copy;
  void copy_entries(const ArenaBucket& bucket, std::vector<Copy>& copies);
  void remove_copied(ArenaBucket& bucket, const Copy& copy);

  ArenaGeometry geometry_;
  ArenaRegion region_;
  ArenaEpochs epochs_;
  ArenaIndex index_;
  ArenaSegments segments_;
  ArenaCounters counters_;
  ArenaEviction eviction_;
  std::mutex scanning_;  // of scan_slot_
  ArenaEpochs::Slot& scan_slot_;
};

// Whether `size` octets are the same; nothing else is read.
inline bool same_octets(const uint8_t* a, const uint8_t* b, size_t size) {
  if (size < 16) return std::memcmp(a, b, size) == 0;
  for (size_t i = 0; i + 16 < size; i += 16)
    if (std::memcmp(a + i, b + i, 16) != 0) return false;
  return std::memcmp(a + size - 16, b + size - 16, 16) == 0;
}

inline const EntryHeader& entry_header(const std::byte* entry) {
  return *reinterpret_cast<const EntryHeader*>(entry);
}
inline const uint8_t* entry_octets(const std::byte* entry) {
  return reinterpret_cast<const uint8_t*>(entry + sizeof(EntryHeader));
}
inline bool has_key(const std::byte* entry, const StoreKey& key) {
  return entry_header(entry).key_size() == key.octets.size() &&
         same_octets(entry_octets(entry), key.octets.data(), key.octets.size());
}

inline void ArenaStore::Reader::prefetch_entry(uint64_t hash) const {
  const ArenaBucket& at = bucket(hash);
  unsigned matches = at.match(tag_of(hash));
  if (!matches) return;
  const ArenaSlot slot = at.slot(ArenaBucket::next_match(matches));
  const std::byte* entry = entries_ + size_t{slot.ref()} * granule;
  __builtin_prefetch(entry);
  __builtin_prefetch(entry + 64);
  __builtin_prefetch(entry + size_t{slot.granules()} * granule - 1);
}

// What a slot refers to is whole and stays so until this reader's next quiet point: it was written before the
// slot was, and its segment waits for us.
inline Hit ArenaStore::Reader::find(const StoreKey& key) {
  assert(slot_->announced.load(std::memory_order_relaxed) != ArenaEpochs::offline && "find() while offline");
  ArenaBucket& at = bucket(key.hash);
  for (unsigned matches = at.match(tag_of(key.hash)); matches;) {
    const unsigned i = ArenaBucket::next_match(matches);
    const ArenaSlot slot = at.slot(i);
    if (!slot) continue;
    arena_step(ArenaStep::slot_read);
    const std::byte* entry = entries_ + size_t{slot.ref()} * granule;
    if (!has_key(entry, key)) continue;
    at.count_use(i);
    const EntryHeader& header = entry_header(entry);
    return {Bytes(entry_octets(entry) + key.octets.size(), header.blob_size()), header.lifetime(), &epoch_};
  }
  return {};
}

inline void ArenaStore::Reader::quiet() {
  assert(slot_->announced.load(std::memory_order_relaxed) != ArenaEpochs::offline && "quiet() while offline");
  ++epoch_;
  epochs_->quiet(*slot_);
}

inline void ArenaStore::Reader::offline() {
  ++epoch_;
  ArenaEpochs::go_offline(*slot_);
}

inline void ArenaStore::Reader::online() { epochs_->go_online(*slot_); }

static_assert(Store<ArenaStore>);

}  // namespace peregrine
