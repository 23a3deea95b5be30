#include <immintrin.h>

#include <cstring>

#include "simd/kernel_tables.h"
#include "simd/nh.h"
#include "simd/x86.h"

// A load of a whole vector may go past its input within a page, which the sanitizers would report.
#pragma clang attribute push(__attribute__((target("avx2,bmi2"), no_sanitize("address", "thread"))), \
                             apply_to = function)

namespace peregrine {
namespace {

using Vector = __m256i;
constexpr size_t width = sizeof(Vector);
constexpr size_t page_size = 4096;

Vector load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const Vector*>(p)); }
void store(uint8_t* p, Vector v) { _mm256_storeu_si256(reinterpret_cast<Vector*>(p), v); }

// c + (127 - 'Z') is over 127 - 26, as a signed octet, for A-Z alone.
Vector fold(Vector octets) {
  const Vector shifted = _mm256_add_epi8(octets, _mm256_set1_epi8(127 - 'Z'));
  const Vector upper = _mm256_cmpgt_epi8(shifted, _mm256_set1_epi8(127 - 26));
  return _mm256_or_si256(octets, _mm256_and_si256(upper, _mm256_set1_epi8(0x20)));
}

// Whether a vector that begins at or before the input's last octet may reach into the next page.
bool near_page_end(const uint8_t* p, size_t size) {
  return reinterpret_cast<uintptr_t>(p + size - 1) % page_size > page_size - width;
}

[[gnu::noinline]] Vector load_copied(const uint8_t* p, size_t size) {
  alignas(width) uint8_t octets[width] = {};
  std::memcpy(octets, p, size);
  return load(octets);
}

alignas(64) constexpr std::array<uint8_t, 2 * width> ones_then_zeros = [] {
  std::array<uint8_t, 2 * width> octets{};
  for (size_t i = 0; i < width; ++i) octets[i] = 0xff;
  return octets;
}();

// The octets from `p` with zeros behind the first `size`, 1 to 32. The whole vector is read.
Vector load_masked(const uint8_t* p, size_t size) {
  return _mm256_and_si256(load(p), load(&ones_then_zeros[width - size]));
}

Vector load_part(const uint8_t* p, size_t size) {
  return near_page_end(p, size) ? load_copied(p, size) : load_masked(p, size);
}

uint32_t differences(Vector a, Vector b) {
  return ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)));
}

void fold(uint8_t* out, const uint8_t* in, size_t size) {
  for (; size >= width; in += width, out += width, size -= width) store(out, fold(load(in)));
  if (size == 0) return;
  alignas(16) uint8_t rest[width];
  store(rest, fold(load_part(in, size)));
  copy_few(out, rest, size);
}

bool equal(const uint8_t* a, const uint8_t* b, size_t size) {
  for (; size > width; a += width, b += width, size -= width) {
    if (differences(fold(load(a)), fold(load(b))) != 0) return false;
  }
  return size == 0 || differences(fold(load_part(a, size)), fold(load_part(b, size))) == 0;
}

int compare(const uint8_t* a, const uint8_t* b, size_t size) {
  for (; size > 0; a += width, b += width, size -= width) {
    const bool last = size <= width;
    const Vector of_a = last ? load_part(a, size) : load(a), of_b = last ? load_part(b, size) : load(b);
    if (const uint32_t differ = differences(fold(of_a), fold(of_b)); differ != 0) {
      const unsigned at = _tzcnt_u32(differ);
      return x86::fold_difference(a[at], b[at]);
    }
    if (last) break;
  }
  return 0;
}

// The vector with the name's last octet is read whole.
[[gnu::always_inline]] inline uint64_t make_key_of(uint8_t* key, const uint8_t* name, size_t size,
                                                   const HashSecret& secret) {
  nh::Sum sum(nh::load(key), size, secret);
  uint8_t* out = key + key_prefix_size;
  const uint64_t* words = secret.words.data();
  for (; size > width; size -= width, name += width, out += width, words += 4) {
    x86::take_chunk(fold(load(name)), out, words, sum);
  }
  x86::take_chunk(fold(load_masked(name, size)), out, words, sum);
  std::memset(out + width, 0, key_prefix_size);
  return sum.finish(secret);
}

[[gnu::noinline]] uint64_t make_key_copied(uint8_t* key, const uint8_t* name, size_t size,
                                           const HashSecret& secret) {
  uint8_t octets[max_name_octets + width];
  std::memcpy(octets, name, size);
  return make_key_of(key, octets, size, secret);
}

[[gnu::noinline]] uint64_t make_long_key(uint8_t* key, const uint8_t* name, size_t size,
                                         const HashSecret& secret) {
  return make_key_of(key, name, size, secret);
}

uint64_t make_key(uint8_t* key, const uint8_t* name, size_t size, const HashSecret& secret) {
  if (near_page_end(name, size)) [[unlikely]]
    return make_key_copied(key, name, size, secret);
  if (size > width) return make_long_key(key, name, size, secret);
  return make_key_of(key, name, size, secret);
}

}  // namespace

constinit const Kernels avx2_kernels{KernelSet::avx2, fold, equal, compare, make_key};

}  // namespace peregrine

#pragma clang attribute pop
