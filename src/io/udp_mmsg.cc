#include <cerrno>
#include <utility>
#include <vector>

#include "io/udp.h"
#include "io/udp_slots.h"

namespace peregrine {

// The headers are filled in once; a batch sets only what the kernel or a reply changes.
struct MmsgEngine::State {
  State(Fd s, const UdpOptions& o, Counters& c);
  size_t drop_truncated(size_t count);
  void queue(Datagram& datagram);

  Fd socket;
  UdpOptions options;
  Counters& counters;
  detail::Slots slots;
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
      slots(o),
      in(o.batch),
      in_vectors(o.batch),
      in_info(o.wildcard ? o.batch : 0),
      out(size_t{o.batch} * 2),
      out_vectors(out.size()),
      out_info(o.wildcard ? out.size() : 0) {
  const auto received = slots.received();
  for (size_t i = 0; i < in.size(); ++i) {
    in_vectors[i] = {.iov_base = received[i].data, .iov_len = received[i].capacity};
    msghdr& header = in[i].msg_hdr;
    header.msg_iov = &in_vectors[i];
    header.msg_iovlen = 1;
    header.msg_name = &received[i].peer;
    header.msg_namelen = sizeof received[i].peer.v6;
    if (!options.wildcard) continue;
    header.msg_control = in_info[i].octets;
    header.msg_controllen = sizeof in_info[i].octets;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].msg_hdr.msg_iov = &out_vectors[i];
    out[i].msg_hdr.msg_iovlen = 1;
  }
}

void MmsgEngine::State::queue(Datagram& datagram) {
  msghdr& header = out[queued].msg_hdr;
  header.msg_name = &datagram.peer;
  header.msg_namelen = datagram.peer.size();
  out_vectors[queued] = {.iov_base = datagram.data, .iov_len = datagram.size};
  if (options.wildcard) detail::write_packet_info(header, out_info[queued], datagram.peer, datagram.local);
  ++queued;
}

MmsgEngine::MmsgEngine(Fd socket, UdpOptions options, Counters& counters)
    : state_(std::make_unique<State>(std::move(socket), detail::checked(options), counters)) {}
MmsgEngine::~MmsgEngine() = default;
MmsgEngine::MmsgEngine(MmsgEngine&&) noexcept = default;

int MmsgEngine::fd() const { return state_->socket.get(); }

// Datagrams that were cut off make room for whole ones: the two change slots, and the headers follow.
size_t MmsgEngine::State::drop_truncated(size_t count) {
  const auto received = slots.received();
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    if ((in[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      counters.add(Counter::receive_truncated);
      continue;
    }
    if (i != kept) {
      std::swap(received[i], received[kept]);
      in_vectors[i].iov_base = received[i].data;
      in_vectors[kept].iov_base = received[kept].data;
    }
    ++kept;
  }
  return kept;
}

std::span<Datagram> MmsgEngine::receive() {
  flush();
  State& s = *state_;
  const auto received = s.slots.received();
  const int got = recvmmsg(s.socket.get(), s.in.data(), s.options.batch, MSG_DONTWAIT, nullptr);
  if (got <= 0) return {};
  const auto count = static_cast<size_t>(got);
  bool truncated = false;
  for (size_t i = 0; i < count; ++i) {
    msghdr& header = s.in[i].msg_hdr;
    received[i].size = s.in[i].msg_len;
    header.msg_namelen = sizeof received[i].peer.v6;
    truncated |= (header.msg_flags & MSG_TRUNC) != 0;
    if (!s.options.wildcard) continue;
    received[i].local = detail::read_packet_info(header);
    header.msg_controllen = sizeof s.in_info[i].octets;
  }
  return received.first(truncated ? s.drop_truncated(count) : count);
}

void MmsgEngine::reply(Datagram& datagram, size_t size) {
  datagram.size = static_cast<uint32_t>(size);
  if (state_->queued < state_->options.batch) state_->queue(datagram);
}

Datagram& MmsgEngine::compose(const PeerAddress& to, const LocalAddress& from) {
  if (state_->slots.all_composed()) flush();
  return state_->slots.compose(to, from);
}

void MmsgEngine::flush() {
  State& s = *state_;
  for (Datagram& datagram : s.slots.composed()) {
    if (datagram.size > 0) s.queue(datagram);
  }
  s.slots.forget_composed();
  const size_t count = std::exchange(s.queued, 0);
  for (size_t at = 0; at < count;) {
    const int sent = sendmmsg(s.socket.get(), &s.out[at], static_cast<unsigned>(count - at), MSG_DONTWAIT);
    if (sent > 0) {
      at += static_cast<size_t>(sent);
      continue;
    }
    const auto failure = detail::classify_send(errno);
    if (failure == detail::SendFailure::again) continue;
    if (failure == detail::SendFailure::full) {
      s.counters.add(Counter::send_dropped, count - at);
      break;
    }
    // The kernel stops at a datagram that it cannot send (no route, a filter); the others are not its
    // victims.
    s.counters.add(Counter::send_dropped);
    ++at;
  }
}

}  // namespace peregrine
