#include "lab/authority.h"

#include <algorithm>
#include <array>

#include "wire/message_writer.h"

namespace peregrine {
namespace {

constexpr uint16_t most_udp = 1232;
constexpr uint32_t ttl_of_lies = 86'400;

DnameBuf name(std::string_view text) { return *DnameBuf::from_text(text); }

void begin(MessageWriter& writer, const MessageView& query) {
  writer.id(query.header().id());
  writer.qr(true);
  writer.opcode(query.header().opcode());
  writer.rd(query.header().rd());
  if (query.has_question()) {
    const Question question = query.question();
    writer.question(question.qname, question.qtype, question.qclass);
  }
}

void put_opt(MessageWriter& writer, const MessageView& query) {
  if (!query.edns()) return;
  writer.reserve(0);
  writer.edns({.udp_size = most_udp, .dnssec_ok = query.edns()->dnssec_ok});
}

size_t size_limit(const MessageView& query, Transport transport) {
  if (transport == Transport::tcp) return max_message_size;
  return std::min(query.edns() ? query.edns()->udp_size : classic_udp_size, most_udp);
}

size_t refuse(const MessageView& query, Rcode rcode, MutableBytes out) {
  MessageWriter writer(out);
  begin(writer, query);
  writer.rcode(rcode);
  if (rcode != Rcode::formerr) put_opt(writer, query);
  return writer.size();
}

size_t truncated(const MessageView& query, MutableBytes out) {
  MessageWriter writer(out);
  begin(writer, query);
  writer.aa(true);
  writer.tc(true);
  put_opt(writer, query);
  return writer.size();
}

// A referral to where the asker has come from.
size_t refer_up(const MessageView& query, MutableBytes out) {
  MessageWriter writer(out);
  begin(writer, query);
  writer.rr(Section::authority, Dname(), Type::ns, Class::in, ttl_of_lies, name("a.root.").view().wire());
  put_opt(writer, query);
  return writer.size();
}

void tell_lies(MessageWriter& writer, Section section) {
  const auto address = IpAddress::parse(lie);
  if (section == Section::authority) {
    writer.rr(section, name("example."), Type::ns, Class::in, ttl_of_lies,
              name("ns.liar.example.").view().wire());
    writer.rr(section, name("lab."), Type::ns, Class::in, ttl_of_lies,
              name("www.plain.example.").view().wire());
    return;
  }
  for (const char* owner : {"www.plain.example.", "a.root.", "ns1.example."})
    writer.rr(section, name(owner), Type::a, Class::in, ttl_of_lies, address->octets());
}

bool needs_spoiling(const Conduct& conduct) {
  return conduct.no_aa || conduct.lies || conduct.folds_case || conduct.denies_ents || conduct.no_soa ||
         conduct.ignores_edns;
}

void fold_question(MutableBytes reply, const MessageView& query) {
  if (!query.has_question()) return;
  for (uint8_t& octet : reply.subspan(header_size, query.question().qname.size())) octet = fold_octet(octet);
}

}  // namespace

Authority::Authority(InternetPlan plan) : plan_(std::move(plan)), served_(plan_.servers.size()) {
  zones_.reserve(plan_.zones.size());
  for (const PlannedZone& zone : plan_.zones) zones_.push_back(zone.build());
  for (size_t number = 0; number < plan_.servers.size(); ++number) {
    for (const size_t zone : plan_.servers[number].zones)
      served_[number].emplace(DnameBuf(zones_.at(zone).apex()), &zones_.at(zone));
  }
}

// The deepest one; of a delegation's DS records the parent, if it is here (RFC 4035 section 3.1.4.1).
const Zone* Authority::zone_for(const Served& served, const Question& question) const {
  const Zone* at_apex = nullptr;
  const unsigned labels = question.qname.label_count();
  for (unsigned left = labels + 1; left-- > 0;) {
    const auto found = served.find(DnameBuf(question.qname.suffix(left)));
    if (found == served.end()) continue;
    if (question.qtype != Type::ds || left != labels) return found->second;
    at_apex = found->second;
  }
  return at_apex;
}

size_t Authority::write(size_t server, const MessageView& query, Transport transport,
                        MutableBytes out) const {
  const Question question = query.question();
  const Zone* zone = zone_for(served_[server], question);
  if (!zone || question.qclass != Class::in) return refuse(query, Rcode::refused, out);
  if (plan_.servers[server].conduct.truncates && transport == Transport::udp) return truncated(query, out);
  MessageWriter writer(out.first(std::min(out.size(), size_limit(query, transport))));
  begin(writer, query);
  if (query.edns()) writer.reserve(bare_opt_size);
  const bool dnssec_ok = query.edns() && query.edns()->dnssec_ok;
  if (zone->answer(question, dnssec_ok, writer) == Zone::Outcome::overflow) return truncated(query, out);
  put_opt(writer, query);
  return writer.size();
}

bool Authority::is_empty_non_terminal(size_t server, const Question& question) const {
  const Zone* zone = zone_for(served_[server], question);
  if (!zone || question.qname == zone->apex()) return false;
  std::array<uint8_t, 4096> buffer;
  MessageWriter writer(buffer);
  const Question any{question.qname, Type::any, question.qclass};
  writer.question(any.qname, any.qtype, any.qclass);
  if (zone->answer(any, false, writer) == Zone::Outcome::overflow) return false;
  const auto view = MessageView::parse(writer.message());
  return view && view->rcode() == Rcode::noerror && view->header().aa() &&
         view->header().count(Section::answer) == 0;
}

// The reply over again, with what the conduct adds, changes and leaves out.
size_t Authority::spoil(size_t server, const MessageView& query, Bytes reply, MutableBytes room) const {
  const Conduct& conduct = plan_.servers[server].conduct;
  const auto view = MessageView::parse(reply);
  if (!view) return 0;
  MessageWriter writer(room);
  begin(writer, query);
  writer.aa(view->header().aa() && !conduct.no_aa);
  writer.tc(view->header().tc());
  const bool denies = view->rcode() == Rcode::noerror && view->header().count(Section::answer) == 0;
  const bool ent = conduct.denies_ents && denies && is_empty_non_terminal(server, query.question());
  writer.rcode(ent ? Rcode::nxdomain : view->rcode());
  for (const Section section : {Section::answer, Section::authority, Section::additional}) {
    for (const RrView rr : view->section(section)) {
      if (rr.type == Type::opt || (conduct.no_soa && rr.type == Type::soa && section == Section::authority))
        continue;
      writer.copy(section, rr);
    }
    if (conduct.lies && !view->header().tc()) tell_lies(writer, section);
  }
  if (!conduct.ignores_edns) put_opt(writer, query);
  return writer.size();
}

size_t Authority::reply(size_t server, Bytes octets, Transport transport, MutableBytes out) const {
  const auto query = MessageView::parse(octets);
  if (!query || query->header().qr()) return 0;
  const Conduct& conduct = plan_.servers[server].conduct;
  const bool edns = query->edns().has_value();
  if (conduct.silent || (conduct.drops_edns && edns)) return 0;
  if (conduct.formerr_edns && edns) return refuse(*query, Rcode::formerr, out);
  if (query->header().opcode() != Opcode::query) return refuse(*query, Rcode::notimp, out);
  if (!query->has_question()) return refuse(*query, Rcode::formerr, out);
  if (edns && query->edns()->version != 0) return refuse(*query, Rcode::badvers, out);
  if (conduct.refuses) return refuse(*query, Rcode::refused, out);
  if (conduct.fails) return refuse(*query, Rcode::servfail, out);
  if (conduct.refers_up) return refer_up(*query, out);

  size_t size = write(server, *query, transport, out);
  if (needs_spoiling(conduct)) {
    const std::vector<uint8_t> good(out.begin(), out.begin() + static_cast<ptrdiff_t>(size));
    size = spoil(server, *query, good, out.first(std::min(out.size(), size_limit(*query, transport))));
  }
  if (conduct.folds_case) fold_question(out.first(size), *query);
  return size;
}

}  // namespace peregrine
