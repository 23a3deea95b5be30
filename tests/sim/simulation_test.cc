#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/runs.h"

namespace peregrine::sim {
namespace {

// What must have happened in many runs, so that they are worth something.
struct Sum {
  uint64_t answers = 0, negative = 0, failures = 0, cut_short = 0, rejected = 0, local = 0, hits = 0,
           joined = 0, tcp = 0, forgeries = 0, mismatched = 0, lost = 0, spoilt = 0, reloads = 0;
  void add(const Report& report) {
    answers += report.replies.true_answers;
    negative += report.replies.negative;
    failures += report.replies.failures;
    cut_short += report.replies.cut_short;
    rejected += report.replies.rejected;
    local += report.replies.local;
    hits += report.cache_hits;
    joined += report.joined;
    tcp += report.over_tcp;
    forgeries += report.internet.forgeries;
    mismatched += report.mismatched;
    lost += report.internet.lost;
    spoilt += report.internet.spoilt;
    reloads += report.reloads;
  }
};

TEST(Sim, SeededRuns) {
  if (const char* wanted = std::getenv("PEREGRINE_SIM_SEED")) {
    const uint64_t seed = std::strtoull(wanted, nullptr, 10);
    const Report report = Simulation(seed, {.verbose = true}).run();
    ASSERT_FALSE(report.wrong) << *report.wrong;
    return;
  }
  const uint64_t runs = std::getenv("PEREGRINE_SOAK") ? soak_runs : usual_runs;
  Sum sum;
  for (uint64_t seed = 1; seed <= runs; ++seed) {
    const Report report = Simulation(seed, {}).run();
    ASSERT_FALSE(report.wrong) << replay(seed) << "\n" << *report.wrong;
    sum.add(report);
  }
  for (uint64_t count :
       {sum.answers, sum.negative, sum.failures, sum.cut_short, sum.rejected, sum.local, sum.hits, sum.joined,
        sum.tcp, sum.forgeries, sum.mismatched, sum.lost, sum.spoilt, sum.reloads}) {
    EXPECT_GE(count, runs / 10);
  }
  EXPECT_LT(sum.failures, sum.answers) << "most questions are answered whatever happens";
}

TEST(Sim, SameSeedSameTrace) {
  for (uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
    const Report first = Simulation(seed, {}).run(), second = Simulation(seed, {}).run();
    EXPECT_EQ(first.trace_hash, second.trace_hash) << seed;
  }
  EXPECT_NE(Simulation(1, {}).run().trace_hash, Simulation(2, {}).run().trace_hash);
}

TEST(Sim, OracleSeesWhatAnInsiderForges) {
  const Report report = Simulation(1, {.weather = Weather::attack, .insider = true}).run();
  ASSERT_TRUE(report.wrong);
  EXPECT_NE(report.wrong->find("served a forged record"), std::string::npos) << *report.wrong;
}

TEST(Sim, NothingGoesWrongInClearWeather) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Report report = Simulation(seed, {.weather = Weather::clear}).run();
    ASSERT_FALSE(report.wrong) << *report.wrong;
    EXPECT_EQ(report.internet.lost + report.internet.spoilt, 0u);
  }
}

}  // namespace
}  // namespace peregrine::sim
