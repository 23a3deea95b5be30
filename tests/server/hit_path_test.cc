#include "server/hit_path.h"

#include <gtest/gtest.h>

#include "server/worker_world.h"
#include "wire/damage.h"

namespace peregrine {
namespace {

using testing::query;
using testing::QuerySpec;
using testing::WorkerWorld;

// What the two readings of a query must agree in.
void expect_same(const PlainQuery& plain, const Query& query) {
  EXPECT_EQ(plain.fields, query.fields);
  EXPECT_TRUE(std::ranges::equal(plain.name_octets, query.question.qname.wire()));
  EXPECT_EQ(plain.qtype, query.question.qtype);
  EXPECT_EQ(query.question.qclass, Class::in);
}

bool read_plain(const std::vector<uint8_t>& octets, PlainQuery& query) {
  static std::vector<uint8_t> slot;  // the query's name is a view of it
  slot = testing::slot_with(octets);
  return read_plain_query(slot, octets.size(), 1232, query);
}

TEST(PlainQuery, TakesEveryTypeThatIsLookedUpAndNoOther) {
  auto octets = query({.edns = false});
  const size_t type_at = octets.size() - 4;
  for (unsigned type = 0; type <= 0xffff; ++type) {
    store_u16(&octets[type_at], static_cast<uint16_t>(type));
    QueryFields fields;
    PlainQuery plain{.fields = fields, .name_octets = {}, .qtype = {}};
    Query full;
    const bool look_up = take_in(octets, Transport::udp, 1232, full).verdict == Intake::look_up;
    ASSERT_EQ(read_plain(octets, plain), look_up) << type;
  }
}

TEST(PlainQuery, ReadsWhatTheSlowPathReads) {
  const QuerySpec specs[] = {{.edns = false},
                             {.rd = false, .ad = true, .cd = true, .edns = false},
                             {.opt = {.udp_size = 4096, .dnssec_ok = true}},
                             {.qname = ".", .qtype = Type::ns, .opt = {.udp_size = 100}},
                             {.opt = {.udp_size = 600}}};
  for (const QuerySpec& spec : specs) {
    const auto octets = query(spec);
    QueryFields fields;
    PlainQuery plain{.fields = fields, .name_octets = {}, .qtype = {}};
    Query full;
    ASSERT_TRUE(read_plain(octets, plain));
    ASSERT_EQ(take_in(octets, Transport::udp, 1232, full).verdict, Intake::look_up);
    expect_same(plain, full);
  }
}

TEST(PlainQuery, LeavesTheRestToTheSlowPath) {
  QueryFields fields;
  PlainQuery plain{.fields = fields, .name_octets = {}, .qtype = {}};
  const auto refuses = [&](std::vector<uint8_t> octets) { return !read_plain(octets, plain); };
  const auto with = [](size_t at, uint8_t value) {
    auto octets = query();
    octets[at] = value;
    return octets;
  };
  EXPECT_TRUE(refuses({}));
  EXPECT_TRUE(refuses(with(2, 0x80)));  // a response
  EXPECT_TRUE(refuses(with(2, 0x28)));  // UPDATE
  EXPECT_TRUE(refuses(with(5, 2)));     // two questions
  EXPECT_TRUE(refuses(with(7, 1)));     // an answer
  EXPECT_TRUE(refuses(with(11, 2)));    // two additional records
  EXPECT_TRUE(refuses(query({.qclass = Class::ch})));
  EXPECT_TRUE(refuses(query({.opt = {.version = 1}})));
  auto trailing = query();
  trailing.push_back(0);
  EXPECT_TRUE(refuses(trailing));
  for (auto cut = query(); !cut.empty();) {
    cut.pop_back();
    EXPECT_TRUE(refuses(cut)) << cut.size();
  }
}

TEST(PlainQuery, NamesUpTo255Octets) {
  auto wire = [](size_t size) {
    std::vector<uint8_t> octets = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    for (size_t left = size - 1; left > 0;) {
      const size_t label = std::min<size_t>(left - 1, 63);
      octets.push_back(static_cast<uint8_t>(label));
      octets.insert(octets.end(), label, 'x');
      left -= label + 1;
    }
    octets.insert(octets.end(), {0, 0, 1, 0, 1});
    return octets;
  };
  QueryFields fields;
  PlainQuery plain{.fields = fields, .name_octets = {}, .qtype = {}};
  EXPECT_TRUE(read_plain(wire(255), plain));
  EXPECT_EQ(plain.name_octets.size(), 255u);
  EXPECT_FALSE(read_plain(wire(256), plain));
}

TEST(PlainQuery, AgreesWithTheSlowPathOnDamagedQueries) {
  Random random = Random::from_seed(11);
  unsigned taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto octets = query({.edns = random.below(2) == 1, .opt = {.dnssec_ok = random.below(2) == 1}});
    damage(octets, random);
    QueryFields fields;
    PlainQuery plain{.fields = fields, .name_octets = {}, .qtype = {}};
    if (!read_plain(octets, plain)) continue;
    const auto name = Dname::parse(plain.name_octets);
    if (!name || name->size() != plain.name_octets.size()) continue;  // no key of a name will equal it
    ++taken;
    Query full;
    ASSERT_EQ(take_in(octets, Transport::udp, 1232, full).verdict, Intake::look_up);
    expect_same(plain, full);
  }
  EXPECT_GT(taken, 10'000u);
}

// Two workers with the same cache, one with views and the hit path, one with owning messages.
template <class S>
class BothPaths : public ::testing::Test {
 protected:
  void cache(const testing::CachedAnswer& answer) {
    fast_.cache(answer);
    slow_.cache(answer);
  }
  WorkerWorld<S> fast_;
  WorkerWorld<S> slow_{{.zero_copy_parsing = false}};
};
using Stores = ::testing::Types<MutexStore, ArenaStore>;
TYPED_TEST_SUITE(BothPaths, Stores);

TYPED_TEST(BothPaths, GiveTheSameReplies) {
  std::vector<uint8_t> text(100, 'x');
  text[0] = 99;
  this->cache({.qname = "www.example."});
  this->cache({.qname = "www.example.", .dnssec_ok = true});
  this->cache({.qname = "big.example.", .qtype = Type::txt, .rdata = text, .records = 9});
  this->cache({.qname = "none.example.", .qtype = Type::soa, .rdata = {0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0,
                                                                       0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5}});
  this->cache({.qname = "www.example.", .rdata = {192, 0, 2, 9}, .checking_disabled = true});
  const std::string_view names[] = {"www.example.", "WWW.eXample.", "big.example.", "none.example.",
                                    "new.example."};
  const Type types[] = {Type::a, Type::txt, Type::soa, Type::any};
  const std::vector<uint8_t> cookie = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  Random random = Random::from_seed(5);
  size_t replies = 0;
  for (int round = 0; round < 4'000; ++round) {
    std::vector<std::vector<uint8_t>> batch;
    for (uint32_t left = random.below(33); left > 0; --left) {
      auto octets = query({.qname = names[random.below(5)],
                           .qtype = types[random.below(4)],
                           .id = random.u16(),
                           .rd = random.below(8) != 0,
                           .ad = random.below(2) == 0,
                           .cd = random.below(4) == 0,
                           .edns = random.below(2) == 0,
                           .opt = {.udp_size = static_cast<uint16_t>(random.below(2000)),
                                   .dnssec_ok = random.below(2) == 0,
                                   .options = random.below(4) == 0 ? Bytes(cookie) : Bytes()}});
      if (random.below(4) == 0) damage(octets, random);
      batch.push_back(std::move(octets));
    }
    auto fast = this->fast_.ask(batch), slow = this->slow_.ask(batch);
    ASSERT_EQ(fast, slow);
    replies += fast.size();
    // What waits gives up after some rounds, with both at once.
    for (WorkerWorld<TypeParam>* world : {&this->fast_, &this->slow_}) {
      world->clock.advance(std::chrono::milliseconds(100));
      world->timers.advance(world->clock.now());
    }
    ASSERT_EQ(this->fast_.replies().size(), this->slow_.replies().size());
  }
  EXPECT_GT(replies, 10'000u);
  for (Counter counter : {Counter::udp_queries, Counter::answers, Counter::cache_hits, Counter::truncated,
                          Counter::servfail, Counter::dropped_malformed}) {
    EXPECT_EQ(this->fast_.counters.get(counter), this->slow_.counters.get(counter))
        << static_cast<int>(counter);
  }
  EXPECT_GT(this->fast_.counters.get(Counter::truncated), 100u);
}

TYPED_TEST(BothPaths, ACookieIsAnsweredAndTheAnswerAcceptedAgain) {
  this->cache({.qname = "www.example."});
  const std::vector<uint8_t> client_only = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  for (WorkerWorld<TypeParam>* world : {&this->fast_, &this->slow_}) {
    const auto first = world->ask({query({.opt = {.options = client_only}})});
    ASSERT_EQ(first.size(), 1u);
    const auto view = MessageView::parse(first[0]).value();
    EXPECT_EQ(view.header().count(Section::answer), 1);
    const std::vector<uint8_t> whole(view.edns()->options.begin(), view.edns()->options.end());
    ASSERT_EQ(whole.size(), Cookie::option_size);
    const auto second = world->ask({query({.opt = {.options = whole}})});
    EXPECT_TRUE(std::ranges::equal(MessageView::parse(second[0])->edns()->options, whole));
  }
}

TYPED_TEST(BothPaths, WithoutSecretsACookieIsIgnored) {
  WorkerWorld<TypeParam> world({.cookies = false});
  world.cache({.qname = "www.example."});
  const std::vector<uint8_t> client_only = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  const auto got = world.ask({query({.opt = {.options = client_only}})});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(MessageView::parse(got[0])->edns()->options.empty());
}

// The other tests would pass without a hit path: this one would not.
TYPED_TEST(BothPaths, AHitIsAnsweredOnTheHitPath) {
  this->cache({.qname = "www.example."});
  HitPath<TypeParam>& hits = this->fast_.worker.service().hits();
  for (const bool known : {true, false}) {
    auto slot = testing::slot_with(query({.qname = known ? "www.example." : "new.example."}));
    Datagram datagram;
    datagram.data = slot.data();
    datagram.capacity = static_cast<uint32_t>(slot.size());
    datagram.size = static_cast<uint32_t>(query({.qname = known ? "www.example." : "new.example."}).size());
    datagram.peer = PeerAddress(Endpoint::parse("127.0.0.1:4000", 0).value());
    hits.stage({&datagram, 1});
    EXPECT_EQ(hits.answer(0, datagram.slot()) != 0, known);
    this->fast_.worker.service().quiet();
  }
}

TYPED_TEST(BothPaths, ABatchOfMoreThanAWindowIsAnsweredWhole) {
  WorkerWorld<TypeParam> world({.batch = 100});
  world.cache({.qname = "www.example."});
  std::vector<std::vector<uint8_t>> batch;
  for (uint16_t id = 0; id < 100; ++id) batch.push_back(query({.id = id}));
  for (const size_t miss : {7, 31, 32, 64, 99}) batch[miss] = query({.qname = "nowhere.example."});
  batch[33] = {1, 2, 3};
  EXPECT_EQ(world.ask(batch).size(), 94u);
  EXPECT_EQ(world.counters.get(Counter::cache_hits), 94u);
}

}  // namespace
}  // namespace peregrine
