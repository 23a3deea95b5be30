#include "zone/zonemd.h"

#include <gmock/gmock.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::HasSubstr;

std::vector<ZoneRecord> zone_of(std::string_view text) {
  std::vector<ZoneRecord> records;
  const auto faults = read_master_file(text, "db", name("example."), [&](ZoneRecord record) {
    records.push_back(std::move(record));
    return std::expected<void, std::string>();
  });
  for (const ZoneFault& fault : faults) ADD_FAILURE() << fault.to_string();
  return records;
}

std::expected<ZonemdState, std::string> check(std::string_view text) {
  auto records = zone_of(text);
  return check_zonemd(name("example."), records);
}

std::string why(std::string_view text) {
  const auto checked = check(text);
  return checked ? "" : checked.error();
}

// RFC 8976 appendix A.1.
constexpr std::string_view simple = R"(
example.      86400  IN  SOA     ns1 admin 2018031900 1800 900 604800 86400
              86400  IN  NS      ns1
              86400  IN  NS      ns2
              86400  IN  ZONEMD  2018031900 1 1 (
                                 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3
                                 a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c )
ns1           3600   IN  A       203.0.113.63
ns2           3600   IN  AAAA    2001:db8::63
)";

// Appendix A.2, without the name outside of the zone: such a file is refused before anybody digests it.
constexpr std::string_view complex = R"(
example.      86400  IN  SOA     ns1 admin 2018031900 1800 900 604800 86400
              86400  IN  NS      ns1
              86400  IN  NS      ns2
              86400  IN  ZONEMD  2018031900 1 1 (
                                 a3b69bad980a3504e1cffcb0fd6397f93848071c93151f55
                                 2ae2f6b1711d4bd2d8b39808226d7b9db71e34b72077f8fe )
ns1           3600   IN  A       203.0.113.63
NS2           3600   IN  AAAA    2001:db8::63
occluded.sub  7200   IN  TXT     "I'm occluded but must be digested"
sub           7200   IN  NS      ns1
duplicate     300    IN  TXT     "I must be digested just once"
duplicate     300    IN  TXT     "I must be digested just once"
UPPERCASE     3600   IN  TXT     "canonicalize uppercase owner names"
*             777    IN  PTR     dont-forget-about-wildcards
mail          3600   IN  MX      20 MAIL1
mail          3600   IN  MX      10 Mail2.Example.
sortme        3600   IN  AAAA    2001:db8::5:61
sortme        3600   IN  AAAA    2001:db8::3:62
sortme        3600   IN  AAAA    2001:db8::4:63
sortme        3600   IN  AAAA    2001:db8::1:65
sortme        3600   IN  AAAA    2001:db8::2:64
non-apex      900    IN  ZONEMD  2018031900 1 1 (
                                 616c6c6f776564206275742069676e6f7265642e20616c6c
                                 6f776564206275742069676e6f7265642e20616c6c6f7765 )
)";

// Appendix A.3: both algorithms, and some for private use.
constexpr std::string_view sha384_of_multiple =
    "62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306";
constexpr std::string_view sha512_of_multiple =
    "08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a"
    "4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27";
std::string multiple(std::string_view zonemds) {
  return R"(
example.      86400  IN  SOA     ns1 admin 2018031900 1800 900 604800 86400
example.      86400  IN  NS      ns1.example.
example.      86400  IN  NS      ns2.example.
ns1.example.  3600   IN  A       203.0.113.63
ns2.example.  86400  IN  TXT     "This example has multiple digests"
NS2.EXAMPLE.  3600   IN  AAAA    2001:db8::63
)" + std::string(zonemds);
}
std::string zonemd(std::string_view scheme_and_algorithm, std::string_view digest,
                   std::string_view serial = "2018031900") {
  return "example. 86400 ZONEMD " + std::string(serial) + ' ' + std::string(scheme_and_algorithm) + ' ' +
         std::string(digest) + '\n';
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string changed(text);
  changed.replace(changed.find(from), from.size(), to);
  return changed;
}

TEST(Zonemd, TheExamplesOfTheStandardAreRight) {
  EXPECT_EQ(check(simple), ZonemdState::verified);
  EXPECT_EQ(check(complex), ZonemdState::verified);
  EXPECT_EQ(check(multiple(zonemd("1 1", sha384_of_multiple))), ZonemdState::verified);
  EXPECT_EQ(check(multiple(zonemd("1 2", sha512_of_multiple))), ZonemdState::verified);
}

TEST(Zonemd, AnyOfThemIsEnough) {
  const std::string unknown = zonemd("1 240", "e2d523f654b9422a96c5a8f44607bbee") +
                              zonemd("241 1", "e1846540e33a9e4189792d18d5d131f605fc283e");
  EXPECT_EQ(check(multiple(unknown + zonemd("1 2", sha512_of_multiple))), ZonemdState::verified);
  EXPECT_EQ(check(multiple(zonemd("1 1", std::string(96, '0')) + zonemd("1 2", sha512_of_multiple))),
            ZonemdState::verified);
  EXPECT_EQ(check(multiple(unknown)), ZonemdState::unsupported);
  EXPECT_EQ(check(multiple("")), ZonemdState::absent);
}

TEST(Zonemd, AnyChangeIsFoundOut) {
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"203.0.113.63", "203.0.113.64"},
           {"86400  IN  NS      ns2", "86401  IN  NS      ns2"},
           {"I'm occluded", "I am occluded"},
           {"*             777", "x             777"},
           {"non-apex", "nonapex"},
           {"Mail2.Example.", "Mail2.Exomple."},
           {"duplicate     300    IN  TXT     \"I", "duplicate     300    IN  TXT     \"i"},
           {"604800 86400", "604800 86401"}})
    EXPECT_THAT(why(replaced(complex, from, to)), HasSubstr("does not match")) << from;
}

TEST(Zonemd, LettersOfNamesDoNotCount) {
  EXPECT_EQ(check(replaced(complex, "UPPERCASE", "upperCase")), ZonemdState::verified);
  EXPECT_EQ(check(replaced(complex, "MAIL1", "mail1")), ZonemdState::verified);
}

TEST(Zonemd, MustBeOfTheZonesSerial) {
  EXPECT_THAT(why(multiple(zonemd("1 1", sha384_of_multiple, "2018031901"))), HasSubstr("serial"));
}

TEST(Zonemd, TwoOfOneKindCountForNothing) {
  const auto both = zonemd("1 1", sha384_of_multiple) + zonemd("1 1", std::string(96, '0'));
  EXPECT_THAT(why(multiple(both)), HasSubstr("two ZONEMD"));
}

TEST(Zonemd, AShortDigestOrNoSoaIsNoProof) {
  EXPECT_EQ(check(multiple("example. 60 TYPE63 \\# 7 7848b91c010101\n")), ZonemdState::unsupported);
  EXPECT_THAT(why("@ 60 NS a\n" + zonemd("1 1", sha384_of_multiple)), HasSubstr("no SOA"));
}

}  // namespace
}  // namespace peregrine
