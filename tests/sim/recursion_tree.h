// A tree of zones from a seed, with the servers that its delegations name: what is true, as plain text and
// maps. Names are absolute, in small letters and without escapes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "sim/stage.h"
#include "wire/types.h"

namespace peregrine::sim {

struct TreeSet {
  uint32_t ttl = 0;
  std::vector<std::string> rdata{};  // presentation form
};
using TreeNode = std::map<Type, TreeSet>;

// What keeps a machine from being of any use.
enum class Ill : uint8_t {
  none,
  silent,      // takes everything and says nothing
  mute_edns,   // the same, to queries with EDNS
  vanished,    // the kernel has no route there
  refuses,     // REFUSED to all
  fails,       // SERVFAIL to all
  refers_up,   // to the root
  lies,        // a resolver that remembers what is false
  garbles,     // announces more records than it sends
  formerr,     // FORMERR whatever is asked
  closes_tcp,  // TC, and no TCP
};

// One address. What it does beside answering well is what resolvers have to live with.
struct Machine {
  enum class Edns : uint8_t { speaks, formerr, notimp, bare_formerr };
  IpAddress address;
  Ill ill = Ill::none;
  Edns edns = Edns::speaks;
  bool lowers_case = false;  // of the question
  bool truncates = false;    // always over UDP
  bool stuffs = false;       // adds records that nobody asked for and that it has no say in
  bool omits_aa = false;
  bool denies_ents = false;       // NXDOMAIN for names that have but names below them
  bool refers_strangers = false;  // to the root, where a zone is not its own; else REFUSED
  Duration delay{};               // one way
};

struct Host {
  std::string name;
  size_t home = 0;  // the zone that has its addresses
  std::vector<size_t> machines{};
};

struct TreeZone {
  std::string apex;
  size_t parent = 0;
  bool gone = false;                        // the parent has no delegation of it any more
  std::map<std::string, TreeNode> nodes{};  // what it is authoritative for; of delegations, the DS
  std::vector<size_t> hosts{};              // in the delegation
  std::set<size_t> strangers{};             // of these, those that do not serve it
  uint32_t delegation_ttl = 0;
  bool sibling_glue =
      false;              // the delegation has addresses of servers that other children of the parent name
  unsigned glueless = 0;  // how many look-ups of servers' addresses may be nested to get here
};

struct TreePlan {
  unsigned zones = 12;
  unsigned ill = 15;         // of machines, in percent
  unsigned most_silent = 2;  // machines that cost time, in all
  bool spares = true;        // every zone has a machine that is well
  bool denies_ents = false;  // there are machines that do
};

// Names, as text.
bool is_at_or_below(std::string_view name, std::string_view ancestor);
std::string_view parent_of(std::string_view name);  // the root's is the root
std::string under(std::string_view label, std::string_view zone);

class Tree {
 public:
  Tree(uint64_t seed, const TreePlan& plan);

  const std::vector<TreeZone>& zones() const { return zones_; }
  const std::vector<Host>& hosts() const { return hosts_; }
  const std::vector<Machine>& machines() const { return machines_; }
  // The deepest at or above the name.
  size_t zone_of(std::string_view name) const;
  // Whether the delegation of the zone has the addresses of that server.
  bool has_glue(const TreeZone& zone, const Host& host) const;
  // Its parent gives a zone to others, who say other things of it, or takes it back; whoever served it does
  // not notice. The zone; nothing where none can be changed.
  std::optional<size_t> change();

  // Something to ask for: names that exist, that do not, and that are near those.
  std::string some_name(Dice& dice) const;

  static constexpr uint32_t longest_ttl = 300;
  static constexpr unsigned longest_depth = 5;

 private:
  void add_zone();
  void add_hosts(size_t zone);
  std::optional<size_t> choose_host(size_t zone);
  size_t make_host(std::string name, size_t home);
  size_t make_machine(Family family);
  void make_well(size_t zone);
  void settle_apex(size_t zone);
  void fill(size_t zone);
  std::string target();
  void add(size_t zone, const std::string& owner, Type type, std::string rdata,
           std::optional<uint32_t> ttl = {});
  uint32_t ttl();
  std::string address_text();
  unsigned depth_of(size_t zone) const;
  bool serves_others(size_t zone) const;

  Dice dice_;
  TreePlan plan_;
  std::vector<TreeZone> zones_;
  std::vector<Host> hosts_;
  std::vector<Machine> machines_;
  unsigned silent_ = 0, serial_ = 0;
};

}  // namespace peregrine::sim
