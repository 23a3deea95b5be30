// What a resolver must find out: a plain walk of the tree (RFC 1034 section 4.3.2, RFC 4592, RFC 6672) that
// asks nobody and caches nothing. Shares no code with the resolver.
#pragma once

#include <string>
#include <vector>

#include "sim/recursion_tree.h"

namespace peregrine::sim {

struct WalkedSet {
  std::string owner;
  Type type;
  TreeSet set;
};

struct Walk {
  Rcode rcode = Rcode::noerror;
  std::vector<WalkedSet> answer;  // the chain of aliases, then the data
  std::string denied_by;          // the apex of the zone whose SOA says that there is no data; "": there is
  unsigned aliases = 0;           // steps of the chain
  bool loops = false;             // without end
  bool at_ent = false;            // the chain ends at a name that has but names below it
  std::set<size_t> zones;         // where it led
};

Walk walk(const Tree& tree, std::string name, Type type);

}  // namespace peregrine::sim
