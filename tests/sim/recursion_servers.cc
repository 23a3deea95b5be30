#include "sim/recursion_servers.h"

#include <algorithm>

#include "sim/forger.h"
#include "sim/recursion_oracle.h"
#include "wire/rdata.h"

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;

constexpr size_t classic_datagram = 512;
constexpr size_t largest_message = 65'535;
constexpr uint16_t offered_size = 1232;

DnameBuf dname(std::string_view text) { return DnameBuf::from_text(text).value(); }

void put(Zone& zone, const std::string& owner, Type type, const TreeSet& set) {
  for (const std::string& rdata : set.rdata) {
    const std::string line = owner + " " + std::to_string(set.ttl) + " " + to_string(type) + " " + rdata;
    if (!zone.add_line(line)) throw std::logic_error(line);
  }
}

void begin_reply(const MessageView& query, MessageWriter& out) {
  const Question question = query.question();
  out.id(query.header().id());
  out.qr(true);
  out.question(question.qname, question.qtype, question.qclass);
}

std::vector<uint8_t> taken(const MessageWriter& writer) {
  const Bytes message = writer.message();
  return {message.begin(), message.end()};
}

// The question's letters made small.
void lower_question(std::vector<uint8_t>& message) {
  const auto qname = Dname::parse(Bytes(message).subspan(header_size));
  for (size_t i = 0; qname && i < qname->size(); ++i)
    message[header_size + i] = fold_octet(message[header_size + i]);
}

}  // namespace

RecursionServers::RecursionServers(Stage& stage, const Tree& tree, const LinkFaults& faults, uint64_t seed)
    : stage_(stage), tree_(tree), faults_(faults), dice_(seed ^ 0x73657276), network_(stage, *this) {
  for (const TreeZone& zone : tree.zones()) serve_at(zone, build(zone));
  allow_all();
}

std::shared_ptr<const Zone> RecursionServers::build(const TreeZone& zone) const {
  auto made = std::make_shared<Zone>(dname(zone.apex));
  for (const auto& [owner, node] : zone.nodes) {
    for (const auto& [type, set] : node) put(*made, owner, type, set);
  }
  for (const TreeZone& child : tree_.zones()) {
    const bool is_child = &child != &zone && &tree_.zones()[child.parent] == &zone;
    if (is_child && !child.gone) put_delegation(*made, child);
  }
  return made;
}

void RecursionServers::put_delegation(Zone& into, const TreeZone& child) const {
  const TreeZone& parent = tree_.zones()[child.parent];
  for (const size_t index : child.hosts) {
    const Host& host = tree_.hosts()[index];
    put(into, child.apex, Type::ns, {child.delegation_ttl, {host.name}});
    if (tree_.has_glue(child, host)) put_glue(into, parent, host);
  }
}

// Addresses that the parent has as data of its own are there already.
void RecursionServers::put_glue(Zone& into, const TreeZone& parent, const Host& host) const {
  if (parent.nodes.contains(host.name)) return;
  for (const size_t index : host.machines) {
    const IpAddress& address = tree_.machines()[index].address;
    const Type type = address.family() == Family::v4 ? Type::a : Type::aaaa;
    put(into, host.name, type, {Tree::longest_ttl, {address.to_string()}});
  }
}

void RecursionServers::serve_at(const TreeZone& zone, const std::shared_ptr<const Zone>& built) {
  for (const size_t index : zone.hosts) {
    for (const size_t machine : tree_.hosts()[index].machines) {
      Server& server = servers_[tree_.machines()[machine].address];
      server.machine = machine;
      if (!zone.strangers.contains(index)) server.zones[zone.apex] = built;
    }
  }
}

void RecursionServers::install(size_t index) {
  const TreeZone& zone = tree_.zones()[index];
  for (auto& [address, server] : servers_) {
    const bool serves_above = std::ranges::any_of(allowed_[address], [&](const std::string& other) {
      return other != zone.apex && is_at_or_below(zone.apex, other);
    });
    if (serves_above) server.zones.erase(zone.apex);
  }
  const TreeZone& parent = tree_.zones()[zone.parent];
  serve_at(parent, build(parent));
  if (zone.gone) return;
  serve_at(zone, build(zone));
  allow(zone);
}

void RecursionServers::allow_all() {
  for (const TreeZone& zone : tree_.zones()) {
    if (!zone.gone) allow(zone);
  }
}

void RecursionServers::allow(const TreeZone& zone) {
  for (const size_t index : zone.hosts) {
    for (const size_t machine : tree_.hosts()[index].machines)
      allowed_[tree_.machines()[machine].address].insert(zone.apex);
  }
}

void RecursionServers::check(const Endpoint& to, Bytes octets) {
  stage_.trace.note("asks", to, octets);
  const auto query = MessageView::parse(octets);
  if (!query || !query->has_question() || query->has_trailing_octets())
    return stage_.found("sent a malformed query");
  const Header& header = query->header();
  if (header.qr() || header.rd() || header.tc() || header.aa() || header.opcode() != Opcode::query ||
      header.count(Section::answer) + header.count(Section::authority) != 0) {
    return stage_.found("sent a query with a strange header");
  }
  DnameBuf qname(query->question().qname);
  qname.fold();
  const auto allowed = allowed_.find(to.address);
  const bool justified = to.port == 53 && allowed != allowed_.end() &&
                         std::ranges::any_of(allowed->second, [&](const std::string& apex) {
                           return is_at_or_below(qname.to_string(), apex);
                         });
  if (!justified)
    stage_.found("asked " + to.to_string() + " for " + qname.to_string() + ", which is none of its names");
}

Result<> RecursionServers::on_sent(PortId from, const Endpoint& to, Bytes octets) {
  ++tally_.queries;
  check(to, octets);
  if (!servers_.contains(to.address)) return {};
  const Machine& machine = machine_at(to);
  if (machine.ill == Ill::vanished) return std::unexpected(Error::unreachable);
  const unsigned copies = dice_.percent(faults_.duplication) ? 2 : 1;
  for (unsigned i = 0; i < copies; ++i) {
    if (dice_.percent(faults_.loss)) {
      ++tally_.lost;
      continue;
    }
    stage_.after(delay(machine), [this, from, to, query = Octets(octets.begin(), octets.end())] {
      reply_to(from, to, query);
    });
  }
  return {};
}

void RecursionServers::reply_to(PortId port, const Endpoint& server, const Octets& query) {
  const Octets reply = answer(server, query, false);
  if (reply.empty()) return;
  send_back(port, server, reply);
  if (dice_.percent(faults_.duplication)) send_back(port, server, reply);
}

void RecursionServers::send_back(PortId port, const Endpoint& server, const Octets& reply) {
  if (dice_.percent(faults_.loss)) {
    ++tally_.lost;
    return;
  }
  stage_.after(delay(machine_at(server)), [this, port, server, reply] {
    stage_.trace.note("gets", server, reply);
    network_.deliver(port, server, reply);
  });
}

RecursionServers::Octets RecursionServers::answer(const Endpoint& at, Bytes octets, bool tcp) {
  const auto query = MessageView::parse(octets);
  if (!query || !query->has_question()) return {};
  const Server& server = servers_.at(at.address);
  const Machine& machine = tree_.machines()[server.machine];
  if (machine.ill == Ill::silent || (machine.ill == Ill::mute_edns && query->edns())) return {};
  const size_t offered = query->edns() ? query->edns()->udp_size : classic_datagram;
  const size_t limit = tcp ? largest_message : std::clamp(offered, classic_datagram, size_t{offered_size});
  Octets buffer(limit);
  MessageWriter writer(buffer);
  begin_reply(*query, writer);
  constexpr size_t opt_size = 11;
  writer.reserve(query->edns() ? opt_size : 0);
  if (!answer_ill(machine, *query, writer)) {
    const auto refusal = machine.edns;
    if (query->edns() && refusal != Machine::Edns::speaks) {
      writer.rcode(refusal == Machine::Edns::notimp ? Rcode::notimp : Rcode::formerr);
      Octets reply = taken(writer);
      if (refusal != Machine::Edns::bare_formerr) return reply;
      reply.resize(header_size);
      reply[5] = 0;  // QDCOUNT
      return reply;
    }
    if (machine.truncates && !tcp)
      writer.tc(true);
    else
      answer_well(server, *query, writer);
  }
  writer.reserve(0);
  if (query->edns())
    writer.edns({.udp_size = offered_size, .dnssec_ok = query->edns()->dnssec_ok, .options = {}});
  Octets reply = taken(writer);
  const Zone* zone = zone_for(server, query->question());
  if (machine.stuffs && zone && machine.ill == Ill::none) reply = stuffed(at, *zone, reply, limit);
  if (machine.lowers_case) lower_question(reply);
  if (machine.ill == Ill::garbles && !tcp) reply[7] = 9;  // ANCOUNT: more than there are
  return reply;
}

// Whether it is of no use.
bool RecursionServers::answer_ill(const Machine& machine, const MessageView& query, MessageWriter& out) {
  const Question question = query.question();
  if (machine.ill != Ill::none) ++tally_.ill;
  switch (machine.ill) {
    case Ill::refuses:
      return out.rcode(Rcode::refused), true;
    case Ill::fails:
    case Ill::garbles:
      return out.rcode(Rcode::servfail), true;
    case Ill::formerr:
      return out.rcode(Rcode::formerr), true;
    case Ill::closes_tcp:
      return out.tc(true), true;
    case Ill::refers_up:
      return out.rr(Section::authority, Dname(), Type::ns, Class::in, 86'400, forged_rdata(Type::ns)), true;
    case Ill::lies:
      out.ra(true);
      out.rr(Section::answer, question.qname, question.qtype, Class::in, 86'400,
             forged_rdata(question.qtype));
      return true;
    default:
      return false;
  }
}

// The deepest that holds the name; of a DS record, the one above that.
const Zone* RecursionServers::zone_for(const Server& server, const Question& question) const {
  const Zone *best = nullptr, *second = nullptr;
  for (const auto& [apex, zone] : server.zones) {
    if (!zone->holds(question.qname)) continue;
    if (!best || zone->apex().size() > best->apex().size()) {
      second = std::exchange(best, zone.get());
    } else if (!second || zone->apex().size() > second->apex().size()) {
      second = zone.get();
    }
  }
  const bool of_parent = question.qtype == Type::ds && best && best->apex() == question.qname;
  return of_parent && second ? second : best;
}

void RecursionServers::answer_well(const Server& server, const MessageView& query, MessageWriter& out) {
  const Machine& machine = tree_.machines()[server.machine];
  const Question question = query.question();
  const Zone* zone = zone_for(server, question);
  if (!zone) {
    if (!machine.refers_strangers) return out.rcode(Rcode::refused);
    out.rr(Section::authority, Dname(), Type::ns, Class::in, 86'400, forged_rdata(Type::ns));
    return;
  }
  const auto before = out.mark();
  if (zone->answer(question, query.edns() && query.edns()->dnssec_ok, out) == Zone::Outcome::overflow) {
    out.roll_back(before);
    return out.tc(true);
  }
  if (machine.omits_aa) out.aa(false);
  if (!machine.denies_ents) return;
  DnameBuf qname(question.qname);
  qname.fold();
  const Walk truth = walk(tree_, qname.to_string(), question.qtype);
  if (truth.at_ent && truth.answer.empty() && truth.denied_by == zone->apex().to_string())
    out.rcode(Rcode::nxdomain);
}

// With records of names that the zone does not hold, and NS records that are not asked for: none may be
// believed (RFC 2181 section 5.4.1, CVE-2025-11411). The root's may say anything, and so may whoever is named
// for a zone of any name in it.
RecursionServers::Octets RecursionServers::stuffed(const Endpoint& at, const Zone& zone, Bytes reply,
                                                   size_t limit) {
  const auto view = MessageView::parse(reply);
  const std::set<std::string>& named_for = allowed_[at.address];
  if (!view || named_for.contains(".") || view->header().tc()) return {reply.begin(), reply.end()};
  ++tally_.stuffed;
  Octets buffer(limit);
  MessageWriter writer(buffer);
  begin_reply(*view, writer);
  writer.rcode(view->rcode());
  writer.aa(view->header().aa());
  constexpr size_t room_for_more = 11 + 40;
  const auto elsewhere = [&] {
    for (;;) {
      const std::string name = tree_.some_name(dice_);
      const auto holds = [&](const std::string& apex) { return is_at_or_below(name, apex); };
      if (std::ranges::none_of(named_for, holds)) return dname(name);
    }
  };
  const auto stuff = [&](Section section, Dname owner, Type type) {
    const auto before = writer.mark();
    if (writer.rr(section, owner, type, Class::in, 86'400, forged_rdata(type)) &&
        writer.size() + room_for_more > limit)
      writer.roll_back(before);
  };
  const bool answers = view->header().count(Section::answer) > 0;
  bool fits = true;
  for (const Section section : {Section::answer, Section::authority, Section::additional}) {
    for (const RrView rr : view->section(section)) {
      if (rr.type != Type::opt) fits = fits && writer.copy(section, rr);
    }
    if (section == Section::answer && answers) stuff(section, elsewhere(), Type::a);
    if (section == Section::authority && answers && view->header().aa())
      stuff(section, zone.apex(), Type::ns);
    if (section == Section::authority) stuff(section, elsewhere(), Type::ns);
    if (section == Section::additional) stuff(section, elsewhere(), dice_.percent(50) ? Type::a : Type::aaaa);
  }
  if (view->edns()) fits = fits && writer.edns({.udp_size = offered_size, .dnssec_ok = true, .options = {}});
  return fits ? taken(writer) : Octets(reply.begin(), reply.end());
}

ConnectPlan RecursionServers::on_connect(const Endpoint& to) {
  ++tally_.connections;
  stage_.trace.note("connects to", to.to_string());
  ConnectPlan plan{.outcome = ConnectPlan::Outcome::hang, .delay = 1ms, .pipe = {.server = to}};
  if (!servers_.contains(to.address)) return plan;
  const Machine& machine = machine_at(to);
  plan.delay = 2 * machine.delay;
  if (machine.ill != Ill::silent && machine.ill != Ill::mute_edns)
    plan.outcome = ConnectPlan::Outcome::accept;
  if (machine.ill == Ill::closes_tcp || machine.ill == Ill::vanished)
    plan.outcome = ConnectPlan::Outcome::refuse;
  return plan;
}

void RecursionServers::on_accepted(const Endpoint& at, std::unique_ptr<Stream> stream) {
  spawn(serve(at, std::move(stream)));
}

Task<void> RecursionServers::serve(Endpoint at, std::unique_ptr<Stream> stream) {
  for (;;) {
    const auto query = co_await read_message(*stream, Instant::max());
    if (!query || query->empty()) co_return;
    check(at, *query);
    co_await sleep_until(stage_.timers, stage_.clock.now() + 2 * delay(machine_at(at)));
    const Octets reply = answer(at, *query, true);
    if (reply.empty()) co_return;
    stage_.trace.note("gets over TCP", at, reply);
    const auto written = co_await write_message(*stream, reply, stage_.clock.now() + 10s);
    if (!written) co_return;
  }
}

std::string RecursionServers::describe() const {
  std::string text;
  for (const auto& [address, server] : servers_) {
    const Machine& machine = tree_.machines()[server.machine];
    text += address.to_string() + " ill " + std::to_string(static_cast<int>(machine.ill)) + " edns " +
            std::to_string(static_cast<int>(machine.edns)) + (machine.omits_aa ? " no-aa" : "") +
            (machine.lowers_case ? " lowers" : "") + (machine.truncates ? " tc" : "") +
            (machine.stuffs ? " stuffs" : "") + (machine.denies_ents ? " denies-ents" : "") + ":";
    for (const auto& [apex, zone] : server.zones) text += " " + apex;
    text += "\n";
  }
  for (const TreeZone& zone : tree_.zones()) {
    text += zone.apex + (zone.gone ? " gone" : "") + " of " + tree_.zones()[zone.parent].apex + ":";
    for (const size_t host : zone.hosts) {
      text += " " + tree_.hosts()[host].name +
              (tree_.has_glue(zone, tree_.hosts()[host]) ? "" : "(no glue)") +
              (zone.strangers.contains(host) ? "(lame)" : "");
      for (const size_t machine : tree_.hosts()[host].machines)
        text += " " + tree_.machines()[machine].address.to_string();
    }
    text += "\n";
    for (const auto& [owner, node] : zone.nodes) {
      for (const auto& [type, set] : node) {
        for (const std::string& rdata : set.rdata)
          text += "   " + owner + " " + std::to_string(set.ttl) + " " + to_string(type) + " " + rdata + "\n";
      }
    }
  }
  return text;
}

}  // namespace peregrine::sim
