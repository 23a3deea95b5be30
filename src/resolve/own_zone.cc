#include "resolve/own_zone.h"

#include <algorithm>

namespace peregrine {
namespace {

template <size_t Size>
std::array<uint8_t, Size> octets_of(const Rdata& rdata) {
  std::array<uint8_t, Size> octets{};
  std::ranges::copy_n(rdata.begin(), static_cast<ptrdiff_t>(std::min(Size, rdata.size())), octets.begin());
  return octets;
}

std::vector<IpAddress> addresses_in(const Zone& zone, Dname server) {
  std::vector<IpAddress> addresses;
  for (const Rdata& rdata : zone.records(server, Type::a))
    addresses.push_back(IpAddress::v4(octets_of<4>(rdata)));
  for (const Rdata& rdata : zone.records(server, Type::aaaa))
    addresses.push_back(IpAddress::v6(octets_of<16>(rdata)));
  return addresses;
}

}  // namespace

Delegation delegation_in(const Zone& zone, Dname cut) {
  Delegation made{.zone = DnameBuf(cut), .servers = {}};
  for (const Rdata& rdata : zone.records(cut, Type::ns)) {
    const auto server = target_in(rdata);
    if (server) made.servers.push_back({.name = DnameBuf(*server), .addresses = addresses_in(zone, *server)});
  }
  return made;
}

Result<Reading> read_own_zone(const Zone& zone, Dname name, Type type, MutableBytes scratch) {
  const Question question{name, type, Class::in};
  MessageWriter writer(scratch);
  writer.qr(true);
  if (!writer.question(name, type, Class::in)) return std::unexpected(Error::no_space);
  if (zone.answer(question, true, writer) == Zone::Outcome::overflow) return std::unexpected(Error::no_space);
  const auto message = MessageView::parse(writer.message());
  if (!message) return std::unexpected(message.error());
  auto reading = read_reply(*message, question, zone.apex());
  if (reading && reading->kind == Reading::Kind::referral)
    reading->delegation = delegation_in(zone, reading->cut);
  return reading;
}

}  // namespace peregrine
