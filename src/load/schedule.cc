#include "load/schedule.h"

#include <cmath>

namespace peregrine {

Instant Schedule::due(uint64_t index) const {
  return start_ + Duration{std::llround(static_cast<double>(index) / per_second_ * 1e9)};
}

uint64_t Schedule::due_by(Instant now) const {
  if (now < start_) return 0;
  const double passed = static_cast<double>((now - start_).count());
  uint64_t count = static_cast<uint64_t>(passed * per_second_ / 1e9) + 1;
  // Rounding must not make a query due before due() says so, or after.
  while (count > 0 && due(count - 1) > now) --count;
  while (due(count) <= now) ++count;
  return count;
}

}  // namespace peregrine
