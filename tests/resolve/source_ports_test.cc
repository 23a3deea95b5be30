#include "resolve/source_ports.h"

#include <gmock/gmock.h>

#include <set>

#include "resolve/fake_network.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

class SourcePortsTest : public testing::Test {
 protected:
  SourcePorts pool(unsigned ports, unsigned uses = 64) {
    return {network, clock, random, counters, {.family = Family::v4, .ports = ports, .uses = uses}};
  }

  VirtualClock clock;
  Timers timers{clock.now()};
  FakeNetwork network{clock, timers, 1};
  Random random = Random::from_seed(2);
  Counters counters;
  Endpoint server{IpAddress::v4({192, 0, 2, 53}), 53};
};

TEST_F(SourcePortsTest, OpensAPortWhenItIsDrawn) {
  auto ports = pool(1024);
  EXPECT_EQ(network.open_ports(), 0u);
  ASSERT_TRUE(ports.draw());
  EXPECT_EQ(network.open_ports(), 1u);
}

TEST_F(SourcePortsTest, EveryPlaceComesToItsOwnPort) {
  auto ports = pool(1024);
  std::set<SourcePort*> drawn;
  for (int i = 0; i < 20'000; ++i) drawn.insert(ports.draw().value().get());
  EXPECT_EQ(drawn.size(), 1024u);
  EXPECT_EQ(network.open_ports(), 1024u);
  EXPECT_EQ(network.ports_opened(), 1024u);
}

TEST_F(SourcePortsTest, TakenPortsAreGoneAround) {
  for (unsigned number = 1024; number < 65536; ++number)
    if (number % 2 == 0) network.taken.insert(static_cast<uint16_t>(number));
  auto ports = pool(100);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(ports.draw());
  EXPECT_GT(network.open_ports(), 95u);
}

TEST_F(SourcePortsTest, WithoutDescriptorsAnOpenPortServes) {
  network.most_ports = 3;
  auto ports = pool(1024);
  std::set<SourcePort*> drawn;
  for (int i = 0; i < 200; ++i) drawn.insert(ports.draw().value().get());
  EXPECT_EQ(drawn.size(), 3u) << "each of them in turn, by chance";
}

TEST_F(SourcePortsTest, AWornOutPortServesOnWhereNoneCanBeOpened) {
  auto ports = pool(1, 1);
  network.serve(server, {});
  auto first = ports.draw().value();
  ASSERT_TRUE(first->send(server, {}));
  network.most_ports = 1;
  EXPECT_EQ(ports.draw().value(), first);
  network.most_ports = 2;
  EXPECT_NE(ports.draw().value(), first);
}

TEST_F(SourcePortsTest, NoPortAtAllIsAnError) {
  auto ports = pool(16);
  network.most_ports = 0;
  EXPECT_EQ(ports.draw().error(), Error::limit);
  network.most_ports = 100;
  for (unsigned number = 1024; number < 65536; ++number) network.taken.insert(static_cast<uint16_t>(number));
  EXPECT_EQ(ports.draw().error(), Error::limit) << "and no search without end";
  SourcePorts v6(network, clock, random, counters, {.family = Family::v6});
  network.has_v6 = false;
  EXPECT_EQ(v6.draw().error(), Error::unreachable);
}

struct Waiter final : ReplyWaiter {
  using ReplyWaiter::ReplyWaiter;
  void on_reply(Bytes) override { ++replies; }
  int replies = 0;
};

TEST_F(SourcePortsTest, PortsThatAreNotDrawnAreGivenUp) {
  auto ports = pool(1024);
  for (int i = 0; i < 20'000; ++i) ports.draw();
  ASSERT_EQ(network.open_ports(), 1024u);
  clock.advance(29s);
  for (int i = 0; i < 64; ++i) ports.draw();
  EXPECT_EQ(network.open_ports(), 1024u) << "not yet";
  clock.advance(29s);
  for (int i = 0; i < 64; ++i) ports.draw();
  EXPECT_LE(network.open_ports(), 128u) << "a look into every place takes 64 draws";
  EXPECT_GE(network.open_ports(), 64u);
}

TEST_F(SourcePortsTest, APortInUseStaysOpen) {
  auto ports = pool(1);
  auto first = ports.draw().value();
  for (int i = 0; i < 10; ++i) {
    clock.advance(20s);
    EXPECT_EQ(ports.draw().value(), first);
  }
}

TEST_F(SourcePortsTest, APortThatIsGivenUpServesItsWaiterStill) {
  auto ports = pool(1);
  auto port = ports.draw().value();
  Waiter waiter(server, 0x1234);
  port->add(waiter);
  clock.advance(30s);
  EXPECT_NE(ports.draw().value(), port);
  EXPECT_EQ(network.open_ports(), 2u);
  network.inject(Family::v4, port->number(), {.message = {0x12, 0x34}, .delay = {}}, server);
  network.run();
  EXPECT_EQ(waiter.replies, 1);
  port->remove(waiter);
  port.reset();
  EXPECT_EQ(network.open_ports(), 1u);
}

TEST_F(SourcePortsTest, PortsOfOtherDaemonsAreLeftToThem) {
  for (unsigned number = 1024; number < 65536; ++number)
    if (number != 5353 && number != 51820 && number != 40'000 && number != 40'001)
      network.taken.insert(static_cast<uint16_t>(number));
  auto ports = pool(64);
  for (int i = 0; i < 200'000 && network.open_ports() < 2; ++i) ports.draw();
  EXPECT_EQ(network.open_ports(), 2u);
  for (int i = 0; i < 20'000; ++i) ports.draw();
  EXPECT_EQ(network.open_ports(), 2u);
}

TEST_F(SourcePortsTest, OnePlaceIsStillAPool) {
  auto ports = pool(0);
  auto first = ports.draw();
  ASSERT_TRUE(first);
  EXPECT_EQ(ports.draw().value(), *first);
}

TEST_F(SourcePortsTest, AnIdIsNotGivenTwiceForOneServer) {
  auto ports = pool(1);
  auto port = ports.draw().value();
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (unsigned id = 0; id < 65536; ++id) {
    if (id == 4711) continue;
    waiters.push_back(std::make_unique<Waiter>(server, static_cast<uint16_t>(id)));
    port->add(*waiters.back());
  }
  EXPECT_EQ(port->draw_id(server, random).error(), Error::limit);
  Endpoint other = server;
  other.port = 5353;
  EXPECT_TRUE(port->draw_id(other, random)) << "of another server all are free";
}

TEST_F(SourcePortsTest, ADatagramGoesToWhoWaitsForItsSenderAndId) {
  auto port = pool(1).draw().value();
  Endpoint other = server;
  other.port = 5353;
  Waiter here(server, 0x1234), there(other, 0x1234);
  port->add(here);
  port->add(there);
  FakeReply datagram{.message = {0x12, 0x34}, .delay = {}};
  network.inject(Family::v4, port->number(), datagram, other);
  network.run();
  EXPECT_EQ(here.replies, 0);
  EXPECT_EQ(there.replies, 1);
  port->remove(there);
  network.inject(Family::v4, port->number(), datagram, other);
  network.run();
  EXPECT_EQ(here.replies, 0);
  EXPECT_EQ(there.replies, 1);
  EXPECT_EQ(counters.get(Counter::upstream_mismatched), 1u);
  port->remove(here);
}

}  // namespace
}  // namespace peregrine
