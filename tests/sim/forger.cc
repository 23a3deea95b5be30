#include "sim/forger.h"

#include <algorithm>

namespace peregrine::sim {
namespace {

constexpr uint32_t forged_ttl = 86'400;  // it is meant to stay

bool flip_a_letter(MutableBytes qname, Dice& dice) {
  std::vector<size_t> letters;
  for (size_t i = 0; i < qname.size(); ++i) {
    if (static_cast<uint8_t>((qname[i] | 0x20) - 'a') < 26) letters.push_back(i);
  }
  if (letters.empty()) return false;
  qname[dice.pick(std::span<const size_t>(letters))] ^= 0x20;
  return true;
}

}  // namespace

std::vector<uint8_t> forged_rdata(Type type) {
  std::vector<uint8_t> name{16};
  name.insert(name.end(), forged_v6.begin(), forged_v6.end());
  if (type == Type::a) return {forged_v4.begin(), forged_v4.end()};
  if (type == Type::aaaa) return {forged_v6.begin(), forged_v6.end()};
  if (type == Type::txt) return name;
  name.push_back(0);
  if (type == Type::mx) name.insert(name.begin(), {0, 10});
  return name;
}

bool carries_forged_data(Bytes message) {
  const Bytes behind_header = message.subspan(std::min(message.size(), header_size));
  return !std::ranges::search(behind_header, forged_v4).empty() ||
         !std::ranges::search(behind_header, forged_v6).empty();
}

std::vector<uint8_t> forged_message(const MessageView& query, Dname qname, Type qtype) {
  std::array<uint8_t, 1232> buffer;
  MessageWriter writer(buffer);
  writer.id(query.header().id());
  writer.qr(true);
  writer.rd(true);
  writer.ra(true);
  writer.question(qname, qtype, Class::in);
  writer.rr(Section::answer, qname, qtype, Class::in, forged_ttl, forged_rdata(qtype));
  const Bytes message = writer.message();
  return {message.begin(), message.end()};
}

uint16_t Forger::wrong_id(PortId port) {
  for (;;) {
    const uint16_t id = dice_.u16();
    if (!used_.contains({port, id})) return id;
  }
}

Flight Forger::forge(PortId port, const Endpoint& server, Bytes query) {
  const auto view = MessageView::parse(query);
  Flight forged{port, server, {}};
  if (!view || !view->has_question()) return forged;
  used_.emplace(port, view->header().id());
  const Question question = view->question();
  auto flaw = Flaw(dice_.below(static_cast<uint32_t>(Flaw::none)));
  if (flaw == Flaw::letter_case && !powers_.case_matters) flaw = Flaw::id;
  if (powers_.guesses_all) flaw = Flaw::none;

  DnameBuf qname(question.qname);
  if (flaw == Flaw::qname) qname = question.qname.parent();
  const auto qtype = flaw == Flaw::qtype ? Type(static_cast<uint16_t>(question.qtype) + 1) : question.qtype;
  forged.octets = forged_message(*view, qname, qtype);
  spoil(forged, flaw);
  return forged;
}

void Forger::spoil(Flight& forged, Flaw flaw) {
  uint8_t* const octets = forged.octets.data();
  switch (flaw) {
    case Flaw::port:
      forged.port.number = static_cast<uint16_t>(1024 + dice_.below(65536 - 1024));
      return used_.contains({forged.port, load_u16(octets)}) ? store_u16(octets, wrong_id(forged.port))
                                                             : void();
    case Flaw::letter_case:
      if (flip_a_letter(
              MutableBytes(forged.octets)
                  .subspan(header_size, Dname::parse(Bytes(forged.octets).subspan(header_size))->size()),
              dice_))
        return;
      [[fallthrough]];
    case Flaw::id:
      return store_u16(octets, wrong_id(forged.port));
    case Flaw::address:
      forged.from.address = forged.from.address.family() == Family::v4 ? IpAddress::v4({203, 0, 113, 66})
                                                                       : IpAddress::v6(forged_v6);
      return;
    case Flaw::server_port:
      forged.from.port = static_cast<uint16_t>(forged.from.port + 1 + dice_.below(1000));
      return;
    case Flaw::no_question:
      forged.octets.resize(header_size);
      octets[3] = 0x82;
      return std::fill(octets + 4, octets + header_size, uint8_t{0});
    case Flaw::not_a_reply:
      octets[2] &= 0x7f;
      return;
    case Flaw::qname:
    case Flaw::qtype:
    case Flaw::none:
      return;
  }
}

}  // namespace peregrine::sim
