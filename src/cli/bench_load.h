// `peregrine bench load`.
#pragma once

#include "cli/command.h"

namespace peregrine {

void add_bench_load(CLI::App& bench, Console console, int& exit_code);

}  // namespace peregrine
