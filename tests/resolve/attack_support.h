// Servers that say what a test has them say.
#pragma once

#include <functional>
#include <map>

#include "resolve/recursor_support.h"

namespace peregrine {

struct Said {
  std::vector<std::string> answer = {}, authority = {}, additional = {};
  bool aa = true;
  Rcode rcode = Rcode::noerror;
};

// Each text is read once.
inline const Record& record(const std::string& text) {
  static std::map<std::string, Record> known;
  return known.try_emplace(text, text).first->second;
}

inline Octets say(Bytes query, const Said& said) {
  const MessageView asked = parsed(query);
  Octets buffer(65535);
  MessageWriter writer(buffer);
  writer.id(asked.header().id());
  writer.qr(true);
  writer.aa(said.aa);
  writer.rcode(said.rcode);
  writer.question(asked.question().qname, asked.question().qtype, asked.question().qclass);
  const auto add = [&](Section section, const std::vector<std::string>& records) {
    for (const std::string& text : records) {
      const Record& made = record(text);
      if (!writer.rr(section, made.owner, made.type, Class::in, made.ttl, made.rdata))
        throw std::invalid_argument(text);
    }
  };
  add(Section::answer, said.answer);
  add(Section::authority, said.authority);
  add(Section::additional, said.additional);
  if (asked.edns()) writer.edns({.udp_size = 1232, .dnssec_ok = true, .options = {}});
  buffer.resize(writer.size());
  return buffer;
}

// By the qname in small letters.
using Says = std::function<Said(const std::string& qname, Type qtype)>;

inline FakeServer saying(Says says) {
  return [says = std::move(says)](const FakeQuery& query) {
    const Question question = parsed(query.message).question();
    DnameBuf qname(question.qname);
    qname.fold();
    return std::vector<FakeReply>{{.message = say(query.message, says(qname.to_string(), question.qtype))}};
  };
}

}  // namespace peregrine
