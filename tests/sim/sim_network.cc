#include "sim/sim_network.h"

#include <algorithm>

namespace peregrine::sim {

class SimNetwork::Port final : public UdpPort {
 public:
  Port(SimNetwork& network, PortId id, DatagramHandler& h) : handler(h), network_(network), id_(id) {
    network_.ports_[id_] = this;
  }
  ~Port() override { network_.ports_.erase(id_); }
  uint16_t number() const override { return id_.number; }
  Result<> send(const Endpoint& to, Bytes octets) override { return network_.far_.on_sent(id_, to, octets); }
  DatagramHandler& handler;

 private:
  SimNetwork& network_;
  PortId id_;
};

Result<std::unique_ptr<UdpPort>> SimNetwork::open_udp(Family family, uint16_t number,
                                                      DatagramHandler& handler) {
  if (ports_.size() >= most_ports_) return std::unexpected(Error::limit);
  if (ports_.contains({family, number})) return std::unexpected(Error::network);
  return std::make_unique<Port>(*this, PortId{family, number}, handler);
}

void SimNetwork::deliver(PortId to, const Endpoint& from, Bytes octets) {
  const auto found = ports_.find(to);
  if (found != ports_.end()) found->second->handler.on_datagram(*found->second, from, octets);
}

Task<Result<std::unique_ptr<Stream>>> SimNetwork::connect(const Endpoint& to, Instant deadline) {
  const Endpoint server = to;
  const ConnectPlan plan = far_.on_connect(server);
  const bool hangs = plan.outcome == ConnectPlan::Outcome::hang;
  const Instant done = hangs ? deadline : std::min(deadline, stage_.clock.now() + plan.delay);
  co_await sleep_until(stage_.timers, done);
  if (hangs || done == deadline) co_return std::unexpected(Error::timeout);
  if (plan.outcome == ConnectPlan::Outcome::refuse) co_return std::unexpected(Error::unreachable);
  MemoryPipe pipe = make_stream_pair(stage_.timers, plan.pipe);
  far_.on_accepted(server, std::move(pipe.server));
  co_return std::move(pipe.client);
}

}  // namespace peregrine::sim
