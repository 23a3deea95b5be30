#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <system_error>

#include "load/channel.h"

namespace peregrine {
namespace {

constexpr int udp_buffer_octets = 4 << 20;
constexpr size_t flights_in_all = size_t{1} << 22;  // 96 MiB

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

Endpoint own_address(unsigned index) {
  const unsigned number = index + 1;
  return {IpAddress::v4({127, 1, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)}), 0, 0};
}

void set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

void bind_to_own_address(int fd, unsigned index) {
  // The kernel chooses the port when it connects, and knows then that other ports' pairs are not in its way.
  set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  sockaddr_storage own;
  const socklen_t size = own_address(index).to_sockaddr(own);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&own), size) != 0) fail("bind");
}

}  // namespace

Fd open_client_socket(const LoadOptions& options, unsigned index) {
  const bool udp = options.transport == Transport::udp;
  sockaddr_storage address;
  options.server.to_sockaddr(address);
  const int type = (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  Fd fd(::socket(address.ss_family, type, 0));
  if (!fd) fail("socket");
  if (udp) {
    set(fd.get(), SOL_SOCKET, SO_RCVBUF, udp_buffer_octets);
    set(fd.get(), SOL_SOCKET, SO_SNDBUF, udp_buffer_octets);
  } else {
    set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  }
  if (options.own_addresses) bind_to_own_address(fd.get(), index);
  return fd;
}

int connect_to_server(int fd, const LoadOptions& options) {
  sockaddr_storage address;
  const socklen_t size = options.server.to_sockaddr(address);
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 ? 0 : errno;
}

size_t flights_each(const LoadOptions& options) {
  return std::clamp(std::bit_floor(flights_in_all / options.sockets), size_t{256}, size_t{65'536});
}

}  // namespace peregrine
