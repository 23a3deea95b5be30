// A cache file as file_format.h has it: opened, locked, checked, read and written. It knows nothing of a
// store.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "cache/file_format.h"
#include "cache/file_reader.h"

namespace peregrine {

class Random;

// The part of a slot that is in use.
struct SlotFill {
  uint64_t first_sequence = 0;  // 0: nothing
  uint32_t octets = 0;          // where the next chunk goes
};

// One thread at a time. Errors of the system are its numbers.
class SegmentFile {
 public:
  using Geometry = FileGeometry;
  struct Opened;
  using Status = std::expected<void, int>;

  // Opens and locks the file. Where there is none, or an empty one, it is made, with mode 0600, `geometry`
  // and secrets of its own. One of another layout, of garbage or from the future (made over a day after
  // `now`) is renamed to PATH.bad, and a new one made. Nothing where it cannot be had, and why.
  static std::expected<Opened, std::string> open(const std::string& path, const Geometry& geometry,
                                                 WallTime now, Random& random);
  SegmentFile(SegmentFile&& other) noexcept;
  SegmentFile& operator=(SegmentFile&&) = delete;
  ~SegmentFile();  // unlocks

  const HashKey& hash_key() const { return header_.hash_key; }
  uint64_t seed() const { return header_.seed; }
  Geometry geometry() const { return {header_.slot_octets, header_.slots}; }
  static uint64_t octets_of(const Geometry& geometry) {
    return slots_at + uint64_t{geometry.slot_octets} * geometry.slots;
  }

  // Makes it an empty file of another geometry, the secrets as they were.
  Status start_over(const Geometry& geometry, WallTime now);
  // Makes it an empty file of no octets, which open() takes for a new one: nothing of it ever comes back.
  // Where that fails, one that open() sets aside, or removes it; where all fails, the log says so. Allocates
  // nothing.
  void give_up();

  // All chunks whose headers are whole.
  std::expected<Chunks, int> chunks() const;
  // The entries of a chunk are in `buffer` then; false where they are not as they were written.
  bool read(const ChunkPlace& place, std::vector<uint8_t>& buffer) const;

  // Room for `octets` of entries behind `fill`.
  bool fits(const SlotFill& fill, size_t octets) const {
    return fill.octets + chunk_octets(octets) <= header_.slot_octets;
  }
  struct Chunk {
    uint64_t sequence = 0;
    WallTime written{};
    Bytes entries;
    uint32_t count = 0;
  };
  // Appends a chunk to what `fill` says of `slot`, and brings `fill` up to date. It must fit.
  Status append(uint32_t slot, SlotFill& fill, const Chunk& chunk);

  // Of the journal.
  std::expected<std::vector<JournalBlock>, int> read_journal() const;
  Status write_journal(uint32_t index, const JournalBlock& block);
  Status sync();  // to the disk

 private:
  SegmentFile(int fd, const std::string& path);
  uint64_t slot_at(uint32_t slot) const { return slots_at + uint64_t{slot} * header_.slot_octets; }

  int fd_;
  std::string path_, directory_;
  FileHeader header_;
};

struct SegmentFile::Opened {
  SegmentFile file;
  bool fresh = false;       // nothing is in it
  std::string set_aside{};  // why another file that was there was renamed; else empty
};

}  // namespace peregrine
