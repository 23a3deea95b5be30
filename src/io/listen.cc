#include "io/listen.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace peregrine {
namespace {

constexpr int backlog = 4096;

const char* name_of(Transport transport) { return transport == Transport::udp ? "UDP" : "TCP"; }

std::string advice(const Endpoint& at, int error) {
  if (error == EADDRINUSE && at.port == 53) {
    return "; systemd-resolved often holds port 53: `systemctl disable --now systemd-resolved`, or choose "
           "another port in "
           "server.listen";
  }
  if (error == EADDRINUSE) return "; stop the other program, or choose another port in server.listen";
  if ((error == EACCES || error == EPERM) && at.port != 0 && at.port < 1024) {
    return "; needs CAP_NET_BIND_SERVICE or root, or choose a port above 1023";
  }
  if (error == EADDRNOTAVAIL) return "; no interface of this machine has that address";
  if (error == EAFNOSUPPORT) return "; this kernel has no IPv6";
  if (error == EMFILE) return "; too many open files, raise LimitNOFILE";
  return "";
}

std::string text_of(int error) {
  if (error == EADDRINUSE) return "address already in use";
  if (error == EACCES) return "permission denied";
  return std::generic_category().message(error);
}

[[noreturn]] void fail(const Endpoint& at, Transport transport, int error) {
  throw ListenError("cannot listen on " + at.to_string() + " (" + name_of(transport) +
                        "): " + text_of(error) + advice(at, error),
                    error);
}

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

Fd open_socket(const Endpoint& at, Transport transport) {
  const int family = at.address.family() == Family::v4 ? AF_INET : AF_INET6;
  const int type = transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
  Fd fd(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) fail(at, transport, errno);
  // A wildcard IPv6 socket would take the IPv4 port too, and show its clients in mapped form.
  if (family == AF_INET6 && !set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1)) fail(at, transport, errno);
  // Connections of an earlier server in TIME_WAIT do not hold the port.
  if (transport == Transport::tcp && !set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1)) fail(at, transport, errno);
  return fd;
}

void bind_to(const Fd& fd, const Endpoint& at, Transport transport) {
  sockaddr_storage storage{};
  const uint32_t length = at.to_sockaddr(storage);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) fail(at, transport, errno);
}

int effective_buffer(int fd, int option) {
  int octets = 0;
  socklen_t length = sizeof octets;
  if (getsockopt(fd, SOL_SOCKET, option, &octets, &length) != 0) return 0;
  return octets / 2;  // the kernel doubles what it is asked for, to account for its own overhead
}

void warn_of_clipping(const char* limit, int asked, int got) {
  static std::atomic<bool> warned = false;
  if (warned.exchange(true)) return;
  log_warning("socket buffers of " + std::to_string(asked) + " octets were asked for, the kernel gave " +
              std::to_string(got) + ": raise the sysctl " + limit +
              " so that bursts of queries are not lost");
}

// The forced form passes the sysctl's limit, where we have CAP_NET_ADMIN.
void set_buffer(int fd, int option, int forced, const char* limit, int octets) {
  if (set(fd, SOL_SOCKET, forced, octets)) return;
  set(fd, SOL_SOCKET, option, octets);
  const int got = effective_buffer(fd, option);
  if (got < octets) warn_of_clipping(limit, octets, got);
}

void set_buffers(int fd, int octets) {
  if (octets <= 0) return;
  set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, "net.core.rmem_max", octets);
  set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, "net.core.wmem_max", octets);
}

// Forged ICMP could otherwise lower the path MTU and have answers cut into fragments, which are easier to
// spoof (RFC 9715). A kernel without the option still serves.
void ignore_path_mtu(int fd, Family family) {
  if (family == Family::v4) {
    set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  } else {
    set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  }
}

void want_packet_info(const Fd& fd, const Endpoint& at) {
  const bool done = at.address.family() == Family::v4 ? set(fd.get(), IPPROTO_IP, IP_PKTINFO, 1)
                                                      : set(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (!done) fail(at, Transport::udp, errno);
}

// IPv4 asks only whether the address is local to the routing table.
void bind_freely(const Fd& fd, const Endpoint& at) {
  if (at.address.family() == Family::v6) set(fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, 1);
}

void share_port(const Fd& fd, const Endpoint& at, Transport transport) {
  if (!set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) fail(at, transport, errno);
}

using Opener = Fd (*)(const Endpoint& at, const ListenOptions& options);

// The first socket of the first transport settles the port for all that follow.
void open_each(Opener open, size_t count, const ListenOptions& options, Endpoint& at,
               std::vector<Fd>& opened) {
  for (size_t i = 0; i < count; ++i) {
    const bool share = i > 0 && !options.reuse_port;
    opened.push_back(share ? opened.front().duplicate() : open(at, options));
    at = local_endpoint(opened.back().get());
  }
}

}  // namespace

void ensure_port_free(const Endpoint& at, Transport transport) {
  if (at.port == 0) return;
  bind_to(open_socket(at, transport), at, transport);
}

Fd open_udp_listener(const Endpoint& at, const ListenOptions& options) {
  Fd fd = open_socket(at, Transport::udp);
  if (options.reuse_port) share_port(fd, at, Transport::udp);
  if (options.free_bind) bind_freely(fd, at);
  if (at.address.is_unspecified()) want_packet_info(fd, at);
  ignore_path_mtu(fd.get(), at.address.family());
  set_buffers(fd.get(), options.buffer_octets);
  bind_to(fd, at, Transport::udp);
  return fd;
}

Fd open_tcp_listener(const Endpoint& at, const ListenOptions& options) {
  Fd fd = open_socket(at, Transport::tcp);
  if (options.reuse_port) share_port(fd, at, Transport::tcp);
  if (options.free_bind) bind_freely(fd, at);
  // Accepted sockets inherit it.
  set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  bind_to(fd, at, Transport::tcp);
  if (listen(fd.get(), backlog) != 0) fail(at, Transport::tcp, errno);
  return fd;
}

Endpoint local_endpoint(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    throw ListenError("cannot read the address of a socket: " + text_of(errno), errno);
  }
  return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage));
}

Listeners open_listeners(const Endpoint& at, const ListenersWanted& wanted, const ListenOptions& options) {
  if (wanted.udp) ensure_port_free(at, Transport::udp);
  if (wanted.tcp) ensure_port_free(at, Transport::tcp);
  // The port that the kernel chooses for UDP may be a TCP client's.
  constexpr int ports_tried = 32;
  for (int tried = 1;; ++tried) {
    Listeners listeners{.at = at, .udp = {}, .tcp = {}};
    try {
      if (wanted.udp) open_each(open_udp_listener, wanted.each, options, listeners.at, listeners.udp);
      if (wanted.tcp) open_each(open_tcp_listener, wanted.each, options, listeners.at, listeners.tcp);
      return listeners;
    } catch (const ListenError& error) {
      if (at.port != 0 || error.error_number != EADDRINUSE || tried == ports_tried) throw;
    }
  }
}

size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (limit.rlim_cur < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

}  // namespace peregrine
