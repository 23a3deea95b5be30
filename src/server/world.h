// What one worker is made of and counts into. Everything outlives the worker's service.
#pragma once

#include "base/clock.h"
#include "base/counters.h"
#include "base/histogram.h"
#include "base/random.h"
#include "cache/flush_generation.h"
#include "io/network.h"
#include "io/timers.h"
#include "simd/kernels.h"

namespace peregrine {

struct World {
  Clock& clock;
  Timers& timers;
  Network& network;
  Random& random;
  Counters& counters;
  Histogram& latency;             // of answers that had to be resolved
  const HashSecret& hash_secret;  // of cache keys: the same in all workers of one store
  // Off: queries are read into Messages that own their parts, and nothing takes the hit path. The baseline.
  bool zero_copy_parsing = true;
  FlushGeneration* flushes = nullptr;  // of the store; null: nobody flushes it
};

}  // namespace peregrine
