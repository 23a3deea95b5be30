#include "zone/zone_file.h"

#include <gmock/gmock.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ZoneFile, IsAZone) {
  const LoadedZone loaded = load_zone("@ SOA ns host 1 1 1 1 60\nwww A 192.0.2.1\n", "db", name("example."));
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.zonemd, ZonemdState::absent);
  EXPECT_THAT(loaded.zone->records(name("www.example."), Type::a), SizeIs(1));
}

TEST(ZoneFile, SaysWhatCannotStandInAZone) {
  const LoadedZone loaded = load_zone(
      "www A 192.0.2.1\nwww CNAME x\n@ SOA a b 1 1 1 1 1\n@ SOA a b 2 1 1 1 1\nx CNAME y\nx CNAME z\n", "db",
      name("example."));
  EXPECT_THAT(
      loaded.faults,
      ElementsAre(ZoneFault{"db", 2, "www.example. has a CNAME beside another record, or two of them"},
                  ZoneFault{"db", 4, "example. has two SOA records"},
                  ZoneFault{"db", 6, "x.example. has a CNAME beside another record, or two of them"}));
}

TEST(ZoneFile, AnEmptyOneIsAMistake) {
  EXPECT_THAT(load_zone("; nothing\n", "db", name("example.")).faults,
              ElementsAre(ZoneFault{"db", 0, "there is no record in it"}));
}

TEST(ZoneFile, ItsDigestMustMatch) {
  const std::string zone =
      "@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400\n@ 86400 NS ns1\n@ 86400 NS ns2\n"
      "@ 86400 ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3"
      "a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c\n"
      "ns1 3600 A 203.0.113.63\n";
  const LoadedZone whole = load_zone(zone + "ns2 3600 AAAA 2001:db8::63\n", "db", name("example."));
  EXPECT_THAT(whole.faults, IsEmpty());
  EXPECT_EQ(whole.zonemd, ZonemdState::verified);
  const LoadedZone damaged = load_zone(zone, "db", name("example."));
  ASSERT_THAT(damaged.faults, SizeIs(1));
  EXPECT_EQ(damaged.faults[0].to_string(),
            "db: its ZONEMD does not match: the zone is damaged, or was changed");
}

TEST(ZoneFile, AnSoaIsMadeUpWhereThereIsNone) {
  Zone zone(name("example."));
  ASSERT_TRUE(complete_soa(zone));
  EXPECT_THAT(zone.records(name("example."), Type::soa), SizeIs(1));
  const Zone before = zone;
  ASSERT_TRUE(complete_soa(zone));
  EXPECT_EQ(zone, before);
  Zone alias(name("example."));
  ASSERT_TRUE(alias.add_line("@ 60 CNAME other.example."));
  EXPECT_FALSE(complete_soa(alias));
}

}  // namespace
}  // namespace peregrine
