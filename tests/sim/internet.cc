#include "sim/internet.h"

#include <algorithm>

namespace peregrine::sim {
namespace {

using namespace std::chrono_literals;

constexpr size_t server_count = 6;
constexpr size_t largest_datagram = 1232, classic_datagram = 512;
constexpr Duration pulse_length = 4s;

Endpoint server_address(size_t index) {
  const auto last = static_cast<uint8_t>(53 + index);
  if (index % 3 == 2)
    return {IpAddress::v6({0x20, 1, 0xd, 0xb8, 0x53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}), 53};
  return {IpAddress::v4({198, 51, 100, last}), 53};
}

std::vector<uint8_t> taken(const MessageWriter& writer) {
  const Bytes message = writer.message();
  return {message.begin(), message.end()};
}

void lower_question(std::vector<uint8_t>& message) {
  const auto qname = Dname::parse(Bytes(message).subspan(header_size));
  if (!qname) return;
  DnameBuf lower(*qname);
  lower.fold();
  std::ranges::copy(lower.view().wire(), message.begin() + header_size);
}

}  // namespace

Internet::Internet(Stage& stage, const Truth& truth, const Faults& faults, uint64_t seed)
    : stage_(stage),
      truth_(truth),
      faults_(faults),
      dice_(seed ^ 0x696e7465726e6574),
      forger_(faults.forger, seed ^ 0x666f72676572),
      network_(stage, *this, faults.most_ports) {
  for (size_t i = 0; i < server_count; ++i) {
    servers_.push_back(server_address(i));
    Habits habits{.pulse = {seed, i}};
    if (faults_.quirks) {
      if (dice_.percent(30)) habits.edns = EdnsHabit(1 + dice_.below(3));
      habits.lowers_case = dice_.percent(20);
      habits.adds_needless = dice_.percent(40);
      habits.shuffles = dice_.percent(40);
      habits.uneven_ttls = dice_.percent(40);
    }
    habits_.push_back(habits);
  }
}

void Internet::allow(std::span<const ForwardZone> zones, Duration grace) {
  const Instant until = stage_.clock.now() + grace;
  for (Allowed& entry : allowed_) entry.until = std::min(entry.until, until);
  for (const ForwardZone& zone : zones) {
    for (const Endpoint& server : zone.servers) allowed_.push_back({zone.zone, server, Instant::max()});
  }
}

bool Internet::speaks_edns() const {
  return std::ranges::all_of(habits_, [](const Habits& habits) { return habits.edns == EdnsHabit::speaks; });
}

const Internet::Habits& Internet::habits_of(const Endpoint& server) const {
  return habits_[static_cast<size_t>(std::ranges::find(servers_, server) - servers_.begin())];
}

bool Internet::dead(const Endpoint& server) const {
  std::array<uint8_t, 4> span;
  store_u32(span.data(), static_cast<uint32_t>(stage_.clock.now().time_since_epoch() / pulse_length));
  return siphash13(habits_of(server).pulse, span) % 100 < faults_.dead;
}

void Internet::check_query(const Endpoint& to, Bytes octets) {
  ++tally_.queries;
  stage_.trace.note("asks", to, octets);
  const auto query = MessageView::parse(octets);
  if (!query || !query->has_question() || query->has_trailing_octets())
    return stage_.found("sent a malformed query");
  const Header& header = query->header();
  if (header.qr() || !header.rd() || header.tc() || header.aa() || header.opcode() != Opcode::query ||
      header.count(Section::answer) + header.count(Section::authority) != 0) {
    return stage_.found("sent a query with a strange header");
  }
  const Dname qname = query->question().qname;
  unsigned longest = 0;
  for (const Allowed& entry : allowed_) {
    if (qname.is_at_or_below(entry.zone)) longest = std::max(longest, entry.zone.view().label_count());
  }
  const bool allowed = std::ranges::any_of(allowed_, [&](const Allowed& entry) {
    return entry.server == to && entry.until >= stage_.clock.now() && qname.is_at_or_below(entry.zone) &&
           entry.zone.view().label_count() == longest;
  });
  if (!allowed)
    stage_.found("asked " + to.to_string() + " for " + qname.to_string() + ", which is not its zone");
}

Result<> Internet::on_sent(PortId from, const Endpoint& to, Bytes octets) {
  if (dice_.percent(faults_.unreachable)) return std::unexpected(Error::unreachable);
  check_query(to, octets);
  forge(from, to, octets);
  if (dice_.percent(faults_.loss)) {
    ++tally_.lost;
    stage_.trace.note("lost");
    return {};
  }
  const unsigned copies = dice_.percent(faults_.duplication) ? 2 : 1;
  for (unsigned i = 0; i < copies; ++i) {
    stage_.after(delay(), [this, from, to, query = Octets(octets.begin(), octets.end())] {
      reply_to(from, to, query);
    });
  }
  return {};
}

void Internet::reply_to(PortId port, const Endpoint& server, Bytes query) {
  if (dead(server)) return;
  const auto view = MessageView::parse(query);
  if (!view) return;
  const size_t offered = view->edns() ? view->edns()->udp_size : classic_datagram;
  Flight reply{port, server, answer(server, query, std::min(offered, largest_datagram))};
  if (dice_.percent(faults_.bad_reply)) spoil(reply);
  if (dice_.percent(faults_.loss)) {
    ++tally_.lost;
    return stage_.trace.note("lost");
  }
  if (dice_.percent(faults_.duplication)) send_back(reply);
  if (dice_.percent(faults_.corruption)) corrupt(reply.octets);
  send_back(std::move(reply));
}

void Internet::send_back(Flight reply) {
  stage_.after(delay(), [this, reply = std::move(reply)] {
    stage_.trace.note("gets", reply.from, reply.octets);
    network_.deliver(reply.port, reply.from, reply.octets);
  });
}

// Where it can be noticed: an octet of a record that is damaged is another record.
void Internet::corrupt(Octets& reply) {
  ++tally_.spoilt;
  const auto qname = Dname::parse(Bytes(reply).subspan(std::min(header_size, reply.size())));
  if (!qname || dice_.percent(30)) return reply.resize(dice_.below(static_cast<uint32_t>(reply.size())));
  const auto bit = static_cast<uint8_t>(1 << dice_.below(8));
  if (dice_.percent(40)) {
    reply[dice_.below(2)] ^= bit;
  } else {
    reply[header_size + dice_.below(static_cast<uint32_t>(qname->size() + 4))] ^= bit;
  }
}

// A reply of no use, though it may look like one.
void Internet::spoil(Flight& reply) {
  ++tally_.spoilt;
  Octets& octets = reply.octets;
  const auto fail = [&](Rcode rcode) {
    octets[3] = static_cast<uint8_t>((octets[3] & 0xf0) | static_cast<uint8_t>(rcode));
  };
  switch (dice_.below(10)) {
    case 0:
      return fail(Rcode::servfail);
    case 1:
      return fail(Rcode::refused);
    case 2:
      octets[dice_.below(2)] ^= static_cast<uint8_t>(1 + dice_.below(255));
      return;
    case 3:
      octets[2] |= 0x02;
      return;
    case 4:
      octets[2] &= 0x7f;
      return;
    case 5:
      reply.from.port = static_cast<uint16_t>(1024 + dice_.below(60'000));
      return;
    case 6:
      reply.from = servers_[dice_.below(server_count)];
      return;
    case 7:
      octets.resize(header_size);
      std::fill(octets.begin() + 4, octets.end(), uint8_t{0});
      return fail(Rcode::servfail);
    case 8:
      octets.insert(octets.end(), {1, 2, 3});
      return;
    default:
      return lower_question(octets);
  }
}

void Internet::forge(PortId port, const Endpoint& server, Bytes query) {
  if (!dice_.percent(faults_.forgery)) return;
  for (unsigned left = dice_.between(1, 5); left > 0; --left) {
    stage_.after(dice_.between(Duration(0), faults_.least_delay),
                 [this, forged = forger_.forge(port, server, query)] {
                   ++tally_.forgeries;
                   stage_.trace.note("FORGED", forged.from, forged.octets);
                   network_.deliver(forged.port, forged.from, forged.octets);
                 });
  }
}

Internet::Octets Internet::answer(const Endpoint& server, Bytes query, size_t limit) {
  const auto view = MessageView::parse(query);
  const Habits& habits = habits_of(server);
  if (view->edns() && habits.edns != EdnsHabit::speaks) return refuse_edns(habits.edns, *view);
  Octets buffer(limit);
  MessageWriter writer(buffer);
  writer.id(view->header().id());
  writer.qr(true);
  writer.rd(true);
  writer.ra(true);
  writer.ad(dice_.percent(20));  // nobody here validates: not to be passed on
  const Question question = view->question();
  writer.question(question.qname, question.qtype, question.qclass);
  constexpr size_t opt_size = 11;
  writer.reserve(view->edns() ? opt_size : 0);
  write_truth(habits, *view, writer);
  writer.reserve(0);
  if (view->edns())
    writer.edns({.udp_size = largest_datagram, .dnssec_ok = view->edns()->dnssec_ok, .options = {}});
  Octets reply = taken(writer);
  if (habits.lowers_case) lower_question(reply);
  return reply;
}

Internet::Octets Internet::refuse_edns(EdnsHabit habit, const MessageView& query) const {
  std::array<uint8_t, classic_datagram> buffer;
  MessageWriter writer(buffer);
  writer.id(query.header().id());
  writer.qr(true);
  writer.rd(true);
  writer.rcode(habit == EdnsHabit::notimp_without_opt ? Rcode::notimp : Rcode::formerr);
  const Question question = query.question();
  if (habit != EdnsHabit::bare_formerr) writer.question(question.qname, question.qtype, question.qclass);
  return taken(writer);
}

void Internet::write_truth(const Habits& habits, const MessageView& query, MessageWriter& writer) {
  const Question question = query.question();
  const TrueAnswer truth = truth_.at(question.qname, question.qtype, stage_.clock.now());
  if (truth.bogus && !query.header().cd()) return writer.rcode(Rcode::servfail);
  writer.rcode(truth.rcode);
  const bool with_signatures = query.edns() && query.edns()->dnssec_ok;
  const auto before = writer.mark();
  bool whole = true;
  if (habits.adds_needless) write_needless(question, truth, Section::answer, writer);
  for (Section section : {Section::answer, Section::authority}) {
    auto records = truth.section(section, with_signatures);
    if (habits.uneven_ttls) make_ttls_uneven(records);
    if (habits.shuffles) shuffle(records);
    for (const TrueRecord& rr : records) {
      whole = whole && writer.rr(section, rr.owner, rr.type, Class::in, rr.ttl, rr.rdata);
    }
  }
  if (habits.adds_needless) write_needless(question, truth, Section::additional, writer);
  if (whole) return;
  // Some send what has room, some nothing: it must not be used.
  if (dice_.percent(50)) writer.roll_back(before);
  writer.tc(true);
}

void Internet::shuffle(std::vector<TrueRecord>& records) {
  for (size_t i = records.size(); i > 1; --i) {
    std::swap(records[i - 1], records[dice_.below(static_cast<uint32_t>(i))]);
  }
}

// The least TTL of an RRset is the one that counts (RFC 2181 section 5.2).
void Internet::make_ttls_uneven(std::vector<TrueRecord>& records) {
  for (size_t i = 1; i < records.size(); ++i) {
    const bool same_rrset =
        records[i].owner == records[i - 1].owner && records[i].type == records[i - 1].type;
    if (same_rrset) records[i].ttl += dice_.below(100);
  }
}

// Records that nobody asked for (RFC 2181 section 5.4.1): of other names, and of other types.
void Internet::write_needless(const Question& question, const TrueAnswer& truth, Section section,
                              MessageWriter& writer) {
  const DnameBuf victim =
      dice_.percent(50) ? truth_.name(dice_.below(truth_.names())) : DnameBuf(question.qname);
  const auto in_chain = [&](const TrueRecord& rr) {
    return rr.owner == victim || std::ranges::equal(rr.rdata, victim.view().wire());
  };
  const bool believed = victim.view() == question.qname || std::ranges::any_of(truth.answer, in_chain);
  for (Type type : {Type::a, Type::aaaa, Type::txt}) {
    if (believed && type == question.qtype) continue;
    writer.rr(section, victim, type, Class::in, 300, forged_rdata(type));
  }
}

ConnectPlan Internet::on_connect(const Endpoint& to) {
  ++tally_.connections;
  ConnectPlan plan{.outcome = ConnectPlan::Outcome::accept, .delay = 2 * delay(), .pipe = {.server = to}};
  if (dead(to)) {
    plan.outcome = ConnectPlan::Outcome::hang;
  } else if (dice_.percent(faults_.bad_connection)) {
    plan.outcome = dice_.percent(70) ? ConnectPlan::Outcome::refuse : ConnectPlan::Outcome::hang;
  }
  if (dice_.percent(30)) plan.pipe.largest_read = dice_.between(1, 100);
  return plan;
}

void Internet::on_accepted(const Endpoint& at, std::unique_ptr<Stream> stream) {
  spawn(serve(at, std::move(stream)));
}

// One connection of the resolver's.
Task<void> Internet::serve(Endpoint at, std::unique_ptr<Stream> stream) {
  for (;;) {
    const auto query = co_await read_message(*stream, Instant::max());
    if (!query || query->empty()) co_return;
    check_query(at, *query);
    const auto view = MessageView::parse(*query);
    if (!view || !view->has_question()) co_return;
    const Question question = view->question();
    co_await sleep_until(stage_.timers, stage_.clock.now() + 2 * delay());
    const unsigned trouble = dice_.percent(faults_.bad_connection) ? 1 + dice_.below(5) : 0;
    if (dead(at) || trouble == 1) continue;
    if (trouble == 2) co_return;
    Flight reply{{}, at, answer(at, *query, 65'535)};
    if (trouble == 3) {
      reply.octets.resize(dice_.below(static_cast<uint32_t>(reply.octets.size())));
    } else if (trouble == 4) {
      spoil(reply);
    }
    if (trouble == 5) {
      reply.octets = forged_message(*view, question.qname, question.qtype);
      reply.octets[0] ^= 1;  // the id
    }
    const auto written = co_await write_message(*stream, reply.octets, stage_.clock.now() + 10s);
    if (!written) co_return;
  }
}

}  // namespace peregrine::sim
