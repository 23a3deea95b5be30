// What one worker has learned about servers, and the choice among them by it.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/ip.h"
#include "base/random.h"

namespace peregrine {

// Smoothed round-trip time and its variation (RFC 6298), failures, and what the server is known not to speak.
struct UpstreamHealth {
  Duration srtt{0};  // 0: not measured yet
  Duration rttvar{0};
  unsigned failures = 0;    // in a row; while it rests no more are counted
  unsigned useless = 0;     // replies in a row that did not help: SERVFAIL, REFUSED and the like
  Instant rest_until{};     // not chosen before, unless all rest
  Instant chosen_at{};      // when it was last among those to try
  bool probing = false;     // rested, and one query is out to see whether it is back
  Instant no_edns_until{};  // answered FORMERR or NOTIMP to EDNS
  Instant no_tcp_until{};   // refused a connection
  // How long to wait for its reply: srtt + 4 rttvar, 800 ms if unknown; doubled by a failure and again by a
  // second one, but not for a probe, which delays a client; and doubled as often at least as the request at
  // hand had no reply from it. Within [200 ms, 2 s], as the server may have to ask others first.
  Duration timeout(unsigned tries_before = 0) const;
  // What 19 of 20 replies keep to: srtt + 2 rttvar, not less than 20 ms; 150 ms if unknown.
  Duration mostly_within() const;
  bool in_good_order() const;  // it did nothing wrong lately
};

class Upstreams {
 public:
  Upstreams(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  // The servers to try, best first: those in good order by srtt, unmeasured ones before all; then those that
  // lately failed or gave useless replies; resting ones last. One in twenty times another one comes first,
  // and always, once, one whose rest is over. At most `most`.
  std::vector<Endpoint> order(std::span<const Endpoint> servers, size_t most);
  const UpstreamHealth& health(const Endpoint& server) { return table_[server]; }
  void answered(const Endpoint& server, Duration rtt);
  // A reply with an error: it lives, and may know other names better. Not rested, but others go first when it
  // does nothing else.
  void answered_uselessly(const Endpoint& server, Duration rtt);
  // No reply in time, no route, or none to this question: rests 1 s, 2 s, ... 60 s from the second failure in
  // a row on; then it is probed by one query.
  void failed(const Endpoint& server);
  void lacks_edns(const Endpoint& server);  // for ten minutes
  void lacks_tcp(const Endpoint& server);   // for ten minutes
  const std::map<Endpoint, UpstreamHealth>& table() const { return table_; }

 private:
  Clock& clock_;
  Random& random_;
  void make_room(size_t wanted);

  std::map<Endpoint, UpstreamHealth> table_;  // at most 16,384 and those of one call of order()
};

}  // namespace peregrine
