#include "exact.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "simd/kernels.h"

namespace peregrine::exact {
namespace {

// Valgrind 3.19 has no AVX-512.
constexpr KernelSet counted_sets[] = {KernelSet::scalar, KernelSet::avx2};

void list(std::span<const Benchmark> benchmarks) {
  for (const Benchmark& benchmark : benchmarks) {
    for (KernelSet set : counted_sets) {
      if (find_kernels(set))
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

int run(const Benchmark& benchmark) try {
  Meter meter;
  benchmark.run(meter);
  std::printf("operations %lu\n", meter.operations());
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
  const std::string_view wanted = argc == 3 ? argv[1] : "";
  const auto found = std::ranges::find(benchmarks, wanted, &Benchmark::name);
  const Kernels* table = argc == 3 ? kernels_named(argv[2]) : nullptr;
  if (found == benchmarks.end() || !table) {
    std::fprintf(stderr, "usage: %s list | NAME scalar|avx2\n", argv[0]);
    return 2;
  }
  use_kernels(*table);
  return run(*found);
}

}  // namespace peregrine::exact
