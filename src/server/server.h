// The supervisor: opens the sockets, starts the workers, reloads, stops. Its own thread runs a loop for
// signals, the control socket and reloads; it never answers a query.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/any_store.h"
#include "config/config.h"
#include "io/loop.h"
#include "server/host.h"
#include "server/store_file.h"
#include "server/worker_thread.h"

namespace peregrine {

// What a reload did, for the log and for who asked.
struct ReloadReport {
  bool accepted = false;
  std::vector<std::string> errors;        // why not: the running configuration stays as it was
  std::vector<std::string> need_restart;  // keys whose new values wait for a restart
};

struct ServerStatus {
  std::string version;
  unsigned pid = 0;
  Duration uptime{};
  std::vector<std::string> listening;  // "udp://127.0.0.1:1053", ...
  std::vector<ForwardTable::Zone> forwarding;
  bool recursion = false;  // names in none of these are resolved from the root
  unsigned workers = 0;
  uint32_t generation = 0;
  std::array<uint64_t, counter_count> counters{};  // summed over the workers, by Counter
  StoreStats cache;
  std::optional<CacheFileStats> cache_file;  // none without one
  Duration resolved_p50{}, resolved_p99{};   // time to answer what was not in the cache
  FlagSet flags;
};

class Server {
 public:
  // Where a reload gets the configuration from. Called on a background thread.
  using Loader = std::function<LoadedConfig()>;

  // Opens the sockets, drops privileges, starts the workers. Throws ListenError, StartError,
  // std::system_error. Signals must be blocked before (block_signals), so that no worker takes them.
  Server(Config config, Loader loader);
  ~Server();

  static void block_signals();  // SIGINT, SIGTERM, SIGHUP: taken by run(); SIGPIPE and SIGXFSZ ignored
  void run();                   // until SIGINT, SIGTERM or stop(); then drains
  Loop& loop() { return loop_; }

  // All below on the thread of run().
  void reload(std::function<void(const ReloadReport&)> done);  // `done` is called later on the same thread
  void stop();
  ServerStatus status() const;
  const Config& config() const { return config_; }
  const std::string& state_dir() const { return state_dir_; }
  std::vector<WorkerThread*> workers() const;
  // For work that takes long; jobs run one after another. They may use cache() and flushes(), which outlive
  // them.
  void run_in_background(Job job) { background_->run(std::move(job)); }
  // The same for work that may have to wait for who asked for it. What it returns is run when the next such
  // work may begin. False where one is under way.
  bool inspect(std::move_only_function<Job()> work);
  AnyStore& cache() { return *cache_; }            // thread-safe
  FlushGeneration& flushes() { return flushes_; }  // of the cache; thread-safe
  // Before a flush of the cache: waits until nothing comes into it from cache.file any more. For a thread of
  // the background.
  void prepare_flush();
  // After a flush of the cache: calls `done`, on any thread, when what was flushed cannot come back with a
  // restart either. Thread-safe.
  void settle_flush(Job done);

 private:
  struct Signals;
  void open_cache_file(std::vector<WorkerPlan>& plans);
  void open_sockets(std::vector<WorkerPlan>& plans);
  void open_address(const ListenAddress& listen, std::vector<WorkerPlan>& plans);
  void start_workers(std::vector<WorkerPlan> plans);
  ReloadReport apply(const LoadedConfig& loaded, std::vector<Endpoint> system_servers, const OwnZones& own);
  void drain_workers();

  Config config_;
  Loader loader_;
  std::string state_dir_;
  SystemClock clock_;
  Instant started_;
  Loop loop_;
  std::unique_ptr<Executor> background_, inspector_;
  std::atomic<bool> inspecting_ = false;
  SharedStore store_;
  std::unique_ptr<AnyStore> cache_;        // of store_
  std::unique_ptr<StoreFile> store_file_;  // null without cache.file
  FlushGeneration flushes_;
  std::vector<std::string> listening_;
  Snapshot snapshot_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  std::unique_ptr<Signals> signals_;
  uint64_t reloads_ = 0;
  bool stopping_ = false;
};

// Keeps of `wanted` what a running server can change, and of `running` the rest.
Config merge_live(const Config& running, const Config& wanted);

}  // namespace peregrine
