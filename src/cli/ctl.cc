#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "admin/control_client.h"
#include "admin/control_socket.h"
#include "cli/command.h"
#include "cli/ctl_text.h"
#include "cli/text.h"
#include "server/host.h"

namespace peregrine {
namespace {

using nlohmann::json;

struct CtlOptions {
  std::string socket, state_dir;
  ConfigOptions config;
  double timeout = 10;  // seconds
  bool as_json = false;
};

struct Action {
  const char* name;
  const char* help;
  std::string (*text)(const json& reply);
};

std::string stop_text(const json&) { return "stopping\n"; }

constexpr Action actions[] = {
    {"status", "Where the server listens, what it forwards to, how it does", status_text},
    {"reload", "Take the configuration anew; a mistake in it leaves the running one", reload_text},
    {"stop", "Answer what is under way, then end; waits for that", stop_text},
    {"flags", "The feature flags: value, where it came from, whether it is available", flags_text},
    {"upstreams", "What each worker has learned about the servers that it asks", upstreams_text},
};

Duration in_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// Nothing where the configuration has errors, which are printed.
std::optional<std::string> socket_path(const CtlOptions& options, Console console) {
  if (!options.socket.empty()) return options.socket;
  if (!options.state_dir.empty()) return control_socket_path(options.state_dir);
  const LoadedConfig loaded = load(options.config);  // the environment alone may name a directory, too
  if (print_errors(loaded.errors, console.err)) return std::nullopt;
  const std::string& configured = loaded.config.server.state_dir;
  return control_socket_path(configured.empty() ? default_state_dir() : configured);
}

void print_refusal(const json& reply, std::ostream& err) {
  err << "peregrine: " << safe_for_terminal(reply.value("error", "the server gives no reason")) << '\n';
  for (const json& error : reply.value("errors", json::array())) {
    err << safe_for_terminal(error.get_ref<const std::string&>()) << '\n';
  }
}

int print_reply(const Action& action, const json& reply, bool as_json, Console console) {
  const bool ok = reply.value("ok", false);
  if (as_json) {
    console.out << reply.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  } else if (ok) {
    console.out << action.text(reply) << std::flush;
  } else {
    print_refusal(reply, console.err);
  }
  return ok ? exit_ok : exit_failed;
}

int wait_for_end(ControlClient& client, const json& reply, const CtlOptions& options, Console console) {
  if (client.wait_closed(in_seconds(reply.value("drain_s", 0.0) + options.timeout))) {
    if (!options.as_json) console.out << "stopped\n";
    return exit_ok;
  }
  console.err << "peregrine: the server has not ended yet\n";
  return exit_failed;
}

int run_action(const Action& action, const CtlOptions& options, Console console) {
  const auto unreachable = [&](const std::string& why) {
    console.err << "peregrine: " << safe_for_terminal(why) << '\n';
    return exit_usage;
  };
  const auto path = socket_path(options, console);
  if (!path) return exit_usage;
  auto client = ControlClient::connect(*path, in_seconds(options.timeout));
  if (!client) return unreachable(client.error());
  const auto reply = client->request(action.name);
  if (!reply) return unreachable(reply.error());
  try {
    const int code = print_reply(action, *reply, options.as_json, console);
    if (code != exit_ok || action.text != stop_text) return code;
    return wait_for_end(*client, *reply, options, console);
  } catch (const json::exception&) {
    return unreachable("the server on " + *path +
                       " answers in a form that this version does not know; try --json");
  }
}

void add_options(CLI::App& command, CtlOptions& options) {
  auto* socket =
      command.add_option("--socket", options.socket, "The control socket itself")->option_text("PATH");
  auto* state_dir = command
                        .add_option("--state-dir", options.state_dir,
                                    "The server's server.state_dir, which the control socket is in")
                        ->option_text("DIR");
  auto* config =
      command.add_option("--config", options.config.file, "The server's configuration, which names it")
          ->option_text("FILE");
  socket->excludes(state_dir)->excludes(config);
  state_dir->excludes(config);
  command
      .add_option("--timeout", options.timeout, "How long to wait for the server's answer; 10 if not given")
      ->option_text("SECONDS")
      ->check(CLI::Range(0.001, 86'400.0));
  command.add_flag("--json", options.as_json, "Print the server's answer as it is: one line of JSON");
}

}  // namespace

void add_ctl(CLI::App& app, Console console, int& exit_code) {
  CLI::App* command = app.add_subcommand("ctl", "Ask or direct a running server");
  command->require_subcommand(1);
  auto options = std::make_shared<CtlOptions>();
  add_options(*command, *options);
  command->footer(
      "Without --socket, --state-dir or --config the socket is looked for where a server that this user "
      "starts\n"
      "makes it: /run/peregrine/control.sock for root, else below $XDG_RUNTIME_DIR.\n"
      "Exit code: 0 done, 1 the server said no, 2 wrong usage or no server there.");
  for (const Action& action : actions) {
    CLI::App* sub = command->add_subcommand(action.name, action.help);
    sub->fallthrough();  // ctl status --json, as well as ctl --json status
    sub->footer("It takes the options of 'peregrine ctl --help'.");
    sub->callback(
        [&action, options, console, &exit_code] { exit_code = run_action(action, *options, console); });
  }
}

}  // namespace peregrine
