// The other ends of a measurement: an echo, which is what the kernel's socket path alone costs, and an
// upstream that knows every name.
#pragma once

#include <atomic>

#include "io/fd.h"

namespace peregrine {

struct ResponderOptions {
  unsigned batch = 32;  // datagrams a system call
  unsigned extra = 16;  // octets that the echo appends: a compressed A record has as many
  uint32_t ttl = 3600;  // of the name responder's records, seconds
};

// Each runs until `stop` is true, which it sees within a tenth of a second. `socket` is a bound UDP socket;
// blocking or not.
//
// Sends each datagram back with QR set and `extra` zero octets behind it. No parsing, nothing else: a server
// on the same socket path can only be slower.
void run_echo(Fd socket, const ResponderOptions& options, const std::atomic<bool>& stop);
// The same for the messages on the connections that a listening TCP socket accepts.
void run_tcp_echo(Fd listener, const ResponderOptions& options, const std::atomic<bool>& stop);
// Answers every A query with address_of_name(), and other types with no records; but a name that is_denied()
// does not exist.
void run_name_responder(Fd socket, const ResponderOptions& options, const std::atomic<bool>& stop);

}  // namespace peregrine
