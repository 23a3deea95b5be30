#include <cerrno>
#include <vector>

#include "io/udp.h"
#include "io/udp_slots.h"

namespace peregrine {

struct PlainEngine::State {
  State(Fd s, const UdpOptions& o, Counters& c)
      : socket(std::move(s)), options(o), counters(c), slots(o.batch, o), late(o) {
    outbox.reserve(size_t{o.batch} * 2);
  }
  ssize_t receive_one(Datagram& datagram, int& flags);
  int send_one(const Datagram& datagram);

  Fd socket;
  UdpOptions options;
  Counters& counters;
  detail::SlotRow slots;
  size_t used = 0;  // slots of the last receive()
  detail::Composer late;
  std::vector<const Datagram*> outbox;
};

// Where the length is all that tells of a datagram that did not fit: MSG_TRUNC makes recvfrom return the real
// one.
ssize_t PlainEngine::State::receive_one(Datagram& datagram, int& flags) {
  if (!options.wildcard) {
    socklen_t length = sizeof datagram.peer.v6;
    const ssize_t got = recvfrom(socket.get(), datagram.data, datagram.capacity, MSG_DONTWAIT | MSG_TRUNC,
                                 &datagram.peer.generic, &length);
    flags = got > static_cast<ssize_t>(datagram.capacity) ? MSG_TRUNC : 0;
    return got;
  }
  detail::PacketInfo info;
  iovec vector{.iov_base = datagram.data, .iov_len = datagram.capacity};
  msghdr message{};
  message.msg_name = &datagram.peer;
  message.msg_namelen = sizeof datagram.peer.v6;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = info.octets;
  message.msg_controllen = sizeof info.octets;
  const ssize_t got = recvmsg(socket.get(), &message, MSG_DONTWAIT);
  flags = message.msg_flags;
  if (got >= 0) datagram.local = detail::read_packet_info(message);
  return got;
}

int PlainEngine::State::send_one(const Datagram& datagram) {
  if (!options.wildcard) {
    const ssize_t sent = sendto(socket.get(), datagram.data, datagram.size, MSG_DONTWAIT,
                                &datagram.peer.generic, datagram.peer.size());
    return sent < 0 ? errno : 0;
  }
  detail::PacketInfo info;
  iovec vector{.iov_base = datagram.data, .iov_len = datagram.size};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(&datagram.peer.generic);
  message.msg_namelen = datagram.peer.size();
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  detail::write_packet_info(message, info, datagram.peer, datagram.local);
  return sendmsg(socket.get(), &message, MSG_DONTWAIT) < 0 ? errno : 0;
}

PlainEngine::PlainEngine(Fd socket, UdpOptions options, Counters& counters)
    : state_(std::make_unique<State>(std::move(socket), detail::checked(options), counters)) {}
PlainEngine::~PlainEngine() = default;
PlainEngine::PlainEngine(PlainEngine&&) noexcept = default;

int PlainEngine::fd() const { return state_->socket.get(); }

std::span<Datagram> PlainEngine::receive() {
  flush();
  State& s = *state_;
  s.slots.renew(s.used);
  s.used = 0;
  const auto slots = s.slots.datagrams();
  unsigned errors = 0;
  for (size_t tries = 0; tries < slots.size() && errors < detail::receive_attempts; ++tries) {
    Datagram& datagram = slots[s.used];
    int flags = 0;
    const ssize_t got = s.receive_one(datagram, flags);
    if (got < 0 && !detail::was_pending_error(errno)) break;
    if (got < 0) {
      ++errors;
      continue;
    }
    if ((flags & MSG_TRUNC) != 0) {
      s.counters.add(Counter::receive_truncated);
      continue;
    }
    datagram.size = static_cast<uint32_t>(got);
    ++s.used;
  }
  return slots.first(s.used);
}

void PlainEngine::reply(Datagram& datagram, size_t size) {
  datagram.size = static_cast<uint32_t>(size);
  if (state_->outbox.size() < state_->options.batch) state_->outbox.push_back(&datagram);
}

Datagram& PlainEngine::compose(const PeerAddress& to, const LocalAddress& from) {
  if (state_->late.full()) flush();
  return state_->late.compose(to, from);
}

void PlainEngine::flush() {
  State& s = *state_;
  auto& outbox = s.outbox;
  for (const Datagram& datagram : s.late.composed()) {
    if (datagram.size > 0) outbox.push_back(&datagram);
  }
  bool again = false;
  for (size_t at = 0; at < outbox.size();) {
    const auto failure = detail::classify_send(s.send_one(*outbox[at]));
    if (failure == detail::SendFailure::again) continue;
    if (failure == detail::SendFailure::full) {
      s.counters.add(Counter::send_dropped, outbox.size() - at);
      break;
    }
    again = failure == detail::SendFailure::this_one && !again;
    if (again) continue;
    if (failure == detail::SendFailure::this_one) s.counters.add(Counter::send_dropped);
    ++at;
  }
  outbox.clear();
  s.late.clear();
}

}  // namespace peregrine
