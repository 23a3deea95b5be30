// Points between the critical steps of ArenaStore at which tests let another thread go first. Nothing in
// release builds.
#pragma once

#include <atomic>
#include <cstdint>

namespace peregrine {

enum class ArenaStep : uint8_t {
  slot_read,   // a reader holds a slot's value and has not looked at its entry
  appended,    // a writer has room in a segment and has not written there
  written,     // an entry is whole and the index does not know it
  linked,      // the index knows it and its segment does not count it
  unlinked,    // the index has forgotten an entry and its segment still counts it
  emptied,     // nothing refers to a segment, and it waits for no grace period yet
  announcing,  // a reader has read the epoch and has not announced it
};

#ifdef NDEBUG
inline void arena_step(ArenaStep) {}
#else
inline std::atomic<void (*)(ArenaStep)> arena_hook = nullptr;  // set by tests, while no other thread runs
inline void arena_step(ArenaStep step) {
  if (auto* hook = arena_hook.load(std::memory_order_relaxed)) hook(step);
}
#endif

}  // namespace peregrine
