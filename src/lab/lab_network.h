// A network of one's own in a user and network namespace (namespaces(7)): needs no privilege where the system
// lets users make namespaces.
#pragma once

#include <expected>
#include <span>
#include <string>

#include "base/ip.h"

namespace peregrine {

// Moves this process, which must have one thread, into a user, network and mount namespace of its own, as its
// root: what it starts is there too. The loopback is up, and all of `local` are addresses of this machine.
// Tried in a child first: where it cannot be done, nothing has changed, and the error is one line for people.
std::expected<void, std::string> enter_own_network(std::span<const Prefix> local);

// From now on whoever opens `at` in this process's mount namespace finds `file`.
std::expected<void, std::string> put_file_over(const std::string& file, const std::string& at);

}  // namespace peregrine
