#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "admin/trace_report.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/query_exchange.h"
#include "cli/query_text.h"
#include "cli/query_trace.h"
#include "cli/text.h"
#include "cli/trace_text.h"
#include "config/config.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

constexpr uint16_t dns_port = 53;
constexpr uint16_t udp_size = 1232;  // octets: what we offer (dnsflagday.net 2020)

struct QueryOptions {
  std::vector<std::string> words;  // the name, the type, @server, +trace, +json
  bool tcp = false, dnssec = false, trace = false, json = false;
  std::vector<std::string> roots;
  uint16_t port = 0;   // 0: none was given
  double timeout = 5;  // seconds
};

struct Plan {
  DnameBuf name;
  Type type = Type::a;
  std::vector<Endpoint> servers{};  // the one to ask; with `trace` those of the root
  bool trace = false, json = false;
};

// 1.2.0.192.in-addr.arpa (RFC 1035 section 3.5), and by nibbles below ip6.arpa (RFC 3596 section 2.5).
std::string reverse_name(const IpAddress& address) {
  const Bytes octets = address.octets();
  std::string name;
  for (size_t i = octets.size(); i-- > 0;) {
    if (address.family() == Family::v4) {
      name += fmt::format("{}.", octets[i]);
    } else {
      name += fmt::format("{:x}.{:x}.", octets[i] & 15, octets[i] >> 4);
    }
  }
  return name + (address.family() == Family::v4 ? "in-addr.arpa" : "ip6.arpa");
}

std::expected<Endpoint, std::string> system_server() {
  std::ifstream file("/etc/resolv.conf");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::vector<Endpoint> servers = parse_resolv_conf(text);
  if (servers.empty()) return std::unexpected("no nameserver in /etc/resolv.conf; give one: @192.0.2.53");
  return servers.front();
}

std::expected<Endpoint, std::string> read_server(const std::string& text) {
  const auto server = Endpoint::parse(text, dns_port);
  if (server && server->port != 0) return *server;
  return std::unexpected("'@" + text +
                         "' is not an address such as @192.0.2.53, @127.0.0.1:1053 or @[::1]:1053");
}

// A type if there is one; an address alone asks for its name.
std::expected<Plan, std::string> read_question(const std::vector<std::string>& words) {
  Plan plan;
  std::string name = words.front();
  if (words.size() == 2) {
    const auto type = parse_type(words[1]);
    if (!type) return std::unexpected("'" + words[1] + "' is not a type such as A, AAAA, MX, TXT or TYPE65");
    plan.type = *type;
  } else if (const auto address = IpAddress::parse(name)) {
    plan.type = Type::ptr;
    name = reverse_name(*address);
  }
  const auto dname = DnameBuf::from_text(name);
  if (!dname)
    return std::unexpected(fmt::format("'{}' is not a domain name: {}", name, to_string(dname.error())));
  plan.name = *dname;
  return plan;
}

// What the words say that begin with a sign is added to the plan; the others are the question.
std::expected<std::vector<std::string>, std::string> take_signs(const QueryOptions& options, Plan& plan) {
  std::vector<std::string> question, servers = options.roots;
  for (const std::string& word : options.words) {
    if (word == "+trace") {
      plan.trace = true;
    } else if (word == "+json") {
      plan.json = true;
    } else if (word.starts_with('+')) {
      return std::unexpected("'" + word + "' is neither +trace nor +json");
    } else if (!word.starts_with('@')) {
      question.push_back(word);
    } else if (servers.empty()) {
      servers.push_back(word.substr(1));
    } else {
      return std::unexpected("more than one @server");
    }
  }
  for (const std::string& server : servers) {
    const auto at = read_server(server);
    if (!at) return std::unexpected(at.error());
    plan.servers.push_back(*at);
  }
  return question;
}

std::string contradiction(const QueryOptions& options, const Plan& plan) {
  if (plan.trace) return options.tcp ? "--tcp is not for +trace, which asks as a resolver does" : "";
  if (plan.json || !options.roots.empty() || options.port != 0)
    return "--json, --root and --port are for +trace";
  return "";
}

std::expected<Plan, std::string> make_plan(const QueryOptions& options) {
  Plan signs{.name = {}, .trace = options.trace, .json = options.json};
  const auto question = take_signs(options, signs);
  if (!question) return std::unexpected(question.error());
  if (question->empty() || question->size() > 2)
    return std::unexpected("give one name, and at most one type");
  if (const std::string why = contradiction(options, signs); !why.empty()) return std::unexpected(why);
  auto plan = read_question(*question);
  if (!plan) return plan;
  plan->trace = signs.trace;
  plan->json = signs.json;
  plan->servers = signs.servers;
  if (plan->trace || !plan->servers.empty()) return plan;
  const auto at = system_server();
  if (!at) return std::unexpected(at.error());
  plan->servers = {*at};
  return plan;
}

std::vector<uint8_t> make_query(const Plan& plan, bool dnssec) {
  std::array<uint8_t, 512> buffer;
  MessageWriter writer(buffer);
  writer.id(Random::from_system().u16());
  writer.rd(true);
  writer.question(plan.name, plan.type, Class::in);
  writer.edns({.udp_size = udp_size, .dnssec_ok = dnssec});
  return {writer.message().begin(), writer.message().end()};
}

void print_reply(const QueryReply& reply, const MessageView& message, const Endpoint& server,
                 std::ostream& out) {
  const double millis = std::chrono::duration<double, std::milli>(reply.time).count();
  if (reply.was_truncated) out << ";; truncated over UDP, asked again over TCP\n";
  if (reply.ignored != 0)
    out << ";; " << count_text(reply.ignored, "datagram") << " ignored: no reply to this query\n";
  out << message_text(message)
      << fmt::format(";; {} from {} over {}, {} octets\n", milliseconds_text(millis), server.to_string(),
                     reply.over_tcp ? "TCP" : "UDP", reply.message.size());
}

// What the root and those below it say: no server of ours is asked.
int trace(const Plan& plan, const QueryOptions& options, Duration limit, Console console) {
  const RootTrace wanted{.qname = plan.name,
                         .qtype = plan.type,
                         .dnssec_ok = options.dnssec,
                         .timeout = limit,
                         .roots = plan.servers,
                         .port = options.port != 0 ? options.port : dns_port};
  const Explanation explanation = trace_from_root(wanted);
  const nlohmann::json report = report_explanation(
      {.qname = plan.name, .qtype = plan.type, .dnssec_ok = options.dnssec, .fresh = true}, explanation);
  if (plan.json) {
    console.out << report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  } else {
    console.out << trace_text(report, TreeStyle::of(console.out));
  }
  if (explanation.resolution.message.empty()) return exit_usage;
  return explanation.resolution.rcode == Rcode::noerror ? exit_ok : exit_failed;
}

int query(const QueryOptions& options, Console console) {
  const auto fail = [&](const std::string& why) {
    console.err << "peregrine: " << safe_for_terminal(why) << '\n';
    return exit_usage;
  };
  const auto plan = make_plan(options);
  if (!plan) return fail(plan.error());
  const auto limit = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(options.timeout));
  if (plan->trace) return trace(*plan, options, limit, console);
  const Endpoint& server = plan->servers.front();
  const auto reply = ask_server(server, make_query(*plan, options.dnssec), options.tcp, limit);
  if (!reply) return fail(reply.error());
  const auto view = MessageView::parse(reply->message);
  if (!view) return fail(fmt::format("the reply of {}: {}", server.to_string(), to_string(view.error())));
  print_reply(*reply, *view, server, console.out);
  return view->rcode() == Rcode::noerror ? exit_ok : exit_failed;
}

}  // namespace

void add_query(CLI::App& app, Console console, int& exit_code) {
  CLI::App* command = app.add_subcommand("query", "Ask a DNS server, and print its reply");
  auto options = std::make_shared<QueryOptions>();
  command
      ->add_option("NAME", options->words,
                   "The name; a type (A if none is given); @server or @server:port\n"
                   "(the first of /etc/resolv.conf if none is given); +trace. An\n"
                   "address without a type asks for its name: 192.0.2.1")
      ->option_text("NAME [TYPE] [@SERVER] [+trace]")
      ->required()
      ->expected(1, 5);
  command->add_flag("--tcp", options->tcp, "Ask over TCP at once, not only after a truncated reply");
  command->add_flag("--dnssec", options->dnssec, "Ask for signatures, too (the DO bit)");
  command->add_option("--timeout", options->timeout, "How long to wait in all; 5 if not given")
      ->option_text("SECONDS")
      ->check(CLI::Range(0.001, 3600.0));
  command->add_flag("--trace", options->trace,
                    "As +trace: resolve from the root, here, and print every step;\n"
                    "@server is a server of the root then");
  command->add_flag("--json", options->json, "As +json: with +trace, one line of JSON");
  command->add_option("--root", options->roots, "With +trace: the root's servers, for a tree of your own")
      ->option_text("ADDRESS,...")
      ->allow_extra_args(false)
      ->delimiter(',');
  command->add_option("--port", options->port, "With +trace: that of all other servers; 53 if not given")
      ->option_text("PORT")
      ->check(CLI::Range(1, 65'535));
  command->footer(
      "For example: peregrine query example.com MX @127.0.0.1:1053\n"
      "Exit code: 0 NOERROR, 1 any other answer (NXDOMAIN, SERVFAIL, ...), 2 no reply or wrong usage.");
  command->callback([options, console, &exit_code] { exit_code = query(*options, console); });
}

}  // namespace peregrine
