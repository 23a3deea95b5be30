#include "resolve/minimiser.h"

#include <gmock/gmock.h>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// What servers are asked that know of no zone cut.
std::vector<std::string> asked(std::string_view qname, Minimisation mode, std::string_view zone = ".") {
  const DnameBuf whole = name(qname), known = name(zone);
  Minimiser minimiser(whole, Type::mx, mode);
  std::vector<std::string> names;
  for (bool last = false; !last; minimiser.deeper()) {
    const Minimiser::Ask ask = minimiser.next(known);
    names.push_back(ask.name.to_string() + " " + to_string(ask.type));
    last = ask.whole;
  }
  return names;
}

TEST(Minimiser, ShowsOneLabelAtATime) {
  EXPECT_THAT(asked("www.example.com.", Minimisation::relaxed),
              ElementsAre("com. A", "example.com. A", "www.example.com. MX"));
  EXPECT_THAT(asked("www.example.com.", Minimisation::strict, "com."),
              ElementsAre("example.com. A", "www.example.com. MX"));
}

TEST(Minimiser, ShowsAllWhereItIsOff) {
  EXPECT_THAT(asked("www.example.com.", Minimisation::off), ElementsAre("www.example.com. MX"));
  EXPECT_THAT(asked(".", Minimisation::strict), ElementsAre(". MX"));
  EXPECT_THAT(asked("com.", Minimisation::strict, "com."), ElementsAre("com. MX"));
}

// RFC 9156 section 2.3: names of very many labels are no way to make many queries.
TEST(Minimiser, AsksTenTimesAtMost) {
  std::string longest;
  for (int i = 0; i < 120; ++i) longest += "a.";
  EXPECT_THAT(asked(longest, Minimisation::relaxed), SizeIs(testing::Le(11u)));
  EXPECT_THAT(asked(longest, Minimisation::relaxed), SizeIs(testing::Ge(8u)));
}

TEST(Minimiser, TakesUnderscoresWithTheLabelBefore) {
  EXPECT_THAT(asked("_443._tcp.www.example.", Minimisation::relaxed),
              ElementsAre("example. A", "www.example. A", "_443._tcp.www.example. MX"));
}

TEST(Minimiser, GivesUp) {
  const DnameBuf whole = name("www.example.com.");
  Minimiser minimiser(whole, Type::a, Minimisation::relaxed);
  EXPECT_FALSE(minimiser.next(name(".")).whole);
  EXPECT_FALSE(minimiser.believes_denial());
  minimiser.give_up();
  EXPECT_TRUE(minimiser.next(name(".")).whole);
  EXPECT_TRUE(Minimiser(whole, Type::a, Minimisation::strict).believes_denial());
}

}  // namespace
}  // namespace peregrine
