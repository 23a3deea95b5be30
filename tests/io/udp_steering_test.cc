#include "io/udp_steering.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <set>
#include <vector>

#include "udp_rig.h"

namespace peregrine {
namespace {

constexpr ListenOptions shared{.reuse_port = true, .buffer_octets = 0};

// Sockets on one port, and which of them gets what.
class Group {
 public:
  Group(const Endpoint& at, size_t count) {
    Endpoint where = at;
    for (size_t i = 0; i < count; ++i) {
      sockets_.push_back(open_udp_listener(where, shared));
      where = local_endpoint(sockets_.back().get());
    }
    at_ = where;
  }
  int any() const { return sockets_.front().get(); }
  const Endpoint& at() const { return at_; }
  // The one socket that a datagram waits at.
  size_t take() {
    size_t who = sockets_.size();
    for (size_t i = 0; i < sockets_.size(); ++i) {
      char octet;
      if (recv(sockets_[i].get(), &octet, 1, MSG_DONTWAIT) < 0) continue;
      EXPECT_EQ(who, sockets_.size()) << "a datagram came twice";
      who = i;
    }
    EXPECT_LT(who, sockets_.size()) << "no socket got it";
    return who;
  }

 private:
  std::vector<Fd> sockets_;
  Endpoint at_;
};

void expect_flows_kept_and_spread(const Endpoint& loopback) {
  constexpr size_t sockets = 4, flows = 64;
  Group group(loopback, sockets);
  const std::vector<int> cpus(sockets, -1);
  ASSERT_EQ(steer(group.any(),
                  {.by = SteerBy::flow, .family = loopback.address.family(), .cpus = cpus, .seed = 12345}),
            std::error_code{});
  std::vector<size_t> flows_of(sockets);
  for (size_t flow = 0; flow < flows; ++flow) {
    const Peer peer(loopback);
    peer.send(group.at(), "x");
    const size_t socket = group.take();
    for (int i = 0; i < 5; ++i) {
      peer.send(group.at(), "y");
      ASSERT_EQ(group.take(), socket);
    }
    ++flows_of[socket];
  }
  // Were each flow drawn at random, fewer than 2 of 64 at one of 4 sockets would come about once in a
  // million.
  EXPECT_GE(*std::ranges::min_element(flows_of), 2u);
}

TEST(Steer, ByFlowKeepsAFlowOnOneSocketAndSpreadsFlows) { expect_flows_kept_and_spread(loopback4); }

TEST(Steer, ByFlowOverIPv6) {
  if (!has_ipv6()) GTEST_SKIP() << "no ::1 here";
  expect_flows_kept_and_spread(loopback6);
}

std::vector<int> usable() {
  std::vector<int> cpus;
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

class SteerByCpu : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(sched_getaffinity(0, sizeof before_, &before_), 0); }
  void TearDown() override { sched_setaffinity(0, sizeof before_, &before_); }
  void go_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(cpu), &set);
    ASSERT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
  }
  cpu_set_t before_;
};

// On loopback the CPU that sends is the one that takes in.
TEST_F(SteerByCpu, SendsToTheSocketOfTheCpu) {
  Group group(loopback4, 3);
  const std::vector<int> cpus(3, -1);
  ASSERT_EQ(steer(group.any(), {.by = SteerBy::cpu, .cpus = cpus}), std::error_code{});
  const Peer peer(loopback4);
  for (const int cpu : usable()) {
    go_to(cpu);
    for (int i = 0; i < 5; ++i) {
      peer.send(group.at(), "x");
      EXPECT_EQ(group.take(), static_cast<size_t>(cpu) % 3);
    }
  }
}

TEST_F(SteerByCpu, FollowsTheCpusThatWorkersArePinnedTo) {
  std::vector<int> cpus = usable();
  std::ranges::reverse(cpus);
  Group group(loopback4, cpus.size());
  ASSERT_EQ(steer(group.any(), {.by = SteerBy::cpu, .cpus = cpus}), std::error_code{});
  const Peer peer(loopback4);
  for (size_t worker = 0; worker < cpus.size(); ++worker) {
    go_to(cpus[worker]);
    peer.send(group.at(), "x");
    EXPECT_EQ(group.take(), worker);
  }
}

TEST(Steer, FailsWhereThereIsNoGroup) {
  const std::vector<int> cpus(2, -1);
  const Fd alone = open_udp_listener(loopback4, small_buffers);
  EXPECT_EQ(steer(-1, {.cpus = cpus}).value(), EBADF);
  EXPECT_EQ(steer(alone.get(), {}).value(), EINVAL);
}

}  // namespace
}  // namespace peregrine
