#include "cache/file_reader.h"

#include <algorithm>

#include "cache/xxh64.h"

namespace peregrine {
namespace {

uint64_t slot_at(const FileHeader& header, uint32_t slot) {
  return slots_at + uint64_t{slot} * header.slot_octets;
}

// False where something is there that is no header.
bool walk_slot(const FileHeader& file, uint32_t slot, ReadAt read_at, std::vector<ChunkPlace>& found) {
  uint64_t first_sequence = 0;
  for (uint64_t offset = 0; offset + sizeof(ChunkHeader) <= file.slot_octets;) {
    const uint64_t at = slot_at(file, slot) + offset;
    ChunkHeader header;
    const MutableBytes octets{reinterpret_cast<uint8_t*>(&header), sizeof header};
    const auto size = read_at(octets, at);
    if (!size) return false;
    if (*size == 0) return true;
    if (*size < sizeof header) return false;
    if (std::ranges::all_of(octets, [](uint8_t octet) { return octet == 0; })) return true;
    if (header.checksum != checksum_of(header, file.seed) || header.at != at) return false;
    if (header.sequence == 0 || header.sequence > highest_sequence) return false;
    if (offset != 0 && header.first_sequence != first_sequence) return true;
    if (chunk_octets(header.octets) > file.slot_octets - offset) return false;
    first_sequence = header.first_sequence;
    found.push_back({.sequence = header.sequence,
                     .at = at,
                     .data_checksum = header.data_checksum,
                     .octets = header.octets,
                     .entries = header.entries,
                     .slot = slot});
    offset += chunk_octets(header.octets);
  }
  return true;
}

}  // namespace

Chunks find_chunks(const FileHeader& header, uint64_t file_octets, ReadAt read_at) {
  Chunks all;
  for (uint32_t slot = 0; slot < header.slots && slot_at(header, slot) < file_octets; ++slot)
    if (!walk_slot(header, slot, read_at, all.whole)) ++all.damaged;
  std::ranges::sort(all.whole, {}, &ChunkPlace::sequence);
  return all;
}

bool read_chunk(const FileHeader& header, const ChunkPlace& place, std::vector<uint8_t>& buffer,
                ReadAt read_at) {
  buffer.resize(place.octets);
  const auto size = read_at(buffer, place.at + sizeof(ChunkHeader));
  return size && *size == place.octets && xxh64(buffer, header.seed) == place.data_checksum;
}

}  // namespace peregrine
