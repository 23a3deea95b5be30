#include "sim/oracle.h"

#include <algorithm>

#include "server/cookies.h"
#include "sim/forger.h"

namespace peregrine::sim {
namespace {

using std::chrono::seconds;

size_t size_of(const ClientQuery& query, const TrueAnswer& truth) {
  std::vector<uint8_t> buffer(65'535);
  MessageWriter writer(buffer);
  writer.question(query.qname, query.qtype, Class::in);
  for (Section section : {Section::answer, Section::authority}) {
    for (const TrueRecord& rr : truth.section(section, query.dnssec_ok)) {
      writer.rr(section, rr.owner, rr.type, Class::in, rr.ttl, rr.rdata);
    }
  }
  if (query.edns) writer.edns({});
  const auto asked = MessageView::parse(query.octets);
  const bool cookie = asked && asked->edns() && asked->edns()->find(EdnsOption::cookie);
  return writer.size() + (cookie ? Cookie::option_size : 0);
}

bool is_empty(const MessageView& reply) {
  return reply.header().count(Section::answer) == 0 && reply.header().count(Section::authority) == 0 &&
         reply.header().count(Section::additional) == (reply.edns() ? 1 : 0);
}

}  // namespace

void Oracle::udp_size(uint16_t size) {
  udp_size_ = size;
  udp_sizes_.insert(size);
}

size_t Oracle::limit(const ClientQuery& query, bool over_udp) const {
  if (!over_udp) return 65'535;
  if (!query.edns || !query.keeps_opt) return 512;
  return std::clamp<size_t>(query.udp_size, 512, udp_size_);
}

void Oracle::judge(const ClientQuery& query, Bytes octets, const Terms& terms) {
  const auto complain = [&](const std::string& what) {
    stage_.found(what + "; asked: " + summary(query.octets) + "; replied: " + summary(octets));
  };
  if (query.expect == Expect::silence) return complain("replied to what must not be replied to");
  if (carries_forged_data(octets)) return complain("served a forged record");
  const auto reply = MessageView::parse(octets);
  if (!reply) return complain("the reply cannot be parsed");
  std::string wrong = judge_form(query, *reply, terms.most_limit);
  if (wrong.empty()) wrong = judge_opt(query, *reply);
  if (wrong.empty()) wrong = judge_answer(query, *reply, terms);
  if (!wrong.empty()) complain(wrong);
}

std::string Oracle::judge_form(const ClientQuery& query, const MessageView& reply, size_t limit) const {
  const Header& header = reply.header();
  const Header asked = Header::read(query.octets).value();
  if (reply.bytes().size() > limit) return "longer than " + std::to_string(limit) + " octets";
  if (reply.has_trailing_octets()) return "octets behind the end";
  if (header.id() != asked.id()) return "another id";
  if (!header.qr() || !header.ra()) return "QR or RA is clear";
  if (header.opcode() != asked.opcode()) return "another opcode";
  if (header.rd() != asked.rd() || header.cd() != asked.cd()) return "RD or CD was not copied";
  if (header.ad()) return "AD is set, and nobody validated";
  if (header.aa() && query.expect != Expect::local) return "AA is set, and we are authoritative for nothing";
  if (!query.keeps_question) return reply.has_question() ? "a question out of nowhere" : "";
  if (!reply.has_question()) return "no question";
  const size_t end = header_size + query.qname.view().size() + 4;
  const bool same = std::ranges::equal(reply.bytes().subspan(header_size, end - header_size),
                                       Bytes(query.octets).subspan(header_size, end - header_size));
  return same && reply.question_end() == end ? "" : "another question";
}

std::string Oracle::judge_opt(const ClientQuery& query, const MessageView& reply) const {
  const bool wanted = query.edns && query.keeps_opt;
  if (reply.edns().has_value() != wanted) return wanted ? "no OPT" : "an OPT for who sent none";
  if (!wanted) return {};
  if (reply.edns()->version != 0) return "another version of EDNS";
  if (reply.edns()->dnssec_ok != query.dnssec_ok) return "DO was not copied";
  return udp_sizes_.contains(reply.edns()->udp_size) ? "" : "offers another size";
}

std::string Oracle::judge_answer(const ClientQuery& query, const MessageView& reply, const Terms& terms) {
  const Rcode rcode = reply.rcode();
  if (query.expect == Expect::rcode) {
    ++tally_.rejected;
    return rcode == query.rcode && is_empty(reply) && !reply.header().tc() ? ""
                                                                           : "not " + to_string(query.rcode);
  }
  if (query.expect == Expect::local) {
    ++tally_.local;
    return rcode == query.rcode && !is_empty(reply) ? "" : "not " + to_string(query.rcode) + " with records";
  }
  if (reply.header().tc()) {
    ++tally_.cut_short;
    if (!is_empty(reply)) return "TC with records";
    return may_be_cut_short(query, terms.least_limit) ? "" : "TC for an answer that fits";
  }
  if (rcode == Rcode::servfail) {
    ++tally_.failures;
    return may_fail(query) && is_empty(reply) ? "" : "SERVFAIL though nothing is wrong";
  }
  if (rcode == Rcode::refused) {
    ++tally_.refused;
    return !query.rd && is_empty(reply) ? "" : "REFUSED to who asked for recursion";
  }
  return judge_data(query, reply, terms.delivery);
}

bool Oracle::may_fail(const ClientQuery& query) const {
  if (rules_.failure_allowed) return true;
  const Instant now = stage_.clock.now();
  const auto moments = Truth::moments(now - std::min(now.time_since_epoch(), rules_.longest_flight), now);
  return !query.cd && std::ranges::any_of(moments, [&](Instant when) {
    return truth_.at(query.qname, query.qtype, when).bogus;
  });
}

// Without DO there are none; a server that knows no EDNS sends none.
bool Oracle::says_with_signatures(const ClientQuery& query, const MessageView& reply,
                                  const TrueAnswer& truth) const {
  if (query.dnssec_ok && says(reply, truth, true)) return true;
  return (!query.dnssec_ok || !rules_.always_signed) && says(reply, truth, false);
}

bool Oracle::may_be_cut_short(const ClientQuery& query, size_t limit) const {
  const Instant now = stage_.clock.now();
  const Instant from = now - std::min<Duration>(now.time_since_epoch(), seconds(60));
  return std::ranges::any_of(Truth::moments(from, now), [&](Instant when) {
    return size_of(query, truth_.at(query.qname, query.qtype, when)) > limit;
  });
}

// How long the cache keeps that answer (RFC 2308 section 5).
uint32_t Oracle::kept_for(const TrueAnswer& truth) const {
  uint32_t least = std::numeric_limits<uint32_t>::max();
  for (const TrueRecord& rr : truth.answer) least = std::min(least, rr.ttl);
  if (truth.soa) least = std::min(least, truth_.negative_ttl());
  auto kept = std::max<seconds>(seconds(least), rules_.ttl.floor);
  if (truth.soa) kept = std::min(kept, rules_.ttl.negative_cap);
  return static_cast<uint32_t>(std::min(kept, rules_.ttl.cap).count());
}

// The TTLs say how long ago the answer was fetched: it must have been true then.
std::string Oracle::judge_data(const ClientQuery& query, const MessageView& reply, Duration delivery) {
  const Instant now = stage_.clock.now();
  // No TTL is longer than 300 s, but one lasts longer where the wall clock was set back.
  const Duration oldest =
      wall_stepped_ ? Duration(seconds(3600)) : seconds(301) + rules_.longest_flight + delivery;
  std::vector<Instant> moments =
      Truth::moments(now - std::min<Duration>(now.time_since_epoch(), oldest), now);
  std::ranges::sort(moments, std::greater<>());
  std::string wrong = "not true, nor was it";
  Instant until = now;
  for (Instant since : moments) {
    const TrueAnswer truth = truth_.at(query.qname, query.qtype, since);
    if ((!truth.bogus || query.cd) && says_with_signatures(query, reply, truth)) {
      wrong = judge_lifetime(reply, truth, {since, until, delivery});
      if (wrong.empty()) {
        ++(truth.soa ? tally_.negative : tally_.true_answers);
        return {};
      }
    }
    until = since;
  }
  return wrong;
}

std::string Oracle::judge_lifetime(const MessageView& reply, const TrueAnswer& truth, Span true_in) const {
  const uint32_t kept = kept_for(truth);
  std::optional<uint32_t> left;
  for (Section section : {Section::answer, Section::authority}) {
    for (RrView rr : reply.section(section)) {
      if (rr.ttl > kept)
        return "a TTL of " + std::to_string(rr.ttl) + " where it began with " + std::to_string(kept);
      if (left.value_or(rr.ttl) != rr.ttl) return "TTLs that differ";
      left = rr.ttl;
    }
  }
  if (wall_stepped_ || !left) return {};
  const Instant fetched = stage_.clock.now() - seconds(kept - *left);  // give or take the wall clock's second
  const Instant earliest = fetched - seconds(1) - rules_.longest_flight - true_in.delivery;
  const bool plausible = true_in.until >= earliest && true_in.since <= fetched + seconds(1);
  return plausible ? "" : "not of the time that its TTLs tell";
}

}  // namespace peregrine::sim
