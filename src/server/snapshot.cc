#include "server/snapshot.h"

#include <algorithm>

#include "base/file.h"
#include "config/own_addresses.h"
#include "resolve/own_zone.h"
#include "resolve/root_hints.h"
#include "server/host.h"

namespace peregrine {
namespace {

std::vector<ForwardTable::Zone> forward_zones(const Config& config,
                                              std::span<const Endpoint> system_servers) {
  std::vector<ForwardTable::Zone> zones;
  for (const ForwardZone& zone : config.forward) zones.push_back({zone.zone, zone.servers, zone.first});
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

Delegation root_of(const Config& config, const OwnZones& own) {
  if (!config.recursion.enabled) return delegation_to(Dname(), {});
  const auto& servers = config.recursion.root_servers;
  if (!servers.empty()) return delegation_to(Dname(), servers);
  return own.root_hints ? *own.root_hints : built_in_root();
}

void add_local(const OwnZones& own, RecursionTable& table) {
  for (const auto& zone : own.local) {
    for (const DnameBuf& cut : zone->delegations()) {
      table.stubs.push_back(delegation_in(*zone, cut));
      table.stubs.back().configured = true;
    }
  }
  table.locals = std::make_shared<const LocalZones>(own.local);
}

// Without recursion: only what local zones need.
std::shared_ptr<const RecursionTable> table_of(const Config& config, const OwnZones& own) {
  auto made = std::make_shared<RecursionTable>();
  made->root = root_of(config, own);
  if (config.recursion.enabled) {
    for (const ForwardZone& stub : config.stub) made->stubs.push_back(delegation_to(stub.zone, stub.servers));
    made->local_root = own.local_root;
    made->local_root_expires = own.local_root_expires;
  }
  add_local(own, *made);
  made->options = {.timeout = config.resolver.timeout,
                   .minimisation = minimisation_of(config.recursion.qname_minimisation),
                   .randomise_case = config.resolver.randomise_case,
                   .udp_size = config.edns.udp_size,
                   .port = config.recursion.port,
                   .query_private = config.recursion.query_private,
                   .verify_sibling_glue = config.recursion.verify_glue};
  if (!config.recursion.query_private) made->own_addresses = addresses_of_this_host();
  return made;
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

// All but the generations.
Snapshot parts_of(const Config& config, std::span<const Endpoint> system_servers, const OwnZones& own) {
  Snapshot made;
  made.settings = std::make_shared<const Settings>(settings_of(config));
  made.forward = std::make_shared<const ForwardTable>(forward_zones(config, system_servers));
  made.own = table_of(config, own);
  if (config.recursion.enabled) made.recursion = made.own;
  made.sources = std::make_shared<const Sources>(*made.forward, made.own.get(), own);
  const uint64_t servers = Sources(*made.forward, made.own.get(), {}).fingerprint();
  made.knowledge_realm = static_cast<uint16_t>(servers);
  return made;
}

}  // namespace

ServedSince::ServedSince(const Sources& sources, uint32_t generation) : elsewhere_(generation) {
  for (const auto& [zone, fingerprint] : sources.zones()) zones_[zone] = generation;
}

ServedSince::ServedSince(const ServedSince& before, const Sources& old_sources, const Sources& sources,
                         uint32_t generation)
    : elsewhere_(old_sources.elsewhere() == sources.elsewhere() ? before.elsewhere_ : generation) {
  auto compare = [&](Dname name) {
    const uint32_t since = before.generation_of(name);
    zones_[DnameBuf(name)] = old_sources.of(name) == sources.of(name) ? since : generation;
  };
  for (const auto& [zone, fingerprint] : sources.zones()) compare(zone);
  for (const auto& [zone, since] : before.zones_)
    compare(zone);  // those of the old sources, and those gone before
}

uint32_t ServedSince::generation_of(Dname qname) const {
  for (unsigned labels = qname.label_count();; --labels) {
    auto found = zones_.find(DnameBuf(qname.suffix(labels)));
    if (found != zones_.end()) return found->second;
    if (labels == 0) return elsewhere_;
  }
}

Snapshot make_snapshot(const Config& config, std::span<const Endpoint> system_servers, const OwnZones& own) {
  Snapshot made = parts_of(config, system_servers, own);
  made.generation = made.policy_generation = 1;
  made.served_since = std::make_shared<const ServedSince>(*made.sources, 1);
  return made;
}

Snapshot next_snapshot(const Snapshot& before, const Config& config, std::span<const Endpoint> system_servers,
                       const OwnZones& own) {
  Snapshot made = parts_of(config, system_servers, own);
  made.generation = before.generation + 1;
  made.policy_generation = *before.sources == *made.sources ? before.policy_generation : made.generation;
  made.served_since = std::make_shared<const ServedSince>(*before.served_since, *before.sources,
                                                          *made.sources, made.generation);
  made.cookies = before.cookies;
  return made;
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
