// The whole way of a query that the cache answers, from receive() to flush(), on the Memory engine. That
// engine's copy of each query into its slot is part of the count.
#include "cache/arena_store.h"
#include "cache/mutex_store.h"
#include "hit_world.h"

namespace peregrine::exact {
namespace {

constexpr size_t measured_rounds = 3;  // over all names

template <Store S>
void measure(Meter& meter, Opt opt, const Techniques& techniques) {
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

template <Store S, Opt opt, Techniques techniques = Techniques{}>
void hit(Meter& meter) {
  measure<S>(meter, opt, techniques);
}

FlagSet by_default() { return {}; }

template <bool value>
FlagSet every_flag() {
  FlagSet flags;
  for (const FlagRow& row : flag_rows()) flags.set(row.flag, value, Origin::command_line);
  return flags;
}

template <FlagSet (*make_flags)(), Opt opt>
void hit_by_flags(Meter& meter) {
  const FlagSet flags = make_flags();
  const auto run = flags.on(Flag::lock_free_cache) ? measure<ArenaStore> : measure<MutexStore>;
  run(meter, opt, techniques_of(flags));
}

template <FlagSet (*make_flags)()>
void add_flags(std::vector<Benchmark>& benchmarks, const std::string& flags) {
  const bool scalar_only = !make_flags().wanted(Flag::simd);
  benchmarks.push_back({"hit_plain." + flags, hit_by_flags<make_flags, Opt::none>, scalar_only});
  benchmarks.push_back({"hit_do." + flags, hit_by_flags<make_flags, Opt::dnssec_ok>, scalar_only});
  benchmarks.push_back({"hit_cookie." + flags, hit_by_flags<make_flags, Opt::cookie>, scalar_only});
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
  exact::add_flags<exact::by_default>(benchmarks, "default");
  exact::add_flags<exact::every_flag<true>>(benchmarks, "all_on");
  exact::add_flags<exact::every_flag<false>>(benchmarks, "all_off");
  return exact::exact_main(argc, argv, benchmarks);
}
