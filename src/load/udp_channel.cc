#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "load/channel.h"

namespace peregrine {
namespace {

constexpr size_t reply_slot = 4096;  // octets: the most that any EDNS size asks of a server is less
constexpr size_t query_slot = 512;

struct Client {
  Client(Fd s, size_t capacity) : socket(std::move(s)), flights(capacity) {}
  Fd socket;
  Flights flights;
};

// Slots and headers of one batch in one direction.
struct Batch {
  Batch(unsigned count, size_t slot) : slot_size(slot), octets(count * slot), vectors(count), headers(count) {
    for (size_t i = 0; i < count; ++i) {
      vectors[i] = {.iov_base = &octets[i * slot], .iov_len = slot};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  uint8_t* slot(size_t index) { return &octets[index * slot_size]; }
  unsigned size() const { return static_cast<unsigned>(headers.size()); }

  size_t slot_size;
  std::vector<uint8_t> octets;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> headers;
};

class UdpChannel final : public Channel {
 public:
  UdpChannel(LoadRun& run, Clock& clock);
  void send(Instant now) override;
  void receive(Duration at_most) override;
  void keep_house(Instant now) override;

 private:
  void fill(size_t slot, uint16_t id, const Drawn& drawn);
  void receive_from(Client& client);

  LoadRun& run_;
  Clock& clock_;
  std::vector<Client> clients_;
  Fd epoll_;
  Batch out_, in_;
  size_t turn_ = 0;  // whose turn it is to send
};

UdpChannel::UdpChannel(LoadRun& run, Clock& clock)
    : run_(run),
      clock_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      out_(run.options().batch, query_slot),
      in_(run.options().batch, reply_slot) {
  const auto fail = [](int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
  };
  if (!epoll_) fail(errno, "epoll_create1");
  const LoadOptions& options = run.options();
  for (unsigned i = 0; i < options.sockets; ++i) {
    Client& client = clients_.emplace_back(open_client_socket(options, i), flights_each(options));
    if (const int error = connect_to_server(client.socket.get(), options)) fail(error, "connect");
    epoll_event event{.events = EPOLLIN, .data = {.u32 = i}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event) != 0) fail(errno, "epoll_ctl");
  }
}

void UdpChannel::fill(size_t slot, uint16_t id, const Drawn& drawn) {
  const Bytes query = run_.encode(drawn).message;
  std::memcpy(out_.slot(slot), query.data(), query.size());
  store_u16(out_.slot(slot), id);
  out_.vectors[slot].iov_len = query.size();
}

void UdpChannel::send(Instant now) {
  Client& client = clients_[turn_];
  turn_ = (turn_ + 1) % clients_.size();
  const auto queries = run_.due(now, std::min<size_t>(out_.size(), client.flights.room()));
  if (queries.empty()) return;
  const uint16_t first = client.flights.next_id();
  for (size_t i = 0; i < queries.size(); ++i) fill(i, static_cast<uint16_t>(first + i), queries[i]);
  const int sent =
      sendmmsg(client.socket.get(), out_.headers.data(), static_cast<unsigned>(queries.size()), 0);
  if (sent < 0) {
    run_.result().refused += errno == ECONNREFUSED;
    return;
  }
  run_.departed(client.flights, static_cast<size_t>(sent), now);
}

void UdpChannel::receive(Duration at_most) {
  std::array<epoll_event, 64> ready;
  const int milliseconds = static_cast<int>(at_most / std::chrono::milliseconds(1));
  const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), milliseconds);
  for (int i = 0; i < count; ++i) receive_from(clients_[ready[i].data.u32]);
}

void UdpChannel::receive_from(Client& client) {
  const int got = recvmmsg(client.socket.get(), in_.headers.data(), in_.size(), MSG_DONTWAIT, nullptr);
  if (got < 0) {
    run_.result().refused += errno == ECONNREFUSED;
    return;
  }
  const Instant now = clock_.precise();
  for (int i = 0; i < got; ++i) {
    run_.arrived(client.flights, Bytes(in_.slot(i), in_.headers[i].msg_len), now);
  }
}

void UdpChannel::keep_house(Instant now) {
  for (Client& client : clients_) run_.expire(client.flights, now);
}

}  // namespace

std::unique_ptr<Channel> make_udp_channel(LoadRun& run, Clock& clock) {
  return std::make_unique<UdpChannel>(run, clock);
}

}  // namespace peregrine
