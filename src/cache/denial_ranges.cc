#include "cache/denial_ranges.h"

#include <algorithm>

#include "simd/kernels.h"

namespace peregrine {

namespace {

constexpr uint64_t tree_node = 4 * sizeof(void*);  // of std::map: colour, parent, left, right
constexpr uint64_t list_node = 2 * sizeof(void*);

// What glibc takes for an allocation: the octets and a header, in units of 16, at least two.
constexpr uint64_t allocation(uint64_t octets) { return std::max<uint64_t>((octets + 8 + 15) / 16 * 16, 32); }

bool is_range(Dname zone, Dname owner, Dname next) {
  if (!owner.is_at_or_below(zone) || !next.is_at_or_below(zone)) return false;
  return next == zone || canonical_compare(owner, next) < 0;
}

// Whether `name`, which is not before the range's owner, is before its end.
bool ends_behind(Dname zone, Dname next, Dname name) {
  return next == zone || canonical_compare(name, next) < 0;
}

}  // namespace

DenialRanges::Name::Name(Dname name)
    : octets_(std::make_unique<uint8_t[]>(name.size())), size_(static_cast<uint8_t>(name.size())) {
  kernels().fold(octets_.get(), name.wire().data(), name.size());
}

uint64_t DenialRanges::State::range_octets(Dname owner, Dname next) {
  return allocation(tree_node + sizeof(ByOwner::value_type)) + allocation(list_node + sizeof(Place)) +
         allocation(owner.size()) + allocation(next.size());
}

uint64_t DenialRanges::State::zone_octets(Dname apex) {
  return allocation(tree_node + sizeof(ByApex::value_type)) + allocation(apex.size());
}

void DenialRanges::State::erase(Place place) {
  Zone& zone = place.zone->second;
  const uint64_t freed = range_octets(place.range->first, place.range->second.next);
  by_use.erase(place.range->second.use);
  zone.ranges.erase(place.range);
  zone.octets -= freed;
  octets -= freed;
  if (!zone.ranges.empty()) return;
  octets -= zone_octets(place.zone->first);
  zones.erase(place.zone);
}

void DenialRanges::State::erase_contradicted(Dname apex, Dname owner, Dname next) {
  while (true) {
    const auto zone = zones.find(apex);
    if (zone == zones.end()) return;
    ByOwner& ranges = zone->second.ranges;
    auto at = ranges.lower_bound(owner);
    if (at == ranges.end() || !ends_behind(apex, next, at->first)) {
      if (at == ranges.begin()) return;
      --at;
      if (!ends_behind(apex, at->second.next, owner)) return;
    }
    erase({zone, at});
  }
}

// False where there can be none.
bool DenialRanges::State::make_room(Dname apex, Dname owner, Dname next) {
  const uint64_t range = range_octets(owner, next), zone_limit = capacity / 4;
  if (range + zone_octets(apex) > zone_limit) return false;
  while (true) {
    const auto zone = zones.find(apex);
    const bool known = zone != zones.end();
    if (known && zone->second.octets + range > zone_limit) {
      ByOwner& ranges = zone->second.ranges;
      const auto neighbour = ranges.lower_bound(owner);
      erase({zone, neighbour == ranges.end() ? ranges.begin() : neighbour});
    } else if (octets + range + (known ? 0 : zone_octets(apex)) > capacity) {
      erase(by_use.front());
    } else {
      return true;
    }
    ++evicted;
  }
}

void DenialRanges::State::insert(Dname apex, Dname owner, Dname next, WallTime expires_at) {
  const auto [zone, is_new] = zones.try_emplace(Name(apex));
  if (is_new) octets += zone_octets(apex);
  const auto range =
      zone->second.ranges.emplace(Name(owner), Range{.next = Name(next), .expires_at = expires_at}).first;
  range->second.use = by_use.insert(by_use.end(), {zone, range});
  zone->second.octets += range_octets(owner, next);
  octets += range_octets(owner, next);
}

bool DenialRanges::put(Dname zone, Dname owner, Dname next, WallTime expires_at) {
  if (!is_range(zone, owner, next)) return false;
  auto state = state_.lock();
  state->erase_contradicted(zone, owner, next);
  if (!state->make_room(zone, owner, next)) return ++state->refused, false;
  state->insert(zone, owner, next, expires_at);
  return true;
}

std::optional<DenialRange> DenialRanges::find(Dname zone, Dname name, WallTime now) {
  if (!name.is_at_or_below(zone)) return std::nullopt;
  auto state = state_.lock();
  const auto apex = state->zones.find(zone);
  if (apex == state->zones.end()) return std::nullopt;
  ByOwner& ranges = apex->second.ranges;
  auto range = ranges.upper_bound(name);
  if (range == ranges.begin()) return std::nullopt;
  --range;
  if (range->second.expires_at <= now) return state->erase({apex, range}), std::nullopt;
  if (!ends_behind(zone, range->second.next, name)) return std::nullopt;
  state->by_use.splice(state->by_use.end(), state->by_use, range->second.use);
  return DenialRange{.owner = DnameBuf(range->first),
                     .next = DnameBuf(range->second.next),
                     .expires_at = range->second.expires_at};
}

uint64_t DenialRanges::flush(const FlushTarget& target) {
  auto state = state_.lock();
  uint64_t removed = 0;
  for (auto use = state->by_use.begin(); use != state->by_use.end();) {
    const Place place = *use++;
    const Dname zone = place.zone->first, owner = place.range->first, next = place.range->second.next;
    const bool between = target.name.view().is_at_or_below(zone) &&
                         canonical_compare(owner, target.name) < 0 && ends_behind(zone, next, target.name);
    if (!between && !target.holds(owner) && !target.holds(next)) continue;
    state->erase(place);
    ++removed;
  }
  return removed;
}

void DenialRanges::clear() {
  auto state = state_.lock();
  state->by_use.clear();
  state->zones.clear();
  state->octets = 0;
}

DenialStats DenialRanges::stats() {
  auto state = state_.lock();
  return {.zones = state->zones.size(),
          .ranges = state->by_use.size(),
          .octets = state->octets,
          .capacity = state->capacity,
          .evicted = state->evicted,
          .refused = state->refused};
}

}  // namespace peregrine
