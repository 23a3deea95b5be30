// One query to one server and the reply, blocking: for people at a terminal, not for the server.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/ip.h"

namespace peregrine {

struct QueryReply {
  std::vector<uint8_t> message;  // its id and question are the query's
  bool over_tcp = false;
  bool was_truncated = false;  // over UDP, so that TCP was asked
  unsigned ignored = 0;        // datagrams that were no reply to the query
  Duration time{};
};

// Over UDP, sent three times within the limit if need be, then over TCP if the reply is truncated; or at once
// over TCP. The error is one line: what is wrong, where, what to do.
std::expected<QueryReply, std::string> ask_server(const Endpoint& server, Bytes query, bool over_tcp,
                                                  Duration limit);

}  // namespace peregrine
