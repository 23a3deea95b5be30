#include "load/check.h"

#include <algorithm>

namespace peregrine {
namespace {

bool holds_address(const MessageView& view, uint32_t address) {
  for (const RrView rr : view.section(Section::answer)) {
    if (rr.type == Type::a && rr.rdata.size() == 4 && load_u32(rr.rdata.data()) == address) return true;
  }
  return false;
}

bool same_question(Bytes reply, Bytes query) {
  return load_u16(&reply[4]) == 1 &&
         std::ranges::equal(reply.subspan(header_size), query.subspan(header_size));
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::right:
      return "right";
    case Verdict::malformed:
      return "malformed";
    case Verdict::question:
      return "question";
    case Verdict::truncated:
      return "truncated";
    case Verdict::rcode:
      return "rcode";
    case Verdict::empty:
      return "empty";
    case Verdict::rdata:
      return "rdata";
  }
  return "unknown";
}

bool Expectation::is_expected(const MessageView& reply, const EncodedQuery& query, uint32_t index) const {
  switch (kind_) {
    case Kind::name:
      return holds_address(reply, peregrine::address_of_name(query.qname()));
    case Kind::index:
      return holds_address(reply, uint32_t{10} << 24 | (index & 0xff'ffff));
    case Kind::address:
      return holds_address(reply, address_);
    case Kind::question:
    case Kind::answer:
      break;
  }
  return true;
}

Verdict Expectation::judge(Bytes reply, const EncodedQuery& query, uint32_t index) const {
  const auto header = Header::read(reply);
  if (!header || !header->qr()) return Verdict::malformed;
  if (reply.size() < query.question_end) return Verdict::question;
  if (!same_question(reply.first(query.question_end), query.message.first(query.question_end))) {
    return Verdict::question;
  }
  if (kind_ == Kind::question) return Verdict::right;
  const auto view = MessageView::parse(reply);
  if (!view || view->has_trailing_octets()) return Verdict::malformed;
  if (header->tc()) return Verdict::truncated;
  const bool denied = is_denied(query.qname());
  if (view->rcode() != (denied ? Rcode::nxdomain : Rcode::noerror)) return Verdict::rcode;
  const unsigned answers = header->count(Section::answer);
  if (denied) return answers == 0 ? Verdict::right : Verdict::rdata;
  if (answers == 0) return Verdict::empty;
  return is_expected(*view, query, index) ? Verdict::right : Verdict::rdata;
}

}  // namespace peregrine
