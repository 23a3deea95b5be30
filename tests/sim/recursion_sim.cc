#include "sim/recursion_sim.h"

#include <algorithm>

#include "sim/forger.h"
#include "wire/rdata.h"

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration grain = 2ms;  // of timers
constexpr unsigned most_aliases = 16;
constexpr Duration longest_failure = 5min;
// A zone that is no more may live on in the cache for as long as what was learned at the end of each parent's
// lease.
constexpr Duration longest_memory = std::chrono::seconds(Tree::longest_ttl) * (Tree::longest_depth + 2);

// A set of an answer, fit for comparison: names in small letters, records in order.
struct Shown {
  std::string owner;
  Type type;
  std::vector<std::vector<uint8_t>> records;
  bool operator==(const Shown&) const = default;
};

std::string escaped(Bytes octets) {
  std::string text;
  for (const uint8_t c : octets)
    text += c > ' ' && c < 127 ? std::string(1, static_cast<char>(c)) : "\\" + std::to_string(c);
  return text;
}

std::string folded(DnameBuf name) {
  name.fold();
  return name.to_string();
}

std::vector<Shown> shown(const MessageView& reply) {
  std::vector<Shown> sets;
  std::array<uint8_t, 4096> buffer;
  for (const RrView rr : reply.section(Section::answer)) {
    const std::string owner = folded(rr.owner.expand());
    const auto rdata = canonical_rdata(rr, buffer);
    if (!rdata) continue;
    if (sets.empty() || sets.back().owner != owner || sets.back().type != rr.type)
      sets.push_back({owner, rr.type, {}});
    sets.back().records.emplace_back(rdata->begin(), rdata->end());
  }
  for (Shown& set : sets) std::ranges::sort(set.records);
  return sets;
}

std::vector<Shown> shown(const Walk& truth) {
  std::vector<Shown> sets;
  std::array<uint8_t, 4096> buffer;
  for (const WalkedSet& set : truth.answer) {
    Shown& made = sets.emplace_back(Shown{set.owner, set.type, {}});
    for (const std::string& text : set.set.rdata) {
      const auto rdata = rdata_from_text(set.type, text, Dname(), buffer).value();
      made.records.emplace_back(rdata.begin(), rdata.end());
    }
    std::ranges::sort(made.records);
  }
  return sets;
}

std::string text_of(const std::vector<Shown>& sets) {
  std::string text;
  for (const Shown& set : sets) {
    text += " [" + set.owner + " " + to_string(set.type);
    for (const auto& record : set.records) text += " " + rdata_to_text(set.type, record);
    text += "]";
  }
  return text;
}

}  // namespace

RecursionSim::Plan RecursionSim::make_plan(Dice& dice) {
  Plan plan{};
  const unsigned roll = dice.below(10);
  plan.going = roll < 6 ? Going::calm : roll < 8 ? Going::rain : Going::storm;
  plan.options.minimisation = Minimisation(dice.below(3));
  plan.options.randomise_case = dice.percent(80);
  plan.tree.zones = dice.between(4, 16);
  plan.tree.ill = dice.percent(20) ? 0 : dice.between(5, 35);
  plan.tree.denies_ents = plan.options.minimisation != Minimisation::strict && dice.percent(30);
  plan.faults.jitter = dice.percent(50) ? Duration(0) : dice.between(Duration(0), Duration(60ms));
  plan.faults.duplication = dice.percent(50) ? 0 : dice.below(20);
  if (plan.going != Going::calm) plan.faults.loss = 1 + dice.below(plan.going == Going::storm ? 30 : 8);
  if (plan.going == Going::storm) {
    plan.tree.spares = false;
    plan.tree.ill = dice.between(20, 60);
    plan.tree.most_silent = 100;
  }
  plan.rounds = dice.between(4, 10);
  return plan;
}

RecursionSim::RecursionSim(uint64_t seed, bool verbose)
    : dice_(seed),
      plan_(make_plan(dice_)),
      stage_(verbose),
      tree_(seed ^ 0x74726565, plan_.tree),
      servers_(stage_, tree_, plan_.faults, seed),
      random_(Random::from_seed(~seed)),
      exchange_(servers_.network(), stage_.clock, stage_.timers, random_, counters_, {.sockets = 64}),
      store_(8 << 20, 2),
      reader_(store_),
      secret_(HashKey{seed, ~seed}),
      knowledge_(store_, reader_, stage_.clock, secret_, nullptr),
      upstreams_(stage_.clock, random_),
      forwarder_(exchange_, upstreams_, stage_.clock),
      recursor_({exchange_, upstreams_, stage_.clock}, knowledge_, forwarder_),
      table_(make_table()),
      forwards_(std::make_shared<ForwardTable>(std::vector<ForwardTable::Zone>{})) {
  report_.going = plan_.going;
  if (verbose) stage_.trace.note("tree", "\n" + servers_.describe());
}

std::shared_ptr<const RecursionTable> RecursionSim::make_table() const {
  auto table = std::make_shared<RecursionTable>();
  table->options = plan_.options;
  for (const size_t index : tree_.zones().front().hosts) {
    const Host& host = tree_.hosts()[index];
    NameServer server{.name = DnameBuf::from_text(host.name).value(), .addresses = {}};
    for (const size_t machine : host.machines) server.addresses.push_back(tree_.machines()[machine].address);
    table->root.servers.push_back(std::move(server));
  }
  return table;
}

RecursionSim::Asked RecursionSim::some_question() {
  constexpr std::array<Type, 12> types = {Type::a,  Type::a,   Type::a,  Type::a,     Type::aaaa,  Type::aaaa,
                                          Type::ns, Type::soa, Type::ds, Type::cname, Type::dname, Type::txt};
  for (;;) {
    std::string name = tree_.some_name(dice_);
    Type type = dice_.percent(10) ? Type::mx : dice_.pick(std::span<const Type>(types));
    if (!asked_before_.empty() && dice_.percent(40))
      std::tie(name, type) = dice_.pick(std::span<const std::pair<std::string, Type>>(asked_before_));
    if (plan_.tree.denies_ents && walk(tree_, name, type).at_ent) continue;
    auto qname = DnameBuf::from_text(name);
    if (!qname) continue;
    std::array<uint8_t, 32> bits;
    asked_before_.emplace_back(name, type);
    dice_.fill(bits);
    qname->flip_case(bits);
    return {.name = std::move(name), .type = type, .qname = *qname};
  }
}

Task<void> RecursionSim::ask(RecursionSim* sim, std::shared_ptr<Asked> asked) {
  asked->at = sim->stage_.clock.now();
  sim->stage_.trace.note("question", asked->qname.to_string() + " " + to_string(asked->type));
  auto result = co_await sim->recursor_.resolve({.qname = asked->qname, .qtype = asked->type}, sim->table_,
                                                sim->forwards_, {});
  asked->result.emplace(std::move(result));
  asked->ended = sim->stage_.clock.now();
}

void RecursionSim::ask_some() {
  std::vector<std::shared_ptr<Asked>> all;
  const unsigned count = dice_.percent(75) ? 1 : dice_.between(2, 4);
  const auto packets = [&] { return servers_.tally().queries + servers_.tally().connections; };
  const uint64_t before = packets();
  for (unsigned i = 0; i < count; ++i) {
    all.push_back(std::make_shared<Asked>(some_question()));
    const Duration later = i == 0 || dice_.percent(50) ? Duration(0) : dice_.between(0s, 2s);
    stage_.after(later, [this, asked = all.back()] { spawn(ask(this, asked)); });
  }
  run_until_rest();
  const uint64_t sent = packets() - before;
  if (sent > count * plan_.options.max_packets)
    stage_.found(std::to_string(sent) + " packets for " + std::to_string(count) + " questions");
  if (count == 1) report_.most_packets = std::max(report_.most_packets, static_cast<unsigned>(sent));
  if (sent == 0) ++report_.from_cache;
  for (const auto& asked : all) judge(*asked);
}

void RecursionSim::run_until_rest() {
  for (;;) {
    const auto timer = stage_.timers.until_next(stage_.clock.now());
    const auto event = stage_.events.next();
    if (!timer && !event) return;
    Instant next = timer ? stage_.clock.now() + *timer : *event;
    if (event) next = std::min(next, *event);
    stage_.clock.advance_to(std::max(next, stage_.clock.now()));
    stage_.timers.advance(stage_.clock.now());
    stage_.events.run_due(stage_.clock.now());
    reader_.quiet();
  }
}

void RecursionSim::pass(Duration time) {
  stage_.clock.advance(time);
  stage_.timers.advance(stage_.clock.now());
}

void RecursionSim::maybe_change() {
  if (changed_ && stage_.clock.now() > changed_at_ + longest_memory) {
    changed_.reset();
    servers_.forget_old_servers();
  }
  if (changed_ || !dice_.percent(20)) return;
  changed_ = tree_.change();
  if (!changed_) return;
  ++report_.changes;
  changed_at_ = stage_.clock.now();
  servers_.install(*changed_);
  stage_.trace.note("changed", tree_.zones()[*changed_].apex + "\n" + servers_.describe());
}

// Whether the answer does not depend on what has been changed of late.
bool RecursionSim::is_settled(const Walk& truth, const std::string& name) const {
  if (!changed_) return true;
  // The name below the parent's apex that the cut is at, or that is there for the sake of the cut alone.
  const TreeZone& zone = tree_.zones()[*changed_];
  std::string_view top = zone.apex;
  while (parent_of(top) != tree_.zones()[zone.parent].apex) top = parent_of(top);
  const auto touches = [&](std::string_view other) { return is_at_or_below(other, top); };
  if (touches(name) || truth.zones.contains(*changed_)) return false;
  for (const WalkedSet& set : truth.answer) {
    if (touches(set.owner)) return false;
    const bool leads = set.type == Type::cname && std::ranges::any_of(set.set.rdata, touches);
    if (leads) return false;
  }
  return true;
}

void RecursionSim::judge(const Asked& asked) {
  const std::string what = asked.name + " " + to_string(asked.type) + ": ";
  if (!asked.result) return stage_.found(what + "no end");
  const Resolution& result = *asked.result;
  stage_.trace.note("answered", what + to_string(result.rcode) + " " + result.ede_text);
  if (asked.ended - asked.at > plan_.options.timeout + grain) stage_.found(what + "took too long");
  if (result.upstream_packets > plan_.options.max_packets) stage_.found(what + "cost too much");
  if (carries_forged_data(result.message)) return stage_.found(what + "served a forged record");
  const Walk truth = walk(tree_, asked.name, asked.type);
  if (!is_settled(truth, asked.name)) return;
  if (result.message.empty()) {
    ++report_.failures;
    const bool spent = asked.ended - asked.at >= plan_.options.timeout - grain ||
                       result.upstream_packets == plan_.options.max_packets;
    if (spent) spent_at_ = asked.ended;
    // What failed for want of time or packets holds for a while (RFC 9520 section 3.2).
    const bool held = spent_at_ && asked.at < *spent_at_ + longest_failure;
    const bool may_fail =
        spent || held || plan_.going != Going::calm || truth.loops || truth.aliases > most_aliases;
    if ((spent || held) && plan_.going == Going::calm) ++report_.spent;
    if (!may_fail) stage_.found(what + "SERVFAIL: " + result.ede_text);
    return;
  }
  const auto reply = MessageView::parse(result.message);
  if (!reply) return stage_.found(what + "malformed");
  const std::string wrong = judge_answer(asked, *reply, truth);
  if (!wrong.empty()) return stage_.found(what + wrong);
  ++(truth.denied_by.empty() ? report_.answers : report_.denials);
}

std::string RecursionSim::judge_answer(const Asked& asked, const MessageView& reply,
                                       const Walk& truth) const {
  if (truth.loops) return "an answer where aliases have no end";
  if (!same_octets(reply.question().qname, asked.qname)) return "another question";
  if (reply.rcode() != truth.rcode) return to_string(reply.rcode()) + " instead of " + to_string(truth.rcode);
  const auto got = shown(reply), wanted = shown(truth);
  if (got != wanted) return "got" + text_of(got) + " instead of" + text_of(wanted);
  for (const RrView rr : reply.section(Section::answer)) {
    const auto same = [&](const WalkedSet& set) {
      return set.type == rr.type && set.owner == folded(rr.owner.expand());
    };
    const auto set = std::ranges::find_if(truth.answer, same);
    if (rr.ttl > set->set.ttl) return "a TTL that is too long";
  }
  return truth.denied_by.empty() ? "" : judge_denial(reply, truth);
}

// RFC 2308 section 2.
std::string RecursionSim::judge_denial(const MessageView& reply, const Walk& truth) const {
  unsigned soas = 0;
  for (const RrView rr : reply.section(Section::authority)) {
    if (rr.type != Type::soa) return "a denial with something else than an SOA";
    if (folded(rr.owner.expand()) != truth.denied_by)
      return "the SOA of another zone than " + truth.denied_by;
    ++soas;
  }
  return soas == 1 ? "" : "a denial with " + std::to_string(soas) + " SOAs";
}

void RecursionSim::check_cache() {
  store_.scan([&](const StoredEntry& entry) {
    if (carries_forged_data(entry.blob))
      stage_.found("a forged record in the cache: " + escaped(entry.key.octets));
    return ScanAction::keep;
  });
}

RecursionReport RecursionSim::run() {
  constexpr std::array<Duration, 7> pauses = {0s, 1s, 7s, 40s, 150s, 320s, 2500s};
  for (unsigned round = 0; round < plan_.rounds && !stage_.wrong; ++round) {
    ask_some();
    pass(dice_.pick(std::span<const Duration>(pauses)));
    maybe_change();
  }
  check_cache();
  if (exchange_.in_flight() != 0) stage_.found("exchanges that never end");
  report_.wrong = stage_.wrong;
  report_.trace_hash = stage_.trace.hash();
  report_.servers = servers_.tally();
  report_.over_tcp = servers_.tally().connections;
  return report_;
}

}  // namespace peregrine::sim
