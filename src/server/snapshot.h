// What workers answer by: independent parts, each immutable and shared; a reload replaces parts, never
// changes one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cache/answer.h"
#include "config/config.h"
#include "io/sessions.h"
#include "policy/access.h"
#include "resolve/forwarder.h"
#include "resolve/inflight.h"

namespace peregrine {

// What the configuration says, in the form in which the stages need it.
struct Settings {
  AccessList access;
  TtlLimits ttl;
  ForwarderOptions forwarder;
  InflightLimits inflight;
  SessionLimits sessions;
  uint16_t udp_size = 1232;
};

struct Snapshot {
  std::shared_ptr<const Settings> settings;
  std::shared_ptr<const ForwardTable> forward;
  uint32_t generation = 0;  // rises with every change of any part
};

// `system_servers` serve "." where the configuration has no [[forward]].
Snapshot make_snapshot(const Config& config, std::span<const Endpoint> system_servers, uint32_t generation);

// The nameservers of /etc/resolv.conf without those that are our own listening addresses. Empty if it cannot
// be read.
std::vector<Endpoint> system_servers(const Config& config);

}  // namespace peregrine
