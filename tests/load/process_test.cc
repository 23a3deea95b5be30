#include "load/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace peregrine {
namespace {

TEST(ProcessUse, OfThisProcess) {
  const auto before = process_use(getpid());
  ASSERT_TRUE(before);
  EXPECT_GT(before->cpu, Duration::zero());
  EXPECT_GT(before->rss_octets, 1u << 20);
  volatile unsigned work = 0;
  for (unsigned i = 0; i < 20'000'000; ++i) work = work + i;
  EXPECT_GT(process_use(getpid())->cpu, before->cpu);
}

TEST(ProcessUse, NothingWhereThereIsNoProcess) { EXPECT_FALSE(process_use(0x7fff'ffff)); }

}  // namespace
}  // namespace peregrine
