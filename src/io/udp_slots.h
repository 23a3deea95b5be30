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

// `count` buffers of `size` octets in one allocation, not zeroed. They stand an odd number of cache lines
// apart, so that the first lines of all slots do not compete for the same sets of the cache.
class SlotMemory {
 public:
  SlotMemory(size_t count, size_t size);
  uint8_t* slot(size_t index) const { return memory_.get() + index * stride_; }

 private:
  struct Free {
    void operator()(uint8_t* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  size_t stride_;
  std::unique_ptr<uint8_t, Free> memory_;
};

// The options within the bounds that the engines rely on.
UdpOptions checked(UdpOptions options);

// `batch` datagrams to receive into and as many to compose, each with its slot.
class Slots {
 public:
  explicit Slots(const UdpOptions& options);
  std::span<Datagram> received() { return std::span(datagrams_).first(batch_); }
  bool all_composed() const { return composed_ == batch_; }
  Datagram& compose(const PeerAddress& to, const LocalAddress& from);  // not when all_composed()
  std::span<Datagram> composed() { return std::span(datagrams_).subspan(batch_, composed_); }
  void forget_composed() { composed_ = 0; }

 private:
  size_t batch_;
  size_t composed_ = 0;
  SlotMemory memory_;
  std::vector<Datagram> datagrams_;
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

}  // namespace peregrine::detail
