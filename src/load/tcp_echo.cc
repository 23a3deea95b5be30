#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <unordered_map>

#include "load/framed_socket.h"
#include "load/responders.h"

namespace peregrine {
namespace {

constexpr int look_at_stop_ms = 100;
constexpr size_t flags_offset = 2;
constexpr uint8_t qr_bit = 0x80;

class TcpEcho {
 public:
  TcpEcho(Fd listener, unsigned extra);
  void run(const std::atomic<bool>& stop);

 private:
  void ready(int fd);
  void accept_one();
  void echo(FramedSocket& peer);
  void flush(FramedSocket& peer, bool was_blocked);
  void watch(int fd, uint32_t events, int operation);

  Fd listener_, epoll_;
  size_t extra_;  // octets
  std::unordered_map<int, FramedSocket> peers_;
};

TcpEcho::TcpEcho(Fd listener, unsigned extra)
    : listener_(std::move(listener)), epoll_(epoll_create1(EPOLL_CLOEXEC)), extra_(extra) {
  watch(listener_.get(), EPOLLIN, EPOLL_CTL_ADD);
}

void TcpEcho::watch(int fd, uint32_t events, int operation) {
  epoll_event event{.events = events, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), operation, fd, &event) == 0) return;
  throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

void TcpEcho::accept_one() {
  Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) return;
  watch(fd.get(), EPOLLIN, EPOLL_CTL_ADD);
  const int number = fd.get();
  peers_.emplace(number, FramedSocket(std::move(fd)));
}

// Nothing is read from a peer that does not take what it is sent.
void TcpEcho::flush(FramedSocket& peer, bool was_blocked) {
  const FramedSocket::Io done = peer.flush();
  if (done == FramedSocket::Io::closed) {
    peers_.erase(peer.fd());
  } else if (const bool blocked = done == FramedSocket::Io::blocked; blocked != was_blocked) {
    watch(peer.fd(), blocked ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }
}

void TcpEcho::echo(FramedSocket& peer) {
  const FramedSocket::Io done = peer.receive();
  while (const auto message = peer.next()) {
    if (message->size() <= flags_offset || message->size() + extra_ > 0xffff) continue;
    const MutableBytes reply = peer.put(message->size() + extra_);
    std::memcpy(reply.data(), message->data(), message->size());
    reply[flags_offset] |= qr_bit;
  }
  if (done == FramedSocket::Io::closed) {
    peers_.erase(peer.fd());
  } else if (peer.has_output()) {
    flush(peer, false);
  }
}

void TcpEcho::ready(int fd) {
  if (fd == listener_.get()) return accept_one();
  const auto peer = peers_.find(fd);
  if (peer == peers_.end()) return;
  if (peer->second.has_output()) return flush(peer->second, true);
  echo(peer->second);
}

void TcpEcho::run(const std::atomic<bool>& stop) {
  std::array<epoll_event, 64> events;
  while (!stop.load(std::memory_order_relaxed)) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), look_at_stop_ms);
    for (int i = 0; i < count; ++i) ready(events[i].data.fd);
  }
}

}  // namespace

void run_tcp_echo(Fd listener, const ResponderOptions& options, const std::atomic<bool>& stop) {
  TcpEcho(std::move(listener), options.extra).run(stop);
}

}  // namespace peregrine
