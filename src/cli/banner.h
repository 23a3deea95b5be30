// What `peregrine serve` says when it has started.
#pragma once

#include <string>

#include "server/server.h"

namespace peregrine {

// Lines for people: where the server listens, what it forwards to, and a command to try.
std::string banner_text(const ServerStatus& status, const std::string& control_socket);

// What keeps names from being resolved, one line; empty if nothing does.
std::string missing_upstreams(const ServerStatus& status);

}  // namespace peregrine
