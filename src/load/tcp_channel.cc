#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "load/channel.h"
#include "load/framed_socket.h"

namespace peregrine {
namespace {

constexpr Duration connect_patience = std::chrono::seconds(10);

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

struct Connection {
  explicit Connection(size_t capacity) : flights(capacity) {}
  bool is_open() const { return socket.has_value(); }

  Flights flights;
  std::optional<FramedSocket> socket;
  bool connecting = false;
  bool answered = false;  // on this socket
  uint64_t queries = 0;   // sent on this socket
};

// A connection that the server closes is opened again: at once if it brought an answer, else when the house
// is kept, so that a server which refuses is not overrun.
class TcpChannel final : public Channel {
 public:
  TcpChannel(LoadRun& run, Clock& clock);
  void send(Instant now) override;
  void receive(Duration at_most) override;
  void keep_house(Instant now) override;

 private:
  int open(unsigned index);  // 0, or errno
  void wait_for_all();
  size_t room(const Connection& connection) const;
  void put(Connection& connection, std::span<const Drawn> queries);
  void flush(unsigned index);
  void ready(unsigned index, uint32_t events);
  void connected(unsigned index);
  void take_replies(unsigned index);
  void watch(unsigned index, int operation);
  void drop(unsigned index);
  void renew_if_used_up(unsigned index);

  LoadRun& run_;
  Clock& clock_;
  Fd epoll_;
  std::vector<Connection> connections_;
  size_t part_;            // of the window, for each
  int connect_error_ = 0;  // errno of the last that failed while it was under way
  size_t turn_ = 0;
};

TcpChannel::TcpChannel(LoadRun& run, Clock& clock)
    : run_(run), clock_(clock), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) fail(errno, "epoll_create1");
  const LoadOptions& options = run.options();
  // Only replies shut an open loop's window.
  part_ = options.rate > 0 ? flights_each(options) : (options.window + options.sockets - 1) / options.sockets;
  connections_.reserve(options.sockets);
  for (unsigned i = 0; i < options.sockets; ++i) {
    connections_.emplace_back(flights_each(options));
    if (const int error = open(i)) fail(error, "cannot connect to " + options.server.to_string());
  }
  wait_for_all();
}

int TcpChannel::open(unsigned index) {
  Connection& connection = connections_[index];
  Fd fd = open_client_socket(run_.options(), index);
  const int error = connect_to_server(fd.get(), run_.options());
  if (error != 0 && error != EINPROGRESS) return error;
  run_.result().connections += error == 0;
  connection.socket.emplace(std::move(fd));
  connection.connecting = error == EINPROGRESS;
  connection.answered = false;
  connection.queries = 0;
  watch(index, EPOLL_CTL_ADD);
  return 0;
}

// So that a run does not begin with the time that the first connections take, and says that nobody is there.
void TcpChannel::wait_for_all() {
  const Instant deadline = clock_.precise() + connect_patience;
  while (std::ranges::any_of(connections_, &Connection::connecting)) {
    receive(Pace::longest_wait);
    if (connect_error_ == 0 && clock_.precise() >= deadline) connect_error_ = ETIMEDOUT;
    if (connect_error_ != 0) fail(connect_error_, "cannot connect to " + run_.options().server.to_string());
  }
}

void TcpChannel::watch(unsigned index, int operation) {
  const Connection& connection = connections_[index];
  const bool output = connection.connecting || connection.socket->has_output();
  epoll_event event{.events = EPOLLIN | (output ? uint32_t{EPOLLOUT} : 0), .data = {.u32 = index}};
  if (epoll_ctl(epoll_.get(), operation, connection.socket->fd(), &event) != 0) fail(errno, "epoll_ctl");
}

// How many queries may be put on it. One that has not sent what it has gets no more.
size_t TcpChannel::room(const Connection& connection) const {
  if (!connection.is_open() || connection.socket->has_output()) return 0;
  size_t room = std::min(connection.flights.room(), part_ - std::min(part_, connection.flights.in_flight()));
  if (const uint64_t most = run_.options().queries_per_connection)
    room = std::min(room, most - connection.queries);
  return room;
}

void TcpChannel::send(Instant now) {
  for (size_t looked_at = 0; looked_at < connections_.size(); ++looked_at) {
    const auto index = static_cast<unsigned>(turn_);
    Connection& connection = connections_[index];
    const size_t most = std::min<size_t>(room(connection), run_.options().batch);
    const auto queries = run_.due(now, most);
    if (most > 0 && queries.empty()) return;
    turn_ = (turn_ + 1) % connections_.size();
    if (queries.empty()) continue;
    put(connection, queries);
    connection.queries += queries.size();
    run_.departed(connection.flights, queries.size(), now);
    if (!connection.connecting) flush(index);
  }
}

void TcpChannel::put(Connection& connection, std::span<const Drawn> queries) {
  uint16_t id = connection.flights.next_id();
  for (const Drawn& drawn : queries) {
    const Bytes query = run_.encode(drawn).message;
    const MutableBytes place = connection.socket->put(query.size());
    std::memcpy(place.data(), query.data(), query.size());
    store_u16(place.data(), id++);
  }
}

void TcpChannel::flush(unsigned index) {
  switch (connections_[index].socket->flush()) {
    case FramedSocket::Io::done:
      return;
    case FramedSocket::Io::blocked:
      return watch(index, EPOLL_CTL_MOD);
    case FramedSocket::Io::closed:
      return drop(index);
  }
}

void TcpChannel::receive(Duration at_most) {
  std::array<epoll_event, 64> events;
  const int milliseconds = static_cast<int>(at_most / std::chrono::milliseconds(1));
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < count; ++i) ready(events[i].data.u32, events[i].events);
}

void TcpChannel::ready(unsigned index, uint32_t events) {
  if (connections_[index].connecting) return connected(index);
  if (events & EPOLLOUT) {
    flush(index);
    if (!connections_[index].is_open() || connections_[index].socket->has_output()) return;
    watch(index, EPOLL_CTL_MOD);
  }
  if (events & ~uint32_t{EPOLLOUT}) take_replies(index);
}

void TcpChannel::connected(unsigned index) {
  Connection& connection = connections_[index];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection.socket->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    connect_error_ = error;
    ++run_.result().refused;
    return drop(index);
  }
  ++run_.result().connections;
  connection.connecting = false;
  flush(index);
  if (connection.is_open()) watch(index, EPOLL_CTL_MOD);
}

void TcpChannel::take_replies(unsigned index) {
  Connection& connection = connections_[index];
  const FramedSocket::Io done = connection.socket->receive();
  const Instant now = clock_.precise();
  while (const auto reply = connection.socket->next()) {
    connection.answered = true;
    run_.arrived(connection.flights, *reply, now);
  }
  if (done == FramedSocket::Io::closed) return drop(index);
  renew_if_used_up(index);
}

// What is under way on it is lost.
void TcpChannel::drop(unsigned index) {
  Connection& connection = connections_[index];
  run_.abandon(connection.flights);
  run_.result().closed += !connection.connecting;
  connection.connecting = false;
  connection.socket.reset();
  if (connection.answered && open(index) != 0) ++run_.result().refused;
}

void TcpChannel::renew_if_used_up(unsigned index) {
  Connection& connection = connections_[index];
  const uint64_t most = run_.options().queries_per_connection;
  if (most == 0 || connection.queries < most || connection.flights.in_flight() > 0) return;
  connection.socket.reset();
  if (open(index) != 0) ++run_.result().refused;
}

void TcpChannel::keep_house(Instant now) {
  for (unsigned i = 0; i < connections_.size(); ++i) {
    run_.expire(connections_[i].flights, now);
    if (connections_[i].is_open()) {
      renew_if_used_up(i);
    } else if (open(i) != 0) {
      ++run_.result().refused;
    }
  }
}

}  // namespace

std::unique_ptr<Channel> make_tcp_channel(LoadRun& run, Clock& clock) {
  return std::make_unique<TcpChannel>(run, clock);
}

}  // namespace peregrine
