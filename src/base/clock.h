// Time as the data path sees it: read from the kernel once a batch, then a plain field.
#pragma once

#include <chrono>
#include <cstdint>

namespace peregrine {

using Duration = std::chrono::nanoseconds;

// Monotonic time. Its epoch means nothing; only differences do.
struct Monotonic {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};
using Instant = Monotonic::time_point;

// Seconds since 1970-01-01 UTC: what TTLs and expiry are counted in (they survive a restart).
using WallTime = std::chrono::sys_seconds;

// One per thread that needs time, not shared. now() and wall() are those of the last tick().
class Clock {
 public:
  virtual ~Clock() = default;
  Instant now() const { return now_; }
  WallTime wall() const { return wall_; }
  virtual void tick() = 0;        // brings now() and wall() up to date
  virtual Instant precise() = 0;  // now, by the nanosecond; leaves now() as it is

 protected:
  Instant now_{};
  WallTime wall_{};
};

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  SystemClock() { SystemClock::tick(); }
  void tick() override;
  Instant precise() override;
};

// Moves only when told: for tests and simulation.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(WallTime start = WallTime{std::chrono::seconds{1'700'000'000}});
  void tick() override {}
  Instant precise() override { return now_; }
  void advance(Duration by);   // by >= 0
  void advance_to(Instant t);  // never backward
  // As when an administrator sets the clock.
  void step_wall(std::chrono::seconds by) { wall_offset_ += by, wall_ += by; }

 private:
  WallTime start_;
  std::chrono::seconds wall_offset_{0};
};

}  // namespace peregrine
