// What the UDP engines make of the kernel's ways: errors, partial sends, local addresses, readiness.
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>

#include "io/loop.h"
#include "udp_rig.h"

namespace {

// What the next calls of sendto, sendmsg and sendmmsg do instead of sending. The functions below stand before
// those of the C library, as the engines are linked into this program.
struct SendFaults {
  int error = 0;           // this error,
  int after = 0;           // behind so many datagrams,
  int times = 0;           // so many times
  unsigned at_most = ~0u;  // datagrams that one sendmmsg takes
} faults;

bool fails_now() {
  if (faults.times == 0) return false;
  if (faults.after > 0) {
    --faults.after;
    return false;
  }
  --faults.times;
  errno = faults.error;
  return true;
}

}  // namespace

extern "C" {

ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t length) {
  if (fails_now()) return -1;
  return syscall(SYS_sendto, fd, data, size, flags, to, length);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (fails_now()) return -1;
  return syscall(SYS_sendmsg, fd, message, flags);
}

int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  unsigned sent = 0;
  for (; sent < count && sent < faults.at_most; ++sent) {
    const bool failed = fails_now();
    const int error = errno;
    if (!failed && syscall(SYS_sendmmsg, fd, messages + sent, 1u, flags) == 1) continue;
    if (sent > 0) break;  // the kernel keeps the error for itself
    if (failed) errno = error;
    return -1;
  }
  return static_cast<int>(sent);
}

}  // extern "C"

namespace peregrine {
namespace {

const Endpoint any4{IpAddress{}, 0};

// The port of a socket that is closed again.
PeerAddress closed_port() { return PeerAddress(Peer(loopback4).endpoint()); }

template <class Engine>
class KernelEngine : public EngineTest<Engine> {
 protected:
  void TearDown() override { faults = {}; }
};
using KernelEngines = testing::Types<PlainEngine, MmsgEngine, UringEngine>;
TYPED_TEST_SUITE(KernelEngine, KernelEngines, EngineNames);

template <class R>
void compose(R& rig, const PeerAddress& to, std::string_view text, const LocalAddress& from = {}) {
  Datagram& d = rig->compose(to, from);
  std::ranges::copy(octets_of(text), d.data);
  d.size = static_cast<uint32_t>(text.size());
}

TYPED_TEST(KernelEngine, ADatagramThatCannotBeSentDoesNotStopTheOthers) {
  for (const bool wildcard : {false, true}) {
    Rig<TypeParam> rig({.batch = 8, .wildcard = wildcard}, wildcard ? any4 : loopback4);
    const PeerAddress port_zero(loopback4);  // EINVAL
    int i = 0;
    for (const PeerAddress& to : {port_zero, rig.peer(), port_zero, port_zero, rig.peer(), port_zero}) {
      compose(rig, to, "d" + std::to_string(i++));
    }
    rig->flush();
    EXPECT_EQ(rig.answer(), "d1");
    EXPECT_EQ(rig.answer(), "d4");
    EXPECT_EQ(rig.answer(), "nothing");
    EXPECT_EQ(rig.count(Counter::send_dropped), 4u);
    rig.send("still there");
    EXPECT_EQ(rig->receive().size(), 1u);
  }
}

// ICMP says that a port is closed. The kernel keeps that from a socket that is not connected, unless it asked
// (IP_RECVERR); then the error fails the next call, whatever that is about.
TYPED_TEST(KernelEngine, AnErrorOfOneDatagramIsNotTheOthers) {
  for (const int told : {0, 1}) {
    for (const bool wildcard : {false, true}) {
      Rig<TypeParam> rig({.batch = 8, .wildcard = wildcard}, wildcard ? any4 : loopback4);
      ASSERT_EQ(setsockopt(rig.socket(), IPPROTO_IP, IP_RECVERR, &told, sizeof told), 0);
      EXPECT_TRUE(rig->receive().empty());
      const PeerAddress closed = closed_port();
      const Endpoint at{loopback4.address, rig.at().port};
      for (int round = 0; round < 4; ++round) {
        compose(rig, closed, "lost");
        rig->flush();
        rig.socket_of_peer().send(at, "behind an error");
        const auto batch = rig->receive();
        ASSERT_EQ(batch.size(), 1u) << told;
        EXPECT_EQ(text_of(batch[0].received()), "behind an error");
        compose(rig, closed, "lost");
        compose(rig, rig.peer(), "first");
        compose(rig, closed, "lost");
        compose(rig, rig.peer(), "second");
        rig->flush();
        EXPECT_EQ(rig.answer(), "first");
        EXPECT_EQ(rig.answer(), "second");
        EXPECT_EQ(rig.answer(), "nothing");
      }
      EXPECT_EQ(rig.count(Counter::send_dropped), 0u);
    }
  }
}

TYPED_TEST(KernelEngine, ComposesMoreThanABatchOfWhatFails) {
  Rig<TypeParam> rig({.batch = 4});
  const PeerAddress port_zero(loopback4);
  for (int i = 0; i < 100; ++i) compose(rig, i % 10 == 9 ? rig.peer() : port_zero, std::to_string(i));
  rig->flush();
  for (int i = 9; i < 100; i += 10) EXPECT_EQ(rig.answer(), std::to_string(i));
  EXPECT_EQ(rig.count(Counter::send_dropped), 90u);
}

template <class Engine>
class SendCallEngine : public KernelEngine<Engine> {};
// The engines that send by calls of the C library; what an io_uring does is not to be had by a test's wish.
using SendCallEngines = testing::Types<PlainEngine, MmsgEngine>;
TYPED_TEST_SUITE(SendCallEngine, SendCallEngines, EngineNames);

TYPED_TEST(SendCallEngine, DropsTheRestWhereTheKernelIsFull) {
  for (const int error : {EAGAIN, ENOBUFS}) {
    for (const bool wildcard : {false, true}) {
      Rig<TypeParam> rig({.batch = 8, .wildcard = wildcard}, wildcard ? any4 : loopback4);
      for (int i = 0; i < 6; ++i) compose(rig, rig.peer(), std::to_string(i));
      faults = {.error = error, .after = 2, .times = 2};
      rig->flush();
      faults = {};
      EXPECT_EQ(rig.answer(), "0");
      EXPECT_EQ(rig.answer(), "1");
      EXPECT_EQ(rig.answer(), "nothing");
      EXPECT_EQ(rig.count(Counter::send_dropped), 4u);
      compose(rig, rig.peer(), "again");
      rig->flush();
      EXPECT_EQ(rig.answer(), "again");
    }
  }
}

TYPED_TEST(SendCallEngine, GoesOnAfterAnInterruption) {
  Rig<TypeParam> rig({.batch = 8});
  for (int i = 0; i < 6; ++i) compose(rig, rig.peer(), std::to_string(i));
  faults = {.error = EINTR, .after = 3, .times = 5};
  rig->flush();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(rig.answer(), std::to_string(i));
  EXPECT_EQ(rig.count(Counter::send_dropped), 0u);
}

TYPED_TEST(SendCallEngine, AnErrorIsTriedOnceMoreAndThenCounted) {
  for (const int times : {1, 2}) {
    Rig<TypeParam> rig({.batch = 8});
    for (int i = 0; i < 3; ++i) compose(rig, rig.peer(), std::to_string(i));
    // sendmmsg keeps the error of a later datagram for itself, so that the first one is the one to fail.
    faults = {.error = ENETUNREACH, .after = 0, .times = times};
    rig->flush();
    if (times == 1) EXPECT_EQ(rig.answer(), "0");
    EXPECT_EQ(rig.answer(), "1");
    EXPECT_EQ(rig.answer(), "2");
    EXPECT_EQ(rig.count(Counter::send_dropped), times == 1 ? 0u : 1u);
  }
}

TEST(MmsgEngine, SendsTheRestOfABatchThatWasTakenInPart) {
  Rig<MmsgEngine> rig({.batch = 8});
  for (int i = 0; i < 8; ++i) compose(rig, rig.peer(), std::to_string(i));
  faults.at_most = 3;
  rig->flush();
  faults = {};
  for (int i = 0; i < 8; ++i) EXPECT_EQ(rig.answer(), std::to_string(i));
  EXPECT_EQ(rig.answer(), "nothing");
}

TYPED_TEST(KernelEngine, AWildcardSocketAnswersFromTheAddressThatWasAsked) {
  Rig<TypeParam> rig({.wildcard = true}, any4);
  const Peer& peer = rig.socket_of_peer();
  for (const uint8_t host : {uint8_t{1}, uint8_t{77}}) {
    const Endpoint asked{IpAddress::v4({127, 0, 0, host}), rig.at().port};
    peer.send(asked, "who");
    const auto batch = rig->receive();
    ASSERT_EQ(batch.size(), 1u);
    ASSERT_TRUE(batch[0].local.known);
    EXPECT_EQ(batch[0].local.address, asked.address);
    EXPECT_NE(batch[0].local.ifindex, 0u);
    const LocalAddress local = batch[0].local;
    rig->reply(batch[0], 3);
    rig->flush();
    Endpoint from;
    EXPECT_EQ(peer.receive(&from), "who");
    EXPECT_EQ(from, asked);
    compose(rig, rig.peer(), "late", local);
    rig->flush();
    EXPECT_EQ(peer.receive(&from), "late");
    EXPECT_EQ(from, asked);
  }
}

TYPED_TEST(KernelEngine, AWildcardSocketAlsoSendsFromWhateverAddress) {
  Rig<TypeParam> rig({.wildcard = true}, any4);
  compose(rig, rig.peer(), "hi");
  rig->flush();
  EXPECT_EQ(rig.answer(), "hi");
}

TYPED_TEST(KernelEngine, WildcardTruncationKeepsAddressesWithTheirDatagrams) {
  Rig<TypeParam> rig({.batch = 4, .slot_size = 512, .wildcard = true}, any4);
  const Peer& peer = rig.socket_of_peer();
  const Endpoint one{IpAddress::v4({127, 0, 0, 5}), rig.at().port};
  const Endpoint two{IpAddress::v4({127, 0, 0, 6}), rig.at().port};
  for (int round = 0; round < 2; ++round) {
    peer.send(one, std::string(2000, 'x'));
    peer.send(two, "two");
    const auto batch = rig->receive();
    ASSERT_EQ(batch.size(), 1u);
    EXPECT_EQ(batch[0].local.address, two.address);
    EXPECT_EQ(text_of(batch[0].received()), "two");
  }
}

TYPED_TEST(KernelEngine, ServesIPv6) {
  if (!has_ipv6()) GTEST_SKIP() << "no ::1 here";
  for (const bool wildcard : {false, true}) {
    Rig<TypeParam> rig({.wildcard = wildcard}, {*IpAddress::parse(wildcard ? "::" : "::1"), 0});
    const Peer& peer = rig.socket_of_peer();
    const Endpoint asked{loopback6.address, rig.at().port};
    for (int round = 0; round < 2; ++round) {
      peer.send(asked, "six");
      const auto batch = rig->receive();
      ASSERT_EQ(batch.size(), 1u);
      EXPECT_EQ(text_of(batch[0].received()), "six");
      EXPECT_EQ(batch[0].peer.endpoint(), peer.endpoint());
      EXPECT_EQ(batch[0].local.known, wildcard);
      if (wildcard) EXPECT_EQ(batch[0].local.address, loopback6.address);
      rig->reply(batch[0], 3);
      rig->flush();
      Endpoint from;
      EXPECT_EQ(peer.receive(&from), "six");
      EXPECT_EQ(from, asked);
    }
  }
}

struct Reader final : Watcher {
  void ready(uint32_t) override { ++calls; }
  int calls = 0;
};

// A round may end early: the kernel interrupts threads where it takes an io_uring of an earlier test apart.
void run_until_called(Loop& loop, const Reader& reader, int calls) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (reader.calls < calls && std::chrono::steady_clock::now() < limit) {
    loop.run_once(std::chrono::seconds(5));
  }
}

TYPED_TEST(KernelEngine, IsReadableAsLongAsSomethingWaits) {
  SystemClock clock;
  Loop loop(clock);
  Rig<TypeParam> rig({.batch = 2});
  Reader reader;
  ASSERT_TRUE(loop.watch(rig->fd(), EPOLLIN, reader));
  EXPECT_TRUE(rig->receive().empty());
  loop.run_once(Duration{});
  EXPECT_EQ(reader.calls, 0);
  for (int round = 1; round <= 3; ++round) {
    for (int i = 0; i < 5; ++i) rig.send("x");
    for (const size_t expected : {2u, 2u, 1u}) {
      const int before = reader.calls;
      run_until_called(loop, reader, before + 1);
      EXPECT_EQ(reader.calls, before + 1);
      const auto batch = rig->receive();
      EXPECT_EQ(batch.size(), expected);
      for (Datagram& d : batch) rig->reply(d, 1);
      rig->flush();
    }
    const int before = reader.calls;
    loop.run_once(Duration{});
    EXPECT_EQ(reader.calls, before) << "nothing waits any more";
  }
  loop.unwatch(rig->fd());
}

// Until the thread sleeps in the kernel.
void await_sleep(pid_t thread) {
  const std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (;;) {
    std::string line;
    std::getline(std::ifstream(path) >> std::ws, line);
    if (const size_t name = line.rfind(')'); name != line.npos && line.substr(name, 3) == ") S") return;
    std::this_thread::yield();
  }
}

TYPED_TEST(KernelEngine, WakesALoopThatSleeps) {
  SystemClock clock;
  Loop loop(clock);
  Rig<TypeParam> rig;
  Reader reader;
  ASSERT_TRUE(loop.watch(rig->fd(), EPOLLIN, reader));
  EXPECT_TRUE(rig->receive().empty());
  const auto here = static_cast<pid_t>(syscall(SYS_gettid));
  for (int round = 1; round <= 3; ++round) {
    std::thread sender([&] {
      await_sleep(here);
      rig.send("wake up");
    });
    run_until_called(loop, reader, round);
    sender.join();
    EXPECT_EQ(reader.calls, round);
    EXPECT_EQ(rig->receive().size(), 1u);
  }
  loop.unwatch(rig->fd());
}

}  // namespace
}  // namespace peregrine
