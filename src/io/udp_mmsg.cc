#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "io/udp.h"
#include "io/udp_slots.h"

namespace peregrine {

namespace {

// All addresses of a socket are of its family, so that this length holds for every datagram in and out: the
// kernel leaves it as it is.
socklen_t name_size_of(int socket) {
  PeerAddress own;
  socklen_t length = sizeof own.v6;
  if (getsockname(socket, &own.generic, &length) != 0) return sizeof own.v6;
  return own.size();
}

}  // namespace

// The headers are filled in once; a batch sets only what the kernel or a reply changes.
struct MmsgEngine::State {
  State(Fd s, const UdpOptions& o, Counters& c);
  size_t receive_some();
  void read_local_addresses(std::span<Datagram> received);
  size_t drop_truncated(size_t count);
  void renew_slots();
  void queue(Datagram& datagram);

  Fd socket;
  UdpOptions options;
  Counters& counters;
  detail::SlotRow slots;
  size_t used = 0;  // slots of the last receive()
  detail::Composer late;
  std::vector<mmsghdr> in;  // one a receive slot
  std::vector<iovec> in_vectors;
  std::vector<detail::PacketInfo> in_info;
  std::vector<mmsghdr> out;  // in the order of queueing
  std::vector<iovec> out_vectors;
  std::vector<detail::PacketInfo> out_info;
  size_t queued = 0;
};

MmsgEngine::State::State(Fd s, const UdpOptions& o, Counters& c)
    : socket(std::move(s)),
      options(o),
      counters(c),
      slots(o.batch, o),
      late(o),
      in(o.batch),
      in_vectors(o.batch),
      in_info(o.wildcard ? o.batch : 0),
      out(size_t{o.batch} * 2),
      out_vectors(out.size()),
      out_info(o.wildcard ? out.size() : 0) {
  const auto received = slots.datagrams();
  const socklen_t name_size = name_size_of(socket.get());
  for (size_t i = 0; i < in.size(); ++i) {
    in_vectors[i] = {.iov_base = received[i].data, .iov_len = received[i].capacity};
    msghdr& header = in[i].msg_hdr;
    header.msg_iov = &in_vectors[i];
    header.msg_iovlen = 1;
    header.msg_name = &received[i].peer;
    header.msg_namelen = name_size;
    if (!options.wildcard) continue;
    header.msg_control = in_info[i].octets;
    header.msg_controllen = sizeof in_info[i].octets;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].msg_hdr.msg_namelen = name_size;
    out[i].msg_hdr.msg_iov = &out_vectors[i];
    out[i].msg_hdr.msg_iovlen = 1;
  }
}

void MmsgEngine::State::queue(Datagram& datagram) {
  msghdr& header = out[queued].msg_hdr;
  header.msg_name = &datagram.peer;
  out_vectors[queued] = {.iov_base = datagram.data, .iov_len = datagram.size};
  if (options.wildcard) detail::write_packet_info(header, out_info[queued], datagram.peer, datagram.local);
  ++queued;
}

MmsgEngine::MmsgEngine(Fd socket, UdpOptions options, Counters& counters)
    : state_(std::make_unique<State>(std::move(socket), detail::checked(options), counters)) {}
MmsgEngine::~MmsgEngine() = default;
MmsgEngine::MmsgEngine(MmsgEngine&&) noexcept = default;

int MmsgEngine::fd() const { return state_->socket.get(); }

size_t MmsgEngine::State::receive_some() {
  for (unsigned attempt = 0; attempt < detail::receive_attempts; ++attempt) {
    const int got = recvmmsg(socket.get(), in.data(), options.batch, MSG_DONTWAIT, nullptr);
    if (got >= 0) return static_cast<size_t>(got);
    if (!detail::was_pending_error(errno)) break;
  }
  return 0;
}

void MmsgEngine::State::read_local_addresses(std::span<Datagram> received) {
  for (size_t i = 0; i < received.size(); ++i) {
    received[i].local = detail::read_packet_info(in[i].msg_hdr);
    in[i].msg_hdr.msg_controllen = sizeof in_info[i].octets;
  }
}

// Whole datagrams move into the slots of those that were cut off. Rare, so that a copy does.
size_t MmsgEngine::State::drop_truncated(size_t count) {
  const auto received = slots.datagrams();
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    if ((in[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      counters.add(Counter::receive_truncated);
      continue;
    }
    if (i != kept) {
      Datagram& to = received[kept];
      uint8_t* const slot = to.data;
      std::memcpy(slot, received[i].data, received[i].size);
      to = received[i];
      to.data = slot;
    }
    ++kept;
  }
  return kept;
}

void MmsgEngine::State::renew_slots() {
  slots.renew(used);
  const auto datagrams = slots.datagrams().first(used);
  for (size_t i = 0; i < used; ++i) in_vectors[i].iov_base = datagrams[i].data;
}

std::span<Datagram> MmsgEngine::receive() {
  flush();
  State& s = *state_;
  if (!s.options.pooled_slots) s.renew_slots();
  s.used = s.receive_some();
  const auto received = s.slots.datagrams().first(s.used);
  if (s.options.wildcard) s.read_local_addresses(received);
  int flags = 0;
  for (size_t i = 0; i < received.size(); ++i) {
    received[i].size = s.in[i].msg_len;
    flags |= s.in[i].msg_hdr.msg_flags;
  }
  return (flags & MSG_TRUNC) == 0 ? received : received.first(s.drop_truncated(s.used));
}

void MmsgEngine::reply(Datagram& datagram, size_t size) {
  datagram.size = static_cast<uint32_t>(size);
  if (state_->queued < state_->options.batch) state_->queue(datagram);
}

Datagram& MmsgEngine::compose(const PeerAddress& to, const LocalAddress& from) {
  if (state_->late.full()) flush();
  return state_->late.compose(to, from);
}

void MmsgEngine::flush() {
  State& s = *state_;
  for (Datagram& datagram : s.late.composed()) {
    if (datagram.size > 0) s.queue(datagram);
  }
  const size_t count = std::exchange(s.queued, 0);
  bool again = false;
  for (size_t at = 0; at < count;) {
    const int sent = sendmmsg(s.socket.get(), &s.out[at], static_cast<unsigned>(count - at), MSG_DONTWAIT);
    if (sent > 0) {
      at += static_cast<size_t>(sent);
      again = false;
      continue;
    }
    const auto failure = detail::classify_send(errno);
    if (failure == detail::SendFailure::again) continue;
    if (failure == detail::SendFailure::full) {
      s.counters.add(Counter::send_dropped, count - at);
      break;
    }
    // The kernel stops at a datagram that it cannot send (no route, a filter); the others are not its
    // victims. The error may also be one that the socket had to tell of an earlier datagram: once more.
    again = !again;
    if (again) continue;
    s.counters.add(Counter::send_dropped);
    ++at;
  }
  s.late.clear();
}

}  // namespace peregrine
