#include "cache/arena_eviction.h"

#include <algorithm>
#include <cstring>

#include "cache/arena_counters.h"

namespace peregrine {

namespace {

// Of each segment of main a quarter is gained at least, sparse or not, and this many times what a put takes
// is gone through: so emptying keeps up with filling.
constexpr uint32_t work_ratio = 4;
constexpr uint32_t least_work = 24;         // granules: four small entries
constexpr uint32_t most_owed_shares = 3;    // that one put works off beside its own
constexpr uint32_t prefetch_distance = 48;  // granules: the bucket of an entry that many ahead is on its way
constexpr unsigned warm_in_probation = 2;   // S3-FIFO: found more than once

}  // namespace

void ArenaEviction::work_ahead(uint32_t granules) {
  if (segments_.spare() >= segments_.reserve()) return;
  const uint32_t share = std::max(granules * work_ratio, least_work);
  const std::unique_lock hold(mutex_, std::try_to_lock);
  if (!hold) {
    owed_.fetch_add(share, std::memory_order_relaxed);
    return;
  }
  const uint64_t owed = owed_.load(std::memory_order_relaxed);
  if (!have_victim()) {
    owed_.fetch_sub(owed, std::memory_order_relaxed);
    return;
  }
  const auto more = static_cast<uint32_t>(std::min<uint64_t>(owed, uint64_t{share} * most_owed_shares));
  if (more != 0) owed_.fetch_sub(more, std::memory_order_relaxed);
  empty(share + more);
}

bool ArenaEviction::make_room() {
  const std::lock_guard hold(mutex_);
  while (!segments_.has_free()) {
    // More would throw away what is cached, and nothing gained before the readers' quiet points.
    if (segments_.spare() >= segments_.reserve() || !have_victim()) return false;
    if (!empty(segments_.segment_granules())) return false;
  }
  return true;
}

bool ArenaEviction::have_victim() {
  if (victim_ != ArenaSegments::none) return true;
  victim_ = segments_.take_victim(now());
  if (victim_ == ArenaSegments::none) return false;
  const ArenaSegment& segment = segments_.table()[victim_];
  ring_ = segment.ring.load(std::memory_order_relaxed);
  end_ = segment.used.load(std::memory_order_relaxed);
  at_ = segment.fully_dead() ? end_ : 0;
  sparse_ = segments_.sparse(segment, now());
  kept_ = 0;
  return true;
}

// False where an entry waits for room.
bool ArenaEviction::empty(uint32_t granules) {
  const uint32_t stop = std::min(end_, at_ + granules);
  const ArenaRef first = segments_.first_ref(victim_);
  while (at_ < stop) {
    EntryHeader header;
    std::memcpy(&header, segments_.at(first + at_), sizeof header);
    prefetch_from(at_ + prefetch_distance);
    if (!evict(first + at_)) return false;
    at_ += header.granules();
  }
  if (at_ >= end_) finish();
  return true;
}

// Where entries are of one size there is a header that far ahead. Elsewhere what is read is some other
// octets: a bucket that nobody asked for is fetched, no more.
void ArenaEviction::prefetch_from(uint32_t offset) const {
  if (offset >= end_) return;
  uint64_t hash;
  std::memcpy(&hash, segments_.at(segments_.first_ref(victim_) + offset), sizeof hash);
  index_.prefetch_to_write(hash);
}

// False where the entry is to be kept and there is no room for it before the readers' quiet points.
bool ArenaEviction::evict(ArenaRef ref) {
  EntryHeader header;
  std::memcpy(&header, segments_.at(ref), sizeof header);
  const uint16_t tag = tag_of(header.hash());
  ArenaBucket& home = index_.home(header.hash());
  ArenaGroup group(home);
  const ArenaPlace place = group.find(tag, ref);
  if (!place) return true;

  const bool expired = header.expires_at() <= now();
  if (!expired && is_kept(place, header)) {
    if (move(group, place, header)) return true;
    if (segments_.spare() != 0) return false;
  }
  if (!expired && ring_ == ArenaRing::probation) index_.ghosts(home).add(tag);
  ArenaGroup::clear(place);
  arena_step(ArenaStep::unlinked);
  segments_.kill(ref, header.granules());
  counters_.add(expired ? ArenaCount::expired : ArenaCount::cold);
  return true;
}

// What is in use, and all of a sparse segment, unless too much of its segment was.
bool ArenaEviction::is_kept(ArenaPlace place, const EntryHeader& header) const {
  const unsigned needed = ring_ == ArenaRing::probation ? warm_in_probation : 1 + pressure_;
  return (sparse_ || place.frequency() >= needed) &&
         kept_ + header.granules() <= segments_.segment_granules() / 4 * 3;
}

// Copies an entry to main; what is not in use stays in its ring. False where there is no room.
bool ArenaEviction::move(ArenaGroup& group, ArenaPlace place, const EntryHeader& header) {
  const unsigned frequency = place.frequency();
  const uint32_t granules = header.granules();
  const auto to = segments_.append(sparse_ ? ring_ : ArenaRing::main, granules);
  if (!to) return false;
  arena_step(ArenaStep::appended);
  const ArenaRef from = place.read().ref();
  std::memcpy(segments_.at(*to), segments_.at(from), size_t{granules} * granule);
  arena_step(ArenaStep::written);
  group.set(place, tag_of(header.hash()), granules, *to, sparse_ ? frequency : frequency - 1);
  arena_step(ArenaStep::linked);
  segments_.commit(*to, granules, header.expires_at(), now());
  segments_.kill(from, granules);
  kept_ += granules;
  counters_.add(ArenaCount::moved);
  return true;
}

void ArenaEviction::finish() {
  if (ring_ == ArenaRing::main && !sparse_) {
    const uint32_t all = segments_.segment_granules();
    if (kept_ > all / 4 * 2) pressure_ = std::min(pressure_ + 1, ArenaBucket::most_frequent - 1);
    if (kept_ < all / 4 && pressure_ > 0) --pressure_;
  }
  segments_.retire(victim_);
  victim_ = ArenaSegments::none;
}

}  // namespace peregrine
