// How long it takes until a store is warm again: a cache file of a million answers is read, checked and put
// into an empty store. The file is in the page cache, as it is after a restart of the server.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "cache/answer.h"
#include "cache/arena_entries.h"
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

// One A record each, at names of the length that real ones have.
void put_answers(ArenaStore& store, const HashSecret& secret) {
  Random random = Random::from_seed(2);
  std::array<uint8_t, 64> blob{};
  const AnswerBlobHeader header{.version = AnswerBlobHeader::layout_version,
                                .extended_rcode = 0,
                                .reply = {0x80, 0x80, 0, 1, 0, 0, 0, 0},
                                .tail_size = 16,
                                .policy_generation = 1,
                                .stored_at = static_cast<uint32_t>(now.time_since_epoch().count())};
  std::memcpy(blob.data(), &header, sizeof header);
  const Bytes octets = Bytes(blob).first(sizeof header + 2 + 16);
  for (uint64_t i = 0; i < entries; ++i) {
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
    put_answers(store, secret);
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

void checksum(benchmark::State& state) {
  std::vector<uint8_t> octets(1 << 20, 7);
  for (auto _ : state) benchmark::DoNotOptimize(xxh64(octets, 1));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * octets.size()));
}
BENCHMARK(checksum);

}  // namespace
}  // namespace peregrine

BENCHMARK_MAIN();
