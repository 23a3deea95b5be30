// What can be asked of a running server over the control socket: one table.
//
// A request is {"command":"status"}; a reply {"ok":true,...} or {"ok":false,"error":"..."}. Before some
// replies come parts, which are objects without "ok".
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "server/server.h"

namespace peregrine {

// What a request is answered by.
struct ControlReply {
  // Called exactly once, on any thread.
  std::function<void(nlohmann::json)> done;
  // Lines that go before it, each with its newline. Waits until the ones before are taken: not on the thread
  // of Server::run(). False where nobody is there to take them: then done() has no effect either.
  std::function<bool(std::string lines)> part;
  void operator()(nlohmann::json reply) const;  // done()
};

struct ControlCommand {
  std::string_view name;
  std::string_view help;
  void (*run)(Server& server, const nlohmann::json& request, const ControlReply& reply);
};
std::span<const ControlCommand> control_commands();

// Reads one request, of any octets, and runs it. What is wrong with it is the reply. On the thread of
// Server::run().
void run_control_request(Server& server, std::string_view line, const ControlReply& reply);

}  // namespace peregrine
