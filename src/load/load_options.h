// What a run of the load generator is asked to do, and what it found.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/ip.h"
#include "io/transport.h"
#include "load/check.h"
#include "load/draw.h"

namespace peregrine {

struct LoadOptions {
  Endpoint server{};
  Transport transport = Transport::udp;
  Duration duration = std::chrono::seconds(5);  // of sending; order `once` may end before
  double rate = 0;                              // queries a second: open loop; 0: closed loop
  unsigned window = 256;                        // queries under way, closed loop
  unsigned sockets = 16;                        // each with a port of its own; over TCP, connections
  bool own_addresses =
      false;            // and an address: 127.1.0.1, 127.1.0.2, ...; the server must be on the IPv4 loopback
  unsigned batch = 32;  // datagrams a system call
  uint64_t queries_per_connection = 0;  // then it is closed and another opened; 0: as many as there are
  Duration timeout = std::chrono::seconds(1);  // without a reply for so long: lost
  DrawOptions draw{};
};

struct LoadResult {
  uint64_t sent = 0;
  uint64_t lost = 0;
  uint64_t unsent = 0;       // open loop: due, and still kept back a timeout after the end
  uint64_t unexpected = 0;   // replies to nothing: late, twice, or with a wrong id
  uint64_t refused = 0;      // sends, receives or connects that an error failed: no server there
  uint64_t connections = 0;  // opened, TCP
  uint64_t closed = 0;       // of these by the server; what was under way is lost
  std::array<uint64_t, verdict_count> verdicts{};
  std::array<uint64_t, 16> rcodes{};
  uint64_t reply_octets = 0;  // of the right ones
  Duration elapsed{};         // from the first query to the last sent or answered
  Histogram latency;          // of replies, right or wrong; open loop: from when the query was due
  Duration latency_sum{};

  uint64_t answers() const { return verdicts[static_cast<size_t>(Verdict::right)]; }
  uint64_t wrong() const;
  double rate() const;  // right answers a second
  Duration mean_latency() const;
};

struct LoadProgress {
  double done = 0;  // of the run, 0..1
  uint64_t answers = 0;
  double rate = 0;  // of answers a second, since the last report
};

}  // namespace peregrine
