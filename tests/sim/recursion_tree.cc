#include "sim/recursion_tree.h"

#include <algorithm>
#include <array>

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;

constexpr unsigned most_glueless = 2;

constexpr std::array<std::string_view, 8> labels = {"www", "mail", "a", "b", "c", "x-1", "_srv", "web"};

bool costs_time(Ill ill) { return ill == Ill::silent || ill == Ill::mute_edns; }

bool cuts_in(const TreeZone& zone, std::string_view name, Type type) {
  const auto node = zone.nodes.find(std::string(name));
  return node != zone.nodes.end() && node->second.contains(type);
}

}  // namespace

bool is_at_or_below(std::string_view name, std::string_view ancestor) {
  if (ancestor == "." || name == ancestor) return true;
  return name.size() > ancestor.size() && name.ends_with(ancestor) &&
         name[name.size() - ancestor.size() - 1] == '.';
}

std::string_view parent_of(std::string_view name) {
  const size_t dot = name.find('.');
  return dot + 1 >= name.size() ? std::string_view(".") : name.substr(dot + 1);
}

std::string under(std::string_view label, std::string_view zone) {
  return std::string(label) + "." + (zone == "." ? "" : std::string(zone));
}

Tree::Tree(uint64_t seed, const TreePlan& plan) : dice_(seed), plan_(plan) {
  zones_.push_back({.apex = ".", .delegation_ttl = longest_ttl});
  add_hosts(0);
  while (zones_.size() < plan.zones) add_zone();
  for (size_t zone = 0; zone < zones_.size(); ++zone) {
    settle_apex(zone);
    fill(zone);
  }
}

size_t Tree::zone_of(std::string_view name) const {
  size_t best = 0;
  for (size_t i = 1; i < zones_.size(); ++i) {
    const TreeZone& zone = zones_[i];
    if (!zone.gone && is_at_or_below(name, zone.apex) && zone.apex.size() > zones_[best].apex.size())
      best = i;
  }
  return best;
}

unsigned Tree::depth_of(size_t zone) const { return zone == 0 ? 0 : 1 + depth_of(zones_[zone].parent); }

uint32_t Tree::ttl() {
  constexpr std::array<uint32_t, 6> ttls = {0, 1, 10, 30, 120, longest_ttl};
  return dice_.pick(std::span<const uint32_t>(ttls));
}

void Tree::add_zone() {
  // Two or three top-level domains first, so that there is something beside everything.
  size_t parent = zones_.size() <= 2 ? 0 : dice_.below(static_cast<uint32_t>(zones_.size()));
  while (depth_of(parent) >= longest_depth) parent = zones_[parent].parent;
  const std::string label = "z" + std::to_string(zones_.size());
  std::string apex = under(label, zones_[parent].apex);
  // A cut two labels below the parent's apex: between them is a name without data.
  if (parent != 0 && dice_.percent(20)) apex = under("q", apex);
  zones_.push_back({.apex = std::move(apex),
                    .parent = parent,
                    .delegation_ttl = dice_.percent(50) ? longest_ttl : 60,
                    .sibling_glue = dice_.percent(60)});
  add_hosts(zones_.size() - 1);
}

void Tree::add_hosts(size_t zone) {
  const unsigned count = dice_.between(1, 3);
  for (unsigned i = 0; i < count; ++i) {
    const auto host = zone == 0 ? std::optional<size_t>() : choose_host(zone);
    const size_t chosen =
        host ? *host : make_host(under("ns" + std::to_string(++serial_), zones_[zone].apex), zone);
    std::vector<size_t>& all = zones_[zone].hosts;
    if (std::ranges::find(all, chosen) == all.end()) all.push_back(chosen);
    if (zone != 0 && dice_.below(100) * 3 < plan_.ill) zones_[zone].strangers.insert(chosen);
  }
  TreeZone& made = zones_[zone];
  made.glueless = zones_[made.parent].glueless;
  for (const size_t host : made.hosts) {
    if (!has_glue(made, hosts_[host]))
      made.glueless = std::max(made.glueless, zones_[hosts_[host].home].glueless + 1);
  }
  if (plan_.spares) make_well(zone);
}

bool Tree::has_glue(const TreeZone& zone, const Host& host) const {
  if (is_at_or_below(host.name, zone.apex)) return true;
  if (!is_at_or_below(host.name, zones_[zone.parent].apex)) return false;
  return host.home == zone.parent || zone.sibling_glue;
}

// Nothing: one that the zone names itself, with glue.
std::optional<size_t> Tree::choose_host(size_t zone) {
  const TreeZone& made = zones_[zone];
  const auto usable = [&](size_t home, const Host& host) {
    return has_glue(made, host) || zones_[home].glueless < most_glueless;
  };
  const unsigned roll = dice_.below(100);
  if (roll < 30) return std::nullopt;
  if (roll < 60) {
    // One that serves another zone already, its parent perhaps.
    const auto other = dice_.percent(30)
                           ? made.hosts.empty() ? zones_[made.parent].hosts.front() : made.hosts.front()
                           : dice_.below(static_cast<uint32_t>(hosts_.size()));
    return usable(hosts_[other].home, hosts_[other]) && hosts_[other].home != 0 ? std::optional(other)
                                                                                : std::nullopt;
  }
  // A name in the parent, beside it or anywhere.
  const size_t home = roll < 75 ? made.parent : dice_.below(static_cast<uint32_t>(zone));
  const std::string name = under("ns" + std::to_string(++serial_), zones_[home].apex);
  if (home == 0 || !usable(home, {.name = name, .home = home})) return std::nullopt;
  return make_host(name, home);
}

size_t Tree::make_host(std::string name, size_t home) {
  Host host{.name = std::move(name), .home = home};
  const unsigned count = dice_.between(1, 2);
  for (unsigned i = 0; i < count; ++i)
    host.machines.push_back(make_machine(dice_.percent(60) ? Family::v4 : Family::v6));
  hosts_.push_back(std::move(host));
  return hosts_.size() - 1;
}

size_t Tree::make_machine(Family family) {
  const auto number = static_cast<uint8_t>(machines_.size());
  Machine machine;
  machine.address = family == Family::v4
                        ? IpAddress::v4({185, 53, 1, number})
                        : IpAddress::v6({0x2a, 0, 0, 0x53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, number});
  if (dice_.percent(plan_.ill)) {
    machine.ill = Ill(dice_.between(1, static_cast<uint32_t>(Ill::closes_tcp)));
    if (costs_time(machine.ill) && ++silent_ > plan_.most_silent) machine.ill = Ill::refuses;
  }
  if (dice_.percent(15)) machine.edns = Machine::Edns(dice_.below(4));
  machine.lowers_case = dice_.percent(5);
  machine.truncates = dice_.percent(5);
  machine.stuffs = dice_.percent(25);
  machine.omits_aa = dice_.percent(5);
  machine.denies_ents = plan_.denies_ents && dice_.percent(50);
  machine.refers_strangers = dice_.percent(40);
  machine.delay = dice_.between(Duration(1ms), dice_.percent(10) ? Duration(150ms) : Duration(40ms));
  machines_.push_back(machine);
  return machines_.size() - 1;
}

// One of its servers' machines at least answers.
void Tree::make_well(size_t zone) {
  TreeZone& made = zones_[zone];
  for (const size_t host : made.hosts) {
    if (made.strangers.contains(host)) continue;
    for (const size_t machine : hosts_[host].machines) {
      if (machines_[machine].ill == Ill::none) return;
    }
  }
  made.strangers.erase(made.hosts.front());
  Machine& first = machines_[hosts_[made.hosts.front()].machines.front()];
  if (costs_time(first.ill)) --silent_;
  first.ill = Ill::none;
}

void Tree::add(size_t zone, const std::string& owner, Type type, std::string rdata,
               std::optional<uint32_t> given) {
  auto& sets = zones_[zone].nodes[owner];
  const auto [place, is_new] = sets.try_emplace(type);
  if (is_new) place->second.ttl = given ? *given : ttl();
  auto& all = place->second.rdata;
  if (std::ranges::find(all, rdata) == all.end()) all.push_back(std::move(rdata));
}

void Tree::settle_apex(size_t index) {
  const TreeZone& zone = zones_[index];
  const auto serial = std::to_string(1 + ++serial_);
  const auto minimum = std::to_string(dice_.percent(50) ? 30 : 1);
  add(index, zone.apex, Type::soa, "m. h. " + serial + " 2 3 4 " + minimum, longest_ttl);
  const bool all = index == 0 || dice_.percent(80);  // the root's count: RFC 9609
  for (const size_t host : zone.hosts) {
    add(index, zone.apex, Type::ns, hosts_[host].name);
    if (!all) break;
  }
  for (const size_t host : zone.hosts) {
    for (const size_t machine : hosts_[host].machines) {
      const IpAddress& address = machines_[machine].address;
      const Type type = address.family() == Family::v4 ? Type::a : Type::aaaa;
      add(hosts_[host].home, hosts_[host].name, type, address.to_string(),
          dice_.percent(50) ? longest_ttl : 60);
    }
  }
  if (index != 0 && dice_.percent(30))
    add(zone.parent, zone.apex, Type::ds, std::string("\\# 36 00070802") + std::string(64, 'a'));
}

std::string Tree::address_text() { return "192.0.2." + std::to_string(1 + dice_.below(250)); }

void Tree::fill(size_t index) {
  const std::string apex = zones_[index].apex;
  if (index == 0) return;
  const unsigned count = dice_.between(3, 8);
  for (unsigned i = 0; i < count; ++i) {
    std::string owner = under(dice_.pick(std::span<const std::string_view>(labels)), apex);
    if (dice_.percent(25)) owner = under(dice_.pick(std::span<const std::string_view>(labels)), owner);
    if (dice_.percent(10)) owner = under("deep.er", owner);
    if (dice_.percent(12)) owner = under("*", dice_.percent(50) ? apex : std::string(parent_of(owner)));
    const auto& nodes = zones_[index].nodes;
    const auto below_dname = [&](const auto& node) {
      return node.second.contains(Type::dname) && node.first != owner && is_at_or_below(owner, node.first);
    };
    const auto has_below = [&](const auto& node) {
      return node.first != owner && is_at_or_below(node.first, owner);
    };
    if (nodes.contains(owner) || std::ranges::any_of(nodes, below_dname)) continue;
    const unsigned roll = dice_.below(100);
    const auto cut_below = [&](const TreeZone& zone) { return is_at_or_below(zone.apex, owner); };
    const bool may_be_dname = !owner.starts_with('*') && std::ranges::none_of(nodes, has_below) &&
                              std::ranges::none_of(zones_, cut_below);
    if (roll < 25) {
      add(index, owner, Type::cname, target());
    } else if (roll < 33 && may_be_dname) {
      add(index, owner, Type::dname, dice_.percent(10) ? under(std::string(60, 'l'), target()) : target());
    } else {
      if (roll < 85) add(index, owner, Type::a, address_text());
      if (roll < 60 && dice_.percent(30)) add(index, owner, Type::a, address_text());
      if (roll > 60) add(index, owner, Type::aaaa, "2001:db8::" + std::to_string(1 + dice_.below(99)));
      if (roll > 75)
        add(index, owner, Type::txt, "\"" + std::string(dice_.percent(20) ? 250 : 9, 't') + "\"");
      if (roll > 90) add(index, owner, Type::mx, "10 " + target());
    }
  }
}

// Of an alias: here or anywhere, there or not.
std::string Tree::target() {
  if (dice_.percent(5)) return "gone.nowhere.";
  const TreeZone& zone = zones_[1 + dice_.below(static_cast<uint32_t>(zones_.size() - 1))];
  if (dice_.percent(10)) return zone.apex;
  return under(dice_.pick(std::span<const std::string_view>(labels)), zone.apex);
}

std::string Tree::some_name(Dice& dice) const {
  const TreeZone& zone = zones_[dice.below(static_cast<uint32_t>(zones_.size()))];
  if (dice.percent(15)) return hosts_[dice.below(static_cast<uint32_t>(hosts_.size()))].name;
  if (zone.nodes.empty() || dice.percent(10)) return zone.apex;
  auto node = zone.nodes.begin();
  std::advance(node, dice.below(static_cast<uint32_t>(zone.nodes.size())));
  std::string name = node->first;
  if (name.starts_with("*.") && dice.percent(90))
    name = under(dice.percent(50) ? "any" : "some.thing", name.substr(2));
  const unsigned roll = dice.below(100);
  if (roll < 8) return under("nothing", name);
  if (roll < 12) return under("not.at.all", name);
  if (roll < 18) return std::string(parent_of(name));
  if (roll < 30) return under(dice.pick(std::span<const std::string_view>(labels)), name);
  return name;
}

bool Tree::serves_others(size_t index) const {
  return std::ranges::any_of(zones_, [&](const TreeZone& zone) {
    return &zone != &zones_[index] && (zone.parent == index || std::ranges::any_of(zone.hosts, [&](size_t h) {
                                         return hosts_[h].home == index;
                                       }));
  });
}

std::optional<size_t> Tree::change() {
  std::vector<size_t> leaves;
  for (size_t i = 1; i < zones_.size(); ++i) {
    if (!zones_[i].gone && zones_[i].parent != 0 && !serves_others(i)) leaves.push_back(i);
  }
  if (leaves.empty()) return std::nullopt;
  const size_t index = dice_.pick(std::span<const size_t>(leaves));
  TreeZone& zone = zones_[index];
  if (cuts_in(zones_[zone.parent], zone.apex, Type::ds)) zones_[zone.parent].nodes.erase(zone.apex);
  if (dice_.percent(40)) {
    zone.gone = true;
    return index;
  }
  zone.nodes.clear();
  zone.strangers.clear();
  zone.hosts = {make_host(under("ns" + std::to_string(++serial_), zone.apex), index)};
  if (plan_.spares) make_well(index);
  settle_apex(index);
  fill(index);
  return index;
}

}  // namespace peregrine::sim
