#include "sim/recursion_oracle.h"

#include <algorithm>

namespace peregrine::sim {
namespace {

constexpr size_t most_octets = 255;

size_t wire_size(const std::string& name) { return name == "." ? 1 : name.size() + 1; }

struct Walker {
  const Tree& tree;
  Type type;
  std::string name;
  Walk found{};

  const TreeZone& zone_at() const;
  bool exists(const TreeZone& zone, std::string_view at) const;
  bool step();
  bool deny(const TreeZone& zone, Rcode rcode);
  bool from_node(const TreeZone& zone, const TreeNode& node);
  bool from_dname(const std::string& owner, const TreeSet& dname);
  void visit(const TreeZone& zone) { found.zones.insert(static_cast<size_t>(&zone - tree.zones().data())); }
};

// A DS record is on the parent's side of a cut.
const TreeZone& Walker::zone_at() const {
  const TreeZone& zone = tree.zones()[tree.zone_of(name)];
  const bool of_parent = type == Type::ds && name == zone.apex && name != ".";
  return of_parent ? tree.zones()[zone.parent] : zone;
}

// A name exists that has data, or is a cut, or has such names below it.
bool Walker::exists(const TreeZone& zone, std::string_view at) const {
  const auto below = [&](const std::string& other) { return is_at_or_below(other, at); };
  if (std::ranges::any_of(zone.nodes, [&](const auto& node) { return below(node.first); })) return true;
  return std::ranges::any_of(tree.zones(), [&](const TreeZone& child) {
    return !child.gone && &child != &zone && &tree.zones()[child.parent] == &zone && below(child.apex);
  });
}

bool Walker::deny(const TreeZone& zone, Rcode rcode) {
  found.rcode = rcode;
  found.denied_by = zone.apex;
  return false;
}

bool Walker::from_node(const TreeZone& zone, const TreeNode& node) {
  if (const auto data = node.find(type); data != node.end()) {
    found.answer.push_back({name, type, data->second});
    return false;
  }
  const auto cname = node.find(Type::cname);
  if (cname == node.end()) return deny(zone, Rcode::noerror);
  found.answer.push_back({name, Type::cname, cname->second});
  name = cname->second.rdata.front();
  return true;
}

bool Walker::from_dname(const std::string& owner, const TreeSet& dname) {
  found.answer.push_back({owner, Type::dname, dname});
  const std::string prefix = name.substr(0, name.size() - owner.size());
  const std::string& target = dname.rdata.front();
  const std::string made = prefix + (target == "." ? "" : target);
  if (wire_size(made) > most_octets) {
    found.rcode = Rcode::yxdomain;
    return false;
  }
  found.answer.push_back({name, Type::cname, {dname.ttl, {made}}});
  name = made;
  return type != Type::cname;
}

// Whether there is another name to go to.
bool Walker::step() {
  const TreeZone& zone = zone_at();
  visit(zone);
  if (const auto node = zone.nodes.find(name); node != zone.nodes.end()) return from_node(zone, node->second);
  if (exists(zone, name)) {
    found.at_ent = type != Type::ds;  // of a cut it tells nothing
    return deny(zone, Rcode::noerror);
  }
  std::string encloser = name;
  while (!exists(zone, encloser)) encloser = parent_of(encloser);
  for (std::string above = encloser;; above = parent_of(above)) {
    const auto node = zone.nodes.find(above);
    if (node != zone.nodes.end() && node->second.contains(Type::dname))
      return from_dname(above, node->second.at(Type::dname));
    if (above == zone.apex) break;
  }
  const auto wildcard = zone.nodes.find(under("*", encloser));
  if (wildcard != zone.nodes.end()) return from_node(zone, wildcard->second);
  return deny(zone, Rcode::nxdomain);
}

}  // namespace

Walk walk(const Tree& tree, std::string name, Type type) {
  Walker walker{tree, type, std::move(name)};
  std::set<std::string> been{walker.name};
  while (walker.step()) {
    ++walker.found.aliases;
    if (been.insert(walker.name).second) continue;
    walker.found.loops = true;
    break;
  }
  return std::move(walker.found);
}

}  // namespace peregrine::sim
