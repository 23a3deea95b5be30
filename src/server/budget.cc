#include "server/budget.h"

#include <algorithm>

namespace peregrine {
namespace {

constexpr size_t of_the_process = 128;  // files, signals, the control socket and its sessions
// A loop's own, connections to servers, and source ports that are worn out but waited on.
constexpr size_t of_a_worker = 160;
constexpr unsigned fewest_ports = 16;

}  // namespace

DescriptorBudget share_out(const DescriptorDemand& demand) {
  if (demand.limit == 0) return {demand.source_ports, true};
  const size_t pools = 2 * demand.workers;  // one for each address family
  const size_t rest = of_the_process + demand.workers * (of_a_worker + 2 * demand.listen_addresses);
  const size_t strangers = demand.tcp_sessions / 16 + 1;  // SessionLimits::total
  const size_t sessions = demand.workers * (demand.tcp_sessions + strangers);
  if (rest + sessions + pools * demand.source_ports <= demand.limit) return {demand.source_ports, true};

  const size_t left = demand.limit - std::min(rest, demand.limit);
  const size_t for_ports = left - std::min(sessions, left / 2);
  const size_t ports = std::max<size_t>(for_ports / pools, fewest_ports);
  return {static_cast<unsigned>(std::min<size_t>(ports, demand.source_ports)), false};
}

std::string shortage(const DescriptorDemand& demand, const DescriptorBudget& budget) {
  return "a limit of " + std::to_string(demand.limit) + " open files is too low for " +
         std::to_string(demand.workers) + " workers with " + std::to_string(demand.tcp_sessions) +
         " TCP sessions (server.tcp_sessions) and twice " + std::to_string(demand.source_ports) +
         " source ports (resolver.udp_sockets): using " + std::to_string(budget.source_ports) +
         " ports, and TCP clients may be kept waiting; raise it with LimitNOFILE= in the systemd unit or "
         "ulimit -n";
}

}  // namespace peregrine
