#include "cache/arena_index.h"

#include <thread>

namespace peregrine {

// Who waits spins, but not past its holder being preempted.
ArenaGroup::ArenaGroup(ArenaBucket& home) : home_(home), lock_(home.group_first().locked_) {
  constexpr int spins = 64;
  for (int i = 0;; ++i) {
    uint32_t free = 0;
    if (lock_.load(std::memory_order_relaxed) == 0 &&
        lock_.compare_exchange_weak(free, 1, std::memory_order_acquire, std::memory_order_relaxed))
      return;
    if (i >= spins) std::this_thread::yield();
  }
}

ArenaPlace ArenaGroup::find(uint16_t tag, ArenaRef ref) const {
  return find(tag, [ref](ArenaSlot slot) { return slot.ref() == ref; });
}

ArenaPlace ArenaGroup::find_empty() const {
  for (unsigned distance = 0; distance < buckets; ++distance) {
    ArenaBucket& bucket = home_.neighbour(distance);
    for (unsigned i = 0; i < ArenaBucket::slot_count; ++i)
      if (!bucket.slot(i)) return {&bucket, i};
  }
  return {};
}

ArenaPlace ArenaGroup::find_coldest(uint16_t tag) const {
  constexpr unsigned slots = ArenaBucket::slot_count;
  ArenaPlace coldest;
  for (unsigned k = 0; k < slots * buckets; ++k) {
    const ArenaPlace place{&home_.neighbour(k / slots), (tag + k) % slots};
    if (!coldest || place.frequency() < coldest.frequency()) coldest = place;
  }
  return coldest;
}

unsigned ArenaGroup::distance_of(const ArenaBucket& bucket) const {
  return static_cast<unsigned>((reinterpret_cast<uintptr_t>(&bucket) ^ reinterpret_cast<uintptr_t>(&home_)) /
                               sizeof(ArenaBucket));
}

// What sends readers to the other buckets is there before what they find there, and goes after it.
void ArenaGroup::set(ArenaPlace place, uint16_t tag, uint32_t granules, ArenaRef ref, unsigned frequency) {
  ArenaBucket& bucket = *place.bucket;
  const unsigned distance = distance_of(bucket);
  if (distance != 0 && !place.read())
    home_.displaced_.store(static_cast<uint8_t>(home_.displaced() + 1), std::memory_order_relaxed);
  bucket.slots_[place.slot].store(ArenaSlot(tag, distance, granules, ref).word(), std::memory_order_release);
  bucket.set_frequency(place.slot, frequency);
}

void ArenaGroup::clear(ArenaPlace place) {
  const unsigned distance = place.read().distance();
  ArenaBucket& home = place.home();
  place.bucket->slots_[place.slot].store(0, std::memory_order_release);
  place.bucket->set_frequency(place.slot, 0);
  if (distance != 0)
    home.displaced_.store(static_cast<uint8_t>(home.displaced() - 1), std::memory_order_relaxed);
}

bool ArenaBucket::empty() const {
  uint64_t any = 0;
  for (const auto& slot : slots_) any |= slot.load(std::memory_order_relaxed);
  return any == 0;
}

void ArenaBucket::set_frequency(unsigned i, unsigned frequency) {
  const unsigned others = frequencies_.load(std::memory_order_relaxed) & ~(most_frequent << (2 * i));
  frequencies_.store(static_cast<uint16_t>(others | frequency << (2 * i)), std::memory_order_relaxed);
}

}  // namespace peregrine
