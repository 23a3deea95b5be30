// Tables whose keys anybody may choose are bounded: where one is full, the older half of it goes at once, so
// that making room costs little for each entry that comes.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "base/clock.h"

namespace peregrine {

// Takes out the entries whose time is not after the middle one. `time_of` tells an entry's by its value. The
// table is not empty.
template <class Key, class Value, class TimeOf>
void forget_older_half(std::map<Key, Value>& table, TimeOf time_of) {
  std::vector<Instant> times;
  times.reserve(table.size());
  for (const auto& [key, value] : table) times.push_back(time_of(value));
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  std::erase_if(table, [&](const auto& entry) { return time_of(entry.second) <= *middle; });
}

}  // namespace peregrine
