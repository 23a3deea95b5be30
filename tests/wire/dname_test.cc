#include "wire/dname.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "base/random.h"
#include "simd/kernels.h"
#include "wire/wire_support.h"

namespace peregrine {
namespace {

// A name of exactly `size` octets, of labels of one octet and at most one longer.
Octets name_of_size(size_t size) {
  Octets octets = repeat(hex("01'a'"), (size - 1) / 2);
  if (size % 2 == 0) octets[octets.size() - 2] = 2, octets.push_back('b');
  octets.push_back(0);
  return octets;
}

TEST(Dname, ParsesWhatItHoldsAndNoMore) {
  Octets octets = hex("03'www' 07'example' 00 ffff");
  auto parsed = Dname::parse(octets);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size(), 13u);
  EXPECT_EQ(parsed->label_count(), 2u);
  EXPECT_EQ(parsed->to_string(), "www.example.");
  EXPECT_EQ(parsed->wire().data(), octets.data());
}

TEST(Dname, RefusesWhatIsNoName) {
  EXPECT_EQ(Dname::parse({}).error(), Error::truncated);
  EXPECT_EQ(Dname::parse(hex("03'www'")).error(), Error::truncated);
  EXPECT_EQ(Dname::parse(hex("03'ww'")).error(), Error::truncated);
  EXPECT_EQ(Dname::parse(hex("3f")).error(), Error::truncated);
  for (auto first : {"40", "80", "bf", "c0", "c00c", "ff"})
    EXPECT_EQ(Dname::parse(hex(first) + repeat({0}, 255)).error(), Error::bad_label) << first;
}

TEST(Dname, LongestNameIs255Octets) {
  auto longest = name_of_size(255);
  ASSERT_EQ(longest.size(), 255u);
  ASSERT_TRUE(Dname::parse(longest));
  EXPECT_EQ(Dname::parse(longest)->label_count(), 127u);
  auto longer = name_of_size(256);
  ASSERT_EQ(longer.size(), 256u);
  EXPECT_EQ(Dname::parse(longer).error(), Error::name_too_long);
  EXPECT_EQ(Dname::parse(repeat(hex("01'a'"), 1000)).error(), Error::name_too_long);
  auto wide = repeat(Octets{63} + repeat({'x'}, 63), 4) + Octets{0};
  EXPECT_EQ(Dname::parse(wide).error(), Error::name_too_long);
}

TEST(Dname, RootHasNothingAboveIt) {
  Dname root;
  EXPECT_TRUE(root.is_root());
  EXPECT_EQ(root.label_count(), 0u);
  EXPECT_TRUE(root.first_label().empty());
  EXPECT_TRUE(root.parent().is_root());
  EXPECT_TRUE(root.suffix(3).is_root());
  EXPECT_EQ(root.to_string(), ".");
  EXPECT_EQ(*Dname::parse(hex("00")), root);
}

TEST(Dname, ParentSuffixAndStarts) {
  DnameBuf full = name("a.bc.def");
  EXPECT_EQ(full.view().parent(), name("bc.def"));
  EXPECT_EQ(full.view().suffix(1), name("def"));
  EXPECT_EQ(full.view().suffix(0), Dname());
  EXPECT_EQ(full.view().suffix(3), full);
  EXPECT_EQ(full.view().suffix(9), full);
  Dname::LabelStarts starts;
  ASSERT_EQ(full.view().label_starts(starts), 3u);
  EXPECT_EQ((std::vector<uint8_t>(starts.begin(), starts.begin() + 4)), (std::vector<uint8_t>{0, 2, 5, 9}));
}

TEST(Dname, ComparesWithoutCaseOfAsciiLettersOnly) {
  EXPECT_EQ(name("WWW.Example.COM"), name("www.eXAMPLE.com"));
  EXPECT_FALSE(name("a.b") == name("a.c"));
  EXPECT_FALSE(name("a.b") == name("a\\.b"));
  EXPECT_FALSE(name("a") == name("a.b"));
  // '@' and '`', '[' and '{' differ by 0x20 as well, and are no letters; nor is anything above ASCII.
  EXPECT_FALSE(name("\\064") == name("\\096"));
  EXPECT_FALSE(name("[") == name("{"));
  EXPECT_FALSE(name("\\192") == name("\\224"));
  EXPECT_TRUE(same_octets(name("Aa"), name("Aa")));
  EXPECT_FALSE(same_octets(name("Aa"), name("aA")));
  EXPECT_FALSE(same_octets(name("a"), name("a.a")));
}

TEST(Dname, IsAtOrBelow) {
  EXPECT_TRUE(name("www.Example.com").view().is_at_or_below(name("eXample.com")));
  EXPECT_TRUE(name("example.com").view().is_at_or_below(name("example.com")));
  EXPECT_TRUE(name("example.com").view().is_at_or_below(Dname()));
  EXPECT_TRUE(Dname().is_at_or_below(Dname()));
  EXPECT_FALSE(name("com").view().is_at_or_below(name("example.com")));
  EXPECT_FALSE(name("badexample.com").view().is_at_or_below(name("example.com")));
  // The octets of the ancestor end this name, but inside a label.
  EXPECT_FALSE(name("x\\003com").view().is_at_or_below(name("com")));
}

TEST(Dname, Wildcards) {
  EXPECT_TRUE(name("*").view().is_wildcard());
  EXPECT_TRUE(name("*.example").view().is_wildcard());
  EXPECT_FALSE(name("a.*.example").view().is_wildcard());
  EXPECT_FALSE(name("**.example").view().is_wildcard());
  EXPECT_FALSE(Dname().is_wildcard());
}

// The list in RFC 4034 section 6.1, in its order.
TEST(Dname, CanonicalOrder) {
  std::vector<DnameBuf> sorted;
  for (auto text : {".", "example", "a.example", "yljkjljk.a.example", "Z.a.example", "zABC.a.EXAMPLE",
                    "z.example", "\\001.z.example", "*.z.example", "\\200.z.example"})
    sorted.push_back(name(text));
  for (size_t i = 0; i < sorted.size(); ++i)
    for (size_t j = 0; j < sorted.size(); ++j) {
      int order = canonical_compare(sorted[i], sorted[j]);
      EXPECT_EQ(order < 0, i < j) << i << ' ' << j;
      EXPECT_EQ(order > 0, i > j) << i << ' ' << j;
    }
  EXPECT_EQ(canonical_compare(name("A.B"), name("a.b")), 0);
  EXPECT_LT(canonical_compare(name("ab"), name("abc")), 0);
  EXPECT_LT(canonical_compare(*Dname::parse(name_of_size(253)), *Dname::parse(name_of_size(255))), 0);
}

// By every set of kernels, long labels or short ones.
TEST(Dname, ComparesAndFoldsAlikeByAnyKernels) {
  const Kernels& before = kernels();
  for (const KernelSet set : {KernelSet::scalar, KernelSet::avx2, KernelSet::avx512}) {
    if (!find_kernels(set)) continue;
    use_kernels(*find_kernels(set));
    for (size_t size = 1; size <= max_label_size; ++size) {
      const std::string label(size, 'Q');
      const DnameBuf capitals = name(label + ".X"), higher = name(label.substr(1) + "r.x");
      DnameBuf folded = capitals;
      folded.fold();
      EXPECT_TRUE(same_octets(folded, name(std::string(size, 'q') + ".x"))) << size;
      EXPECT_EQ(folded, capitals) << size;
      EXPECT_FALSE(folded == higher) << size;
      EXPECT_EQ(canonical_compare(folded, capitals), 0) << size;
      EXPECT_LT(canonical_compare(folded, higher), 0) << size;
      EXPECT_GT(canonical_compare(higher, capitals), 0) << size;
    }
  }
  use_kernels(before);
}

TEST(DnameText, Escapes) {
  EXPECT_EQ(wire_of(name("a\\.b.c")), hex("03'a.b' 01'c' 00"));
  EXPECT_EQ(wire_of(name("\\065\\\\\\000\\255")), hex("04 41 5c 00 ff 00"));
  EXPECT_EQ(Dname::parse(hex("09 '. \\;@$' 00 7f ff 00"))->to_string(),
            "\\.\\032\\\\\\;\\@\\$\\000\\127\\255.");
  EXPECT_EQ(wire_of(name("\xc3\xa9")), hex("02 c3a9 00"));
}

TEST(DnameText, AbsoluteRelativeAndOrigin) {
  EXPECT_EQ(name("a.b."), name("a.b"));
  EXPECT_EQ(name("."), Dname());
  DnameBuf origin = name("example.com");
  EXPECT_EQ(*DnameBuf::from_text("www", origin), name("www.example.com"));
  EXPECT_EQ(*DnameBuf::from_text("www.", origin), name("www"));
  EXPECT_EQ(*DnameBuf::from_text("www\\.", origin), name("www\\..example.com"));
  EXPECT_EQ(*DnameBuf::from_text("@", origin), origin);
  EXPECT_EQ(*DnameBuf::from_text("\\@", origin), name("\\064.example.com"));
  EXPECT_EQ(*DnameBuf::from_text(".", origin), Dname());
}

TEST(DnameText, Refuses) {
  for (auto text : {"", "..", ".a", "a..b", "a..", "\\", "a\\", "\\1", "\\12", "\\12x", "\\256", "\\999",
                    "a b", "a\tb", "\"a\"", "a;b", "(a)", "\x7f"})
    EXPECT_EQ(DnameBuf::from_text(text).error(), Error::bad_text) << text;
  EXPECT_EQ(DnameBuf::from_text(std::string("a\0b", 3)).error(), Error::bad_text);
  std::string label(63, 'x');
  EXPECT_TRUE(DnameBuf::from_text(label));
  EXPECT_EQ(DnameBuf::from_text(label + 'x').error(), Error::bad_label);
  std::string three = label + '.' + label + '.' + label + '.';
  EXPECT_EQ(DnameBuf::from_text(three + std::string(61, 'y'))->view().size(), 255u);
  EXPECT_EQ(DnameBuf::from_text(three + std::string(62, 'y')).error(), Error::name_too_long);
  EXPECT_EQ(DnameBuf::from_text(three + std::string(59, 'y'), name("z"))->view().size(), 255u);
  EXPECT_EQ(DnameBuf::from_text(three + std::string(60, 'y'), name("z")).error(), Error::name_too_long);
}

TEST(DnameText, RandomNamesSurviveTheirText) {
  Random random = Random::from_seed(1);
  for (int round = 0; round < 2000; ++round) {
    DnameBuf built;
    std::array<uint8_t, max_label_size> label;
    while (random.below(6) != 0) {
      random.fill(label);
      built.append_label(Bytes(label).first(1 + random.below(max_label_size)));
    }
    auto again = DnameBuf::from_text(built.to_string());
    ASSERT_TRUE(again) << built.to_string();
    ASSERT_TRUE(same_octets(*again, built)) << built.to_string();
  }
}

TEST(DnameBuf, AppendLabelBuildsFromLeftToRight) {
  DnameBuf built;
  for (std::string_view label : {"www", "example", "com"})
    EXPECT_TRUE(built.append_label({reinterpret_cast<const uint8_t*>(label.data()), label.size()}));
  EXPECT_EQ(built, name("www.example.com"));
}

TEST(DnameBuf, AppendLabelRefusesAndChangesNothing) {
  DnameBuf built = name("a");
  Octets octets(64, 'x');
  EXPECT_FALSE(built.append_label({}));
  EXPECT_FALSE(built.append_label(octets));
  EXPECT_EQ(built, name("a"));
  EXPECT_TRUE(built.append_label(Bytes(octets).first(63)));
  DnameBuf nearly(*Dname::parse(name_of_size(253)));
  EXPECT_FALSE(nearly.append_label(Bytes(octets).first(2)));
  EXPECT_EQ(nearly.view().size(), 253u);
  EXPECT_TRUE(nearly.append_label(Bytes(octets).first(1)));
  EXPECT_EQ(nearly.view().size(), 255u);
  EXPECT_FALSE(nearly.append_label(Bytes(octets).first(1)));
}

TEST(DnameBuf, AppendReplacesTheRoot) {
  DnameBuf built = name("www");
  EXPECT_TRUE(built.append(name("example.com")));
  EXPECT_EQ(built, name("www.example.com"));
  EXPECT_TRUE(built.append(Dname()));
  EXPECT_TRUE(built.append(built));
  EXPECT_EQ(built, name("www.example.com.www.example.com"));
  Octets half = name_of_size(128);
  DnameBuf full(*Dname::parse(half));
  EXPECT_TRUE(full.append(*Dname::parse(half)));
  EXPECT_EQ(full.view().size(), 255u);
  EXPECT_FALSE(full.append(name("a")));
  EXPECT_EQ(full.view().size(), 255u);
}

TEST(DnameBuf, CopiesAndTakesItsOwnSuffix) {
  DnameBuf first = name("a.bc.def");
  DnameBuf second = first;
  EXPECT_NE(second.view().wire().data(), first.view().wire().data());
  second = second.view().parent();
  EXPECT_EQ(second, name("bc.def"));
  EXPECT_EQ(first, name("a.bc.def"));
  second = *&second;
  EXPECT_EQ(second, name("bc.def"));
  EXPECT_TRUE(DnameBuf().view().is_root());
}

TEST(FoldOctet, ChangesCapitalsOnly) {
  for (unsigned c = 0; c < 256; ++c) {
    const unsigned expected = c >= 'A' && c <= 'Z' ? c + 32 : c;
    EXPECT_EQ(fold_octet(static_cast<uint8_t>(c)), expected);
  }
}

TEST(DnameBuf, FoldsLettersOnly) {
  DnameBuf built = name("AZ@[`{.\\193");
  built.fold();
  EXPECT_TRUE(same_octets(built, name("az@[`{.\\193")));
}

TEST(DnameBuf, FlipCaseCountsLettersOnly) {
  DnameBuf built = name("a1B-c.D");
  uint8_t bits[] = {0b0101};
  built.flip_case(bits);
  EXPECT_TRUE(same_octets(built, name("A1b-C.d")));
  built.flip_case({});
  EXPECT_TRUE(same_octets(built, name("a1b-c.d")));
  DnameBuf nine = name("abcdefghi");
  uint8_t two[] = {0x80, 0x01};
  nine.flip_case(two);
  EXPECT_TRUE(same_octets(nine, name("abcdefgHI")));
}

}  // namespace
}  // namespace peregrine
