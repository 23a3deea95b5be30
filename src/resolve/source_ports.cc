#include "resolve/source_ports.h"

#include <algorithm>

namespace peregrine {
namespace {

constexpr uint32_t first_port = 1024;
constexpr uint32_t port_count = 65536 - first_port;
constexpr int open_attempts = 16;  // each may meet a port that is taken
constexpr int id_attempts = 64;

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

SourcePorts::SourcePorts(Network& network, Random& random, Counters& counters, Options options)
    : network_(network),
      random_(random),
      counters_(counters),
      options_(options),
      pool_(std::max(options.ports, 1u)) {}

Result<std::shared_ptr<SourcePort>> SourcePorts::draw() {
  auto& place = pool_[random_.below(static_cast<uint32_t>(pool_.size()))];
  if (place && place->uses() < options_.uses) return place;
  auto fresh = open();
  if (fresh) return place = std::move(*fresh);
  if (place) return place;
  auto other = any_open();
  if (!other) return std::unexpected(fresh.error());
  return other;
}

Result<std::shared_ptr<SourcePort>> SourcePorts::open() {
  auto port = std::make_shared<SourcePort>(counters_);
  for (int attempt = 0; attempt < open_attempts; ++attempt) {
    auto number = static_cast<uint16_t>(first_port + random_.below(port_count));
    auto opened = port->open(network_, options_.family, number);
    if (opened) return port;
    if (opened.error() != Error::network) return std::unexpected(opened.error());
  }
  return std::unexpected(Error::limit);
}

std::shared_ptr<SourcePort> SourcePorts::any_open() {
  auto is_open = [](const auto& place) { return place != nullptr; };
  auto open = static_cast<uint32_t>(std::ranges::count_if(pool_, is_open));
  if (open == 0) return nullptr;
  uint32_t left = random_.below(open);
  return *std::ranges::find_if(pool_, [&](const auto& place) { return place != nullptr && left-- == 0; });
}

}  // namespace peregrine
