#include "io/udp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "io/listen.h"
#include "io/udp_slots.h"
#include "io/uring_engine.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

const Endpoint loopback4{IpAddress::v4({127, 0, 0, 1}), 0};
const Endpoint loopback6{*IpAddress::parse("::1"), 0};
constexpr ListenOptions small_buffers{.reuse_port = false, .buffer_octets = 0};

bool has_ipv6() {
  try {
    open_udp_listener(loopback6, small_buffers);
    return true;
  } catch (const ListenError&) {
    return false;
  }
}

Bytes octets_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string text_of(Bytes octets) { return {octets.begin(), octets.end()}; }

// A client's socket: blocking, since what it waits for has been sent.
class Peer {
 public:
  explicit Peer(const Endpoint& at)
      : socket_(
            ::socket(at.address.family() == Family::v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const PeerAddress address(at);
    EXPECT_EQ(bind(socket_.get(), &address.generic, address.size()), 0);
    const timeval limit{.tv_sec = 5, .tv_usec = 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  Endpoint endpoint() const { return local_endpoint(socket_.get()); }
  void send(const Endpoint& to, std::string_view text) const {
    const PeerAddress address(to);
    EXPECT_EQ(sendto(socket_.get(), text.data(), text.size(), 0, &address.generic, address.size()),
              static_cast<ssize_t>(text.size()));
  }
  std::string receive(Endpoint* from = nullptr) const {
    std::vector<char> buffer(70000);
    PeerAddress address;
    socklen_t length = sizeof address.v6;
    const ssize_t got = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, &address.generic, &length);
    if (got < 0) return "nothing";
    if (from != nullptr) *from = address.endpoint();
    return {buffer.data(), static_cast<size_t>(got)};
  }
  bool nothing_waits() const {
    char octet;
    return recv(socket_.get(), &octet, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
  }

 private:
  Fd socket_;
};

template <class Engine>
class KernelEngine : public testing::Test {
 protected:
  Engine make(const Endpoint& at, UdpOptions options = {}) {
    Fd fd = open_udp_listener(at, small_buffers);
    at_ = local_endpoint(fd.get());
    return Engine(std::move(fd), options, counters_);
  }
  Counters counters_;
  Endpoint at_;
};
using KernelEngines = testing::Types<PlainEngine, MmsgEngine, UringEngine>;
TYPED_TEST_SUITE(KernelEngine, KernelEngines);

TYPED_TEST(KernelEngine, ReceivesNothingFromASilentSocket) {
  auto engine = this->make(loopback4);
  EXPECT_GE(engine.fd(), 0);
  EXPECT_TRUE(engine.receive().empty());
  engine.flush();
}

TYPED_TEST(KernelEngine, AnswersInPlace) {
  auto engine = this->make(loopback4);
  const Peer peer(loopback4);
  peer.send(this->at_, "question");
  const auto batch = engine.receive();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "question");
  EXPECT_EQ(batch[0].peer.endpoint(), peer.endpoint());
  EXPECT_FALSE(batch[0].local.known);
  EXPECT_GE(batch[0].slot().size(), 4096u);
  std::ranges::copy(octets_of("the answer"), batch[0].data);
  engine.reply(batch[0], 10);
  EXPECT_TRUE(peer.nothing_waits());
  engine.flush();
  Endpoint from;
  EXPECT_EQ(peer.receive(&from), "the answer");
  EXPECT_EQ(from, this->at_);
}

TYPED_TEST(KernelEngine, AnswersSomeOfABatchAndFlushesBeforeItReceives) {
  auto engine = this->make(loopback4, {.batch = 4});
  const Peer peer(loopback4);
  for (const char* text : {"a", "b", "c", "d", "e"}) peer.send(this->at_, text);
  auto batch = engine.receive();
  ASSERT_EQ(batch.size(), 4u);
  engine.reply(batch[1], 1);
  engine.reply(batch[3], 1);
  batch = engine.receive();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "e");
  EXPECT_EQ(peer.receive(), "b");
  EXPECT_EQ(peer.receive(), "d");
  EXPECT_TRUE(peer.nothing_waits());
}

TYPED_TEST(KernelEngine, UsesItsSlotsAgain) {
  auto engine = this->make(loopback4, {.batch = 3});
  const Peer peer(loopback4);
  for (int round = 0; round < 20; ++round) {
    const std::string a = "a" + std::to_string(round);
    const std::string b(static_cast<size_t>(round) * 50, 'b');
    peer.send(this->at_, a);
    peer.send(this->at_, b);
    const auto batch = engine.receive();
    ASSERT_EQ(batch.size(), 2u);
    EXPECT_EQ(text_of(batch[0].received()), a);
    EXPECT_EQ(text_of(batch[1].received()), b);
    for (Datagram& d : batch) engine.reply(d, d.size);
    engine.flush();
    EXPECT_EQ(peer.receive(), a);
    EXPECT_EQ(peer.receive(), b);
  }
}

TYPED_TEST(KernelEngine, DropsAndCountsDatagramsLongerThanASlot) {
  auto engine = this->make(loopback4, {.batch = 8, .slot_size = 512});
  const Peer peer(loopback4);
  const std::string fits(512, 'f');
  for (int round = 0; round < 3; ++round) {
    peer.send(this->at_, std::string(513, 'x'));
    peer.send(this->at_, "one");
    peer.send(this->at_, std::string(9000, 'x'));
    peer.send(this->at_, fits);
    peer.send(this->at_, "three");
    const auto batch = engine.receive();
    ASSERT_EQ(batch.size(), 3u);
    EXPECT_EQ(text_of(batch[0].received()), "one");
    EXPECT_EQ(text_of(batch[1].received()), fits);
    EXPECT_EQ(text_of(batch[2].received()), "three");
    for (Datagram& d : batch) {
      EXPECT_EQ(d.peer.endpoint(), peer.endpoint());
      engine.reply(d, 1);
    }
    engine.flush();
    EXPECT_EQ(peer.receive(), "o");
    EXPECT_EQ(peer.receive(), "f");
    EXPECT_EQ(peer.receive(), "t");
  }
  EXPECT_EQ(this->counters_.get(Counter::receive_truncated), 6u);
}

TYPED_TEST(KernelEngine, ReceivesEmptyDatagrams) {
  auto engine = this->make(loopback4);
  const Peer peer(loopback4);
  peer.send(this->at_, "");
  peer.send(this->at_, "x");
  const auto batch = engine.receive();
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch[0].size, 0u);
  EXPECT_EQ(batch[1].size, 1u);
}

TYPED_TEST(KernelEngine, SlotsDoNotOverlap) {
  auto engine = this->make(loopback4, {.batch = 8, .slot_size = 1000});
  const Peer peer(loopback4);
  for (int i = 0; i < 8; ++i) peer.send(this->at_, "x");
  std::vector<uint8_t*> received, composed;
  for (Datagram& d : engine.receive()) received.push_back(d.data);
  for (int i = 0; i < 8; ++i) composed.push_back(engine.compose(PeerAddress(peer.endpoint()), {}).data);
  ASSERT_EQ(received.size(), 8u);
  for (auto* row : {&received, &composed}) {
    std::ranges::sort(*row);
    for (size_t i = 1; i < row->size(); ++i) {
      const auto distance = (*row)[i] - (*row)[i - 1];
      EXPECT_GE(distance, 1000);
      EXPECT_EQ(distance / 64 % 2, 1);
      EXPECT_EQ(distance % 64, 0);
    }
  }
  EXPECT_TRUE(received.back() + 1000 <= composed.front() || composed.back() + 1000 <= received.front());
}

TYPED_TEST(KernelEngine, ComposesLateAnswers) {
  auto engine = this->make(loopback4, {.batch = 2});
  const Peer peer(loopback4);
  const PeerAddress to(peer.endpoint());
  for (int i = 0; i < 5; ++i) {
    Datagram& d = engine.compose(to, {});
    EXPECT_EQ(d.size, 0u);
    if (i == 3) continue;  // its size stays unset: not sent
    d.data[0] = static_cast<uint8_t>('a' + i);
    d.size = 1;
  }
  engine.flush();
  engine.flush();
  std::string got;
  for (int i = 0; i < 4; ++i) got += peer.receive();
  EXPECT_EQ(got, "abce");
  EXPECT_TRUE(peer.nothing_waits());
}

TYPED_TEST(KernelEngine, MixesRepliesAndLateAnswers) {
  auto engine = this->make(loopback4, {.batch = 2});
  const Peer peer(loopback4);
  peer.send(this->at_, "q");
  const auto batch = engine.receive();
  ASSERT_EQ(batch.size(), 1u);
  engine.reply(batch[0], 1);
  Datagram& late = engine.compose(batch[0].peer, batch[0].local);
  std::ranges::copy(octets_of("late"), late.data);
  late.size = 4;
  engine.flush();
  std::set<std::string> got{peer.receive(), peer.receive()};
  EXPECT_THAT(got, ElementsAre("late", "q"));
}

TYPED_TEST(KernelEngine, ADatagramThatCannotBeSentDoesNotStopTheOthers) {
  auto engine = this->make(loopback4, {.batch = 8});
  const Peer peer(loopback4);
  const PeerAddress good(peer.endpoint());
  const PeerAddress port_zero(loopback4);  // EINVAL
  for (const PeerAddress& to : {port_zero, good, port_zero, port_zero, good, port_zero}) {
    engine.compose(to, {}).size = 3;
  }
  engine.flush();
  EXPECT_EQ(peer.receive().size(), 3u);
  EXPECT_EQ(peer.receive().size(), 3u);
  EXPECT_TRUE(peer.nothing_waits());
  EXPECT_EQ(this->counters_.get(Counter::send_dropped), 4u);
}

TYPED_TEST(KernelEngine, AWildcardSocketAnswersFromTheAddressThatWasAsked) {
  auto engine = this->make(Endpoint{IpAddress{}, 0}, {.wildcard = true});
  const Peer peer(Endpoint{IpAddress::v4({127, 0, 0, 1}), 0});
  for (const uint8_t host : {uint8_t{1}, uint8_t{77}}) {
    const Endpoint asked{IpAddress::v4({127, 0, 0, host}), this->at_.port};
    peer.send(asked, "who");
    const auto batch = engine.receive();
    ASSERT_EQ(batch.size(), 1u);
    ASSERT_TRUE(batch[0].local.known);
    EXPECT_EQ(batch[0].local.address, asked.address);
    EXPECT_NE(batch[0].local.ifindex, 0u);
    const LocalAddress local = batch[0].local;
    const PeerAddress to = batch[0].peer;
    engine.reply(batch[0], 3);
    engine.flush();
    Endpoint from;
    EXPECT_EQ(peer.receive(&from), "who");
    EXPECT_EQ(from, asked);
    engine.compose(to, local).size = 1;
    engine.flush();
    EXPECT_EQ(peer.receive(&from).size(), 1u);
    EXPECT_EQ(from, asked);
  }
}

TYPED_TEST(KernelEngine, AWildcardSocketAlsoSendsFromWhateverAddress) {
  auto engine = this->make(Endpoint{IpAddress{}, 0}, {.wildcard = true});
  const Peer peer(loopback4);
  engine.compose(PeerAddress(peer.endpoint()), {}).size = 2;
  engine.flush();
  EXPECT_EQ(peer.receive().size(), 2u);
}

TYPED_TEST(KernelEngine, WildcardTruncationKeepsAddressesWithTheirDatagrams) {
  auto engine = this->make(Endpoint{IpAddress{}, 0}, {.batch = 4, .slot_size = 512, .wildcard = true});
  const Peer peer(loopback4);
  const Endpoint one{IpAddress::v4({127, 0, 0, 5}), this->at_.port};
  const Endpoint two{IpAddress::v4({127, 0, 0, 6}), this->at_.port};
  for (int round = 0; round < 2; ++round) {
    peer.send(one, std::string(2000, 'x'));
    peer.send(two, "two");
    const auto batch = engine.receive();
    ASSERT_EQ(batch.size(), 1u);
    EXPECT_EQ(batch[0].local.address, two.address);
    EXPECT_EQ(text_of(batch[0].received()), "two");
  }
}

TYPED_TEST(KernelEngine, ServesIPv6) {
  if (!has_ipv6()) GTEST_SKIP() << "no ::1 here";
  for (const bool wildcard : {false, true}) {
    const Endpoint listen{*IpAddress::parse(wildcard ? "::" : "::1"), 0};
    auto engine = this->make(listen, {.wildcard = wildcard});
    const Peer peer(loopback6);
    const Endpoint asked{loopback6.address, this->at_.port};
    peer.send(asked, "six");
    const auto batch = engine.receive();
    ASSERT_EQ(batch.size(), 1u);
    EXPECT_EQ(batch[0].peer.endpoint(), peer.endpoint());
    EXPECT_EQ(batch[0].local.known, wildcard);
    if (wildcard) EXPECT_EQ(batch[0].local.address, loopback6.address);
    engine.reply(batch[0], 3);
    engine.flush();
    Endpoint from;
    EXPECT_EQ(peer.receive(&from), "six");
    EXPECT_EQ(from, asked);
  }
}

TEST(ClassifySend, TellsAFullKernelFromABadDestination) {
  using detail::classify_send;
  using detail::SendFailure;
  EXPECT_EQ(classify_send(0), SendFailure::none);
  EXPECT_EQ(classify_send(EINTR), SendFailure::again);
  for (const int error : {EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM})
    EXPECT_EQ(classify_send(error), SendFailure::full);
  for (const int error : {EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, EINVAL, ECONNREFUSED, EMSGSIZE}) {
    EXPECT_EQ(classify_send(error), SendFailure::this_one);
  }
}

TEST(PeerAddress, ConvertsBothWays) {
  for (const char* text : {"192.0.2.1:53", "[2001:db8::1]:5353", "[::1]:1"}) {
    const Endpoint endpoint = *Endpoint::parse(text, 0);
    const PeerAddress address(endpoint);
    EXPECT_EQ(address.endpoint(), endpoint);
    EXPECT_EQ(address.size(),
              endpoint.address.family() == Family::v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  }
}

TEST(MemoryEngine, DeliversAndKeepsWhatIsSent) {
  Counters counters;
  MemoryEngine engine({.batch = 2, .slot_size = 512}, counters);
  const PeerAddress a(*Endpoint::parse("192.0.2.1:1000", 0));
  const PeerAddress b(*Endpoint::parse("[2001:db8::1]:2000", 0));
  const LocalAddress at{IpAddress::v4({192, 0, 2, 53}), 3, true};
  EXPECT_EQ(engine.fd(), -1);
  engine.deliver(a, octets_of("one"), at);
  engine.deliver(a, std::vector<uint8_t>(513));
  engine.deliver(b, octets_of("two"));
  engine.deliver(a, octets_of("three"));
  auto batch = engine.receive();
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(counters.get(Counter::receive_truncated), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "one");
  EXPECT_EQ(batch[0].local.address, at.address);
  EXPECT_EQ(text_of(batch[1].received()), "two");
  EXPECT_EQ(batch[1].peer.endpoint(), b.endpoint());
  engine.reply(batch[0], 2);
  EXPECT_TRUE(engine.take_sent().empty());
  batch = engine.receive();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "three");
  Datagram& late = engine.compose(b, {});
  late.data[0] = 'z';
  late.size = 1;
  engine.flush();
  const auto sent = engine.take_sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(text_of(sent[0].octets), "on");
  EXPECT_EQ(sent[0].to.endpoint(), a.endpoint());
  EXPECT_EQ(sent[0].from.address, at.address);
  EXPECT_EQ(text_of(sent[1].octets), "z");
  EXPECT_TRUE(engine.receive().empty());
  EXPECT_EQ(engine.sent_count(), 2u);
}

TEST(MemoryEngine, MayOnlyCount) {
  Counters counters;
  MemoryEngine engine({}, counters);
  engine.keep_sent(false);
  for (int i = 0; i < 3; ++i) {
    engine.deliver(PeerAddress(loopback4), octets_of("x"));
    for (Datagram& d : engine.receive()) engine.reply(d, 1);
    engine.flush();
  }
  EXPECT_EQ(engine.sent_count(), 3u);
  EXPECT_TRUE(engine.take_sent().empty());
}

}  // namespace
}  // namespace peregrine
