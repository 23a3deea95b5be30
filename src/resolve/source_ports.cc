#include "resolve/source_ports.h"

#include <algorithm>

namespace peregrine {
namespace {

constexpr uint32_t first_port = 1024;
constexpr uint32_t port_count = 65536 - first_port;
constexpr int open_attempts = 16;  // each may meet a port that is taken
constexpr int id_attempts = 64;
constexpr size_t places_per_draw = 16;

// Ports that daemons bind by number, often after us: while one of ours sits there, they cannot start.
constexpr uint16_t left_to_others[] = {
    1194,   // OpenVPN
    1701,   // L2TP
    1812,   // RADIUS
    1813,   // RADIUS accounting
    1900,   // SSDP
    2049,   // NFS
    3478,   // STUN, TURN
    3702,   // WS-Discovery
    3784,   // BFD
    4500,   // IPsec through NAT
    4789,   // VXLAN
    5060,   // SIP
    5351,   // NAT-PMP, PCP
    5353,   // mDNS
    5355,   // LLMNR
    6081,   // Geneve
    8472,   // VXLAN as Linux and flannel have it
    41641,  // Tailscale
    51820,  // WireGuard
};
static_assert(std::ranges::is_sorted(left_to_others));

}  // namespace

Result<> SourcePort::open(Network& network, Family family, uint16_t number) {
  auto port = network.open_udp(family, number, *this);
  if (!port) return std::unexpected(port.error());
  port_ = std::move(*port);
  return {};
}

Result<uint16_t> SourcePort::draw_id(const Endpoint& server, Random& random) const {
  for (int attempt = 0; attempt < id_attempts; ++attempt) {
    uint16_t id = random.u16();
    if (find(server, id) == nullptr) return id;
  }
  return std::unexpected(Error::limit);
}

void SourcePort::remove(const ReplyWaiter& waiter) { std::erase(waiters_, &waiter); }

Result<> SourcePort::send(const Endpoint& to, Bytes octets) {
  ++uses_;
  return port_->send(to, octets);
}

ReplyWaiter* SourcePort::find(const Endpoint& server, uint16_t id) const {
  auto found = std::ranges::find_if(
      waiters_, [&](const ReplyWaiter* w) { return w->id() == id && w->server() == server; });
  return found != waiters_.end() ? *found : nullptr;
}

void SourcePort::on_datagram(UdpPort&, const Endpoint& from, Bytes octets) {
  ReplyWaiter* waiter = octets.size() < 2 ? nullptr : find(from, load_u16(octets.data()));
  if (waiter == nullptr) return counters_.add(Counter::upstream_mismatched);
  waiter->on_reply(octets);  // this port may be gone afterwards
}

SourcePorts::SourcePorts(Network& network, Clock& clock, Random& random, Counters& counters, Options options)
    : network_(network),
      clock_(clock),
      random_(random),
      counters_(counters),
      options_(options),
      pool_(std::max(options.ports, 1u)) {}

Result<std::shared_ptr<SourcePort>> SourcePorts::draw() {
  give_up_idle();
  Place& place = pool_[random_.below(static_cast<uint32_t>(pool_.size()))];
  if (place.port && place.port->uses() < options_.uses) return use(place);
  auto fresh = open();
  if (fresh) place.port = std::move(*fresh);
  if (place.port) return use(place);
  Place* other = any_open();
  if (other == nullptr) return std::unexpected(fresh.error());
  return use(*other);
}

std::shared_ptr<SourcePort> SourcePorts::use(Place& place) {
  place.drawn = clock_.now();
  return place.port;
}

void SourcePorts::give_up_idle() {
  const Instant now = clock_.now();
  for (size_t looked = 0; looked < std::min(places_per_draw, pool_.size()); ++looked) {
    Place& place = pool_[next_to_look_at_];
    next_to_look_at_ = (next_to_look_at_ + 1) % pool_.size();
    if (place.port && now - place.drawn >= options_.idle) place.port.reset();
  }
}

Result<std::shared_ptr<SourcePort>> SourcePorts::open() {
  auto port = std::make_shared<SourcePort>(counters_);
  for (int attempt = 0; attempt < open_attempts; ++attempt) {
    auto number = static_cast<uint16_t>(first_port + random_.below(port_count));
    if (std::ranges::binary_search(left_to_others, number)) continue;
    auto opened = port->open(network_, options_.family, number);
    if (opened) return port;
    if (opened.error() != Error::network) return std::unexpected(opened.error());
  }
  return std::unexpected(Error::limit);
}

SourcePorts::Place* SourcePorts::any_open() {
  auto is_open = [](const Place& place) { return place.port != nullptr; };
  auto open = static_cast<uint32_t>(std::ranges::count_if(pool_, is_open));
  if (open == 0) return nullptr;
  uint32_t left = random_.below(open);
  return &*std::ranges::find_if(pool_, [&](const Place& place) { return is_open(place) && left-- == 0; });
}

}  // namespace peregrine
