#include "config/suggest.h"

#include <algorithm>
#include <array>

namespace peregrine {

size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  constexpr size_t longest = 63;
  const size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit || a.size() > longest || b.size() > longest) return limit + 1;
  // Three rows of the table are enough: a swap looks two rows back.
  std::array<std::array<size_t, longest + 1>, 3> table{};
  for (size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& row = table[i % 3];
    const auto& last = table[(i + 2) % 3];
    const auto& before_last = table[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return table[a.size() % 3][b.size()];
}

}  // namespace peregrine
