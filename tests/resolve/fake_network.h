// A network without a kernel: scripted servers, delay, loss, duplicates, forged datagrams. Driven by a
// virtual clock, and the same again for the same seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "io/network.h"
#include "io/timers.h"
#include "io/transport.h"

namespace peregrine {

// A query as a server got it.
struct FakeQuery {
  Endpoint server;
  Endpoint client;
  Transport transport = Transport::udp;
  std::vector<uint8_t> message;
  Instant at{};
};

// What a server sends, or somebody in its name.
struct FakeReply {
  std::vector<uint8_t> message;
  Duration delay = std::chrono::milliseconds(10);  // from the query's arrival to the reply's
  std::optional<Endpoint> from = std::nullopt;     // UDP: another sender
  std::optional<uint16_t> to_port = std::nullopt;  // UDP: another port of the client's
  bool close = false;  // TCP: the connection ends instead; the message is not sent
};

using FakeServer = std::function<std::vector<FakeReply>(const FakeQuery&)>;

enum class FakeTcp : uint8_t { accepts, refuses, silent };

struct FakeHost {
  FakeServer server;  // none: takes everything and says nothing
  FakeTcp tcp = FakeTcp::accepts;
  Duration connect_time = std::chrono::milliseconds(10);
  bool reachable = true;  // false: sending fails at once
};

// Of datagrams, in either direction.
struct FakeFaults {
  uint32_t lost_in_100 = 0;
  uint32_t doubled_in_100 = 0;
  Duration jitter{0};  // added to a delay, uniform up to this: datagrams overtake each other
};

class FakeNetwork final : public Network {
 public:
  FakeNetwork(VirtualClock& clock, Timers& timers, uint64_t seed);
  // What waits for a connection ends with cancelled; servers' ends are closed.
  ~FakeNetwork() override;

  Result<std::unique_ptr<UdpPort>> open_udp(Family family, uint16_t number,
                                            DatagramHandler& handler) override;
  Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint& to, Instant deadline) override;

  void host(const Endpoint& at, FakeHost host) { hosts_[at] = std::move(host); }
  void serve(const Endpoint& at, FakeServer server) { host(at, {.server = std::move(server)}); }
  // A datagram from nowhere, to a port of ours.
  void inject(Family family, uint16_t to_port, const FakeReply& datagram, const Endpoint& from);
  void at(Instant when, std::function<void()> event);

  // One thing that happens next, and the time until then; false: nothing will.
  bool step();
  void run() {
    while (step()) {
    }
  }
  void run_until(Instant end);
  void run_for(Duration time) { run_until(clock_.now() + time); }

  FakeFaults faults;
  size_t most_ports = 65536;                                          // beyond: limit
  std::set<uint16_t> taken;                                           // ports of others: network
  bool has_v6 = true;                                                 // false: unreachable
  const std::vector<FakeQuery>& queries() const { return queries_; }  // all that reached a host, in order
  void forget_queries() { queries_.clear(); }
  size_t open_ports() const { return ports_.size(); }
  size_t ports_opened() const { return ports_opened_; }  // ever

 private:
  class Port;
  struct Session;
  using PortKey = std::pair<Family, uint16_t>;

  Result<> send(Family family, uint16_t from_port, const Endpoint& to, Bytes octets);
  void arrive(FakeQuery query);
  void deliver(PortKey to, const Endpoint& from, const std::vector<uint8_t>& octets);
  Duration on_the_way(Duration delay);
  unsigned copies();
  Task<void> serve_stream(std::shared_ptr<Session> session);
  void reply_on_stream(const std::shared_ptr<Session>& session, std::vector<FakeReply> replies);
  static Endpoint client(Family family, uint16_t port);

  VirtualClock& clock_;
  Timers& timers_;
  Random random_;
  std::map<Endpoint, FakeHost> hosts_;
  std::map<PortKey, Port*> ports_;
  std::map<std::pair<Instant, uint64_t>, std::function<void()>> events_;
  uint64_t events_made_ = 0;
  std::vector<FakeQuery> queries_;
  size_t ports_opened_ = 0;
  std::vector<std::weak_ptr<Session>> sessions_;
  std::set<Promise<Result<>>*> connecting_;
};

// Runs a task to its end, or fails the test when the network comes to rest before.
template <class T>
Task<void> keep_result(Task<T> task, std::optional<T>* result) {
  result->emplace(co_await std::move(task));
}

template <class T>
std::optional<T> run(FakeNetwork& network, Task<T> task) {
  std::optional<T> result;
  spawn(keep_result(std::move(task), &result));
  while (!result && network.step()) {
  }
  return result;
}

}  // namespace peregrine
