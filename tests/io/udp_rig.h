// One face over all UDP engines for their tests: a peer that sends to the engine and gets what it sends.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <type_traits>
#include <vector>

#include "base/kernel.h"
#include "io/listen.h"
#include "io/udp.h"
#include "io/uring_engine.h"

namespace peregrine {

inline const Endpoint loopback4{IpAddress::v4({127, 0, 0, 1}), 0};
inline const Endpoint loopback6{*IpAddress::parse("::1"), 0};
inline constexpr ListenOptions small_buffers{.reuse_port = false, .buffer_octets = 0};

inline bool has_ipv6() {
  try {
    open_udp_listener(loopback6, small_buffers);
    return true;
  } catch (const ListenError&) {
    return false;
  }
}

inline Bytes octets_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string text_of(Bytes octets) { return {octets.begin(), octets.end()}; }

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
    ssize_t got = -1;
    do got = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, &address.generic, &length);
    while (got < 0 && errno == EINTR);  // the kernel interrupts us where it takes an io_uring apart
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
class Rig {
 public:
  explicit Rig(UdpOptions options = {}, const Endpoint& listen = loopback4)
      : Rig(options, open_udp_listener(listen, small_buffers)) {}
  Rig(UdpOptions options, Fd fd)
      : peer_(local_endpoint(fd.get()).address.family() == Family::v4 ? loopback4 : loopback6),
        at_(local_endpoint(fd.get())),
        socket_(fd.get()),
        engine_(std::move(fd), options, counters_) {}
  Engine* operator->() { return &engine_; }
  Engine& engine() { return engine_; }
  PeerAddress peer() const { return PeerAddress(peer_.endpoint()); }
  void send(std::string_view text) { peer_.send(at_, text); }
  // The next that the peer got, or "nothing".
  std::string answer() { return peer_.nothing_waits() ? "nothing" : peer_.receive(); }
  uint64_t count(Counter counter) const { return counters_.get(counter); }
  const Endpoint& at() const { return at_; }
  const Peer& socket_of_peer() const { return peer_; }
  int socket() const { return socket_; }  // the engine's

 private:
  Counters counters_;
  Peer peer_;
  Endpoint at_;
  int socket_;
  Engine engine_;
};

template <>
class Rig<MemoryEngine> {
 public:
  explicit Rig(UdpOptions options = {}) : engine_(options, counters_) {}
  MemoryEngine* operator->() { return &engine_; }
  PeerAddress peer() const { return PeerAddress(*Endpoint::parse("192.0.2.1:4000", 0)); }
  void send(std::string_view text) { engine_.deliver(peer(), octets_of(text)); }
  std::string answer() {
    for (const auto& sent : engine_.take_sent()) answers_.push_back(text_of(sent.octets));
    if (next_ == answers_.size()) return "nothing";
    return answers_[next_++];
  }
  uint64_t count(Counter counter) const { return counters_.get(counter); }

 private:
  Counters counters_;
  MemoryEngine engine_;
  std::vector<std::string> answers_;
  size_t next_ = 0;
};

// Skips what needs an engine that this kernel does not let us have, and says so.
template <class Engine>
class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    if constexpr (std::is_same_v<Engine, UringEngine>) {
      if (!io_uring_refused().empty()) GTEST_SKIP() << "no io_uring: " << io_uring_refused();
    }
  }
};

struct EngineNames {
  template <class Engine>
  static std::string GetName(int) {
    if constexpr (std::is_same_v<Engine, PlainEngine>) return "Plain";
    if constexpr (std::is_same_v<Engine, MmsgEngine>) return "Mmsg";
    if constexpr (std::is_same_v<Engine, UringEngine>) return "Uring";
    return "Memory";
  }
};

}  // namespace peregrine
