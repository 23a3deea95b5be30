// Whether a Message and a MessageView of the same octets tell the same. For tests and fuzz targets alike.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "wire/message.h"
#include "wire/rdata.h"

namespace peregrine {

inline bool same_header(const Header& a, const Header& b) {
  constexpr std::array counts{Section::question, Section::answer, Section::authority, Section::additional};
  return a.id() == b.id() && a.flags() == b.flags() &&
         std::ranges::all_of(counts, [&](Section s) { return a.count(s) == b.count(s); });
}

inline bool same_question(const Message& message, const MessageView& view) {
  if (message.has_question() != view.has_question()) return false;
  if (message.question_end() != view.question_end()) return false;
  if (!view.has_question()) return true;
  const Question a = message.question(), b = view.question();
  return same_octets(a.qname, b.qname) && a.qtype == b.qtype && a.qclass == b.qclass;
}

inline bool same_edns(const std::optional<Edns>& a, const std::optional<Edns>& b) {
  if (a.has_value() != b.has_value()) return false;
  if (!a) return true;
  return a->version == b->version && a->extended_rcode == b->extended_rcode && a->dnssec_ok == b->dnssec_ok &&
         a->udp_size == b->udp_size && std::ranges::equal(a->options, b->options);
}

inline bool same_record(const Message::Record& record, const RrView& rr) {
  std::array<uint8_t, max_message_size + 2 * max_dname_size> buffer;
  if (!same_octets(record.owner, rr.owner.expand())) return false;
  if (record.type != rr.type || record.rclass != rr.rclass || record.ttl != rr.ttl) return false;
  const auto expanded = expand_rdata(rr, buffer);
  return record.well_formed == expanded.has_value() &&
         std::ranges::equal(record.rdata, expanded ? *expanded : rr.rdata);
}

inline bool same_section(const Message& message, const MessageView& view, Section section) {
  const auto& records = message.section(section);
  auto at = records.begin();
  for (const RrView rr : view.section(section)) {
    if (at == records.end() || !same_record(*at++, rr)) return false;
  }
  return at == records.end();
}

// What the two differ in, or nothing.
inline std::string_view difference(const Result<Message>& message, const Result<MessageView>& view) {
  if (message.has_value() != view.has_value()) return "verdict";
  if (!view) return message.error() == view.error() ? "" : "error";
  if (!same_header(message->header(), view->header())) return "header";
  if (!same_question(*message, *view)) return "question";
  if (!same_edns(message->edns(), view->edns())) return "EDNS";
  if (message->rcode() != view->rcode()) return "rcode";
  if (message->has_trailing_octets() != view->has_trailing_octets()) return "trailing octets";
  for (const Section s : {Section::answer, Section::authority, Section::additional}) {
    if (!same_section(*message, *view, s)) return "records";
  }
  return "";
}

}  // namespace peregrine
