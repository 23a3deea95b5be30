#include "resolve/minimiser.h"

#include <algorithm>

namespace peregrine {

Minimiser::Ask Minimiser::next(Dname zone) {
  const unsigned all = qname_.label_count();
  const Ask whole{.name = qname_, .type = qtype_, .whole = true};
  if (mode_ == Minimisation::off || queries_ == most_queries) return whole;
  shown_ = std::max(shown_, zone.label_count());
  if (shown_ >= all) return whole;
  const unsigned hidden = all - shown_;
  // One label at a time, then what is left in equal parts.
  const unsigned left = most_queries - queries_;
  const unsigned step = queries_ < one_label_queries ? 1 : std::max(1u, (hidden + left - 1) / left);
  ++queries_;
  asked_ = std::min(all, shown_ + step);
  // A label that begins with an underscore is no zone's in practice: it is shown with the one before it.
  while (asked_ < all && qname_.suffix(asked_).first_label().front() == '_') ++asked_;
  if (asked_ == all) return whole;
  return {.name = qname_.suffix(asked_), .type = Type::a, .whole = false};
}

}  // namespace peregrine
