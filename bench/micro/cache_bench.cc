// The stores under answers as nearly all are: one A record, owner names of 30 octets (a key of 38, a blob of
// 38). From a key's hash to the blob's octets copied; puts; both at once; octets of capacity for an entry.
// Times and rates are by the processor time of the threads that work: the machine may do other things
// besides.
#include <benchmark/benchmark.h>
#include <time.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cache/arena_store.h"
#include "cache/mutex_store.h"

using namespace peregrine;

namespace {

constexpr size_t key_size = 38, blob_size = 38, batch = 32;
constexpr uint64_t mebi = 1 << 20;
constexpr Lifetime lifetime{.refresh_at = WallTime{std::chrono::seconds{1'900'000'000}},
                            .expires_at = WallTime{std::chrono::seconds{1'900'000'300}}};

double cpu_seconds() {  // of this thread
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

uint64_t mixed(uint64_t n) {  // splitmix64
  n += 0x9e3779b97f4a7c15;
  n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
  n = (n ^ n >> 27) * 0x94d049bb133111eb;
  return n ^ n >> 31;
}

// Key number n, as a worker has it: in its first-level cache.
class Key {
 public:
  Key() { octets_.fill('x'); }
  StoreKey of(uint64_t n) {
    std::memcpy(octets_.data() + 20, &n, sizeof n);
    return {.octets = Bytes(octets_).first(key_size), .hash = mixed(n)};
  }

 private:
  alignas(64) std::array<uint8_t, 64> octets_;
};

template <class S>
void put(S& store, Key& key, uint64_t n) {
  std::array<uint8_t, blob_size> blob{};
  std::memcpy(blob.data(), &n, sizeof n);
  store.put(key.of(n), lifetime, blob);
}

template <class S>
std::unique_ptr<S> filled(uint64_t capacity, uint64_t entries) {
  auto store = std::make_unique<S>(capacity);
  Key key;
  for (uint64_t n = 0; n < entries; ++n) put(*store, key, n);
  return store;
}

void copy_out(const Hit& hit, std::array<uint8_t, 64>& out) {
  copy_few(out.data(), hit.blob().data(), hit.blob().size());
  benchmark::DoNotOptimize(out);
}

void report(benchmark::State& state, uint64_t looked, uint64_t found) {
  state.SetItemsProcessed(static_cast<int64_t>(looked));
  state.counters["ns"] = benchmark::Counter(static_cast<double>(looked) / 1e9,
                                            benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["hits"] = benchmark::Counter(static_cast<double>(found) / static_cast<double>(looked),
                                              benchmark::Counter::kAvgThreads);
}

// One after the other, nothing prefetched: what a hit costs where all is in the second-level cache.
template <class S>
void find(benchmark::State& state) {
  static std::unique_ptr<S> store;
  const auto entries = static_cast<uint64_t>(state.range(0));
  if (state.thread_index() == 0) store = filled<S>(std::max(entries * 160, 2 * mebi), entries);
  Key key;
  std::array<uint8_t, 64> out;
  uint64_t n = 0, found = 0, looked = 0;
  std::unique_ptr<typename S::Reader> reader;
  for (auto _ : state) {
    if (!reader) reader = std::make_unique<typename S::Reader>(*store);
    for (size_t i = 0; i < batch; ++i, ++looked) {
      n = n + 7 < entries ? n + 7 : n + 7 - entries;
      const Hit hit = reader->find(key.of(n));
      if (!hit) continue;
      copy_out(hit, out);
      ++found;
    }
    reader->quiet();
  }
  reader.reset();
  report(state, looked, found);
}

// A round of a worker: 32 keys at random.
template <class S>
class Round {
 public:
  Round(S& store, uint64_t entries, uint64_t seed) : reader_(store), entries_(entries), random_(seed) {}
  uint64_t run() {
    std::array<StoreKey, batch> asked;
    for (size_t i = 0; i < batch; ++i) {
      asked[i] = keys_[i].of(mixed(random_++) % entries_);
      reader_.prefetch(asked[i].hash);
    }
    for (const StoreKey& key : asked) reader_.prefetch_entry(key.hash);
    uint64_t found = 0;
    for (const StoreKey& key : asked) {
      const Hit hit = reader_.find(key);
      if (!hit) continue;
      copy_out(hit, out_);
      ++found;
    }
    reader_.quiet();
    return found;
  }

 private:
  typename S::Reader reader_;
  uint64_t entries_, random_;
  std::array<Key, batch> keys_;
  std::array<uint8_t, 64> out_;
};

template <class S>
void find_batched(benchmark::State& state) {
  static std::unique_ptr<S> store;
  const auto entries = static_cast<uint64_t>(state.range(0));
  if (state.thread_index() == 0) {
    store.reset();
    store = filled<S>(std::max(entries * (std::is_same_v<S, ArenaStore> ? 128 : 200), 8 * mebi), entries);
  }
  std::unique_ptr<Round<S>> round;
  uint64_t looked = 0, found = 0;
  for (auto _ : state) {
    if (!round)
      round = std::make_unique<Round<S>>(*store, entries, static_cast<uint64_t>(state.thread_index()) << 40);
    found += round->run();
    looked += batch;
  }
  report(state, looked, found);
  round.reset();
}

// Reads as above, alone and while another thread puts new keys as fast as it can; range(1): whether it does.
template <class S>
void find_beside_writer(benchmark::State& state) {
  const auto entries = static_cast<uint64_t>(state.range(0));
  const std::unique_ptr<S> store = filled<S>(entries * 128, entries);
  std::atomic<bool> stop = false;
  double rate = 0;  // puts a second
  std::thread writer;
  if (state.range(1)) {
    writer = std::thread([&] {
      Key key;
      uint64_t n = uint64_t{1} << 32;
      for (; !stop.load(std::memory_order_relaxed); ++n) put(*store, key, n);
      rate = static_cast<double>(n - (uint64_t{1} << 32)) / cpu_seconds();
    });
  }
  uint64_t looked = 0, found = 0;
  {
    Round<S> round(*store, entries, 1);
    for (auto _ : state) found += round.run(), looked += batch;
  }
  report(state, looked, found);
  if (!writer.joinable()) return;
  stop = true;
  writer.join();
  state.counters["puts/s"] = rate;
}

// New keys into a full store: each puts out another.
template <class S>
void put_new(benchmark::State& state) {
  const auto capacity = static_cast<uint64_t>(state.range(0)) * mebi;
  const std::unique_ptr<S> store = filled<S>(capacity, capacity / 100);
  Key key;
  uint64_t n = uint64_t{1} << 32;
  for (auto _ : state) put(*store, key, n++);
  state.SetItemsProcessed(static_cast<int64_t>(n - (uint64_t{1} << 32)));
  const StoreStats stats = store->stats();
  state.counters["octets/entry"] = static_cast<double>(stats.capacity) / static_cast<double>(stats.entries);
  state.counters["crowded"] =
      static_cast<double>(stats.evicted_crowded) / static_cast<double>(stats.inserted);
}

constexpr int64_t small = 4'000, large = 10'000'000, medium = 1'000'000;

BENCHMARK(find<ArenaStore>)->Arg(small)->Threads(1)->Threads(2);
BENCHMARK(find<MutexStore>)->Arg(small)->Threads(1)->Threads(2);
BENCHMARK(find_batched<ArenaStore>)->Arg(medium)->Arg(large)->Threads(1)->Threads(2);
BENCHMARK(find_batched<MutexStore>)->Arg(medium)->Threads(1)->Threads(2);
BENCHMARK(find_beside_writer<ArenaStore>)->Args({medium, 0})->Args({medium, 1});
BENCHMARK(find_beside_writer<MutexStore>)->Args({medium, 0})->Args({medium, 1});
BENCHMARK(put_new<ArenaStore>)->Arg(16)->Arg(256);
BENCHMARK(put_new<MutexStore>)->Arg(16)->Arg(256);

}  // namespace

BENCHMARK_MAIN();
