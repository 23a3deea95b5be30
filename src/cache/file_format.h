// What a cache file looks like. Everything is little-endian.
//
//   octet 0                 FileHeader, alone in its 4096 octets
//   journal_at              journal_blocks of JournalBlock: what has been removed
//   slots_at                slots of slot_octets each, the same for the whole file
//
// A slot is what one segment of the store is written to. It holds chunks, one behind the other, each
// beginning at a multiple of `sector` octets from the slot's start: a ChunkHeader and entries as
// arena_layout.h has them. Behind the last chunk there are zeros in a header's place, or the slot or the file
// ends.
//
// Sequence numbers count all chunks of a file, over its whole life. A chunk holds only what was to be found
// in the store while the chunk was made, and one chunk is made after the other: so of two entries of a key
// that in the chunk of the higher sequence is the right one, and it does not matter which segments were
// filled when. That holds for one that has expired, too: it is written all the same, and hides the older
// ones. Where its slot has been used again or is damaged, an older one that still stands elsewhere counts
// again, until it expires by its own lifetime. A removal is stamped with the sequence of the last chunk
// before it, and hides the key in chunks up to that one.
//
// The policy generation in the blobs of answers is zero: what is older than the rules in force is not
// written.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/clock.h"
#include "base/siphash.h"

namespace peregrine {

inline constexpr uint32_t cache_file_version = 1;
// Of chunks, removals and journals alike: never reached, so that none wraps. A higher one is damage.
inline constexpr uint64_t highest_sequence = uint64_t{1} << 62;
inline constexpr size_t sector = 512;  // what a disk writes wholly or not at all

struct FileHeader {
  static constexpr std::array<char, 8> right_magic{'P', 'R', 'G', 'C', 'A', 'C', 'H', 'E'};

  std::array<char, 8> magic{right_magic};
  uint32_t version = cache_file_version;
  uint32_t arena_layout = 0;
  uint32_t blob_layout = 0;
  uint32_t slot_octets = 0;
  uint32_t slots = 0;
  uint32_t reserved = 0;
  HashKey hash_key{};     // of the keys' hashes
  uint64_t seed = 0;      // of the checksums
  int64_t created = 0;    // seconds since 1970
  uint64_t checksum = 0;  // of what stands before, with a seed of zero
};
static_assert(sizeof(FileHeader) == 72 && std::has_unique_object_representations_v<FileHeader>);

struct Removal {
  uint64_t hash;   // what is kept of the key's: another key with the same is lost with it, which is harmless
  uint64_t stamp;  // chunks up to this sequence
};

// One sector. Block 0 begins an epoch and says since when chunks count at all; blocks of other epochs than
// the highest mean nothing. A block is written again and again until it is full.
struct JournalBlock {
  static constexpr size_t most = 29;

  uint64_t checksum = 0;  // of what follows
  uint64_t epoch = 0;     // from 1 on
  uint32_t index = 0;     // its place in the journal
  uint32_t count = 0;
  uint64_t void_through = 0;  // chunks up to this sequence are void
  uint64_t rules = 0;         // a fingerprint of what entries depend on that is not in them
  uint64_t reserved = 0;
  std::array<Removal, most> removals{};
};
static_assert(sizeof(JournalBlock) == sector && std::has_unique_object_representations_v<JournalBlock>);

struct ChunkHeader {
  uint64_t checksum = 0;  // of what follows
  uint64_t data_checksum = 0;
  uint64_t sequence = 0;        // from 1 on
  uint64_t first_sequence = 0;  // of the slot's first chunk: what is left of an earlier use has another
  uint64_t at = 0;              // where in the file
  uint32_t octets = 0;          // of entries
  uint32_t entries = 0;
  int64_t written = 0;  // seconds since 1970
  uint64_t reserved = 0;
};
static_assert(sizeof(ChunkHeader) == 64 && std::has_unique_object_representations_v<ChunkHeader>);

inline constexpr uint64_t journal_at = 4096;
inline constexpr uint32_t journal_blocks = 512;
inline constexpr uint64_t slots_at = journal_at + journal_blocks * sector;

inline constexpr uint64_t chunk_octets(uint64_t entries_octets) {
  return (sizeof(ChunkHeader) + entries_octets + sector - 1) / sector * sector;
}

struct FileGeometry {
  uint32_t slot_octets = 0;  // a multiple of `sector`
  uint32_t slots = 0;
  bool operator==(const FileGeometry&) const = default;
};

// As they are written.
template <class T>
  requires std::is_trivially_copyable_v<T>
Bytes octets_of_object(const T& object) {
  return {reinterpret_cast<const uint8_t*>(&object), sizeof object};
}

uint64_t checksum_of(const FileHeader& header);
uint64_t checksum_of(const ChunkHeader& header, uint64_t seed);
uint64_t checksum_of(const JournalBlock& block, uint64_t seed);

// The header of an empty file of this layout, with its checksum.
FileHeader header_for(const FileGeometry& geometry, WallTime now, const HashKey& key, uint64_t seed);
// Why any octets are no header of ours; empty where they are one, and every size in it is within bounds. One
// that was made over a day after `now` is from the future.
std::string_view fault(const FileHeader& header, WallTime now);

}  // namespace peregrine
