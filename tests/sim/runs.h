// How many seeds a simulation runs, and how to run one of them again.
#pragma once

#include <cstdint>
#include <string>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PEREGRINE_SLOW_RUNS 1
#endif
#endif

namespace peregrine::sim {

#ifdef PEREGRINE_SLOW_RUNS
constexpr uint64_t usual_runs = 200;
#else
constexpr uint64_t usual_runs = 1000;
#endif
constexpr uint64_t soak_runs = 100'000;

inline std::string replay(uint64_t seed) {
  const std::string number = std::to_string(seed);
  return "seed " + number + " failed: replay with PEREGRINE_SIM_SEED=" + number;
}

}  // namespace peregrine::sim
