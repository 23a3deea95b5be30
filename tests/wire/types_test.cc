#include "wire/types.h"

#include <gtest/gtest.h>

namespace peregrine {
namespace {

TEST(Types, MnemonicsAndNumbersBothWays) {
  EXPECT_EQ(to_string(Type::aaaa), "AAAA");
  EXPECT_EQ(to_string(Type::any), "ANY");
  EXPECT_EQ(to_string(Type(257)), "CAA");
  EXPECT_EQ(to_string(Type(65280)), "TYPE65280");
  EXPECT_EQ(to_string(Type(0)), "TYPE0");
  EXPECT_EQ(parse_type("aAaA"), Type::aaaa);
  EXPECT_EQ(parse_type("type28"), Type::aaaa);
  EXPECT_EQ(parse_type("TYPE65535"), Type(65535));
}

TEST(Types, EveryTypeSurvivesItsText) {
  for (unsigned number = 0; number <= 0xffff; ++number)
    ASSERT_EQ(parse_type(to_string(Type(number))), Type(number)) << number;
}

TEST(Types, RefusesWhatIsNoType) {
  for (auto text :
       {"", "TYPE", "TYPE65536", "TYPE-1", "TYPE 1", "TYPE1x", "AA", "AAAAA", "TYP", "1", "CLASS1"})
    EXPECT_EQ(parse_type(text), std::nullopt) << text;
}

TEST(Types, Classes) {
  EXPECT_EQ(to_string(Class::ch), "CH");
  EXPECT_EQ(to_string(Class(1232)), "CLASS1232");
  EXPECT_EQ(parse_class("in"), Class::in);
  EXPECT_EQ(parse_class("class3"), Class::ch);
  EXPECT_EQ(parse_class("CLASS65536"), std::nullopt);
  EXPECT_EQ(parse_class("TYPE1"), std::nullopt);
}

TEST(Types, OpcodesRcodesAndExtendedErrors) {
  EXPECT_EQ(to_string(Opcode::notify), "NOTIFY");
  EXPECT_EQ(to_string(Opcode(9)), "OPCODE9");
  EXPECT_EQ(to_string(Rcode::nxdomain), "NXDOMAIN");
  EXPECT_EQ(to_string(Rcode::badvers), "BADVERS");
  EXPECT_EQ(to_string(Rcode(3841)), "RCODE3841");
  EXPECT_EQ(to_string(Ede::other), "Other");
  EXPECT_EQ(to_string(Ede::stale_answer), "Stale Answer");
  EXPECT_EQ(to_string(Ede::no_reachable_authority), "No Reachable Authority");
  EXPECT_EQ(to_string(Ede::invalid_query_type), "Invalid Query Type");
  EXPECT_EQ(to_string(Ede(31)), "");
  EXPECT_EQ(to_string(Ede(65535)), "");
}

TEST(Types, MetaTypes) {
  for (Type t : {Type::opt, Type::tsig, Type::axfr, Type::any, Type(128)}) EXPECT_TRUE(is_meta(t));
  for (Type t : {Type::a, Type::https, Type(127), Type(256), Type(65535)}) EXPECT_FALSE(is_meta(t));
}

}  // namespace
}  // namespace peregrine
