#include <CLI/CLI.hpp>
#include <memory>

#include "base/clock.h"
#include "cli/command.h"
#include "server/own_zones.h"

namespace peregrine {
namespace {

// What is no mistake but may surprise.
void print_notes(const Config& config, std::ostream& out) {
  for (const FlagRow& row : flag_rows()) {
    const std::string_view why = unavailable(row.flag);
    if (why.empty() || !config.flags.wanted(row.flag) || config.flags.origin(row.flag) <= Origin::profile)
      continue;
    out << "note: flags." << row.name << " stays off: " << why << "\n";
  }
}

int check(const ConfigOptions& options, Console console) {
  const LoadedConfig loaded = load(options);
  if (print_errors(loaded.errors, console.err)) return exit_failed;
  const OwnZones own = load_own_zones(loaded.config, SystemClock().wall());
  if (print_errors(own.errors, console.err)) return exit_failed;
  console.out << (options.file.empty() ? "the built-in configuration" : options.file) << ": ok\n";
  print_notes(loaded.config, console.out);
  for (const std::string& warning : own.warnings) console.out << "note: " << warning << '\n';
  return exit_ok;
}

}  // namespace

void add_check(CLI::App& app, Console console, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("check", "Say whether a configuration is right, and if not, every mistake");
  auto options = std::make_shared<ConfigOptions>();
  add_config_options(*command, "--config,FILE", *options);
  command->footer(
      "PEREGRINE_* of the environment counts as it does for serve. Without FILE the built-in configuration "
      "and\n"
      "the environment are checked. Exit code: 0 right, 1 mistakes, 2 wrong usage.");
  command->callback([options, console, &exit_code] { exit_code = check(*options, console); });
}

}  // namespace peregrine
