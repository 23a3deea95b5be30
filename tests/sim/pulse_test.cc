// Li and others, "DNSBomb: A New Practical-and-Powerful Pulsing DoS Attack Exploiting DNS Queries-and-
// Responses", IEEE S&P 2024: queries in a victim's name gather behind a slow server, whose reply lets all
// answers out at once.
#include <gtest/gtest.h>

#include <algorithm>

#include "cache/mutex_store.h"
#include "server/worker.h"
#include "sim/sim_network.h"
#include "zone/zone.h"

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;
using Octets = std::vector<uint8_t>;

constexpr Duration slowness = 1500ms;  // of the attacker's server: just in time

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text, 53).value(); }
DnameBuf name(std::string_view text) { return DnameBuf::from_text(text).value(); }

class SlowServers final : public Far {
 public:
  explicit SlowServers(Stage& stage) : stage_(stage), network_(stage, *this) {
    for (const std::string_view line : {". 60 SOA a. h. 1 2 3 4 5", ". 9999 NS a.", "a. 9999 A 185.1.0.1",
                                        "slow. 9999 NS ns.slow.", "ns.slow. 9999 A 185.1.0.2"})
      root_.add_line(line).value();
    slow_.add_line("slow. 60 SOA ns.slow. h. 1 2 3 4 5").value();
    for (int i = 0; i < 30; ++i) slow_.add_line("*.slow. 60 A 192.0.2." + std::to_string(i)).value();
  }
  SimNetwork& network() { return network_; }
  uint64_t asked() const { return asked_; }

  Result<> on_sent(PortId from, const Endpoint& to, Bytes octets) override {
    ++asked_;
    const bool slow = to == endpoint("185.1.0.2");
    stage_.after(slow ? slowness : 10ms, [this, from, to, reply = answer(slow ? slow_ : root_, octets)] {
      network_.deliver(from, to, reply);
    });
    return {};
  }
  ConnectPlan on_connect(const Endpoint&) override { return {}; }
  void on_accepted(const Endpoint&, std::unique_ptr<Stream>) override {}

 private:
  static Octets answer(const Zone& zone, Bytes octets) {
    const auto query = MessageView::parse(octets);
    const Question question = query->question();
    Octets buffer(1232);
    MessageWriter writer(buffer);
    writer.id(query->header().id());
    writer.qr(true);
    writer.question(question.qname, question.qtype, question.qclass);
    zone.answer(question, false, writer);
    return {writer.message().begin(), writer.message().end()};
  }

  Stage& stage_;
  SimNetwork network_;
  Zone root_{Dname()}, slow_{name("slow.")};
  uint64_t asked_ = 0;
};

class PulseTest : public testing::Test {
 protected:
  PulseTest() { worker.add(MemoryEngine({.batch = 32}, counters)); }

  static Snapshot snapshot() {
    Config config;
    config.access.allow = {Prefix::parse("192.0.2.0/24").value()};
    config.recursion.enabled = true;
    config.recursion.root_servers = {endpoint("185.1.0.1")};
    config.resolver.waiters_per_query = 100;
    config.resolver.queries_in_flight = 50;
    return make_snapshot(config, {});
  }

  // In the victim's name, each from another port.
  void ask(const std::string& qname) {
    std::array<uint8_t, 300> buffer;
    MessageWriter writer(buffer);
    writer.id(static_cast<uint16_t>(asked));
    writer.rd(true);
    writer.question(name(qname), Type::a, Class::in);
    writer.edns({});
    const Endpoint victim{IpAddress::v4({192, 0, 2, 7}), static_cast<uint16_t>(1024 + asked % 60'000)};
    worker.engine(0).deliver(PeerAddress(victim), writer.message());
    octets_asked += writer.size();
    ++asked;
  }

  void run_for(Duration length) {
    const Instant end = stage.clock.now() + length;
    for (;;) {
      const Instant now = stage.clock.now();
      stage.timers.advance(now);
      stage.events.run_due(now);
      while (worker.serve(0) > 0) {
      }
      worker.flush();
      take_replies();
      if (now >= end) return;
      const auto timer = stage.timers.until_next(now);
      const auto event = stage.events.next();
      Instant next = timer ? std::min(end, now + *timer) : end;
      if (event) next = std::min(next, *event);
      stage.clock.advance_to(next);
    }
  }

  // The most octets of answers within one millisecond, and all.
  void take_replies() {
    const auto moment = stage.clock.now().time_since_epoch() / 1ms;
    for (const auto& sent : worker.engine(0).take_sent()) {
      ++replies;
      if (Header::read(sent.octets)->rcode_low() == 0) octets_at[moment] += sent.octets.size(), ++answers;
    }
  }
  size_t pulse() const {
    size_t most = 0;
    for (const auto& [moment, octets] : octets_at) most = std::max(most, octets);
    return most;
  }

  Stage stage{false};
  SlowServers servers{stage};
  Counters counters;
  Histogram latency;
  Random random = Random::from_seed(1);
  MutexStore store{4 << 20, 2};
  const HashSecret hash_secret{HashKey{1, 2}};
  Worker<MemoryEngine, MutexStore> worker{
      World{stage.clock, stage.timers, servers.network(), random, counters, latency, hash_secret},
      store,
      snapshot(),
      {.sockets = 64}};
  uint64_t asked = 0, replies = 0, answers = 0, octets_asked = 0;
  std::map<int64_t, size_t> octets_at;
};

TEST_F(PulseTest, OneNameIsResolvedOnceForAsManyAsMayWait) {
  run_for(1ms);
  for (int i = 0; i < 5000; ++i) {
    ask("bomb.slow.");
    if (i % 25 == 0) run_for(5ms);
  }
  run_for(10s);
  EXPECT_EQ(worker.service().resolving(), 0u);
  EXPECT_EQ(replies, asked) << "who may not wait is told at once";
  EXPECT_LE(servers.asked(), 20u);
  EXPECT_LE(answers, 100u);
  EXPECT_GT(answers, 0u);
  EXPECT_LE(pulse(), 100u * 1232u);
}

TEST_F(PulseTest, ManyNamesAreResolvedUpToALimit) {
  for (int i = 0; i < 5000; ++i) {
    ask("bomb" + std::to_string(i % 500) + ".slow.");
    if (i % 25 == 0) run_for(5ms);
  }
  run_for(10s);
  EXPECT_EQ(worker.service().resolving(), 0u);
  EXPECT_EQ(replies, asked);
  EXPECT_LE(servers.asked(), 500u) << "fifty at a time";
  EXPECT_GT(counters.get(Counter::resolutions_refused), 0u);
  EXPECT_LE(counters.get(Counter::resolutions), 100u);
}

}  // namespace
}  // namespace peregrine::sim
