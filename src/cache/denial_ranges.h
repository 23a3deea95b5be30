// What NSEC records say does not exist: for each zone an index of owner -> next name in canonical order, to
// answer from (RFC 8198) without asking. Here are only the ranges; the records that prove them are RRsets.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/guarded.h"
#include "cache/flush.h"
#include "wire/dname.h"

namespace peregrine {

// How a cache of `total` octets is shared out: ranges are held beside the store, and the two together never
// exceed the total. A 32nd goes to the ranges, 16 MiB at most: some hundred thousand of them.
struct CacheShares {
  uint64_t store;
  uint64_t denial_ranges;
};
constexpr CacheShares share_out_cache(uint64_t total) {
  constexpr uint64_t most = uint64_t{16} << 20;
  const uint64_t ranges = total / 32 < most ? total / 32 : most;
  return {.store = total - ranges, .denial_ranges = ranges};
}

struct DenialRange {
  DnameBuf owner;  // exists
  DnameBuf next;   // the next name that does: the apex behind the zone's last
  WallTime expires_at{};
};

struct DenialStats {
  uint64_t zones = 0, ranges = 0;
  uint64_t octets = 0;  // in use; <= capacity
  uint64_t capacity = 0;
  uint64_t evicted = 0, refused = 0;  // since the start
};

// Thread-safe: one lock, held for a look-up in two ordered maps. Bounded in octets, each allocation counted
// as glibc takes it. To make room the range goes that was used least recently; one zone takes at most a
// quarter of all and then pushes out its own, so that a large zone, or one whose owner means ill, keeps
// nobody else out.
class DenialRanges {
 public:
  explicit DenialRanges(uint64_t capacity) : state_(capacity) {}

  // Takes `next` for the name behind `owner` until `expires_at`. Ranges that contradict it go: those that
  // begin inside, and one that held `owner` for absent. False where it is no range of the zone (a name
  // outside of it, or an end before the beginning that is not the apex) or where it cannot be held.
  bool put(Dname zone, Dname owner, Dname next, WallTime expires_at);
  // The range that begins at `name` (which exists, then) or has it between its ends; expired ones are as if
  // they were not there. Whether `name` is below a delegation or a wildcard would answer is not looked at.
  std::optional<DenialRange> find(Dname zone, Dname name, WallTime now);
  // Forgets the ranges that begin or end at the target's names, or have its name between their ends.
  uint64_t flush(const FlushTarget& target);
  void clear();
  DenialStats stats();

 private:
  struct Before {
    using is_transparent = void;
    bool operator()(Dname a, Dname b) const { return canonical_compare(a, b) < 0; }
  };
  // A name on the heap, folded, in no more octets than it has.
  class Name {
   public:
    explicit Name(Dname name);
    operator Dname() const {  // NOLINT(google-explicit-constructor): a view of itself
      return Dname::from_checked({octets_.get(), size_});
    }

   private:
    std::unique_ptr<uint8_t[]> octets_;
    uint8_t size_;
  };
  struct Range;
  using ByOwner = std::map<Name, Range, Before>;
  struct Zone {
    ByOwner ranges;
    uint64_t octets = 0;
  };
  using ByApex = std::map<Name, Zone, Before>;
  struct Place {
    ByApex::iterator zone;
    ByOwner::iterator range;
  };
  using ByUse = std::list<Place>;  // the least recently used first
  struct Range {
    Name next;
    WallTime expires_at;
    ByUse::iterator use{};
  };

  struct State {
    explicit State(uint64_t limit) : capacity(limit) {}
    void erase_contradicted(Dname apex, Dname owner, Dname next);
    bool make_room(Dname apex, Dname owner, Dname next);
    void insert(Dname apex, Dname owner, Dname next, WallTime expires_at);
    void erase(Place place);
    static uint64_t range_octets(Dname owner, Dname next);
    static uint64_t zone_octets(Dname apex);

    ByApex zones;
    ByUse by_use;
    uint64_t octets = 0;
    uint64_t capacity;
    uint64_t evicted = 0, refused = 0;
  };

  Guarded<State> state_;
};

}  // namespace peregrine
