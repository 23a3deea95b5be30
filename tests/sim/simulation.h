// One run: a worker on a virtual clock between clients and servers that are simulated, all of it from one
// seed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/arena_store.h"
#include "server/worker.h"
#include "sim/clients.h"
#include "sim/internet.h"

namespace peregrine::sim {

enum class Weather : uint8_t {
  clear,   // all works: every question must be answered
  rain,    // a packet is lost here and there
  storm,   // everything goes wrong that can
  attack,  // forged replies to most queries
};

struct Options {
  std::optional<Weather> weather{};  // else by the seed
  unsigned queries = 150;            // about; over UDP
  bool verbose = false;              // the trace on standard error
  bool insider = false;              // the forger sees what was sent: the oracle must notice
};

struct Report {
  std::optional<std::string> wrong;  // the first thing
  uint64_t trace_hash = 0;
  Weather weather = Weather::clear;
  Oracle::Tally replies{};
  Internet::Tally internet{};
  uint64_t queries = 0, cache_hits = 0, joined = 0, mismatched = 0, over_tcp = 0, reloads = 0;
};

class Simulation {
 public:
  Simulation(uint64_t seed, const Options& options);
  Report run();

 private:
  // How a run ends.
  enum class Ending : uint8_t {
    rest,     // when all is answered
    drain,    // in the middle: what runs may end
    give_up,  // in the middle: what runs gets SERVFAIL
  };
  struct Plan {
    Weather weather;
    Duration length;  // of the clients' asking
    Faults faults;
    Config config;
    Ending ending;
    unsigned names, wall_steps, reloads, sessions;
  };
  using TestWorker = Worker<MemoryEngine, ArenaStore>;

  static Plan make_plan(Dice& dice, const Options& options);
  static Faults make_faults(Weather weather, Dice& dice);
  static Config make_config(Dice& dice);
  static Duration longest_flight(const Faults& faults);
  Snapshot next_snapshot();

  void schedule();
  void schedule_sessions();
  void burst();
  void ask(const ClientQuery& query);
  UdpClients::Sender sender();
  void open_session();
  void reload();
  void stop();

  void run_until(Instant end);
  bool come_to_rest();
  void step_to(Instant when);
  void pump();
  void sweep_cache();
  void ask_after_the_end();
  void check_rest();

  const uint64_t seed_;
  Dice dice_;
  Options options_;
  Plan plan_;
  Stage stage_;
  Truth truth_;
  Internet internet_;
  Oracle oracle_;
  QueryMaker maker_;
  UdpClients udp_clients_;
  std::vector<std::shared_ptr<TcpClient>> tcp_clients_;
  Counters counters_;
  Histogram latency_;
  Random random_;
  ArenaStore store_;
  HashSecret hash_secret_;
  uint32_t generation_ = 0;
  Snapshot snapshot_;
  Duration patience_{};
  TestWorker worker_;
};

}  // namespace peregrine::sim
