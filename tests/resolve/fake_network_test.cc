#include "resolve/fake_network.h"

#include <gmock/gmock.h>

#include "resolve/dns_script.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

struct Listener final : DatagramHandler {
  explicit Listener(Clock& c) : clock(c) {}
  void on_datagram(UdpPort&, const Endpoint& from, Bytes octets) override {
    arrivals.push_back({from, {octets.begin(), octets.end()}, clock.now() - Instant{}});
  }
  struct Arrival {
    Endpoint from;
    Octets octets;
    Duration at;
    bool operator==(const Arrival&) const = default;
  };
  Clock& clock;
  std::vector<Arrival> arrivals;
};

const Endpoint server = endpoint("192.0.2.53");

struct World {
  explicit World(uint64_t seed) : network(clock, timers, seed) {}
  VirtualClock clock;
  Timers timers{clock.now()};
  FakeNetwork network;
  Listener listener{clock};
};

FakeServer echo(Duration delay) {
  return [delay](const FakeQuery& query) {
    return std::vector<FakeReply>{{.message = query.message, .delay = delay}};
  };
}

TEST(FakeNetwork, CarriesDatagramsThereAndBack) {
  World world(1);
  world.network.serve(server, echo(7ms));
  auto port = world.network.open_udp(Family::v4, 5000, world.listener).value();
  ASSERT_TRUE(port->send(server, Octets{1, 2, 3}));
  ASSERT_TRUE(port->send(endpoint("192.0.2.99"), Octets{4})) << "nobody is there";
  world.network.run();
  ASSERT_EQ(world.listener.arrivals.size(), 1u);
  EXPECT_EQ(world.listener.arrivals[0], (Listener::Arrival{server, {1, 2, 3}, 7ms}));
}

TEST(FakeNetwork, PortsAreTakenAndGivenBack) {
  World world(1);
  auto port = world.network.open_udp(Family::v4, 5000, world.listener);
  ASSERT_TRUE(port);
  EXPECT_EQ(world.network.open_udp(Family::v4, 5000, world.listener).error(), Error::network);
  EXPECT_TRUE(world.network.open_udp(Family::v6, 5000, world.listener));
  port->reset();
  EXPECT_TRUE(world.network.open_udp(Family::v4, 5000, world.listener));
}

std::vector<Listener::Arrival> arrivals_with(uint64_t seed) {
  World world(seed);
  world.network.faults = {.lost_in_100 = 30, .doubled_in_100 = 30, .jitter = 20ms};
  world.network.serve(server, echo(1ms));
  auto port = world.network.open_udp(Family::v4, 5000, world.listener).value();
  for (uint8_t i = 0; i < 100; ++i) EXPECT_TRUE(port->send(server, Octets{i}));
  world.network.run();
  return world.listener.arrivals;
}

TEST(FakeNetwork, FaultsComeAgainWithTheSeed) {
  auto first = arrivals_with(1);
  EXPECT_EQ(first, arrivals_with(1));
  EXPECT_NE(first, arrivals_with(2));
  EXPECT_FALSE(std::ranges::is_sorted(first, {}, [](const auto& a) { return a.octets[0]; }));
  EXPECT_GT(first.size(), 40u);
  EXPECT_LT(first.size(), 140u);
}

TEST(FakeNetwork, RunUntilStopsThere) {
  World world(1);
  world.network.serve(server, echo(30ms));
  auto port = world.network.open_udp(Family::v4, 5000, world.listener).value();
  ASSERT_TRUE(port->send(server, Octets{1}));
  world.network.run_for(29ms);
  EXPECT_TRUE(world.listener.arrivals.empty());
  EXPECT_EQ(world.clock.now() - Instant{}, 29ms);
  world.network.run_for(1ms);
  EXPECT_EQ(world.listener.arrivals.size(), 1u);
}

TEST(FakeNetwork, WhatWaitsForAConnectionEndsWithIt) {
  std::optional<Result<std::unique_ptr<Stream>>> result;
  {
    World world(1);
    world.network.host(server, {.server = {}, .tcp = FakeTcp::silent});
    spawn(keep_result(world.network.connect(server, Instant::max()), &result));
    EXPECT_FALSE(result);
  }
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error(), Error::cancelled);
}

}  // namespace
}  // namespace peregrine
