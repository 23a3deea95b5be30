#include "zone/local_zones.h"

#include <algorithm>
#include <functional>

namespace peregrine {
namespace {

Dname apex_of(const std::shared_ptr<const Zone>& zone) { return zone->apex(); }
bool before(Dname a, Dname b) { return canonical_compare(a, b) < 0; }

}  // namespace

LocalZones::LocalZones(std::vector<std::shared_ptr<const Zone>> zones) : zones_(std::move(zones)) {
  std::ranges::sort(zones_, before, apex_of);
  for (const auto& zone : zones_) label_counts_.push_back(zone->apex().label_count());
  std::ranges::sort(label_counts_, std::greater());
  const auto repeated = std::ranges::unique(label_counts_);
  label_counts_.erase(repeated.begin(), repeated.end());
}

const Zone* LocalZones::find(Dname qname, Type qtype) const {
  if (zones_.empty()) return nullptr;
  if (qtype == Type::ds && qname.is_root()) return nullptr;
  const Dname name = qtype == Type::ds ? qname.parent() : qname;
  const unsigned labels = name.label_count();
  for (const unsigned count : label_counts_) {
    if (count > labels) continue;
    const Dname suffix = name.suffix(count);
    const auto found = std::ranges::lower_bound(zones_, suffix, before, apex_of);
    if (found != zones_.end() && (*found)->apex() == suffix) return found->get();
  }
  return nullptr;
}

}  // namespace peregrine
