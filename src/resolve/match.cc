#include "resolve/match.h"

#include <algorithm>

#include "wire/message_view.h"

namespace peregrine {
namespace {

bool parses(Bytes message) {
  auto view = MessageView::parse(message);
  return view && !view->has_trailing_octets();
}

}  // namespace

Result<Bytes> question_octets(Bytes query) {
  auto header = Header::read(query);
  if (!header || header->count(Section::question) != 1) return std::unexpected(Error::bad_message);
  auto qname = Dname::parse(query.subspan(header_size));
  if (!qname) return std::unexpected(Error::bad_message);
  size_t size = qname->size() + type_and_class_size;
  if (query.size() - header_size < size) return std::unexpected(Error::bad_message);
  return query.subspan(header_size, size);
}

Match match(Bytes received, Bytes query, bool exact_case) {
  auto header = Header::read(received);
  auto asked = question_octets(query);
  if (!header || !asked || !header->qr() || header->opcode() != Opcode::query) return Match::none;
  if (header->count(Section::question) == 0 && header->rcode_low() != 0)
    return parses(received) ? Match::no_question : Match::none;
  if (header->count(Section::question) != 1 || received.size() - header_size < asked->size())
    return Match::none;

  Bytes echoed = received.subspan(header_size, asked->size());
  size_t qname_size = asked->size() - type_and_class_size;
  if (!same_folded(echoed.first(qname_size), asked->first(qname_size))) return Match::none;
  if (!std::ranges::equal(echoed.subspan(qname_size), asked->subspan(qname_size))) return Match::none;
  if (exact_case && !std::ranges::equal(echoed, *asked)) return Match::other_case;
  return parses(received) ? Match::reply : Match::malformed;
}

}  // namespace peregrine
