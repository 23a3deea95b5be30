#include "resolve/inflight.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "wire/wire_support.h"

namespace peregrine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

AnswerKey key(std::string_view qname, Type qtype = Type::a, bool dnssec_ok = false) {
  DnameBuf parsed = name(qname);
  return {{.qname = parsed, .qtype = qtype, .dnssec_ok = dnssec_ok}, HashSecret(HashKey{1, 2})};
}

TEST(Inflight, IdenticalQuestionsShareOne) {
  Inflight<int> inflight({});
  EXPECT_EQ(inflight.join(key("a.example"), 1), Joined::first);
  EXPECT_EQ(inflight.join(key("A.Example"), 2), Joined::waiting);
  EXPECT_EQ(inflight.join(key("a.example"), 3), Joined::waiting);
  EXPECT_EQ(inflight.size(), 1u);
  EXPECT_THAT(inflight.finish(key("a.example")), ElementsAre(1, 2, 3));
  EXPECT_EQ(inflight.size(), 0u);
  EXPECT_EQ(inflight.join(key("a.example"), 4), Joined::first);
}

TEST(Inflight, OthersDoNot) {
  Inflight<int> inflight({});
  EXPECT_EQ(inflight.join(key("a.example"), 1), Joined::first);
  EXPECT_EQ(inflight.join(key("b.example"), 2), Joined::first);
  EXPECT_EQ(inflight.join(key("a.example", Type::aaaa), 3), Joined::first);
  EXPECT_EQ(inflight.join(key("a.example", Type::a, true), 4), Joined::first);
  EXPECT_THAT(inflight.finish(key("b.example")), ElementsAre(2));
  EXPECT_EQ(inflight.size(), 3u);
}

TEST(Inflight, CapsWaiters) {
  Inflight<int> inflight({.resolutions = 10, .waiters = 2});
  EXPECT_EQ(inflight.join(key("a.example"), 1), Joined::first);
  EXPECT_EQ(inflight.join(key("a.example"), 2), Joined::waiting);
  EXPECT_EQ(inflight.join(key("a.example"), 3), Joined::too_many_waiters);
  EXPECT_EQ(inflight.join(key("b.example"), 3), Joined::first) << "each has its own";
  EXPECT_THAT(inflight.finish(key("a.example")), ElementsAre(1, 2));
}

TEST(Inflight, CapsResolutions) {
  Inflight<int> inflight({.resolutions = 2, .waiters = 10});
  EXPECT_EQ(inflight.join(key("a.example"), 1), Joined::first);
  EXPECT_EQ(inflight.join(key("b.example"), 2), Joined::first);
  EXPECT_EQ(inflight.join(key("c.example"), 3), Joined::too_many_resolutions);
  EXPECT_EQ(inflight.join(key("a.example"), 4), Joined::waiting) << "joining needs no room";
  inflight.finish(key("b.example"));
  EXPECT_EQ(inflight.join(key("c.example"), 5), Joined::first);
}

TEST(Inflight, CapsWaitersInTotal) {
  Inflight<int> inflight({.resolutions = 10, .waiters = 10, .total_waiters = 3});
  EXPECT_EQ(inflight.join(key("a.example"), 1), Joined::first);
  EXPECT_EQ(inflight.join(key("a.example"), 2), Joined::waiting);
  EXPECT_EQ(inflight.join(key("b.example"), 3), Joined::first);
  EXPECT_EQ(inflight.join(key("b.example"), 4), Joined::too_many_waiters);
  EXPECT_EQ(inflight.join(key("c.example"), 5), Joined::too_many_waiters);
  inflight.finish(key("a.example"));
  EXPECT_EQ(inflight.join(key("b.example"), 6), Joined::waiting) << "two have left";
}

TEST(Inflight, LimitsMayChange) {
  Inflight<int> inflight({.resolutions = 1, .waiters = 1});
  EXPECT_EQ(inflight.join(key("a.example"), 1), Joined::first);
  inflight.limits({.resolutions = 2, .waiters = 2});
  EXPECT_EQ(inflight.join(key("a.example"), 2), Joined::waiting);
  EXPECT_EQ(inflight.join(key("b.example"), 3), Joined::first);
  inflight.limits({.resolutions = 0, .waiters = 0});
  EXPECT_EQ(inflight.join(key("a.example"), 4), Joined::too_many_waiters);
  EXPECT_EQ(inflight.join(key("c.example"), 5), Joined::too_many_resolutions);
  EXPECT_THAT(inflight.finish(key("a.example")), ElementsAre(1, 2)) << "who is in stays";
}

TEST(Inflight, NobodyWaitsForWhatIsNotAsked) {
  Inflight<int> inflight({});
  EXPECT_THAT(inflight.finish(key("a.example")), IsEmpty());
}

TEST(Inflight, WaitersMayBeMovedOnly) {
  Inflight<std::unique_ptr<int>> inflight({});
  EXPECT_EQ(inflight.join(key("a.example"), std::make_unique<int>(7)), Joined::first);
  auto waiters = inflight.finish(key("a.example"));
  ASSERT_EQ(waiters.size(), 1u);
  EXPECT_EQ(*waiters[0], 7);
}

TEST(Inflight, ManyAtOnce) {
  Inflight<int> inflight({.resolutions = 5000, .waiters = 2});
  for (int i = 0; i < 5000; ++i)
    ASSERT_EQ(inflight.join(key("n" + std::to_string(i) + ".example"), i), Joined::first);
  for (int i = 4999; i >= 0; --i)
    ASSERT_THAT(inflight.finish(key("n" + std::to_string(i) + ".example")), ElementsAre(i));
}

}  // namespace
}  // namespace peregrine
