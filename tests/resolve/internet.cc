#include "resolve/internet.h"

#include <stdexcept>

namespace peregrine {

void Internet::zone(std::string_view apex, const std::vector<std::string>& servers,
                    const std::vector<std::string>& lines) {
  auto made = std::make_shared<Zone>(name(apex));
  for (const std::string& line : lines) {
    if (!made->add_line(line)) throw std::invalid_argument(line);
  }
  for (const std::string& text : servers) {
    const Endpoint server = endpoint(text);
    std::erase_if(zones_[server], [&](const auto& old) { return old->apex() == made->apex(); });
    zones_[server].push_back(made);
    network_.serve(server, [this, server](const FakeQuery& query) {
      return std::vector<FakeReply>{{.message = answer(server, query.message)}};
    });
  }
}

Octets Internet::answer(const Endpoint& server, Bytes query) const {
  const MessageView asked = parsed(query);
  const Question question = asked.question();
  const Zone* best = nullptr;
  for (const auto& zone : zones_.at(server)) {
    if (!zone->holds(question.qname)) continue;
    if (!best || zone->apex().size() > best->apex().size()) best = zone.get();
  }
  Octets buffer(65535);
  MessageWriter writer(buffer);
  writer.id(asked.header().id());
  writer.qr(true);
  writer.question(question.qname, question.qtype, question.qclass);
  if (best)
    best->answer(question, asked.edns() && asked.edns()->dnssec_ok, writer);
  else
    writer.rcode(Rcode::refused);
  if (asked.edns()) writer.edns({.udp_size = 1232});
  const Bytes message = writer.message();
  return {message.begin(), message.end()};
}

std::vector<std::string> Internet::asked(std::string_view server) const {
  std::vector<std::string> questions;
  for (const FakeQuery& query : network_.queries()) {
    if (!server.empty() && query.server != endpoint(server)) continue;
    const Question question = parsed(query.message).question();
    DnameBuf folded(question.qname);
    folded.fold();
    questions.push_back(folded.to_string() + " " + to_string(question.qtype));
  }
  return questions;
}

}  // namespace peregrine
