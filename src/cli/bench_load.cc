#include "cli/bench_load.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <memory>

#include "cli/bench_text.h"
#include "cli/text.h"
#include "io/listen.h"
#include "load/generator.h"
#include "load/process.h"

namespace peregrine {
namespace {

constexpr uint16_t dns_port = 53;
constexpr uint32_t max_names = 50'000'000;
constexpr unsigned max_sockets = 16'384;

using Failure = std::unexpected<std::string>;

struct BenchLoadOptions {
  std::string server, names, expect = "answer", order = "uniform";
  MadeUpQueries::Numbers numbers;
  std::optional<uint32_t> once_first;
  QueryForm form;
  LoadOptions load;
  bool tcp = false;
  unsigned clients = 0;
  double seconds = 5, timeout = 1;
  int pid = 0;
  bool json = false;
};

Duration to_duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::expected<std::unique_ptr<Queries>, std::string> make_up_names(const BenchLoadOptions& options) {
  MadeUpQueries::Numbers numbers = options.numbers;
  numbers.once_first = options.once_first.value_or(numbers.first + numbers.count);
  if (numbers.once_first - numbers.first < numbers.count) {
    return Failure("--once-first is the number of a name that --generate asks for more than once");
  }
  return std::make_unique<MadeUpQueries>(numbers, options.form);
}

std::expected<std::unique_ptr<Queries>, std::string> read_names(const BenchLoadOptions& options) {
  if (options.numbers.count != 0) return make_up_names(options);
  if (options.names.empty()) return Failure("which names? give --names FILE or --generate N");
  std::ifstream file(options.names);
  if (!file) return Failure("cannot read " + options.names);
  auto list = read_queries(file, options.form);
  if (!list) return Failure(options.names + ": " + list.error());
  return std::make_unique<QueryList>(std::move(*list));
}

std::expected<Expectation, std::string> read_expectation(const std::string& text) {
  if (text == "question") return Expectation::question();
  if (text == "answer") return Expectation::answer();
  if (text == "name") return Expectation::address_of_name();
  if (text == "index") return Expectation::address_of_index();
  const auto address = IpAddress::parse(text);
  if (address && address->family() == Family::v4) {
    return Expectation::address(load_u32(address->octets().data()));
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
  load.transport = options.tcp ? Transport::tcp : Transport::udp;
  load.draw.order = options.order == "once"   ? Order::once
                    : options.order == "zipf" ? Order::zipf
                                              : Order::uniform;
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
  const auto expectation = read_expectation(options.expect);
  if (!expectation) return fail(expectation.error(), exit_usage);
  raise_descriptor_limit();

  const auto before = options.pid != 0 ? process_use(options.pid) : std::nullopt;
  if (options.pid != 0 && !before) return fail("no process " + std::to_string(options.pid), exit_usage);
  auto result = std::make_unique<LoadResult>();
  try {
    ProgressLine line(console.err);
    run_load(*load, **queries, *expectation, *result, line.reporter());
  } catch (const std::system_error& error) {
    return fail(error.what(), exit_failed);
  }
  const auto server = use_since(before, options.pid);
  console.out << (options.json ? load_json(*result, server) : load_text(*result, server));
  if (result->answers() == 0) return fail("no right answer from " + load->server.to_string(), exit_failed);
  return result->wrong() == 0 ? exit_ok : exit_failed;
}

// A load that has hits, names that do not exist, and names that nobody asks for again.
void add_mix_options(CLI::App& command, BenchLoadOptions& options, CLI::Option* generate) {
  command
      .add_option("--nxdomain", options.load.draw.denied_share,
                  "Share of the queries that are for names which bench upstream denies:\n"
                  "below none.bench.example. instead of bench.example., drawn alike")
      ->option_text("SHARE")
      ->check(CLI::Range(0.0, 1.0))
      ->needs(generate);
  auto* once_share = command.add_option("--once-share", options.load.draw.once_share,
                                        "Share of the queries that are for names never asked again");
  once_share->option_text("SHARE")->check(CLI::Range(0.0, 1.0))->needs(generate);
  command
      .add_option("--once-first", options.once_first,
                  "Number of the first of these; behind those of --generate if not given.\n"
                  "Another in each run, and each asks for names that are new to the server")
      ->option_text("N")
      ->needs(once_share);
}

void add_transport_options(CLI::App& command, BenchLoadOptions& options) {
  LoadOptions& load = options.load;
  auto* sockets = command.add_option("--sockets", load.sockets, "Source ports; 16 if not given");
  sockets->option_text("N")->check(CLI::Range(1U, max_sockets));
  auto* clients = command.add_option(
      "--clients", options.clients,
      "Source addresses 127.1.x.y, one socket or connection each, for a server on loopback");
  clients->option_text("N")->check(CLI::Range(1U, max_sockets));
  auto* tcp =
      command.add_flag("--tcp", options.tcp, "Over TCP; each connection pipelines its part of the window");
  command.add_option("--connections", load.sockets, "As many over TCP; 16 if not given")
      ->option_text("N")
      ->check(CLI::Range(1U, max_sockets))
      ->needs(tcp)
      ->excludes(sockets)
      ->excludes(clients);
  command
      .add_option("--queries-per-connection", load.queries_per_connection,
                  "Open another after as many; without end if not given")
      ->option_text("N")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 62))
      ->needs(tcp);
}

void add_query_options(CLI::App& command, BenchLoadOptions& options) {
  auto* names =
      command.add_option("--names", options.names, "Lines of NAME [TYPE]; A where there is no type");
  names->option_text("FILE");
  auto* generate = command
                       .add_option("--generate", options.numbers.count,
                                   "Ask for N made-up names below bench.example. instead")
                       ->option_text("N")
                       ->check(CLI::Range(uint32_t{1}, max_names))
                       ->excludes(names);
  add_mix_options(command, options, generate);
  command
      .add_option("--first", options.numbers.first,
                  "Number of the first made-up name; other numbers, other names")
      ->option_text("N");
  command.add_option("--order", options.order, "once (all, in their order), uniform or zipf")
      ->option_text("ORDER")
      ->check(CLI::IsMember({"once", "uniform", "zipf"}));
  command.add_option("--exponent", options.load.draw.zipf_exponent, "Of zipf; 1 if not given")
      ->option_text("S")
      ->check(CLI::Range(0.0, 10.0));
  command.add_option("--seed", options.load.draw.seed, "Of the order; the same for the same seed")
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
                  "index (10.x.y.z, the query's number), or an IPv4 address.\n"
                  "Of names below none.bench.example.: NXDOMAIN, but with question")
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
  command.add_option("--batch", load.batch, "Queries a system call at most; 32 if not given")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  command.add_option("--timeout", options.timeout, "Seconds after which a query is lost; 1 if not given")
      ->option_text("S")
      ->check(CLI::Range(0.001, 60.0));
}

}  // namespace

void add_bench_load(CLI::App& bench, Console console, int& exit_code) {
  CLI::App* command =
      bench.add_subcommand("load", "Send queries over UDP or TCP, check and time the answers");
  auto options = std::make_shared<BenchLoadOptions>();
  command->add_option("SERVER", options->server, "Address, or address:port")
      ->option_text("SERVER")
      ->required();
  add_query_options(*command, *options);
  add_pace_options(*command, *options);
  add_transport_options(*command, *options);
  command->add_option("--pid", options->pid, "The server's process: its CPU time and memory")
      ->option_text("PID");
  command->add_flag("--json", options->json, "One line of JSON");
  command->footer(
      "For example: peregrine bench load 127.0.0.1:1053 --generate 1000 --order zipf --seconds 3\n"
      "Exit code: 0 every reply was right, 1 wrong replies or none, 2 wrong usage.");
  command->callback([options, console, &exit_code] { exit_code = bench_load(*options, console); });
}

}  // namespace peregrine
