// Kernels over the octets of names: folding, hashing, comparing. One table for each instruction set, picked
// once at start; all of them give the same results, bit for bit, hashes included.
//
// Length octets of labels are below 'A', so case folds over a whole wire name with no label logic (RFC 4343).
// No kernel touches a page that its input does not stand on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/siphash.h"

namespace peregrine {

// A cache key: eight octets of what else the question says, then the folded name, zero-padded to a multiple
// of 16. A name ends at its root label, so padding makes no two keys the same.
inline constexpr size_t key_prefix_size = 8;
inline constexpr size_t max_name_octets = 255;
inline constexpr size_t key_buffer_size = 320;  // kernels may write whole vectors behind the key

// The secret of the keyed hash: NH over 64-bit words with a 128-bit sum, as in VHASH (Krovetz and Dai, VMAC,
// 2007), which collides for two chosen keys with a probability of 2^-64 over the secret; then a keyed mix, so
// that every bit of the result depends on all of the sum. Names come from clients: the secret must be random
// and stay in the process (and in its cache file).
struct HashSecret {
  explicit HashSecret(const HashKey& seed);
  alignas(64) std::array<uint64_t, 32> words;  // one for each word of a name
  std::array<uint64_t, 2> prefix;              // for what stands before the name, and its size
  std::array<uint64_t, 2> mix;
};

enum class KernelSet : uint8_t { scalar, avx2, avx512 };
std::string_view to_string(KernelSet set);

struct Kernels {
  KernelSet set;
  // `out` has room for `size` octets and may be `in` itself.
  void (*fold)(uint8_t* out, const uint8_t* in, size_t size);
  // Equal but for letter case.
  bool (*equal)(const uint8_t* a, const uint8_t* b, size_t size);
  // memcmp of the folded octets: < 0, 0, > 0.
  int (*compare)(const uint8_t* a, const uint8_t* b, size_t size);
  // `key` is a buffer of key_buffer_size, aligned to 64, whose prefix is filled in. Puts the name behind it,
  // folded and padded, and returns the hash of all; what is behind the padding is lost. One pass over the
  // name. size: 1..255
  uint64_t (*make_key)(uint8_t* key, const uint8_t* name, size_t size, const HashSecret& secret);
};

// What this CPU runs; null where it lacks the instructions.
const Kernels* find_kernels(KernelSet set);

struct KernelChoice {
  const Kernels& kernels;
  std::string_view warning;  // for the log: why what was asked for is not what was chosen; mostly empty
};
// `asked`: scalar, avx2, avx512, or nothing for the best that the CPU has, which is also taken where `asked`
// is none of these or the CPU lacks it.
KernelChoice choose_kernels(std::string_view asked);
// The same for the environment's PEREGRINE_KERNEL. While starting up: reads the environment.
KernelChoice choose_kernels();
inline const Kernels& best_kernels() { return choose_kernels().kernels; }

// The table in use: scalar until use_kernels() is called, which only main and tests do, before threads start.
const Kernels& kernels();
void use_kernels(const Kernels& table);

}  // namespace peregrine
