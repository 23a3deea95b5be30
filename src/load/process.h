// What another process uses, as the kernel tells it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace peregrine {

struct ProcessUse {
  Duration
      cpu{};  // of all threads that it has now: the scheduler's own count, exact, not sampled by the tick
  uint64_t rss_octets = 0;  // resident memory
};

// /proc/PID/task/*/schedstat and /proc/PID/status. Nothing: no such process, or it may not be looked at.
std::optional<ProcessUse> process_use(pid_t pid);

}  // namespace peregrine
