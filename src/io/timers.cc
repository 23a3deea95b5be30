#include "io/timers.h"

#include <algorithm>
#include <bit>

namespace peregrine {
namespace {

// A timer's tick is its deadline in milliseconds since the start, rounded up. It stands at the level of the
// highest octet in which its tick differs from the wheel's, in the slot that this octet names. So all that a
// slot of a higher level holds moves down at once when the wheel gets there, before anything is armed into
// the slots below: that keeps the order of arming. A tick that differs above the highest level (49 days)
// waits in slot 0 of that level, which no other timer can use, and is placed again when the wheel has gone
// around.
using detail::TimerLink;

constexpr Duration grain = std::chrono::milliseconds(1);

void append(TimerLink& list, TimerLink& item) {
  item.prev = list.prev;
  item.next = &list;
  list.prev->next = &item;
  list.prev = &item;
}

void remove(TimerLink& item) {
  item.prev->next = item.next;
  item.next->prev = item.prev;
  item.next = item.prev = &item;
}

bool empty(const TimerLink& list) { return list.next == &list; }

// Moves all of `from` to the empty list `to`.
void move_all(TimerLink& from, TimerLink& to) {
  if (empty(from)) return;
  to.next = from.next;
  to.prev = from.prev;
  to.next->prev = &to;
  to.prev->next = &to;
  from.next = from.prev = &from;
}

}  // namespace

Timer::~Timer() {
  if (timers_ != nullptr) timers_->disarm(*this);
}

Timers::Timers(Instant start) : start_(start) {}

Timers::~Timers() {
  auto clear = [this](Link& list) {
    while (!empty(list)) disarm(static_cast<Timer&>(*list.next));
  };
  for (auto& level : wheel_) std::ranges::for_each(level, clear);
  clear(overdue_);
}

uint64_t Timers::tick_of(Instant when) const {
  if (when <= start_) return 0;
  const Duration since = when - start_;
  return static_cast<uint64_t>(since / grain) + (since % grain != Duration{} ? 1 : 0);
}

void Timers::arm(Timer& timer, Instant when) {
  if (timer.timers_ != nullptr) timer.timers_->disarm(timer);
  timer.timers_ = this;
  timer.deadline_ = when;
  timer.tick_ = tick_of(when);
  ++armed_;
  if (timer.tick_ <= advancing_to_) {
    append(overdue_, timer);
  } else {
    place(timer);
  }
}

void Timers::disarm(Timer& timer) {
  if (timer.timers_ != this) return;
  unlink(timer);
  timer.timers_ = nullptr;
  --armed_;
}

void Timers::place(Timer& timer) {
  const uint64_t differing = timer.tick_ ^ tick_;
  unsigned level = differing == 0 ? 0 : (static_cast<unsigned>(std::bit_width(differing)) - 1) / slot_bits;
  unsigned slot = 0;
  if (level >= levels) {
    level = levels - 1;
  } else {
    slot = timer.tick_ >> level * slot_bits & (slots - 1);
  }
  append(wheel_[level][slot], timer);
  occupied_[level][slot / 64] |= uint64_t{1} << slot % 64;
}

void Timers::unlink(Timer& timer) {
  Link* const before = timer.prev;
  remove(timer);
  // What is left alone and lies within the wheel is the head of a slot that has become empty.
  Link* const first = wheel_.front().data();
  if (!empty(*before) || std::less<>{}(before, first) || !std::less<>{}(before, first + levels * slots))
    return;
  const auto index = static_cast<size_t>(before - first);
  occupied_[index / slots][index % slots / 64] &= ~(uint64_t{1} << index % 64);
}

void Timers::fire(Link& list) {
  while (!empty(list)) {
    auto& timer = static_cast<Timer&>(*list.next);
    disarm(timer);
    timer.on_fire_();
  }
}

std::optional<unsigned> Timers::next_slot(unsigned level, unsigned after) const {
  for (unsigned slot = after + 1; slot < slots; slot = (slot / 64 + 1) * 64) {
    const uint64_t word = occupied_[level][slot / 64] >> slot % 64;
    if (word != 0) return slot + static_cast<unsigned>(std::countr_zero(word));
  }
  return std::nullopt;
}

std::optional<Timers::Place> Timers::next_place() const {
  for (unsigned level = 0; level < levels; ++level) {
    const unsigned shift = level * slot_bits;
    const auto slot = next_slot(level, tick_ >> shift & (slots - 1));
    if (!slot) continue;
    const uint64_t round = tick_ >> shift >> slot_bits << slot_bits;
    return Place{level, *slot, (round | *slot) << shift};
  }
  constexpr unsigned all_bits = levels * slot_bits;
  if (!empty(wheel_[levels - 1][0])) return Place{levels - 1, 0, ((tick_ >> all_bits) + 1) << all_bits};
  return std::nullopt;
}

void Timers::take(const Place& at, Link& list) {
  move_all(wheel_[at.level][at.slot], list);
  occupied_[at.level][at.slot / 64] &= ~(uint64_t{1} << at.slot % 64);
}

void Timers::cascade(const Place& at) {
  Link list;
  take(at, list);
  while (!empty(list)) {
    auto& timer = static_cast<Timer&>(*list.next);
    remove(timer);
    place(timer);
  }
}

void Timers::advance(Instant now) {
  const uint64_t target = now <= start_ ? 0 : static_cast<uint64_t>((now - start_) / grain);
  advancing_to_ = std::max(tick_, target);
  Link due;
  move_all(overdue_, due);
  fire(due);
  for (auto next = next_place(); next && next->tick <= target; next = next_place()) {
    tick_ = next->tick;
    if (next->level > 0) cascade(*next);
    take({.level = 0, .slot = static_cast<unsigned>(tick_ & (slots - 1)), .tick = tick_}, due);
    fire(due);
  }
  tick_ = advancing_to_;
}

std::optional<Duration> Timers::until_next(Instant now) const {
  if (armed_ == 0) return std::nullopt;
  const auto next = next_place();
  if (!empty(overdue_) || !next) return Duration{0};
  const Instant due = start_ + static_cast<int64_t>(next->tick) * grain;
  return std::max(due - now, Duration{0});
}

Task<void> sleep_until(Timers& timers, Instant when) {
  Promise<bool> over;
  Timer timer([&over] { over.deliver(true); });
  timers.arm(timer, when);
  co_await over;
}

}  // namespace peregrine
