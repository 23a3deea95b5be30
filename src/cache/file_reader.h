// The chunks of a cache file, found and checked wherever its octets are: on a disk or in memory. Any octets
// give chunks that lie within them, or none.
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "cache/file_format.h"

namespace peregrine {

// A chunk that is whole by its header; what it holds is checked when it is read.
struct ChunkPlace {
  uint64_t sequence = 0;
  uint64_t at = 0;  // of its header, from the file's start
  uint64_t data_checksum = 0;
  uint32_t octets = 0;
  uint32_t entries = 0;
  uint32_t slot = 0;
};

struct Chunks {
  std::vector<ChunkPlace> whole;  // in the order of their sequences
  uint64_t damaged = 0;           // headers that nobody wrote so
};

// Fills `out` with what is at `at`, as far as there is something, and says how much; or the system's error.
using ReadAt = FunctionRef<std::expected<size_t, int>(MutableBytes out, uint64_t at)>;

// All chunks of a file of so many octets whose headers are whole. fault() has found none in `header`.
Chunks find_chunks(const FileHeader& header, uint64_t file_octets, ReadAt read_at);
// The entries of a chunk that find_chunks() has found are in `buffer` then. False where they are not as they
// were written.
bool read_chunk(const FileHeader& header, const ChunkPlace& place, std::vector<uint8_t>& buffer,
                ReadAt read_at);

}  // namespace peregrine
