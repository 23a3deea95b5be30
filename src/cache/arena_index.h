// The index of an ArenaStore: buckets of one cache line, each with seven slots. Readers take no lock; writers
// take one for four buckets. A slot changes by one store of eight octets, so that a reader sees either what
// was there or what is there.
//
// A key is in its home bucket, or where that was full in one of the three beside it: with groups of 28 slots
// nearly all entries of a full store find a place, while a look-up hardly ever goes beyond the one line that
// was prefetched (docs/design/store.md has the numbers).
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <span>

#include "cache/arena_layout.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace peregrine {

// Where an entry is: its granule, counted from the first segment's start. Position-independent.
using ArenaRef = uint32_t;

// What a slot holds; empty where it is zero.
class ArenaSlot {
 public:
  ArenaSlot() = default;
  explicit ArenaSlot(uint64_t word) : word_(word) {}
  ArenaSlot(uint16_t tag, unsigned distance, uint32_t granules, ArenaRef ref)
      : word_(uint64_t{tag} << 48 | uint64_t{distance} << 46 | uint64_t{granules} << 32 | ref) {}
  explicit operator bool() const { return word_ != 0; }
  uint16_t tag() const { return static_cast<uint16_t>(word_ >> 48); }
  unsigned distance() const { return word_ >> 46 & 3; }             // the bucket's from its home
  uint32_t granules() const { return word_ >> 32 & max_granules; }  // >= 1
  ArenaRef ref() const { return static_cast<uint32_t>(word_); }
  uint64_t word() const { return word_; }
  bool operator==(const ArenaSlot&) const = default;
  static constexpr uint32_t max_granules = (1 << 14) - 1;

 private:
  uint64_t word_ = 0;
};
static_assert(max_entry_octets / granule <= ArenaSlot::max_granules);

class alignas(64) ArenaBucket {
 public:
  static constexpr unsigned slot_count = 7;
  static constexpr unsigned most_frequent = 3;
  static constexpr unsigned group_buckets = 4;  // buckets that help each other out

  // Slots that may hold `tag`: bit 2 * i for slot i, and nothing else. A hint for readers, who load the slot
  // after it.
  unsigned match(uint16_t tag) const;
  static unsigned next_match(unsigned& matches) {  // matches != 0
    const auto bit = static_cast<unsigned>(std::countr_zero(matches));
    matches &= matches - 1;
    return bit / 2;
  }
  ArenaSlot slot(unsigned i) const { return ArenaSlot(slots_[i].load(std::memory_order_acquire)); }

  // How often the slot's entry was found of late, 0 to 3. Two threads that count at once may lose one of the
  // two, or count for an entry that has just gone: a wrong count makes an eviction less good, nothing else.
  unsigned frequency(unsigned i) const {
    return frequencies_.load(std::memory_order_relaxed) >> (2 * i) & most_frequent;
  }
  void count_use(unsigned i) {
    const unsigned all = frequencies_.load(std::memory_order_relaxed);
    const unsigned mask = most_frequent << (2 * i);
    if ((all & mask) == mask) return;
    frequencies_.store(static_cast<uint16_t>(all + (1u << 2 * i)), std::memory_order_relaxed);
  }

  // The bucket at `distance` in this one's group; neighbour() of that is this one again.
  ArenaBucket& neighbour(unsigned distance) { return *(&group_first() + (place_in_group() ^ distance)); }
  ArenaBucket& group_first() { return *(this - place_in_group()); }
  bool empty() const;
  // How many entries whose home this is are elsewhere.
  unsigned displaced() const { return displaced_.load(std::memory_order_relaxed); }

 private:
  friend class ArenaGroup;
  // Groups begin at multiples of their size.
  unsigned place_in_group() const {
    return static_cast<unsigned>(reinterpret_cast<uintptr_t>(this) / sizeof(ArenaBucket) % group_buckets);
  }
  unsigned match_each(uint16_t tag) const;
  void set_frequency(unsigned i, unsigned frequency);

  std::atomic<uint64_t> slots_[slot_count];
  std::atomic<uint16_t> frequencies_;  // apart from the others, so that readers' stores do not touch them
  std::atomic<uint8_t> displaced_;
  std::atomic<uint32_t> locked_;  // in a group's first bucket: the group's lock
};
static_assert(sizeof(ArenaBucket) == 64);

// A slot of some bucket, or none.
struct ArenaPlace {
  ArenaBucket* bucket = nullptr;
  unsigned slot = 0;
  explicit operator bool() const { return bucket != nullptr; }
  ArenaSlot read() const { return bucket->slot(slot); }
  unsigned frequency() const { return bucket->frequency(slot); }
  ArenaBucket& home() const { return bucket->neighbour(read().distance()); }  // of the entry that is there
};

// A home bucket and those beside it, locked as long as this lives: what writers see. Held for the time of a
// copy at most; who holds one must not take another. What the slots refer to is not used again meanwhile,
// because its segment cannot be emptied.
class ArenaGroup {
 public:
  static constexpr unsigned buckets = ArenaBucket::group_buckets;

  explicit ArenaGroup(ArenaBucket& home);  // waits for the lock
  ~ArenaGroup() { lock_.store(0, std::memory_order_release); }
  ArenaGroup(const ArenaGroup&) = delete;
  ArenaGroup& operator=(const ArenaGroup&) = delete;

  // The first place among those where keys of this home can be for which `wanted` holds.
  template <class Wanted>
  ArenaPlace find(uint16_t tag, Wanted wanted) const;
  ArenaPlace find(uint16_t tag, ArenaRef ref) const;
  ArenaPlace find_empty() const;
  // The least used of a group without an empty slot; among equals chance decides, which `tag` is.
  ArenaPlace find_coldest(uint16_t tag) const;

  void set(ArenaPlace place, uint16_t tag, uint32_t granules, ArenaRef ref, unsigned frequency);
  static void clear(ArenaPlace place);  // of any home in the group

 private:
  unsigned distance_of(const ArenaBucket& bucket) const;

  ArenaBucket& home_;
  std::atomic<uint32_t>& lock_;
};
static_assert(ArenaBucket::slot_count * ArenaGroup::buckets <= UINT8_MAX);

// Keys of a home bucket that were evicted from probation, by their tags: a FIFO of four. One that comes back
// was thrown out too early (S3-FIFO, SOSP 2023, section 4).
class ArenaGhosts {
 public:
  void add(uint16_t tag) {
    tags_.store(tags_.load(std::memory_order_relaxed) << 16 | tag, std::memory_order_relaxed);
  }
  // Whether it was there; it is there no longer.
  bool take(uint16_t tag) {
    const uint64_t tags = tags_.load(std::memory_order_relaxed);
    for (unsigned at = 0; at < 64; at += 16) {
      if (static_cast<uint16_t>(tags >> at) != tag || tag == 0) continue;
      tags_.store(tags & ~(uint64_t{0xffff} << at), std::memory_order_relaxed);
      return true;
    }
    return false;
  }

 private:
  std::atomic<uint64_t> tags_;
};
static_assert(sizeof(ArenaGhosts) == 8);

class ArenaIndex {
 public:
  ArenaIndex(std::span<ArenaBucket> buckets, ArenaGhosts* ghosts)
      : buckets_(buckets.data()), count_(buckets.size()), ghosts_(ghosts) {}
  ArenaBucket& home(uint64_t hash) const { return buckets_[spread(hash, count_)]; }
  ArenaGhosts& ghosts(const ArenaBucket& home) const { return ghosts_[&home - buckets_]; }
  std::span<ArenaBucket> buckets() const { return {buckets_, count_}; }
  void prefetch_to_write(uint64_t hash) const {
    const uint64_t i = spread(hash, count_);
    __builtin_prefetch(&buckets_[i], 1);
    __builtin_prefetch(&ghosts_[i], 1);
  }

 private:
  ArenaBucket* buckets_;
  uint64_t count_;
  ArenaGhosts* ghosts_;
};

template <class Wanted>
ArenaPlace ArenaGroup::find(uint16_t tag, Wanted wanted) const {
  const unsigned reach = home_.displaced() ? buckets : 1;
  for (unsigned distance = 0; distance < reach; ++distance) {
    ArenaBucket& bucket = home_.neighbour(distance);
    for (unsigned matches = bucket.match(tag); matches;) {
      const ArenaPlace place{&bucket, ArenaBucket::next_match(matches)};
      const ArenaSlot slot = place.read();
      if (slot && wanted(slot)) return place;
    }
  }
  return {};
}

inline unsigned ArenaBucket::match_each(uint16_t tag) const {
  unsigned found = 0;
  for (unsigned i = 0; i < slot_count; ++i) {
    const ArenaSlot slot(slots_[i].load(std::memory_order_relaxed));
    found |= unsigned{slot.tag() == tag} << (2 * i);
  }
  return found;
}

// Eight-octet halves of a vector are read whole, and what is found is loaded again: so this may be no atomic
// load. ThreadSanitizer would have it be one.
#if defined(__SSE2__) && !__has_feature(thread_sanitizer)
inline unsigned ArenaBucket::match(uint16_t tag) const {
  const auto* pairs = reinterpret_cast<const __m128i*>(this);
  const auto uppers = [&](int i) {
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(_mm_load_si128(pairs + i)),
                                           _mm_castsi128_ps(_mm_load_si128(pairs + i + 1)),
                                           _MM_SHUFFLE(3, 1, 3, 1)));
  };
  const __m128i tags = _mm_packs_epi32(_mm_srai_epi32(uppers(0), 16), _mm_srai_epi32(uppers(2), 16));
  const __m128i same = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
  return static_cast<unsigned>(_mm_movemask_epi8(same)) & 0x1555;
}
#else
inline unsigned ArenaBucket::match(uint16_t tag) const { return match_each(tag); }
#endif

}  // namespace peregrine
