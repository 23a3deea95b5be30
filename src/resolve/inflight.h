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

// One worker's. Keys are those of the answer cache: everything that is sent upstream.
template <class Waiter>
class Inflight {
 public:
  explicit Inflight(InflightLimits limits) : limits_(limits) {}

  Joined join(const AnswerKey& key, Waiter waiter) {
    auto found = running_.find(key);
    if (found == running_.end()) {
      if (running_.size() >= limits_.resolutions) return Joined::too_many_resolutions;
      if (limits_.waiters == 0 || waiting_ >= limits_.total_waiters) return Joined::too_many_waiters;
      running_[key].push_back(std::move(waiter));
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
  std::vector<Waiter> finish(const AnswerKey& key) {
    auto node = running_.extract(key);
    if (!node) return {};
    waiting_ -= node.mapped().size();
    return std::move(node.mapped());
  }

  void limits(InflightLimits limits) { limits_ = limits; }
  size_t size() const { return running_.size(); }

 private:
  // By the keyed hash, so that clients cannot choose the tree's shape.
  struct ByHash {
    bool operator()(const AnswerKey& a, const AnswerKey& b) const {
      if (a.hash() != b.hash()) return a.hash() < b.hash();
      auto x = a.store_key().octets, y = b.store_key().octets;
      return std::ranges::lexicographical_compare(x, y);
    }
  };
  InflightLimits limits_;
  size_t waiting_ = 0;
  std::map<AnswerKey, std::vector<Waiter>, ByHash> running_;
};

}  // namespace peregrine
