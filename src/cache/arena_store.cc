#include "cache/arena_store.h"

#include <algorithm>
#include <span>

namespace peregrine {

namespace {

// The region is zero, and zero is where each of these begins.
template <class T>
std::span<T> in_place(const ArenaRegion& region, uint64_t offset, uint64_t count) {
  return {reinterpret_cast<T*>(region.at(offset)), count};
}

uint64_t checked(uint64_t capacity) {
  check_capacity(capacity, memory_room());
  return capacity;
}

}  // namespace

unsigned ArenaCounters::thread_number() {
  static std::atomic<unsigned> next = 0;
  thread_local const unsigned number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

ArenaStore::ArenaStore(uint64_t capacity)
    : geometry_(checked(capacity)),
      region_(geometry_.octets),
      epochs_(in_place<ArenaEpochs::Slot>(region_, geometry_.readers_at, geometry_.readers)),
      index_(in_place<ArenaBucket>(region_, geometry_.buckets_at, geometry_.buckets),
             in_place<ArenaGhosts>(region_, geometry_.ghosts_at, geometry_.buckets).data()),
      segments_(in_place<ArenaSegment>(region_, geometry_.table_at, geometry_.segments),
                region_.at(geometry_.segments_at), geometry_.segment_octets, epochs_),
      counters_(in_place<ArenaCounters::Shard>(region_, geometry_.counters_at, geometry_.counter_shards)),
      eviction_(index_, segments_, counters_),
      scan_slot_(epochs_.claim()) {}

ArenaStore::Reader::Reader(ArenaStore& store)
    : buckets_(store.index_.buckets().data()),
      bucket_count_(store.index_.buckets().size()),
      entries_(store.segments_.at(ArenaRef{0})),
      epochs_(&store.epochs_),
      slot_(&store.epochs_.claim()) {
  online();
}

ArenaStore::Reader::~Reader() { ArenaEpochs::give_back(*slot_); }

bool ArenaStore::put(const StoreKey& key, const Lifetime& lifetime, Bytes blob) {
  return put(key, lifetime, blob, nullptr);
}

bool ArenaStore::put_if(const StoreKey& key, const Lifetime& lifetime, Bytes blob, Decide decide) {
  return put(key, lifetime, blob, &decide);
}

bool ArenaStore::can_hold(const StoreKey& key, Bytes blob) const {
  return key.octets.size() <= max_store_key && blob.size() <= max_blob && geometry_.segments != 0 &&
         sizeof(EntryHeader) + key.octets.size() + blob.size() <= geometry_.segment_octets;
}

bool ArenaStore::put(const StoreKey& key, const Lifetime& lifetime, Bytes blob, const Decide* decide) {
  constexpr int tries = 3;  // another writer may take the room that was made
  index_.prefetch_to_write(key.hash);
  if (can_hold(key, blob)) {
    const EntryHeader header(key.hash, key.octets.size(), lifetime, blob.size());
    bool had_ghost = false;
    for (int i = 0; i < tries; ++i) {
      const Outcome outcome = try_put(key, header, blob, decide, had_ghost);
      if (outcome == Outcome::declined) return false;
      if (outcome == Outcome::stored) {
        eviction_.work_ahead(header.granules());
        return true;
      }
      if (!eviction_.make_room()) break;
    }
  }
  refuse(key, decide);
  return false;
}

// An old blob never outlives a newer one, so it goes where the newer one cannot be held.
void ArenaStore::refuse(const StoreKey& key, const Decide* decide) {
  bool outdated = !decide;  // what was evicted may still be in the file
  {
    const ArenaGroup group(index_.home(key.hash));
    if (const ArenaPlace old = find(group, key)) {
      if (decide && !(*decide)(stored(old))) return;
      drop(old, ArenaCount::removed);
      outdated = true;
    }
  }
  if (outdated && removal_log_) removal_log_->removed(key.hash);
  counters_.add(ArenaCount::refused);
}

ArenaStore::Outcome ArenaStore::try_put(const StoreKey& key, const EntryHeader& header, Bytes blob,
                                        const Decide* decide, bool& had_ghost) {
  ArenaBucket& home = index_.home(key.hash);
  ArenaGroup group(home);
  ArenaPlace place = find(group, key);
  const ArenaSlot old = place ? place.read() : ArenaSlot();
  if (old && decide && !(*decide)(stored(place))) return Outcome::declined;

  const uint32_t granules = header.granules();
  const uint16_t tag = tag_of(key.hash);
  if (!old && !had_ghost) had_ghost = index_.ghosts(home).take(tag);
  const bool to_main = old ? segments_.ring_of(old.ref()) == ArenaRing::main : had_ghost;
  const auto ref = segments_.append(to_main ? ArenaRing::main : ArenaRing::probation, granules);
  if (!ref) return Outcome::no_room;
  arena_step(ArenaStep::appended);
  write(*ref, header, key, blob);
  arena_step(ArenaStep::written);

  if (!old) place = place_for(group, tag);
  group.set(place, tag, granules, *ref, old ? place.frequency() : 0);
  arena_step(ArenaStep::linked);
  if (old) segments_.kill(old.ref(), old.granules());
  segments_.commit(*ref, granules, header.expires_at(), eviction_.now());
  counters_.add(old ? ArenaCount::replaced : ArenaCount::inserted);
  return Outcome::stored;
}

// An empty place; where there is none, by evicting.
ArenaPlace ArenaStore::place_for(const ArenaGroup& group, uint16_t tag) {
  if (const ArenaPlace empty = group.find_empty()) return empty;
  const ArenaPlace coldest = group.find_coldest(tag);
  index_.ghosts(coldest.home()).add(coldest.read().tag());
  drop(coldest, ArenaCount::crowded);
  return coldest;
}

// The padding as well: what lies in segments goes to a file.
void ArenaStore::write(ArenaRef ref, const EntryHeader& header, const StoreKey& key, Bytes blob) {
  std::byte* entry = segments_.at(ref);
  constexpr std::array<std::byte, granule> zeros{};
  std::memcpy(entry + (size_t{header.granules()} - 1) * granule, zeros.data(), granule);
  std::memcpy(entry, &header, sizeof header);
  if (!key.octets.empty()) std::memcpy(entry + sizeof header, key.octets.data(), key.octets.size());
  if (!blob.empty()) std::memcpy(entry + sizeof header + key.octets.size(), blob.data(), blob.size());
}

ArenaPlace ArenaStore::find(const ArenaGroup& group, const StoreKey& key) const {
  return group.find(tag_of(key.hash), [&](ArenaSlot slot) { return has_key(segments_.at(slot.ref()), key); });
}

Hit ArenaStore::Reader::find_in(ArenaBucket& bucket, const StoreKey& key) const {
  for (unsigned matches = bucket.match(tag_of(key.hash)); matches;) {
    const unsigned i = ArenaBucket::next_match(matches);
    const ArenaSlot slot = bucket.slot(i);
    if (slot && has_key(entry(slot), key)) return hit(bucket, i, entry(slot));
  }
  return {};
}

Hit ArenaStore::Reader::find_further(const StoreKey& key) const {
  if (const Hit hit = find_in(home(key.hash), key)) return hit;
  return find_displaced(key);
}

Hit ArenaStore::Reader::find_displaced(const StoreKey& key) const {
  for (unsigned distance = 1; distance < ArenaGroup::buckets; ++distance)
    if (const Hit hit = find_in(home(key.hash).neighbour(distance), key)) return hit;
  return {};
}

void ArenaStore::drop(ArenaPlace place, ArenaCount why) {
  const ArenaSlot gone = place.read();
  ArenaGroup::clear(place);
  arena_step(ArenaStep::unlinked);
  segments_.kill(gone.ref(), gone.granules());
  counters_.add(why);
}

bool ArenaStore::remove(const StoreKey& key) {
  bool found = false;
  {
    const ArenaGroup group(index_.home(key.hash));
    const ArenaPlace place = find(group, key);
    found = static_cast<bool>(place);
    if (found) drop(place, ArenaCount::removed);
  }
  if (removal_log_) removal_log_->removed(key.hash);  // what was evicted may still be in the file
  return found;
}

bool ArenaStore::forget_if(const StoreKey& key, Decide decide) {
  const ArenaGroup group(index_.home(key.hash));
  const ArenaPlace place = find(group, key);
  if (!place || !decide(stored(place))) return false;
  drop(place, ArenaCount::removed);
  return true;
}

void ArenaStore::clear() {
  for (ArenaBucket& bucket : index_.buckets()) {
    if (bucket.empty()) continue;
    const ArenaGroup group(bucket);
    for (unsigned i = 0; i < ArenaBucket::slot_count; ++i)
      if (const ArenaPlace place{&bucket, i}; place.read()) drop(place, ArenaCount::removed);
  }
  if (removal_log_) removal_log_->removed_all();
}

namespace {

StoredEntry stored_entry(const std::byte* entry, unsigned frequency) {
  const EntryHeader header = entry_header(entry);
  const uint8_t* octets = entry_octets(entry);
  return {.key = {.octets = {octets, header.key_size()}, .hash = header.hash()},
          .lifetime = header.lifetime(),
          .blob = {octets + header.key_size(), header.blob_size()},
          .frequency = frequency};
}

}  // namespace

StoredEntry ArenaStore::stored(ArenaPlace place) const {
  return stored_entry(segments_.at(place.read().ref()), place.frequency());
}

// An entry as it was, with no claim on the original.
struct ArenaStore::Copy {
  ArenaSlot slot;
  unsigned frequency = 0;
  std::vector<std::byte> entry;
};

// Tells what a scan has removed when the scan ends, by an exception too. Of what was evicted, and may still
// be in the file, nobody knows what visit() would have said.
struct ArenaStore::ScanRemovals {
  explicit ScanRemovals(RemovalLog* to) : log(to) {}
  ~ScanRemovals() {
    if (any && log) log->removed_all();
  }
  ScanRemovals(const ScanRemovals&) = delete;
  ScanRemovals& operator=(const ScanRemovals&) = delete;

  RemovalLog* log;
  bool any = false;
};

// Visits copies: visit() may take its time while segments are used again and others scan.
void ArenaStore::scan(Visit visit) {
  std::vector<Copy> copies;
  ScanRemovals removals(removal_log_);
  for (ArenaBucket& bucket : index_.buckets()) {
    if (bucket.empty()) continue;
    copy_entries(bucket, copies);
    for (const Copy& copy : copies) {
      if (visit(stored_entry(copy.entry.data(), copy.frequency)) != ScanAction::remove) continue;
      removals.any = true;
      remove_copied(copy);
    }
  }
}

void ArenaStore::copy_entries(const ArenaBucket& bucket, std::vector<Copy>& copies) {
  copies.clear();
  const std::lock_guard one_at_a_time(copying_);
  const ArenaEpochs::OnlineWhile online(epochs_, scan_slot_);
  for (unsigned i = 0; i < ArenaBucket::slot_count; ++i) {
    const ArenaSlot slot = bucket.slot(i);
    if (!slot) continue;
    const std::byte* entry = segments_.at(slot.ref());
    copies.push_back({.slot = slot,
                      .frequency = bucket.frequency(i),
                      .entry = {entry, entry + size_t{slot.granules()} * granule}});
  }
}

// The same place may hold another entry by now: only the same octets are the same entry.
void ArenaStore::remove_copied(const Copy& copy) {
  const StoreKey key = stored_entry(copy.entry.data(), 0).key;
  const ArenaGroup group(index_.home(key.hash));
  const ArenaPlace place = find(group, key);
  if (!place || place.read().granules() != copy.slot.granules()) return;
  if (std::memcmp(segments_.at(place.read().ref()), copy.entry.data(), copy.entry.size()) != 0) return;
  drop(place, ArenaCount::removed);
}

StoreStats ArenaStore::stats() const {
  // What has gone is read first: so never more has gone than has come.
  const auto sum = [this](ArenaCount what) { return counters_.sum(what); };
  StoreStats stats{.capacity = geometry_.capacity,
                   .replaced = sum(ArenaCount::replaced),
                   .removed = sum(ArenaCount::removed),
                   .expired = sum(ArenaCount::expired),
                   .refused = sum(ArenaCount::refused),
                   .evicted_cold = sum(ArenaCount::cold),
                   .evicted_crowded = sum(ArenaCount::crowded),
                   .moved = sum(ArenaCount::moved)};
  stats.evicted = stats.evicted_cold + stats.evicted_crowded;
  stats.inserted = sum(ArenaCount::inserted);
  stats.entries = stats.inserted - std::min(stats.inserted, stats.removed + stats.expired + stats.evicted);

  const ArenaSegments::Use use = segments_.use();
  stats.octets_live = use.live;
  stats.octets_dead = use.dead;
  stats.octets_index = geometry_.buckets * (sizeof(ArenaBucket) + sizeof(ArenaGhosts));
  stats.octets = geometry_.segments_at + use.live + use.dead;
  return stats;
}

}  // namespace peregrine
