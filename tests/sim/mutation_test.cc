// Sound queries with random octets mutated in: no crash, no leak, and still one reply to each that may have
// one.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>

#include "cache/mutex_store.h"
#include "server/worker.h"
#include "sim/runs.h"
#include "sim/sim_network.h"

namespace peregrine::sim {
namespace {

#ifdef PEREGRINE_SLOW_RUNS
constexpr unsigned query_count = 100'000;
constexpr bool heap_is_counted = false;  // the sanitizer's allocator does not tell, and finds leaks itself
#else
constexpr unsigned query_count = 1'000'000;
constexpr bool heap_is_counted = true;
#endif

using namespace std::chrono_literals;
using Octets = std::vector<uint8_t>;

struct Shape {
  const char* qname;
  Type qtype;
  bool rd, edns, dnssec_ok;
  uint16_t udp_size;
  Octets options;
};

Octets encode(const Shape& shape) {
  std::array<uint8_t, 600> buffer;
  MessageWriter writer(buffer);
  writer.rd(shape.rd);
  writer.question(DnameBuf::from_text(shape.qname).value(), shape.qtype, Class::in);
  if (shape.edns)
    writer.edns({.udp_size = shape.udp_size, .dnssec_ok = shape.dnssec_ok, .options = shape.options});
  return {writer.message().begin(), writer.message().end()};
}

// As clients in the wild send them.
std::vector<Octets> corpus() {
  const std::string long_label(63, 'x');
  const std::string longest =
      long_label + "." + long_label + "." + long_label + "." + std::string(61, 'y') + ".";
  const Octets cookie{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  const Octets subnet{0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2};
  const Octets padding{0, 12, 0, 4, 0, 0, 0, 0};
  const Octets keepalive{0, 11, 0, 0};
  const Octets nsid{0, 3, 0, 0};
  Octets many = cookie;
  for (const Octets& more : {subnet, padding, nsid}) many.insert(many.end(), more.begin(), more.end());
  const Shape shapes[] = {
      {".", Type::ns, true, false, false, 0, {}},
      {"www.example.com.", Type::a, true, false, false, 0, {}},
      {"www.example.com.", Type::a, true, true, false, 1232, {}},
      {"www.example.com.", Type::aaaa, true, true, true, 4096, cookie},
      {"wWw.ExAmPlE.cOm.", Type::https, true, true, false, 1232, cookie},
      {"example.com.", Type::txt, true, true, false, 512, {}},
      {"example.com.", Type::mx, false, true, false, 1400, {}},
      {"example.com.", Type::soa, true, true, true, 65535, many},
      {"example.com.", Type::any, true, true, false, 1232, {}},
      {"example.com.", Type::axfr, true, false, false, 0, {}},
      {"_dns.resolver.arpa.", Type::svcb, true, true, false, 1232, padding},
      {"localhost.", Type::a, true, false, false, 0, {}},
      {"1.0.0.127.in-addr.arpa.", Type::ptr, true, true, false, 1232, {}},
      {"4.3.2.1.in-addr.arpa.", Type::ptr, true, true, false, 1232, subnet},
      {"b._dns-sd._udp.0.0.10.in-addr.arpa.", Type::ptr, true, false, false, 0, {}},
      {"_sip._tcp.example.net.", Type::srv, true, true, false, 4096, nsid},
      {"xn--bcher-kva.example.", Type::a, true, true, false, 1232, keepalive},
      {"com.", Type::ds, true, true, true, 1232, {}},
      {"com.", Type::dnskey, true, true, true, 1232, {}},
      {longest.c_str(), Type::a, true, true, false, 1232, many},
      {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.", Type::aaaa, true, false, false, 0, {}},
  };
  std::vector<Octets> queries;
  for (const Shape& shape : shapes) queries.push_back(encode(shape));
  return queries;
}

// Servers that reply at once, or for one name in eight never.
class HalfDeafServers final : public Far {
 public:
  explicit HalfDeafServers(Stage& stage) : stage_(stage), network_(stage, *this) {}
  SimNetwork& network() { return network_; }

  Result<> on_sent(PortId from, const Endpoint& to, Bytes octets) override {
    const auto query = MessageView::parse(octets);
    if (!query) stage_.found("sent a malformed query");
    if (!query || query->question().qname.size() % 8 == 0) return {};
    stage_.after(0ns, [this, from, to, reply = answer(*query)] { network_.deliver(from, to, reply); });
    return {};
  }
  ConnectPlan on_connect(const Endpoint&) override { return {}; }
  void on_accepted(const Endpoint&, std::unique_ptr<Stream>) override {}

 private:
  static Octets answer(const MessageView& query) {
    std::array<uint8_t, 1232> buffer;
    MessageWriter writer(buffer);
    const Question question = query.question();
    writer.id(query.header().id());
    writer.qr(true);
    writer.question(question.qname, question.qtype, question.qclass);
    for (uint8_t i = 0; i < question.qname.size() % 4 * 9; ++i) {
      writer.rr(Section::answer, question.qname, question.qtype, question.qclass, 300, Octets{0, i, 0, 0});
    }
    return {writer.message().begin(), writer.message().end()};
  }
  Stage& stage_;
  SimNetwork network_;
};

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : dice_(seed), seeds_(corpus()) {}
  Octets next() {
    Octets query = dice_.pick(std::span<const Octets>(seeds_));
    store_u16(query.data(), dice_.u16());
    const unsigned changes = dice_.below(9);
    for (unsigned i = 0; i < changes && !query.empty(); ++i) change(query);
    return query;
  }

 private:
  void change(Octets& query) {
    const uint32_t at = dice_.below(static_cast<uint32_t>(query.size()));
    const auto value = static_cast<uint8_t>(dice_.below(256));
    switch (dice_.below(12)) {
      case 0:
        return query.resize(at);
      case 1:
        query.insert(query.end(), dice_.below(600), value);
        return;
      case 2:
        query.insert(query.begin() + at, value);
        return;
      case 3:
        query.erase(query.begin() + at);
        return;
      case 4:
        query[at] ^= static_cast<uint8_t>(1 << dice_.below(8));
        return;
      case 5:
        query[at] = dice_.percent(50) ? 0xc0 : 0xff;
        return;
      default:
        query[at] = value;
    }
  }
  Dice dice_;
  std::vector<Octets> seeds_;
};

Snapshot snapshot() {
  Config config;
  config.access.allow = {Prefix::parse("192.0.2.0/24").value()};
  config.forward = {
      {DnameBuf(),
       {Endpoint::parse("198.51.100.1", 53).value(), Endpoint::parse("198.51.100.2", 53).value()}}};
  config.resolver.timeout = 1s;
  return make_snapshot(config, {});
}

struct Bench {
  Bench() { worker.add(MemoryEngine({.batch = 32}, counters)); }

  void run_for(Duration length) {
    const Instant end = stage.clock.now() + length;
    for (;;) {
      const Instant now = stage.clock.now();
      stage.timers.advance(now);
      stage.events.run_due(now);
      while (worker.serve(0) > 0) {
      }
      worker.flush();
      check_replies();
      if (stage.events.next()) continue;
      if (now >= end) return;
      const auto timer = stage.timers.until_next(now);
      stage.clock.advance_to(timer ? std::min(end, now + *timer) : end);
    }
  }

  void check_replies() {
    for (const auto& sent : worker.engine(0).take_sent()) {
      ++replies;
      const auto reply = MessageView::parse(sent.octets);
      ASSERT_TRUE(reply);
      ASSERT_TRUE(reply->header().qr());
      ASSERT_FALSE(reply->has_trailing_octets());
      const auto asked = limits.find({sent.to.endpoint().port, reply->header().id()});
      ASSERT_NE(asked, limits.end());
      ASSERT_LE(sent.octets.size(), asked->second);
    }
  }

  // Sends it from a port of its own, and remembers what it may get.
  void ask(const Octets& query) {
    const Endpoint from{IpAddress::v4({192, 0, 2, 7}), static_cast<uint16_t>(1024 + ++port % 60'000)};
    if (const auto header = Header::read(query); header && !header->qr()) {
      ++expected;
      limits[{from.port, header->id()}] = limit_of(query);
    }
    worker.engine(0).deliver(PeerAddress(from), query);
  }

  static size_t limit_of(const Octets& query) {
    const auto view = MessageView::parse(query);
    if (!view || !view->edns()) return 512;
    return std::clamp<size_t>(view->edns()->udp_size, 512, 1232);
  }

  // All that waits is answered, so that two moments can be compared.
  void rest() {
    run_for(2s);
    limits.clear();
    EXPECT_EQ(worker.service().resolving(), 0u);
  }

  size_t heap_at_rest() {
    rest();
    return mallinfo2().uordblks + mallinfo2().hblkhd;
  }

  Stage stage{false};
  HalfDeafServers servers{stage};
  Counters counters;
  Histogram latency;
  Random random = Random::from_seed(1);
  MutexStore store{1 << 20, 2};
  const HashSecret hash_secret{HashKey{1, 2}};
  Worker<MemoryEngine, MutexStore> worker{
      World{stage.clock, stage.timers, servers.network(), random, counters, latency, hash_secret},
      store,
      snapshot(),
      {.sockets = 64}};
  std::map<std::pair<uint16_t, uint16_t>, size_t> limits;  // by port and id
  uint64_t port = 0, expected = 0, replies = 0;
};

TEST(Mutation, AMillionQueries) {
  Bench bench;
  Mutator mutator(20250101);
  size_t heap_half_way = 0;
  for (unsigned i = 1; i <= query_count; ++i) {
    bench.ask(mutator.next());
    if (i % 32 == 0) bench.run_for(1ms);
    if (i % 20'000 == 0) bench.rest();
    if (i == query_count / 2) heap_half_way = bench.heap_at_rest();
    if (HasFatalFailure()) return;
  }
  const size_t heap_in_the_end = bench.heap_at_rest();
  EXPECT_FALSE(bench.stage.wrong) << *bench.stage.wrong;
  EXPECT_EQ(bench.replies, bench.expected);
  EXPECT_GT(bench.counters.get(Counter::resolutions), query_count / 100) << "enough of them remain sound";
  EXPECT_GT(bench.counters.get(Counter::cache_hits), query_count / 100);
  EXPECT_GT(bench.counters.get(Counter::dropped_malformed), query_count / 100);
  if (heap_is_counted) EXPECT_LT(heap_in_the_end, heap_half_way + (64 << 10));
}

}  // namespace
}  // namespace peregrine::sim
