#include "sim/queries.h"

#include <algorithm>
#include <array>

namespace peregrine::sim {
namespace {

constexpr std::array asked_types = {Type::a, Type::aaaa, Type::txt, Type::mx, Type::cname, Type(4711)};

void set_u16(ClientQuery& query, size_t at, uint16_t value) { store_u16(&query.octets[at], value); }

constexpr size_t qdcount_at = 4, ancount_at = 6;

void expect(ClientQuery& query, Rcode rcode) {
  query.expect = Expect::rcode;
  query.rcode = rcode;
}

void expect_bare(ClientQuery& query, Rcode rcode) {
  expect(query, rcode);
  query.keeps_question = query.keeps_opt = false;
}

}  // namespace

std::span<const Type> QueryMaker::types() { return asked_types; }

QueryMaker::QueryMaker(const Truth& truth, uint64_t seed) : truth_(truth), dice_(seed ^ 0x71756572696573) {
  uint32_t sum = 0;
  for (unsigned rank = 0; rank < truth.names(); ++rank) weights_.push_back(sum += 1000 / (rank + 1));  // Zipf
}

DnameBuf QueryMaker::popular_name() {
  const uint32_t number = dice_.below(weights_.back());
  return truth_.name(static_cast<unsigned>(std::ranges::upper_bound(weights_, number) - weights_.begin()));
}

void QueryMaker::choose_header(ClientQuery& query) {
  query.id = dice_.u16();
  query.rd = dice_.percent(92);
  query.cd = dice_.percent(10);
  std::array<uint8_t, max_dname_size / 8 + 1> bits{};
  if (dice_.percent(70)) dice_.fill(bits);
  query.qname.flip_case(bits);
}

void QueryMaker::choose_edns(ClientQuery& query) {
  constexpr std::array<size_t, 7> sizes = {0, 100, 512, 1232, 1400, 4096, 65535};
  query.edns = dice_.percent(70);
  if (!query.edns) return;
  query.dnssec_ok = dice_.percent(30);
  query.udp_size = dice_.pick(std::span<const size_t>(sizes));
}

std::vector<uint8_t> QueryMaker::options() {
  std::array<uint8_t, 256> buffer;
  std::array<uint8_t, 40> value;
  constexpr std::array<size_t, 4> cookie_sizes = {8, 8, 24, 40};
  dice_.fill(value);
  ByteWriter writer(buffer);
  const size_t cookie = dice_.pick(std::span<const size_t>(cookie_sizes));
  if (dice_.percent(20)) put_option(writer, EdnsOption::cookie, Bytes(value).first(cookie));
  if (dice_.percent(10))
    put_option(writer, EdnsOption::client_subnet, std::array<uint8_t, 7>{0, 1, 24, 0, 192, 0, 2});
  if (dice_.percent(10)) put_option(writer, EdnsOption::padding, Bytes(value).first(dice_.below(40)));
  // An unassigned code: those that we read have rules for their lengths.
  if (dice_.percent(10))
    put_option(writer, EdnsOption(0x8000 | dice_.u16()), Bytes(value).first(dice_.below(40)));
  return {writer.written().begin(), writer.written().end()};
}

std::vector<uint8_t> QueryMaker::encode(const ClientQuery& query) {
  std::array<uint8_t, 600> buffer;
  MessageWriter writer(buffer);
  writer.id(query.id);
  writer.rd(query.rd);
  writer.cd(query.cd);
  writer.ad(dice_.percent(20));
  writer.question(query.qname, query.qtype, Class::in);
  const auto extra = options();
  if (query.edns) {
    writer.edns(
        {.udp_size = static_cast<uint16_t>(query.udp_size), .dnssec_ok = query.dnssec_ok, .options = extra});
  }
  return {writer.message().begin(), writer.message().end()};
}

ClientQuery QueryMaker::sound() {
  constexpr std::array<uint8_t, 10> popular = {0, 0, 0, 0, 1, 1, 2, 2, 3, 4};
  ClientQuery query;
  query.qname = popular_name();
  query.qtype =
      dice_.percent(3) ? asked_types[5] : asked_types[dice_.pick(std::span<const uint8_t>(popular))];
  choose_header(query);
  choose_edns(query);
  query.octets = encode(query);
  return query;
}

ClientQuery QueryMaker::cached(unsigned rank, Type qtype, bool dnssec_ok, bool cd) {
  ClientQuery query{.qname = truth_.name(rank), .qtype = qtype, .id = dice_.u16(), .rd = false, .cd = cd};
  query.edns = true;
  query.dnssec_ok = dnssec_ok;
  query.udp_size = 1232;
  query.octets = encode(query);
  return query;
}

ClientQuery QueryMaker::special() {
  struct Row {
    const char* qname;
    Type qtype;
    Rcode rcode;
  };
  constexpr std::array<Row, 5> rows = {{{"localhost.", Type::a, Rcode::noerror},
                                        {"a.localhost.", Type::aaaa, Rcode::noerror},
                                        {"host.invalid.", Type::a, Rcode::nxdomain},
                                        {"1.0.0.127.in-addr.arpa.", Type::ptr, Rcode::noerror},
                                        {"n1.sim.", Type::any, Rcode::noerror}}};
  const Row& row = dice_.pick(std::span<const Row>(rows));
  ClientQuery query{
      .expect = Expect::local, .rcode = row.rcode, .qname = DnameBuf::from_text(row.qname).value()};
  query.qtype = row.qtype;
  choose_header(query);
  choose_edns(query);
  query.octets = encode(query);
  return query;
}

// One thing made wrong about a sound query.
ClientQuery QueryMaker::unsound() {
  ClientQuery query = sound();
  const size_t class_at = header_size + query.qname.view().size() + 2;
  switch (dice_.below(9)) {
    case 0:
      query.octets.resize(dice_.below(header_size));
      query.expect = Expect::silence;
      break;
    case 1:
      query.octets[2] |= 0x80;
      query.expect = Expect::silence;
      break;
    case 2:
      query.octets[2] = static_cast<uint8_t>((query.octets[2] & 0x87) | (1 + dice_.below(15)) << 3);
      expect(query, Rcode::notimp);
      query.keeps_question = false;
      break;
    case 3:
      set_u16(query, qdcount_at, 2);
      expect_bare(query, Rcode::formerr);
      break;
    case 4:
      query.octets.resize(class_at);
      expect_bare(query, Rcode::formerr);
      break;
    case 5:
      query.octets.insert(query.octets.end(), 1 + dice_.below(20), 0);
      expect(query, Rcode::formerr);
      break;
    case 6:
      set_u16(query, ancount_at, 1);
      expect_bare(query, Rcode::formerr);
      break;
    case 7:
      set_u16(query, class_at, static_cast<uint16_t>(Class::ch));
      expect(query, Rcode::refused);
      break;
    default:
      set_u16(query, class_at - 2, static_cast<uint16_t>(Type::axfr));
      expect(query, Rcode::notimp);
      break;
  }
  return query;
}

ClientQuery QueryMaker::any() {
  if (dice_.percent(4)) return special();
  if (dice_.percent(5)) return unsound();
  return sound();
}

}  // namespace peregrine::sim
