#include "cache/file_format.h"

#include <chrono>
#include <cstddef>

#include "base/bytes.h"
#include "cache/answer.h"
#include "cache/arena_layout.h"
#include "cache/delegation.h"
#include "cache/rrset.h"
#include "cache/xxh64.h"

namespace peregrine {
namespace {

constexpr uint32_t blob_layout = AnswerBlobHeader::layout_version | RrsetBlobHeader::layout_version << 8 |
                                 DelegationBlobHeader::layout_version << 16;
constexpr std::chrono::days slack{1};  // a clock that was wrong by so much is no other time
constexpr uint32_t most_slot_octets = 64 << 20;
constexpr uint32_t most_slots = 1 << 17;  // twice what the largest store has

}  // namespace

uint64_t checksum_of(const FileHeader& header) {
  return xxh64(octets_of_object(header).first(offsetof(FileHeader, checksum)), 0);
}

uint64_t checksum_of(const ChunkHeader& header, uint64_t seed) {
  return xxh64(octets_of_object(header).subspan(sizeof header.checksum), seed);
}

uint64_t checksum_of(const JournalBlock& block, uint64_t seed) {
  return xxh64(octets_of_object(block).subspan(sizeof block.checksum), seed);
}

FileHeader header_for(const FileGeometry& geometry, WallTime now, const HashKey& key, uint64_t seed) {
  FileHeader header{.arena_layout = arena_layout_version,
                    .blob_layout = blob_layout,
                    .slot_octets = geometry.slot_octets,
                    .slots = geometry.slots,
                    .hash_key = key,
                    .seed = seed,
                    .created = now.time_since_epoch().count()};
  header.checksum = checksum_of(header);
  return header;
}

std::string_view fault(const FileHeader& header, WallTime now) {
  if (header.magic != FileHeader::right_magic) return "it is no cache file";
  if (header.version != cache_file_version) return "it has the layout of another version";
  if (header.checksum != checksum_of(header)) return "its header is damaged";
  if (header.arena_layout != arena_layout_version || header.blob_layout != blob_layout)
    return "its entries have the layout of another version";
  if (header.slot_octets < sector || header.slot_octets > most_slot_octets ||
      header.slot_octets % sector != 0 || header.slots > most_slots)
    return "its header is damaged";
  if (header.created > (now + slack).time_since_epoch().count()) return "it is from the future";
  return {};
}

}  // namespace peregrine
