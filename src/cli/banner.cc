#include "cli/banner.h"

#include <fmt/format.h>

#include <algorithm>

namespace peregrine {
namespace {

struct Listening {
  std::string address;
  bool udp = false, tcp = false;
};

std::vector<Listening> by_address(const std::vector<std::string>& listening) {
  std::vector<Listening> all;
  for (const std::string& url : listening) {
    const size_t scheme_end = url.find("://");
    if (scheme_end == url.npos) continue;
    const std::string address = url.substr(scheme_end + 3);
    auto found = std::ranges::find(all, address, &Listening::address);
    if (found == all.end()) found = all.insert(all.end(), Listening{address});
    found->udp |= url.starts_with("udp:");
    found->tcp |= url.starts_with("tcp:");
  }
  return all;
}

std::string_view transports(const Listening& at) {
  if (at.udp && at.tcp) return "UDP and TCP";
  return at.udp ? "UDP" : "TCP";
}

bool forwards_everything(const ServerStatus& status) {
  return std::ranges::any_of(status.forwarding, [](const auto& zone) { return zone.zone.view().is_root(); });
}

// A name that this server can answer.
std::string name_to_try(const ServerStatus& status) {
  if (forwards_everything(status) || status.recursion) return "example.com";
  if (status.forwarding.empty()) return "localhost";
  return status.forwarding.front().zone.to_string();
}

// 0.0.0.0 and :: are no addresses to ask.
std::string address_to_ask(const IpAddress& address) {
  if (!address.is_unspecified()) return address.to_string();
  return address.family() == Family::v4 ? "127.0.0.1" : "::1";
}

std::string try_text(const ServerStatus& status, const Listening& at) {
  const auto endpoint = Endpoint::parse(at.address, 53);
  if (!endpoint) return {};
  const std::string port = endpoint->port == 53 ? "" : fmt::format(" -p {}", endpoint->port);
  return fmt::format("try: dig @{}{}{} {}\n", address_to_ask(endpoint->address), port, at.udp ? "" : " +tcp",
                     name_to_try(status));
}

}  // namespace

std::string banner_text(const ServerStatus& status, const std::string& control_socket) {
  std::string text;
  const std::vector<Listening> listening = by_address(status.listening);
  for (const Listening& at : listening) {
    text += fmt::format("Peregrine {} listens on {} ({})\n", status.version, at.address, transports(at));
  }
  for (const ForwardTable::Zone& zone : status.forwarding) {
    text += fmt::format("forwards {} to", zone.zone.to_string());
    for (const Endpoint& server : zone.servers) text += " " + server.to_string();
    text += '\n';
  }
  if (status.recursion && !forwards_everything(status)) {
    text += fmt::format("resolves {}names from the root\n", status.forwarding.empty() ? "" : "other ");
  }
  if (!control_socket.empty()) text += fmt::format("control socket {}\n", control_socket);
  if (!listening.empty()) text += try_text(status, listening.front());
  return text;
}

std::string missing_upstreams(const ServerStatus& status) {
  if (forwards_everything(status) || status.recursion) return {};
  constexpr std::string_view remedy = R"(set [[forward]] with zone = "." and servers = ["192.0.2.53"])";
  if (status.forwarding.empty()) {
    return fmt::format(
        "nothing to forward to: {}, a nameserver in /etc/resolv.conf, or recursion.enabled = true", remedy);
  }
  return fmt::format("nothing to forward to for names outside these zones: {}", remedy);
}

}  // namespace peregrine
