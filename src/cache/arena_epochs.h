// Quiescent-state-based reclamation (T. Hart et al., "Performance of memory reclamation for lockless
// synchronization", 2007): memory that nothing refers to any more is reused when every reader has since
// announced that it holds no reference, or was offline.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "cache/arena_hooks.h"

namespace peregrine {

class ArenaEpochs {
 public:
  // One reader's. Written by its reader only, but for `taken`.
  struct alignas(64) Slot {
    std::atomic<uint64_t> announced;  // the epoch of the last quiet point, or offline
    std::atomic<bool> taken;
  };
  static constexpr uint64_t offline = 0;

  explicit ArenaEpochs(std::span<Slot> slots) : slots_(slots) {}

  Slot& claim();  // offline. Throws std::runtime_error where all are taken
  static void give_back(Slot& slot);

  // The reader's side. quiet() is a load and a store: seeing an epoch is seeing what was unlinked before it.
  void quiet(Slot& slot) const {
    const uint64_t epoch = epoch_.load(std::memory_order_acquire);
    arena_step(ArenaStep::announcing);
    slot.announced.store(epoch, std::memory_order_release);
  }
  static void go_offline(Slot& slot) { slot.announced.store(offline, std::memory_order_release); }
  void go_online(Slot& slot) const;

  // Online as long as it is there, whatever is thrown.
  class OnlineWhile {
   public:
    OnlineWhile(const ArenaEpochs& epochs, Slot& slot) : slot_(slot) { epochs.go_online(slot_); }
    ~OnlineWhile() { go_offline(slot_); }
    OnlineWhile(const OnlineWhile&) = delete;
    OnlineWhile& operator=(const OnlineWhile&) = delete;

   private:
    Slot& slot_;
  };

  // After unlinking: the epoch that all readers must have reached before the memory is used again.
  uint64_t advance() { return epoch_.fetch_add(1, std::memory_order_acq_rel) + 1; }
  bool passed(uint64_t epoch);

 private:
  std::span<Slot> slots_;
  alignas(64) std::atomic<uint64_t> epoch_ = 1;
  std::atomic<uint32_t> ever_taken_ = 0;  // slots behind were never used
};

}  // namespace peregrine
