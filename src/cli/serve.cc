#include <CLI/CLI.hpp>
#include <memory>
#include <new>

#include "admin/control.h"
#include "cli/banner.h"
#include "cli/command.h"
#include "cli/log_sink.h"
#include "cli/text.h"

namespace peregrine {
namespace {

void say_hello(const Server& server, const ControlServer& control, Console console) {
  const ServerStatus status = server.status();
  console.out << banner_text(status, control.path()) << std::flush;
  if (const std::string missing = missing_upstreams(status); !missing.empty()) log_warning(missing);
}

int run_server(const Config& config, const ConfigOptions& options, Console console) {
  const auto fail = [&](const std::string& why) {
    console.err << "peregrine: " << safe_for_terminal(why) << '\n';
    return exit_failed;
  };
  try {
    const AsyncLog log;
    Server server(config, [options] { return load(options); });
    const ControlServer control(server);
    say_hello(server, control, console);
    server.run();
    log_info("stopped");
    return exit_ok;
  } catch (const std::bad_alloc&) {
    return fail("not enough memory to start; lower cache.size (" + octets_text(config.cache.size) +
                ") or server.workers");
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}

int serve(const ConfigOptions& options, Console console) {
  Server::block_signals();  // before there is a thread that could take one
  const LoadedConfig loaded = load(options);
  if (print_errors(loaded.errors, console.err)) return exit_failed;
  set_log_level(loaded.config.log.level);
  return run_server(loaded.config, options, console);
}

}  // namespace

void add_serve(CLI::App& app, Console console, int& exit_code) {
  CLI::App* command = app.add_subcommand("serve", "Answer queries until SIGINT or SIGTERM");
  auto options = std::make_shared<ConfigOptions>();
  add_config_options(*command, "--config", *options);
  command->footer(
      "Without --config the built-in default holds: 127.0.0.1:1053 and [::1]:1053, UDP and TCP, for this\n"
      "machine only, forwarding to the servers of /etc/resolv.conf. PEREGRINE_SERVER__WORKERS=2 in the\n"
      "environment overrides server.workers of the file, and so on.\n"
      "SIGHUP, or peregrine ctl reload, takes the configuration anew. The log goes to standard error.\n"
      "Exit code: 0 stopped, 1 could not start.");
  command->callback([options, console, &exit_code] { exit_code = serve(*options, console); });
}

}  // namespace peregrine
