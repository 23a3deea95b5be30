// cache_sim [NAMES [SHARE [REQUESTS]]]: miss ratios of the stores and of ideal caches.
//
// NAMES: how many may be asked for again (1000000; the full run takes 10000000, some minutes and 1 GB);
// SHARE: of what all of them would take, what the cache has (0.1); REQUESTS: 5 for each name where it is not
// given.
//
// Each store is given the same octets. So that its policy and its overhead can be told apart, LRU and S3-FIFO
// run twice: with the store's octets and no overhead at all, which no implementation reaches, and with as
// many entries as the store held on average, which is what LRU would do with the store's own overhead.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cache/arena_store.h"
#include "cache/key.h"
#include "cache/mutex_store.h"
#include "ideal.h"
#include "trace.h"

namespace peregrine {
namespace {

constexpr WallTime epoch{std::chrono::seconds{1'700'000'000}};

uint32_t data_octets(uint32_t name) {
  return static_cast<uint32_t>(key_prefix_size) + name_octets(name) + blob_octets(name);
}

void make_key(uint32_t name, const HashSecret& secret, ViewKey& key) {
  std::array<uint8_t, 64> octets{};
  const uint32_t size = name_octets(name);
  std::memset(octets.data(), 'a', size - 1);
  octets[0] = static_cast<uint8_t>(size - 2);  // one label, then the root
  for (int digit = 0; digit < 8; ++digit)
    octets[static_cast<size_t>(1 + digit)] = static_cast<uint8_t>('a' + (name >> 4 * digit & 15));
  key.assign(key_prefix(KeyView::answer, Type::a, Class::in), Bytes(octets).first(size), secret);
}

template <Store S>
MissRatio run_store(const Trace& trace, uint64_t capacity) {
  S store(capacity);
  typename S::Reader reader(store);
  const HashSecret secret({1, 2});
  const Warmup warmup(trace);
  const std::vector<uint8_t> blob(2000);
  MissRatio result;
  double sum = 0;
  uint64_t samples = 0;
  ViewKey key;
  for (size_t i = 0; i < trace.requests.size(); ++i) {
    const uint32_t name = trace.requests[i];
    const WallTime now = epoch + std::chrono::seconds{trace.time_of(i)};
    if (i % 32 == 0) {
      reader.quiet();
      store.tell_time(now);
    }
    make_key(name, secret, key);
    const Hit found = reader.find(key.store_key());
    const bool hit = found && found.lifetime().fresh(now);
    if (!hit) {
      const Lifetime lifetime{.refresh_at = now + std::chrono::seconds{ttl_of(name)},
                              .expires_at = now + std::chrono::seconds{ttl_of(name)}};
      store.put(key.store_key(), lifetime, Bytes(blob).first(blob_octets(name)));
    }
    if (i < warmup.until) continue;
    ++result.requests;
    result.misses += !hit;
    if (i % 4096 != 0) continue;
    sum += static_cast<double>(store.stats().entries);
    ++samples;
  }
  result.entries = samples ? sum / static_cast<double>(samples) : 0;
  return result;
}

// What others are compared with.
struct Baseline {
  double floor = 0;  // misses that no cache avoids: names new or expired
  double lru = 0;    // with the octets and no overhead
  double as_many = 0;
};

void print(const char* name, const MissRatio& result, const Baseline& baseline) {
  const double misses = result.value();
  std::printf("  %-26s %8.4f %9.0f %8.3f", name, misses, result.entries, misses / baseline.lru);
  if (baseline.as_many > 0) {
    std::printf(" %10.3f %12.3f", misses / baseline.as_many,
                (misses - baseline.floor) / (baseline.as_many - baseline.floor));
  }
  std::printf("\n");
}

template <Store S>
double compare(const char* name, const Trace& trace, uint64_t capacity, Baseline baseline) {
  const MissRatio real = run_store<S>(trace, capacity);
  const auto entries = static_cast<uint64_t>(real.entries);
  const Cost one = [](uint32_t) { return 1; };
  const MissRatio lru = ideal_lru(trace, entries, one);
  baseline.as_many = lru.value();
  print(name, real, baseline);
  print("  LRU, as many entries", lru, baseline);
  print("  S3-FIFO, as many entries", ideal_s3_fifo(trace, entries, one), baseline);
  std::printf("    %.0f octets of the store for each entry\n", static_cast<double>(capacity) / real.entries);
  return real.value();
}

void run(const TraceOptions& options, uint64_t capacity) {
  const Trace trace(options);
  std::printf("\nZipf %.1f\n  %-26s %8s %9s %8s %10s %12s\n", options.exponent, "", "misses", "entries",
              "/ LRU", "/ as many", "avoidable /");
  const Cost octets = data_octets;
  const MissRatio floor = unlimited(trace), lru = ideal_lru(trace, capacity, octets);
  const Baseline baseline{.floor = floor.value(), .lru = lru.value()};
  print("no limit", floor, baseline);
  print("LRU, no overhead", lru, baseline);
  print("S3-FIFO, no overhead", ideal_s3_fifo(trace, capacity, octets), baseline);
  const double mutex = compare<MutexStore>("MutexStore", trace, capacity, baseline);
  const double arena = compare<ArenaStore>("ArenaStore", trace, capacity, baseline);
  std::printf(
      "  ArenaStore / MutexStore, which is LRU with its overhead: %.3f of all, %.3f of the avoidable\n",
      arena / mutex, (arena - floor.value()) / (mutex - floor.value()));
  std::fflush(stdout);
}

}  // namespace
}  // namespace peregrine

int main(int argc, char** argv) {
  using namespace peregrine;
  TraceOptions options;
  double share = 0.1;
  if (argc > 1) options.names = static_cast<uint32_t>(std::strtoul(argv[1], nullptr, 10));
  if (argc > 2) share = std::strtod(argv[2], nullptr);
  options.requests = options.names * 5;
  if (argc > 3) options.requests = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  if (argc > 4 || options.names < 1000 || options.requests < 1000 || !(share > 0 && share <= 10)) {
    std::fprintf(stderr, "usage: cache_sim [NAMES [SHARE [REQUESTS]]]\n");
    return 2;
  }
  use_kernels(best_kernels());
  constexpr double mean_octets = 180;  // of a name's key and blob, with an entry's header
  const auto capacity = static_cast<uint64_t>(options.names * share * mean_octets);
  std::printf("%u names and %.0f %% of requests for names that come once; %u requests in %u s; %.1f MiB\n",
              options.names, options.once * 100, options.requests, options.seconds,
              static_cast<double>(capacity) / (1 << 20));
  for (const double exponent : {0.9, 1.0, 1.1}) {
    options.exponent = exponent;
    run(options, capacity);
  }
  return 0;
}
