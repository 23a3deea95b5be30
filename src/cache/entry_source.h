// A store as a CacheFile sees it: segments that fill up and are used again.
#pragma once

#include <cstdint>
#include <vector>

namespace peregrine {

// How far one has looked at a segment.
struct SegmentCursor {
  uint64_t sequence = 0;  // which filling of it; 0: it is not in use
  uint32_t octets = 0;    // from its start: what is before has been seen
  bool operator==(const SegmentCursor&) const = default;
};

// One thread at a time, no worker.
class EntrySource {
 public:
  virtual ~EntrySource() = default;
  virtual uint32_t segment_count() const = 0;
  virtual uint32_t segment_octets() const = 0;
  // Where copy() would look to from the start, or 0 octets while writers are at work there. Of two segments
  // that are in use the one of the higher sequence has been so for the shorter time.
  virtual SegmentCursor position(uint32_t segment) const = 0;
  // Appends to `out`, as arena_layout.h has them, the segment's entries from `from` on that are whole and, at
  // this moment, what is to be found under their keys. From the start where the segment is in another filling
  // than `from` says. Where it has looked to; what is being written behind that comes with the next call.
  virtual SegmentCursor copy(uint32_t segment, SegmentCursor from, std::vector<uint8_t>& out) = 0;
};

}  // namespace peregrine
