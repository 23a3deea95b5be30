// restart: how long it takes until a store is warm again. A cache file of a million answers is read, checked
// and put into an empty store. The file is in the page cache, as it is after a restart of the server.
// lag: how long it takes until what is stored is in the file, while a thread stores as many answers a second
// as the argument says (0: as many as it can).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "cache/answer.h"
#include "cache/arena_entries.h"
#include "cache/arena_layout.h"
#include "cache/cache_file.h"
#include "cache/xxh64.h"

namespace peregrine {
namespace {

constexpr uint64_t entries = 1'000'000;
constexpr uint64_t capacity = uint64_t{256} << 20;
constexpr WallTime now{std::chrono::seconds{1'800'000'000}};

struct InPlace final : Executor {
  void run(Job job) override { job(); }
};

SegmentFile::Geometry geometry_of(const ArenaStore& store) {
  return CacheFile::geometry_for(store.geometry().segment_octets,
                                 static_cast<uint32_t>(store.geometry().segments));
}

std::unique_ptr<CacheFile> open(const std::string& path, const ArenaStore& store) {
  Random random = Random::from_seed(1);
  auto file = CacheFile::open(path, geometry_of(store), now, random);
  if (!file) throw std::runtime_error("no cache file");
  return file;
}

void load(CacheFile& file, const HashSecret& secret, ArenaStore& store) {
  file.load({.secret = secret, .now = now, .rules = 1, .generation = 1},
            {.prefetch = [&store](uint64_t hash) { store.prefetch_to_put(hash); },
             .put = [&store](const StoreKey& key, const Lifetime& lifetime, Bytes blob,
                             Decide decide) { return store.put_if(key, lifetime, blob, decide); },
             .forget = [&store](const StoreKey& key, Decide decide) { store.forget_if(key, decide); }});
}

// One A record each, at names of the length that real ones have; before_put() may change its last octets.
template <class BeforePut>
void put_answers(ArenaStore& store, const HashSecret& secret, uint64_t first, uint64_t count,
                 BeforePut before_put) {
  Random random = Random::from_seed(2);
  std::array<uint8_t, 64> blob{};
  const AnswerBlobHeader header{.version = AnswerBlobHeader::layout_version,
                                .extended_rcode = 0,
                                .reply = {0x80, 0x80, 0, 1, 0, 0, 0, 0},
                                .tail_size = 16,
                                .policy_generation = 1,
                                .stored_at = static_cast<uint32_t>(now.time_since_epoch().count())};
  std::memcpy(blob.data(), &header, sizeof header);
  const MutableBytes octets = MutableBytes(blob).first(sizeof header + 2 + 16);
  for (uint64_t i = first; i < first + count; ++i) {
    before_put(octets.last(sizeof(int64_t)));
    std::string text =
        "w" + std::to_string(i) + "." + std::to_string(random.below(1'000'000)) + ".example.com.";
    const AnswerKey key({.qname = DnameBuf::from_text(text).value(), .qtype = Type::a}, secret);
    store.put(key.store_key(),
              {.refresh_at = now + std::chrono::hours{1}, .expires_at = now + std::chrono::hours{2}}, octets);
  }
}

void restart(benchmark::State& state) {
  use_kernels(best_kernels());
  const std::filesystem::path directory = std::filesystem::temp_directory_path() / "peregrine-bench-restart";
  std::filesystem::create_directories(directory);
  const std::string path = directory / "cache.file";
  {
    ArenaStore store(capacity);
    InPlace executor;
    auto file = open(path, store);
    const HashSecret secret(file->hash_key());
    load(*file, secret, store);
    put_answers(store, secret, 0, entries, [](MutableBytes) {});
    ArenaEntries source(store);
    file->start(source, executor);
    file->finish(now);
  }
  CacheFileStats stats;
  for (auto _ : state) {
    state.PauseTiming();
    auto store = std::make_unique<ArenaStore>(capacity);
    state.ResumeTiming();
    auto file = open(path, *store);
    const HashSecret secret(file->hash_key());
    load(*file, secret, *store);
    state.PauseTiming();
    stats = file->stats();
    file.reset();
    store.reset();
    state.ResumeTiming();
  }
  state.counters["loaded"] = static_cast<double>(stats.entries.loaded);
  state.counters["file_MB"] = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  std::filesystem::remove_all(directory);
}
BENCHMARK(restart)->Unit(benchmark::kMillisecond)->Iterations(3);

int64_t monotonic_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Entries on their way into the file, which say when they were put.
class Watched final : public EntrySource {
 public:
  explicit Watched(ArenaStore& store) : inner_(store) {}
  uint32_t segment_count() const override { return inner_.segment_count(); }
  uint32_t segment_octets() const override { return inner_.segment_octets(); }
  SegmentCursor position(uint32_t segment) const override { return inner_.position(segment); }
  SegmentCursor copy(uint32_t segment, SegmentCursor from, std::vector<uint8_t>& out) override {
    const size_t before = out.size();
    const SegmentCursor seen = inner_.copy(segment, from, out);
    const int64_t now_ns = monotonic_now();
    for (size_t at = before; const auto entry = entry_at(out, at);) {
      int64_t put = 0;
      std::memcpy(&put, entry->blob.last(sizeof put).data(), sizeof put);
      lags.push_back(now_ns - put);
      at += size_t{entry->header.granules()} * granule;
    }
    return seen;
  }
  std::vector<int64_t> lags;

 private:
  ArenaEntries inner_;
};

void lag(benchmark::State& state) {
  use_kernels(best_kernels());
  constexpr int ticks = 4, ticks_a_second = 2;
  const uint64_t rate = static_cast<uint64_t>(state.range(0)), at_once = 1000;
  const std::filesystem::path directory = std::filesystem::temp_directory_path() / "peregrine-bench-lag";
  std::filesystem::create_directories(directory);
  for (auto _ : state) {
    ArenaStore store(capacity);
    auto file = open(directory / "cache.file", store);
    const HashSecret secret(file->hash_key());
    Watched source(store);
    auto executor = make_thread_executor("cache file");
    file->start(source, *executor);
    load(*file, secret, store);
    std::atomic<bool> stop = false;
    uint64_t stored = 0;
    std::thread writer([&] {
      const auto began = std::chrono::steady_clock::now();
      for (; !stop; stored += at_once) {
        put_answers(store, secret, stored, at_once, [](MutableBytes octets) {
          const int64_t now_ns = monotonic_now();
          std::memcpy(octets.data(), &now_ns, sizeof now_ns);
        });
        if (rate != 0)
          std::this_thread::sleep_until(began + std::chrono::microseconds(stored * 1'000'000 / rate));
      }
    });
    for (int i = 0; i < ticks; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1000 / ticks_a_second));
      file->tick(now);
    }
    stop = true;
    writer.join();
    executor.reset();
    std::ranges::sort(source.lags);
    const auto at = [&](double part) {
      return static_cast<double>(source.lags[static_cast<size_t>(part * double(source.lags.size() - 1))]) /
             1e6;
    };
    const CacheFileStats stats = file->stats();
    state.counters["stored_per_s"] = static_cast<double>(stored) * ticks_a_second / ticks;
    state.counters["in_file"] = static_cast<double>(stats.entries_written) / static_cast<double>(stored);
    state.counters["p50_ms"] = at(0.5);
    state.counters["p99_ms"] = at(0.99);
    state.counters["max_ms"] = at(1);
  }
  std::filesystem::remove_all(directory);
}
BENCHMARK(lag)->Unit(benchmark::kMillisecond)->Arg(10'000)->Arg(100'000)->Arg(0)->Iterations(1);

void checksum(benchmark::State& state) {
  std::vector<uint8_t> octets(1 << 20, 7);
  for (auto _ : state) benchmark::DoNotOptimize(xxh64(octets, 1));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * octets.size()));
}
BENCHMARK(checksum);

}  // namespace
}  // namespace peregrine

BENCHMARK_MAIN();
