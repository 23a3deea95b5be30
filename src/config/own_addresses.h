// Servers that are we ourselves: a query forwarded there would go round in a loop.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace peregrine {

// What takes the same port on every address of the family.
Endpoint wildcard_for(const Endpoint& at);

class OwnAddresses {
 public:
  // Tells whether an address is one of this host's: a wildcard address listens there too.
  using IsLocal = std::function<bool(const Endpoint&)>;
  // Without `is_local` only loopback addresses are known to be this host's, so that the outcome is the same
  // everywhere.
  explicit OwnAddresses(std::span<const ListenAddress> listen, IsLocal is_local = {});

  // The listening address that takes what is sent to `server`, if one does.
  std::optional<Endpoint> reached_by(const Endpoint& server) const;

 private:
  std::set<Endpoint> listen_;
  IsLocal is_local_;
};

// The message about a forward server that `listen`, an address of server.listen, takes queries to.
std::string loop_error(std::string_view key, const Endpoint& server, const Endpoint& listen);

// One message for each server of a [[forward]] or [[stub]] of `config` that is we ourselves.
std::vector<std::string> forwards_to_itself(const Config& config, OwnAddresses::IsLocal is_local = {});

}  // namespace peregrine
