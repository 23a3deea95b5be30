#include "cache/cache_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iterator>
#include <new>
#include <ranges>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "cache/arena_layout.h"
#include "cache/restored_entry.h"

namespace peregrine {
namespace {

constexpr int entries_ahead = 8;              // whose places in the store are on their way
constexpr uint64_t most_per_step = 32 << 20;  // octets: then removals that wait have their turn

uint32_t take_first(std::deque<uint32_t>& slots) {
  const uint32_t first = slots.front();
  slots.pop_front();
  return first;
}

}  // namespace

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

void CacheFile::load(const Loading& loading, Target target) {
  SystemClock clock;
  const Instant began = clock.precise();
  CacheFileStats stats = this->stats();
  rules_.lock()->fingerprint = loading.rules;
  rules_.lock()->since = loading.generation;

  auto chunks = file_.chunks();
  auto journal = fresh_ ? RemovalJournal() : RemovalJournal::load(file_);
  const bool readable = chunks && journal;
  if (!chunks) chunks = SegmentFile::Chunks{};
  stats.dropped_segments = chunks->damaged + (journal ? 0 : chunks->whole.size());
  if (readable) {
    journal_ = *std::move(journal);
    sequence_ = journal_.latest_stamp();
    if (!chunks->whole.empty()) sequence_ = std::max(sequence_, chunks->whole.back().sequence);
    const bool same_rules = fresh_ || journal_.rules() == loading.rules;
    if (!same_rules) log_info("what is in cache.file came from other servers, or another version: not read");
    if (same_rules) load_chunks(loading, *chunks, target, stats);
    journal_.forget_hidden();
    removals_.take();  // by load_chunk(): what stands in the file says so already
    prepare(*chunks, same_rules, loading.now);
  } else {
    prepare({}, false, loading.now);
  }
  stats.load_time = clock.precise() - began;
  stats.writing = !failed_;
  *stats_.lock() = stats;
}

void CacheFile::load_chunks(const Loading& loading, const SegmentFile::Chunks& chunks, Target target,
                            CacheFileStats& stats) {
  for (const ChunkPlace& place : chunks.whole) {
    if (place.sequence <= journal_.void_through()) continue;
    if (!file_.read(place, buffer_)) {
      ++stats.dropped_segments;
      continue;
    }
    load_chunk(loading, place.sequence, target, stats);
  }
}

void CacheFile::load_chunk(const Loading& loading, uint64_t sequence, Target target, CacheFileStats& stats) {
  EntryChecker checker(loading.secret, loading.now, loading.longest_lifetime);
  size_t fetched = 0;
  const auto fetch_next = [&] {
    const auto entry = entry_at(buffer_, fetched);
    if (!entry) return;
    target.prefetch(entry->header.hash());
    fetched += size_t{entry->header.granules()} * granule;
  };
  for (int i = 0; i < entries_ahead; ++i) fetch_next();
  for (size_t at = 0; at < buffer_.size();) {
    fetch_next();
    const auto entry = entry_at(buffer_, at);
    if (!entry) return static_cast<void>(++stats.malformed);
    const MutableBytes blob = MutableBytes(buffer_).subspan(
        at + sizeof(EntryHeader) + entry->header.key_size(), entry->header.blob_size());
    at += size_t{entry->header.granules()} * granule;
    if (journal_.hides(entry->header.hash(), sequence)) {
      ++stats.removed;
      continue;
    }
    const EntryFault fault = checker.check(*entry);
    if (fault != EntryFault::none) {
      ++(fault == EntryFault::expired ? stats.expired : stats.malformed);
      if (checker.keyed()) target.remove(checker.key());  // an older one was replaced by it
      continue;
    }
    if (policy_generation(*entry)) set_policy_generation(blob, loading.generation);
    if (target.put(checker.key(), checker.lifetime(), blob)) ++stats.loaded;
  }
}

// Makes the file ready to be written to.
void CacheFile::prepare(const SegmentFile::Chunks& chunks, bool keep, WallTime now) {
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
    executor_->run([this, now] { step(now); });
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

void CacheFile::step(WallTime now) {
  bool more = false;
  attempt([&] {
    more = write_new(now);
    if (more) executor_->run([this, now] { step(now); });
  });
  if (!more || failed_) busy_.store(false);
}

void CacheFile::finish(WallTime now) {
  executor_->run([this, now] {
    attempt([&] {
      while (write_new(now)) {
      }
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

// Whether more is left than one step may write.
bool CacheFile::write_new(WallTime now) {
  write_removals();
  step_octets_ = 0;
  for (; !failed_ && next_segment_ < segments_.size(); ++next_segment_) {
    if (step_octets_ >= most_per_step) return true;
    write_segment(next_segment_, now);
  }
  next_segment_ = 0;
  return false;
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
  for (Segment& segment : segments_) {
    release(segment);
    segment.seen = {};
  }
  next_segment_ = 0;
}

void CacheFile::write_segment(uint32_t number, WallTime now) {
  Segment& segment = segments_[number];
  const SegmentCursor before = segment.seen;
  buffer_.clear();
  const SegmentCursor seen = source_->copy(number, segment.seen, buffer_);
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
