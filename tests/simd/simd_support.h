// What the tests of the kernels share: every set that this CPU has, and keys made by it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/random.h"
#include "simd/kernels.h"

namespace peregrine {

inline std::vector<KernelSet> sets_here() {
  std::vector<KernelSet> sets;
  for (const KernelSet set : {KernelSet::scalar, KernelSet::avx2, KernelSet::avx512}) {
    if (find_kernels(set)) sets.push_back(set);
  }
  return sets;
}

// One run of a test for each set that the CPU has; the scalar kernels are the oracle.
class EachKernelSet : public testing::TestWithParam<KernelSet> {
 protected:
  const Kernels& tested_ = *find_kernels(GetParam());
  const Kernels& scalar_ = *find_kernels(KernelSet::scalar);
};

inline std::string set_name(const testing::TestParamInfo<KernelSet>& info) {
  return std::string(to_string(info.param));
}

inline HashSecret test_secret() { return HashSecret(HashKey{0x0123456789abcdef, 0xfedcba9876543210}); }

// A key's octets with its padding, and its hash.
struct MadeKey {
  std::vector<uint8_t> octets;
  uint64_t hash;
  bool operator==(const MadeKey&) const = default;
};

inline MadeKey make_key(const Kernels& kernels, const uint8_t* name, size_t size, const HashSecret& secret,
                        uint8_t prefix = 0xa5) {
  alignas(64) std::array<uint8_t, key_buffer_size> buffer;
  buffer.fill(0xee);  // what an earlier key left
  std::fill_n(buffer.begin(), key_prefix_size, prefix);
  const uint64_t hash = kernels.make_key(buffer.data(), name, size, secret);
  const size_t padded = (key_prefix_size + size + 15) / 16 * 16;
  return {{buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(padded)}, hash};
}

}  // namespace peregrine
