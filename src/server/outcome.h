// What became of a query, and the one place where that is made known.
#pragma once

#include <cstdint>
#include <optional>

#include "base/counters.h"
#include "base/histogram.h"
#include "base/ip.h"
#include "wire/message_view.h"

namespace peregrine {

// Where the answer came from.
enum class Source : uint8_t { none, cache, local, upstream, policy, error };

// What became of a query: for counters, logs and explanations.
struct Outcome {
  Source source = Source::none;
  Rcode rcode = Rcode::noerror;
  bool truncated = false;
  std::optional<Ede> ede{};
  std::optional<Endpoint> server{};   // the upstream that answered
  std::optional<Duration> latency{};  // measured only where the client had to wait
};

// Counts it; allocates nothing, waits for nothing. Logs and explanations of past queries would listen here.
void observe(const Outcome& outcome, Counters& counters, Histogram& latency);

// What the hit path answered, kept until its batch is done.
struct HitTally {
  uint64_t hits = 0, truncated = 0, servfail = 0;
  void add(MutableBytes reply) {  // at least a header
    constexpr unsigned tc_or_rcode = HeaderBits::tc | HeaderBits::rcode;
    ++hits;
    if (const unsigned flags = load_u16(&reply[2]) & tc_or_rcode; flags != 0) add_rare(flags);
  }

 private:
  void add_rare(unsigned flags) {
    truncated += (flags & HeaderBits::tc) != 0;
    servfail += (flags & HeaderBits::rcode) == static_cast<unsigned>(Rcode::servfail);
  }
};
void observe_hits(const HitTally& tally, Counters& counters);

}  // namespace peregrine
