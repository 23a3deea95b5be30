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
#include "cache/removal_log.h"
#include "cache/store.h"

namespace peregrine {

// Beside the contract of Store:
// - Of StoreKey::hash the lower 48 bits count (cache/arena_layout.h). Keys that share the upper 32 of these
//   share a group of 28 slots: one more evicts the least used of them.
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

    // What a slot held that may be the key's.
    struct Candidate {
      ArenaBucket* bucket = nullptr;
      unsigned slot_number = 0;
      ArenaSlot slot;
    };
    void prefetch(Candidate& candidate, uint64_t hash) const {
      candidate.bucket = &home(hash);
      __builtin_prefetch(candidate.bucket);
    }
    void prefetch_entry(Candidate& candidate, uint64_t hash) const;
    Hit find(const StoreKey& key);
    Hit find_at(const Candidate& candidate, const StoreKey& key) const;
    void quiet();  // only while online
    void offline();
    void online();

   private:
    ArenaBucket& home(uint64_t hash) const { return buckets_[spread(hash, bucket_count_)]; }
    // Where the first slot of the tag is another key's: hardly ever.
    Hit find_further(const StoreKey& key) const;
    Hit find_displaced(const StoreKey& key) const;
    Hit find_in(ArenaBucket& bucket, const StoreKey& key) const;
    const std::byte* entry(ArenaSlot slot) const { return entries_ + size_t{slot.ref()} * granule; }
    Hit hit(ArenaBucket& bucket, unsigned slot_number, const std::byte* entry) const;

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
  // remove() where the key is there and decide() says so, as in put_if(). The removal log is not told.
  bool forget_if(const StoreKey& key, Decide decide);
  void clear();
  void scan(Visit visit);
  StoreStats stats() const;
  const ArenaGeometry& geometry() const { return geometry_; }
  // A hint for a key that will be put soon.
  void prefetch_to_put(uint64_t hash) const { index_.prefetch_to_write(hash); }
  // What is removed from here on, there or not, is told to `log`, which outlives the store's use. Before
  // others use the store.
  void log_removals(RemovalLog& log) { removal_log_ = &log; }

 private:
  friend class ArenaEntries;
  enum class Outcome : uint8_t { stored, declined, no_room };

  bool put(const StoreKey& key, const Lifetime& lifetime, Bytes blob, const Decide* decide);
  // `had_ghost` is kept from one try to the next: a ghost is there only once.
  Outcome try_put(const StoreKey& key, const EntryHeader& header, Bytes blob, const Decide* decide,
                  bool& had_ghost);
  bool can_hold(const StoreKey& key, Bytes blob) const;
  void refuse(const StoreKey& key, const Decide* decide);
  ArenaPlace find(const ArenaGroup& group, const StoreKey& key) const;
  ArenaPlace place_for(const ArenaGroup& group, uint16_t tag);
  void write(ArenaRef ref, const EntryHeader& header, const StoreKey& key, Bytes blob);
  void drop(ArenaPlace place, ArenaCount why);
  StoredEntry stored(ArenaPlace place) const;
  struct Copy;
  struct ScanRemovals;
  void copy_entries(const ArenaBucket& bucket, std::vector<Copy>& copies);
  void remove_copied(const Copy& copy);

  ArenaGeometry geometry_;
  ArenaRegion region_;
  ArenaEpochs epochs_;
  ArenaIndex index_;
  ArenaSegments segments_;
  ArenaCounters counters_;
  ArenaEviction eviction_;
  std::mutex copying_;  // of scan_slot_
  ArenaEpochs::Slot& scan_slot_;
  RemovalLog* removal_log_ = nullptr;
};

// Whether `size` octets are the same; nothing else is read. Words that overlap at the end, and no call: that
// would have the caller save its registers.
inline bool same_octets(const uint8_t* a, const uint8_t* b, size_t size) {
  const auto difference = [&]<class Word>(size_t at, Word x) {
    Word y;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    return x ^ y;
  };
  using Lane = uint64_t __attribute__((vector_size(16)));
  if (size >= sizeof(Lane)) {
    Lane all = difference(0, Lane()) | difference(size - sizeof(Lane), Lane());
#pragma clang loop unroll(disable)  // most keys have two or three lanes
    for (size_t at = sizeof(Lane); at + sizeof(Lane) < size; at += sizeof(Lane))
      all |= difference(at, Lane());
    return (all[0] | all[1]) == 0;
  }
  if (size >= 8) return (difference(0, uint64_t()) | difference(size - 8, uint64_t())) == 0;
#pragma clang loop unroll(disable)
  for (size_t at = 0; at < size; ++at)
    if (a[at] != b[at]) return false;
  return true;
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

inline void ArenaStore::Reader::prefetch_entry(Candidate& candidate, uint64_t hash) const {
  ArenaBucket& bucket = *candidate.bucket;
  assert(&bucket == &home(hash) && "prefetch_entry() before prefetch()");
  unsigned matches = bucket.match(tag_of(hash));
  if (!matches) {
    if (bucket.displaced())
      for (unsigned distance = 1; distance < ArenaGroup::buckets; ++distance)
        __builtin_prefetch(&bucket.neighbour(distance));
    candidate.slot = {};
    return;
  }
  const unsigned i = ArenaBucket::next_match(matches);
  const ArenaSlot slot = bucket.slot(i);
  const std::byte* first = entry(slot);
  __builtin_prefetch(first);
  __builtin_prefetch(first + 64);
  __builtin_prefetch(first + size_t{slot.granules()} * granule - 1);
  candidate.slot_number = i;
  candidate.slot = slot;
}

// What a slot refers to is whole and stays so until this reader's next quiet point: it was written before the
// slot was, and its segment waits for us.
[[gnu::always_inline]] inline Hit ArenaStore::Reader::find(const StoreKey& key) {
  assert(slot_->announced.load(std::memory_order_relaxed) != ArenaEpochs::offline && "find() while offline");
  ArenaBucket& bucket = home(key.hash);
  unsigned matches = bucket.match(tag_of(key.hash));
  if (!matches) return bucket.displaced() ? find_displaced(key) : Hit();
  const unsigned i = ArenaBucket::next_match(matches);
  const ArenaSlot slot = bucket.slot(i);
  arena_step(ArenaStep::slot_read);
  const std::byte* found = entry(slot);
  return slot && has_key(found, key) ? hit(bucket, i, found) : find_further(key);
}

// Most often the slot still holds what it held a moment ago, and that is the key's.
inline Hit ArenaStore::Reader::find_at(const Candidate& candidate, const StoreKey& key) const {
  assert(slot_->announced.load(std::memory_order_relaxed) != ArenaEpochs::offline && "find() while offline");
  if (!candidate.slot || candidate.bucket->slot(candidate.slot_number) != candidate.slot) return {};
  const std::byte* found = entry(candidate.slot);
  return has_key(found, key) ? hit(*candidate.bucket, candidate.slot_number, found) : Hit();
}

inline Hit ArenaStore::Reader::hit(ArenaBucket& bucket, unsigned slot_number, const std::byte* entry) const {
  bucket.count_use(slot_number);
  const EntryHeader& header = entry_header(entry);
  return {Bytes(entry_octets(entry) + header.key_size(), header.blob_size()), header.lifetime(), &epoch_};
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
