// One question to one server and its true reply: random source port, random id, 0x20, every part of the reply
// checked (RFC 5452). A reply that does not match is counted and ignored: the true one may still come.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer_pool.h"
#include "base/counters.h"
#include "base/random.h"
#include "io/network.h"
#include "io/timers.h"
#include "wire/message_view.h"

namespace peregrine {

struct ExchangeOptions {
  unsigned sockets = 1024;  // per family, each opened on a random port when it is first drawn
  unsigned uses_per_socket =
      64;  // then it is replaced by one on a fresh port (closed once nothing waits on it)
  unsigned max_in_flight = 65'536;
};

// A query as it is to be sent: a message with one question, whose id and whose qname's letter case are chosen
// here.
struct OutgoingQuery {
  Buffer message;
  bool randomise_case = true;  // false: for servers that do not keep the case; a reply may have any
};

struct Reply {
  Buffer message;  // parses, and answers the question that was sent
  Duration rtt{};  // from the sending of the query, without the making of a connection
};

// Errors of an exchange: timeout; unreachable; limit: too many in flight, or no socket to be had; network:
// the kernel would not send; cancelled; bad_message.
class Exchange final {
 public:
  Exchange(Network& network, Clock& clock, Timers& timers, Random& random, Counters& counters,
           ExchangeOptions options);
  ~Exchange();  // nothing may be in flight: see cancel_all()

  // Over UDP. bad_message: a reply that matches in all but the letter case, that leaves out the question and
  // reports an error, or that matches and cannot be parsed: worth asking again over TCP, which cannot be
  // spoofed blindly.
  Task<Result<Reply>> udp(Endpoint server, OutgoingQuery query, Instant deadline);
  // Over TCP, one connection for it. An error may be reported without the question. bad_message: not the
  // answer to this question.
  Task<Result<Reply>> tcp(Endpoint server, OutgoingQuery query, Instant deadline);

  // All that wait, and all that come, end with Error::cancelled. A connection attempt is left to its Network,
  // which may outlive this.
  void cancel_all();
  Timers& timers();
  size_t in_flight() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace peregrine
