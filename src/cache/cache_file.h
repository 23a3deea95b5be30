// What a store holds, kept in a file (cache.file): written while the server runs, read when it starts.
//
// Workers never wait for the disk: all writing is on an Executor. What was stored is in the file within a
// second, so that it is there after the process was killed; on the disk it is when the kernel writes it,
// after half a minute as a rule, and what was lost or torn by a power failure is found by its checksum and
// dropped. Removals are on the disk (fdatasync) before anybody is told that they are done. The file takes a
// little more than the store's segments. docs/design/cache-file.md says why.
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
#include "cache/entry_source.h"
#include "cache/removal_journal.h"
#include "cache/removal_log.h"
#include "cache/segment_file.h"
#include "cache/store.h"
#include "simd/kernels.h"

namespace peregrine {

class Random;

struct CacheFileStats {
  // Of the start.
  bool set_aside = false;         // another file was there, and renamed
  uint64_t loaded = 0;            // entries, older ones of the same key with them
  uint64_t expired = 0;           // entries
  uint64_t removed = 0;           // entries that were removed after they had been written
  uint64_t malformed = 0;         // entries dropped, those from the future with them
  uint64_t dropped_segments = 0;  // damaged, or not written to their ends
  Duration load_time{};
  // Since then.
  bool writing = false;           // false once the file was given up
  uint64_t segments_written = 0;  // or parts of them
  uint64_t entries_written = 0;
  uint64_t octets_written = 0;
  uint64_t removals_written = 0;
};

// open(), load() and start() in this order on one thread, the others from any.
class CacheFile {
 public:
  // Nothing where the file cannot be had: the reason is in the log, and the server goes on without it.
  static std::unique_ptr<CacheFile> open(const std::string& path, const SegmentFile::Geometry& geometry,
                                         WallTime now, Random& random);
  static SegmentFile::Geometry geometry_for(uint32_t segment_octets, uint32_t segment_count);

  // The seed of the keys' hashes, which must be used.
  const HashKey& hash_key() const { return file_.hash_key(); }

  // The store to load into.
  struct Target {
    FunctionRef<void(uint64_t hash)> prefetch;  // of a key that is put soon
    FunctionRef<bool(const StoreKey& key, const Lifetime& lifetime, Bytes blob)> put;
    FunctionRef<void(const StoreKey& key)> remove;  // may write it down in removals()
  };
  struct Loading {
    const HashSecret& secret;  // of hash_key()
    WallTime now;
    uint64_t rules;       // a fingerprint of what entries depend on: nothing is loaded that was under others
    uint32_t generation;  // answers get this policy generation
    // Nothing is good for longer after it was stored, whatever the file says of it.
    std::chrono::seconds longest_lifetime = std::chrono::days{7};
  };
  // Puts what the file holds into a store, the oldest first.
  void load(const Loading& loading, Target target);

  // From here on `source` is written to the file. Both outlive this; jobs that wait in `executor` must be run
  // before this goes.
  void start(EntrySource& source, Executor& executor);
  RemovalLog& removals() { return removals_; }  // the store's: to be set before start()

  // Writes what is new. To be called about once a second.
  void tick(WallTime now);
  // Calls `done` on the executor's thread when all that was removed is so in the file on the disk.
  void when_removals_are_safe(Job done);
  // Answers older than this generation are under other rules now: nothing that is in the file counts.
  void change_rules(uint64_t rules, uint32_t generation);
  // Writes what is new and brings it to the disk.
  void finish(WallTime now);

  CacheFileStats stats() const { return *stats_.lock(); }

 private:
  static constexpr uint32_t no_slot = UINT32_MAX;
  struct Segment {
    SegmentCursor seen{};
    uint32_t slot = no_slot;
    SlotFill fill{};
  };
  struct Rules {
    uint64_t fingerprint = 0;
    uint32_t since = 0;
  };

  CacheFile(SegmentFile file, const SegmentFile::Geometry& wanted);
  void load_chunks(const Loading& loading, const SegmentFile::Chunks& chunks, Target target,
                   CacheFileStats& stats);
  void load_chunk(const Loading& loading, uint64_t sequence, Target target, CacheFileStats& stats);
  void prepare(const SegmentFile::Chunks& chunks, bool keep, WallTime now);

  // What a job throws ends the file: with it removals may be lost that were to be written.
  void attempt(FunctionRef<void()> work);
  void step(WallTime now);
  bool write_new(WallTime now);
  void write_removals();
  void write_segment(uint32_t number, WallTime now);
  uint32_t keep_what_counts();
  void append(Segment& segment, uint32_t count, WallTime now);
  uint32_t take_slot();
  void release(Segment& segment);
  void fail(const char* what, int error);

  SegmentFile file_;
  SegmentFile::Geometry wanted_;
  bool fresh_ = false;  // nothing was in it
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
  uint32_t next_segment_ = 0;
  uint64_t step_octets_ = 0;
  std::deque<uint32_t> free_slots_;  // in the order in which they became free
  std::deque<uint32_t>
      loaded_slots_;  // what is there was loaded, and not yet written again; the oldest first
  std::vector<uint8_t> buffer_;
  bool failed_ = false;
};

}  // namespace peregrine
