// How the process's descriptors are shared out, so that the pools of source ports leave some for TCP clients.
#pragma once

#include <cstddef>
#include <string>

namespace peregrine {

struct DescriptorDemand {
  size_t limit = 0;  // descriptors that the process may have; 0: not known
  size_t workers = 1;
  size_t listen_addresses = 2;
  size_t tcp_sessions = 1024;    // of one worker
  unsigned source_ports = 1024;  // that one worker would have for each address family
};

struct DescriptorBudget {
  unsigned source_ports = 0;  // that it gets: 16 at least, even if that is too many
  bool enough = true;         // for all that is demanded
};

// Where the limit is too low for everything, TCP sessions and source ports have equal shares in what is left
// when the rest is served. Sessions are not bound to theirs.
DescriptorBudget share_out(const DescriptorDemand& demand);

// One line for the operator about a budget that is not enough: what it means and what to do.
std::string shortage(const DescriptorDemand& demand, const DescriptorBudget& budget);

}  // namespace peregrine
