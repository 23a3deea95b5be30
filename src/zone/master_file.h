// Master files: RFC 1035 section 5, with $TTL (RFC 2308 section 4), times with units ("1h30m") and unknown
// types (RFC 3597 section 5). $INCLUDE is refused. Read at start and reload, never on the data path.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

inline constexpr size_t max_master_file = 16 << 20;      // octets
inline constexpr size_t max_master_records = 1'000'000;  // of one file
inline constexpr uint32_t default_record_ttl = 3'600;    // seconds, where a file or record says nothing

struct ZoneRecord {
  DnameBuf owner;
  Type type = Type::a;
  uint32_t ttl = 0;
  std::vector<uint8_t> rdata;  // uncompressed
};

// One thing that is wrong, and where.
struct ZoneFault {
  std::string file;  // empty: not in a file
  unsigned line = 0;
  std::string message;
  std::string to_string() const;  // "FILE:LINE: what is wrong"
  bool operator==(const ZoneFault&) const = default;
};

// Takes a record, or says why not.
using TakeRecord = std::function<std::expected<void, std::string>(ZoneRecord)>;

// Gives the records of `text`, of class IN and at or below `apex`, to `take` in their order. `apex` is the
// first origin. What is wrong, in order of lines: at most 20 things. Any text may be given; the work is
// linear in its size.
std::vector<ZoneFault> read_master_file(std::string_view text, const std::string& file, Dname apex,
                                        const TakeRecord& take);

// One record: "owner [TTL] [class] type rdata" without directives. Why it cannot be read
std::expected<ZoneRecord, std::string> read_record(std::string_view text, Dname origin);

}  // namespace peregrine
