#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "admin/control_client.h"
#include "admin/control_socket.h"
#include "cli/command.h"
#include "cli/ctl_cache_text.h"
#include "cli/ctl_text.h"
#include "cli/text.h"
#include "cli/trace_text.h"
#include "server/host.h"
#include "wire/dname.h"

namespace peregrine {
namespace {

using nlohmann::json;

struct CtlOptions {
  std::string socket, state_dir;
  ConfigOptions config;
  double timeout = 10;  // seconds
  bool as_json = false;
};

using Text = std::string (*)(const json&);

struct Action {
  const char* name;
  const char* help;
  Text text;
};

// What is asked, and how what comes back is printed.
struct Errand {
  json request;
  std::function<std::string(const json&)> text;
  Text part = nullptr;       // of each object before the reply
  std::string before{};      // the first of them
  bool ends_server = false;  // which is waited for
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

void print_json(const json& object, std::ostream& out) {
  out << object.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

int print_reply(const Errand& errand, const json& reply, bool as_json, Console console) {
  const bool ok = reply.value("ok", false);
  if (as_json) {
    print_json(reply, console.out);
  } else if (ok) {
    console.out << errand.text(reply) << std::flush;
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

ControlClient::TakePart print_parts(const Errand& errand, const CtlOptions& options, Console console) {
  if (options.as_json) return [console](const json& part) { print_json(part, console.out); };
  if (!errand.part) return [](const json&) {};
  return [&errand, console, first = true](const json& part) mutable {
    if (std::exchange(first, false)) console.out << errand.before;
    console.out << errand.part(part);
  };
}

int run_errand(const Errand& errand, const CtlOptions& options, Console console) {
  const auto unreachable = [&](const std::string& why) {
    console.err << "peregrine: " << safe_for_terminal(why) << '\n';
    return exit_usage;
  };
  const auto path = socket_path(options, console);
  if (!path) return exit_usage;
  auto client = ControlClient::connect(*path, in_seconds(options.timeout));
  if (!client) return unreachable(client.error());
  try {
    const auto reply = client->request(errand.request, print_parts(errand, options, console));
    if (!reply) return unreachable(reply.error());
    const int code = print_reply(errand, *reply, options.as_json, console);
    if (code != exit_ok || !errand.ends_server) return code;
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

// In the form that every octet of a name survives JSON in. Throws CLI::ValidationError.
std::string domain_name(const std::string& text) {
  const auto name = DnameBuf::from_text(text);
  if (!name) throw CLI::ValidationError(safe_for_terminal(text), "not a domain name");
  return name->to_string();
}

// ctl cache ..., whose options go into `errand`.
void add_cache(CLI::App& ctl, const std::shared_ptr<CtlOptions>& options, Console console, int& exit_code) {
  CLI::App* cache = ctl.add_subcommand("cache", "Look into the cache, or make it forget names");
  cache->require_subcommand(1);
  cache->fallthrough();
  const auto add = [&](const char* name, const char* help, Errand errand) {
    CLI::App* sub = cache->add_subcommand(name, help);
    sub->fallthrough();
    sub->footer("It takes the options of 'peregrine ctl --help'.");
    auto shared = std::make_shared<Errand>(std::move(errand));
    sub->callback(
        [shared, options, console, &exit_code] { exit_code = run_errand(*shared, *options, console); });
    return std::pair(sub, shared);
  };
  add("stats", "What it holds, what was evicted, how old it is",
      {.request = {{"command", "cache-stats"}}, .text = cache_stats_text});

  const auto [dump, dumping] = add("dump", "Every entry, in no order",
                                   {.request = {{"command", "cache-dump"}},
                                    .text = cache_dump_text,
                                    .part = cache_entry_text,
                                    .before = cache_dump_heading()});
  dump->add_option_function<std::string>(
          "--zone", [dumping](const std::string& zone) { dumping->request["zone"] = domain_name(zone); },
          "Only those at or below this name")
      ->option_text("ZONE");

  const auto [flush, flushing] = add("flush", "Forget a name: all entries that speak of it",
                                     {.request = {{"command", "cache-flush"}}, .text = cache_flush_text});
  flush
      ->add_option_function<std::string>(
          "NAME", [flushing](const std::string& name) { flushing->request["name"] = domain_name(name); },
          "A domain name; \".\" with --below is everything")
      ->required();
  flush->add_flag_callback(
      "--below", [flushing] { flushing->request["below"] = true; }, "All names below it, too");
}

// ctl explain NAME [TYPE]
void add_explain(CLI::App& ctl, const std::shared_ptr<CtlOptions>& options, Console console, int& exit_code) {
  CLI::App* explain =
      ctl.add_subcommand("explain", "Why a name has the answer that it has: every step to it");
  explain->fallthrough();
  explain->footer(
      "A worker answers the question as it would for a client, by what is cached and what it knows of\n"
      "servers. It takes the options of 'peregrine ctl --help'.");
  auto errand = std::make_shared<Errand>(
      Errand{.request = {{"command", "explain"}},
             .text = [console](const json& reply) { return trace_text(reply, TreeStyle::of(console.out)); }});
  json& request = errand->request;
  explain
      ->add_option_function<std::string>(
          "NAME", [&request](const std::string& name) { request["name"] = domain_name(name); },
          "A domain name")
      ->option_text("NAME")
      ->required();
  explain
      ->add_option_function<std::string>(
          "TYPE", [&request](const std::string& type) { request["type"] = type; },
          "A type; A if none is given")
      ->option_text("TYPE");
  explain->add_flag_callback(
      "--fresh", [&request] { request["fresh"] = true; },
      "As if nothing were cached; what comes is not kept");
  explain->add_flag_callback(
      "--dnssec", [&request] { request["dnssec"] = true; }, "For who asks for signatures, too (the DO bit)");
  explain
      ->add_option_function<unsigned>(
          "--worker", [&request](unsigned worker) { request["worker"] = worker; },
          "Which worker answers; 0 if not given")
      ->option_text("NUMBER");
  explain->callback(
      [errand, options, console, &exit_code] { exit_code = run_errand(*errand, *options, console); });
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
    sub->callback([&action, options, console, &exit_code] {
      const Errand errand{.request = {{"command", action.name}},
                          .text = action.text,
                          .ends_server = action.text == stop_text};
      exit_code = run_errand(errand, *options, console);
    });
  }
  add_cache(*command, options, console, exit_code);
  add_explain(*command, options, console, exit_code);
}

}  // namespace peregrine
