// The world as the resolver sees it: UDP ports to send from, streams to connect. The kernel's in a server, a
// simulated one in tests. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/result.h"
#include "io/stream.h"
#include "io/task.h"

namespace peregrine {

class UdpPort;

class DatagramHandler {
 public:
  virtual ~DatagramHandler() = default;
  // `octets` is valid during the call. Any port, this one included, may be closed from within.
  virtual void on_datagram(UdpPort& port, const Endpoint& from, Bytes octets) = 0;
};

// A bound, unconnected UDP port of ours. Destroying it closes it.
class UdpPort {
 public:
  virtual ~UdpPort() = default;
  virtual uint16_t number() const = 0;
  virtual Result<> send(const Endpoint& to, Bytes octets) = 0;  // unreachable, network
};

class Network {
 public:
  virtual ~Network() = default;
  // Bound to `number` on the wildcard address; datagrams go to `handler`, which outlives the port.
  // network (number taken, say), limit (no descriptors left), unreachable (no such family here)
  virtual Result<std::unique_ptr<UdpPort>> open_udp(Family family, uint16_t number,
                                                    DatagramHandler& handler) = 0;
  // timeout, cancelled, unreachable, limit, network
  virtual Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint& to, Instant deadline) = 0;
};

class Loop;
std::unique_ptr<Network> make_system_network(Loop& loop);

}  // namespace peregrine
