#include "server/snapshot.h"

#include <algorithm>

#include "base/file.h"
#include "config/own_addresses.h"
#include "resolve/root_hints.h"
#include "server/host.h"

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

Minimisation minimisation_of(QnameMinimisation wanted) {
  switch (wanted) {
    case QnameMinimisation::off:
      return Minimisation::off;
    case QnameMinimisation::relaxed:
      return Minimisation::relaxed;
    case QnameMinimisation::strict:
      return Minimisation::strict;
  }
  return Minimisation::relaxed;
}

// Servers without names of their own.
Delegation delegation_to(Dname zone, std::span<const Endpoint> servers) {
  Delegation made{.zone = DnameBuf(zone), .servers = {}, .configured = true};
  for (const Endpoint& server : servers)
    made.servers.push_back({.name = {}, .addresses = {server.address}, .port = server.port});
  return made;
}

std::shared_ptr<const RecursionTable> recursion_of(const Config& config) {
  if (!config.recursion.enabled) return nullptr;
  auto made = std::make_shared<RecursionTable>();
  const auto& roots = config.recursion.root_servers;
  made->root = roots.empty() ? built_in_root() : delegation_to(Dname(), roots);
  for (const ForwardZone& stub : config.stub) made->stubs.push_back(delegation_to(stub.zone, stub.servers));
  made->options = {.timeout = config.resolver.timeout,
                   .minimisation = minimisation_of(config.recursion.qname_minimisation),
                   .randomise_case = config.resolver.randomise_case,
                   .udp_size = config.edns.udp_size,
                   .port = config.recursion.port,
                   .query_private = config.recursion.query_private};
  return made;
}

bool same_tables(const ForwardTable& a, const ForwardTable& b) {
  return std::ranges::equal(a.zones(), b.zones(), [](const auto& x, const auto& y) {
    return x.zone == y.zone && x.servers == y.servers;
  });
}

Settings settings_of(const Config& config) {
  return {
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
}

}  // namespace

ServedSince::ServedSince(const ForwardTable& table, uint32_t generation) : elsewhere_(generation) {
  for (const ForwardTable::Zone& zone : table.zones()) zones_[zone.zone] = generation;
}

ServedSince::ServedSince(const ServedSince& before, const ForwardTable& old_table, const ForwardTable& table,
                         uint32_t generation)
    : elsewhere_(before.elsewhere_) {
  auto servers_in = [](const ForwardTable& in, Dname name) {
    const ForwardTable::Zone* zone = in.find(name);
    return zone ? zone->servers : std::vector<Endpoint>{};
  };
  auto compare = [&](Dname name) {
    const uint32_t since = before.generation_of(name);
    zones_[DnameBuf(name)] = servers_in(old_table, name) == servers_in(table, name) ? since : generation;
  };
  for (const ForwardTable::Zone& zone : table.zones()) compare(zone.zone);
  for (const auto& [zone, since] : before.zones_)
    compare(zone);  // those of the old table, and those gone before
}

uint32_t ServedSince::generation_of(Dname qname) const {
  for (unsigned labels = qname.label_count();; --labels) {
    auto found = zones_.find(DnameBuf(qname.suffix(labels)));
    if (found != zones_.end()) return found->second;
    if (labels == 0) return elsewhere_;
  }
}

Snapshot make_snapshot(const Config& config, std::span<const Endpoint> system_servers) {
  auto forward = std::make_shared<const ForwardTable>(forward_zones(config, system_servers));
  return {std::make_shared<const Settings>(settings_of(config)),
          forward,
          recursion_of(config),
          std::make_shared<const ServedSince>(*forward, 1),
          {},
          1,
          1};
}

Snapshot next_snapshot(const Snapshot& before, const Config& config,
                       std::span<const Endpoint> system_servers) {
  const uint32_t generation = before.generation + 1;
  auto forward = std::make_shared<const ForwardTable>(forward_zones(config, system_servers));
  return {std::make_shared<const Settings>(settings_of(config)),
          forward,
          recursion_of(config),
          std::make_shared<const ServedSince>(*before.served_since, *before.forward, *forward, generation),
          before.cookies,
          generation,
          same_tables(*before.forward, *forward) ? before.policy_generation : generation};
}

std::vector<Endpoint> system_servers(const Config& config, std::span<const ListenAddress> listen) {
  constexpr size_t most = 64 * 1024;  // octets; those in use have some hundreds
  if (!config.forward.empty() || config.recursion.enabled) return {};
  auto text = read_file("/etc/resolv.conf", most);
  if (!text) return {};
  std::vector<Endpoint> servers = parse_resolv_conf(*text);
  const OwnAddresses ours(listen, is_of_this_host);
  std::erase_if(servers, [&](const Endpoint& server) { return ours.reached_by(server).has_value(); });
  return servers;
}

}  // namespace peregrine
