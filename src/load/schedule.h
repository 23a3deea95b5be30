// When the queries of an open loop are due: at a fixed rate, whatever the server does. Latency counts from
// then, not from when the generator came to send, so that a stall of either is not left out ("coordinated
// omission", Tene).
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace peregrine {

class Schedule {
 public:
  Schedule(Instant start, double per_second) : start_(start), per_second_(per_second) {}  // per_second > 0
  Instant due(uint64_t index) const;   // of query 0, 1, 2, ...
  uint64_t due_by(Instant now) const;  // how many queries are due at `now` or before

 private:
  Instant start_;
  double per_second_;
};

}  // namespace peregrine
