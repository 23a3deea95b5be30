#include "cache/arena_epochs.h"

#include <stdexcept>

namespace peregrine {

ArenaEpochs::Slot& ArenaEpochs::claim() {
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    bool free = false;
    if (!slots_[i].taken.compare_exchange_strong(free, true, std::memory_order_acq_rel)) continue;
    for (uint32_t known = ever_taken_.load(std::memory_order_relaxed); known <= i;)
      if (ever_taken_.compare_exchange_weak(known, i + 1, std::memory_order_acq_rel)) break;
    return slots_[i];
  }
  throw std::runtime_error("the cache has no place for one more reader; lower the number of workers");
}

void ArenaEpochs::give_back(Slot& slot) {
  go_offline(slot);
  slot.taken.store(false, std::memory_order_release);
}

// Both sides write here: either passed() comes later and sees the reader online, or the reader sees all that
// was unlinked before passed(). A store and a load would need a full fence between them on both sides.
void ArenaEpochs::go_online(Slot& slot) const {
  slot.announced.exchange(epoch_.load(std::memory_order_acquire), std::memory_order_acq_rel);
}

bool ArenaEpochs::passed(uint64_t epoch) {
  const uint32_t count = ever_taken_.fetch_add(0, std::memory_order_acq_rel);
  for (Slot& slot : slots_.first(count)) {
    uint64_t announced = slot.announced.load(std::memory_order_acquire);
    if (announced == offline) announced = slot.announced.fetch_add(0, std::memory_order_acq_rel);
    if (announced != offline && announced < epoch) return false;
  }
  return true;
}

}  // namespace peregrine
