// Every set of kernels gives what the scalar one gives, on inputs that end where the heap block that holds
// them does.
#include "simd/kernels.h"

#include <algorithm>
#include <array>
#include <vector>

#include "fuzz_input.h"

using namespace peregrine;

static const Kernels& scalar = *find_kernels(KernelSet::scalar);
static const HashSecret secret(HashKey{1, 2});

static int sign(int v) { return (v > 0) - (v < 0); }

static void same_comparisons(const Kernels& kernels, Bytes a, Bytes b) {
  const size_t size = a.size();
  require(kernels.equal(a.data(), b.data(), size) == scalar.equal(a.data(), b.data(), size));
  const int order = scalar.compare(a.data(), b.data(), size);
  require(sign(kernels.compare(a.data(), b.data(), size)) == sign(order));
  require(sign(kernels.compare(b.data(), a.data(), size)) == -sign(order));
}

static void same_fold(const Kernels& kernels, Bytes in) {
  std::vector<uint8_t> expected(in.size()), out(in.size());
  scalar.fold(expected.data(), in.data(), in.size());
  kernels.fold(out.data(), in.data(), in.size());
  require(out == expected);
}

static void same_key_made(const Kernels& kernels, uint8_t prefix, Bytes name) {
  struct alignas(64) Key {
    std::array<uint8_t, key_buffer_size> octets;
  } expected, made;
  expected.octets.fill(prefix);
  made.octets.fill(prefix);
  const uint64_t hash = scalar.make_key(expected.octets.data(), name.data(), name.size(), secret);
  require(kernels.make_key(made.octets.data(), name.data(), name.size(), secret) == hash);
  const auto padded = static_cast<ptrdiff_t>((key_prefix_size + name.size() + 15) / 16 * 16);
  require(std::equal(made.octets.begin(), made.octets.begin() + padded, expected.octets.begin()));
}

// The first octet is the key's prefix; one half of the others is compared with the other half.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Script script({data, size});
  const uint8_t prefix = script.u8();
  const size_t half = size > 0 ? (size - 1) / 2 : 0;
  const Bytes first = script.take(half), second = script.take(half);
  const std::vector<uint8_t> a(first.begin(), first.end()), b(second.begin(), second.end());
  for (const KernelSet set : {KernelSet::avx2, KernelSet::avx512}) {
    const Kernels* kernels = find_kernels(set);
    if (!kernels) continue;
    same_comparisons(*kernels, a, b);
    same_fold(*kernels, a);
    if (!a.empty() && a.size() <= max_name_octets) same_key_made(*kernels, prefix, a);
  }
  return 0;
}
