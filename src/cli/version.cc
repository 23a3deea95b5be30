#include "server/version.h"

#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"

namespace peregrine {
namespace {

std::string compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

}  // namespace

void add_version(CLI::App& app, Console console, int& exit_code) {
  CLI::App* command = app.add_subcommand("version", "Print the version, and how this binary was built");
  command->callback([console, &exit_code] {
    console.out << "peregrine " << version << "\n"
                << "built by " << compiler() << ": " << PEREGRINE_BUILD << "\n";
    exit_code = exit_ok;
  });
}

}  // namespace peregrine
