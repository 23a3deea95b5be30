// What everybody in a simulated run shares: virtual time, what is to happen in it, the trace and what was
// found wrong.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/random.h"
#include "io/timers.h"
#include "sim/trace.h"

namespace peregrine::sim {

// What is to happen in virtual time, in an order that is the same in every run.
class EventQueue {
 public:
  void at(Instant when, std::move_only_function<void()> action) { events_.emplace(when, std::move(action)); }
  std::optional<Instant> next() const {
    return events_.empty() ? std::nullopt : std::optional(events_.begin()->first);
  }
  void run_due(Instant now) {  // with those that come up meanwhile
    while (!events_.empty() && events_.begin()->first <= now) {
      auto event = events_.extract(events_.begin());
      event.mapped()();
    }
  }

 private:
  std::multimap<Instant, std::move_only_function<void()>> events_;
};

// Chances of a simulated world, all from one seed.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(Random::from_seed(seed)) {}
  bool percent(unsigned chance) { return random_.below(100) < chance; }
  uint32_t below(uint32_t bound) { return random_.below(bound); }
  uint32_t between(uint32_t least, uint32_t most) { return least + random_.below(most - least + 1); }
  Duration between(Duration least, Duration most) {
    return least +
           Duration(static_cast<int64_t>(random_.u64() % static_cast<uint64_t>((most - least).count() + 1)));
  }
  uint16_t u16() { return random_.u16(); }
  void fill(MutableBytes out) { random_.fill(out); }
  template <class T>
  const T& pick(std::span<const T> from) {
    return from[below(static_cast<uint32_t>(from.size()))];
  }

 private:
  Random random_;
};

struct Stage {
  explicit Stage(bool verbose) : trace(clock, verbose) {}

  // The first thing found wrong is kept.
  void found(std::string what) {
    trace.note("WRONG", what);
    if (!wrong) wrong = trace.time() + " " + std::move(what);
  }
  void after(Duration delay, std::move_only_function<void()> action) {
    events.at(clock.now() + delay, std::move(action));
  }

  VirtualClock clock;
  Timers timers{clock.now()};
  EventQueue events;
  Trace trace;
  std::optional<std::string> wrong;
};

}  // namespace peregrine::sim
