#include "simd/kernels.h"

#include <cctype>

#include "simd/simd_support.h"

namespace peregrine {
namespace {

class KernelsTest : public EachKernelSet {};
INSTANTIATE_TEST_SUITE_P(Sets, KernelsTest, testing::ValuesIn(sets_here()), set_name);

constexpr size_t alignments = 64;

int sign(int v) { return (v > 0) - (v < 0); }

// Letters of both cases, and what stands next to them: where folding could go wrong.
std::vector<uint8_t> octets(Random& random, size_t size) {
  constexpr std::array<uint8_t, 12> edges{'@', 'A', 'Z', '[', '`', 'a', 'z', '{', 0, 63, 0x80, 0xff};
  std::vector<uint8_t> made(size);
  for (uint8_t& octet : made) {
    octet = random.below(2) ? edges[random.below(edges.size())] : static_cast<uint8_t>(random.u16());
  }
  return made;
}

// The other case of every letter.
void swap_case(uint8_t* p, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    const uint8_t lower = p[i] | 0x20;
    if (lower >= 'a' && lower <= 'z') p[i] ^= 0x20;
  }
}

TEST_P(KernelsTest, FoldsTheLettersAndNothingElse) {
  std::array<uint8_t, 256> in, out;
  for (unsigned c = 0; c < in.size(); ++c) in[c] = static_cast<uint8_t>(c);
  tested_.fold(out.data(), in.data(), in.size());
  for (unsigned c = 0; c < in.size(); ++c) EXPECT_EQ(out[c], c >= 'A' && c <= 'Z' ? c + 32 : c) << c;
}

TEST_P(KernelsTest, EveryOctetMatchesItselfAndItsOtherCaseOnly) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const auto x = static_cast<uint8_t>(a), y = static_cast<uint8_t>(b);
      const int folded_x = x >= 'A' && x <= 'Z' ? x + 32 : x, folded_y = y >= 'A' && y <= 'Z' ? y + 32 : y;
      ASSERT_EQ(tested_.equal(&x, &y, 1), folded_x == folded_y) << a << " " << b;
      ASSERT_EQ(sign(tested_.compare(&x, &y, 1)), sign(folded_x - folded_y)) << a << " " << b;
    }
  }
}

TEST_P(KernelsTest, FoldWritesItsOctetsAloneAndMayWorkInPlace) {
  Random random = Random::from_seed(1);
  for (size_t size = 0; size <= max_name_octets; ++size) {
    for (size_t at = 0; at < alignments; ++at) {
      std::vector<uint8_t> in = octets(random, at + size + 64), out(in.size(), 0xcc), expected = out;
      scalar_.fold(&expected[at], &in[at], size);
      tested_.fold(&out[at], &in[at], size);
      ASSERT_EQ(out, expected) << size << " at " << at;
      std::vector<uint8_t> in_place = in;
      scalar_.fold(&in[at], &in[at], size);
      tested_.fold(&in_place[at], &in_place[at], size);
      ASSERT_EQ(in_place, in) << size << " at " << at;
    }
  }
}

TEST_P(KernelsTest, EqualSeesEveryOctetAndNoneBehind) {
  Random random = Random::from_seed(2);
  for (size_t size = 0; size <= max_name_octets; ++size) {
    for (size_t at = 0; at < alignments; at += 1 + random.below(8)) {
      const std::vector<uint8_t> a = octets(random, at + size + 1);
      std::vector<uint8_t> b = a;
      swap_case(&b[at], size);
      b[at + size] ^= 1;
      ASSERT_TRUE(tested_.equal(&a[at], &b[at], size)) << size << " at " << at;
      for (size_t i = 0; i < size; ++i) {
        b[at + i] ^= 0x80;
        ASSERT_FALSE(tested_.equal(&a[at], &b[at], size)) << i << " of " << size;
        b[at + i] ^= 0x80;
      }
    }
  }
}

TEST_P(KernelsTest, ComparesAsScalarWhereverTheFirstDifferenceIs) {
  Random random = Random::from_seed(3);
  for (size_t size = 0; size <= max_name_octets; ++size) {
    const size_t at_a = random.below(alignments), at_b = random.below(alignments);
    std::vector<uint8_t> a = octets(random, at_a + size + 1), b(at_b + size + 1);
    std::copy_n(&a[at_a], size, &b[at_b]);
    swap_case(&b[at_b], size);
    a[at_a + size] = 0;
    b[at_b + size] = 1;
    ASSERT_EQ(tested_.compare(&a[at_a], &b[at_b], size), 0) << size;
    for (size_t i = size; i-- > 0;) {
      b[at_b + i] = static_cast<uint8_t>(random.u16());
      const int expected = scalar_.compare(&a[at_a], &b[at_b], size);
      ASSERT_EQ(sign(tested_.compare(&a[at_a], &b[at_b], size)), sign(expected)) << i << " of " << size;
      ASSERT_EQ(sign(tested_.compare(&b[at_b], &a[at_a], size)), -sign(expected)) << i << " of " << size;
    }
  }
}

TEST_P(KernelsTest, MakesTheKeyThatScalarMakes) {
  Random random = Random::from_seed(4);
  const HashSecret secret = test_secret();
  for (size_t size = 1; size <= max_name_octets; ++size) {
    for (size_t at = 0; at < alignments; ++at) {
      const std::vector<uint8_t> name = octets(random, at + size + 64);
      const MadeKey expected = make_key(scalar_, &name[at], size, secret);
      ASSERT_EQ(make_key(tested_, &name[at], size, secret), expected) << size << " at " << at;
    }
  }
}

TEST_P(KernelsTest, AKeyIsThePrefixTheFoldedNameAndZeros) {
  const HashSecret secret = test_secret();
  for (size_t size = 1; size <= max_name_octets; ++size) {
    const std::vector<uint8_t> name(size, 'Q');
    const MadeKey key = make_key(tested_, name.data(), size, secret, 7);
    std::vector<uint8_t> expected(key_prefix_size, 7);
    expected.insert(expected.end(), size, 'q');
    expected.resize((expected.size() + 15) / 16 * 16);
    ASSERT_EQ(key.octets, expected) << size;
  }
}

}  // namespace
}  // namespace peregrine
