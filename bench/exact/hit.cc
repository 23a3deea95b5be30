// The whole way of a query that the cache answers, from receive() to flush(), on the Memory engine. That
// engine's copy of each query into its slot is part of the count.
#include "cache/arena_store.h"
#include "cache/mutex_store.h"
#include "hit_world.h"

namespace peregrine::exact {
namespace {

constexpr size_t measured_rounds = 3;  // over all names

template <Store S, Opt opt, Techniques techniques = Techniques{}>
void hit(Meter& meter) {
  S store(64 << 20);
  HitWorld<S> bench(store, opt, techniques);
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
  benchmarks.push_back({"hit_cookie." + store, hit<S, Opt::cookie>});
  // The baselines of two flags: zero_copy_parsing and thread_local_buffers.
  benchmarks.push_back({"hit_owned." + store, hit<S, Opt::none, Techniques{.zero_copy_parsing = false}>});
  benchmarks.push_back({"hit_unpooled." + store, hit<S, Opt::none, Techniques{.pooled_slots = false}>});
}

}  // namespace
}  // namespace peregrine::exact

int main(int argc, char** argv) {
  using namespace peregrine;
  std::vector<exact::Benchmark> benchmarks;
  exact::add<MutexStore>(benchmarks, "mutex");
  exact::add<ArenaStore>(benchmarks, "arena");
  return exact::exact_main(argc, argv, benchmarks);
}
