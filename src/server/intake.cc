#include "server/intake.h"

#include <algorithm>

#include "wire/message.h"

namespace peregrine {
namespace {

constexpr uint16_t stream_limit = 65'535;

IntakeResult reject(Rcode rcode, std::optional<Ede> ede = {}, std::string_view text = {}) {
  return {Intake::reject, {rcode, ede, text}};
}

uint16_t reply_limit(const std::optional<Edns>& edns, Transport transport, uint16_t largest) {
  if (transport != Transport::udp) return stream_limit;
  if (!edns) return classic_udp_size;
  return std::max(std::min(edns->udp_size, largest), classic_udp_size);
}

// False where the cookie is malformed, which is FORMERR (RFC 7873 section 5.2.2).
bool take_edns(const std::optional<Edns>& edns, Transport transport, uint16_t largest, QueryFields& fields) {
  fields.has_edns = edns.has_value();
  fields.dnssec_ok = edns && edns->dnssec_ok;
  fields.limit = reply_limit(edns, transport, largest);
  const auto cookie = edns ? edns->find(EdnsOption::cookie) : std::nullopt;
  return !cookie || fields.cookie.read(*cookie);
}

// More records than any query has, told from the header alone, so that stuffed ones cost nothing: RFC 9619
// for the question; a transfer's SOA (RFC 1995) in the authority section; an OPT and a signature behind it.
bool is_stuffed(const Header& header) {
  return header.count(Section::question) > 1 || header.count(Section::answer) != 0 ||
         header.count(Section::authority) > 1 || header.count(Section::additional) > 2;
}

// A question that is well formed: may its class and type be looked up?
IntakeResult judge_question(const Question& question) {
  if (question.qclass != Class::in) {
    // CHAOS names (version.bind, id.server) tell strangers what to attack: RFC 4892 leaves them to the
    // operator.
    return reject(Rcode::refused, Ede::not_supported, "class is not IN");
  }
  constexpr Type reserved{0};  // RFC 6895 section 3.1
  constexpr Type nxname{128};  // says what an NSEC does not have; no type to ask for (RFC 9824 section 3.5)
  if (question.qtype == reserved || question.qtype == nxname) {
    return reject(Rcode::formerr, Ede::invalid_query_type, "a pseudo-type cannot be asked for");
  }
  switch (question.qtype) {
    case Type::any:
      return {Intake::minimal_any};
    case Type::axfr:
    case Type::ixfr:
    case Type::maila:
    case Type::mailb:
      return reject(Rcode::notimp, Ede::not_supported, "no zone transfers, no mail meta types");
    case Type::opt:
    case Type::tsig:
    case Type::tkey:
      return reject(Rcode::formerr, Ede::invalid_query_type, "a pseudo-type cannot be asked for");
    default:
      return {Intake::look_up};
  }
}

// `Parsed`: MessageView or Message, which tell the same.
template <class Parsed>
IntakeResult take_in_as(Bytes message, Transport transport, uint16_t largest, Query& query) {
  auto header = Header::read(message);
  if (!header || header->qr()) return {Intake::drop};

  QueryFields& fields = query.fields;
  query.id = header->id();
  fields.flags = header->flags();
  const bool stuffed = is_stuffed(*header);
  const Result<Parsed> view = stuffed ? std::unexpected(Error::limit) : Parsed::parse(message);
  const bool cookie_sound = !view || take_edns(view->edns(), transport, largest, fields);
  // RFC 8906 section 3.1.4: an unknown opcode gets NOTIMP, whatever the rest looks like.
  if (header->opcode() != Opcode::query) return reject(Rcode::notimp);
  if (!view) return reject(Rcode::formerr);
  const std::optional<Edns> edns = view->edns();
  const bool other_version = edns && edns->version != 0;  // RFC 6891 section 6.1.3
  if (!view->has_question()) {
    if (other_version) return reject(Rcode::badvers);
    // RFC 7873 section 5.4: to fetch a server cookie.
    return reject(fields.cookie && cookie_sound ? Rcode::noerror : Rcode::formerr);
  }
  const Question question = view->question();
  query.question = {Dname::from_checked(message.subspan(header_size, question.qname.size())), question.qtype,
                    question.qclass};
  fields.question_end = static_cast<uint16_t>(view->question_end());

  if (!cookie_sound) return reject(Rcode::formerr);
  if (other_version) return reject(Rcode::badvers);
  if (view->has_trailing_octets()) return reject(Rcode::formerr);
  const bool transfer = query.question.qtype == Type::ixfr;
  if (header->count(Section::authority) != 0 && !transfer) return reject(Rcode::formerr);
  return judge_question(query.question);
}

}  // namespace

IntakeResult take_in(Bytes message, Transport transport, uint16_t largest, Query& query) {
  return take_in_as<MessageView>(message, transport, largest, query);
}

IntakeResult take_in_owning(Bytes message, Transport transport, uint16_t largest, Query& query) {
  return take_in_as<Message>(message, transport, largest, query);
}

}  // namespace peregrine
