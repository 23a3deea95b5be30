// A Worker on a thread, a loop and real sockets of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/buffer_pool.h"
#include "base/executor.h"
#include "cache/arena_store.h"
#include "cache/mutex_store.h"
#include "server/explanation.h"
#include "server/service.h"

namespace peregrine {

// What a worker is given. The sockets were opened by a supervisor, which may keep duplicates.
struct WorkerPlan {
  struct UdpSocket {
    Fd fd;
    bool wildcard = false;
  };
  unsigned index = 0;
  std::vector<UdpSocket> udp;
  std::vector<Fd> tcp;
  unsigned batch = 32;
  bool pooled_buffers = true;  // flags.thread_local_buffers
  BufferLimits buffers{};      // what the thread keeps, with that flag
  int cpu = -1;                // pinned to it; -1: not pinned
  ExchangeOptions exchange;
  bool zero_copy_parsing = true;
  FlushGeneration* flushes = nullptr;               // of the store
  std::shared_ptr<const HashSecret> hash_secret{};  // never null once there
  Snapshot snapshot;
};

// What one worker knows of a server that it asks.
struct UpstreamStatus {
  Endpoint server;
  UpstreamHealth health;
  bool resting = false;
};

class WorkerThread {
 public:
  virtual ~WorkerThread() = default;  // joins; call drain() before
  virtual void start() = 0;
  // All below are thread-safe.
  virtual void adopt(Snapshot snapshot) = 0;  // the old one is released on the reclaimer
  virtual void drain(Duration limit) = 0;     // takes no more, answers what it has within `limit`, ends
  virtual void inspect_upstreams(
      std::function<void(std::vector<UpstreamStatus>)> then) = 0;  // called on the worker's thread
  // Answers as it would now, and says how; nothing where too many of these are under way. Called on the
  // worker's thread.
  virtual void explain(ExplainRequest request, std::function<void(std::optional<Explanation>)> then) = 0;
  virtual const Counters& counters() const = 0;
  virtual const Histogram& latency() const = 0;
};

// The store of all workers: which, the flag lock_free_cache decides.
using SharedStore = std::variant<std::unique_ptr<MutexStore>, std::unique_ptr<ArenaStore>>;

// The one switch over engines and stores. Throws std::system_error where the kernel refuses what a loop
// needs.
std::unique_ptr<WorkerThread> make_worker_thread(WorkerPlan plan, const FlagSet& flags,
                                                 const SharedStore& store, Executor& reclaimer);

}  // namespace peregrine
