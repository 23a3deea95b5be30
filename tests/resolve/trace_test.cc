#include "resolve/trace.h"

#include <gmock/gmock.h>

#include "resolve/recursor_support.h"

namespace peregrine {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class TraceTest : public RecursorTest {
 protected:
  // The steps as lines, indented by their depth.
  std::vector<std::string> traced(std::string_view qname, Type qtype = Type::a) {
    trace = std::make_shared<Trace>(world.clock);
    resolve(qname, qtype);
    std::vector<std::string> lines;
    for (const TraceStep& step : trace->steps()) lines.push_back(line_of(step));
    return lines;
  }
  std::string line_of(const TraceStep& step) const {
    size_t depth = 0;
    for (size_t at = static_cast<size_t>(&step - trace->steps().data()); at != 0;
         at = trace->steps()[at].parent)
      ++depth;
    const std::string indent(depth * 2, ' ');
    const std::string what = step.name.to_string() + " " + to_string(step.type) + ": " + step.outcome;
    switch (step.kind) {
      case TraceStep::Kind::quest:
        return indent + "? " + what;
      case TraceStep::Kind::cached:
        return indent + "cached " + what;
      case TraceStep::Kind::zone:
        return indent + "servers of " + step.name.to_string();
      case TraceStep::Kind::query:
        return indent + step.server->address.to_string() + (step.rtt ? "" : " silent") +
               (step.over_tcp ? " tcp " : " ") + what;
      case TraceStep::Kind::remark:
        return indent + step.outcome;
    }
    return {};
  }
};

TEST_F(TraceTest, TellsTheWayFromTheRoot) {
  EXPECT_THAT(traced("www.example.com."),
              ElementsAre("? www.example.com. A: NOERROR",                              //
                          "  servers of .",                                             //
                          "    198.41.0.4 . NS: the answer",                            //
                          "  servers of .",                                             //
                          "    198.41.0.4 com. A: a referral to com.",                  //
                          "  servers of com.",                                          //
                          "    192.5.6.30 example.com. A: a referral to example.com.",  //
                          "  servers of example.com.",                                  //
                          "    203.0.113.1 www.example.com. A: the answer"));
}

TEST_F(TraceTest, TellsForWhoseSakeServersAreLookedUp) {
  const auto lines = traced("www.other.net.");
  EXPECT_THAT(lines, Contains("    ? ns1.example.com. A: the answer"));
  EXPECT_THAT(lines, Contains("    ? ns1.example.com. AAAA: no data of the type"));
  EXPECT_THAT(lines, Contains("        203.0.113.1 ns1.example.com. A: the answer"));
}

TEST_F(TraceTest, TellsWhatWasCachedAndWhatWasRefused) {
  resolve("www.example.com.");
  EXPECT_THAT(traced("www.example.com."),
              ElementsAre("? www.example.com. A: NOERROR", "  cached www.example.com. A: data"));
  options().query_private = false;
  internet.zone("com.", {"192.5.6.30"}, {"inside 60 NS ns.inside", "ns.inside 60 A 127.0.0.1"});
  EXPECT_THAT(traced("www.inside.com."), Contains(HasSubstr("127.0.0.1 is a private address")));
}

TEST_F(TraceTest, TellsWhatServersDidNotSay) {
  world.network.serve(endpoint("203.0.113.1"), {});
  world.network.serve(endpoint("203.0.113.2"), always({.rcode = Rcode::refused}));
  const auto lines = traced("www.example.com.");
  EXPECT_THAT(lines.front(), HasSubstr("no answer from servers of example.com."));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("203.0.113.1 silent"), HasSubstr("timeout"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("203.0.113.2 "), HasSubstr("REFUSED"))));
}

TEST_F(TraceTest, TellsWhatForwardersSay) {
  world.network.serve(endpoint("192.0.2.53"), always({.rcode = Rcode::servfail}));
  world.network.serve(endpoint("192.0.2.54"), answering("www.corp.example. 60 A 192.0.2.77"));
  forwards = std::make_shared<ForwardTable>(std::vector<ForwardTable::Zone>{
      {name("corp.example."), {endpoint("192.0.2.53"), endpoint("192.0.2.54")}}});
  EXPECT_THAT(traced("www.corp.example."),
              ElementsAre("? www.corp.example. A: NOERROR",                           //
                          "  servers of corp.example.",                               //
                          "    192.0.2.53 www.corp.example. A: SERVFAIL; of no use",  //
                          "    192.0.2.54 www.corp.example. A: NOERROR"));
}

// What nobody traces costs nothing.
TEST_F(TraceTest, IsLeftAloneUnlessWanted) {
  const TracePlace nowhere;
  EXPECT_FALSE(nowhere.quest(name("example.com."), Type::a));
  nowhere.say("nothing");
  nowhere.remark("nothing");
}

TEST_F(TraceTest, IsBounded) {
  Trace bounded(world.clock);
  const TracePlace first = TracePlace(&bounded).quest(name("example.com."), Type::a);
  for (size_t i = 0; i < Trace::most_steps + 5; ++i) first.remark("again");
  EXPECT_THAT(bounded.steps(), SizeIs(Trace::most_steps));
}

}  // namespace
}  // namespace peregrine
