// The load generator: one thread sends queries over UDP or TCP and times the replies. Closed loop: `window`
// queries are under way at any time, which finds the most that a server can do. Open loop: queries are due at
// a fixed rate, which finds the latency.
#pragma once

#include <functional>

#include "load/load_options.h"

namespace peregrine {

// Throws std::system_error where sockets cannot be had, or where TCP finds nobody to connect to. `report` is
// called about ten times a second.
void run_load(const LoadOptions& options, const Queries& queries, const Expectation& expectation,
              LoadResult& result, const std::function<void(const LoadProgress&)>& report = {});

}  // namespace peregrine
