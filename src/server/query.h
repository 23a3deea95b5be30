// One client's query on its way through the stages of an answer.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "io/sessions.h"
#include "io/transport.h"
#include "io/udp.h"
#include "server/cookies.h"
#include "server/outcome.h"
#include "wire/message_view.h"

namespace peregrine {

// Whom to send a reply to; plain data, so that it outlives the datagram and need not keep a session alive.
struct ReplyAddress {
  PeerAddress peer;  // UDP
  LocalAddress local;
  SessionId session;  // streams
};

// A way back to clients: an engine or the sessions. One thread.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // `message` is copied or sent before this returns. `more`: another message of the same reply follows.
  virtual void send(const ReplyAddress& to, Bytes message, bool more) = 0;
  virtual void abandon(const ReplyAddress& to) = 0;  // there will be no reply
};

struct Responder {
  ReplySink* sink = nullptr;
  ReplyAddress to;
  void send(Bytes message, bool more = false) const { sink->send(to, message, more); }
  void abandon() const { sink->abandon(to); }
};

// What a query says about how it wants to be answered, taken from its octets once: the reply overwrites them.
struct QueryFields {
  Opcode opcode() const { return opcode_of(flags); }
  bool rd() const { return flags & HeaderBits::rd; }
  bool ad() const { return flags & HeaderBits::ad; }
  bool cd() const { return flags & HeaderBits::cd; }
  bool operator==(const QueryFields&) const = default;

  uint16_t flags = 0;  // HeaderBits
  bool has_edns = false, dnssec_ok = false;
  Cookie cookie;                        // the client's, then the reply's
  uint16_t limit = classic_udp_size;    // octets that the reply may have
  uint16_t question_end = header_size;  // the reply keeps the octets before it; header_size: no question
};

struct Query {
  uint16_t id = 0;
  QueryFields fields{};
  Question question{};  // in the receive buffer
  Transport transport = Transport::udp;
  uint16_t realm = 0;
  Instant received{};
  Outcome outcome{};
};

}  // namespace peregrine
