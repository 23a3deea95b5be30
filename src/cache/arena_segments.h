// The segments of an ArenaStore: where entries are appended, in which order segments were filled, and which
// wait to be used again.
//
// A segment is free, then open (one of each ring), then sealed in its ring's queue, then a victim while it is
// emptied, then retired until a grace period has passed, then free.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "cache/arena_epochs.h"
#include "cache/arena_index.h"
#include "cache/arena_layout.h"

namespace peregrine {

// As the small and the main queue of S3-FIFO (J. Yang et al., SOSP 2023), over segments.
enum class ArenaRing : uint8_t { probation, main };

// What only writers and maintenance touch. In granules.
struct alignas(64) ArenaSegment {
  enum class State : uint8_t { free, open, sealed, victim, retired };

  std::atomic<uint32_t> committed;      // of entries that are whole and were linked once
  std::atomic<uint32_t> dead;           // of those, not linked any more
  std::atomic<uint32_t> latest_expiry;  // at least that of every entry: seconds since 1970
  std::atomic<uint32_t> used;           // up to here there are entries; 0 until it is sealed
  std::atomic<State> state;
  std::atomic<ArenaRing> ring;
  std::atomic<uint64_t> sequence;  // counts openings over all segments, from 1

  // Granules of entries by how long they still had when they were written: up to a minute, five, an hour.
  static constexpr std::array<uint32_t, 3> spans{60, 300, 3600};
  std::array<std::atomic<uint32_t>, spans.size()> within;
  std::atomic<uint32_t> written_at;  // the last entry: seconds since 1970, by what the store was told

  // Under the lock of ArenaSegments.
  uint32_t newer, older;
  uint64_t reusable_at;  // the epoch

  // Sealed, and no writer is between its room and its commit: nothing of it changes any more but `dead`.
  bool complete() const {
    const uint32_t end = used.load(std::memory_order_acquire);
    return end != 0 && committed.load(std::memory_order_acquire) == end;
  }
  bool fully_dead() const {
    return dead.load(std::memory_order_acquire) == used.load(std::memory_order_relaxed);
  }
  // Granules that are dead or have expired: as many at least, hardly ever more.
  uint32_t wasted(uint32_t now) const;
};
static_assert(sizeof(ArenaSegment) == 64);

// Thread-safe.
class ArenaSegments {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  ArenaSegments(std::span<ArenaSegment> table, std::byte* memory, uint32_t segment_octets,
                ArenaEpochs& epochs);

  // Room for an entry at the end of the ring's open segment, or of a free one that becomes it; nothing where
  // there is none. Whoever gets room must fill it and commit it.
  std::optional<ArenaRef> append(ArenaRing ring, uint32_t granules);
  void commit(ArenaRef ref, uint32_t granules, uint32_t expires_at, uint32_t now);
  void kill(ArenaRef ref, uint32_t granules);  // an entry was unlinked

  // A complete sealed segment to be emptied, out of its queue: one without a live entry or all of whose
  // entries have expired; else a sparse one; else the oldest of probation if that has over a tenth of what is
  // sealed; else the oldest of main. `none` where there is none.
  uint32_t take_victim(uint32_t now);
  // So much of it is dead or has expired that it is worth its room to copy all the others forward (the
  // cleaning of M. Rosenblum and J. Ousterhout, "The design and implementation of a log-structured file
  // system", 1992).
  bool sparse(const ArenaSegment& segment, uint32_t now) const;
  void retire(uint32_t victim);  // nothing links to it any more

  bool has_free();  // after taking back what has waited long enough
  // Free segments and those that will be as soon as the readers' quiet points come.
  uint32_t spare() const { return spare_.load(std::memory_order_relaxed); }
  // As many as are kept spare by emptying others ahead of need.
  uint32_t reserve() const { return reserve_; }

  const std::byte* at(ArenaRef ref) const { return memory_ + size_t{ref} * granule; }
  std::byte* at(ArenaRef ref) { return memory_ + size_t{ref} * granule; }
  ArenaSegment& segment_of(ArenaRef ref) { return table_[ref / segment_granules_]; }
  ArenaRing ring_of(ArenaRef ref) { return segment_of(ref).ring.load(std::memory_order_relaxed); }
  ArenaRef first_ref(uint32_t segment) const { return segment * segment_granules_; }
  std::span<ArenaSegment> table() const { return table_; }
  uint32_t segment_granules() const { return segment_granules_; }

  // How far a segment holds entries that are whole and were linked, and which opening of it that is. Nothing
  // of that changes as long as a reader is online that was so before. `granules` is 0 while nobody can tell,
  // because writers are at work in it; `sequence` where nothing is there to be found.
  struct Filled {
    uint64_t sequence = 0;
    uint32_t granules = 0;
  };
  Filled filled(uint32_t segment);

  struct Use {
    uint64_t live = 0, dead = 0;  // octets; what has been given up at a segment's end is dead
  };
  Use use() const;

 private:
  // The upper half is the segment, the lower the granules used: one word, so that room is taken by one CAS.
  struct alignas(64) Open {
    std::atomic<uint64_t> state = uint64_t{none} << 32;
    std::mutex replacing;
  };
  struct Queue {
    uint32_t oldest = none, newest = none, count = 0;
  };

  std::optional<ArenaRef> take_room(Open& open, uint32_t granules);
  bool replace(ArenaRing ring, uint32_t granules);
  uint32_t take_free();
  void reclaim();
  void push(Queue& queue, uint32_t segment);
  void remove(Queue& queue, uint32_t segment);
  uint32_t find_wasteful(uint32_t now);
  uint32_t oldest_complete(const Queue& queue) const;
  Queue& queue(ArenaRing ring) { return queues_[static_cast<size_t>(ring)]; }

  std::span<ArenaSegment> table_;
  std::byte* memory_;
  uint32_t segment_granules_;
  uint32_t least_sparse_;  // wasted granules
  uint32_t reserve_;
  ArenaEpochs& epochs_;
  std::array<Open, 2> open_;
  alignas(64) std::atomic<uint32_t> spare_;

  std::mutex lock_;  // of what follows, and of the queues' links
  std::array<Queue, 2> queues_;
  Queue free_, retired_;
  uint32_t looked_at_ = 0;
  uint64_t sequence_ = 0;
};

}  // namespace peregrine
