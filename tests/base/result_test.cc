#include "base/result.h"

#include <gtest/gtest.h>

#include <set>

namespace peregrine {
namespace {

TEST(Error, EachHasATextOfItsOwn) {
  std::set<std::string_view> texts;
  constexpr int last = static_cast<int>(Error::network);
  for (int i = 0; i <= last; ++i) EXPECT_TRUE(texts.insert(to_string(static_cast<Error>(i))).second) << i;
  EXPECT_FALSE(texts.contains("unknown error"));
  EXPECT_FALSE(texts.contains(""));
}

}  // namespace
}  // namespace peregrine
