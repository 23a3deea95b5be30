// What the UDP engines share: slots, packet info, and which errors of sending mean what. Private to the room.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "io/udp.h"

namespace peregrine::detail {

// `count` slots of options.slot_size octets, each behind `lead` octets that are the engine's own; not zeroed.
// Pooled, they are in one allocation and stay with the engine; the first lines of neighbours stand an odd
// number of cache lines apart, so that those of all slots do not compete for the same sets of the cache.
class SlotMemory {
 public:
  SlotMemory(size_t count, const UdpOptions& options, size_t lead = 0);
  ~SlotMemory();
  SlotMemory(const SlotMemory&) = delete;
  SlotMemory& operator=(const SlotMemory&) = delete;
  bool pooled() const { return pooled_; }
  uint8_t* slot(size_t index) const { return slots_[index]; }
  // For a slot that was used: itself where they are pooled, else one in a new buffer.
  uint8_t* renew(size_t index);

 private:
  struct Free {
    void operator()(uint8_t* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  uint8_t* make() const;
  bool pooled_;
  size_t size_, lead_;
  std::unique_ptr<uint8_t, Free> run_;
  std::vector<uint8_t*> slots_;
};

// The options within the bounds that the engines rely on.
UdpOptions checked(UdpOptions options);

// `count` datagrams, each with its slot.
class SlotRow {
 public:
  SlotRow(size_t count, const UdpOptions& options);
  std::span<Datagram> datagrams() { return datagrams_; }
  // After the first `used` have served: nothing where slots are pooled.
  void renew(size_t used) {
    if (!memory_.pooled()) renew_each(used);
  }

 private:
  void renew_each(size_t used);
  SlotMemory memory_;
  std::vector<Datagram> datagrams_;
};

// Late answers of one flush(), at most options.batch.
class Composer {
 public:
  explicit Composer(const UdpOptions& options) : row_(options.batch, options) {}
  bool full() { return count_ == row_.datagrams().size(); }
  Datagram& compose(const PeerAddress& to, const LocalAddress& from);  // not when full()
  std::span<Datagram> composed() { return row_.datagrams().first(count_); }
  void clear() {
    row_.renew(count_);
    count_ = 0;
  }

 private:
  SlotRow row_;
  size_t count_ = 0;
};

// Room for one IP_PKTINFO or IPV6_PKTINFO message.
struct PacketInfo {
  static constexpr size_t capacity = CMSG_SPACE(sizeof(in6_pktinfo));
  alignas(cmsghdr) std::byte octets[capacity];
};
LocalAddress read_packet_info(const msghdr& message);
// Makes `message` leave from `from`, with `storage` to hold it; no control message where that is not known.
void write_packet_info(msghdr& message, PacketInfo& storage, const PeerAddress& to, const LocalAddress& from);

enum class SendFailure : uint8_t {
  none,
  again,     // interrupted
  full,      // the kernel takes no more for now
  this_one,  // this datagram cannot be sent; another one may
};
SendFailure classify_send(int error);

// Whether another attempt to receive is worth it: the socket had an error to tell, such as an ICMP message
// that an earlier datagram of ours caused (ip(7), IP_RECVERR), and is rid of it now. The datagrams that wait
// are not its victims.
bool was_pending_error(int error);
constexpr unsigned receive_attempts = 8;

}  // namespace peregrine::detail
