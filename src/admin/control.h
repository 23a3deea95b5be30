// The control socket of a running server: requests and replies of admin/commands.h, one line of JSON each.
#pragma once

#include <memory>
#include <string>

#include "server/server.h"

namespace peregrine {

inline constexpr size_t max_control_sessions = 16;

// Listens on control.sock in the server's state directory, on the server's loop: never in a worker's way.
// Made and destroyed on the thread of Server::run(), or while that is not running.
class ControlServer {
 public:
  // Where the socket cannot be opened, that is logged as a warning and the server does without.
  explicit ControlServer(Server& server);
  ~ControlServer();
  std::string path() const;  // empty: there is no socket

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace peregrine
