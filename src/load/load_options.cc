#include "load/load_options.h"

#include <numeric>

namespace peregrine {

uint64_t LoadResult::wrong() const {
  return std::accumulate(verdicts.begin(), verdicts.end(), uint64_t{0}) - answers();
}

double LoadResult::rate() const {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(answers()) / seconds : 0;
}

Duration LoadResult::mean_latency() const {
  const uint64_t replies = answers() + wrong();
  return replies == 0 ? Duration::zero() : latency_sum / static_cast<Duration::rep>(replies);
}

}  // namespace peregrine
