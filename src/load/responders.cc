#include "load/responders.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <vector>

#include "io/udp.h"
#include "load/names.h"
#include "wire/message_writer.h"

namespace peregrine {
namespace {

constexpr int look_at_stop_ms = 100;

void wait_for_input(int fd) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  poll(&watched, 1, look_at_stop_ms);
}

// Receiving waits, but no longer than until `stop` is to be looked at.
void make_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  const timeval limit{.tv_sec = 0, .tv_usec = look_at_stop_ms * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

// Buffers and headers of one batch, set up once but for what the kernel changes.
struct EchoBatch {
  static constexpr size_t slot_size = 2048;

  EchoBatch(unsigned batch, unsigned extra)
      : extra_octets(extra), octets(batch * slot_size), peers(batch), vectors(batch), headers(batch) {
    for (size_t i = 0; i < batch; ++i) {
      vectors[i].iov_base = &octets[i * slot_size];
      headers[i].msg_hdr.msg_name = &peers[i];
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }

  int receive(int fd) {
    for (size_t i = 0; i < headers.size(); ++i) {
      vectors[i].iov_len = slot_size - extra_octets;
      headers[i].msg_hdr.msg_namelen = sizeof peers[i];
    }
    return recvmmsg(fd, headers.data(), static_cast<unsigned>(headers.size()), MSG_WAITFORONE, nullptr);
  }

  void send_back(int fd, int count) {
    for (int i = 0; i < count; ++i) {
      octets[i * slot_size + 2] |= 0x80;  // QR
      vectors[i].iov_len = headers[i].msg_len + extra_octets;
    }
    for (int at = 0; at < count;) {
      const int sent = sendmmsg(fd, &headers[at], static_cast<unsigned>(count - at), MSG_DONTWAIT);
      at += sent > 0 ? sent : 1;  // one that the kernel does not take is dropped, as UDP may
    }
  }

  size_t extra_octets;
  std::vector<uint8_t> octets;
  std::vector<sockaddr_storage> peers;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> headers;
};

// RFC 2308 section 3: with the zone's SOA, whose last field says for how long.
void deny(MessageWriter& writer, uint32_t ttl) {
  static const DnameBuf apex = DnameBuf::from_text("bench.example.").value();
  std::array<uint8_t, 128> buffer;
  ByteWriter soa(buffer);
  soa.put(apex.view().wire());  // MNAME
  soa.put(apex.view().wire());  // RNAME
  for (uint32_t number : {uint32_t{1}, uint32_t{3600}, uint32_t{600}, uint32_t{86'400}, ttl}) soa.u32(number);
  writer.rcode(Rcode::nxdomain);
  writer.rr(Section::authority, apex, Type::soa, Class::in, ttl, soa.written());
}

// The reply's size, 0 for none: written over the query in `slot`.
size_t answer(MutableBytes slot, size_t size, uint32_t ttl) {
  const auto view = MessageView::parse(slot.first(size));
  if (!view || view->header().qr() || !view->has_question()) return 0;
  const Question question = view->question();
  const DnameBuf qname(question.qname);
  std::array<uint8_t, 512> buffer;
  MessageWriter writer(buffer);
  writer.id(view->header().id());
  writer.qr(true);
  writer.rd(view->header().rd());
  writer.ra(true);
  writer.question(qname, question.qtype, question.qclass);
  if (is_denied(qname)) {
    deny(writer, ttl);
  } else if (question.qtype == Type::a && question.qclass == Class::in) {
    std::array<uint8_t, 4> address;
    store_u32(address.data(), address_of_name(qname));
    writer.rr(Section::answer, qname, Type::a, Class::in, ttl, address);
  }
  if (view->edns()) writer.edns({.dnssec_ok = view->edns()->dnssec_ok});
  std::memcpy(slot.data(), buffer.data(), writer.size());
  return writer.size();
}

}  // namespace

void run_echo(Fd socket, const ResponderOptions& options, const std::atomic<bool>& stop) {
  make_blocking(socket.get());
  EchoBatch batch(options.batch, options.extra);
  while (!stop.load(std::memory_order_relaxed)) {
    const int got = batch.receive(socket.get());
    if (got > 0) batch.send_back(socket.get(), got);
  }
}

void run_name_responder(Fd socket, const ResponderOptions& options, const std::atomic<bool>& stop) {
  Counters counters;
  MmsgEngine engine(std::move(socket), {.batch = options.batch}, counters);
  while (!stop.load(std::memory_order_relaxed)) {
    const auto batch = engine.receive();
    if (batch.empty()) wait_for_input(engine.fd());
    for (Datagram& datagram : batch) {
      const size_t size = answer(datagram.slot(), datagram.size, options.ttl);
      if (size != 0) engine.reply(datagram, size);
    }
    engine.flush();
  }
}

}  // namespace peregrine
