#include "base/clock.h"

#include <ctime>

namespace peregrine {
namespace {

Duration read_clock(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::chrono::seconds{ts.tv_sec} + Duration{ts.tv_nsec};
}

}  // namespace

void SystemClock::tick() {
  now_ = Instant{read_clock(CLOCK_MONOTONIC)};
  wall_ = WallTime{std::chrono::floor<std::chrono::seconds>(read_clock(CLOCK_REALTIME))};
}

Instant SystemClock::precise() { return Instant{read_clock(CLOCK_MONOTONIC)}; }

VirtualClock::VirtualClock(WallTime start) : start_(start) { wall_ = start; }

void VirtualClock::advance(Duration by) { advance_to(now_ + by); }

void VirtualClock::advance_to(Instant t) {
  if (t <= now_) return;
  now_ = t;
  wall_ = start_ + wall_offset_ + std::chrono::floor<std::chrono::seconds>(now_.time_since_epoch());
}

}  // namespace peregrine
