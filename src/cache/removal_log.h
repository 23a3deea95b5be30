// What was removed from a store and does not stand in its cache file yet.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/guarded.h"

namespace peregrine {

// A store adds, after the removal; who writes the file takes. Thread-safe. Bounded: past `most` it says
// "all".
class RemovalLog {
 public:
  static constexpr size_t most = 4096;

  struct Removals {
    std::vector<uint64_t> hashes;  // of keys
    bool all = false;              // of everything, whatever the hashes say
    bool empty() const { return hashes.empty() && !all; }
  };

  void removed(uint64_t hash) {
    auto waiting = waiting_.lock();
    if (waiting->all) return;
    if (waiting->hashes.size() == most) return add_all(*waiting);
    waiting->hashes.push_back(hash);
  }
  void removed_all() { add_all(*waiting_.lock()); }
  Removals take() { return std::exchange(*waiting_.lock(), {}); }

 private:
  static void add_all(Removals& removals) {
    removals.hashes.clear();
    removals.all = true;
  }

  Guarded<Removals> waiting_;
};

}  // namespace peregrine
