// Empties segments: entries in use are copied forward, the others go with their segment. The roles are those
// of S3-FIFO (J. Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), over segments as
// in Segcache (J. Yang et al., NSDI 2021).
//
// The work is done by writers, a little with each put(), ahead of need: so no thread is needed and no put()
// waits for a whole segment.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "cache/arena_index.h"
#include "cache/arena_segments.h"

namespace peregrine {

class ArenaCounters;

// Thread-safe. No bucket's lock may be held by the caller.
class ArenaEviction {
 public:
  ArenaEviction(ArenaIndex& index, ArenaSegments& segments, ArenaCounters& counters)
      : index_(index), segments_(segments), counters_(counters) {}

  // Where fewer segments are spare than the reserve: some work, in proportion to the `granules` that a put
  // has just taken. While another thread is at it, that is owed, and done with later puts.
  void work_ahead(uint32_t granules);
  // Empties segments until one is free. False where that has to wait for readers.
  bool make_room();

  void tell_time(uint32_t now) {
    if (now_.load(std::memory_order_relaxed) != now) now_.store(now, std::memory_order_relaxed);
  }
  uint32_t now() const { return now_.load(std::memory_order_relaxed); }

 private:
  // Under mutex_.
  bool have_victim();
  bool empty(uint32_t granules);
  bool evict(ArenaRef ref);
  bool is_kept(ArenaPlace place, const EntryHeader& header) const;
  bool move(ArenaGroup& group, ArenaPlace place, const EntryHeader& header);
  void finish();
  void prefetch_from(uint32_t offset) const;

  ArenaIndex& index_;
  ArenaSegments& segments_;
  ArenaCounters& counters_;
  alignas(64) std::atomic<uint32_t> now_ = 0;

  alignas(64) std::atomic<uint64_t> owed_ = 0;  // granules; grows without mutex_, shrinks under it
  std::mutex mutex_;
  uint32_t victim_ = ArenaSegments::none;
  ArenaRing ring_{};       // of the victim
  bool sparse_ = false;    // so much of the victim is dead that all that is not is copied forward
  uint32_t end_ = 0;       // of the victim's entries, in granules
  uint32_t at_ = 0;        // the next entry
  uint32_t kept_ = 0;      // granules of this victim that were copied forward
  unsigned pressure_ = 0;  // entries of main must have been found more often than this to be kept
};

}  // namespace peregrine
