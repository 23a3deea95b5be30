#include "lab/plan_builder.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace peregrine {
namespace {

constexpr std::array<std::array<uint8_t, 2>, 2> v4_heads{{{198, 18}, {127, 18}}};
constexpr std::array<uint8_t, 4> v6_head{0xfd, 0x6c, 0x61, 0x62};

IpAddress v4_of_server(size_t number, bool on_loopback) {
  const auto& head = v4_heads[on_loopback];
  const size_t host = number + 1;
  return IpAddress::v4({head[0], head[1], static_cast<uint8_t>(host >> 8), static_cast<uint8_t>(host)});
}

// A network of 64 bits for each server.
IpAddress v6_of_server(size_t number) {
  std::array<uint8_t, 16> octets{};
  std::ranges::copy(v6_head, octets.begin());
  store_u16(&octets[6], static_cast<uint16_t>(number + 1));
  octets[15] = 0x53;
  return IpAddress::v6(octets);
}

// "example." of "www.example."; "." of "example.". Names here have no escaped dots.
std::string_view parent_of(std::string_view name) {
  const std::string_view rest = name.substr(name.find('.') + 1);
  return rest.empty() ? "." : rest;
}

bool at_or_below(std::string_view name, std::string_view apex) {
  if (apex == ".") return true;
  if (!name.ends_with(apex)) return false;
  return name.size() == apex.size() || name[name.size() - apex.size() - 1] == '.';
}

}  // namespace

PlanBuilder::Draft& PlanBuilder::Draft::add_all(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (!line.empty()) records.emplace_back(line);
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return *this;
}

PlanBuilder::PlanBuilder(const PlanOptions& options)
    : options_(options), random_(Random::from_seed(options.seed)) {}

size_t PlanBuilder::server(const Conduct& conduct, Reach reach) {
  const size_t number = servers_.size();
  if (number >= 0xfffe) throw std::length_error("the lab has room for 65,534 servers");
  PlannedServer server{.addresses = {}, .conduct = conduct, .zones = {}};
  if (reach != Reach::v6) server.addresses.push_back(v4_of_server(number, options_.on_loopback));
  if (reach != Reach::v4) server.addresses.push_back(v6_of_server(number));
  server.conduct.delay += options_.delay;
  server.conduct.loss = std::max(server.conduct.loss, options_.loss);
  servers_.push_back(std::move(server));
  return number;
}

PlanBuilder::Draft& PlanBuilder::zone(std::string apex, std::string shape, std::vector<Host> hosts) {
  Draft& draft = drafts_.emplace_back(Draft{.apex = std::move(apex),
                                            .shape = std::move(shape),
                                            .hosts = hosts,
                                            .parent_hosts = hosts,
                                            .records = {}});
  by_apex_[draft.apex] = &draft;
  return draft;
}

PlanBuilder::Draft& PlanBuilder::zone_at(std::string apex, std::string shape,
                                         const std::vector<size_t>& servers) {
  std::vector<Host> hosts;
  for (size_t i = 0; i < servers.size(); ++i)
    hosts.push_back({"ns" + std::to_string(i + 1) + "." + (apex == "." ? "" : apex), servers[i]});
  return zone(std::move(apex), std::move(shape), std::move(hosts));
}

std::string PlanBuilder::v4() {
  const char* net = random_.one_in(2) ? "192.0.2." : "198.51.100.";
  return net + std::to_string(1 + random_.below(254));
}

std::string PlanBuilder::v6() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "2001:db8::";
  for (int i = 0; i < 3; ++i) text += digits[1 + random_.below(15)];
  return text;
}

PlanBuilder::Draft* PlanBuilder::holder(std::string_view name, bool strictly_above) {
  for (std::string_view apex = strictly_above ? parent_of(name) : name;; apex = parent_of(apex)) {
    if (const auto found = by_apex_.find(apex); found != by_apex_.end()) return found->second;
    if (apex == ".") throw std::logic_error("a plan without a root");
  }
}

void PlanBuilder::put_addresses(Draft& into, const Host& host) {
  for (const IpAddress& address : servers_[host.server].addresses) {
    const char* type = address.family() == Family::v4 ? " A " : " AAAA ";
    into.add(host.name + " 86400" + type + address.to_string());
  }
}

void PlanBuilder::delegate(const Draft& child) {
  Draft& parent = *holder(child.apex, true);
  for (const Host& host : child.parent_hosts) {
    parent.add(child.apex + " 86400 NS " + host.name);
    if (at_or_below(host.name, child.apex)) put_addresses(parent, host);
  }
}

InternetPlan PlanBuilder::finish() && {
  std::set<std::string> addressed;
  for (Draft& draft : drafts_) {
    const std::string soa = draft.hosts.front().name + " hostmaster." + (draft.apex == "." ? "" : draft.apex);
    draft.records.insert(draft.records.begin(), "@ 3600 SOA " + soa + " 1 7200 900 1209600 300");
    for (const Host& host : draft.hosts) {
      draft.add("@ 86400 NS " + host.name);
      if (addressed.insert(host.name).second) put_addresses(*holder(host.name, false), host);
    }
  }
  for (Draft& draft : drafts_)
    if (draft.apex != ".") delegate(draft);

  InternetPlan plan{.seed = options_.seed, .servers = std::move(servers_), .zones = {}};
  for (Draft& draft : drafts_) {
    std::set<size_t> servers;
    for (const auto* hosts : {&draft.hosts, &draft.parent_hosts})
      for (const Host& host : *hosts) servers.insert(host.server);
    for (const size_t server : servers) plan.servers[server].zones.push_back(plan.zones.size());
    plan.zones.push_back({std::move(draft.apex),
                          std::move(draft.shape),
                          draft.resolves,
                          std::move(draft.records),
                          {servers.begin(), servers.end()}});
  }
  return plan;
}

}  // namespace peregrine
