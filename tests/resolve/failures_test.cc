#include "resolve/failures.h"

#include <gtest/gtest.h>

#include "resolve/dns_script.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

class FailuresTest : public testing::Test {
 protected:
  void fail(uint64_t flushes = 0) {
    failures.remember(name("example."), Type::a, flushes, {Ede::network_error, "silent"});
  }
  bool holds(uint64_t flushes = 0) const { return failures.find(name("EXAMPLE."), Type::a, flushes); }
  VirtualClock clock;
  Failures failures{clock};
};

TEST_F(FailuresTest, HoldForASecond) {
  EXPECT_FALSE(holds());
  fail();
  ASSERT_TRUE(holds());
  EXPECT_EQ(failures.find(name("example."), Type::a, 0)->text, "silent");
  EXPECT_FALSE(failures.find(name("example."), Type::aaaa, 0));
  EXPECT_FALSE(failures.find(name("www.example."), Type::a, 0));
  clock.advance(999ms);
  EXPECT_TRUE(holds());
  clock.advance(1ms);
  EXPECT_FALSE(holds());
}

TEST_F(FailuresTest, HoldLongerInARowUpToFiveMinutes) {
  Duration length = 1s;
  for (int i = 0; i < 12; ++i) {
    fail();
    clock.advance(length - 1ms);
    EXPECT_TRUE(holds()) << i;
    clock.advance(1ms);
    EXPECT_FALSE(holds()) << i;
    length = std::min<Duration>(2 * length, 5min);
  }
}

TEST_F(FailuresTest, ManyAtOnceAreOne) {
  for (int i = 0; i < 100; ++i) fail();
  clock.advance(1s);
  EXPECT_FALSE(holds());
}

TEST_F(FailuresTest, LongAgoIsNotInARow) {
  fail();
  clock.advance(1min);
  fail();
  clock.advance(1s);
  EXPECT_FALSE(holds());
}

TEST_F(FailuresTest, EndWithAnAnswerAndWithAFlush) {
  fail();
  failures.forget(name("example."), Type::a);
  EXPECT_FALSE(holds());
  fail();
  EXPECT_FALSE(holds(1));
  fail(1);
  EXPECT_TRUE(holds(1));
}

TEST_F(FailuresTest, AreBounded) {
  for (size_t i = 0; i < 3 * Failures::most_remembered; ++i) {
    failures.remember(name("n" + std::to_string(i) + ".example."), Type::a, 0, {});
    clock.advance(1us);
  }
  EXPECT_LE(failures.size(), Failures::most_remembered);
  EXPECT_TRUE(
      failures.find(name("n" + std::to_string(3 * Failures::most_remembered - 1) + ".example."), Type::a, 0));
}

}  // namespace
}  // namespace peregrine
