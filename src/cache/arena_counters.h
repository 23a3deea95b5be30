// What an ArenaStore counts: by writers only, each thread in a line of its own as far as there are lines.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

namespace peregrine {

enum class ArenaCount : uint8_t { inserted, replaced, removed, refused, expired, cold, crowded, moved };

class ArenaCounters {
 public:
  struct alignas(64) Shard {
    std::array<std::atomic<uint64_t>, 8> counts;
  };
  explicit ArenaCounters(std::span<Shard> shards) : shards_(shards) {}  // a power of two of them

  void add(ArenaCount what, uint64_t n = 1) {
    shards_[thread_number() & (shards_.size() - 1)].counts[static_cast<size_t>(what)].fetch_add(
        n, std::memory_order_relaxed);
  }
  uint64_t sum(ArenaCount what) const {
    uint64_t all = 0;
    for (const Shard& shard : shards_)
      all += shard.counts[static_cast<size_t>(what)].load(std::memory_order_relaxed);
    return all;
  }

 private:
  static unsigned thread_number();

  std::span<Shard> shards_;
};

}  // namespace peregrine
