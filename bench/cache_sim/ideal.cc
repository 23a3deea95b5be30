#include "ideal.h"

#include <algorithm>
#include <deque>

namespace peregrine {

namespace {

// Runs a trace through a policy: touch(name) on a hit or a renewal, insert(name) where it is absent.
template <class Policy>
MissRatio run(const Trace& trace, Policy& policy) {
  MissRatio result;
  const Warmup warmup(trace);
  std::vector<uint32_t> expires(trace.names);
  double sum = 0;
  for (size_t i = 0; i < trace.requests.size(); ++i) {
    const uint32_t name = trace.requests[i], now = trace.time_of(i);
    const bool there = policy.has(name);
    const bool hit = there && now < expires[name];
    there ? policy.touch(name) : policy.insert(name);
    if (!hit) expires[name] = now + ttl_of(name);
    if (i < warmup.until) continue;
    ++result.requests;
    result.misses += !hit;
    sum += static_cast<double>(policy.entries());
  }
  result.entries = result.requests ? sum / static_cast<double>(result.requests) : 0;
  return result;
}

struct Unlimited {
  explicit Unlimited(uint32_t names) : there(names) {}
  bool has(uint32_t name) const { return there[name]; }
  void touch(uint32_t) {}
  void insert(uint32_t name) { there[name] = true, ++count; }
  size_t entries() const { return count; }
  std::vector<bool> there;
  size_t count = 0;
};

// A list through all names, with a sentinel behind the last.
class Lru {
 public:
  Lru(uint32_t names, uint64_t capacity, const Cost& cost)
      : links_(names + 1, {absent, absent}), end_(names), left_(capacity), cost_(cost) {
    links_[end_] = {end_, end_};
  }
  bool has(uint32_t name) const { return links_[name].newer != absent; }
  void touch(uint32_t name) {
    unlink(name);
    link(name);
  }
  void insert(uint32_t name) {
    const uint64_t cost = cost_(name);
    while (left_ < cost && links_[end_].newer != end_) evict(links_[end_].newer);
    if (left_ < cost) return;
    left_ -= cost;
    ++count_;
    link(name);
  }
  size_t entries() const { return count_; }

 private:
  static constexpr uint32_t absent = ~0u;
  struct Link {
    uint32_t newer, older;
  };
  void link(uint32_t name) {
    const uint32_t newest = links_[end_].older;
    links_[name] = {end_, newest};
    links_[newest].newer = name;
    links_[end_].older = name;
  }
  void unlink(uint32_t name) {
    const Link link = links_[name];
    links_[link.newer].older = link.older;
    links_[link.older].newer = link.newer;
  }
  void evict(uint32_t name) {
    unlink(name);
    links_[name] = {absent, absent};
    left_ += cost_(name);
    --count_;
  }
  std::vector<Link> links_;
  uint32_t end_;
  uint64_t left_;
  size_t count_ = 0;
  const Cost& cost_;
};

class S3Fifo {
 public:
  S3Fifo(uint32_t names, uint64_t capacity, const Cost& cost)
      : states_(names), capacity_(capacity), small_capacity_(capacity / 10), cost_(cost) {}
  bool has(uint32_t name) const { return states_[name].where == small || states_[name].where == main; }
  void touch(uint32_t name) {
    states_[name].frequency = static_cast<uint8_t>(std::min(states_[name].frequency + 1, 3));
  }
  void insert(uint32_t name) {
    const uint64_t cost = cost_(name);
    if (cost > capacity_) return;
    const bool known = states_[name].where == ghost;
    while (small_octets_ + main_octets_ + cost > capacity_) evict();
    states_[name] = {known ? main : small, 0};
    (known ? main_ : small_).push_back(name);
    (known ? main_octets_ : small_octets_) += cost;
  }
  size_t entries() const { return small_.size() + main_.size(); }

 private:
  enum Where : uint8_t { absent, small, main, ghost };
  struct State {
    Where where = absent;
    uint8_t frequency = 0;
  };
  void evict() {
    if (!small_.empty() && (small_octets_ > small_capacity_ || main_.empty())) return evict_small();
    evict_main();
  }
  void evict_small() {
    const uint32_t name = small_.front();
    small_.pop_front();
    small_octets_ -= cost_(name);
    if (states_[name].frequency > 1) {
      states_[name] = {main, 0};
      main_.push_back(name);
      main_octets_ += cost_(name);
      return;
    }
    states_[name] = {ghost, 0};
    ghosts_.push_back(name);
    while (ghosts_.size() > main_.size()) {
      const uint32_t oldest = ghosts_.front();
      ghosts_.pop_front();
      // One that came back meanwhile is no ghost; one that came and went again is forgotten early.
      if (states_[oldest].where == ghost) states_[oldest].where = absent;
    }
  }
  void evict_main() {
    while (true) {
      const uint32_t name = main_.front();
      main_.pop_front();
      if (states_[name].frequency > 0) {
        --states_[name].frequency;
        main_.push_back(name);
        continue;
      }
      main_octets_ -= cost_(name);
      states_[name] = {absent, 0};
      return;
    }
  }
  std::vector<State> states_;
  uint64_t capacity_, small_capacity_;
  uint64_t small_octets_ = 0, main_octets_ = 0;
  std::deque<uint32_t> small_, main_, ghosts_;
  const Cost& cost_;
};

}  // namespace

MissRatio unlimited(const Trace& trace) {
  Unlimited policy(trace.names);
  return run(trace, policy);
}

MissRatio ideal_lru(const Trace& trace, uint64_t capacity, const Cost& cost) {
  Lru policy(trace.names, capacity, cost);
  return run(trace, policy);
}

MissRatio ideal_s3_fifo(const Trace& trace, uint64_t capacity, const Cost& cost) {
  S3Fifo policy(trace.names, capacity, cost);
  return run(trace, policy);
}

}  // namespace peregrine
