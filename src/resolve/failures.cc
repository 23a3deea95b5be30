#include "resolve/failures.h"

#include <algorithm>
#include <functional>

#include "base/forget.h"

namespace peregrine {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest = 1s, longest = 5min;
constexpr unsigned most_doublings = 9;
static_assert(shortest * (1u << most_doublings) >= longest);

Duration length(unsigned in_a_row) {
  return std::min<Duration>(longest, shortest * (1u << std::min(in_a_row - 1, most_doublings)));
}

}  // namespace

const ResolutionFailure* Failures::find(Dname name, Type type, uint64_t flushes) const {
  const auto found = table_.find(Key{DnameBuf(name), type});
  if (found == table_.end() || found->second.flushes != flushes) return nullptr;
  return found->second.until > clock_.now() ? &found->second.failure : nullptr;
}

void Failures::remember(Dname name, Type type, uint64_t flushes, ResolutionFailure failure) {
  // Most of what ends first is over.
  if (table_.size() >= most_remembered) forget_older_half(table_, std::mem_fn(&Entry::until));
  Entry& entry = table_[Key{DnameBuf(name), type}];
  const Instant now = clock_.now();
  // Several that were under way at once are one failure; and what failed long ago says nothing of today.
  if (entry.until > now && entry.flushes == flushes) return;
  const bool in_a_row = entry.in_a_row > 0 && now - entry.until < 2 * length(entry.in_a_row);
  entry.in_a_row = in_a_row ? entry.in_a_row + 1 : 1;
  entry.failure = std::move(failure);
  entry.flushes = flushes;
  entry.until = now + length(entry.in_a_row);
}

void Failures::forget(Dname name, Type type) {
  if (!table_.empty()) table_.erase(Key{DnameBuf(name), type});
}

}  // namespace peregrine
