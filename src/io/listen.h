// Listening sockets, opened by a supervisor and given to workers. Start-up code: throws ListenError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/ip.h"
#include "io/fd.h"
#include "io/transport.h"

namespace peregrine {

// what() is one line for the operator: what is wrong, where, what to do (a port in use at 53 names
// systemd-resolved).
struct ListenError : std::runtime_error {
  ListenError(const std::string& what, int error) : std::runtime_error(what), error_number(error) {}
  int error_number;  // errno: EADDRINUSE, EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, ...
};

struct ListenOptions {
  bool reuse_port = true;       // several sockets on one address: one a worker
  bool free_bind = false;       // to an address that is routed here though no interface has it
  int buffer_octets = 4 << 20;  // SO_RCVBUF and SO_SNDBUF; a clipped one is warned of once
};

// Throws where some other socket is bound to `at`; nothing for port 0. With reuse_port a second server of the
// same user would share the port silently, so the supervisor asks this once an address, before it opens the
// first listener there. Two that start in the same instant may both be told that the port is free: what is
// probed is closed again, because the kernel shares a port only among sockets that all ask for it.
void ensure_port_free(const Endpoint& at, Transport transport);

// Non-blocking, close-on-exec, IPV6_V6ONLY; packet info on wildcard addresses; path MTUs ignored
// (IP_PMTUDISC_OMIT). The kernel then fragments only what the link at hand cannot carry: a sender that wants
// no fragments keeps its datagrams small (RFC 9715 section 3.1).
Fd open_udp_listener(const Endpoint& at, const ListenOptions& options);
Fd open_tcp_listener(const Endpoint& at, const ListenOptions& options);
Endpoint local_endpoint(int fd);  // what the kernel chose for port 0

// What one address needs: a socket a worker for each transport that is wanted, all on one port.
struct Listeners {
  Endpoint at;  // with the port that the kernel chose, where 0 was asked for
  std::vector<Fd> udp, tcp;
};
struct ListenersWanted {
  bool udp = true, tcp = true;
  size_t each = 1;  // sockets; without reuse_port all but the first are duplicates of it
};
// For port 0 one that is free for all that is wanted.
Listeners open_listeners(const Endpoint& at, const ListenersWanted& wanted, const ListenOptions& options);
// Soft limit of descriptors up to the hard one; returns what is in force.
size_t raise_descriptor_limit();

}  // namespace peregrine
