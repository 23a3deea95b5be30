// What a store holds, kept in a file (cache.file): written while the server runs, read when it starts.
//
// Workers never wait for the disk: all writing is on an Executor. What was stored is in the file with the
// next tick, as long as a tick's share is not exceeded, so that it is there after the process was killed; on
// the disk it is when the kernel writes it, after half a minute as a rule, and what was lost or torn by a
// power failure is found by its checksum and dropped. Removals are on the disk (fdatasync) before anybody is
// told that they are done. The file takes a little more than the store's segments.
// docs/design/cache-file.md says why.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/function_ref.h"
#include "base/guarded.h"
#include "cache/chunk_loader.h"
#include "cache/entry_source.h"
#include "cache/removal_journal.h"
#include "cache/removal_log.h"
#include "cache/segment_file.h"

namespace peregrine {

class Random;

struct CacheFileStats {
  // Of the start.
  bool set_aside = false;  // another file was there, and renamed
  bool loading = false;    // what is in the file is being put into the store; the counts below grow
  LoadCounts entries;
  uint64_t damaged_headers = 0;  // a segment, or what follows in it, was dropped for each
  uint64_t damaged_contents = 0;
  uint64_t unknown_removals =
      0;  // whole parts of segments that were dropped, because the journal was damaged
  Duration load_time{};
  // Since then.
  bool writing = false;           // false once the file was given up
  uint64_t segments_written = 0;  // or parts of them
  uint64_t entries_written = 0;
  uint64_t octets_written = 0;
  uint64_t octets_waiting = 0;  // at the last tick: new, and not written for lack of time
  uint64_t removals_written = 0;

  uint64_t dropped_segments() const { return damaged_headers + damaged_contents + unknown_removals; }
};
// What was wrong with the file that was loaded, in one line; empty where it was whole.
std::string damage_text(const CacheFileStats& stats);

// open(), start() and load() in this order, and nothing else before; load() may be a job of start()'s
// executor. The others from any thread.
class CacheFile {
 public:
  // Octets of entries that a tick writes at the most: what is rewritten after a start or a flush does not
  // keep the disk, nor a processor, from others.
  static constexpr uint64_t most_per_tick = 32 << 20;

  // Nothing where the file cannot be had: the reason is in the log, and the server goes on without it.
  static std::unique_ptr<CacheFile> open(const std::string& path, const SegmentFile::Geometry& geometry,
                                         WallTime now, Random& random);
  static SegmentFile::Geometry geometry_for(uint32_t segment_octets, uint32_t segment_count);

  // The seed of the keys' hashes, which must be used.
  const HashKey& hash_key() const { return file_.hash_key(); }

  // From here on `source` is written to the file, once it is loaded. Both outlive this; jobs that wait in
  // `executor` must be run before this goes.
  void start(EntrySource& source, Executor& executor);
  // Puts what the file holds into a store that may be in use already, the oldest first: what the store is
  // given meanwhile stays. Only once.
  void load(const Loading& loading, LoadTarget target);
  // Has load() end soon, on another thread, or not begin. What it has left out stays in the file, and what is
  // stored from then on does not come into it.
  void stop_loading() { stop_loading_.store(true, std::memory_order_relaxed); }
  RemovalLog& removals() { return removals_; }  // the store's: to be set before start()

  // Writes what is new, what was stored last first, up to `most_per_tick`. To be called about twice a second.
  void tick(WallTime now);
  // Calls `done` on the executor's thread when all that was removed is so in the file on the disk.
  void when_removals_are_safe(Job done);
  // Answers older than this generation are under other rules now: nothing that is in the file counts.
  void change_rules(uint64_t rules, uint32_t generation);
  // Writes all that is new and brings it to the disk.
  void finish(WallTime now);

  CacheFileStats stats() const { return *stats_.lock(); }

 private:
  static constexpr uint32_t no_slot = UINT32_MAX;
  struct Segment {
    SegmentCursor seen{};
    SegmentCursor outset{};  // where it was when all began to be written anew
    uint32_t slot = no_slot;
    SlotFill fill{};
  };
  // What a segment has that was not looked at yet.
  struct News {
    uint32_t number = 0;
    uint64_t sequence = 0;
    uint32_t octets = 0;
    bool fresh = false;  // it has changed since the outset
  };
  struct Rules {
    uint64_t fingerprint = 0;
    uint32_t since = 0;
  };

  CacheFile(SegmentFile file, const SegmentFile::Geometry& wanted);
  void load_file(const Loading& loading, LoadTarget target, CacheFileStats& stats);
  bool load_chunks(const Loading& loading, const Chunks& chunks, LoadTarget target, CacheFileStats& stats);
  void prepare(const Chunks& chunks, bool keep, WallTime now);
  void publish(const CacheFileStats& loaded);

  // What a job throws ends the file: with it removals may be lost that were to be written.
  void attempt(FunctionRef<void()> work);
  void step(WallTime now, uint64_t share);
  bool write_new(WallTime now, uint64_t most);
  void set_out();
  std::vector<News> news() const;
  SegmentCursor copy_new(uint32_t number);
  void write_removals();
  void write_segment(uint32_t number, WallTime now);
  uint32_t keep_what_counts();
  void append(Segment& segment, uint32_t count, WallTime now);
  uint32_t take_slot();
  void release(Segment& segment);
  void fail(const char* what, int error);

  SegmentFile file_;
  SegmentFile::Geometry wanted_;
  bool fresh_ = false;   // nothing was in it
  bool loaded_ = false;  // what was in it is in the store: it may be overwritten
  std::atomic<bool> stop_loading_ = false;
  RemovalJournal journal_;
  RemovalLog removals_;
  Guarded<Rules> rules_;
  mutable Guarded<CacheFileStats> stats_;
  std::atomic<bool> busy_ = false;  // a step waits or runs

  // Of the executor's thread, once started.
  EntrySource* source_ = nullptr;
  Executor* executor_ = nullptr;
  uint64_t sequence_ = 0;  // of the last chunk
  std::vector<Segment> segments_;
  uint64_t step_octets_ = 0;
  std::deque<uint32_t> free_slots_;  // in the order in which they became free
  std::deque<uint32_t>
      loaded_slots_;  // what is there was loaded, and not yet written again; the oldest first
  std::vector<uint8_t> buffer_;
  bool failed_ = false;
};

}  // namespace peregrine
