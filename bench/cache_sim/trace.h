// A made-up trace of look-ups: names by Zipf's law, some that are asked for once only, TTLs and sizes as
// answers have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace peregrine {

struct TraceOptions {
  uint32_t names = 1'000'000;  // that may be asked for again
  uint32_t requests = 5'000'000;
  double exponent = 1.0;    // of Zipf's law
  double once = 0.15;       // of the requests: for names that come once
  uint32_t seconds = 5000;  // that the trace spans: 10,000 a second where 10 million names are asked for
  uint64_t seed = 1;
};

struct Trace {
  explicit Trace(const TraceOptions& options);
  uint32_t time_of(std::size_t request) const {  // seconds since its begin
    return static_cast<uint32_t>(request * uint64_t{seconds} / requests.size());
  }
  std::vector<uint32_t> requests;  // names as numbers, below `names`
  uint32_t names;                  // those that come once included
  uint32_t seconds;
};

// What a name is like; the same each time.
uint32_t ttl_of(uint32_t name);       // seconds
uint32_t name_octets(uint32_t name);  // of the wire name
uint32_t blob_octets(uint32_t name);  // of an answer's blob
uint64_t mixed(uint64_t number);      // splitmix64 (Steele and others, OOPSLA 2014)

}  // namespace peregrine
