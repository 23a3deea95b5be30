// A hierarchical timer wheel (Varghese and Lauck, 1987): arming and disarming cost O(1), firing has a grain
// of 1 ms. Driven by whoever has the clock: the Loop in a server, the test in simulation. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "io/task.h"

namespace peregrine {

class Timers;

namespace detail {
// A node of a circular list; alone it points to itself.
struct TimerLink {
  TimerLink() = default;
  TimerLink(const TimerLink&) = delete;
  TimerLink& operator=(const TimerLink&) = delete;
  TimerLink* next = this;
  TimerLink* prev = this;
};
}  // namespace detail

// A timer that its owner embeds. Not armed until Timers::arm; the destructor disarms. Does not move.
// on_fire may destroy its own timer, if it touches nothing of its own afterwards.
class Timer : private detail::TimerLink {
 public:
  explicit Timer(std::function<void()> on_fire) : on_fire_(std::move(on_fire)) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool armed() const { return timers_ != nullptr; }
  Instant deadline() const { return deadline_; }

 private:
  friend class Timers;
  std::function<void()> on_fire_;
  Instant deadline_{};
  uint64_t tick_ = 0;
  Timers* timers_ = nullptr;
};

class Timers {
 public:
  explicit Timers(Instant start);
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  // Fires at the first advance() to `when`, rounded up to the grain, or later: never before. Arming an armed
  // timer moves it.
  void arm(Timer& timer, Instant when);
  void disarm(Timer& timer);
  // Fires what is due, in order of deadline to the grain, equal ones in the order of arming. Callbacks may
  // arm and disarm at will, but not advance. What is armed for now or earlier, by them or by others, fires at
  // the next advance, before all else.
  void advance(Instant now);
  // How long until something may be due; nothing when no timer is armed. May be early, never late.
  std::optional<Duration> until_next(Instant now) const;
  size_t armed() const { return armed_; }

 private:
  using Link = detail::TimerLink;
  static constexpr unsigned levels = 4, slot_bits = 8, slots = 1u << slot_bits;
  struct Place {
    unsigned level, slot;
    uint64_t tick;  // when the wheel gets there
  };

  uint64_t tick_of(Instant when) const;
  void place(Timer& timer);
  void unlink(Timer& timer);
  void fire(Link& list);
  std::optional<unsigned> next_slot(unsigned level, unsigned after) const;
  std::optional<Place> next_place() const;
  void take(const Place& at, Link& list);
  void cascade(const Place& at);

  std::array<std::array<Link, slots>, levels> wheel_;
  std::array<std::array<uint64_t, slots / 64>, levels> occupied_{};
  Link overdue_;               // armed for a tick that was over already
  uint64_t tick_ = 0;          // milliseconds since start_ that are over
  uint64_t advancing_to_ = 0;  // tick_, or where a running advance() will end
  Instant start_;
  size_t armed_ = 0;
};

// Waits until `when`.
Task<void> sleep_until(Timers& timers, Instant when);

}  // namespace peregrine
