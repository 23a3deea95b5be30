// Stores with a cache file, and answers that tell whether they are whole.
#pragma once

#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.h"
#include "base/random.h"
#include "cache/answer.h"
#include "cache/arena_entries.h"
#include "cache/cache_file.h"
#include "cache/cache_support.h"
#include "support/temp_dir.h"

namespace peregrine {

// Runs jobs when told to, on the thread that says so.
class QueuedExecutor final : public Executor {
 public:
  void run(Job job) override { jobs_.push_back(std::move(job)); }
  void run_all() {
    while (!jobs_.empty()) {
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      job();
    }
  }

 private:
  std::deque<Job> jobs_;
};

Octets contents(const std::string& path);
void overwrite(const std::string& path, const Octets& octets);

AnswerKey numbered_key(uint64_t number, const HashSecret& secret);

// An answer whose every octet follows from what it is of, its version and its size.
struct NumberedAnswer {
  uint64_t number = 0;
  uint64_t version = 0;
  WallTime stored_at{};
  uint32_t generation = 1;
  size_t size = 120;  // of the blob; at least 64
};
Octets blob_of(const NumberedAnswer& answer);
// What is in a blob; nothing where an octet is another.
std::optional<NumberedAnswer> read_numbered(Bytes blob);

constexpr WallTime file_now = at(1'800'000'000);

// A store and its file, as in a server.
struct FiledStore {
  struct Options {
    std::string path;
    uint64_t capacity = 4 << 20;
    uint64_t rules = 1;
    WallTime now = file_now;
    uint32_t generation = 1;
    uint64_t seed = 1;  // of the secrets, where the file is new
    bool load = true;   // at once
  };
  explicit FiledStore(const Options& given);
  void load();
  bool put(const NumberedAnswer& answer, std::chrono::seconds keep = std::chrono::hours{1});
  std::optional<NumberedAnswer> find(uint64_t number);  // throws where the blob is not whole
  uint64_t present(uint64_t end);  // how many of the numbers before `end` are there; throws as find() does
  bool remove(uint64_t number);
  void tick(WallTime now = file_now);
  void finish(WallTime now = file_now);
  CacheFileStats stats() const { return file->stats(); }

  Options options;
  std::function<void(const StoreKey& key)> before_put{};  // of load()
  ArenaStore store;
  QueuedExecutor executor;
  std::unique_ptr<CacheFile> file;  // null where it could not be had
  std::unique_ptr<HashSecret> secret;
  std::unique_ptr<ArenaEntries> entries;
  ArenaStore::Reader reader;  // offline
};

}  // namespace peregrine
