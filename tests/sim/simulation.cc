#include "sim/simulation.h"

#include <algorithm>

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration grain = 2ms;        // of timers
constexpr Duration rest_limit = 120s;  // virtual: after the last query everything must have ended by then
constexpr size_t v4_engine = 0, v6_engine = 1;

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

}  // namespace

Faults Simulation::make_faults(Weather weather, Dice& dice) {
  Faults faults;
  faults.quirks = dice.percent(50);
  faults.forgery = dice.percent(50) ? 20 : 0;
  if (weather == Weather::attack) faults.forgery = 80;
  if (weather == Weather::rain || weather == Weather::storm) {
    const bool storm = weather == Weather::storm;
    faults.loss = dice.below(storm ? 31 : 6);
    faults.duplication = dice.below(storm ? 20 : 6);
    faults.corruption = dice.below(storm ? 15 : 3);
    faults.unreachable = storm ? dice.below(10) : 0;
    if (storm && dice.percent(20)) faults.most_ports = 1 + dice.below(4);
    faults.dead = dice.below(storm ? 50 : 10);
    faults.bad_reply = dice.below(storm ? 30 : 6);
    faults.bad_connection = dice.below(storm ? 50 : 10);
    faults.most_delay = dice.between(Duration(20ms), storm ? Duration(800ms) : Duration(150ms));
  }
  return faults;
}

Config Simulation::make_config(Dice& dice) {
  Config config;
  config.access.allow = {prefix("192.0.2.0/24"), prefix("2001:db8:c::/48")};
  config.resolver.timeout = std::chrono::milliseconds(dice.between(1500, 5000));
  config.resolver.udp_sockets = dice.percent(50) ? 1024 : 1 + dice.below(8);
  config.resolver.randomise_case = dice.percent(85);
  if (dice.percent(20)) config.cache.min_ttl = std::chrono::seconds(dice.between(1, 20));
  if (dice.percent(20)) config.cache.max_ttl = std::chrono::seconds(dice.between(1, 40));
  if (dice.percent(20)) config.cache.max_negative_ttl = std::chrono::seconds(dice.between(1, 20));
  config.edns.udp_size = dice.percent(70) ? uint16_t{1232} : static_cast<uint16_t>(dice.between(512, 4096));
  return config;
}

Simulation::Plan Simulation::make_plan(Dice& dice, const Options& options) {
  Plan plan;
  plan.weather = options.weather.value_or(Weather(dice.below(4)));
  plan.length = dice.between(Duration(10s), Duration(90s));
  plan.faults = make_faults(plan.weather, dice);
  plan.config = make_config(dice);
  if (plan.weather == Weather::storm && dice.percent(20)) {
    plan.config.resolver.queries_in_flight = dice.between(1, 5);
    plan.config.resolver.waiters_per_query = dice.between(1, 3);
  }
  plan.ending = Ending(dice.below(3));
  plan.names = dice.between(5, 40);
  plan.wall_steps = dice.percent(25) ? dice.between(1, 3) : 0;
  plan.reloads = dice.percent(40) ? dice.between(1, 3) : 0;
  plan.sessions = dice.below(5);
  plan.faults.forger = {.guesses_all = options.insider, .case_matters = plan.config.resolver.randomise_case};
  if (options.insider) plan.faults.forgery = 100;
  return plan;
}

// A reply may be as old as that when it gets to the resolver.
Duration Simulation::longest_flight(const Faults& faults) { return 3 * faults.most_delay + 1s; }

Simulation::Simulation(uint64_t seed, const Options& options)
    : seed_(seed),
      dice_(seed),
      options_(options),
      plan_(make_plan(dice_, options)),
      stage_(options.verbose),
      truth_(seed, plan_.names),
      internet_(stage_, truth_, plan_.faults, seed),
      oracle_(stage_, truth_,
              {.ttl = {plan_.config.cache.min_ttl, plan_.config.cache.max_ttl,
                       plan_.config.cache.max_negative_ttl},
               .longest_flight = longest_flight(plan_.faults),
               .failure_allowed = plan_.weather != Weather::clear && plan_.weather != Weather::attack,
               .always_signed = internet_.speaks_edns()}),
      maker_(truth_, seed),
      udp_clients_(stage_, oracle_),
      random_(Random::from_seed(~seed)),
      store_(2 << 20),
      hash_secret_(HashKey{seed, ~seed}),
      worker_(
          World{stage_.clock, stage_.timers, internet_.network(), random_, counters_, latency_, hash_secret_},
          store_, next_snapshot(), {.sockets = plan_.config.resolver.udp_sockets}) {
  for (unsigned batch : {8u, 1u}) worker_.add(MemoryEngine({.batch = batch}, counters_));
}

// Other servers for the two zones, and another size.
Snapshot Simulation::next_snapshot() {
  const std::span<const Endpoint> all = internet_.servers();
  const auto some = [&](size_t from) {
    const auto count = dice_.between(1, 3);
    return std::vector<Endpoint>(all.begin() + static_cast<ptrdiff_t>(from),
                                 all.begin() + static_cast<ptrdiff_t>(from + count));
  };
  plan_.config.forward = {{DnameBuf(), some(0)}, {DnameBuf::from_text("b.sim.").value(), some(3)}};
  if (generation_ > 0) plan_.config.edns.udp_size = static_cast<uint16_t>(dice_.between(512, 1400));
  internet_.allow(plan_.config.forward, plan_.config.resolver.timeout);
  oracle_.udp_size(plan_.config.edns.udp_size);
  patience_ = plan_.config.resolver.timeout + grain;
  snapshot_ = generation_++ == 0 ? make_snapshot(plan_.config, {})
                                 : peregrine::next_snapshot(snapshot_, plan_.config, {});
  if (!snapshot_.cookies)
    snapshot_.cookies = std::make_shared<const CookieSecrets>(HashKey{7, 8}, HashKey{9, 10});
  return snapshot_;
}

void Simulation::schedule() {
  const Instant start = stage_.clock.now();
  const auto sometime = [&] { return start + dice_.between(Duration(0), plan_.length); };
  for (unsigned left = options_.queries; left > 0;) {
    const unsigned size = std::min(left, dice_.percent(80) ? 1 : dice_.between(2, 20));
    left -= size;
    stage_.events.at(sometime(), [this, size] {
      for (unsigned i = 0; i < size; ++i) ask(maker_.any());
    });
  }
  for (unsigned i = 0; i < plan_.sessions; ++i) stage_.events.at(sometime(), [this] { open_session(); });
  for (unsigned i = 0; i < plan_.reloads; ++i) stage_.events.at(sometime(), [this] { reload(); });
  for (unsigned i = 0; i < plan_.wall_steps; ++i) {
    const auto by = std::chrono::seconds(dice_.between(1, 400)) * (dice_.percent(50) ? 1 : -1);
    stage_.events.at(sometime(), [this, by] {
      stage_.trace.note("wall clock set", std::to_string(by.count()));
      oracle_.wall_stepped();
      stage_.clock.step_wall(by);
    });
  }
}

UdpClients::Sender Simulation::sender() {
  const auto host = static_cast<uint8_t>(1 + dice_.below(30));
  const auto port = static_cast<uint16_t>(1024 + dice_.below(60'000));
  const bool ours = dice_.percent(50);
  if (dice_.percent(70)) {
    return {{IpAddress::v4({192, 0, 2, host}), port},
            {.address = IpAddress::v4({192, 0, 2, ours ? uint8_t{253} : uint8_t{254}}), .known = true}};
  }
  return {{IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0xc, 0, 0, 0, 0, 0, 0, 0, 0, 0, host}), port},
          {.address = IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 0xc, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 1}),
           .known = true}};
}

void Simulation::ask(const ClientQuery& query) {
  UdpClients::Sender from = sender();
  ClientQuery asked = query;
  if (query.expect != Expect::silence && dice_.percent(2)) {
    from.from.address = IpAddress::v4({203, 0, 113, 9});  // not in access.allow
    from.at = {.address = IpAddress::v4({192, 0, 2, 254}), .known = true};
    asked.expect = Expect::rcode;
    asked.rcode = Rcode::refused;
  }
  const size_t engine = from.from.address.family() == Family::v4 ? v4_engine : v6_engine;
  const auto deliver = [this, engine, from, octets = asked.octets] {
    worker_.engine(engine).deliver(PeerAddress(from.from), octets, from.at);
  };
  if (!udp_clients_.ask(from, asked, patience_)) return;
  deliver();
  if (!dice_.percent(4)) return;
  stage_.after(dice_.between(Duration(0), Duration(1s)), [this, from, asked, deliver] {
    udp_clients_.ask_again(from, asked, patience_);
    deliver();
  });
}

void Simulation::open_session() {
  MemoryPipeOptions pipe{
      .client = {IpAddress::v4({192, 0, 2, static_cast<uint8_t>(1 + dice_.below(30))}), 40'000}};
  if (dice_.percent(30)) pipe.largest_read = 1 + dice_.below(60);
  if (dice_.percent(20)) pipe.capacity = 1 + dice_.below(3000);
  TcpClient::Habits habits{.ending = TcpClient::Ending(dice_.below(3)), .in_pieces = dice_.percent(40)};
  if (dice_.percent(30)) habits.longest_pause = Duration(0);
  if (dice_.percent(20)) habits.reading_pause = 100ms;
  std::vector<ClientQuery> queries(1 + dice_.below(30));
  for (size_t i = 0; i < queries.size(); ++i) {
    ClientQuery& query = queries[i] = maker_.any();
    if (query.octets.size() < 2) continue;
    query.id = static_cast<uint16_t>(i);
    store_u16(query.octets.data(), query.id);
  }
  MemoryPipe ends = make_stream_pair(stage_.timers, pipe);
  const auto client = std::make_shared<TcpClient>(stage_, oracle_, habits, seed_ + tcp_clients_.size());
  tcp_clients_.push_back(client);
  worker_.sessions().adopt(std::move(ends.server));
  client->start(std::move(ends.client), std::move(queries));
  if (habits.ending == TcpClient::Ending::vanish) {
    stage_.after(dice_.between(Duration(0), Duration(10s)), [client] { client->vanish(); });
  }
}

void Simulation::reload() {
  stage_.trace.note("reload");
  worker_.adopt(next_snapshot());
}

// One thing after another, as the loop of a server does it.
void Simulation::step_to(Instant when) {
  stage_.clock.advance_to(std::max(when, stage_.clock.now()));
  stage_.timers.advance(stage_.clock.now());
  stage_.events.run_due(stage_.clock.now());
  pump();
}

void Simulation::pump() {
  for (size_t engine : {v4_engine, v6_engine}) {
    while (worker_.serve(engine) > 0) {
    }
  }
  worker_.flush();
  for (size_t engine : {v4_engine, v6_engine}) {
    for (const auto& sent : worker_.engine(engine).take_sent()) udp_clients_.reply(sent);
  }
}

void Simulation::run_until(Instant end) {
  for (;;) {
    const Instant now = stage_.clock.now();
    Instant next = end;
    if (const auto timer = stage_.timers.until_next(now)) next = std::min(next, now + *timer);
    if (const auto event = stage_.events.next()) next = std::min(next, *event);
    if (next >= end) break;
    step_to(next);
  }
  step_to(end);
}

bool Simulation::come_to_rest() {
  const Instant limit = stage_.clock.now() + rest_limit;
  while (stage_.clock.now() < limit) {
    if (stage_.timers.armed() == 0 && !stage_.events.next()) return true;
    run_until(stage_.clock.now() + 500ms);
  }
  return false;
}

void Simulation::stop() {
  for (const auto& client : tcp_clients_) client->hush();
  run_until(stage_.clock.now() + 10ms);
  stage_.trace.note("drain");
  worker_.sessions().drain();
  if (plan_.ending != Ending::give_up) return;
  run_until(stage_.clock.now() + dice_.between(Duration(0), Duration(1s)));
  stage_.trace.note("give up");
  oracle_.failure_allowed(true);
  worker_.service().cancel();
  pump();
  if (worker_.service().resolving() != 0) stage_.found("resolutions go on after they were cancelled");
}

// Whatever got into the cache: it must be true.
void Simulation::sweep_cache() {
  const uint64_t before = internet_.tally().queries + internet_.tally().connections;
  const uint64_t resolutions = counters_.get(Counter::resolutions);
  for (unsigned rank = 0; rank < truth_.names(); ++rank) {
    for (Type type : QueryMaker::types()) {
      for (unsigned flags = 0; flags < 4; ++flags) {
        UdpClients::Sender from = sender();
        const ClientQuery query = maker_.cached(rank, type, (flags & 1) != 0, (flags & 2) != 0);
        if (!udp_clients_.ask(from, query, Duration(0))) continue;
        const size_t engine = from.from.address.family() == Family::v4 ? v4_engine : v6_engine;
        worker_.engine(engine).deliver(PeerAddress(from.from), query.octets, from.at);
      }
    }
    pump();
  }
  const uint64_t after = internet_.tally().queries + internet_.tally().connections;
  if (after != before || counters_.get(Counter::resolutions) != resolutions)
    stage_.found("RD=0 made upstream work");
}

// Nothing can be found out any more, but nobody is left without a reply.
void Simulation::ask_after_the_end() {
  patience_ = Duration(0);
  for (int i = 0; i < 20; ++i) ask(maker_.any());
  pump();
  come_to_rest();
}

void Simulation::check_rest() {
  udp_clients_.check_complete();
  for (const auto& client : tcp_clients_) client->check_complete();
  if (worker_.service().resolving() != 0) stage_.found("resolutions that never end");
  if (worker_.sessions().size() != 0) stage_.found("sessions that never end");
  const uint64_t most_packets = counters_.get(Counter::resolutions) * ForwarderOptions{}.max_packets;
  if (internet_.tally().queries > most_packets) stage_.found("more packets than the questions may cost");
  if (stage_.timers.armed() != 0)
    stage_.found(std::to_string(stage_.timers.armed()) + " timers that nobody disarmed");
}

Report Simulation::run() {
  schedule();
  const bool in_the_middle = plan_.ending != Ending::rest;
  run_until(stage_.clock.now() + (in_the_middle ? plan_.length : plan_.length + patience_));
  stop();
  if (!come_to_rest()) stage_.found("it does not come to rest");
  sweep_cache();
  if (plan_.ending == Ending::give_up) ask_after_the_end();
  check_rest();
  Report report{.wrong = stage_.wrong, .trace_hash = stage_.trace.hash(), .weather = plan_.weather};
  report.replies = oracle_.tally();
  report.internet = internet_.tally();
  report.queries = udp_clients_.sent();
  report.cache_hits = counters_.get(Counter::cache_hits);
  report.joined = counters_.get(Counter::joined);
  report.mismatched = counters_.get(Counter::upstream_mismatched);
  report.over_tcp = counters_.get(Counter::upstream_tcp);
  report.reloads = generation_ - 1;
  return report;
}

}  // namespace peregrine::sim
