// What names are resolved by, as fingerprints: who answers for each zone that the configuration names, and
// for all other names. Two configurations differ for a name where its fingerprints do.
#pragma once

#include <cstdint>
#include <map>

#include "resolve/forwarder.h"
#include "resolve/recursor.h"
#include "server/own_zones.h"

namespace peregrine {

class Sources {
 public:
  struct ByOrder {
    bool operator()(const DnameBuf& a, const DnameBuf& b) const { return canonical_compare(a, b) < 0; }
  };
  using Zones = std::map<DnameBuf, uint64_t, ByOrder>;

  // `recursion` may be null.
  Sources(const ForwardTable& forward, const RecursionTable* recursion, const OwnZones& own);
  explicit Sources(const ForwardTable& forward) : Sources(forward, nullptr, {}) {}

  uint64_t of(Dname name) const;  // the fingerprint of the deepest zone that holds it
  const Zones& zones() const { return zones_; }
  uint64_t elsewhere() const { return elsewhere_; }  // of names in none of them
  uint64_t fingerprint() const;                      // of all of them
  bool operator==(const Sources&) const = default;

 private:
  Zones zones_;
  uint64_t elsewhere_ = 0;  // names in none of them
};

}  // namespace peregrine
