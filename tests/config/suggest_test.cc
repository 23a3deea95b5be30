#include "config/suggest.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

TEST(EditDistance, CountsEachKindOfSlipOnce) {
  EXPECT_EQ(edit_distance("workers", "workers", 3), 0u);
  EXPECT_EQ(edit_distance("worker", "workers", 3), 1u);
  EXPECT_EQ(edit_distance("workerss", "workers", 3), 1u);
  EXPECT_EQ(edit_distance("workars", "workers", 3), 1u);
  EXPECT_EQ(edit_distance("workres", "workers", 3), 1u);
  EXPECT_EQ(edit_distance("wrokres", "workers", 3), 2u);
}

TEST(EditDistance, OfTheEmptyWordIsTheLength) {
  EXPECT_EQ(edit_distance("", "", 3), 0u);
  EXPECT_EQ(edit_distance("", "abc", 3), 3u);
  EXPECT_EQ(edit_distance("abc", "", 3), 3u);
}

TEST(EditDistance, IsOverTheLimitForWordsOfVeryDifferentLength) {
  EXPECT_GT(edit_distance("a", "abcdef", 3), 3u);
  EXPECT_GT(edit_distance(std::string(100'000, 'a'), "abc", 3), 3u);
}

TEST(EditDistance, IsOverTheLimitForVeryLongWords) {
  EXPECT_EQ(edit_distance(std::string(63, 'a'), std::string(62, 'a'), 3), 1u);
  EXPECT_GT(edit_distance(std::string(64, 'a'), std::string(64, 'a'), 3), 3u);
}

TEST(EditDistance, IsSymmetric) {
  EXPECT_EQ(edit_distance("listen", "silent", 6), edit_distance("silent", "listen", 6));
  EXPECT_EQ(edit_distance("kitten", "sitting", 6), 3u);
}

}  // namespace
}  // namespace peregrine
