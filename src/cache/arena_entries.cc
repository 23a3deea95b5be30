#include "cache/arena_entries.h"

#include <cstring>

namespace peregrine {

ArenaEntries::ArenaEntries(ArenaStore& store) : store_(store), slot_(store.epochs_.claim()) {}

uint32_t ArenaEntries::segment_count() const { return static_cast<uint32_t>(store_.geometry().segments); }
uint32_t ArenaEntries::segment_octets() const { return store_.geometry().segment_octets; }

SegmentCursor ArenaEntries::position(uint32_t segment) const {
  const ArenaSegments::Filled filled = store_.segments_.filled(segment);
  return {.sequence = filled.sequence, .octets = filled.granules * static_cast<uint32_t>(granule)};
}

SegmentCursor ArenaEntries::copy(uint32_t segment, SegmentCursor from, std::vector<uint8_t>& out) {
  const ArenaEpochs::OnlineWhile online(store_.epochs_, slot_);
  const ArenaSegments::Filled filled = store_.segments_.filled(segment);
  SegmentCursor seen{.sequence = filled.sequence, .octets = 0};
  if (seen.sequence == from.sequence) seen.octets = from.octets;
  const uint32_t begin = seen.octets / granule;
  if (filled.granules > begin) {
    copy_found(store_.segments_.first_ref(segment), begin, filled.granules, out);
    seen.octets = filled.granules * static_cast<uint32_t>(granule);
  }
  return seen;
}

// An entry's header is read before its lock is taken: `filled` entries stay as they are while we are online.
void ArenaEntries::copy_found(ArenaRef first, uint32_t from, uint32_t to, std::vector<uint8_t>& out) const {
  for (uint32_t at = from; at < to;) {
    const std::byte* entry = store_.segments_.at(first + at);
    EntryHeader header;
    std::memcpy(&header, entry, sizeof header);
    const ArenaGroup group(store_.index_.home(header.hash()));
    if (group.find(tag_of(header.hash()), first + at)) {
      const auto* octets = reinterpret_cast<const uint8_t*>(entry);
      out.insert(out.end(), octets, octets + size_t{header.granules()} * granule);
    }
    at += header.granules();
  }
}

}  // namespace peregrine
