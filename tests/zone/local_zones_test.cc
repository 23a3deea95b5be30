#include "zone/local_zones.h"

#include <gtest/gtest.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

std::string apex_for(const LocalZones& zones, std::string_view qname, Type qtype = Type::a) {
  const Zone* zone = zones.find(name(qname), qtype);
  return zone ? zone->apex().to_string() : "none";
}

TEST(LocalZones, TheDeepestThatHoldsTheNameAnswers) {
  std::vector<std::shared_ptr<const Zone>> made;
  for (const char* apex : {"example.", "a.b.example.", "1.168.192.in-addr.arpa."})
    made.push_back(std::make_shared<Zone>(name(apex)));
  const LocalZones zones(made);
  EXPECT_EQ(apex_for(zones, "www.example."), "example.");
  EXPECT_EQ(apex_for(zones, "EXAMPLE."), "example.");
  EXPECT_EQ(apex_for(zones, "b.example."), "example.");
  EXPECT_EQ(apex_for(zones, "x.A.b.example."), "a.b.example.");
  EXPECT_EQ(apex_for(zones, "7.1.168.192.in-addr.arpa."), "1.168.192.in-addr.arpa.");
  EXPECT_EQ(apex_for(zones, "xexample."), "none");
  EXPECT_EQ(apex_for(zones, "."), "none");
}

TEST(LocalZones, ADsIsOfTheZoneAbove) {
  const LocalZones zones(
      {std::make_shared<Zone>(name("example.")), std::make_shared<Zone>(name("a.example."))});
  EXPECT_EQ(apex_for(zones, "a.example.", Type::ds), "example.");
  EXPECT_EQ(apex_for(zones, "example.", Type::ds), "none");
  EXPECT_EQ(apex_for(zones, "x.a.example.", Type::ds), "a.example.");
}

TEST(LocalZones, TheRootMayBeOne) {
  const LocalZones zones({std::make_shared<Zone>(name("."))});
  EXPECT_EQ(apex_for(zones, "."), ".");
  EXPECT_EQ(apex_for(zones, "com.", Type::ds), ".");
  EXPECT_EQ(apex_for(zones, ".", Type::ds), "none");
  EXPECT_EQ(apex_for(LocalZones({}), "com."), "none");
}

}  // namespace
}  // namespace peregrine
