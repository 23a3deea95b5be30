// cache.file of a running server: loaded when it starts, by a thread of its own, and written to from then on.
#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>

#include "base/executor.h"
#include "cache/arena_entries.h"
#include "cache/cache_file.h"
#include "io/loop.h"
#include "server/sources.h"

namespace peregrine {

// On the thread of the loop, which outlives it, as the store does.
class StoreFile {
 public:
  // Null where it cannot be had: the reason is in the log. Before anybody uses the store.
  static std::unique_ptr<StoreFile> open(const std::string& path, ArenaStore& store, Loop& loop);
  // Brings what is new to the disk, where all was loaded. Nobody may use the store any more.
  ~StoreFile();

  const HashKey& hash_key() const { return file_->hash_key(); }
  // Begins to read what is in the file, and writes to it from then on. Answers from `sources` get
  // `generation`; what came from others is left out. Nothing is good for longer than `longest_ttl` after
  // it was stored. Returns when all is read, or after a second: the store may be used then.
  void start(std::shared_ptr<const HashSecret> secret, const Sources& sources, uint32_t generation,
             std::chrono::seconds longest_ttl);
  // Before a flush of the store, which must not run while entries come from the file. On any thread but that
  // of the loop and workers.
  void wait_until_loaded() const { loaded_.wait(); }
  // Has loading end soon, whatever is left. Thread-safe.
  void stop_loading() { file_->stop_loading(); }
  // Other servers than before are asked since `generation`. Before the workers know it.
  void adopt(const Sources& sources, uint32_t generation);
  // After a flush of the store, on any thread: calls `done` on another thread when nothing that was there
  // before can come back. What the store has evicted, and a flush could not see, is forgotten.
  void settle_flush(Job done);
  CacheFileStats stats() const { return file_->stats(); }

 private:
  StoreFile(std::unique_ptr<CacheFile> file, ArenaStore& store, Loop& loop);
  void load(const Loading& loading);
  void tick();

  ArenaStore& store_;
  Loop& loop_;
  std::unique_ptr<CacheFile> file_;
  ArenaEntries entries_;
  std::shared_future<void> loaded_;
  std::unique_ptr<Executor> executor_;
  Timer timer_;
  uint64_t rules_ = 0;
};

// What entries depend on and do not say: the same for the same sources of the same zones, and the same
// version of this server.
uint64_t rules_of(const Sources& sources);

}  // namespace peregrine
