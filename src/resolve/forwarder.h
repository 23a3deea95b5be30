// Resolution by forwarding: the zone with the longest matching suffix names the servers; the best of them is
// asked, then others, within the client's time.
#pragma once

#include <memory>
#include <vector>

#include "resolve/exchange.h"
#include "resolve/resolution.h"
#include "resolve/trace.h"
#include "resolve/upstreams.h"

namespace peregrine {

// Which servers serve which names. Immutable; shared by workers.
class ForwardTable {
 public:
  struct Zone {
    DnameBuf zone;
    std::vector<Endpoint> servers;
    bool first = false;  // where they fail, others may be asked
  };
  explicit ForwardTable(std::vector<Zone> zones);  // no two of one name
  const Zone* find(Dname qname) const;             // the longest suffix; nullptr: no zone holds it
  std::span<const Zone> zones() const { return zones_; }

 private:
  std::vector<Zone> zones_;  // most labels first, then in canonical order
};

struct ForwarderOptions {
  Duration timeout = std::chrono::seconds(5);  // for a request in all
  unsigned max_packets = 8;                    // upstream packets for one request
  bool randomise_case = true;
  uint16_t udp_size = 1232;
};

class Forwarder {
 public:
  Forwarder(Exchange& exchange, Upstreams& upstreams, Clock& clock);
  // Never fails otherwise than by SERVFAIL: with the upstream's own extended error where it gave one with its
  // SERVFAIL; else 22 (no reachable authority) when there were replies, but none of use, or nobody to ask; 23
  // (network error) when there were none. `table` is kept until the task ends. The servers' zone and what is
  // asked of them become steps at `place`.
  Task<Resolution> resolve(ResolveRequest request, std::shared_ptr<const ForwardTable> table,
                           ForwarderOptions options, TracePlace place = {});

 private:
  Exchange& exchange_;
  Upstreams& upstreams_;
  Clock& clock_;
  std::vector<uint8_t> scratch_;  // a message of any size, before it is known how large it is
};

}  // namespace peregrine
