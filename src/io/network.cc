#include "io/network.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "io/loop.h"
#include "io/socket_error.h"
#include "io/tcp_stream.h"

namespace peregrine {
namespace {

using DatagramBuffer = std::array<uint8_t, 65536>;

class SystemUdpPort final : public UdpPort, public Watcher {
 public:
  SystemUdpPort(Loop& loop, Fd socket, uint16_t number, DatagramHandler& handler, DatagramBuffer& buffer)
      : loop_(loop), socket_(std::move(socket)), number_(number), handler_(handler), buffer_(buffer) {}
  ~SystemUdpPort() override { loop_.unwatch(socket_.get()); }

  bool watch() { return loop_.watch(socket_.get(), EPOLLIN, *this); }
  uint16_t number() const override { return number_; }
  Result<> send(const Endpoint& to, Bytes octets) override;
  void ready(uint32_t epoll_events) override;

 private:
  Loop& loop_;
  Fd socket_;
  uint16_t number_;
  DatagramHandler& handler_;
  DatagramBuffer& buffer_;
};

Result<> SystemUdpPort::send(const Endpoint& to, Bytes octets) {
  sockaddr_storage storage{};
  const uint32_t length = to.to_sockaddr(storage);
  const ssize_t sent = sendto(socket_.get(), octets.data(), octets.size(), MSG_DONTWAIT,
                              reinterpret_cast<const sockaddr*>(&storage), length);
  if (sent >= 0) return {};
  const Error error = classify_socket_error(errno);
  return std::unexpected(error == Error::unreachable ? error : Error::network);
}

// One datagram a round: what else waits is reported again by the next round, which comes anyway. A second
// recvfrom would mostly find nothing, and no port can starve the others. Nothing of ours is touched after the
// handler, which may close this port.
void SystemUdpPort::ready(uint32_t) {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  const ssize_t got = recvfrom(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &length);
  if (got < 0) return;
  const Endpoint sender = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&from));
  handler_.on_datagram(*this, sender, Bytes(buffer_).first(static_cast<size_t>(got)));
}

class SystemNetwork final : public Network {
 public:
  explicit SystemNetwork(Loop& loop) : loop_(loop) {}
  Result<std::unique_ptr<UdpPort>> open_udp(Family family, uint16_t number,
                                            DatagramHandler& handler) override;
  Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint& to, Instant deadline) override {
    return connect_tcp(loop_, to, deadline);
  }

 private:
  Loop& loop_;
  DatagramBuffer buffer_;  // valid only during one call of a handler, so all ports share it
};

Result<Fd> bound_socket(Family family, uint16_t number) {
  const bool v4 = family == Family::v4;
  Fd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(classify_socket_error(errno));
  const int on = 1;
  if (!v4) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // Forged ICMP must not lower the path MTU and so have our queries cut into fragments (RFC 9715). A
  // kernel without the option still serves.
  const int omit = v4 ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_OMIT;
  setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &omit,
             sizeof omit);
  const Endpoint wildcard{v4 ? IpAddress{} : IpAddress::v6({}), number};
  sockaddr_storage storage{};
  const uint32_t length = wildcard.to_sockaddr(storage);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0) return fd;
  return std::unexpected(errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL ? Error::unreachable
                                                                         : Error::network);
}

Result<uint16_t> bound_port(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0)
    return std::unexpected(Error::network);
  return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage)).port;
}

Result<std::unique_ptr<UdpPort>> SystemNetwork::open_udp(Family family, uint16_t number,
                                                         DatagramHandler& handler) {
  auto socket = bound_socket(family, number);
  if (!socket) return std::unexpected(socket.error());
  const auto bound = number != 0 ? number : bound_port(socket->get());
  if (!bound) return std::unexpected(bound.error());
  auto port = std::make_unique<SystemUdpPort>(loop_, std::move(*socket), *bound, handler, buffer_);
  if (!port->watch()) return std::unexpected(Error::limit);
  return port;
}

}  // namespace

std::unique_ptr<Network> make_system_network(Loop& loop) { return std::make_unique<SystemNetwork>(loop); }

}  // namespace peregrine
