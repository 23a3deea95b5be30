#include "cli/command.h"

#include <CLI/CLI.hpp>

namespace peregrine {

void add_config_options(CLI::App& app, const std::string& file_option, ConfigOptions& options) {
  app.add_option(file_option, options.file, "The configuration: a TOML file")->option_text("FILE");
  app.add_option("--set", options.set,
                 "A value that overrides the file and the environment, such as\n"
                 "server.workers=2; may be given many times")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
}

LoadedConfig load(const ConfigOptions& options) {
  return load_config(gather_config_sources(options.file, options.set));
}

bool print_errors(std::span<const ConfigError> errors, std::ostream& err) {
  for (const ConfigError& error : errors) {
    // What has a place looks as a compiler's message does, so that editors find it.
    err << (error.line == 0 ? "peregrine: " : "") << error.to_string() << '\n';
  }
  return !errors.empty();
}

}  // namespace peregrine
