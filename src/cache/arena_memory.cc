#include "cache/arena_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <fstream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "cache/arena_index.h"
#include "cache/arena_layout.h"
#include "cache/arena_segments.h"

namespace peregrine {

namespace {

constexpr uint64_t kibi = 1024, mebi = kibi * kibi, gibi = kibi * mebi;
constexpr uint64_t huge_page = 2 * mebi, line = 64, page = 4096;
constexpr uint64_t most_granules = uint64_t{1} << 32;

// One-A answers with owner names of 30 octets take 96; the index is full where entries are of this size.
constexpr uint64_t expected_entry = 100;
// In tenths: more buckets cost memory, fewer let more entries be evicted for want of a slot (docs/design).
constexpr uint64_t expected_load = 8;
constexpr uint64_t group_octets = ArenaGroup::buckets * sizeof(ArenaBucket);

constexpr uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

// Large enough for the largest blob as soon as several such segments fit, small enough to turn over in steps.
uint32_t segment_octets_for(uint64_t capacity) {
  if (capacity >= 64 * mebi) return mebi;
  constexpr uint64_t for_any_blob = round_up(max_entry_octets, page);
  if (capacity >= 10 * for_any_blob)
    return static_cast<uint32_t>(std::max(for_any_blob, capacity / 64 / page * page));
  return static_cast<uint32_t>(std::max(capacity / 10 / kibi * kibi, kibi));
}

uint32_t readers_for(uint64_t capacity) {
  return capacity >= 4 * mebi ? 256 : capacity >= 256 * kibi ? 64 : 16;
}

std::optional<std::string> first_word_after(const std::filesystem::path& file, std::string_view label) {
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) {
    if (!text.starts_with(label)) continue;
    const size_t from = text.find_first_not_of(" \t", label.size());
    if (from == std::string::npos) return std::string();
    return text.substr(from, text.find_first_of(" \t", from) - from);
  }
  return std::nullopt;
}

std::optional<uint64_t> number(const std::optional<std::string>& text) {
  if (!text || text->empty() || text->size() > 19 ||
      !std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  return std::stoull(*text);
}

std::string readable(uint64_t octets) {
  const auto [unit, name] = octets >= 10 * gibi   ? std::pair(gibi, " GiB")
                            : octets >= 10 * mebi ? std::pair(mebi, " MiB")
                                                  : std::pair(kibi, " KiB");
  return std::to_string(octets / unit) + name;
}

}  // namespace

ArenaGeometry::ArenaGeometry(uint64_t capacity_)
    : capacity(capacity_),
      readers(readers_for(capacity_)),
      counter_shards(capacity_ >= 4 * mebi ? 16 : 1),
      segment_octets(segment_octets_for(capacity_)) {
  constexpr uint64_t per_bucket = sizeof(ArenaBucket) + sizeof(ArenaGhosts) +
                                  ArenaBucket::slot_count * expected_load * expected_entry / 10;
  buckets = round_up(std::max<uint64_t>(capacity / per_bucket, 1), ArenaGroup::buckets);

  readers_at = 0;
  counters_at = readers_at + readers * line;
  ghosts_at = counters_at + counter_shards * line;
  buckets_at = round_up(ghosts_at + buckets * sizeof(ArenaGhosts), group_octets);
  table_at = buckets_at + buckets * sizeof(ArenaBucket);
  if (capacity > table_at) {
    segments = std::min((capacity - table_at) / (segment_octets + sizeof(ArenaSegment)),
                        most_granules * granule / segment_octets);
  }
  if (segments < least_arena_segments) segments = 0;
  segments_at = table_at + segments * sizeof(ArenaSegment);
  octets = segments_at + segments * segment_octets;
  capacity = std::max(capacity, octets);
}

// More is mapped than is needed, so that a huge page can begin where the region does; what is over goes back.
ArenaRegion::ArenaRegion(uint64_t octets) : octets_(round_up(octets, page)) {
  const uint64_t over = octets_ >= huge_page ? huge_page : 0;
  void* mapped = mmap(nullptr, octets_ + over, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    throw std::runtime_error("the cache of " + readable(octets) + " cannot be had: " +
                             std::system_category().message(errno) + "; lower cache.size");
  }
  auto* first = static_cast<std::byte*>(mapped);
  if (over) {
    const uint64_t before = (huge_page - reinterpret_cast<uintptr_t>(first) % huge_page) % huge_page;
    if (before) munmap(first, before);
    if (over > before) munmap(first + before + octets_, over - before);
    first += before;
    madvise(first, octets_, MADV_HUGEPAGE);  // advice: without huge pages look-ups are slower, that is all
  }
  start_ = first;
}

ArenaRegion::~ArenaRegion() { munmap(start_, octets_); }

MemoryRoom memory_room(const std::filesystem::path& root) {
  MemoryRoom room{.octets = std::numeric_limits<uint64_t>::max(), .said_by = "nothing"};
  if (auto available = number(first_word_after(root / "proc/meminfo", "MemAvailable:")))
    room = {.octets = *available * kibi, .said_by = "MemAvailable in /proc/meminfo"};

  // A group is bound by those above it too.
  const auto group = first_word_after(root / "proc/self/cgroup", "0::");
  if (!group) return room;
  const std::filesystem::path groups = root / "sys/fs/cgroup";
  for (std::filesystem::path at = std::filesystem::path(*group).relative_path();; at = at.parent_path()) {
    const std::filesystem::path file = groups / at / "memory.max";
    if (auto limit = number(first_word_after(file, "")); limit && *limit < room.octets)
      room = {.octets = *limit, .said_by = "/" + file.lexically_relative(root).string()};
    if (at.empty()) return room;
  }
}

void check_capacity(uint64_t capacity, const MemoryRoom& room) {
  if (capacity > room.octets) {
    throw std::runtime_error("cache.size: " + readable(capacity) + " are more than the " +
                             readable(room.octets) + " that the machine has left (" + room.said_by +
                             "); lower cache.size");
  }
  constexpr uint64_t most = most_granules * granule;
  if (capacity > most) {
    throw std::runtime_error("cache.size: " + readable(capacity) + " are more than the largest cache, " +
                             readable(most) + "; lower cache.size");
  }
}

}  // namespace peregrine
