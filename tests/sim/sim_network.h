// A Network whose other side is simulated: what is sent is handed to it at once, and it delivers when it
// likes.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "io/memory_stream.h"
#include "io/network.h"
#include "sim/stage.h"

namespace peregrine::sim {

// A port of the resolver's.
struct PortId {
  Family family = Family::v4;
  uint16_t number = 0;
  auto operator<=>(const PortId&) const = default;
};

// What becomes of a connection attempt.
struct ConnectPlan {
  enum class Outcome : uint8_t { accept, refuse, hang };
  Outcome outcome = Outcome::refuse;
  Duration delay{};
  MemoryPipeOptions pipe{};
};

// The other side.
class Far {
 public:
  virtual ~Far() = default;
  virtual Result<> on_sent(PortId from, const Endpoint& to, Bytes octets) = 0;  // unreachable
  virtual ConnectPlan on_connect(const Endpoint& to) = 0;
  virtual void on_accepted(const Endpoint& at, std::unique_ptr<Stream> stream) = 0;
};

class SimNetwork final : public Network {
 public:
  // A process has only so many descriptors.
  SimNetwork(Stage& stage, Far& far, size_t most_ports = 65'536)
      : stage_(stage), far_(far), most_ports_(most_ports) {}
  Result<std::unique_ptr<UdpPort>> open_udp(Family family, uint16_t number,
                                            DatagramHandler& handler) override;
  Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint& to, Instant deadline) override;

  // Dropped where the port is closed by now.
  void deliver(PortId to, const Endpoint& from, Bytes octets);
  size_t open_ports() const { return ports_.size(); }

 private:
  class Port;
  Stage& stage_;
  Far& far_;
  size_t most_ports_;
  std::map<PortId, Port*> ports_;
};

}  // namespace peregrine::sim
