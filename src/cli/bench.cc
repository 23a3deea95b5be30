#include <CLI/CLI.hpp>
#include <atomic>
#include <memory>

#include "cli/bench_load.h"
#include "cli/text.h"
#include "io/listen.h"
#include "load/responders.h"

namespace peregrine {
namespace {

constexpr uint16_t dns_port = 53;

struct RespondOptions {
  std::string listen;
  bool tcp = false;
  ResponderOptions responder;
};

using Responder = void (*)(Fd, const ResponderOptions&, const std::atomic<bool>&);

// Until a signal ends the process: there is nothing to put in order.
int bench_respond(const RespondOptions& options, Responder run, Console console) {
  const auto listen = Endpoint::parse(options.listen, dns_port);
  if (!listen) {
    console.err << "peregrine: '" << safe_for_terminal(options.listen)
                << "' is not an address such as 127.0.0.1:5300\n";
    return exit_usage;
  }
  try {
    Fd socket = options.tcp ? open_tcp_listener(*listen, {.reuse_port = false})
                            : open_udp_listener(*listen, {.reuse_port = false});
    console.out << "listens on " << local_endpoint(socket.get()).to_string() << '\n' << std::flush;
    (options.tcp ? run_tcp_echo : run)(std::move(socket), options.responder, std::atomic<bool>(false));
    return exit_ok;
  } catch (const std::exception& error) {
    console.err << "peregrine: " << error.what() << '\n';
    return exit_failed;
  }
}

CLI::App* add_responder(CLI::App& bench, const char* name, const char* about, Responder run, Console console,
                        int& exit_code, std::shared_ptr<RespondOptions> options) {
  CLI::App* command = bench.add_subcommand(name, about);
  command->add_option("LISTEN", options->listen, "Address, or address:port; port 0 for any")
      ->option_text("LISTEN")
      ->required();
  command->add_option("--batch", options->responder.batch, "Datagrams a system call; 32 if not given")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  command->callback([=, &exit_code] { exit_code = bench_respond(*options, run, console); });
  return command;
}

}  // namespace

void add_bench(CLI::App& app, Console console, int& exit_code) {
  CLI::App* bench = app.add_subcommand("bench", "Measure a DNS server: its rate, latency and CPU time");
  bench->require_subcommand(1);
  add_bench_load(*bench, console, exit_code);

  auto echo = std::make_shared<RespondOptions>();
  CLI::App* command = add_responder(*bench, "echo", "Send every message back: what the kernel alone can do",
                                    run_echo, console, exit_code, echo);
  command->add_flag("--tcp", echo->tcp, "Messages over TCP, not UDP");
  command
      ->add_option("--extra", echo->responder.extra, "Octets appended; 16, as one A record has, if not given")
      ->option_text("N")
      ->check(CLI::Range(0, 1024));

  auto upstream = std::make_shared<RespondOptions>();
  add_responder(
      *bench, "upstream",
      "An upstream that has an A record for every name, but\nNXDOMAIN for those below none.bench.example.",
      run_name_responder, console, exit_code, upstream)
      ->add_option("--ttl", upstream->responder.ttl, "Of the records, seconds; 3600 if not given")
      ->option_text("S")
      ->check(CLI::Range(0, 86400 * 365));
}

}  // namespace peregrine
