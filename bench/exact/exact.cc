#include "exact.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "simd/kernels.h"

namespace peregrine::exact {
namespace {

// Valgrind 3.19 has no AVX-512.
constexpr KernelSet counted_sets[] = {KernelSet::scalar, KernelSet::avx2};

void list(std::span<const Benchmark> benchmarks) {
  for (const Benchmark& benchmark : benchmarks) {
    for (KernelSet set : counted_sets) {
      if (find_kernels(set) && (set == KernelSet::scalar || !benchmark.scalar_only))
        std::printf("%s %s\n", benchmark.name.c_str(), std::string(to_string(set)).c_str());
    }
  }
}

const Kernels* kernels_named(std::string_view name) {
  for (KernelSet set : counted_sets) {
    if (to_string(set) == name) return find_kernels(set);
  }
  return nullptr;
}

void count(const Benchmark& benchmark) {
  Meter meter;
  benchmark.run(meter);
  std::printf("operations %lu\n", meter.operations());
}

void time(const Benchmark& benchmark, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::vector<double> all;
  do {
    Meter meter;
    benchmark.run(meter);
    all.insert(all.end(), meter.nanoseconds().begin(), meter.nanoseconds().end());
  } while (std::chrono::steady_clock::now() < end);
  const auto middle = all.begin() + static_cast<ptrdiff_t>(all.size() / 2);
  std::ranges::nth_element(all, middle);
  std::printf("nanoseconds %.4f\n", *middle);
}

int run(const Benchmark& benchmark, double seconds) try {
  seconds > 0 ? time(benchmark, seconds) : count(benchmark);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", benchmark.name.c_str(), error.what());
  return 1;
}

}  // namespace

int exact_main(int argc, char** argv, std::span<const Benchmark> benchmarks) {
  if (argc == 2 && std::string_view(argv[1]) == "list") {
    list(benchmarks);
    return 0;
  }
  const bool named = argc == 3 || argc == 4;
  const std::string_view wanted = named ? argv[1] : "";
  const auto found = std::ranges::find(benchmarks, wanted, &Benchmark::name);
  const Kernels* table = named ? kernels_named(argv[2]) : nullptr;
  const double seconds = argc == 4 ? std::strtod(argv[3], nullptr) : 0;
  if (found == benchmarks.end() || !table) {
    std::fprintf(stderr, "usage: %s list | NAME scalar|avx2 [SECONDS]\n", argv[0]);
    return 2;
  }
  use_kernels(*table);
  return run(*found, seconds);
}

}  // namespace peregrine::exact
