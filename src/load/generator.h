// The load generator: one thread sends queries over UDP and times the replies. Closed loop: `window` queries
// are under way at any time, which finds the most that a server can do. Open loop: queries are due at a fixed
// rate, which finds the latency.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "base/histogram.h"
#include "base/ip.h"
#include "load/check.h"
#include "load/draw.h"

namespace peregrine {

struct LoadOptions {
  Endpoint server{};
  Duration duration = std::chrono::seconds(5);  // of sending; order `once` may end before
  double rate = 0;                              // queries a second: open loop; 0: closed loop
  unsigned window = 256;                        // queries under way, closed loop
  unsigned sockets = 16;                        // each with a port of its own
  bool own_addresses =
      false;            // and an address: 127.1.0.1, 127.1.0.2, ...; the server must be on the IPv4 loopback
  unsigned batch = 32;  // datagrams a system call
  Duration timeout = std::chrono::seconds(1);  // without a reply for so long: lost
  Order order = Order::uniform;
  double zipf_exponent = 1.0;
  uint64_t seed = 1;
};

struct LoadResult {
  uint64_t sent = 0;
  uint64_t lost = 0;
  uint64_t unexpected = 0;  // replies to nothing: late, twice, or with a wrong id
  uint64_t refused = 0;     // sends or receives that an ICMP error failed: no server there
  std::array<uint64_t, verdict_count> verdicts{};
  std::array<uint64_t, 16> rcodes{};
  uint64_t reply_octets = 0;  // of the right ones
  Duration elapsed{};         // from the first query to the last sent or answered
  Histogram latency;          // of replies, right or wrong; open loop: from when the query was due

  uint64_t answers() const { return verdicts[static_cast<size_t>(Verdict::right)]; }
  uint64_t wrong() const;
  double rate() const;  // right answers a second
};

struct LoadProgress {
  double done = 0;  // of the run, 0..1
  uint64_t answers = 0;
  double rate = 0;  // of answers a second, since the last report
};

// Throws std::system_error where sockets cannot be had. `report` is called about ten times a second.
void run_load(const LoadOptions& options, const QueryList& queries, const Expectation& expectation,
              LoadResult& result, const std::function<void(const LoadProgress&)>& report = {});

}  // namespace peregrine
