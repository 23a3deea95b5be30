#include "wire/rdata.h"

#include <gtest/gtest.h>

#include <tuple>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

// A message with one RR of that type: question "a.example" at 12, rdata at 39.
class OneRr {
 public:
  OneRr(Type type, Octets rdata) {
    octets_ = hex("0000 8000 0001 0001 0000 0000 01'a' 07'Example' 00 0001 0001 c00c");
    put16(static_cast<uint16_t>(type));
    octets_ = std::move(octets_) + hex("0001 0000003c");
    put16(rdata.size());
    octets_ = std::move(octets_) + rdata;
    view_ = MessageView::parse(octets_);
  }
  OneRr(Type type, std::string_view rdata) : OneRr(type, hex(rdata)) {}
  OneRr(const OneRr&) = delete;
  operator RrView() const { return *view_.value().section(Section::answer).begin(); }  // NOLINT

 private:
  void put16(size_t v) {
    octets_ = std::move(octets_) + Octets{static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)};
  }
  Octets octets_;
  Result<MessageView> view_ = std::unexpected(Error::truncated);
};

Octets octets_of(Result<Bytes> bytes) { return {bytes.value().begin(), bytes.value().end()}; }

constexpr Type with_row[] = {Type::a,   Type::ns,    Type::md,    Type::mf,    Type::cname, Type::soa,
                             Type::mb,  Type::mg,    Type::mr,    Type::ptr,   Type::minfo, Type::mx,
                             Type::txt, Type::rp,    Type::afsdb, Type::rt,    Type::px,    Type::aaaa,
                             Type::srv, Type::naptr, Type::kx,    Type::dname, Type::opt};

TEST(Rdata, TypesWithARow) {
  for (Type type : with_row) {
    ASSERT_NE(find_row(type), nullptr) << to_string(type);
    EXPECT_EQ(find_row(type)->type, type);
  }
  EXPECT_EQ(find_row(Type(0)), nullptr);
  EXPECT_EQ(find_row(Type::any), nullptr);
  EXPECT_EQ(find_row(Type(65280)), nullptr);
}

TEST(Rdata, AcceptsWhatTheTypeAllows) {
  Octets octets = golden::kitchen_sink();
  auto view = MessageView::parse(octets);
  ASSERT_TRUE(view);
  for (RrView rr : view->section(Section::answer)) EXPECT_TRUE(check_rdata(rr)) << to_text(rr);
  EXPECT_TRUE(check_rdata(OneRr(Type(65280), "")));
  EXPECT_TRUE(check_rdata(OneRr(Type::txt, "00")));
  EXPECT_TRUE(check_rdata(OneRr(Type::ns, "01'b' c00c")));
  EXPECT_TRUE(check_rdata(OneRr(Type::srv, "0000 0000 0000 c00c"))) << "compressed by an older sender";
  EXPECT_TRUE(check_rdata(OneRr(Type::naptr, "0000 0000 00 00 00 00")));
}

TEST(Rdata, RefusesWhatItDoesNot) {
  struct Case {
    Type type;
    const char* rdata;
    Error error;
  };
  const Case cases[] = {
      {Type::a, "", Error::bad_rdata},
      {Type::a, "010203", Error::bad_rdata},
      {Type::a, "0102030405", Error::bad_rdata},
      {Type::aaaa, "01020304", Error::bad_rdata},
      {Type::ns, "", Error::truncated},
      {Type::ns, "01'b'", Error::truncated},
      {Type::ns, "02'b'", Error::truncated},
      {Type::ns, "c0", Error::truncated},
      {Type::ns, "c00c 00", Error::bad_rdata},
      {Type::ns, "c027", Error::bad_pointer},
      {Type::ns, "01'b' c027", Error::bad_pointer},
      {Type::ns, "c02f", Error::bad_pointer},
      {Type::ns, "c000", Error::bad_pointer},
      {Type::ns, "40", Error::bad_label},
      {Type::ns, "80", Error::bad_label},
      {Type::soa, "c00c c00c 00000001 00000002 00000003 00000004", Error::bad_rdata},
      {Type::soa, "c00c c00c 00000001 00000002 00000003 00000004 00000005 00", Error::bad_rdata},
      {Type::soa, "c00c", Error::truncated},
      {Type::mx, "00", Error::bad_rdata},
      {Type::mx, "0000", Error::truncated},
      {Type::txt, "", Error::bad_rdata},
      {Type::txt, "02'a'", Error::bad_rdata},
      {Type::txt, "01'a' 01", Error::bad_rdata},
      {Type::srv, "0000 0000 00", Error::bad_rdata},
      {Type::dname, "", Error::truncated},
      {Type::mb, "c027", Error::bad_pointer},
      {Type::minfo, "c00c", Error::truncated},
      {Type::minfo, "c00c c00c 00", Error::bad_rdata},
      {Type::rp, "c00c", Error::truncated},
      {Type::afsdb, "00", Error::bad_rdata},
      {Type::kx, "0000", Error::truncated},
      {Type::px, "0000 c00c", Error::truncated},
      {Type::naptr, "0000 0000 00 00", Error::bad_rdata},
      {Type::naptr, "0000 0000 00 00 05'abcd'", Error::bad_rdata},
      {Type::naptr, "0000 0000 00 00 00", Error::truncated},
      {Type::naptr, "0000 0000 00 00 00 00 00", Error::bad_rdata},
  };
  for (const Case& c : cases) {
    auto checked = check_rdata(OneRr(c.type, c.rdata));
    ASSERT_FALSE(checked) << to_string(c.type) << ' ' << c.rdata;
    EXPECT_EQ(checked.error(), c.error) << to_string(c.type) << ' ' << c.rdata;
  }
}

TEST(Rdata, NamesInItAre255OctetsAtMost) {
  EXPECT_TRUE(check_rdata(OneRr(Type::ns, repeat(hex("01'b'"), 122) + hex("c00c"))));
  auto checked = check_rdata(OneRr(Type::ns, repeat(hex("01'b'"), 123) + hex("c00c")));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error(), Error::name_too_long);
}

TEST(Rdata, TargetIsTheFirstName) {
  auto target = [](Type type, const char* rdata) { return target_of(OneRr(type, rdata)); };
  EXPECT_EQ(*target(Type::cname, "01'b' c00e"), name("b.example"));
  EXPECT_EQ(*target(Type::mx, "000a c00c"), name("a.example"));
  EXPECT_EQ(*target(Type::srv, "0000 0000 0000 01'c' 00"), name("c"));
  EXPECT_EQ(*target(Type::soa, "c00c 00 00000001 00000002 00000003 00000004 00000005"), name("a.example"));
  EXPECT_EQ(*target(Type::dname, "00"), Dname());
  EXPECT_EQ(target(Type::a, "01020304").error(), Error::bad_rdata);
  EXPECT_EQ(target(Type(65280), "01'b' 00").error(), Error::bad_rdata);
  EXPECT_EQ(target(Type::cname, "c027").error(), Error::bad_rdata);
  EXPECT_EQ(target(Type::cname, "c00c 00").error(), Error::bad_rdata);
}

TEST(Rdata, ExpandsNames) {
  std::array<uint8_t, 64> out;
  OneRr mx(Type::mx, "000a 02'MX' c00e");
  EXPECT_EQ(octets_of(expand_rdata(mx, out)), hex("000a 02'MX' 07'Example' 00"));
  EXPECT_EQ(octets_of(canonical_rdata(mx, out)), hex("000a 02'mx' 07'example' 00"));
  EXPECT_EQ(octets_of(canonical_rdata(OneRr(Type::txt, "02'MX'"), out)), hex("02'MX'"));
  EXPECT_EQ(octets_of(expand_rdata(OneRr(Type(65280), "c00c"), out)), hex("c00c")) << "opaque, byte for byte";
  EXPECT_EQ(octets_of(expand_rdata(OneRr(Type(65280), ""), out)), Octets());
  EXPECT_EQ(expand_rdata(OneRr(Type::mx, "000a c029"), out).error(), Error::bad_rdata);
  EXPECT_EQ(canonical_rdata(OneRr(Type::mx, "000a"), out).error(), Error::bad_rdata);
}

// Their names are among other fields: passed on as they came, a pointer would lead anywhere.
TEST(Rdata, ExpandsTheNamesOfRareTypes) {
  const std::tuple<Type, const char*, const char*> cases[] = {
      {Type::md, "c00c", "01'a' 07'example' 00"},
      {Type::mf, "c00e", "07'example' 00"},
      {Type::mb, "02'MB' c00e", "02'mb' 07'example' 00"},
      {Type::mg, "c00e", "07'example' 00"},
      {Type::mr, "c00e", "07'example' 00"},
      {Type::minfo, "c00e 01'E' c00e", "07'example' 00 01'e' 07'example' 00"},
      {Type::rp, "c00e 01'T' c00c", "07'example' 00 01't' 01'a' 07'example' 00"},
      {Type::afsdb, "0001 c00e", "0001 07'example' 00"},
      {Type::rt, "000a c00e", "000a 07'example' 00"},
      {Type::kx, "000a c00e", "000a 07'example' 00"},
      {Type::px, "0001 c00e c00c", "0001 07'example' 00 01'a' 07'example' 00"},
      {Type::naptr, "0001 0002 01'U' 07'E2U+sip' 02'!!' c00e",
       "0001 0002 01'U' 07'E2U+sip' 02'!!' 07'example' 00"},
  };
  std::array<uint8_t, 64> out;
  for (const auto& [type, rdata, expected] : cases)
    EXPECT_EQ(octets_of(canonical_rdata(OneRr(type, rdata), out)), hex(expected)) << to_string(type);
}

TEST(Rdata, ExpandNeedsRoom) {
  OneRr mx(Type::mx, "000a 02'mx' c00e");  // 14 octets expanded
  std::array<uint8_t, 14> out;
  EXPECT_TRUE(expand_rdata(mx, out));
  for (size_t size = 0; size < out.size(); ++size)
    EXPECT_EQ(expand_rdata(mx, MutableBytes(out).first(size)).error(), Error::no_space) << size;
}

TEST(Rdata, SoaNumbers) {
  OneRr soa(Type::soa, "c00c 01'h' c00c 00000001 00000002 00000003 00000004 fffffffe");
  auto numbers = soa_numbers(soa);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->serial, 1u);
  EXPECT_EQ(numbers->refresh, 2u);
  EXPECT_EQ(numbers->retry, 3u);
  EXPECT_EQ(numbers->expire, 4u);
  EXPECT_EQ(numbers->minimum, 0xfffffffeu);
  EXPECT_EQ(soa_numbers(OneRr(Type::soa, "c00c 00 00000001")).error(), Error::bad_rdata);
  EXPECT_EQ(soa_numbers(OneRr(Type::txt, "01'a'")).error(), Error::bad_rdata);
}

}  // namespace
}  // namespace peregrine
