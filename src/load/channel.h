// How queries go out and replies come in: over the sockets of a run. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "io/fd.h"
#include "load/load_run.h"

namespace peregrine {

class Channel {
 public:
  virtual ~Channel() = default;
  virtual void send(Instant now) = 0;          // of what is due, as much as there is room for
  virtual void receive(Duration at_most) = 0;  // waits for replies, and takes those that there are
  virtual void keep_house(Instant now) = 0;    // every few milliseconds: gives up what is lost
};

// Each throws std::system_error where a socket cannot be had; TCP connects them all, or throws.
std::unique_ptr<Channel> make_udp_channel(LoadRun& run, Clock& clock);
std::unique_ptr<Channel> make_tcp_channel(LoadRun& run, Clock& clock);

// A non-blocking socket of client `index`, with its own address where that is wanted; not connected.
// Throws std::system_error.
Fd open_client_socket(const LoadOptions& options, unsigned index);
// connect(2) to the server: 0, or errno.
int connect_to_server(int fd, const LoadOptions& options);
// Queries that one of the sockets may have under way.
size_t flights_each(const LoadOptions& options);

}  // namespace peregrine
