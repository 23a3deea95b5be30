// A worker on the Memory engine that has the answer to every query it gets: what benchmarks of the hit path
// run.
#pragma once

#include <memory>
#include <vector>

#include "base/flags.h"
#include "exact.h"
#include "inputs.h"
#include "server/worker.h"

namespace peregrine::exact {

inline constexpr size_t batch = 32;

class NoNetwork final : public Network {
  Result<std::unique_ptr<UdpPort>> open_udp(Family, uint16_t, DatagramHandler&) override {
    return std::unexpected(Error::network);
  }
  Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint&, Instant) override {
    co_return std::unexpected(Error::unreachable);
  }
};

inline Snapshot snapshot() {
  const LoadedConfig loaded =
      load_config({.file_name = "exact",
                   .file_text = "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.1\"]\n",
                   .unreadable = {},
                   .environment = {},
                   .set = {}});
  require(loaded.errors.empty(), "the configuration is wrong");
  Snapshot made = make_snapshot(loaded.config, {});
  made.cookies = std::make_shared<const CookieSecrets>(fixed_cookie_secrets());
  return made;
}

// The techniques that a worker may go without.
struct Techniques {
  bool zero_copy_parsing = true;
  bool pooled_slots = true;
};

// As the server takes them from its flags.
inline Techniques techniques_of(const FlagSet& flags) {
  return {.zero_copy_parsing = flags.on(Flag::zero_copy_parsing),
          .pooled_slots = flags.on(Flag::thread_local_buffers)};
}

// A worker, and the answers to all its queries in a store that it may share. One thread.
template <Store S>
struct HitWorld {
  HitWorld(S& store, Opt opt, const Techniques& techniques = {})
      : all(queries(opt)),
        worker(World{clock, timers, network, random, counters, latency, secret, techniques.zero_copy_parsing},
               store, snapshot(), {}) {
    MemoryEngine engine({.batch = batch, .pooled_slots = techniques.pooled_slots}, counters);
    engine.keep_sent(false);
    worker.add(std::move(engine));
    AnswerCache<S> cache(store);
    std::vector<uint8_t> scratch(max_blob);
    for (unsigned i = 0; i < name_count; ++i) {
      const DnameBuf qname = name(i);
      const auto message = answer(qname);
      const auto kept = cache.put(key(qname, opt, secret), MessageView::parse(message).value(), clock.wall(),
                                  worker.service().snapshot().generation, {}, scratch);
      require(kept.has_value(), "an answer was not kept");
    }
  }

  // A batch of queries, those from `first` on.
  void deliver(size_t first) {
    for (size_t i = first; i < first + batch; ++i) worker.engine(0).deliver(peer, all[i % all.size()]);
  }

  std::vector<std::vector<uint8_t>> all;
  VirtualClock clock;
  Timers timers{clock.now()};
  NoNetwork network;
  Random random = Random::from_seed(1);
  Counters counters;
  Histogram latency;
  HashSecret secret = fixed_secret();
  Worker<MemoryEngine, S> worker;
  PeerAddress peer{client()};
};

}  // namespace peregrine::exact
