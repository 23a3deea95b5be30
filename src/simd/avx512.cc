#include <immintrin.h>

#include "simd/kernel_tables.h"
#include "simd/nh.h"
#include "simd/x86.h"

#pragma clang attribute push(__attribute__((target("avx2,bmi2,avx512f,avx512bw,avx512vl"))), \
                             apply_to = function)

namespace peregrine {
namespace {

constexpr size_t width = sizeof(__m512i);

// The first `size` octets; all of them where there are more. A masked access does not touch the others.
__mmask64 first(size_t size) {
  return size < width ? _bzhi_u64(~uint64_t{0}, static_cast<unsigned>(size)) : ~uint64_t{0};
}

__m512i fold(__m512i octets) {
  const __m512i from_a = _mm512_sub_epi8(octets, _mm512_set1_epi8('A'));
  const __mmask64 upper = _mm512_cmplt_epu8_mask(from_a, _mm512_set1_epi8(26));
  return _mm512_mask_add_epi8(octets, upper, octets, _mm512_set1_epi8(0x20));
}

__m256i fold(__m256i octets) {
  const __m256i from_a = _mm256_sub_epi8(octets, _mm256_set1_epi8('A'));
  const __mmask32 upper = _mm256_cmplt_epu8_mask(from_a, _mm256_set1_epi8(26));
  return _mm256_mask_add_epi8(octets, upper, octets, _mm256_set1_epi8(0x20));
}

void fold(uint8_t* out, const uint8_t* in, size_t size) {
  for (size_t i = 0; i < size; i += width) {
    const __mmask64 mask = first(size - i);
    _mm512_mask_storeu_epi8(out + i, mask, fold(_mm512_maskz_loadu_epi8(mask, in + i)));
  }
}

__mmask64 differences(const uint8_t* a, const uint8_t* b, __mmask64 mask) {
  return _mm512_cmpneq_epi8_mask(fold(_mm512_maskz_loadu_epi8(mask, a)),
                                 fold(_mm512_maskz_loadu_epi8(mask, b)));
}

bool equal(const uint8_t* a, const uint8_t* b, size_t size) {
  for (size_t i = 0; i < size; i += width) {
    if (differences(a + i, b + i, first(size - i)) != 0) return false;
  }
  return true;
}

int compare(const uint8_t* a, const uint8_t* b, size_t size) {
  for (size_t i = 0; i < size; i += width) {
    if (const __mmask64 differ = differences(a + i, b + i, first(size - i)); differ != 0) {
      const size_t at = i + _tzcnt_u64(differ);
      return x86::fold_difference(a[at], b[at]);
    }
  }
  return 0;
}

[[gnu::always_inline]] inline uint64_t make_key_of(uint8_t* key, const uint8_t* name, size_t size,
                                                   const HashSecret& secret) {
  nh::Sum sum(nh::load(key), size, secret);
  uint8_t* out = key + key_prefix_size;
  const uint64_t* words = secret.words.data();
  for (; size > nh::chunk; size -= nh::chunk, name += nh::chunk, out += nh::chunk, words += 4) {
    x86::take_chunk(fold(_mm256_loadu_epi8(name)), out, words, sum);
  }
  const __mmask32 rest = _bzhi_u32(~uint32_t{0}, static_cast<unsigned>(size));
  x86::take_chunk(fold(_mm256_maskz_loadu_epi8(rest, name)), out, words, sum);
  std::memset(out + nh::chunk, 0, key_prefix_size);
  return sum.finish(secret);
}

[[gnu::noinline]] uint64_t make_long_key(uint8_t* key, const uint8_t* name, size_t size,
                                         const HashSecret& secret) {
  return make_key_of(key, name, size, secret);
}

uint64_t make_key(uint8_t* key, const uint8_t* name, size_t size, const HashSecret& secret) {
  if (size > nh::chunk) return make_long_key(key, name, size, secret);
  return make_key_of(key, name, size, secret);
}

}  // namespace

constinit const Kernels avx512_kernels{KernelSet::avx512, fold, equal, compare, make_key};

}  // namespace peregrine

#pragma clang attribute pop
