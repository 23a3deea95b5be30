// The journal of a cache file: which of its entries do not count any more, because they were removed from the
// store after they had been written.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <unordered_map>

#include "cache/segment_file.h"

namespace peregrine {

// One thread at a time.
class RemovalJournal {
 public:
  // Nothing where it is not as it was written: then nobody knows what was removed, and no chunk counts.
  static std::optional<RemovalJournal> load(const SegmentFile& file);
  static std::optional<RemovalJournal> read(std::span<const JournalBlock> blocks, uint64_t seed);
  RemovalJournal() = default;  // of an empty file: begin() comes first

  uint64_t rules() const { return block_.rules; }
  uint64_t void_through() const { return block_.void_through; }
  uint64_t latest_stamp() const { return latest_stamp_; }
  bool hides(uint64_t hash, uint64_t sequence) const {
    if (stamps_.empty()) return false;
    const auto found = stamps_.find(hash);
    return found != stamps_.end() && sequence <= found->second;
  }
  // Once the file is loaded: hides() is of no use then.
  void forget_hidden() {
    stamps_ = {};
    remembers_ = false;
  }

  // Both are in the file when they return, though not on the disk.
  // Chunks up to `void_through` do not count any more, and the journal is empty.
  SegmentFile::Status begin(SegmentFile& file, uint64_t void_through, uint64_t rules);
  bool fits(size_t removals) const;
  // The keys of these hashes do not count in chunks up to `stamp`. They must fit.
  SegmentFile::Status add(SegmentFile& file, std::span<const uint64_t> hashes, uint64_t stamp);

 private:
  SegmentFile::Status write(SegmentFile& file);
  bool take(const JournalBlock& block);
  void remember(const Removal& removal);

  JournalBlock block_;  // the last one
  uint64_t latest_stamp_ = 0;
  std::unordered_map<uint64_t, uint64_t> stamps_;  // by hash; hashes are keyed
  bool remembers_ = true;
};

}  // namespace peregrine
