// The stores under answers as nearly all are: one A record, owner names of 30 octets (a key of 38, a blob of
// 38). From a key's hash to the blob's octets copied; puts; both at once; octets of capacity for an entry.
// Nanoseconds for each look-up or put, keys at random, whose making is `find/no_store`. By the processor time
// of the threads that work: the machine may do other things besides.
#include <benchmark/benchmark.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "cache/arena_store.h"
#include "cache/mutex_store.h"

using namespace peregrine;

namespace {

constexpr size_t key_size = 38, blob_size = 38, batch = 32;
constexpr uint64_t mebi = 1 << 20;
constexpr uint64_t small = 4'000, medium = 1'000'000, large = 10'000'000;  // entries
constexpr uint64_t never_put = uint64_t{1} << 48;  // keys from here on are in no store
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

// Numbers of keys, drawn from `entries` that follow `first`.
struct Draw {
  uint64_t first, entries, seed;
  uint64_t next() { return first + static_cast<uint64_t>((wide{mixed(seed++)} * entries) >> 64); }
  __extension__ using wide = unsigned __int128;
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

// The store that benchmarks one after the other share; one of other sizes takes its place.
template <class S>
S& shared(uint64_t capacity, uint64_t entries) {
  static std::unique_ptr<S> store;
  static uint64_t has_capacity, has_entries;
  if (!store || has_capacity != capacity || has_entries != entries) {
    store.reset();
    store = filled<S>(capacity, entries);
    has_capacity = capacity, has_entries = entries;
  }
  return *store;
}

// For `entries`, with room to spare.
template <class S>
uint64_t capacity_for(uint64_t entries) {
  return std::max(entries * (std::is_same_v<S, ArenaStore> ? 128 : 200), 2 * mebi);
}

template <class S>
S& shared(uint64_t entries) {
  return shared<S>(capacity_for<S>(entries), entries);
}

template <class S, uint64_t entries>
void fill(const benchmark::State&) {
  shared<S>(entries);
}

void copy_out(const Hit& hit, std::array<uint8_t, 64>& out) {
  copy_few(out.data(), hit.blob().data(), hit.blob().size());
  benchmark::DoNotOptimize(out);
}

enum class Sought : uint8_t { hit, miss };

Draw draw_for(const benchmark::State& state, Sought sought, uint64_t entries) {
  return {.first = sought == Sought::hit ? 0 : never_put,
          .entries = entries,
          .seed = static_cast<uint64_t>(state.thread_index()) << 40};
}

// A few have been crowded out of the index.
void check(benchmark::State& state, Sought sought, uint64_t looked, uint64_t found) {
  const uint64_t wrong = sought == Sought::hit ? looked - found : found;
  if (wrong * 100 > looked) state.SkipWithError("hits that should be misses, or misses that should be hits");
}

void no_store(benchmark::State& state) {
  Draw draw{.first = 0, .entries = small, .seed = 0};
  Key key;
  for (auto _ : state) {
    auto wanted = key.of(draw.next());
    benchmark::DoNotOptimize(wanted);
    benchmark::ClobberMemory();
  }
}

// One after the other, nothing prefetched.
template <class S, uint64_t entries, Sought sought>
void find(benchmark::State& state) {
  typename S::Reader reader(shared<S>(entries));
  Draw draw = draw_for(state, sought, entries);
  Key key;
  std::array<uint8_t, 64> out;
  uint64_t found = 0, looked = 0;
  while (state.KeepRunningBatch(batch)) {
    for (size_t i = 0; i < batch; ++i, ++looked) {
      const Hit hit = reader.find(key.of(draw.next()));
      if (!hit) continue;
      copy_out(hit, out);
      ++found;
    }
    reader.quiet();
  }
  check(state, sought, looked, found);
}

// A round of a worker: 32 keys, prefetched together; what it does not find where it has prefetched it looks
// for once more.
template <class S>
class Round {
 public:
  Round(S& store, const Draw& draw) : reader_(store), draw_(draw) {}
  uint64_t run() {
    std::array<StoreKey, batch> asked;
    for (size_t i = 0; i < batch; ++i) {
      asked[i] = keys_[i].of(draw_.next());
      reader_.prefetch(candidates_[i], asked[i].hash);
    }
    for (size_t i = 0; i < batch; ++i) reader_.prefetch_entry(candidates_[i], asked[i].hash);
    uint64_t found = 0;
    for (size_t i = 0; i < batch; ++i) {
      Hit hit = reader_.find_at(candidates_[i], asked[i]);
      if (!hit) hit = reader_.find(asked[i]);
      if (!hit) continue;
      copy_out(hit, out_);
      ++found;
    }
    reader_.quiet();
    return found;
  }

 private:
  typename S::Reader reader_;
  Draw draw_;
  std::array<Key, batch> keys_;
  std::array<typename S::Reader::Candidate, batch> candidates_;
  std::array<uint8_t, 64> out_;
};

template <class S, uint64_t entries, Sought sought>
void find_batched(benchmark::State& state) {
  Round<S> round(shared<S>(entries), draw_for(state, sought, entries));
  uint64_t looked = 0, found = 0;
  while (state.KeepRunningBatch(batch)) {
    found += round.run();
    looked += batch;
  }
  check(state, sought, looked, found);
}

// Reads as above, alone and while another thread puts new keys as fast as it can; range(0): whether it does.
template <class S>
void find_beside_writer(benchmark::State& state) {
  const std::unique_ptr<S> store = filled<S>(capacity_for<S>(medium), medium);
  std::atomic<bool> stop = false;
  double rate = 0;  // puts a second
  std::thread writer;
  if (state.range(0)) {
    writer = std::thread([&] {
      Key key;
      uint64_t n = medium;
      for (; !stop.load(std::memory_order_relaxed); ++n) put(*store, key, n);
      rate = static_cast<double>(n - medium) / cpu_seconds();
    });
  }
  uint64_t looked = 0, found = 0;
  {
    Round<S> round(*store, {.first = 0, .entries = medium, .seed = 1});
    while (state.KeepRunningBatch(batch)) found += round.run(), looked += batch;
  }
  state.counters["hits"] = static_cast<double>(found) / static_cast<double>(looked);
  if (!writer.joinable()) return;
  stop = true;
  writer.join();
  state.counters["puts/s"] = rate;
}

// New keys into a full store: each puts out another.
template <class S>
void put_new(benchmark::State& state) {
  const auto capacity = static_cast<uint64_t>(state.range(0)) * mebi;
  S& store = shared<S>(capacity, capacity / 100);
  static uint64_t n = uint64_t{1} << 32;
  Key key;
  for (auto _ : state) put(store, key, n++);
  const StoreStats stats = store.stats();
  state.counters["octets/entry"] = static_cast<double>(stats.capacity) / static_cast<double>(stats.entries);
  state.counters["crowded"] =
      static_cast<double>(stats.evicted_crowded) / static_cast<double>(stats.inserted);
}

// Keys that are there.
template <class S, uint64_t entries>
void put_again(benchmark::State& state) {
  S& store = shared<S>(entries);
  Draw draw = draw_for(state, Sought::hit, entries);
  Key key;
  for (auto _ : state) put(store, key, draw.next());
}

// in_L2: half a megabyte; out of it: a hundred, which no cache holds.
template <class S, uint64_t entries>
void add_finds(const std::string& store, const std::string& where) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const auto add = [&](const std::string& what, const char* sought, auto bench) {
    const std::string name = what + "/" + store + "/" + sought + "/" + where;
    benchmark::RegisterBenchmark(name.c_str(), bench)->Setup(fill<S, entries>)->ThreadRange(1, cores);
  };
  add("find", "hit", find<S, entries, Sought::hit>);
  add("find", "miss", find<S, entries, Sought::miss>);
  add("find_batched", "hit", find_batched<S, entries, Sought::hit>);
  add("find_batched", "miss", find_batched<S, entries, Sought::miss>);
}

template <class S>
void add(const std::string& store) {
  add_finds<S, small>(store, "in_L2");
  benchmark::RegisterBenchmark(("put/" + store + "/again/in_L2").c_str(), put_again<S, small>);
  add_finds<S, medium>(store, "out_of_L2");
  benchmark::RegisterBenchmark(("put/" + store + "/again/out_of_L2").c_str(), put_again<S, medium>);
  benchmark::RegisterBenchmark(("put/" + store + "/new/MiB").c_str(), put_new<S>)->Arg(16)->Arg(256);
  // So few that the writer has no time to put out much of what is looked up.
  benchmark::RegisterBenchmark(("find_batched/" + store + "/beside_writer").c_str(), find_beside_writer<S>)
      ->Arg(0)
      ->Arg(1)
      ->Iterations(1'600'000);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::RegisterBenchmark("find/no_store", no_store);
  add<ArenaStore>("arena");
  add<MutexStore>("mutex");
  benchmark::RegisterBenchmark("find_batched/arena/hit/10M", find_batched<ArenaStore, large, Sought::hit>)
      ->Setup(fill<ArenaStore, large>);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
