#include "server/outcome.h"

namespace peregrine {

void observe(const Outcome& outcome, Counters& counters, Histogram& latency) {
  counters.add(Counter::answers);
  if (outcome.source == Source::cache) counters.add(Counter::cache_hits);
  if (outcome.source == Source::local) counters.add(Counter::local_answers);
  if (outcome.source == Source::upstream) counters.add(Counter::upstream_answers);
  if (outcome.rcode == Rcode::servfail) counters.add(Counter::servfail);
  if (outcome.truncated) counters.add(Counter::truncated);
  if (outcome.latency) latency.record(*outcome.latency);
}

void observe_hits(const HitTally& tally, Counters& counters) {
  if (tally.hits == 0) return;
  counters.add(Counter::udp_queries, tally.hits);
  counters.add(Counter::answers, tally.hits);
  counters.add(Counter::cache_hits, tally.hits);
  if (tally.truncated != 0) counters.add(Counter::truncated, tally.truncated);
  if (tally.servfail != 0) counters.add(Counter::servfail, tally.servfail);
}

}  // namespace peregrine
