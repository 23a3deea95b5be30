#include "io/udp.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/udp_slots.h"

namespace peregrine {

PeerAddress::PeerAddress(const Endpoint& endpoint) : v6{} {
  sockaddr_storage storage{};
  const uint32_t length = endpoint.to_sockaddr(storage);
  std::memcpy(&v6, &storage, std::min<size_t>(length, sizeof v6));
}

namespace detail {
namespace {

constexpr size_t line = 64;

size_t odd_lines(size_t size) {
  const size_t lines = (size + line - 1) / line;
  return (lines | 1) * line;
}

bool is_multicast(const IpAddress& a) { return a.family() == Family::v6 && a.octets()[0] == 0xff; }

template <class Info>
Info info_of(const cmsghdr& header) {
  Info info;
  std::memcpy(&info, CMSG_DATA(&header), sizeof info);
  return info;
}

template <class Info>
void put_info(msghdr& message, PacketInfo& storage, int level, int type, const Info& info) {
  message.msg_control = storage.octets;
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

// ipi_spec_dst is an address of ours even where the datagram went to a broadcast address.
LocalAddress local_v4(const in_pktinfo& info) {
  std::array<uint8_t, 4> octets;
  std::memcpy(octets.data(), &info.ipi_spec_dst, octets.size());
  return {IpAddress::v4(octets), static_cast<uint32_t>(info.ipi_ifindex), true};
}

LocalAddress local_v6(const in6_pktinfo& info) {
  std::array<uint8_t, 16> octets;
  std::memcpy(octets.data(), &info.ipi6_addr, octets.size());
  const IpAddress address = IpAddress::v6(octets);
  return {address, info.ipi6_ifindex, !is_multicast(address)};
}

}  // namespace

SlotMemory::SlotMemory(size_t count, const UdpOptions& options, size_t lead)
    : pooled_(options.pooled_slots), size_(options.slot_size), lead_(lead), slots_(count) {
  if (!pooled_) {
    for (uint8_t*& slot : slots_) slot = make();
    return;
  }
  const size_t stride = odd_lines(lead_ + size_);
  run_.reset(static_cast<uint8_t*>(::operator new(count * stride, std::align_val_t{line})));
  for (size_t i = 0; i < count; ++i) slots_[i] = run_.get() + i * stride + lead_;
}

SlotMemory::~SlotMemory() {
  if (pooled_) return;
  for (uint8_t* slot : slots_) ::operator delete(slot - lead_);
}

uint8_t* SlotMemory::make() const { return static_cast<uint8_t*>(::operator new(lead_ + size_)) + lead_; }

uint8_t* SlotMemory::renew(size_t index) {
  if (pooled_) return slots_[index];
  ::operator delete(slots_[index] - lead_);
  return slots_[index] = make();
}

UdpOptions checked(UdpOptions options) {
  options.batch = std::clamp(options.batch, 1u, 1024u);
  options.slot_size = std::clamp(options.slot_size, 512u, 65536u);
  return options;
}

SlotRow::SlotRow(size_t count, const UdpOptions& options) : memory_(count, options), datagrams_(count) {
  for (size_t i = 0; i < count; ++i) {
    datagrams_[i].data = memory_.slot(i);
    datagrams_[i].capacity = options.slot_size;
  }
}

void SlotRow::renew_each(size_t used) {
  for (size_t i = 0; i < used; ++i) datagrams_[i].data = memory_.renew(i);
}

Datagram& Composer::compose(const PeerAddress& to, const LocalAddress& from) {
  Datagram& datagram = row_.datagrams()[count_++];
  datagram.size = 0;
  datagram.peer = to;
  datagram.local = from;
  return datagram;
}

LocalAddress read_packet_info(const msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&message), c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) return local_v4(info_of<in_pktinfo>(*c));
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
      return local_v6(info_of<in6_pktinfo>(*c));
  }
  return {};
}

void write_packet_info(msghdr& message, PacketInfo& storage, const PeerAddress& to,
                       const LocalAddress& from) {
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  const bool v4 = to.generic.sa_family == AF_INET;
  if (!from.known || (from.address.family() == Family::v4) != v4) return;
  const Bytes octets = from.address.octets();
  if (v4) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, octets.data(), octets.size());
    return put_info(message, storage, IPPROTO_IP, IP_PKTINFO, info);
  }
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, octets.data(), octets.size());
  // An interface would override the route; only a link-local address needs one.
  if (from.address.is_link_local()) info.ipi6_ifindex = from.ifindex;
  put_info(message, storage, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

SendFailure classify_send(int error) {
  if (error == 0) return SendFailure::none;
  if (error == EINTR) return SendFailure::again;
  if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM)
    return SendFailure::full;
  return SendFailure::this_one;
}

bool was_pending_error(int error) { return error != EAGAIN && error != EWOULDBLOCK; }

}  // namespace detail
}  // namespace peregrine
