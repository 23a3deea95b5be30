// Do workers that share one store hold each other up? Each thread answers from the cache on a Memory engine
// of its own; where nothing is shared but what is only read, two threads answer twice as much as one.
#include <benchmark/benchmark.h>

#include <memory>
#include <thread>

#include "cache/arena_store.h"
#include "cache/mutex_store.h"
#include "hit_world.h"

namespace peregrine::exact {
namespace {

template <Store S>
std::unique_ptr<S> shared;

template <Store S>
void make_store(const benchmark::State&) {
  shared<S> = std::make_unique<S>(64 << 20);
}

template <Store S>
void answers(benchmark::State& state) {
  use_kernels(best_kernels());
  HitWorld<S> world(*shared<S>, Opt::edns);
  size_t next = 0;
  for (auto _ : state) {
    world.deliver(next);
    world.worker.serve(0);
    next = (next + batch) % name_count;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch));
}

const int cores = static_cast<int>(std::thread::hardware_concurrency());

BENCHMARK(answers<MutexStore>)->Setup(make_store<MutexStore>)->ThreadRange(1, cores)->UseRealTime();
BENCHMARK(answers<ArenaStore>)->Setup(make_store<ArenaStore>)->ThreadRange(1, cores)->UseRealTime();

}  // namespace
}  // namespace peregrine::exact

BENCHMARK_MAIN();
