#include "cache/arena_index.h"

#include <thread>

namespace peregrine {

unsigned ArenaBucket::find(ArenaRef ref) const {
  for (unsigned i = 0; i < slot_count; ++i) {
    const ArenaSlot held = slot(i);
    if (held && held.ref() == ref) return i;
  }
  return slot_count;
}

unsigned ArenaBucket::find_empty() const {
  for (unsigned i = 0; i < slot_count; ++i)
    if (!slot(i)) return i;
  return slot_count;
}

unsigned ArenaBucket::find_coldest(uint16_t tag) const {
  unsigned coldest = tag % slot_count;
  for (unsigned k = 1; k < slot_count; ++k) {
    const unsigned i = (tag + k) % slot_count;
    if (frequency(i) < frequency(coldest)) coldest = i;
  }
  return coldest;
}

bool ArenaBucket::empty() const {
  uint64_t any = 0;
  for (const auto& slot : slots_) any |= slot.load(std::memory_order_relaxed);
  return any == 0;
}

// Held for the time of a small copy: who waits spins, but not past its holder being preempted.
void ArenaBucket::lock() {
  constexpr int spins = 64;
  for (int i = 0;; ++i) {
    uint32_t free = 0;
    if (locked_.load(std::memory_order_relaxed) == 0 &&
        locked_.compare_exchange_weak(free, 1, std::memory_order_acquire, std::memory_order_relaxed))
      return;
    if (i >= spins) std::this_thread::yield();
  }
}

}  // namespace peregrine
