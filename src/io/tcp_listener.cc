#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "io/sessions.h"
#include "io/tcp_stream.h"

namespace peregrine {
namespace {

constexpr int accepts_per_round = 64;
constexpr Duration pause = std::chrono::milliseconds(100);

bool out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

TcpListener::TcpListener(Loop& loop, Fd listener, Sessions& sessions, Counters& counters)
    : loop_(loop), listener_(std::move(listener)), sessions_(sessions), counters_(counters), resume_([this] {
        accept_again();
      }) {
  if (!loop_.watch(listener_.get(), EPOLLIN, *this)) {
    throw std::system_error(errno, std::generic_category(), "cannot watch a listening socket");
  }
}

TcpListener::~TcpListener() { stop(); }

void TcpListener::ready(uint32_t) {
  for (int i = 0; i < accepts_per_round && listener_; ++i) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    Fd socket(
        accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      const Endpoint peer = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&from));
      sessions_.adopt(make_tcp_stream(loop_, std::move(socket), peer));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (out_of_resources(errno)) return accept_later();
    // Else it is an error of the connection that was to be accepted (accept(2)): on to the next.
  }
}

// The connection stays in the kernel's queue, so watching on would only spin.
void TcpListener::accept_later() {
  counters_.add(Counter::tcp_refused);
  loop_.unwatch(listener_.get());
  loop_.timers().arm(resume_, loop_.clock().now() + pause);
}

void TcpListener::accept_again() {
  if (!loop_.watch(listener_.get(), EPOLLIN, *this)) accept_later();
}

void TcpListener::stop() {
  loop_.timers().disarm(resume_);
  loop_.unwatch(listener_.get());
  listener_.close();
}

}  // namespace peregrine
