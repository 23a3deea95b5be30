#include "cache/arena_segments.h"

#include <algorithm>

namespace peregrine {

namespace {

constexpr uint32_t segment_in(uint64_t state) { return static_cast<uint32_t>(state >> 32); }
constexpr uint32_t used_in(uint64_t state) { return static_cast<uint32_t>(state); }

// Less, and copying costs more than the room is worth; more, and dead room is kept for long
// (bench/cache_sim).
constexpr uint32_t sparse_percent = 30;

// Enough that a segment is free again before the next is needed, while readers take their batches.
uint32_t reserve_for(size_t segments) {
  return static_cast<uint32_t>(std::clamp<size_t>(segments / 64, 2, 8));
}

}  // namespace

ArenaSegments::ArenaSegments(std::span<ArenaSegment> table, std::byte* memory, uint32_t segment_octets,
                             ArenaEpochs& epochs)
    : table_(table),
      memory_(memory),
      segment_granules_(segment_octets / granule),
      least_sparse_((segment_granules_ * sparse_percent + 99) / 100),
      reserve_(reserve_for(table.size())),
      epochs_(epochs),
      spare_(static_cast<uint32_t>(table.size())) {
  for (uint32_t i = 0; i < table.size(); ++i) push(free_, i);
}

std::optional<ArenaRef> ArenaSegments::append(ArenaRing ring, uint32_t granules) {
  Open& open = open_[static_cast<size_t>(ring)];
  for (;;) {
    if (auto ref = take_room(open, granules)) return ref;
    if (!replace(ring, granules)) return std::nullopt;
  }
}

std::optional<ArenaRef> ArenaSegments::take_room(Open& open, uint32_t granules) {
  uint64_t state = open.state.load(std::memory_order_acquire);
  do {
    if (segment_in(state) == none || used_in(state) + granules > segment_granules_) return std::nullopt;
  } while (!open.state.compare_exchange_weak(state, state + granules, std::memory_order_acq_rel,
                                             std::memory_order_acquire));
  return first_ref(segment_in(state)) + used_in(state);
}

// False where no segment is free. Does nothing where another thread has done it.
bool ArenaSegments::replace(ArenaRing ring, uint32_t granules) {
  Open& open = open_[static_cast<size_t>(ring)];
  const std::lock_guard one_at_a_time(open.replacing);
  const uint64_t now = open.state.load(std::memory_order_acquire);
  if (segment_in(now) != none && used_in(now) + granules <= segment_granules_) return true;

  const uint32_t next = take_free();
  if (next == none) return false;
  ArenaSegment& opened = table_[next];
  opened.ring.store(ring, std::memory_order_relaxed);
  opened.state.store(ArenaSegment::State::open, std::memory_order_relaxed);
  const uint64_t last = open.state.exchange(uint64_t{next} << 32, std::memory_order_acq_rel);
  if (segment_in(last) == none) return true;

  const std::lock_guard hold(lock_);
  ArenaSegment& sealed = table_[segment_in(last)];
  sealed.state.store(ArenaSegment::State::sealed, std::memory_order_relaxed);
  sealed.used.store(used_in(last), std::memory_order_release);
  push(queue(ring), segment_in(last));
  return true;
}

void ArenaSegments::commit(ArenaRef ref, uint32_t granules, uint32_t expires_at, uint32_t now) {
  ArenaSegment& segment = segment_of(ref);
  for (size_t i = 0; i < ArenaSegment::spans.size(); ++i) {
    if (expires_at > uint64_t{now} + ArenaSegment::spans[i]) continue;
    segment.within[i].fetch_add(granules, std::memory_order_relaxed);
    break;
  }
  // Of two writers the later second may lose: by so much the estimate is off.
  if (segment.written_at.load(std::memory_order_relaxed) < now)
    segment.written_at.store(now, std::memory_order_relaxed);
  uint32_t latest = segment.latest_expiry.load(std::memory_order_relaxed);
  while (latest < expires_at &&
         !segment.latest_expiry.compare_exchange_weak(latest, expires_at, std::memory_order_relaxed)) {
  }
  segment.committed.fetch_add(granules, std::memory_order_release);
}

void ArenaSegments::kill(ArenaRef ref, uint32_t granules) {
  segment_of(ref).dead.fetch_add(granules, std::memory_order_release);
}

uint32_t ArenaSegments::take_victim(uint32_t now) {
  const std::lock_guard hold(lock_);
  const Queue& probation = queue(ArenaRing::probation);
  const Queue& main = queue(ArenaRing::main);
  uint32_t victim = find_wasteful(now);
  const bool probation_first = probation.count * 10 > probation.count + main.count;
  if (victim == none) victim = oldest_complete(probation_first ? probation : main);
  if (victim == none) victim = oldest_complete(probation_first ? main : probation);
  if (victim == none) return none;
  remove(queue(table_[victim].ring.load(std::memory_order_relaxed)), victim);
  table_[victim].state.store(ArenaSegment::State::victim, std::memory_order_relaxed);
  return victim;
}

// Of those that expired some are dead as well: the sum would count them twice.
uint32_t ArenaSegment::wasted(uint32_t now) const {
  uint32_t expired = 0;
  for (size_t i = 0; i < spans.size(); ++i)
    if (now >= uint64_t{written_at.load(std::memory_order_relaxed)} + spans[i])
      expired += within[i].load(std::memory_order_relaxed);
  return std::max(expired, dead.load(std::memory_order_relaxed));
}

bool ArenaSegments::sparse(const ArenaSegment& segment, uint32_t now) const {
  return segment.wasted(now) >= least_sparse_;
}

// One all of which is wasted, else the sparsest. Looks at a part of the table each time, so that it costs
// little however many segments there are.
uint32_t ArenaSegments::find_wasteful(uint32_t now) {
  constexpr size_t looks = 256;
  uint32_t sparsest = none, most_wasted = least_sparse_ - 1;
  for (size_t k = 0; k < std::min(looks, table_.size()); ++k) {
    looked_at_ = looked_at_ + 1 < table_.size() ? looked_at_ + 1 : 0;
    const ArenaSegment& segment = table_[looked_at_];
    if (segment.state.load(std::memory_order_relaxed) != ArenaSegment::State::sealed) continue;
    if (!segment.complete()) continue;
    if (segment.fully_dead() || segment.latest_expiry.load(std::memory_order_relaxed) <= now)
      return looked_at_;
    const uint32_t wasted = segment.wasted(now);
    if (wasted > most_wasted) {
      sparsest = looked_at_;
      most_wasted = wasted;
    }
  }
  return sparsest;
}

// A writer that was preempted keeps its segment from being complete: the next ones are taken then.
uint32_t ArenaSegments::oldest_complete(const Queue& queue) const {
  uint32_t at = queue.oldest;
  while (at != none && !table_[at].complete()) at = table_[at].newer;
  return at;
}

void ArenaSegments::retire(uint32_t victim) {
  arena_step(ArenaStep::emptied);
  const std::lock_guard hold(lock_);
  table_[victim].reusable_at = epochs_.advance();
  table_[victim].state.store(ArenaSegment::State::retired, std::memory_order_relaxed);
  push(retired_, victim);
  spare_.fetch_add(1, std::memory_order_relaxed);
}

bool ArenaSegments::has_free() {
  const std::lock_guard hold(lock_);
  if (free_.count == 0) reclaim();
  return free_.count != 0;
}

uint32_t ArenaSegments::take_free() {
  const std::lock_guard hold(lock_);
  if (free_.count == 0) reclaim();
  const uint32_t segment = free_.oldest;
  if (segment == none) return none;
  remove(free_, segment);
  spare_.fetch_sub(1, std::memory_order_relaxed);
  ArenaSegment& fresh = table_[segment];
  fresh.committed.store(0, std::memory_order_relaxed);
  fresh.dead.store(0, std::memory_order_relaxed);
  fresh.latest_expiry.store(0, std::memory_order_relaxed);
  fresh.written_at.store(0, std::memory_order_relaxed);
  for (auto& granules : fresh.within) granules.store(0, std::memory_order_relaxed);
  fresh.used.store(0, std::memory_order_relaxed);
  fresh.sequence.store(++sequence_, std::memory_order_relaxed);
  return segment;
}

// They were retired in the order of their epochs.
void ArenaSegments::reclaim() {
  while (retired_.oldest != none && epochs_.passed(table_[retired_.oldest].reusable_at)) {
    const uint32_t segment = retired_.oldest;
    remove(retired_, segment);
    table_[segment].state.store(ArenaSegment::State::free, std::memory_order_relaxed);
    push(free_, segment);
  }
}

void ArenaSegments::push(Queue& queue, uint32_t segment) {
  ArenaSegment& last = table_[segment];
  last.newer = none;
  last.older = queue.newest;
  (queue.newest == none ? queue.oldest : table_[queue.newest].newer) = segment;
  queue.newest = segment;
  ++queue.count;
}

void ArenaSegments::remove(Queue& queue, uint32_t segment) {
  const ArenaSegment& gone = table_[segment];
  (gone.older == none ? queue.oldest : table_[gone.older].newer) = gone.newer;
  (gone.newer == none ? queue.newest : table_[gone.newer].older) = gone.older;
  --queue.count;
}

// What is committed is never more than what is taken: where the first, read before, equals the second, all
// that was taken then had been committed.
ArenaSegments::Filled ArenaSegments::filled(uint32_t number) {
  const std::lock_guard hold(lock_);  // it is neither sealed nor opened meanwhile
  const ArenaSegment& segment = table_[number];
  const auto state = segment.state.load(std::memory_order_relaxed);
  if (state == ArenaSegment::State::free || state == ArenaSegment::State::retired) return {};
  const uint64_t sequence = segment.sequence.load(std::memory_order_relaxed);
  const uint32_t committed = segment.committed.load(std::memory_order_acquire);
  uint32_t taken = segment.used.load(std::memory_order_acquire);
  if (taken == 0) {
    const Open& open = open_[static_cast<size_t>(segment.ring.load(std::memory_order_relaxed))];
    const uint64_t opened = open.state.load(std::memory_order_acquire);
    if (segment_in(opened) == number) taken = used_in(opened);
  }
  return {.sequence = sequence, .granules = committed == taken ? taken : 0};
}

ArenaSegments::Use ArenaSegments::use() const {
  Use sum;
  for (const ArenaSegment& segment : table_) {
    const auto state = segment.state.load(std::memory_order_relaxed);
    if (state == ArenaSegment::State::free) continue;
    // Counts of a moment that is not quite the same: never taken to be less than nothing.
    const uint64_t dead = segment.dead.load(std::memory_order_relaxed);
    const uint64_t committed = segment.committed.load(std::memory_order_relaxed);
    const uint64_t live = committed > dead ? std::min<uint64_t>(committed, segment_granules_) - dead : 0;
    const uint64_t taken = state == ArenaSegment::State::open ? committed : segment_granules_;
    sum.live += live * granule;
    sum.dead += (taken > live ? taken - live : 0) * granule;
  }
  return sum;
}

}  // namespace peregrine
