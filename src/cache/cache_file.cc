#include "cache/cache_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iterator>
#include <new>
#include <ranges>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "cache/arena_layout.h"
#include "cache/restored_entry.h"

namespace peregrine {
namespace {

constexpr uint64_t most_per_step = 8 << 20;  // octets: then removals that wait have their turn
constexpr int most_waits = 50;               // for writers that are at work in a segment

uint32_t take_first(std::deque<uint32_t>& slots) {
  const uint32_t first = slots.front();
  slots.pop_front();
  return first;
}

// Writers may be, and nobody can say then how far the segment is filled.
bool at_work(const SegmentCursor& at) { return at.sequence != 0 && at.octets == 0; }

std::string parts_text(const CacheFileStats& stats) {
  if (stats.unknown_removals != 0)
    return "all " + std::to_string(stats.unknown_removals) +
           " segments, because nobody knows what was removed: the journal is damaged";
  return std::to_string(stats.dropped_segments()) + " damaged or unfinished segments (" +
         std::to_string(stats.damaged_headers) + " by their headers, " +
         std::to_string(stats.damaged_contents) + " by what is in them)";
}

}  // namespace

std::string damage_text(const CacheFileStats& stats) {
  const uint64_t entries = stats.entries.malformed + stats.entries.from_future;
  if (stats.dropped_segments() + entries == 0) return {};
  return parts_text(stats) + " and " + std::to_string(entries) + " entries (" +
         std::to_string(stats.entries.from_future) + " from the future) were dropped";
}

SegmentFile::Geometry CacheFile::geometry_for(uint32_t segment_octets, uint32_t segment_count) {
  // Room for the headers of parts that were written while a segment filled up; then it is written anew.
  const uint64_t parts = std::max<uint64_t>(segment_octets / 32, 8 * sector);
  const uint64_t octets = chunk_octets(segment_octets) + (parts + sector - 1) / sector * sector;
  // Two more than segments: one to write to while what it replaces still counts, one that a crash left.
  return {.slot_octets = static_cast<uint32_t>(octets), .slots = segment_count + 2};
}

std::unique_ptr<CacheFile> CacheFile::open(const std::string& path, const SegmentFile::Geometry& geometry,
                                           WallTime now, Random& random) {
  auto opened = SegmentFile::open(path, geometry, now, random);
  if (!opened) {
    log_error("cache.file " + path + " is not used: " + opened.error());
    return nullptr;
  }
  if (!opened->set_aside.empty())
    log_warning("cache.file " + path + " is not read: " + opened->set_aside + "; it is now " + path + ".bad");
  std::unique_ptr<CacheFile> file(new CacheFile(std::move(opened->file), geometry));
  file->fresh_ = opened->fresh;
  file->stats_.lock()->set_aside = !opened->set_aside.empty();
  return file;
}

CacheFile::CacheFile(SegmentFile file, const SegmentFile::Geometry& wanted)
    : file_(std::move(file)), wanted_(wanted) {}

void CacheFile::load(const Loading& loading, LoadTarget target) {
  SystemClock clock;
  const Instant began = clock.precise();
  CacheFileStats stats = this->stats();
  stats.loading = true;
  publish(stats);
  attempt([&] { load_file(loading, target, stats); });
  stats.load_time = clock.precise() - began;
  stats.loading = false;
  stats.writing = !failed_;
  publish(stats);
}

// Only what load() counts: removals may have been written meanwhile.
void CacheFile::publish(const CacheFileStats& loaded) {
  auto stats = stats_.lock();
  const uint64_t removals = stats->removals_written;
  *stats = loaded;
  stats->removals_written = removals;
}

void CacheFile::load_file(const Loading& loading, LoadTarget target, CacheFileStats& stats) {
  if (auto rules = rules_.lock(); rules->since <= loading.generation)  // else they have changed since
    *rules = {.fingerprint = loading.rules, .since = loading.generation};
  auto chunks = file_.chunks();
  auto journal = fresh_ ? RemovalJournal() : RemovalJournal::load(file_);
  const bool readable = chunks && journal;
  if (!chunks) chunks = Chunks{};
  stats.damaged_headers = chunks->damaged;
  bool same_rules = false;
  if (readable) {
    journal_ = *std::move(journal);
    sequence_ = journal_.latest_stamp();
    if (!chunks->whole.empty()) sequence_ = std::max(sequence_, chunks->whole.back().sequence);
    same_rules = fresh_ || journal_.rules() == loading.rules;
    if (!same_rules) log_info("what is in cache.file came from other servers, or another version: not read");
    const bool whole = !same_rules || load_chunks(loading, *chunks, target, stats);
    journal_.forget_hidden();
    if (!whole) return;
  } else {
    stats.unknown_removals = chunks->whole.size();
    *chunks = {};
  }
  prepare(*chunks, same_rules, loading.now);
  set_out();
  loaded_ = true;
}

// False where it was told to stop. What is removed meanwhile is written down at once: it counts for the
// chunks that come.
bool CacheFile::load_chunks(const Loading& loading, const Chunks& chunks, LoadTarget target,
                            CacheFileStats& stats) {
  ChunkLoader loader(loading, journal_, target);
  for (const ChunkPlace& place : chunks.whole) {
    write_removals();
    if (failed_ || stop_loading_.load(std::memory_order_relaxed)) return false;
    if (place.sequence <= journal_.void_through()) continue;
    if (file_.read(place, buffer_))
      loader.load(buffer_, place.sequence);
    else
      ++stats.damaged_contents;
    stats.entries = loader.counts();
    publish(stats);
  }
  return true;
}

// Makes the file ready to be written to.
void CacheFile::prepare(const Chunks& chunks, bool keep, WallTime now) {
  const bool as_wanted = file_.geometry() == wanted_;
  if (!fresh_ && (!as_wanted || !keep)) {
    // Two files at once would take twice the room: a crash before all is written again costs what is not.
    if (auto done = file_.start_over(wanted_, now); !done) return fail("cannot be made anew", done.error());
  }
  if (fresh_ || !as_wanted || !keep) {
    const auto begun = journal_.begin(file_, 0, rules_.lock()->fingerprint);
    if (!begun) return fail("cannot be written", begun.error());
  }
  std::vector<bool> used(wanted_.slots);
  if (as_wanted && keep) {
    for (const ChunkPlace& place : chunks.whole | std::views::reverse) {
      if (used[place.slot]) continue;
      used[place.slot] = true;
      loaded_slots_.push_front(place.slot);
    }
  }
  for (uint32_t slot = 0; slot < wanted_.slots; ++slot)
    if (!used[slot]) free_slots_.push_back(slot);
}

void CacheFile::start(EntrySource& source, Executor& executor) {
  source_ = &source;
  executor_ = &executor;
  segments_.resize(source.segment_count());
}

void CacheFile::tick(WallTime now) {
  if (busy_.exchange(true)) return;
  try {
    executor_->run([this, now] { step(now, most_per_tick); });
  } catch (const std::bad_alloc&) {
    busy_.store(false);  // the next one tries again
  }
}

void CacheFile::attempt(FunctionRef<void()> work) {
  try {
    work();
  } catch (const std::exception&) {
    fail("cannot be written", ENOMEM);
  }
}

// What is left of a tick's share waits until the disk has taken what was written: a slow one has never more
// to do than a step, nor waits a removal for more.
void CacheFile::step(WallTime now, uint64_t share) {
  bool again = false;
  attempt([&] {
    const bool more = write_new(now, std::min(share, most_per_step));
    share -= std::min(share, step_octets_);
    if (!more || failed_) return;
    if (auto done = file_.sync(); !done) return fail("cannot be brought to the disk", done.error());
    again = share != 0;
    if (again) executor_->run([this, now, share] { step(now, share); });
  });
  if (!again || failed_) busy_.store(false);
}

void CacheFile::finish(WallTime now) {
  executor_->run([this, now] {
    attempt([&] {
      write_new(now, UINT64_MAX);
      if (failed_) return;
      if (auto done = file_.sync(); !done) fail("cannot be brought to the disk", done.error());
    });
  });
}

void CacheFile::when_removals_are_safe(Job done) {
  executor_->run([this, done = std::move(done)]() mutable {
    attempt([this] { write_removals(); });
    done();
  });
}

void CacheFile::change_rules(uint64_t rules, uint32_t generation) {
  *rules_.lock() = {.fingerprint = rules, .since = generation};
  removals_.removed_all();
}

// Whether there is more than it may write.
bool CacheFile::write_new(WallTime now, uint64_t most) {
  write_removals();
  step_octets_ = 0;
  if (!loaded_ || failed_) return false;
  const std::vector<News> all = news();
  uint64_t waiting = 0;
  for (const News& segment : all) {
    if (failed_) return false;
    if (step_octets_ < most)
      write_segment(segment.number, now);
    else
      waiting += segment.octets;
  }
  stats_.lock()->octets_waiting = waiting;
  return waiting != 0;
}

// All that the store has is to be written anew.
void CacheFile::set_out() {
  for (uint32_t number = 0; number < segments_.size(); ++number) {
    Segment& segment = segments_[number];
    release(segment);
    segment.seen = {};
    segment.outset = source_->position(number);
  }
}

// First the segments with something that was stored since the outset, the latest first. Then what is
// rewritten, the oldest first: that is the order in which loaded slots are overwritten, and so each of them
// is when what is in it stands elsewhere.
std::vector<CacheFile::News> CacheFile::news() const {
  std::vector<News> found;
  for (uint32_t number = 0; number < segments_.size(); ++number) {
    const Segment& segment = segments_[number];
    const SegmentCursor at = source_->position(number), seen = segment.seen;
    if (at == seen && !at_work(at)) continue;
    const bool begun = at.sequence == seen.sequence;
    const uint32_t from = begun ? std::min(seen.octets, at.octets) : 0;
    found.push_back({.number = number,
                     .sequence = at.sequence,
                     .octets = at.octets - from,
                     .fresh = begun || at != segment.outset});
  }
  std::ranges::sort(found, [](const News& a, const News& b) {
    if (a.fresh != b.fresh) return a.fresh;
    return a.fresh ? a.sequence > b.sequence : a.sequence < b.sequence;
  });
  return found;
}

// Appends what is new to the buffer. While writers are at work in the segment nobody can say what that is:
// they are soon done.
SegmentCursor CacheFile::copy_new(uint32_t number) {
  const SegmentCursor before = segments_[number].seen;
  for (int waits = 0;; ++waits) {
    const SegmentCursor seen = source_->copy(number, before, buffer_);
    if (!buffer_.empty() || waits == most_waits) return seen;
    const SegmentCursor at = source_->position(number);
    if (at == seen && !at_work(at)) return seen;
    std::this_thread::yield();
  }
}

// Later chunks hold nothing that was removed before they were made.
void CacheFile::write_removals() {
  const RemovalLog::Removals removals = removals_.take();
  if (failed_ || removals.empty()) return;
  const bool anew = removals.all || !journal_.fits(removals.hashes.size());
  auto written = anew ? journal_.begin(file_, sequence_, rules_.lock()->fingerprint)
                      : journal_.add(file_, removals.hashes, sequence_);
  if (written) written = file_.sync();
  if (!written) return fail("cannot be written", written.error());
  stats_.lock()->removals_written += anew ? 1 : removals.hashes.size();
  if (!anew) return;
  std::ranges::move(loaded_slots_, std::back_inserter(free_slots_));
  loaded_slots_.clear();
  set_out();
}

void CacheFile::write_segment(uint32_t number, WallTime now) {
  Segment& segment = segments_[number];
  const SegmentCursor before = segment.seen;
  buffer_.clear();
  const SegmentCursor seen = copy_new(number);
  if (seen.sequence != segment.seen.sequence) release(segment);
  segment.seen = seen;
  uint32_t count = keep_what_counts();
  if (count == 0) return;
  if (segment.slot != no_slot && !file_.fits(segment.fill, buffer_.size())) {
    buffer_.clear();
    Segment whole{.seen = source_->copy(number, {}, buffer_)};
    count = keep_what_counts();
    if (count == 0) {  // writers are at work there: with the next tick
      segment.seen = before;
      return;
    }
    append(whole, count, now);
    release(segment);
    segment = whole;
    return;
  }
  append(segment, count, now);
}

// Takes the outdated out of the buffer, and the policy generations out of the rest, which are of this process
// only. What has expired stays: it says that older entries of its key do not count. How many there are.
uint32_t CacheFile::keep_what_counts() {
  const uint32_t since = rules_.lock()->since;
  uint32_t count = 0;
  size_t kept = 0;
  for (size_t at = 0; at < buffer_.size();) {
    const auto entry = entry_at(buffer_, at);
    if (!entry) break;
    const size_t size = size_t{entry->header.granules()} * granule;
    const auto generation = policy_generation(*entry);
    const bool counts = !(generation && *generation < since);
    if (counts) {
      const size_t blob_at = at + sizeof(EntryHeader) + entry->header.key_size();
      if (generation) set_policy_generation(MutableBytes(buffer_).subspan(blob_at), 0);
      if (kept != at) std::memmove(buffer_.data() + kept, buffer_.data() + at, size);
      kept += size;
      ++count;
    }
    at += size;
  }
  buffer_.resize(kept);
  return count;
}

void CacheFile::append(Segment& segment, uint32_t count, WallTime now) {
  if (failed_ || count == 0) return;
  if (segment.slot == no_slot) {
    segment.slot = take_slot();
    segment.fill = {};
  }
  const auto written =
      file_.append(segment.slot, segment.fill,
                   {.sequence = ++sequence_, .written = now, .entries = buffer_, .count = count});
  if (!written) return fail("cannot be written", written.error());
  step_octets_ += buffer_.size();
  auto stats = stats_.lock();
  ++stats->segments_written;
  stats->entries_written += count;
  stats->octets_written += buffer_.size();
}

// There are more slots than segments, and a segment has at most one.
uint32_t CacheFile::take_slot() { return take_first(free_slots_.empty() ? loaded_slots_ : free_slots_); }

// What is there stays valid until the slot is written again: it was evicted, not removed.
void CacheFile::release(Segment& segment) {
  if (segment.slot != no_slot) free_slots_.push_back(std::exchange(segment.slot, no_slot));
  segment.fill = {};
}

// Nothing of a file that cannot be written may come back: removals would be missing in it.
void CacheFile::fail(const char* what, int error) {
  if (std::exchange(failed_, true)) return;
  file_.give_up();  // before what may throw
  stats_.lock()->writing = false;
  try {
    log_error(std::string("cache.file ") + what + " (" + std::strerror(error) +
              "): the cache goes on without it");
  } catch (const std::bad_alloc&) {
    log_error("cache.file cannot be written: the cache goes on without it");
  }
}

}  // namespace peregrine
