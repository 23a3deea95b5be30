// Resolutions that are under way, and who waits for each: identical questions share one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "cache/answer.h"

namespace peregrine {

enum class Joined : uint8_t {
  first,                 // nobody asks this yet: the caller starts the resolution
  waiting,               // one is under way: the waiter was added to it
  too_many_resolutions,  // a cap was reached: the waiter was not taken
  too_many_waiters,
};

struct InflightLimits {
  size_t resolutions = 8192;
  size_t waiters = 1000;  // of one resolution
  size_t total_waiters =
      65'536;  // of all: bounds the memory, and the burst of replies when a dead server wakes
};

// One worker's. Keys are those of the answer cache, everything that is sent upstream, and an era: resolutions
// of one key and of two eras have nothing to do with each other.
template <class Waiter>
class Inflight {
 public:
  explicit Inflight(InflightLimits limits) : limits_(limits) {}

  Joined join(const AnswerKey& key, Waiter waiter, uint64_t era = 0) {
    const Running running{key, era};
    auto found = running_.find(running);
    if (found == running_.end()) {
      if (running_.size() >= limits_.resolutions) return Joined::too_many_resolutions;
      if (limits_.waiters == 0 || waiting_ >= limits_.total_waiters) return Joined::too_many_waiters;
      running_[running].push_back(std::move(waiter));
      ++waiting_;
      return Joined::first;
    }
    if (found->second.size() >= limits_.waiters || waiting_ >= limits_.total_waiters)
      return Joined::too_many_waiters;
    found->second.push_back(std::move(waiter));
    ++waiting_;
    return Joined::waiting;
  }

  // Ends it: those who waited, in the order in which they came.
  std::vector<Waiter> finish(const AnswerKey& key, uint64_t era = 0) {
    auto node = running_.extract(Running{key, era});
    if (!node) return {};
    waiting_ -= node.mapped().size();
    return std::move(node.mapped());
  }

  void limits(InflightLimits limits) { limits_ = limits; }
  size_t size() const { return running_.size(); }

 private:
  struct Running {
    AnswerKey key;
    uint64_t era;
  };
  // By the keyed hash, so that clients cannot choose the tree's shape.
  struct ByHash {
    bool operator()(const Running& a, const Running& b) const {
      if (a.key.hash() != b.key.hash()) return a.key.hash() < b.key.hash();
      if (a.era != b.era) return a.era < b.era;
      return std::ranges::lexicographical_compare(a.key.store_key().octets, b.key.store_key().octets);
    }
  };
  InflightLimits limits_;
  size_t waiting_ = 0;
  std::map<Running, std::vector<Waiter>, ByHash> running_;
};

}  // namespace peregrine
