#include "cache/arena_epochs.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

namespace peregrine {
namespace {

class ArenaEpochsTest : public testing::Test {
 protected:
  std::array<ArenaEpochs::Slot, 3> slots_{};
  ArenaEpochs epochs_{slots_};
};

TEST_F(ArenaEpochsTest, WithoutReadersEveryEpochHasPassed) { EXPECT_TRUE(epochs_.passed(epochs_.advance())); }

TEST_F(ArenaEpochsTest, WaitsForEachReaderToBeQuiet) {
  ArenaEpochs::Slot &one = epochs_.claim(), &other = epochs_.claim();
  epochs_.go_online(one);
  epochs_.go_online(other);
  const uint64_t epoch = epochs_.advance();
  EXPECT_FALSE(epochs_.passed(epoch));
  epochs_.quiet(one);
  EXPECT_FALSE(epochs_.passed(epoch));
  epochs_.quiet(other);
  EXPECT_TRUE(epochs_.passed(epoch));
  const uint64_t next = epochs_.advance();
  EXPECT_TRUE(epochs_.passed(epoch));
  EXPECT_FALSE(epochs_.passed(next));
}

TEST_F(ArenaEpochsTest, WaitsForNoneThatIsOffline) {
  ArenaEpochs::Slot &one = epochs_.claim(), &other = epochs_.claim();
  epochs_.go_online(one);
  const uint64_t epoch = epochs_.advance();
  EXPECT_FALSE(epochs_.passed(epoch));
  ArenaEpochs::go_offline(one);
  EXPECT_TRUE(epochs_.passed(epoch));
  epochs_.go_online(one);  // sees what was unlinked before
  EXPECT_TRUE(epochs_.passed(epoch));
  epochs_.go_online(other);
  EXPECT_FALSE(epochs_.passed(epochs_.advance()));
}

TEST_F(ArenaEpochsTest, SlotsAreBoundedAndUsedAgain) {
  ArenaEpochs::Slot& first = epochs_.claim();
  epochs_.claim();
  epochs_.claim();
  EXPECT_THROW(epochs_.claim(), std::runtime_error);
  epochs_.go_online(first);
  const uint64_t epoch = epochs_.advance();
  ArenaEpochs::give_back(first);
  EXPECT_TRUE(epochs_.passed(epoch));
  EXPECT_EQ(&epochs_.claim(), &first);
}

}  // namespace
}  // namespace peregrine
