// The UDP ports that queries leave from: a pool per address family, drawn from at random (RFC 5452
// section 9.2). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/random.h"
#include "io/network.h"

namespace peregrine {

// One who waits on a port for a reply. Lives until removed from it.
class ReplyWaiter {
 public:
  ReplyWaiter(Endpoint server, uint16_t id) : server_(server), id_(id) {}
  virtual ~ReplyWaiter() = default;
  // A datagram from this server with this id, which may be anything else. May end the waiter and close the
  // port.
  virtual void on_reply(Bytes octets) = 0;
  const Endpoint& server() const { return server_; }
  uint16_t id() const { return id_; }

 private:
  Endpoint server_;
  uint16_t id_;
};

// A UDP port of ours and those who wait on it.
class SourcePort final : public DatagramHandler {
 public:
  explicit SourcePort(Counters& counters) : counters_(counters) {}
  // network, limit, unreachable: as Network::open_udp
  Result<> open(Network& network, Family family, uint16_t number);

  // An id that no waiter for this server has. limit: none was found soon
  Result<uint16_t> draw_id(const Endpoint& server, Random& random) const;
  void add(ReplyWaiter& waiter) { waiters_.push_back(&waiter); }
  void remove(const ReplyWaiter& waiter);
  Result<> send(const Endpoint& to, Bytes octets);  // unreachable, network
  unsigned uses() const { return uses_; }
  uint16_t number() const { return port_->number(); }

  void on_datagram(UdpPort& port, const Endpoint& from, Bytes octets) override;

 private:
  ReplyWaiter* find(const Endpoint& server, uint16_t id) const;

  Counters& counters_;
  std::unique_ptr<UdpPort> port_;
  std::vector<ReplyWaiter*> waiters_;
  unsigned uses_ = 0;
};

class SourcePorts {
 public:
  struct Options {
    Family family = Family::v4;
    unsigned ports = 1024;
    unsigned uses = 64;                        // of one port, before a fresh one takes its place
    Duration idle = std::chrono::seconds(30);  // then a port that was not drawn is given up
  };
  SourcePorts(Network& network, Clock& clock, Random& random, Counters& counters, Options options);

  // Draws a place in the pool, each as likely as the others, and opens a port there when it is empty or worn
  // out: the whole choice is there from the first query on, and no query waits for many ports to be opened.
  // Where none can be opened, one that is open already. Whoever waits on the port keeps it; one that is worn
  // out or given up closes with its last waiter. Each draw looks for idle ports in a few places, so that
  // ports are given up while there are queries, without a timer. limit, unreachable
  Result<std::shared_ptr<SourcePort>> draw();

 private:
  struct Place {
    std::shared_ptr<SourcePort> port;
    Instant drawn{};
  };
  std::shared_ptr<SourcePort> use(Place& place);
  void give_up_idle();
  Result<std::shared_ptr<SourcePort>> open();
  Place* any_open();

  Network& network_;
  Clock& clock_;
  Random& random_;
  Counters& counters_;
  Options options_;
  std::vector<Place> pool_;
  size_t next_to_look_at_ = 0;
};

}  // namespace peregrine
