#include "io/uring_engine.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "udp_rig.h"

namespace peregrine {
namespace {

class Uring : public EngineTest<UringEngine> {};

TEST_F(Uring, GoesOnAfterItRanOutOfBuffers) {
  for (const bool pooled : {true, false}) {
    Rig<UringEngine> rig({.batch = 1, .pooled_slots = pooled});
    EXPECT_TRUE(rig->receive().empty());
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 60; ++i) rig.send(std::to_string(i));
      for (int i = 0; i < 60; ++i) {
        const auto batch = rig->receive();
        ASSERT_EQ(batch.size(), 1u) << i;
        EXPECT_EQ(text_of(batch[0].received()), std::to_string(i));
      }
      EXPECT_TRUE(rig->receive().empty());
    }
  }
}

// What has been received and not yet answered stays as it is, however much comes meanwhile.
TEST_F(Uring, ASlotIsNotFilledAgainBeforeItsAnswerIsSent) {
  Rig<UringEngine> rig({.batch = 2});
  rig.send("one");
  rig.send("two");
  const auto batch = rig->receive();
  ASSERT_EQ(batch.size(), 2u);
  for (int i = 0; i < 50; ++i) {
    rig.send("other");
    rig->compose(rig.peer(), {}).size = 1;
    rig->flush();
  }
  EXPECT_EQ(text_of(batch[0].received()), "one");
  EXPECT_EQ(text_of(batch[1].received()), "two");
  for (int i = 0; i < 50; ++i) EXPECT_NE(rig.answer(), "nothing");
  for (Datagram& d : batch) rig->reply(d, d.size);
  rig->flush();
  EXPECT_EQ(rig.answer(), "one");
  EXPECT_EQ(rig.answer(), "two");
}

TEST_F(Uring, IsMadeOnOneThreadAndUsedOnAnother) {
  std::optional<Rig<UringEngine>> rig(std::in_place);
  const Endpoint at = rig->at();
  std::thread([&] {
    EXPECT_TRUE((*rig)->receive().empty());
    for (int i = 0; i < 3; ++i) {
      rig->send("x");
      const auto batch = (*rig)->receive();
      ASSERT_EQ(batch.size(), 1u);
      (*rig)->reply(batch[0], 1);
      (*rig)->flush();
      EXPECT_EQ(rig->answer(), "x");
    }
    (*rig)->stop();
  }).join();
  rig.reset();
  EXPECT_EQ(local_endpoint(open_udp_listener(at, small_buffers).get()), at) << "the socket is still held";
}

TEST_F(Uring, StopsWhereItHasNotStarted) {
  Rig<UringEngine> rig;
  rig->stop();
}

TEST_F(Uring, StopsWithDatagramsThatNobodyTook) {
  Rig<UringEngine> rig({.batch = 2});
  EXPECT_TRUE(rig->receive().empty());
  for (int i = 0; i < 40; ++i) rig.send("x");
  EXPECT_EQ(rig->receive().size(), 2u);
  rig->stop();
}

TEST_F(Uring, TakesTheLargestBatch) {
  Rig<UringEngine> rig({.batch = 1024, .slot_size = 512});
  EXPECT_TRUE(rig->receive().empty());
  for (int i = 0; i < 100; ++i) rig.send("x");
  size_t got = 0;
  for (auto batch = rig->receive(); !batch.empty(); batch = rig->receive()) got += batch.size();
  EXPECT_EQ(got, 100u);
}

}  // namespace
}  // namespace peregrine
