// What can be asked of a running server over the control socket: one table.
//
// A request is {"command":"status"}; a reply {"ok":true,...} or {"ok":false,"error":"..."}.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "server/server.h"

namespace peregrine {

// Called exactly once for a request, on any thread.
using ControlReply = std::function<void(nlohmann::json)>;

struct ControlCommand {
  std::string_view name;
  std::string_view help;
  void (*run)(Server& server, const ControlReply& reply);
};
std::span<const ControlCommand> control_commands();

// Reads one request, of any octets, and runs it. What is wrong with it is the reply. On the thread of
// Server::run().
void run_control_request(Server& server, std::string_view line, const ControlReply& reply);

}  // namespace peregrine
