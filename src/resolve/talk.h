// One question put to one server, whatever it takes: UDP; TCP where the reply is cut short or looks forged;
// without EDNS where that is not understood. What the server is known for is kept up to date.
#pragma once

#include <expected>

#include "resolve/exchange.h"
#include "resolve/trace.h"
#include "resolve/upstreams.h"

namespace peregrine {

// What a request may still cost. Shared by all that is done for it.
struct Budget {
  unsigned packets = 0;      // that may still be sent
  size_t octets = 1u << 20;  // of replies that may still be taken in
  Instant deadline{};
  bool spent(Instant now) const { return packets == 0 || octets == 0 || now >= deadline; }
};

enum class TalkFailure : uint8_t {
  useless,   // it replied, and will not reply better soon; or the budget is spent
  silent,    // it may reply to another try
  no_way,    // it will not reply to another try either
  shortage,  // of packets, time or sockets of our own: nothing is known of the server
  cancelled,
};

struct TalkQuestion {
  DnameBuf qname;
  Type qtype = Type::a;
  Class qclass = Class::in;
  bool recursion_desired = false;
  bool checking_disabled = false;
  bool dnssec_ok = false;
  bool randomise_case = true;
  uint16_t udp_size = 1232;
};

class Talk {
 public:
  struct Tools {
    Exchange& exchange;
    Upstreams& upstreams;
    Clock& clock;
  };
  // All outlive the talk. One packet is taken from the budget for each query. Each is a step at `place`.
  Talk(Tools tools, const TalkQuestion& question, Budget& budget, TracePlace place = {})
      : tools_(tools), question_(question), budget_(budget), place_(place) {}

  // The reply, which parses: not cut short, or over TCP. Its rcode may be any. `round`: how often this server
  // has been asked in vain.
  Task<std::expected<Reply, TalkFailure>> ask(Endpoint server, unsigned round);
  // Whether any server has replied at all.
  bool had_reply() const { return had_reply_; }
  // The step of the last query.
  TracePlace last_query() const { return last_query_; }

 private:
  bool spent() const { return budget_.spent(tools_.clock.now()); }
  Task<Result<Reply>> send(Endpoint server, unsigned round, bool edns, bool tcp);
  Instant patience(Endpoint server, unsigned round, bool tcp);
  Buffer query(bool edns) const;
  TracePlace trace(Endpoint server, bool tcp) const;
  void restore_case(Buffer& reply) const;
  enum class Why : uint8_t { not_needed, truncated, junk };  // TCP
  static TalkFailure without_tcp(Why tcp);
  TalkFailure give_up(Endpoint server, Error error, Why tcp);

  Tools tools_;
  const TalkQuestion& question_;
  Budget& budget_;
  TracePlace place_, last_query_;
  bool had_reply_ = false;
  bool hurried_ = false;  // the last wait was shorter than the server may take
};

}  // namespace peregrine
