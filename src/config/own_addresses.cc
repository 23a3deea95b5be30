#include "config/own_addresses.h"

#include <utility>

namespace peregrine {
namespace {

IpAddress loopback_of(Family family) {
  if (family == Family::v4) return IpAddress::v4({127, 0, 0, 1});
  return IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

}  // namespace

Endpoint wildcard_for(const Endpoint& at) {
  return {at.address.family() == Family::v4 ? IpAddress() : IpAddress::v6({}), at.port};
}

OwnAddresses::OwnAddresses(std::span<const ListenAddress> listen, IsLocal is_local)
    : is_local_(std::move(is_local)) {
  for (const ListenAddress& address : listen) listen_.insert(address.at);
}

std::optional<Endpoint> OwnAddresses::reached_by(const Endpoint& server) const {
  Endpoint to = server;
  // The kernel takes what is sent to the unspecified address to the loopback interface (ip(7)).
  if (to.address.is_unspecified()) to.address = loopback_of(to.address.family());
  if (listen_.contains(to)) return to;
  const Endpoint wildcard = wildcard_for(to);
  if (!listen_.contains(wildcard)) return std::nullopt;
  if (to.address.is_loopback() || (is_local_ && is_local_(to))) return wildcard;
  return std::nullopt;
}

std::string loop_error(std::string_view key, const Endpoint& server, const Endpoint& listen) {
  return "the " + std::string(key) + " server " + server.to_string() + " is our own server.listen address " +
         listen.to_string() + ": queries would go round in a loop";
}

std::vector<std::string> forwards_to_itself(const Config& config, OwnAddresses::IsLocal is_local) {
  const OwnAddresses ours(config.server.listen, std::move(is_local));
  std::vector<std::string> errors;
  const auto look_at = [&](std::string_view key, const ForwardZone& zone) {
    for (const Endpoint& server : zone.servers) {
      if (const auto listen = ours.reached_by(server)) errors.push_back(loop_error(key, server, *listen));
    }
  };
  for (const ForwardZone& zone : config.forward) look_at("forward", zone);
  for (const ForwardZone& zone : config.stub) look_at("stub", zone);
  return errors;
}

}  // namespace peregrine
