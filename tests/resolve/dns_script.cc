#include "resolve/dns_script.h"

#include <array>
#include <sstream>
#include <stdexcept>

#include "wire/rdata.h"

namespace peregrine {
namespace {

// The fixed part names the covered type; the signer is the root, the signature one octet.
Octets signature_over(Type covered) {
  Octets rdata(20);
  store_u16(rdata.data(), static_cast<uint16_t>(covered));
  return rdata;
}

Type type_of(std::string_view text) {
  auto type = parse_type(text);
  if (!type) throw std::invalid_argument(std::string(text));
  return *type;
}

}  // namespace

Record::Record(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string owner_text, type_text, rdata_text;
  in >> owner_text >> ttl >> type_text;
  std::getline(in >> std::ws, rdata_text);
  owner = name(owner_text);
  if (type_text.starts_with("RRSIG(")) {
    type = Type::rrsig;
    rdata = signature_over(type_of(type_text.substr(6, type_text.size() - 7)));
    return;
  }
  type = type_of(type_text);
  std::array<uint8_t, 4096> buffer;
  auto octets = rdata_from_text(type, rdata_text, Dname(), buffer);
  if (!octets) throw std::invalid_argument(std::string(text));
  rdata.assign(octets->begin(), octets->end());
}

Octets reply_to(Bytes query, const ReplyScript& script) {
  MessageView asked = parsed(query);
  Octets buffer(65535);
  MessageWriter writer(buffer);
  writer.id(asked.header().id());
  writer.qr(true);
  writer.rd(asked.header().rd());
  writer.ra(true);
  writer.tc(script.truncated);
  writer.ad(script.authentic);
  if (script.question)
    writer.question(asked.question().qname, asked.question().qtype, asked.question().qclass);
  auto add = [&](Section section, const std::vector<std::string>& records) {
    for (const std::string& text : records) {
      Record record(text);
      if (!writer.rr(section, record.owner, record.type, Class::in, record.ttl, record.rdata))
        throw std::invalid_argument(text);
    }
  };
  add(Section::answer, script.answer);
  add(Section::authority, script.authority);
  add(Section::additional, script.additional);
  writer.rcode(script.rcode);
  if (script.edns && asked.edns()) {
    std::array<uint8_t, 64> octets;
    ByteWriter options(octets);
    if (script.ede) put_extended_error(options, *script.ede, "why");
    writer.edns({.options = options.written()});
  }
  buffer.resize(writer.size());
  return buffer;
}

Buffer query_for(std::string_view qname, Type qtype) {
  Octets buffer(512);
  MessageWriter writer(buffer);
  writer.rd(true);
  writer.question(name(qname), qtype, Class::in);
  writer.edns({});
  buffer.resize(writer.size());
  return {buffer.begin(), buffer.end()};
}

FakeServer always(ReplyScript script, Duration delay) {
  return [script = std::move(script), delay](const FakeQuery& query) {
    return std::vector<FakeReply>{{.message = reply_to(query.message, script), .delay = delay}};
  };
}

FakeServer answering(std::string record, Duration delay) {
  return always({.answer = {std::move(record)}}, delay);
}

FakeServer by_transport(FakeServer udp, FakeServer tcp) {
  return [udp = std::move(udp), tcp = std::move(tcp)](const FakeQuery& query) {
    return query.transport == Transport::udp ? udp(query) : tcp(query);
  };
}

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text, 53).value(); }

MessageView parsed(Bytes message) { return MessageView::parse(message).value(); }

std::vector<std::string> answer_of(Bytes message) { return records(parsed(message), Section::answer); }

}  // namespace peregrine
