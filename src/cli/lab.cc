#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "cli/command.h"
#include "cli/lab_processes.h"
#include "cli/text.h"
#include "io/listen.h"
#include "lab/lab_network.h"
#include "lab/plan_files.h"
#include "lab/responder.h"

namespace peregrine {
namespace {

constexpr auto start_limit = std::chrono::seconds(20);
constexpr auto look_again = std::chrono::milliseconds(10);

struct LabOptions {
  PlanOptions plan;
  double delay_ms = 0, loss_percent = 0;
  std::string zones;
  std::optional<uint16_t> port;
  bool no_resolver = false, list = false;
  std::vector<std::string> set, command;
};

// Gone with its contents at the end.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "peregrine-lab-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a folder " + path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The word after "listens on 127.0.0.1:", as far as it is there.
std::optional<uint16_t> port_in(const std::string& log) {
  constexpr std::string_view before = "listens on 127.0.0.1:";
  const size_t at = log.find(before);
  if (at == log.npos) return std::nullopt;
  return static_cast<uint16_t>(std::strtoul(log.c_str() + at + before.size(), nullptr, 10));
}

class Lab {
 public:
  Lab(const LabOptions& options, Console console)
      : options_(options),
        console_(console),
        own_network_(enter()),
        authority_(make_plan(plan_options())),
        sockets_(open_lab_sockets(authority_.plan(), own_network_ ? 53 : options.port.value_or(0))) {}

  int run() {
    if (!options_.zones.empty()) write_plan(authority_.plan(), sockets_.port, options_.zones);
    hold_signals();
    const Child responder = Child::running([this] { return respond(); });
    sockets_ = {};
    std::optional<Child> resolver;
    if (!options_.no_resolver) resolver.emplace(start_resolver());
    if (!own_network_) say_where();
    if (options_.command.empty()) say_hello();
    const int code = run_command(options_.command.empty() ? shell() : options_.command);
    if (resolver && resolver->ended())
      console_.err << "peregrine: the resolver had ended:\n" << read_all(log_);
    return code;
  }

 private:
  bool enter() {
    if (options_.port) return false;
    const auto prefixes = lab_prefixes();
    const auto entered = enter_own_network(prefixes);
    if (!entered) why_not_ = entered.error();
    return entered.has_value();
  }

  PlanOptions plan_options() const {
    PlanOptions plan = options_.plan;
    plan.on_loopback = !own_network_;
    return plan;
  }

  int respond() {
    SystemClock clock;
    Loop loop(clock);
    const LabResponder responder(loop, authority_, std::move(sockets_));
    loop.run();
    return exit_ok;
  }

  std::string resolver_config() const {
    std::string roots;
    for (const IpAddress& address : authority_.plan().roots()) {
      if (address.family() == Family::v6 && !has_v6_) continue;
      roots +=
          (roots.empty() ? "\"" : ", \"") + Endpoint{.address = address, .port = port_}.to_string() + "\"";
    }
    const std::string listen = !own_network_ ? R"("127.0.0.1:0")"
                               : has_v6_     ? R"("127.0.0.1:53", "[::1]:53")"
                                             : R"("127.0.0.1:53")";
    return "[server]\nlisten = [" + listen + "]\nworkers = 1\nstate_dir = \"" + (folder_ / "state") +
           "\"\n[recursion]\nenabled = true\nquery_private = true\nport = " + std::to_string(port_) +
           "\nroot_servers = [" + roots + "]\n";
  }

  Child start_resolver();
  void say_where() const;
  void say_hello() const;
  void say_examples() const;
  std::vector<std::string> shell() const {
    const char* wanted = std::getenv("SHELL");
    return {wanted && *wanted ? wanted : "/bin/sh"};
  }

  const LabOptions& options_;
  Console console_;
  std::string why_not_;
  bool own_network_;
  Authority authority_;
  LabSockets sockets_;
  uint16_t port_ = sockets_.port;
  bool has_v6_ = sockets_.has_v6;
  Folder folder_;
  std::string log_ = folder_ / "resolver.log";
  uint16_t resolver_port_ = 53;
};

Child Lab::start_resolver() {
  const std::string config = folder_ / "peregrine.toml", resolv_conf = folder_ / "resolv.conf";
  std::ofstream(config) << resolver_config();
  std::ofstream(resolv_conf) << "nameserver 127.0.0.1\noptions timeout:10 attempts:1\n";
  std::vector<std::string> words{"/proc/self/exe", "serve", "--config", config};
  for (const std::string& setting : options_.set) words.insert(words.end(), {"--set", setting});
  Child resolver = Child::running(words, log_);
  const auto deadline = std::chrono::steady_clock::now() + start_limit;
  std::optional<uint16_t> port;
  while (!(port = port_in(read_all(log_)))) {
    if (resolver.ended() || std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("the resolver does not start:\n" + read_all(log_));
    std::this_thread::sleep_for(look_again);
  }
  resolver_port_ = *port;
  setenv("LAB_RESOLVER", ("127.0.0.1:" + std::to_string(*port)).c_str(), 1);
  if (!own_network_) return resolver;
  if (const auto done = put_file_over(resolv_conf, "/etc/resolv.conf"); !done)
    console_.err << "peregrine: " << done.error() << "; ask @127.0.0.1\n";
  return resolver;
}

void Lab::say_where() const {
  console_.err << "peregrine: " << (why_not_.empty() ? "" : why_not_ + "; ")
               << "the servers are at 127.18.0.0/16, port " << port_ << ", without IPv6";
  if (!options_.no_resolver) console_.err << ", the resolver at 127.0.0.1, port " << resolver_port_;
  console_.err << '\n';
}

void Lab::say_hello() const {
  const InternetPlan& plan = authority_.plan();
  console_.out << "An Internet of " << plan.zones.size() << " zones on " << plan.servers.size()
               << " servers, seed " << plan.seed << ". `exit` ends it. For example:\n";
  if (options_.no_resolver) {
    const std::string port = own_network_ ? "" : "-p " + std::to_string(port_) + " ";
    console_.out << "  dig " << port << '@' << plan.roots().front().to_string() << " . NS\n";
  } else {
    say_examples();
  }
  console_.out << "All of it: peregrine lab --list";
  if (!options_.no_resolver)
    console_.out << ". The resolver: peregrine ctl status --state-dir " << (folder_ / "state");
  console_.out << '\n' << std::flush;
}

void Lab::say_examples() const {
  const std::string at = own_network_ ? "" : "-p " + std::to_string(resolver_port_) + " @127.0.0.1 ";
  const char* examples[] = {"www.plain.example",     "www.glueless2.example", "chain8.cname.example",
                            "www.old.dname.example", "x.any.wild.example",    "www.v6only.example",
                            "text.big.example TXT",  "www.lame.example",      "www.liar.example"};
  for (const char* example : examples) console_.out << "  dig " << at << example << '\n';
}

int list_zones(const LabOptions& options, Console console) {
  const InternetPlan plan = make_plan(options.plan);
  std::vector<std::vector<std::string>> rows{{"ZONE", "SERVERS", "SHAPE"}};
  for (const PlannedZone& zone : plan.zones)
    rows.push_back({zone.apex, std::to_string(zone.servers.size()), zone.shape});
  console.out << table_text(rows);
  return exit_ok;
}

int lab(LabOptions& options, Console console) {
  options.plan.delay =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(options.delay_ms));
  options.plan.loss = options.loss_percent / 100;
  if (options.list) return list_zones(options, console);
  become_parent();
  try {
    return Lab(options, console).run();
  } catch (const std::exception& error) {
    console.err << "peregrine: " << error.what() << '\n';
    return exit_failed;
  }
}

void add_lab_options(CLI::App& command, LabOptions& options) {
  command.add_option("COMMAND", options.command, "What to run, after --; a shell if not given")
      ->option_text("COMMAND...");
  command.add_option("--seed", options.plan.seed, "Another number, other records; 1 if not given")
      ->option_text("N");
  command
      .add_option("--made-up", options.plan.made_up,
                  "Zones below lab. besides the named ones; 40 if not given")
      ->option_text("N")
      ->check(CLI::Range(0, 10'000));
  command.add_option("--delay", options.delay_ms, "Added to each answer of every server")
      ->option_text("MS")
      ->check(CLI::Range(0.0, 10'000.0));
  command.add_option("--loss", options.loss_percent, "Datagrams that every server loses, at least")
      ->option_text("PERCENT")
      ->check(CLI::Range(0.0, 100.0));
  command.add_flag("--no-resolver", options.no_resolver, "Only the servers: bring a resolver of your own");
  command.add_option("--set", options.set, "A setting of the resolver; may be given many times")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_option("--zones", options.zones, "Write master files, root.hints and plan.json there")
      ->option_text("DIR");
  command
      .add_option("--port", options.port, "No namespaces: servers on 127.18.0.0/16 at this port; 0 for any")
      ->option_text("N");
  command.add_flag("--list", options.list, "Tell the zones and what is interesting about each");
}

}  // namespace

void add_lab(CLI::App& app, Console console, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("lab", "Try it without a network: a small Internet, and a resolver in it");
  auto options = std::make_shared<LabOptions>();
  add_lab_options(*command, *options);
  command->footer(
      "For example: peregrine lab -- dig www.glueless.example\n"
      "It is made in a user and network namespace, where /etc/resolv.conf leads to the resolver; where "
      "namespaces\n"
      "are not to be had, on loopback at a high port. Nothing outside is touched, and all ends with the "
      "command.\n"
      "Exit code: the command's; 1 the lab could not start, 2 wrong usage.");
  command->callback([options, console, &exit_code] { exit_code = lab(*options, console); });
}

}  // namespace peregrine
