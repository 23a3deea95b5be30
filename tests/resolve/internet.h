// An Internet of a few zones on the scripted network: servers that answer from them as RFC 1034 says, and
// whoever is to lie is scripted beside them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "resolve/resolve_support.h"
#include "zone/zone.h"

namespace peregrine {

class Internet {
 public:
  explicit Internet(FakeNetwork& network) : network_(network) {}

  // The zone's records, "owner TTL type rdata" with names relative to the apex, at each of the addresses. A
  // server may have any number of zones; one of the same apex takes the place of the one before.
  void zone(std::string_view apex, const std::vector<std::string>& servers,
            const std::vector<std::string>& lines);
  // What a true server there says.
  Octets answer(const Endpoint& server, Bytes query) const;

  // The questions that reached a server, as "name TYPE", in their order; all servers' without an address.
  std::vector<std::string> asked(std::string_view server = {}) const;

 private:
  using Zones = std::vector<std::shared_ptr<Zone>>;
  FakeNetwork& network_;
  std::map<Endpoint, Zones> zones_;
};

}  // namespace peregrine
