// The memory of an ArenaStore: one region, how it is shared out, and whether the machine has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace peregrine {

// How a capacity is shared out. Everything that grows with the store lies in the region: `octets` of it, at
// most the capacity, which is taken to be what an empty store needs where it is less. Offsets are from the
// region's start.
struct ArenaGeometry {
  explicit ArenaGeometry(uint64_t capacity);

  uint64_t capacity;
  uint32_t readers;         // that can be there at once, the store's own included
  uint32_t counter_shards;  // a power of two
  uint64_t buckets;
  uint64_t segments = 0;  // 0: too small to hold anything
  uint32_t segment_octets;

  uint64_t readers_at, counters_at, table_at, ghosts_at, buckets_at, segments_at;
  uint64_t octets;
};

// Segments below this many cannot be filled and emptied at once.
inline constexpr uint64_t least_arena_segments = 5;

// Anonymous memory, zero where it has not been written, of which huge pages are asked for.
class ArenaRegion {
 public:
  explicit ArenaRegion(uint64_t octets);  // throws std::runtime_error where the kernel refuses
  ~ArenaRegion();
  ArenaRegion(const ArenaRegion&) = delete;
  ArenaRegion& operator=(const ArenaRegion&) = delete;
  std::byte* at(uint64_t offset) const { return start_ + offset; }

 private:
  std::byte* start_ = nullptr;
  uint64_t octets_;
};

// What the process can still take, by /proc/meminfo and memory.max of its control groups (version 2) under
// `root`. Where neither says anything, everything.
struct MemoryRoom {
  uint64_t octets;
  std::string said_by;
};
MemoryRoom memory_room(const std::filesystem::path& root = "/");

// Throws std::runtime_error with a line for the administrator where `capacity` does not fit into `room`, or
// is more than references of 32 bits can reach.
void check_capacity(uint64_t capacity, const MemoryRoom& room);

}  // namespace peregrine
