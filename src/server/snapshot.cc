#include "server/snapshot.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace peregrine {
namespace {

std::vector<ForwardTable::Zone> forward_zones(const Config& config,
                                              std::span<const Endpoint> system_servers) {
  std::vector<ForwardTable::Zone> zones;
  for (const ForwardZone& zone : config.forward) zones.push_back({zone.zone, zone.servers});
  if (zones.empty() && !system_servers.empty()) {
    zones.push_back({DnameBuf(), {system_servers.begin(), system_servers.end()}});
  }
  return zones;
}

// Whether asking `server` would be asking ourselves.
bool is_own(const Endpoint& server, const Config& config) {
  return std::ranges::any_of(config.server.listen, [&](const ListenAddress& listen) {
    if (listen.at.port != server.port) return false;
    return listen.at.address == server.address ||
           (listen.at.address.is_unspecified() && server.address.is_loopback());
  });
}

}  // namespace

Snapshot make_snapshot(const Config& config, std::span<const Endpoint> system_servers, uint32_t generation) {
  Settings settings{
      .access = AccessList(config.access.allow),
      .ttl = {.floor = config.cache.min_ttl,
              .cap = config.cache.max_ttl,
              .negative_cap = config.cache.max_negative_ttl},
      .forwarder = {.timeout = config.resolver.timeout,
                    .randomise_case = config.resolver.randomise_case,
                    .udp_size = config.edns.udp_size},
      .inflight = {.resolutions = config.resolver.queries_in_flight,
                   .waiters = config.resolver.waiters_per_query},
      .sessions = {.total = config.server.tcp_sessions,
                   .per_client = config.server.tcp_sessions_per_client,
                   .idle = config.server.tcp_idle},
      .udp_size = config.edns.udp_size,
  };
  return {std::make_shared<const Settings>(std::move(settings)),
          std::make_shared<const ForwardTable>(forward_zones(config, system_servers)), generation};
}

std::vector<Endpoint> system_servers(const Config& config) {
  std::ifstream file("/etc/resolv.conf");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<Endpoint> servers = parse_resolv_conf(text);
  std::erase_if(servers, [&](const Endpoint& server) { return is_own(server, config); });
  return servers;
}

}  // namespace peregrine
