#include "resolve/upstreams.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "base/forget.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest_timeout = 200ms;
constexpr Duration longest_timeout = 2s;
constexpr Duration timeout_if_unknown = 800ms;
constexpr Duration soonest_hedge = 20ms;
constexpr Duration hedge_if_unknown = 150ms;
constexpr size_t most_remembered = 16'384;
constexpr unsigned most_doublings = 2;  // by failures
constexpr unsigned doublings_to_longest = 4;
static_assert(shortest_timeout * (1u << doublings_to_longest) >= longest_timeout);
constexpr Duration first_rest = 1s;
constexpr Duration longest_rest = 60s;
constexpr Duration capability_memory = 10min;
constexpr uint32_t explore_one_in = 20;
constexpr unsigned useless_limit = 8;  // in a row: fewer may be the names' fault

bool is_down(const UpstreamHealth& health) { return health.failures >= 2; }

// 2^(failures - 2) seconds.
Duration rest_after(unsigned failures) {
  unsigned doublings = std::min(failures - 2, 6u);
  return std::min(longest_rest, first_rest * (1u << doublings));
}

struct Candidate {
  Endpoint server;
  UpstreamHealth* health;
  bool resting;
  size_t index;  // as configured: decides between equals
  auto rank() const {
    return std::tuple(resting, resting ? health->rest_until : Instant{}, !health->in_good_order(),
                      health->srtt, index);
  }
};

void move_to_front(std::vector<Candidate>& candidates, size_t index) {
  auto first = candidates.begin();
  std::rotate(first, first + static_cast<std::ptrdiff_t>(index),
              first + static_cast<std::ptrdiff_t>(index) + 1);
}

void measured(UpstreamHealth& health, Duration rtt) {
  rtt = std::clamp<Duration>(rtt, 1us, 1min);
  if (health.srtt == Duration{0}) {
    health.srtt = rtt;
    health.rttvar = rtt / 2;
  } else {
    health.rttvar = (3 * health.rttvar + std::chrono::abs(health.srtt - rtt)) / 4;
    health.srtt = (7 * health.srtt + rtt) / 8;
  }
  health.failures = 0;
  health.probing = false;
  health.rest_until = {};
}

}  // namespace

Duration UpstreamHealth::timeout(unsigned tries_before) const {
  Duration base = srtt == Duration{0} ? timeout_if_unknown : std::max(shortest_timeout, srtt + 4 * rttvar);
  unsigned doublings = std::max(probing ? 0 : std::min(failures, most_doublings), tries_before);
  return std::min(longest_timeout, base * (1u << std::min(doublings, doublings_to_longest)));
}

Duration UpstreamHealth::mostly_within() const {
  return srtt == Duration{0} ? hedge_if_unknown : std::max<Duration>(soonest_hedge, srtt + 2 * rttvar);
}

bool UpstreamHealth::in_good_order() const { return failures == 0 && useless < useless_limit; }

// Anybody's zone may name servers: those that were not chosen for the longest time are forgotten.
void Upstreams::make_room(size_t wanted) {
  if (table_.size() + wanted <= most_remembered) return;
  forget_older_half(table_, std::mem_fn(&UpstreamHealth::chosen_at));
}

std::vector<Endpoint> Upstreams::order(std::span<const Endpoint> servers, size_t most) {
  const Instant now = clock_.now();
  make_room(servers.size());
  std::vector<Candidate> candidates;
  candidates.reserve(servers.size());
  for (const Endpoint& server : servers) {
    UpstreamHealth& health = table_[server];
    health.chosen_at = now;
    candidates.push_back({server, &health, is_down(health) && health.rest_until > now, candidates.size()});
  }
  std::ranges::sort(candidates, {}, &Candidate::rank);

  auto rested =
      std::ranges::find_if(candidates, [](const Candidate& c) { return !c.resting && is_down(*c.health); });
  auto resting = std::ranges::find(candidates, true, &Candidate::resting);
  auto awake = static_cast<uint32_t>(resting - candidates.begin());
  if (rested != candidates.end()) {
    rested->health->probing = true;
    rested->health->rest_until = now + longest_timeout;
    move_to_front(candidates, static_cast<size_t>(rested - candidates.begin()));
  } else if (awake > 1 && random_.one_in(explore_one_in)) {
    move_to_front(candidates, 1 + random_.below(awake - 1));
  }

  std::vector<Endpoint> best;
  for (const Candidate& candidate : candidates) {
    if (best.size() == most) break;
    best.push_back(candidate.server);
  }
  return best;
}

void Upstreams::answered(const Endpoint& server, Duration rtt) {
  UpstreamHealth& health = table_[server];
  measured(health, rtt);
  health.useless = 0;
}

void Upstreams::answered_uselessly(const Endpoint& server, Duration rtt) {
  UpstreamHealth& health = table_[server];
  measured(health, rtt);
  health.useless = std::min(health.useless + 1, useless_limit);
}

// Many queries may be out when a server stops to answer: together they are one failure, or it would rest for
// a minute at once.
void Upstreams::failed(const Endpoint& server) {
  UpstreamHealth& health = table_[server];
  const Instant now = clock_.now();
  if (health.rest_until > now && !health.probing) return;
  health.probing = false;
  ++health.failures;
  if (is_down(health)) health.rest_until = now + rest_after(health.failures);
}

void Upstreams::lacks_edns(const Endpoint& server) {
  table_[server].no_edns_until = clock_.now() + capability_memory;
}

void Upstreams::lacks_tcp(const Endpoint& server) {
  table_[server].no_tcp_until = clock_.now() + capability_memory;
}

}  // namespace peregrine
