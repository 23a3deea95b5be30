// A resolution from the root in this process, with a cache of its own that is empty: what a resolver does
// that knows nothing yet. Blocking: for people at a terminal.
#pragma once

#include <vector>

#include "server/explanation.h"

namespace peregrine {

struct RootTrace {
  DnameBuf qname;
  Type qtype = Type::a;
  bool dnssec_ok = false;
  Duration timeout = std::chrono::seconds(5);  // for all of it
  // The root's servers. Who gives them has a tree of his own: its servers may be at private addresses. Empty:
  // those of the Internet.
  std::vector<Endpoint> roots{};
  uint16_t port = 53;  // of all servers but these
};

// Throws std::system_error where the kernel gives no epoll.
Explanation trace_from_root(const RootTrace& wanted);

}  // namespace peregrine
