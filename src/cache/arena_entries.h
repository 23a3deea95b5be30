// The entries of an ArenaStore, segment by segment.
#pragma once

#include "cache/arena_store.h"
#include "cache/entry_source.h"

namespace peregrine {

// The store outlives it.
class ArenaEntries final : public EntrySource {
 public:
  explicit ArenaEntries(ArenaStore& store);  // throws std::runtime_error where the store has too many readers
  ~ArenaEntries() override { ArenaEpochs::give_back(slot_); }
  ArenaEntries(const ArenaEntries&) = delete;
  ArenaEntries& operator=(const ArenaEntries&) = delete;
  uint32_t segment_count() const override;
  uint32_t segment_octets() const override;
  SegmentCursor position(uint32_t segment) const override;
  SegmentCursor copy(uint32_t segment, SegmentCursor from, std::vector<uint8_t>& out) override;

 private:
  void copy_found(ArenaRef first, uint32_t from, uint32_t to, std::vector<uint8_t>& out) const;

  ArenaStore& store_;
  ArenaEpochs::Slot& slot_;  // online while a segment is read: it is not used again meanwhile
};

}  // namespace peregrine
