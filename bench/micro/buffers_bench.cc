// Buffers taken and given back, by size: of the thread's pool, and new ones each time, which is the baseline
// of the flag thread_local_buffers. `one`: one after the other; `sixteen`: as many are held at once. Each is
// written to, as whoever takes one will.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <thread>

#include "base/buffer_pool.h"

using namespace peregrine;

namespace {

using Allocator = PoolAllocator<uint8_t>;

template <size_t held>
void acquire_release(benchmark::State& state, const BufferLimits& limits, size_t size) {
  BufferPool& pool = BufferPool::of_this_thread();
  pool.limits(limits);
  std::array<uint8_t*, held> buffers{};
  while (state.KeepRunningBatch(held)) {
    for (uint8_t*& buffer : buffers) {
      buffer = Allocator().allocate(size);
      benchmark::DoNotOptimize(buffer);
      *buffer = 1;
      benchmark::ClobberMemory();
    }
    for (uint8_t* buffer : buffers) Allocator().deallocate(buffer, size);
  }
  if (pool.kept(size) < (limits == BufferLimits{} ? held : 0)) state.SkipWithError("the pool kept too few");
  pool.limits({.small = 0, .medium = 0, .large = 0});
}

template <size_t held>
void add(const std::string& what) {
  const int threads = static_cast<int>(std::thread::hardware_concurrency());
  for (const size_t size : BufferPool::sizes) {
    const auto add_one = [&](const char* from, const BufferLimits& limits) {
      const std::string name = "buffers/" + what + "/" + from + "/" + std::to_string(size);
      benchmark::RegisterBenchmark(name.c_str(), acquire_release<held>, limits, size)
          ->ThreadRange(1, threads);
    };
    add_one("pool", {});
    add_one("new", {.small = 0, .medium = 0, .large = 0});
  }
}

}  // namespace

int main(int argc, char** argv) {
  add<1>("one");
  add<16>("sixteen");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
