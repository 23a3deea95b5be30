#include "load/load_run.h"

#include <algorithm>

namespace peregrine {

LoadRun::LoadRun(const LoadOptions& options, const Queries& queries, const Expectation& expectation,
                 LoadResult& result)
    : options_(options),
      queries_(queries),
      expectation_(expectation),
      result_(result),
      draw_(options.draw, queries.size()),
      pace_(options) {}

void LoadRun::start(Instant now) {
  start_ = stopped_ = last_reply_ = now;
  pace_.start(now);
}

bool LoadRun::is_over(Instant now) const {
  return (drawn_.empty() && draw_.is_through()) || pace_.is_over(now, under_way_.sent);
}

uint64_t LoadRun::unsent() const {
  return drawn_.empty() && draw_.is_through() ? 0 : pace_.unsent(under_way_.sent);
}

LoadProgress LoadRun::progress(Instant now) const {
  double done =
      std::chrono::duration<double>(now - start_) / std::chrono::duration<double>(options_.duration);
  if (options_.draw.order == Order::once) {
    done = std::max(done, static_cast<double>(under_way_.sent) / static_cast<double>(queries_.size()));
  }
  return {.done = std::min(done, 1.0), .answers = result_.answers()};
}

std::span<const Drawn> LoadRun::due(Instant now, size_t most) {
  const size_t wanted = std::min(pace_.allowance(now, under_way_), most);
  while (drawn_.size() < wanted) {
    const auto drawn = draw_.next();
    if (!drawn) break;
    drawn_.push_back(*drawn);
  }
  return std::span(drawn_).first(std::min(wanted, drawn_.size()));
}

void LoadRun::departed(Flights& flights, size_t count, Instant now) {
  for (size_t i = 0; i < count; ++i)
    flights.depart({pace_.counts_from(under_way_.sent + i, now), drawn_[i], now});
  under_way_.sent += count;
  under_way_.in_flight += count;
  result_.sent += count;
  drawn_.erase(drawn_.begin(), drawn_.begin() + static_cast<ptrdiff_t>(count));
}

void LoadRun::arrived(Flights& flights, Bytes reply, Instant now) {
  const auto flight = reply.size() < header_size ? std::nullopt : flights.arrive(load_u16(reply.data()));
  if (!flight) {
    ++result_.unexpected;
    return;
  }
  --under_way_.in_flight;
  last_reply_ = now;
  result_.latency.record(now - flight->due);
  result_.latency_sum += now - flight->due;
  ++result_.rcodes[reply[3] & 15];
  const Verdict verdict = expectation_.judge(reply, encode(flight->query), flight->query.index);
  ++result_.verdicts[static_cast<size_t>(verdict)];
  if (verdict == Verdict::right) result_.reply_octets += reply.size();
}

void LoadRun::expire(Flights& flights, Instant now) {
  const size_t lost = flights.expire(now - options_.timeout);
  under_way_.in_flight -= lost;
  result_.lost += lost;
}

void LoadRun::abandon(Flights& flights) {
  const size_t lost = flights.expire(Instant::max());
  under_way_.in_flight -= lost;
  result_.lost += lost;
}

}  // namespace peregrine
