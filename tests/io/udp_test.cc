// What holds for every UDP engine, with a kernel below it or none.
#include "io/udp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "io/udp_slots.h"
#include "udp_rig.h"

namespace peregrine {
namespace {

using testing::ElementsAre;

template <class Engine>
class AnyEngine : public EngineTest<Engine> {};
using AllEngines = testing::Types<PlainEngine, MmsgEngine, UringEngine, MemoryEngine>;
TYPED_TEST_SUITE(AnyEngine, AllEngines, EngineNames);

TYPED_TEST(AnyEngine, ReceivesNothingWhereNothingWaits) {
  Rig<TypeParam> rig;
  EXPECT_TRUE(rig->receive().empty());
  rig->flush();
  EXPECT_TRUE(rig->receive().empty());
  EXPECT_EQ(rig.answer(), "nothing");
}

TYPED_TEST(AnyEngine, AnswersInPlace) {
  Rig<TypeParam> rig;
  rig.send("question");
  const auto batch = rig->receive();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "question");
  EXPECT_EQ(batch[0].peer.endpoint(), rig.peer().endpoint());
  EXPECT_FALSE(batch[0].local.known);
  EXPECT_GE(batch[0].slot().size(), 4096u);
  std::ranges::copy(octets_of("the answer"), batch[0].data);
  rig->reply(batch[0], 10);
  EXPECT_EQ(rig.answer(), "nothing");
  rig->flush();
  EXPECT_EQ(rig.answer(), "the answer");
  rig->flush();
  EXPECT_EQ(rig.answer(), "nothing");
}

TYPED_TEST(AnyEngine, AnswersSomeOfABatchAndFlushesBeforeItReceives) {
  Rig<TypeParam> rig({.batch = 4});
  for (const char* text : {"a", "b", "c", "d", "e"}) rig.send(text);
  auto batch = rig->receive();
  ASSERT_EQ(batch.size(), 4u);
  rig->reply(batch[1], 1);
  rig->reply(batch[3], 1);
  batch = rig->receive();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "e");
  EXPECT_EQ(rig.answer(), "b");
  EXPECT_EQ(rig.answer(), "d");
  EXPECT_EQ(rig.answer(), "nothing");
}

TYPED_TEST(AnyEngine, KeepsTheOrderOverManyBatches) {
  for (const unsigned batch_size : {1u, 3u, 32u}) {
    Rig<TypeParam> rig({.batch = batch_size});
    for (int i = 0; i < 100; ++i) rig.send(std::to_string(i));
    int next = 0;
    for (auto batch = rig->receive(); !batch.empty(); batch = rig->receive()) {
      EXPECT_LE(batch.size(), batch_size);
      for (Datagram& d : batch) {
        EXPECT_EQ(text_of(d.received()), std::to_string(next++));
        rig->reply(d, d.size);
      }
    }
    EXPECT_EQ(next, 100);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.answer(), std::to_string(i));
  }
}

TYPED_TEST(AnyEngine, UsesItsSlotsAgain) {
  for (const bool pooled : {true, false}) {
    Rig<TypeParam> rig({.batch = 3, .pooled_slots = pooled});
    for (int round = 0; round < 20; ++round) {
      const std::string a = "a" + std::to_string(round);
      const std::string b(static_cast<size_t>(round) * 50, 'b');
      rig.send(a);
      rig.send(b);
      const auto batch = rig->receive();
      ASSERT_EQ(batch.size(), 2u);
      EXPECT_EQ(text_of(batch[0].received()), a);
      EXPECT_EQ(text_of(batch[1].received()), b);
      for (Datagram& d : batch) rig->reply(d, d.size);
      rig->flush();
      EXPECT_EQ(rig.answer(), a);
      EXPECT_EQ(rig.answer(), b);
    }
  }
}

TYPED_TEST(AnyEngine, DropsAndCountsDatagramsLongerThanASlot) {
  for (const bool pooled : {true, false}) {
    Rig<TypeParam> rig({.batch = 8, .slot_size = 512, .pooled_slots = pooled});
    const std::string fits(512, 'f');
    for (int round = 0; round < 3; ++round) {
      rig.send(std::string(513, 'x'));
      rig.send("one");
      rig.send(std::string(9000, 'x'));
      rig.send(fits);
      rig.send("three");
      const auto batch = rig->receive();
      ASSERT_EQ(batch.size(), 3u);
      EXPECT_EQ(text_of(batch[0].received()), "one");
      EXPECT_EQ(text_of(batch[1].received()), fits);
      EXPECT_EQ(text_of(batch[2].received()), "three");
      for (Datagram& d : batch) {
        EXPECT_EQ(d.peer.endpoint(), rig.peer().endpoint());
        EXPECT_EQ(d.capacity, 512u);
        rig->reply(d, 1);
      }
      rig->flush();
      EXPECT_EQ(rig.answer(), "o");
      EXPECT_EQ(rig.answer(), "f");
      EXPECT_EQ(rig.answer(), "t");
    }
    EXPECT_EQ(rig.count(Counter::receive_truncated), 6u);
  }
}

TYPED_TEST(AnyEngine, ReceivesWhatComesBehindManyThatAreTooLong) {
  Rig<TypeParam> rig({.batch = 4, .slot_size = 512});
  for (int i = 0; i < 40; ++i) rig.send(std::string(600, 'x'));
  rig.send("end");
  std::string got;
  for (int i = 0; i < 50 && got.empty(); ++i) {
    for (Datagram& d : rig->receive()) got += text_of(d.received());
  }
  EXPECT_EQ(got, "end");
  EXPECT_EQ(rig.count(Counter::receive_truncated), 40u);
}

TYPED_TEST(AnyEngine, ReceivesEmptyDatagrams) {
  Rig<TypeParam> rig({.batch = 8});
  for (int round = 0; round < 3; ++round) {
    for (const char* text : {"", "x", "", "", "y"}) rig.send(text);
    std::vector<std::string> got;
    for (Datagram& d : rig->receive()) got.push_back(text_of(d.received()));
    EXPECT_THAT(got, ElementsAre("", "x", "", "", "y"));
    EXPECT_TRUE(rig->receive().empty());
  }
}

TYPED_TEST(AnyEngine, SlotsDoNotOverlap) {
  Rig<TypeParam> rig({.batch = 8, .slot_size = 1000});
  for (int i = 0; i < 8; ++i) rig.send("x");
  std::vector<uint8_t*> received, composed;
  for (Datagram& d : rig->receive()) received.push_back(d.data);
  for (int i = 0; i < 8; ++i) composed.push_back(rig->compose(rig.peer(), {}).data);
  ASSERT_EQ(received.size(), 8u);
  for (auto* row : {&received, &composed}) {
    std::ranges::sort(*row);
    for (size_t i = 1; i < row->size(); ++i) {
      const auto distance = (*row)[i] - (*row)[i - 1];
      EXPECT_GE(distance, 1000);
      EXPECT_EQ(distance / 64 % 2, 1);
      EXPECT_EQ(distance % 64, 0);
    }
  }
  EXPECT_TRUE(received.back() + 1000 <= composed.front() || composed.back() + 1000 <= received.front());
}

TYPED_TEST(AnyEngine, ComposesLateAnswers) {
  for (const bool pooled : {true, false}) {
    Rig<TypeParam> rig({.batch = 2, .pooled_slots = pooled});
    for (int i = 0; i < 5; ++i) {
      Datagram& d = rig->compose(rig.peer(), {});
      EXPECT_EQ(d.size, 0u);
      EXPECT_GE(d.capacity, 4096u);
      if (i == 3) continue;  // its size stays unset: not sent
      d.data[0] = static_cast<uint8_t>('a' + i);
      d.size = 1;
    }
    rig->flush();
    rig->flush();
    std::string got;
    for (int i = 0; i < 5; ++i) got += rig.answer();
    EXPECT_EQ(got, "abcenothing");
  }
}

TYPED_TEST(AnyEngine, MixesRepliesAndLateAnswers) {
  Rig<TypeParam> rig({.batch = 2});
  rig.send("q");
  const auto batch = rig->receive();
  ASSERT_EQ(batch.size(), 1u);
  rig->reply(batch[0], 1);
  Datagram& late = rig->compose(batch[0].peer, batch[0].local);
  std::ranges::copy(octets_of("late"), late.data);
  late.size = 4;
  rig->flush();
  const std::set<std::string> got{rig.answer(), rig.answer()};
  EXPECT_THAT(got, ElementsAre("late", "q"));
}

// More late answers than a batch are flushed while a batch is being answered.
TYPED_TEST(AnyEngine, AFlushInTheMiddleOfABatchLeavesTheRestOfItAsItIs) {
  for (const bool pooled : {true, false}) {
    Rig<TypeParam> rig({.batch = 4, .pooled_slots = pooled});
    for (const char* text : {"one", "two", "three", "four"}) rig.send(text);
    const auto batch = rig->receive();
    ASSERT_EQ(batch.size(), 4u);
    rig->reply(batch[0], 3);
    for (int i = 0; i < 9; ++i) {
      Datagram& late = rig->compose(rig.peer(), {});
      std::fill_n(late.data, late.capacity, uint8_t{'L'});
      late.size = 2;
    }
    rig.send("five");
    rig->flush();
    EXPECT_EQ(text_of(batch[1].received()), "two");
    EXPECT_EQ(text_of(batch[2].received()), "three");
    EXPECT_EQ(text_of(batch[3].received()), "four");
    for (Datagram& d : batch.subspan(1)) rig->reply(d, d.size);
    rig->flush();
    std::multiset<std::string> got;
    for (int i = 0; i < 13; ++i) got.insert(rig.answer());
    EXPECT_EQ(got.count("LL"), 9u);
    for (const char* text : {"one", "two", "three", "four"}) EXPECT_EQ(got.count(text), 1u);
    const auto next = rig->receive();
    ASSERT_EQ(next.size(), 1u);
    EXPECT_EQ(text_of(next[0].received()), "five");
  }
}

// A slot holds octets of earlier clients: none of them may leave with an answer that is shorter.
TYPED_TEST(AnyEngine, SendsTheOctetsOfTheAnswerAndNoMore) {
  for (const bool pooled : {true, false}) {
    Rig<TypeParam> rig({.batch = 4, .pooled_slots = pooled});
    for (const size_t size : {size_t{1}, size_t{4096}, size_t{12}, size_t{511}, size_t{1232}, size_t{2}}) {
      for (int i = 0; i < 4; ++i) rig.send(std::string(3 + size % 100, 'q'));
      const std::string answer(size, static_cast<char>('a' + size % 26));
      const std::string late(size, static_cast<char>('A' + size % 26));
      const auto batch = rig->receive();
      ASSERT_EQ(batch.size(), 4u);
      const auto put = [](Datagram& d, const std::string& text) {
        std::fill_n(d.data, d.capacity, uint8_t{0xaa});
        std::ranges::copy(octets_of(text), d.data);
      };
      for (Datagram& d : batch) {
        put(d, answer);
        rig->reply(d, size);
        Datagram& composed = rig->compose(rig.peer(), {});
        put(composed, late);
        composed.size = static_cast<uint32_t>(size);
      }
      rig->flush();
      std::multiset<std::string> got;
      for (int i = 0; i < 8; ++i) got.insert(rig.answer());
      EXPECT_EQ(got.count(answer), 4u) << size;
      EXPECT_EQ(got.count(late), 4u) << size;
      EXPECT_EQ(rig.answer(), "nothing");
    }
  }
}

TYPED_TEST(AnyEngine, RepliesToNoMoreThanABatch) {
  Rig<TypeParam> rig({.batch = 2});
  rig.send("ab");
  const auto batch = rig->receive();
  ASSERT_EQ(batch.size(), 1u);
  for (int i = 0; i < 5; ++i) rig->reply(batch[0], 2);
  rig->flush();
  EXPECT_EQ(rig.answer(), "ab");
  EXPECT_EQ(rig.answer(), "ab");
  EXPECT_EQ(rig.answer(), "nothing");
}

TYPED_TEST(AnyEngine, GoesOnWhereItHasMovedTo) {
  Rig<TypeParam> rig;
  EXPECT_TRUE(rig->receive().empty());
  rig.send("x");
  TypeParam moved(std::move(*rig.operator->()));
  const auto batch = moved.receive();
  ASSERT_EQ(batch.size(), 1u);
  moved.reply(batch[0], 1);
  moved.flush();
  if constexpr (!std::is_same_v<TypeParam, MemoryEngine>) EXPECT_EQ(rig.answer(), "x");
}

TEST(ClassifySend, TellsAFullKernelFromABadDestination) {
  using detail::classify_send;
  using detail::SendFailure;
  EXPECT_EQ(classify_send(0), SendFailure::none);
  EXPECT_EQ(classify_send(EINTR), SendFailure::again);
  for (const int error : {EAGAIN, EWOULDBLOCK, ENOBUFS, ENOMEM})
    EXPECT_EQ(classify_send(error), SendFailure::full);
  for (const int error : {EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, EINVAL, ECONNREFUSED, EMSGSIZE}) {
    EXPECT_EQ(classify_send(error), SendFailure::this_one);
  }
}

TEST(PeerAddress, ConvertsBothWays) {
  for (const char* text : {"192.0.2.1:53", "[2001:db8::1]:5353", "[::1]:1"}) {
    const Endpoint endpoint = *Endpoint::parse(text, 0);
    const PeerAddress address(endpoint);
    EXPECT_EQ(address.endpoint(), endpoint);
    EXPECT_EQ(address.size(),
              endpoint.address.family() == Family::v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  }
}

TEST(MemoryEngine, DeliversAndKeepsWhatIsSent) {
  Counters counters;
  MemoryEngine engine({.batch = 2, .slot_size = 512}, counters);
  const PeerAddress a(*Endpoint::parse("192.0.2.1:1000", 0));
  const PeerAddress b(*Endpoint::parse("[2001:db8::1]:2000", 0));
  const LocalAddress at{IpAddress::v4({192, 0, 2, 53}), 3, true};
  EXPECT_EQ(engine.fd(), -1);
  engine.deliver(a, octets_of("one"), at);
  engine.deliver(a, std::vector<uint8_t>(513));
  engine.deliver(b, octets_of("two"));
  engine.deliver(a, octets_of("three"));
  auto batch = engine.receive();
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(counters.get(Counter::receive_truncated), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "one");
  EXPECT_EQ(batch[0].local.address, at.address);
  EXPECT_EQ(text_of(batch[1].received()), "two");
  EXPECT_EQ(batch[1].peer.endpoint(), b.endpoint());
  engine.reply(batch[0], 2);
  EXPECT_TRUE(engine.take_sent().empty());
  batch = engine.receive();
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(text_of(batch[0].received()), "three");
  Datagram& late = engine.compose(b, {});
  late.data[0] = 'z';
  late.size = 1;
  engine.flush();
  const auto sent = engine.take_sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(text_of(sent[0].octets), "on");
  EXPECT_EQ(sent[0].to.endpoint(), a.endpoint());
  EXPECT_EQ(sent[0].from.address, at.address);
  EXPECT_EQ(text_of(sent[1].octets), "z");
  EXPECT_TRUE(engine.receive().empty());
  EXPECT_EQ(engine.sent_count(), 2u);
}

TEST(MemoryEngine, MayOnlyCount) {
  Counters counters;
  MemoryEngine engine({}, counters);
  engine.keep_sent(false);
  for (int i = 0; i < 3; ++i) {
    engine.deliver(PeerAddress(loopback4), octets_of("x"));
    for (Datagram& d : engine.receive()) engine.reply(d, 1);
    engine.flush();
  }
  EXPECT_EQ(engine.sent_count(), 3u);
  EXPECT_TRUE(engine.take_sent().empty());
}

}  // namespace
}  // namespace peregrine
