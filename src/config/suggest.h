// How near two words are, for "did you mean".
#pragma once

#include <cstddef>
#include <string_view>

namespace peregrine {

// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps of
// two neighbours that turn `a` into `b`. Any number over `limit` stands for "further than that", and so it
// does for words of over 63 octets, which keeps the work small.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

}  // namespace peregrine
