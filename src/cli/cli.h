// The command line: `peregrine serve | check | ctl | query | bench | version`.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace peregrine {

// Runs what the arguments say; the first is the program's name. Returns the exit code.
int run_cli(const std::vector<std::string>& arguments, Console console);

}  // namespace peregrine
