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

}  // namespace peregrine
