#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <fstream>
#include <map>
#include <memory>

#include "cli/bench_text.h"
#include "cli/command.h"
#include "cli/text.h"
#include "io/listen.h"
#include "load/generator.h"
#include "load/process.h"
#include "load/responders.h"

namespace peregrine {
namespace {

constexpr uint16_t dns_port = 53;
constexpr uint32_t max_names = 50'000'000;
constexpr unsigned max_sockets = 16'384;

using Failure = std::unexpected<std::string>;

struct BenchLoadOptions {
  std::string server, names, expect = "answer", order = "uniform";
  uint32_t generate = 0, first = 0;
  QueryForm form;
  LoadOptions load;
  unsigned clients = 0;
  double seconds = 5, timeout = 1;
  int pid = 0;
  bool json = false;
};

Duration to_duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::expected<QueryList, std::string> read_names(const BenchLoadOptions& options) {
  if (options.generate != 0) return generate_queries(options.first, options.generate, options.form);
  if (options.names.empty()) return Failure("which names? give --names FILE or --generate N");
  std::ifstream file(options.names);
  if (!file) return Failure("cannot read " + options.names);
  auto list = read_queries(file, options.form);
  if (!list) return Failure(options.names + ": " + list.error());
  return list;
}

std::expected<Expectation, std::string> read_expectation(const std::string& text, const QueryList& queries) {
  if (text == "question") return Expectation::question();
  if (text == "answer") return Expectation::answer();
  if (text == "name") return Expectation::address_of_name(queries);
  if (text == "index") return Expectation::address_of_index(queries);
  const auto address = IpAddress::parse(text);
  if (address && address->family() == Family::v4) {
    return Expectation::address(queries, load_u32(address->octets().data()));
  }
  return Failure("'" + text + "' is not question, answer, name, index or an IPv4 address");
}

std::expected<LoadOptions, std::string> read_load(const BenchLoadOptions& options) {
  LoadOptions load = options.load;
  const auto server = Endpoint::parse(options.server, dns_port);
  if (!server)
    return Failure("'" + options.server + "' is not an address such as 127.0.0.1:1053 or [::1]:1053");
  load.server = *server;
  load.duration = to_duration(options.seconds);
  load.timeout = to_duration(options.timeout);
  load.order = options.order == "once" ? Order::once : options.order == "zipf" ? Order::zipf : Order::uniform;
  if (options.clients != 0) {
    if (server->address.family() != Family::v4 || !server->address.is_loopback()) {
      return Failure("--clients needs a server on the IPv4 loopback");
    }
    load.sockets = options.clients;
    load.own_addresses = true;
  }
  return load;
}

// On a terminal, a line that renews itself and is gone at the end.
class ProgressLine {
 public:
  explicit ProgressLine(std::ostream& err) : err_(err), on_(isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() {
    if (on_) err_ << "\r\x1b[K" << std::flush;
  }
  std::function<void(const LoadProgress&)> reporter() {
    if (!on_) return {};
    return [this](const LoadProgress& progress) {
      err_ << '\r' << progress_text(progress) << "\x1b[K" << std::flush;
    };
  }

 private:
  std::ostream& err_;
  bool on_;
};

// What the process used since `before`.
std::optional<ServerUse> use_since(const std::optional<ProcessUse>& before, pid_t pid) {
  const auto after = before ? process_use(pid) : std::nullopt;
  if (!after) return std::nullopt;
  return ServerUse{after->cpu - before->cpu, after->rss_octets};
}

int bench_load(const BenchLoadOptions& options, Console console) {
  const auto fail = [&](const std::string& why, int code) {
    console.err << "peregrine: " << safe_for_terminal(why) << '\n';
    return code;
  };
  const auto load = read_load(options);
  if (!load) return fail(load.error(), exit_usage);
  const auto queries = read_names(options);
  if (!queries) return fail(queries.error(), exit_usage);
  const auto expectation = read_expectation(options.expect, *queries);
  if (!expectation) return fail(expectation.error(), exit_usage);
  raise_descriptor_limit();

  const auto before = options.pid != 0 ? process_use(options.pid) : std::nullopt;
  if (options.pid != 0 && !before) return fail("no process " + std::to_string(options.pid), exit_usage);
  auto result = std::make_unique<LoadResult>();
  try {
    ProgressLine line(console.err);
    run_load(*load, *queries, *expectation, *result, line.reporter());
  } catch (const std::system_error& error) {
    return fail(error.what(), exit_failed);
  }
  const auto server = use_since(before, options.pid);
  console.out << (options.json ? load_json(*result, server) : load_text(*result, server));
  if (result->answers() == 0) return fail("no right answer from " + load->server.to_string(), exit_failed);
  return result->wrong() == 0 ? exit_ok : exit_failed;
}

struct RespondOptions {
  std::string listen;
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
    Fd socket = open_udp_listener(*listen, {.reuse_port = false});
    console.out << "listens on " << local_endpoint(socket.get()).to_string() << '\n' << std::flush;
    run(std::move(socket), options.responder, std::atomic<bool>(false));
    return exit_ok;
  } catch (const std::exception& error) {
    console.err << "peregrine: " << error.what() << '\n';
    return exit_failed;
  }
}

void add_query_options(CLI::App& command, BenchLoadOptions& options) {
  auto* names =
      command.add_option("--names", options.names, "Lines of NAME [TYPE]; A where there is no type");
  names->option_text("FILE");
  command.add_option("--generate", options.generate, "Ask for N made-up names below bench.example. instead")
      ->option_text("N")
      ->check(CLI::Range(uint32_t{1}, max_names))
      ->excludes(names);
  command
      .add_option("--first", options.first, "Number of the first made-up name; other numbers, other names")
      ->option_text("N");
  command.add_option("--order", options.order, "once (all, in their order), uniform or zipf")
      ->option_text("ORDER")
      ->check(CLI::IsMember({"once", "uniform", "zipf"}));
  command.add_option("--exponent", options.load.zipf_exponent, "Of zipf; 1 if not given")
      ->option_text("S")
      ->check(CLI::Range(0.0, 10.0));
  command.add_option("--seed", options.load.seed, "Of the order; the same for the same seed")
      ->option_text("N");
  command
      .add_option("--edns", options.form.edns_size,
                  "The size that EDNS offers; 1232 if not given, 0: no EDNS")
      ->option_text("OCTETS");
  command.add_flag("--dnssec", options.form.dnssec_ok, "Ask for signatures, too (the DO bit)");
  command
      .add_option("--expect", options.expect,
                  "What a right answer is: answer (NOERROR and a record, if not given),\n"
                  "question (any reply to it), name (as bench upstream gives it),\n"
                  "index (10.x.y.z, the query's number), or an IPv4 address")
      ->option_text("WHAT");
}

void add_pace_options(CLI::App& command, BenchLoadOptions& options) {
  LoadOptions& load = options.load;
  command.add_option("--seconds", options.seconds, "How long; 5 if not given")
      ->option_text("S")
      ->check(CLI::Range(0.01, 86400.0));
  command.add_option("--window", load.window, "Queries under way at any time; 256 if not given")
      ->option_text("N")
      ->check(CLI::Range(1, 65536));
  command
      .add_option("--rate", load.rate,
                  "Queries a second whatever the server does (open loop), in place of a window")
      ->option_text("N")
      ->check(CLI::Range(0.1, 1e8));
  command.add_option("--sockets", load.sockets, "Source ports; 16 if not given")
      ->option_text("N")
      ->check(CLI::Range(1U, max_sockets));
  command
      .add_option("--clients", options.clients,
                  "Source addresses 127.1.x.y, one socket each, for a server on loopback")
      ->option_text("N")
      ->check(CLI::Range(1U, max_sockets));
  command.add_option("--batch", load.batch, "Datagrams a system call; 32 if not given")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  command.add_option("--timeout", options.timeout, "Seconds after which a query is lost; 1 if not given")
      ->option_text("S")
      ->check(CLI::Range(0.001, 60.0));
}

void add_load(CLI::App& bench, Console console, int& exit_code) {
  CLI::App* command = bench.add_subcommand("load", "Send queries over UDP, check and time the answers");
  auto options = std::make_shared<BenchLoadOptions>();
  command->add_option("SERVER", options->server, "Address, or address:port")
      ->option_text("SERVER")
      ->required();
  add_query_options(*command, *options);
  add_pace_options(*command, *options);
  command->add_option("--pid", options->pid, "The server's process: its CPU time and memory")
      ->option_text("PID");
  command->add_flag("--json", options->json, "One line of JSON");
  command->footer(
      "For example: peregrine bench load 127.0.0.1:1053 --generate 1000 --order zipf --seconds 3\n"
      "Exit code: 0 every reply was right, 1 wrong replies or none, 2 wrong usage.");
  command->callback([options, console, &exit_code] { exit_code = bench_load(*options, console); });
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
  add_load(*bench, console, exit_code);

  auto echo = std::make_shared<RespondOptions>();
  add_responder(*bench, "echo", "Send every datagram back: what the kernel alone can do", run_echo, console,
                exit_code, echo)
      ->add_option("--extra", echo->responder.extra, "Octets appended; 16, as one A record has, if not given")
      ->option_text("N")
      ->check(CLI::Range(0, 1024));

  auto upstream = std::make_shared<RespondOptions>();
  add_responder(*bench, "upstream", "An upstream that has an A record for every name", run_name_responder,
                console, exit_code, upstream)
      ->add_option("--ttl", upstream->responder.ttl, "Of the records, seconds; 3600 if not given")
      ->option_text("S")
      ->check(CLI::Range(0, 86400 * 365));
}

}  // namespace peregrine
