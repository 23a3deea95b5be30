// UDP by io_uring(7): one receive that stays armed (multishot recvmsg) takes buffers from a ring that we
// provide, and the replies of a batch are submitted by the same system call that collects the next batch.
//
// The loop watches the io_uring's descriptor in its epoll, and not the other way round: so the loop stays the
// one place that waits, whichever engine a worker has. It is in no batch's way, since a busy engine finds its
// next batch in the completion queue without the loop, and an idle one pays one epoll_wait a wake-up.
#pragma once

#include "io/udp.h"

namespace peregrine {

// Only where io_uring_refused() is empty. May be made on one thread and used on another, but receive(),
// reply(), compose(), flush() and stop() are called on one thread only. The kernel has nothing to watch for
// before the first receive().
class UringEngine {
 public:
  UringEngine(Fd socket, UdpOptions options, Counters& counters);  // throws std::system_error
  ~UringEngine();
  UringEngine(UringEngine&&) noexcept;
  int fd() const;
  std::span<Datagram> receive();
  void reply(Datagram& datagram, size_t size);
  Datagram& compose(const PeerAddress& to, const LocalAddress& from);
  void flush();
  // Takes the receive back, so that the kernel lets go of the socket as soon as it is closed. The last call.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

static_assert(UdpEngine<UringEngine>);

}  // namespace peregrine
