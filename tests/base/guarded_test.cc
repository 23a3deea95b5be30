#include "base/guarded.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace peregrine {
namespace {

TEST(Guarded, ForwardsToTheConstructor) {
  Guarded<std::string> text(size_t{3}, 'x');
  EXPECT_EQ(*text.lock(), "xxx");
  text.lock()->append("y");
  EXPECT_EQ(*text.lock(), "xxxy");
}

TEST(Guarded, OneThreadAtATime) {
  constexpr int threads = 4, each = 5000;
  Guarded<int> sum(0);
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&sum] {
      for (int i = 0; i < each; ++i) ++*sum.lock();
    });
  }
  for (auto& thread : running) thread.join();
  EXPECT_EQ(*sum.lock(), threads * each);
}

}  // namespace
}  // namespace peregrine
