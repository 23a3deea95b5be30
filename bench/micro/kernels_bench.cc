// The kernels over names: nanoseconds for each name, by kernel set and by the name's length; "mixed" are
// lengths as clients ask for them, whose branches are not foreseen.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "simd/kernels.h"

using namespace peregrine;

namespace {

constexpr size_t name_count = 1024;
constexpr size_t slot_size = 320;
constexpr size_t name_offset = 12;  // where a question's name stands in a message
constexpr std::array lengths{5, 9, 16, 17, 24, 32, 33, 48, 64, 65, 96, 128, 192, 255};
constexpr int mixed = 0;

struct Names {
  std::vector<uint8_t> slots = std::vector<uint8_t>(name_count * slot_size);
  std::vector<size_t> sizes;
  const uint8_t* at(size_t i) const { return &slots[i * slot_size + name_offset]; }
};

// Octets of names as kernels see them; mixed: most of 12 to 40 octets, some longer.
Names make_names(int length) {
  Random random = Random::from_seed(1);
  Names names;
  for (size_t i = 0; i < name_count; ++i) {
    const uint32_t drawn = random.below(10) == 0 ? 40 + random.below(60) : 12 + random.below(28);
    names.sizes.push_back(length == mixed ? drawn : static_cast<size_t>(length));
  }
  for (uint8_t& octet : names.slots)
    octet = static_cast<uint8_t>((random.below(2) ? 'a' : 'A') + random.below(26));
  return names;
}

const Names& names_of(int length) {
  static std::map<int, Names> made;
  const auto found = made.find(length);
  return found != made.end() ? found->second : made.emplace(length, make_names(length)).first->second;
}

HashSecret secret() { return HashSecret(HashKey{1, 2}); }

void make_key(benchmark::State& state, const Kernels* kernels, int length) {
  const Names& names = names_of(length);
  const HashSecret hash_secret = secret();
  alignas(64) std::array<uint8_t, key_buffer_size> key{};
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels->make_key(key.data(), names.at(i), names.sizes[i], hash_secret));
    i = (i + 1) % name_count;
  }
}

void fold(benchmark::State& state, const Kernels* kernels, int length) {
  const Names& names = names_of(length);
  std::array<uint8_t, slot_size> out{};
  size_t i = 0;
  for (auto _ : state) {
    kernels->fold(out.data(), names.at(i), names.sizes[i]);
    benchmark::DoNotOptimize(out);
    i = (i + 1) % name_count;
  }
}

// Equal but for the case of all letters.
template <auto kernel>
void match(benchmark::State& state, const Kernels* kernels, int length) {
  const Names& names = names_of(length);
  Names others = names;
  for (uint8_t& octet : others.slots) octet ^= 0x20;
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize((kernels->*kernel)(names.at(i), others.at(i), names.sizes[i]));
    i = (i + 1) % name_count;
  }
}

using Bench = void (*)(benchmark::State&, const Kernels*, int);

void add(const char* what, Bench bench) {
  for (KernelSet set : {KernelSet::scalar, KernelSet::avx2, KernelSet::avx512}) {
    const Kernels* kernels = find_kernels(set);
    if (!kernels) continue;
    const std::string front = std::string(what) + "/" + std::string(to_string(set)) + "/";
    for (int length : lengths) {
      benchmark::RegisterBenchmark((front + std::to_string(length)).c_str(), bench, kernels, length);
    }
    benchmark::RegisterBenchmark((front + "mixed").c_str(), bench, kernels, mixed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  add("make_key", make_key);
  add("fold", fold);
  add("equal", match<&Kernels::equal>);
  add("compare", match<&Kernels::compare>);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
