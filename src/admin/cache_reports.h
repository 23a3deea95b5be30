// What a cache tells of itself and of its entries, as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cache/any_store.h"

namespace peregrine {

nlohmann::json report_store(const StoreStats& stats);

// One entry; null where its key cannot be read. Keys:
//   name, type; class, realm where they are not IN and 0
//   view: "answer", "rrset", "delegation", "denial"
//   flags: of an answer those of the query, "DO" and "CD", and its "AD"
//   rcode of an answer; credibility, security of an RRset
//   ttl_s (what is left, 0 at least), expired, age_s (-1: not known), octets (key and value), frequency (0-3)
nlohmann::json report_entry(const StoredEntry& entry, WallTime now);

// Sums over all entries: add() each, then report(). One thread.
class CacheCensus {
 public:
  explicit CacheCensus(WallTime now) : now_(now) {}
  void add(const StoredEntry& entry);
  // {"entries": .., "expired": .., "views": {"answer": .., ..}, "ages": [{"below_s": 60, "entries": ..}, ..,
  // {"below_s": null, ..}]}
  nlohmann::json report() const;

 private:
  static constexpr std::array<int64_t, 6> age_limits{60, 600, 3600, 21'600, 86'400, 604'800};  // seconds

  WallTime now_;
  uint64_t entries_ = 0, expired_ = 0;
  std::array<uint64_t, 4> views_{};
  std::array<uint64_t, age_limits.size() + 1> ages_{};
};

}  // namespace peregrine
