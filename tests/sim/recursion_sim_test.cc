#include "sim/recursion_sim.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/runs.h"

namespace peregrine::sim {
namespace {

TEST(RecursionSim, SeededRuns) {
  if (const char* wanted = std::getenv("PEREGRINE_SIM_SEED")) {
    const RecursionReport report = RecursionSim(std::strtoull(wanted, nullptr, 10), true).run();
    ASSERT_FALSE(report.wrong) << *report.wrong;
    return;
  }
  const uint64_t runs = std::getenv("PEREGRINE_SOAK") ? soak_runs : usual_runs;
  RecursionReport sum{};
  for (uint64_t seed = 1; seed <= runs; ++seed) {
    const RecursionReport report = RecursionSim(seed).run();
    ASSERT_FALSE(report.wrong) << replay(seed) << "\n" << *report.wrong;
    sum.answers += report.answers;
    sum.denials += report.denials;
    sum.failures += report.failures;
    sum.from_cache += report.from_cache;
    sum.changes += report.changes;
    sum.spent += report.spent;
    sum.most_packets = std::max(sum.most_packets, report.most_packets);
    sum.over_tcp += report.over_tcp;
    sum.servers.lost += report.servers.lost;
    sum.servers.stuffed += report.servers.stuffed;
    sum.servers.ill += report.servers.ill;
  }
  // What must have happened in many runs, so that they are worth something.
  EXPECT_GE(sum.answers, runs);
  EXPECT_GE(sum.denials, runs);
  EXPECT_GE(sum.failures, runs / 10);
  EXPECT_GE(sum.from_cache, runs / 10);
  EXPECT_GE(sum.changes, runs / 10);
  EXPECT_GE(sum.over_tcp, runs);
  EXPECT_GE(sum.servers.lost, runs);
  EXPECT_GE(sum.servers.stuffed, runs);
  EXPECT_GE(sum.servers.ill, runs);
  EXPECT_LT(sum.failures, sum.answers);
  EXPECT_LE(sum.spent, 1 + runs / 100);
  EXPECT_LE(sum.most_packets, 100u);
}

TEST(RecursionSim, SameSeedSameTrace) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8})
    EXPECT_EQ(RecursionSim(seed).run().trace_hash, RecursionSim(seed).run().trace_hash) << seed;
  EXPECT_NE(RecursionSim(1).run().trace_hash, RecursionSim(2).run().trace_hash);
}

}  // namespace
}  // namespace peregrine::sim
