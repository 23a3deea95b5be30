// Questions that could not be answered, and for how long they are not asked again: 1 s, doubled by each
// failure in a row, at most 5 min (RFC 9520 section 3.2). One thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "wire/dname.h"
#include "wire/types.h"

namespace peregrine {

struct ResolutionFailure {
  Ede ede = Ede::other;
  std::string text;  // for people
};

class Failures {
 public:
  static constexpr size_t most_remembered = 4096;

  explicit Failures(const Clock& clock) : clock_(clock) {}

  // The failure that still holds; null: there is none. `flushes`: the cache's flush generation: what failed
  // before a flush may do better after it. The pointer is good until the next call.
  const ResolutionFailure* find(Dname name, Type type, uint64_t flushes) const;
  void remember(Dname name, Type type, uint64_t flushes, ResolutionFailure failure);
  // It has been answered.
  void forget(Dname name, Type type);
  size_t size() const { return table_.size(); }

 private:
  struct Key {
    DnameBuf name;
    Type type;
    bool operator<(const Key& other) const {
      return type != other.type ? type < other.type : canonical_compare(name, other.name) < 0;
    }
  };
  struct Entry {
    ResolutionFailure failure;
    unsigned in_a_row = 0;
    uint64_t flushes = 0;
    Instant until{};
  };

  const Clock& clock_;
  std::map<Key, Entry> table_;
};

}  // namespace peregrine
