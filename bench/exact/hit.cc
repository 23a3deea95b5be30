// The whole way of a query that the cache answers, from receive() to flush(), on the Memory engine. That
// engine's copy of each query into its slot is part of the count.
#include "cache/mutex_store.h"
#include "exact.h"
#include "inputs.h"
#include "server/worker.h"

namespace peregrine::exact {
namespace {

constexpr size_t batch = 32;
constexpr size_t measured_rounds = 3;  // over all names

class NoNetwork final : public Network {
  Result<std::unique_ptr<UdpPort>> open_udp(Family, uint16_t, DatagramHandler&) override {
    return std::unexpected(Error::network);
  }
  Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint&, Instant) override {
    co_return std::unexpected(Error::unreachable);
  }
};

Snapshot snapshot() {
  const LoadedConfig loaded =
      load_config({.file_name = "exact",
                   .file_text = "[[forward]]\nzone = \".\"\nservers = [\"192.0.2.1\"]\n",
                   .unreadable = {},
                   .environment = {},
                   .set = {}});
  require(loaded.errors.empty(), "the configuration is wrong");
  return make_snapshot(loaded.config, {});
}

// A worker whose store holds the answers to all queries.
template <Store S>
struct Bench {
  explicit Bench(Opt opt)
      : all(queries(opt)),
        worker(World{clock, timers, network, random, counters, latency, secret}, store, snapshot(), {}) {
    MemoryEngine engine({.batch = batch}, counters);
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
  S store{64 << 20};
  Worker<MemoryEngine, S> worker;
  PeerAddress peer{Endpoint::parse("127.0.0.1:4000", 0).value()};
};

template <Store S, Opt opt>
void hit(Meter& meter) {
  Bench<S> bench(opt);
  // The first round takes the memory that a steady state takes no more.
  for (size_t i = 0; i < name_count; i += batch) bench.deliver(i), bench.worker.serve(0);
  const uint64_t before = bench.counters.get(Counter::cache_hits);
  for (size_t i = 0; i < measured_rounds * name_count; i += batch) {
    bench.deliver(i);
    meter.count(batch, [&] { bench.worker.serve(0); });
  }
  require(bench.counters.get(Counter::cache_hits) - before == meter.operations(),
          "not every query was a hit");
  require(bench.worker.engine(0).sent_count() == bench.counters.get(Counter::udp_queries),
          "a reply is missing");
}

template <Store S>
void add(std::vector<Benchmark>& benchmarks, const std::string& store) {
  benchmarks.push_back({"hit_plain." + store, hit<S, Opt::none>});
  benchmarks.push_back({"hit_edns." + store, hit<S, Opt::edns>});
  benchmarks.push_back({"hit_do." + store, hit<S, Opt::dnssec_ok>});
}

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  using namespace peregrine;
  std::vector<exact::Benchmark> benchmarks;
  exact::add<MutexStore>(benchmarks, "mutex");
  return exact::exact_main(argc, argv, benchmarks);
}
