// Ideal caches: a policy and nothing else, counting what it is told that an entry takes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "trace.h"

namespace peregrine {

struct MissRatio {
  uint64_t requests = 0, misses = 0;
  double entries = 0;  // on average
  double value() const { return requests ? static_cast<double>(misses) / static_cast<double>(requests) : 0; }
};

// Of the requests behind the first third: those before fill the cache. A request for an entry that has
// expired is a miss, and renews it.
struct Warmup {
  explicit Warmup(const Trace& trace) : until(trace.requests.size() / 3) {}
  size_t until;
};

using Cost = std::function<uint32_t(uint32_t name)>;

MissRatio unlimited(const Trace& trace);
MissRatio ideal_lru(const Trace& trace, uint64_t capacity, const Cost& cost);
// Yang and others, "FIFO queues are all you need for cache eviction", SOSP 2023: a tenth for the small queue,
// ghosts as many as entries in the main queue.
MissRatio ideal_s3_fifo(const Trace& trace, uint64_t capacity, const Cost& cost);

}  // namespace peregrine
