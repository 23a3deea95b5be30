// The zones of one's own. Immutable once built; any number of threads may read.
#pragma once

#include <memory>
#include <vector>

#include "zone/zone.h"

namespace peregrine {

class LocalZones {
 public:
  explicit LocalZones(std::vector<std::shared_ptr<const Zone>> zones);  // no two of one apex

  // The one that answers the question: of those that hold the name, the deepest. A DS record is of the zone
  // above (RFC 4035 section 3.1.4.1). Null: none of ours.
  const Zone* find(Dname qname, Type qtype) const;
  const std::vector<std::shared_ptr<const Zone>>& zones() const { return zones_; }
  bool empty() const { return zones_.empty(); }

 private:
  std::vector<std::shared_ptr<const Zone>> zones_;  // in canonical order of their apexes
  std::vector<unsigned> label_counts_;              // that apexes have, most first
};

}  // namespace peregrine
