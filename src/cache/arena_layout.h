// How entries lie in ArenaStore's segments, in memory as on disk: position-independent and little-endian.
//
// A segment is a run of entries from its first octet on, without gaps: each begins at a multiple of `granule`
// octets from the segment's start, so that the next one begins right behind the last one's padding. What is
// behind the segment's used octets means nothing. An entry:
//
//   octet  0  EntryHeader (16 octets, never across a cache line)
//         16  the key's octets
//             the blob's octets
//             zeros up to the next granule
//
// The same key may stand in several entries: the one that was appended last is right, an older one is dead.
// Inside a segment later is newer; between segments nothing here tells, because two are filled at once.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

#include "cache/store.h"

namespace peregrine {

inline constexpr uint32_t arena_layout_version = 1;
inline constexpr size_t granule = 16;
inline constexpr size_t max_refresh_lead = (size_t{1} << 20) - 1;  // seconds: twelve days

// What of StoreKey::hash is kept: 48 bits. The lower 16 are the tag, the upper 32 choose the bucket.
inline constexpr unsigned kept_hash_bits = 48;
inline constexpr uint64_t kept_hash(uint64_t hash) { return hash & ((uint64_t{1} << kept_hash_bits) - 1); }
inline constexpr uint16_t tag_of(uint64_t hash) { return static_cast<uint16_t>(hash); }
// In [0, count), by the multiplication of D. Lemire, "Fast random integer generation in an interval", 2019.
inline constexpr uint64_t spread(uint64_t hash, uint64_t count) { return uint32_t(hash >> 16) * count >> 32; }

// identity: bits 0-47 the kept hash, 48-56 the key's size, 57-58 zero, 59-63 the refresh lead's upper five
// life: bits 0-31 expires_at in seconds since 1970 (until 2106), 32-48 the blob's size, 49-63 the refresh
// lead's lower fifteen
//
// The refresh lead is expires_at - refresh_at in seconds, max_refresh_lead at most: a blob that is to be
// refreshed earlier is refreshed then. Times outside of what can be written are moved to the next that can.
class EntryHeader {
 public:
  EntryHeader() = default;
  EntryHeader(uint64_t hash, size_t key_size, const Lifetime& lifetime, size_t blob_size)
      : identity_(kept_hash(hash) | uint64_t{key_size} << key_size_at |
                  lead(lifetime) >> lead_low_bits << lead_high_at),
        life_(seconds(lifetime.expires_at) | uint64_t{blob_size} << blob_size_at |
              lead(lifetime) << lead_low_at) {}

  uint64_t hash() const { return kept_hash(identity_); }
  size_t key_size() const { return identity_ >> key_size_at & 0x1ff; }
  size_t blob_size() const { return life_ >> blob_size_at & 0x1ffff; }
  uint32_t expires_at() const { return static_cast<uint32_t>(life_); }
  Lifetime lifetime() const {
    const uint32_t expires = expires_at();
    const auto before =
        static_cast<uint32_t>(life_ >> lead_low_at | identity_ >> lead_high_at << lead_low_bits);
    return {.refresh_at = WallTime{std::chrono::seconds{int64_t{expires} - before}},
            .expires_at = WallTime{std::chrono::seconds{expires}}};
  }
  size_t octets() const { return sizeof(EntryHeader) + key_size() + blob_size(); }  // without padding
  uint32_t granules() const { return static_cast<uint32_t>((octets() + granule - 1) / granule); }
  bool sound() const { return key_size() <= max_store_key && blob_size() <= max_blob; }

  static uint32_t seconds(WallTime time) {
    return static_cast<uint32_t>(std::clamp<int64_t>(time.time_since_epoch().count(), 0, UINT32_MAX));
  }

 private:
  static constexpr unsigned key_size_at = 48, lead_high_at = 59;
  static constexpr unsigned blob_size_at = 32, lead_low_at = 49, lead_low_bits = 15;

  static uint64_t lead(const Lifetime& lifetime) {
    const int64_t before = int64_t{seconds(lifetime.expires_at)} - seconds(lifetime.refresh_at);
    return static_cast<uint64_t>(std::clamp<int64_t>(before, 0, max_refresh_lead));
  }

  uint64_t identity_;
  uint64_t life_;
};
static_assert(sizeof(EntryHeader) == granule && std::is_trivially_copyable_v<EntryHeader>);
static_assert(std::endian::native == std::endian::little);

inline constexpr size_t max_entry_octets =
    (sizeof(EntryHeader) + max_store_key + max_blob + granule - 1) / granule * granule;

// An entry read in place.
struct EntryView {
  EntryHeader header;
  Bytes key;
  Bytes blob;
};

// The entry at `offset` (a multiple of `granule`) of the used octets of a segment; the next one is at
// offset + header.granules() * granule. Nothing at the end, and for octets that cannot be an entry: `segment`
// may come from a file.
inline std::optional<EntryView> entry_at(Bytes segment, size_t offset) {
  if (offset > segment.size() || segment.size() - offset < sizeof(EntryHeader)) return std::nullopt;
  EntryHeader header;
  std::memcpy(&header, segment.data() + offset, sizeof header);
  if (!header.sound() || header.granules() * granule > segment.size() - offset) return std::nullopt;
  const Bytes after = segment.subspan(offset + sizeof header);
  return EntryView{.header = header,
                   .key = after.first(header.key_size()),
                   .blob = after.subspan(header.key_size(), header.blob_size())};
}

}  // namespace peregrine
