// A stranger's replies by the million, each of them in time and right in all but one thing (RFC 5452): none
// is believed, nothing of them is cached.
#include <gtest/gtest.h>

#include <algorithm>

#include "cache/mutex_store.h"
#include "resolve/recursor.h"
#include "resolve/store_knowledge.h"
#include "sim/forger.h"
#include "sim/runs.h"
#include "zone/zone.h"

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;
using Octets = std::vector<uint8_t>;

#ifdef PEREGRINE_SLOW_RUNS
constexpr uint32_t id_step = 16;
#else
constexpr uint32_t id_step = 1;
#endif
constexpr uint32_t ids = 65'536;
constexpr int rounds = 2;
constexpr size_t most_cases = 4096;  // of a name's letters that are tried
constexpr uint32_t forged_ttl = 86'400;

DnameBuf name(std::string_view text) { return DnameBuf::from_text(text).value(); }

std::vector<size_t> letters_of(Bytes qname) {
  std::vector<size_t> letters;
  for (size_t i = 0; i < qname.size(); ++i) {
    if (static_cast<uint8_t>((qname[i] | 0x20) - 'a') < 26) letters.push_back(i);
  }
  return letters;
}

// Servers that reply after ten milliseconds, before which the stranger has said all that he can.
class ForgedServers final : public Far {
 public:
  explicit ForgedServers(Stage& stage, bool case_matters)
      : stage_(stage),
        network_(stage, *this),
        forger_({.case_matters = case_matters}, 1),
        case_matters_(case_matters) {}
  SimNetwork& network() { return network_; }
  uint64_t forgeries() const { return forgeries_; }
  uint64_t connections() const { return connections_; }

  void serve(std::string_view address, std::string_view apex, std::initializer_list<std::string_view> lines) {
    Zone zone(name(apex));
    for (const std::string_view line : lines) ASSERT_TRUE(zone.add_line(line)) << line;
    zones_[IpAddress::parse(address).value()].push_back(std::move(zone));
  }

  Result<> on_sent(PortId from, const Endpoint& to, Bytes octets) override {
    Octets query(octets.begin(), octets.end());
    if (!zones_.contains(to.address)) {
      stage_.found("asked " + to.to_string());
      return {};
    }
    stage_.after(1ms, [this, from, to, query] { forge(from, to, query); });
    stage_.after(10ms, [this, from, to, query] { network_.deliver(from, to, answer(to, query)); });
    return {};
  }
  ConnectPlan on_connect(const Endpoint& to) override {
    ++connections_;
    if (!zones_.contains(to.address)) return {};
    return {.outcome = ConnectPlan::Outcome::accept, .delay = 10ms, .pipe = {.server = to}};
  }
  void on_accepted(const Endpoint& at, std::unique_ptr<Stream> stream) override {
    spawn(serve_stream(at, std::move(stream)));
  }

 private:
  Task<void> serve_stream(Endpoint at, std::unique_ptr<Stream> stream) {
    const auto query = co_await read_message(*stream, Instant::max());
    if (!query || query->empty()) co_return;
    const Octets reply = answer(at, *query);
    const auto written = co_await write_message(*stream, reply, Instant::max());
    if (!written) stage_.found("a reply that could not be written");
  }

  static void begin(const MessageView& query, MessageWriter& out) {
    const Question question = query.question();
    out.id(query.header().id());
    out.qr(true);
    out.aa(true);
    out.question(question.qname, question.qtype, question.qclass);
  }
  static Octets taken(const MessageWriter& writer) {
    return {writer.message().begin(), writer.message().end()};
  }

  Octets answer(const Endpoint& at, Bytes query) const {
    const auto view = MessageView::parse(query);
    const Question question = view->question();
    const Zone* best = nullptr;
    for (const Zone& zone : zones_.at(at.address)) {
      if (zone.holds(question.qname) && (!best || zone.apex().size() > best->apex().size())) best = &zone;
    }
    Octets buffer(1232);
    MessageWriter writer(buffer);
    begin(*view, writer);
    if (best)
      best->answer(question, false, writer);
    else
      writer.rcode(Rcode::refused);
    if (view->edns()) writer.edns({});
    return taken(writer);
  }

  // What the stranger would have us believe: an address, other servers, an alias, a denial.
  static std::vector<Octets> lies(Bytes query) {
    const auto view = MessageView::parse(query);
    const Question question = view->question();
    const auto lie = [&](auto add) {
      Octets buffer(1232);
      MessageWriter writer(buffer);
      begin(*view, writer);
      add(writer);
      return taken(writer);
    };
    const Octets away = forged_rdata(Type::ns);
    const auto put_away = [&](MessageWriter& out, Section section, Type type) {
      const Dname server = Dname::from_checked(away);
      out.rr(section, question.qname, type, Class::in, forged_ttl, away);
      out.rr(Section::additional, server, Type::a, Class::in, forged_ttl, forged_v4);
    };
    Octets soa = away;
    soa.insert(soa.end(), away.begin(), away.end());
    soa.insert(soa.end(), 16, 0);
    soa.insert(soa.end(), {0, 1, 0, 0});
    return {lie([&](MessageWriter& out) {
              out.rr(Section::answer, question.qname, question.qtype, Class::in, forged_ttl,
                     forged_rdata(question.qtype));
            }),
            lie([&](MessageWriter& out) {
              out.aa(false);
              put_away(out, Section::authority, Type::ns);
            }),
            lie([&](MessageWriter& out) { put_away(out, Section::answer, Type::cname); }),
            lie([&](MessageWriter& out) {
              out.rcode(Rcode::nxdomain);
              out.rr(Section::authority, question.qname.parent(), Type::soa, Class::in, forged_ttl, soa);
            })};
  }

  void deliver(PortId port, const Endpoint& from, Bytes octets) {
    ++forgeries_;
    network_.deliver(port, from, octets);
  }

  void forge(PortId port, const Endpoint& server, const Octets& query) {
    std::vector<Octets> all = lies(query);
    const uint16_t right = load_u16(query.data());
    for (uint32_t id = 0; id < ids; id += id_step) {
      Octets& lie = all[id / id_step % all.size()];
      store_u16(lie.data(), static_cast<uint16_t>(id));
      if (id != right) deliver(port, server, lie);
    }
    for (Octets& lie : all) {
      store_u16(lie.data(), right);
      forge_from_elsewhere(port, server, lie);
    }
    // The first of these that is right in all but the case, or leaves the question out, has the resolver ask
    // again over TCP.
    const bool cases_first = right % 2 == 0;
    if (cases_first && case_matters_) forge_in_other_cases(port, server, all, query);
    for (int i = 0; i < 20; ++i) {
      const Flight flight = forger_.forge(port, server, query);
      deliver(flight.port, flight.from, flight.octets);
    }
    if (!cases_first && case_matters_) forge_in_other_cases(port, server, all, query);
  }

  void forge_from_elsewhere(PortId port, Endpoint server, const Octets& lie) {
    const Endpoint true_server = server;
    for (uint8_t host = 0; host < 250; ++host) deliver(port, {IpAddress::v4({203, 0, 113, host}), 53}, lie);
    for (uint16_t number = 1; number < 300; ++number) {
      if (number == true_server.port) continue;
      server.port = number;
      deliver(port, server, lie);
    }
    for (uint32_t number = 1024; number < ids; number += 61) {
      if (number != port.number) deliver({port.family, static_cast<uint16_t>(number)}, true_server, lie);
    }
  }

  void forge_in_other_cases(PortId port, const Endpoint& server, std::vector<Octets>& all,
                            const Octets& query) {
    const Bytes qname = MessageView::parse(query)->question().qname.wire();
    const std::vector<size_t> letters = letters_of(qname);
    const size_t count = std::min(most_cases, size_t{1} << std::min<size_t>(letters.size(), 20));
    for (size_t flips = 1; flips < count; ++flips) {
      Octets lie = all[flips % all.size()];
      for (size_t i = 0; i < letters.size() && flips >> i != 0; ++i) {
        if ((flips >> i & 1) != 0) lie[header_size + letters[i]] ^= 0x20;
      }
      deliver(port, server, lie);
    }
  }

  Stage& stage_;
  SimNetwork network_;
  Forger forger_;
  bool case_matters_;
  std::map<IpAddress, std::vector<Zone>> zones_;
  uint64_t forgeries_ = 0, connections_ = 0;
};

class ForgedReplies : public testing::TestWithParam<bool> {
 protected:
  ForgedReplies() {
    servers.serve("185.1.0.1", ".",
                  {". 9 SOA a. h. 1 2 3 4 5", ". 9999 NS a.", "a. 9999 A 185.1.0.1",
                   "com. 9999 NS a.gtld.com.", "a.gtld.com. 9999 A 185.1.0.2"});
    servers.serve("185.1.0.2", "com.",
                  {"@ 9 SOA a h 1 2 3 4 5", "bank 9999 NS ns.bank", "ns.bank 9999 A 185.1.0.3",
                   "shop 9999 NS ns.bank"});
    servers.serve("185.1.0.3", "bank.com.",
                  {"@ 9 SOA ns h 1 2 3 4 5", "@ 999 NS ns", "ns 999 A 185.1.0.3", "www 999 A 192.0.2.1",
                   "pay 999 CNAME www.shop.com.", "mail 999 AAAA 2001:db8::1"});
    servers.serve("185.1.0.3", "shop.com.", {"@ 9 SOA ns h 1 2 3 4 5", "www 999 A 192.0.2.2"});
    auto made = std::make_shared<RecursionTable>();
    made->root.servers = {{name("a."), {IpAddress::v4({185, 1, 0, 1})}}};
    made->options.randomise_case = GetParam();
    table = made;
  }

  static Task<void> ask(ForgedReplies* test, ResolveRequest request, Resolution* result) {
    *result = co_await test->recursor.resolve(request, test->table, test->forwards, {});
  }
  Resolution resolve(std::string_view qname, Type qtype) {
    Resolution result;
    spawn(ask(this, {.qname = name(qname), .qtype = qtype}, &result));
    for (;;) {
      const auto timer = stage.timers.until_next(stage.clock.now());
      const auto event = stage.events.next();
      if (!timer && !event) return result;
      Instant next = timer ? stage.clock.now() + *timer : *event;
      if (event) next = std::min(next, *event);
      stage.clock.advance_to(next);
      stage.timers.advance(stage.clock.now());
      stage.events.run_due(stage.clock.now());
      reader.quiet();
    }
  }
  struct Wanted {
    std::string_view qname;
    Type qtype;
    Rcode rcode;
    size_t records;
  };
  void expect_truth(const Wanted& wanted) {
    const Resolution resolution = resolve(wanted.qname, wanted.qtype);
    const auto view = MessageView::parse(resolution.message);
    ASSERT_TRUE(view) << wanted.qname << " " << resolution.ede_text;
    EXPECT_EQ(resolution.rcode, wanted.rcode) << wanted.qname;
    EXPECT_EQ(view->header().count(Section::answer), wanted.records) << wanted.qname;
    EXPECT_FALSE(carries_forged_data(resolution.message)) << wanted.qname;
  }
  void expect_nothing_forged() {
    store.scan([&](const StoredEntry& entry) {
      const auto key = KeyParts::read(entry.key.octets);
      EXPECT_FALSE(carries_forged_data(entry.blob)) << (key ? key->owner.to_string() : "?");
      return ScanAction::keep;
    });
  }

  Stage stage{false};
  ForgedServers servers{stage, GetParam()};
  Random random = Random::from_seed(1);
  Counters counters;
  Exchange exchange{servers.network(), stage.clock, stage.timers, random, counters, {.sockets = 64}};
  MutexStore store{8 << 20, 2};
  MutexStore::Reader reader{store};
  HashSecret secret{HashKey{1, 2}};
  StoreKnowledge<MutexStore> knowledge{store, reader, stage.clock, secret, nullptr};
  Upstreams upstreams{stage.clock, random};
  Forwarder forwarder{exchange, upstreams, stage.clock};
  Recursor recursor{{exchange, upstreams, stage.clock}, knowledge, forwarder};
  std::shared_ptr<const RecursionTable> table;
  std::shared_ptr<const ForwardTable> forwards =
      std::make_shared<ForwardTable>(std::vector<ForwardTable::Zone>{});
};

TEST_P(ForgedReplies, NoneIsBelieved) {
  for (int round = 0; round < rounds; ++round) {
    for (const Wanted& wanted : {Wanted{"www.bank.com.", Type::a, Rcode::noerror, 1},
                                 {"pay.bank.com.", Type::a, Rcode::noerror, 2},
                                 {"mail.bank.com.", Type::aaaa, Rcode::noerror, 1},
                                 {"www.bank.com.", Type::aaaa, Rcode::noerror, 0},
                                 {"bank.com.", Type::ns, Rcode::noerror, 1},
                                 {"nothing.bank.com.", Type::a, Rcode::nxdomain, 0},
                                 {"nothing.at.all.com.", Type::a, Rcode::nxdomain, 0}}) {
      expect_truth(wanted);
    }
    expect_nothing_forged();
    stage.clock.advance(20'000s);  // all of it expires
    stage.timers.advance(stage.clock.now());
  }
  EXPECT_FALSE(stage.wrong) << *stage.wrong;
  EXPECT_GE(servers.forgeries(), 1'000'000 / id_step);
  EXPECT_GE(counters.get(Counter::upstream_mismatched), servers.forgeries() / 2);
  EXPECT_GT(servers.connections(), 0u);
}

INSTANTIATE_TEST_SUITE_P(CaseMatters, ForgedReplies, testing::Bool());

}  // namespace
}  // namespace peregrine::sim
