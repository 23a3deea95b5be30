// Keeps what began before a flush from being stored after it.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>

namespace peregrine {

// One for each store, shared by its views and by what flushes it. Thread-safe.
//
// Who resolves takes now() before he asks anybody, and stores by unless_raised(). Who flushes raises first:
// when raise() has returned, what began earlier is either stored, so that a scan finds it, or never will be.
// Any flush refuses all that is under way, whatever its names: flushes are rare, and what is refused is asked
// for once more at most.
class FlushGeneration {
 public:
  uint64_t now() const { return generation_.load(std::memory_order_acquire); }

  // Calls store() and gives what it returns, or false where a flush came since `began`. store() must be
  // short: raise() waits for it. A put() into a store is, though one that finds no room waits in make_room()
  // for the thread that empties a segment, or empties one itself.
  template <class F>
  bool unless_raised(uint64_t began, F&& store) {
    const std::shared_lock lock(storing_);
    return now() == began && std::forward<F>(store)();
  }

  void raise() {
    const std::unique_lock lock(storing_);
    generation_.fetch_add(1, std::memory_order_release);
  }

 private:
  std::shared_mutex storing_;
  std::atomic<uint64_t> generation_ = 0;
};

}  // namespace peregrine
