// UDP engines: how datagrams come from and go to the kernel, behind one concept.
//
//   auto batch = engine.receive();                   up to `batch` datagrams in pooled slots
//   for (Datagram& d : batch) ... engine.reply(d, n) the answer stands in the slot that the query came in
//   engine.flush();                                  sends; the slots are free again
//
// One thread. Slots are not zeroed; only the `size` octets that reply() or a composed datagram name are ever
// sent.
#pragma once

#include <netinet/in.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/ip.h"
#include "io/fd.h"

namespace peregrine {

// A socket address as the kernel writes it: no conversion on the way through.
struct PeerAddress {
  union {
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  PeerAddress() : v6{} {}
  explicit PeerAddress(const Endpoint& endpoint);
  socklen_t size() const { return generic.sa_family == AF_INET ? sizeof v4 : sizeof v6; }
  bool is_v4() const { return generic.sa_family == AF_INET; }
  const uint8_t* v4_octets() const { return reinterpret_cast<const uint8_t*>(&v4.sin_addr); }  // if is_v4()
  uint16_t port() const { return v4.sin_port; }  // in network order; it stands at the same place in IPv6
  // The address alone, in network order: 4 octets or 16.
  Bytes address_octets() const {
    return is_v4() ? Bytes(v4_octets(), 4) : Bytes(reinterpret_cast<const uint8_t*>(&v6.sin6_addr), 16);
  }
  Endpoint endpoint() const { return Endpoint::from_sockaddr(&generic); }
};

// Which of our addresses was asked: known, and needed for the reply, only on wildcard sockets.
struct LocalAddress {
  IpAddress address;
  uint32_t ifindex = 0;
  bool known = false;
};

struct Datagram {
  uint8_t* data = nullptr;  // the slot
  uint32_t size = 0;        // octets received, or to send
  uint32_t capacity = 0;    // octets of the slot
  PeerAddress peer;
  LocalAddress local;
  MutableBytes slot() const { return {data, capacity}; }
  Bytes received() const { return {data, size}; }
};

template <class E>
concept UdpEngine =
    requires(E engine, Datagram& datagram, size_t size, const PeerAddress& peer, const LocalAddress& local) {
      { engine.fd() } -> std::same_as<int>;  // to be watched for reading; -1: none
      {
        engine.receive()
      } -> std::same_as<std::span<Datagram>>;  // empty: nothing waits. Calls flush() first if need be
      { engine.reply(datagram, size) };        // datagram is one of the last receive()
      {
        engine.compose(peer, local)
      } -> std::same_as<Datagram&>;  // a free slot to write a late answer into; set its size. Unset: not sent
      { engine.flush() };            // EAGAIN, ENOBUFS: the rest is dropped and counted
    };

struct UdpOptions {
  unsigned batch = 32;  // datagrams in one receive(), 1..1024
  // Octets of a slot: a query of any legal size fits, and so does an answer of our largest UDP size.
  unsigned slot_size = 4096;
  bool wildcard = false;  // the socket listens on 0.0.0.0 or ::, so local addresses matter
  // Slots stay with the engine. Off: one that was used is freed and a new one allocated (the baseline).
  bool pooled_slots = true;
};

// recvfrom and sendto (recvmsg and sendmsg on wildcard sockets): the baseline.
class PlainEngine {
 public:
  PlainEngine(Fd socket, UdpOptions options, Counters& counters);
  ~PlainEngine();
  PlainEngine(PlainEngine&&) noexcept;
  int fd() const;
  std::span<Datagram> receive();
  void reply(Datagram& datagram, size_t size);
  Datagram& compose(const PeerAddress& to, const LocalAddress& from);
  void flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// recvmmsg and sendmmsg: two system calls a batch.
class MmsgEngine {
 public:
  MmsgEngine(Fd socket, UdpOptions options, Counters& counters);
  ~MmsgEngine();
  MmsgEngine(MmsgEngine&&) noexcept;
  int fd() const;
  std::span<Datagram> receive();
  void reply(Datagram& datagram, size_t size);
  Datagram& compose(const PeerAddress& to, const LocalAddress& from);
  void flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// No kernel: datagrams are delivered by a test and what is sent is handed to it. For tests and exact
// instruction counts.
class MemoryEngine {
 public:
  struct Sent {
    PeerAddress to;
    LocalAddress from;
    std::vector<uint8_t> octets;
  };
  MemoryEngine(UdpOptions options, Counters& counters);
  ~MemoryEngine();
  MemoryEngine(MemoryEngine&&) noexcept;
  int fd() const { return -1; }
  std::span<Datagram> receive();
  void reply(Datagram& datagram, size_t size);
  Datagram& compose(const PeerAddress& to, const LocalAddress& from);
  void flush();

  void deliver(const PeerAddress& from, Bytes octets, const LocalAddress& at = {});  // waits for receive()
  std::vector<Sent> take_sent();  // what was flushed since the last call
  void keep_sent(bool keep);      // false: flush() only counts (for benchmarks without allocation)
  uint64_t sent_count() const;    // since the beginning

 private:
  struct State;
  std::unique_ptr<State> state_;
};

static_assert(UdpEngine<PlainEngine> && UdpEngine<MmsgEngine> && UdpEngine<MemoryEngine>);

}  // namespace peregrine
