// Which socket of a reuse-port group gets a datagram: a classic BPF program in the kernel decides (socket(7),
// SO_ATTACH_REUSEPORT_CBPF) in place of the kernel's own keyed hash over both addresses and ports.
//
// By CPU, a datagram goes to the worker on the CPU that took it in: no line of it moves between caches. That
// spreads as well as the network card spreads (receive-side scaling). By flow, all of a client's socket go to
// one worker. Where the card has hashed the datagram (skb->hash), its hash serves, so that a receive queue
// keeps to one worker where queues and workers are as many. Where not, as on loopback, a hash over the
// client's address and the ports is computed under a seed, so that a stranger does not know whom he reaches.
#pragma once

#include <cstdint>
#include <span>
#include <system_error>

#include "base/ip.h"

namespace peregrine {

enum class SteerBy : uint8_t { flow, cpu };

struct Steering {
  SteerBy by = SteerBy::flow;
  Family family = Family::v4;  // of the group's address
  // Of the workers whose sockets are in the group, in the order of binding: the CPU that each is pinned to,
  // or -1.
  std::span<const int> cpus{};
  uint32_t seed = 0;
};

// For the whole group of `socket`, once all of it are bound. An error leaves the kernel's own choice in
// force.
std::error_code steer(int socket, const Steering& steering);

}  // namespace peregrine
