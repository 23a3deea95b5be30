#include "io/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "io/socket_error.h"

namespace peregrine {
namespace {

constexpr size_t most_discarded = 1 << 20;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// The kernel resets a connection that is closed with input unread, and what was written last is lost with it
// (RFC 2525 section 2.17). Whoever sends more than this at once is reset.
void discard_input(int socket) { (void)recv(socket, nullptr, most_discarded, MSG_TRUNC | MSG_DONTWAIT); }

// One direction's wait for readiness. Its waiter may destroy the whole stream as soon as it is resumed.
class Wait {
 public:
  explicit Wait(Timers& timers) : timers_(timers), timer_([this] { end(std::unexpected(Error::timeout)); }) {}
  bool waiting() const { return waiting_; }

  // To be awaited at once.
  Promise<Result<>>& begin(Instant deadline) {
    done_.reset();
    waiting_ = true;
    if (deadline != Instant::max()) timers_.arm(timer_, deadline);
    return done_;
  }

  void end(Result<> result) {
    if (!std::exchange(waiting_, false)) return;
    timers_.disarm(timer_);
    done_.deliver(result);
  }

 private:
  Timers& timers_;
  Timer timer_;
  Promise<Result<>> done_;
  bool waiting_ = false;
};

class TcpStream final : public Stream, public Watcher {
 public:
  TcpStream(Loop& loop, Fd socket, const Endpoint& peer)
      : loop_(loop),
        socket_(std::move(socket)),
        peer_(peer),
        readable_(loop.timers()),
        writable_(loop.timers()) {}
  ~TcpStream() override {
    if (gone_ != nullptr) *gone_ = true;
    loop_.unwatch(socket_.get());
    discard_input(socket_.get());
  }

  Endpoint peer() const override { return peer_; }
  Task<Result<size_t>> read(MutableBytes into, Instant deadline) override;
  Task<Result<>> write(Bytes octets, Instant deadline) override;
  Task<Result<>> connect(Instant deadline);
  void cancel() override;
  void ready(uint32_t epoll_events) override;

 private:
  Task<Result<>> wait(Wait& direction, Instant deadline);
  void end_waits(bool read, bool write, Result<> result);

  Loop& loop_;
  Fd socket_;
  Endpoint peer_;
  Wait readable_, writable_;
  bool watched_ = false;
  bool cancelled_ = false;
  bool* gone_ = nullptr;  // set by the destructor for a caller of end_waits()
};

// Edge-triggered and registered once: a wait begins only after the kernel said EAGAIN, so the next edge is
// not missed.
Task<Result<>> TcpStream::wait(Wait& direction, Instant deadline) {
  if (cancelled_) co_return std::unexpected(Error::cancelled);
  if (!watched_) watched_ = loop_.watch(socket_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
  if (!watched_) co_return std::unexpected(Error::limit);
  const auto result = co_await direction.begin(deadline);
  co_return result;
}

Task<Result<size_t>> TcpStream::read(MutableBytes into, Instant deadline) {
  for (;;) {
    if (cancelled_) co_return std::unexpected(Error::cancelled);
    const ssize_t got = recv(socket_.get(), into.data(), into.size(), 0);
    if (got >= 0) co_return static_cast<size_t>(got);
    if (errno == EINTR) continue;
    if (!would_block(errno)) co_return std::unexpected(Error::unreachable);
    const auto ready = co_await wait(readable_, deadline);
    if (!ready) co_return std::unexpected(ready.error());
  }
}

Task<Result<>> TcpStream::write(Bytes octets, Instant deadline) {
  while (!octets.empty()) {
    if (cancelled_) co_return std::unexpected(Error::cancelled);
    const ssize_t sent = send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      octets = octets.subspan(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) co_return std::unexpected(Error::unreachable);
    const auto ready = co_await wait(writable_, deadline);
    if (!ready) co_return std::unexpected(ready.error());
  }
  co_return Result<>{};
}

Task<Result<>> TcpStream::connect(Instant deadline) {
  sockaddr_storage storage{};
  const uint32_t length = peer_.to_sockaddr(storage);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0)
    co_return Result<>{};
  if (errno != EINPROGRESS) co_return std::unexpected(Error::unreachable);
  const auto ready = co_await wait(writable_, deadline);
  if (!ready) co_return std::unexpected(ready.error());
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) co_return std::unexpected(Error::unreachable);
  co_return Result<>{};
}

void TcpStream::end_waits(bool read, bool write, Result<> result) {
  read = read && readable_.waiting();
  write = write && writable_.waiting();
  bool gone = false;
  // One that runs already is told too: it is further up the stack, and its stream may go in here.
  bool* const outer = std::exchange(gone_, &gone);
  if (read) readable_.end(result);
  if (!gone && write) writable_.end(result);
  if (!gone) {
    gone_ = outer;
  } else if (outer != nullptr) {
    *outer = true;
  }
}

void TcpStream::cancel() {
  cancelled_ = true;
  end_waits(true, true, std::unexpected(Error::cancelled));
}

void TcpStream::ready(uint32_t epoll_events) {
  const bool broken = (epoll_events & (EPOLLERR | EPOLLHUP)) != 0;
  end_waits(broken || (epoll_events & (EPOLLIN | EPOLLRDHUP)) != 0, broken || (epoll_events & EPOLLOUT) != 0,
            {});
}

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(Loop& loop, Fd socket, const Endpoint& peer) {
  return std::make_unique<TcpStream>(loop, std::move(socket), peer);
}

Task<Result<std::unique_ptr<Stream>>> connect_tcp(Loop& loop, Endpoint to, Instant deadline) {
  const int family = to.address.family() == Family::v4 ? AF_INET : AF_INET6;
  Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return std::unexpected(classify_socket_error(errno));
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto stream = std::make_unique<TcpStream>(loop, std::move(socket), to);
  const auto connected = co_await stream->connect(deadline);
  if (!connected) co_return std::unexpected(connected.error());
  co_return std::move(stream);
}

}  // namespace peregrine
