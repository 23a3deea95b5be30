#include "load/pace.h"

#include <algorithm>

namespace peregrine {

Pace::Pace(const LoadOptions& options) : options_(options), schedule_(Instant{}, 1) {}

void Pace::start(Instant now) {
  start_ = now;
  if (options_.rate <= 0) return;
  schedule_ = Schedule(now, options_.rate);
  scheduled_ = schedule_.due_by(now + options_.duration - Duration{1});
}

size_t Pace::allowance(Instant now, const UnderWay& run) const {
  if (options_.rate > 0) return static_cast<size_t>(std::min(schedule_.due_by(now), scheduled_) - run.sent);
  const size_t free = options_.window - std::min<size_t>(run.in_flight, options_.window);
  // Half a batch at least: batches of one cost us the lead over the server.
  const size_t worthwhile = std::max(1U, std::min(options_.batch, options_.window) / 2);
  return free >= worthwhile ? free : 0;
}

Instant Pace::counts_from(uint64_t query, Instant now) const {
  return options_.rate > 0 ? schedule_.due(query) : now;
}

// An open loop sends all that is due within its duration, if late, for a timeout more: what a stall kept back
// is not left out, or told as unsent.
bool Pace::is_over(Instant now, uint64_t sent) const {
  const Instant end = start_ + options_.duration;
  if (options_.rate <= 0) return now >= end;
  return sent >= scheduled_ || now >= end + options_.timeout;
}

// A wait can be longer than asked for, so a short one is not begun.
Duration Pace::idle_time(Instant now, const UnderWay& run) const {
  if (options_.rate <= 0) return allowance(now, run) == 0 ? longest_wait : Duration::zero();
  const bool soon = schedule_.due(run.sent) - now < 2 * longest_wait;
  return soon ? Duration::zero() : longest_wait;
}

}  // namespace peregrine
