// What the subcommands share. Each has a file of its own and adds itself to the command line.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace CLI {
class App;
}

namespace peregrine {

// `out` is for what was asked for, `err` for errors and remarks.
struct Console {
  std::ostream& out;
  std::ostream& err;
};

enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,  // a mistake in the configuration, a port in use, a server that says no
  exit_usage = 2,   // arguments that cannot be understood; for ctl and query also: nobody answers
};

// Each adds one subcommand, which sets `exit_code` when it has run.
void add_serve(CLI::App& app, Console console, int& exit_code);
void add_check(CLI::App& app, Console console, int& exit_code);
void add_ctl(CLI::App& app, Console console, int& exit_code);
void add_query(CLI::App& app, Console console, int& exit_code);
void add_bench(CLI::App& app, Console console, int& exit_code);
void add_lab(CLI::App& app, Console console, int& exit_code);
void add_version(CLI::App& app, Console console, int& exit_code);

// Where the configuration comes from, apart from the environment.
struct ConfigOptions {
  std::string file;  // empty: the built-in default
  std::vector<std::string> set;
};
// Adds the options to `app`; `file_option` is the name of the first: "--config".
void add_config_options(CLI::App& app, const std::string& file_option, ConfigOptions& options);
LoadedConfig load(const ConfigOptions& options);

// One line each. False if there are none.
bool print_errors(std::span<const ConfigError> errors, std::ostream& err);

}  // namespace peregrine
