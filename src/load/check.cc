#include "load/check.h"

#include <algorithm>

namespace peregrine {
namespace {

template <class AddressOf>
std::vector<uint32_t> addresses(const QueryList& queries, AddressOf address_of) {
  std::vector<uint32_t> all;
  all.reserve(queries.size());
  for (size_t i = 0; i < queries.size(); ++i) all.push_back(address_of(i));
  return all;
}

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

Expectation Expectation::address_of_name(const QueryList& queries) {
  return {Kind::address,
          addresses(queries, [&](size_t i) { return peregrine::address_of_name(queries.qname(i)); })};
}

Expectation Expectation::address_of_index(const QueryList& queries) {
  return {Kind::address, addresses(queries, [](size_t i) {
            return uint32_t{10} << 24 | (static_cast<uint32_t>(i) & 0xff'ffff);
          })};
}

Expectation Expectation::address(const QueryList& queries, uint32_t address) {
  return {Kind::address, addresses(queries, [&](size_t) { return address; })};
}

Verdict Expectation::judge(Bytes reply, const QueryList& queries, uint32_t index) const {
  const size_t question_end = queries.question_end(index);
  const auto header = Header::read(reply);
  if (!header || !header->qr()) return Verdict::malformed;
  if (reply.size() < question_end) return Verdict::question;
  if (!same_question(reply.first(question_end), queries.message(index).first(question_end))) {
    return Verdict::question;
  }
  if (kind_ == Kind::question) return Verdict::right;
  const auto view = MessageView::parse(reply);
  if (!view || view->has_trailing_octets()) return Verdict::malformed;
  if (header->tc()) return Verdict::truncated;
  if (view->rcode() != Rcode::noerror) return Verdict::rcode;
  if (header->count(Section::answer) == 0) return Verdict::empty;
  if (kind_ == Kind::address && !holds_address(*view, addresses_[index])) return Verdict::rdata;
  return Verdict::right;
}

}  // namespace peregrine
