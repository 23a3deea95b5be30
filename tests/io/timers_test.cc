#include "io/timers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Instant start{1h};

struct Log {
  std::vector<std::string> fired;
  std::function<void()> add(std::string name) {
    return [this, name] { fired.push_back(name); };
  }
};

TEST(Timers, FiresAtItsDeadlineAndNotBefore) {
  Timers timers(start);
  Log log;
  Timer a(log.add("a"));
  timers.arm(a, start + 10ms);
  EXPECT_TRUE(a.armed());
  EXPECT_EQ(a.deadline(), start + 10ms);
  EXPECT_EQ(timers.armed(), 1u);
  timers.advance(start + 10ms - 1ns);
  EXPECT_TRUE(log.fired.empty());
  timers.advance(start + 10ms);
  EXPECT_THAT(log.fired, ElementsAre("a"));
  EXPECT_FALSE(a.armed());
  EXPECT_EQ(timers.armed(), 0u);
  timers.advance(start + 1h);
  EXPECT_EQ(log.fired.size(), 1u);
}

TEST(Timers, RoundsUpToItsGrain) {
  Timers timers(start);
  Log log;
  Timer a(log.add("a"));
  timers.arm(a, start + 1ms + 1ns);
  timers.advance(start + 1ms + 999us);
  EXPECT_TRUE(log.fired.empty());
  timers.advance(start + 2ms);
  EXPECT_EQ(log.fired.size(), 1u);
}

TEST(Timers, FiresInOrderOfDeadlineThenOfArming) {
  Timers timers(start);
  Log log;
  Timer a(log.add("a")), b(log.add("b")), c(log.add("c")), d(log.add("d")), e(log.add("e"));
  timers.arm(a, start + 70000ms);
  timers.arm(b, start + 300ms);
  timers.arm(c, start + 5ms);
  timers.arm(d, start + 300ms);
  timers.advance(start + 290ms);
  timers.arm(e, start + 300ms);  // by now the others stand in a slot of a lower level
  timers.advance(start + 24h);
  EXPECT_THAT(log.fired, ElementsAre("c", "b", "d", "e", "a"));
}

TEST(Timers, WhatIsArmedForThePastFiresAtTheNextAdvance) {
  Timers timers(start);
  Log log;
  Timer a(log.add("a")), b(log.add("b")), c(log.add("c"));
  timers.advance(start + 100ms);
  timers.arm(a, start + 100ms);
  timers.arm(b, start - 1h);
  timers.arm(c, Instant::min());
  EXPECT_EQ(timers.until_next(start + 100ms), 0ns);
  timers.advance(start + 100ms);
  EXPECT_THAT(log.fired, ElementsAre("a", "b", "c"));
}

TEST(Timers, WhatACallbackArmsForNowFiresAtTheNextAdvance) {
  Timers timers(start);
  int count = 0;
  Timer* self = nullptr;
  Timer again([&] {
    ++count;
    timers.arm(*self, start + 20ms);
  });
  self = &again;
  timers.arm(again, start + 10ms);
  timers.advance(start + 50ms);
  EXPECT_EQ(count, 1);
  timers.advance(start + 50ms);
  EXPECT_EQ(count, 2);
}

TEST(Timers, ACallbackMayDisarmOthersThatAreDue) {
  Timers timers(start);
  Log log;
  Timer b(log.add("b")), d(log.add("d"));
  Timer a([&] {
    log.fired.push_back("a");
    timers.disarm(b);
    timers.arm(d, start + 500ms);
  });
  Timer c(log.add("c"));
  timers.arm(a, start + 5ms);
  timers.arm(b, start + 5ms);
  timers.arm(c, start + 5ms);
  timers.arm(d, start + 5ms);
  timers.advance(start + 5ms);
  EXPECT_THAT(log.fired, ElementsAre("a", "c"));
  timers.advance(start + 500ms);
  EXPECT_THAT(log.fired, ElementsAre("a", "c", "d"));
}

TEST(Timers, ACallbackMayDestroyItsTimerAndOthers) {
  Timers timers(start);
  std::unique_ptr<Timer> a, b;
  int fired = 0;
  a = std::make_unique<Timer>([&] {
    ++fired;
    b.reset();
    a.reset();
  });
  b = std::make_unique<Timer>([&] { ++fired; });
  timers.arm(*a, start + 5ms);
  timers.arm(*b, start + 5ms);
  timers.advance(start + 5ms);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(timers.armed(), 0u);
}

TEST(Timers, ArmingAgainMoves) {
  Timers timers(start);
  Log log;
  Timer a(log.add("a"));
  timers.arm(a, start + 5ms);
  timers.arm(a, start + 5000ms);
  EXPECT_EQ(timers.armed(), 1u);
  timers.advance(start + 4999ms);
  EXPECT_TRUE(log.fired.empty());
  timers.arm(a, start + 4999ms);
  timers.advance(start + 5000ms);
  EXPECT_EQ(log.fired.size(), 1u);
}

TEST(Timers, TimersMayOutliveTheWheel) {
  Log log;
  Timer a(log.add("a")), b(log.add("b"));
  {
    Timers timers(start);
    timers.arm(a, start + 5ms);
    timers.arm(b, start);
  }
  EXPECT_FALSE(a.armed());
  EXPECT_FALSE(b.armed());
}

TEST(Timers, FarDeadlinesGoAroundTheWheel) {
  Timers timers(start);
  Log log;
  Timer near(log.add("near")), far(log.add("far")), never(log.add("never"));
  constexpr Duration around = 4294967296ms;  // 2^32
  timers.arm(never, Instant::max());
  timers.arm(far, start + 3 * around + 5ms);
  timers.arm(near, start + around + 300ms);
  timers.advance(start + around + 299ms);
  EXPECT_TRUE(log.fired.empty());
  timers.advance(start + around + 300ms);
  EXPECT_THAT(log.fired, ElementsAre("near"));
  timers.advance(start + 3 * around + 4ms);
  EXPECT_EQ(log.fired.size(), 1u);
  timers.advance(start + 3 * around + 5ms);
  EXPECT_THAT(log.fired, ElementsAre("near", "far"));
  EXPECT_TRUE(never.armed());
}

TEST(Timers, UntilNextIsNeverLateAndLeadsToTheDeadline) {
  for (const Duration delay : {Duration{1ms}, Duration{1500us}, Duration{255ms}, Duration{256ms},
                               Duration{70s}, Duration{5h}, Duration{24h * 40}, Duration{24h * 200}}) {
    Timers timers(start);
    bool fired = false;
    Timer a([&] { fired = true; });
    timers.arm(a, start + delay);
    Instant now = start;
    int steps = 0;
    while (!fired) {
      const auto wait = timers.until_next(now);
      ASSERT_TRUE(wait.has_value());
      ASSERT_LE(now + *wait, start + delay + 1ms);
      now += *wait;
      timers.advance(now);
      ASSERT_LT(++steps, 20);
    }
    EXPECT_GE(now, start + delay);
    EXPECT_EQ(timers.until_next(now), std::nullopt);
  }
}

TEST(Timers, DisarmedTimersCauseNoWait) {
  Timers timers(start);
  Timer a([] {}), b([] {});
  timers.arm(a, start + 5ms);
  timers.arm(b, start + 5s);
  timers.disarm(a);
  timers.disarm(a);
  EXPECT_GT(timers.until_next(start), 1s);
  timers.disarm(b);
  EXPECT_EQ(timers.until_next(start), std::nullopt);
}

// The wheel against the plainest thing that could work: a multimap from tick to timer.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(Random::from_seed(seed)), timers_(start) {
    for (size_t i = 0; i < 200; ++i) {
      timer_.emplace_back([this, i] { on_fire(i); });
      where_.push_back(due_.end());
    }
  }

  void step() {
    const uint32_t actions = random_.below(8);
    for (uint32_t i = 0; i < actions; ++i) act();
    const Instant before = now_;
    now_ += some_delay() / 2;
    if (const auto wait = timers_.until_next(before); wait && !due_.empty()) {
      ASSERT_LE(before + *wait, std::max(before, start + std::chrono::milliseconds(due_.begin()->first)));
    }
    horizon_ = floor_tick(now_);
    expected_.clear();
    // Overdue first, in the order of arming; then by tick. What is armed from now on waits for the next
    // advance.
    for (size_t i : overdue_) expected_.push_back(i);
    overdue_.clear();
    for (auto it = due_.begin(); it != due_.end() && it->first <= horizon_; ++it)
      expected_.push_back(it->second);
    next_ = 0;
    timers_.advance(now_);
    ASSERT_TRUE(ok_);
    ASSERT_EQ(next_, expected_.size());
    for (size_t i = 0; i < timer_.size(); ++i) ASSERT_EQ(timer_[i].armed(), is_armed(i));
  }

 private:
  static uint64_t floor_tick(Instant t) { return static_cast<uint64_t>((t - start) / 1ms); }
  static uint64_t ceil_tick(Instant t) {
    return t <= start
               ? 0
               : static_cast<uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(t - start).count());
  }

  Duration some_delay() {
    // All magnitudes alike, from less than a grain to past the whole wheel.
    const auto bits = random_.below(63 - 10) + 1;
    return Duration{static_cast<int64_t>(random_.u64() >> (64 - bits))};
  }

  bool is_armed(size_t i) const {
    return where_[i] != due_.end() || std::ranges::find(overdue_, i) != overdue_.end();
  }

  void forget(size_t i) {
    if (where_[i] != due_.end()) due_.erase(std::exchange(where_[i], due_.end()));
    std::erase(overdue_, i);
    // Within an advance it may be among those that are still to fire.
    for (size_t k = next_; k < expected_.size(); ++k) {
      if (expected_[k] == i) expected_.erase(expected_.begin() + static_cast<ptrdiff_t>(k)), --k;
    }
  }

  void act() {
    const size_t i = random_.below(static_cast<uint32_t>(timer_.size()));
    forget(i);
    if (random_.one_in(4)) return timers_.disarm(timer_[i]);
    const Instant when = random_.one_in(8) ? now_ - some_delay() / 4096 : now_ + some_delay();
    timers_.arm(timer_[i], when);
    if (ceil_tick(when) <= horizon_) {
      overdue_.push_back(i);
    } else {
      where_[i] = due_.emplace(ceil_tick(when), i);
    }
  }

  void on_fire(size_t i) {
    if (next_ >= expected_.size() || expected_[next_] != i) ok_ = false;
    ++next_;
    if (where_[i] != due_.end()) due_.erase(std::exchange(where_[i], due_.end()));
    for (uint32_t n = random_.below(3); n > 0; --n) act();
  }

  Random random_;
  Timers timers_;
  std::deque<Timer> timer_;
  std::multimap<uint64_t, size_t> due_;
  std::vector<std::multimap<uint64_t, size_t>::iterator> where_;
  std::vector<size_t> overdue_;
  std::vector<size_t> expected_;
  size_t next_ = 0;
  uint64_t horizon_ = 0;
  Instant now_ = start;
  bool ok_ = true;
};

TEST(Timers, BehavesLikeAMultimap) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Model model(seed);
    for (int i = 0; i < 500; ++i) {
      model.step();
      if (HasFatalFailure()) FAIL() << "seed " << seed << ", step " << i;
    }
  }
}

Task<void> sleeper(Timers& timers, Instant when, bool* over) {
  co_await sleep_until(timers, when);
  *over = true;
}

TEST(SleepUntil, EndsAtItsDeadline) {
  Timers timers(start);
  bool over = false;
  spawn(sleeper(timers, start + 3ms, &over));
  timers.advance(start + 2ms);
  EXPECT_FALSE(over);
  timers.advance(start + 3ms);
  EXPECT_TRUE(over);
  EXPECT_EQ(timers.armed(), 0u);
}

}  // namespace
}  // namespace peregrine
