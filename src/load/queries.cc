#include "load/query_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "wire/message_writer.h"

namespace peregrine {

void QueryList::add(Dname qname, Type qtype) {
  std::array<uint8_t, 512> buffer;  // a header, a question and an OPT take 12 + 259 + 11 at most
  MessageWriter writer(buffer);
  writer.rd(true);
  writer.question(qname, qtype, Class::in);
  const size_t question_end = writer.size();
  if (form_.edns_size != 0) writer.edns({.udp_size = form_.edns_size, .dnssec_ok = form_.dnssec_ok});
  opt_size_ = writer.size() - question_end;
  octets_.insert(octets_.end(), writer.message().begin(), writer.message().end());
  starts_.push_back(octets_.size());
}

Dname QueryList::qname(size_t index) const {
  return Dname::from_checked(
      message(index).subspan(header_size, question_end(index) - header_size - 2 * sizeof(uint16_t)));
}

std::expected<QueryList, std::string> read_queries(std::istream& in, const QueryForm& form) {
  QueryList list(form);
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    const auto wrong = [&](std::string what) {
      return std::unexpected("line " + std::to_string(number) + ": " + std::move(what));
    };
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, type = "A", more;
    if (!(words >> name)) continue;
    words >> type;
    if (words >> more) return wrong("more than a name and a type");
    const auto qname = DnameBuf::from_text(name);
    if (!qname) return wrong("'" + name + "' is not a domain name");
    const auto qtype = parse_type(type);
    if (!qtype) return wrong("'" + type + "' is not a type");
    list.add(*qname, *qtype);
  }
  if (list.size() == 0) return std::unexpected("no names");
  return list;
}

DnameBuf generated_name(uint32_t index) {
  static constexpr std::array<std::string_view, 10> hosts{"www",    "api",  "cdn", "mail",  "img",
                                                          "static", "edge", "app", "login", "m"};
  static constexpr std::array<std::string_view, 5> places{"shop", "news", "video", "cloud-service", "media"};
  DnameBuf name;
  const auto append = [&](std::string_view text, uint32_t number) {
    std::array<char, 32> label;
    char* const digits = std::ranges::copy(text, label.begin()).out;
    const char* const end = std::to_chars(digits, label.end(), number).ptr;
    name.append_label(Bytes(reinterpret_cast<const uint8_t*>(label.data()), end - label.data()));
  };
  append(hosts[index % hosts.size()], index);
  append(places[index / 7 % places.size()], index % 977);
  static const DnameBuf origin = DnameBuf::from_text("bench.example.").value();
  name.append(origin);
  return name;
}

QueryList generate_queries(uint32_t first, uint32_t count, const QueryForm& form) {
  QueryList list(form);
  for (uint32_t i = 0; i < count; ++i) list.add(generated_name(first + i), Type::a);
  return list;
}

// FNV-1a: what it must be is the same in two programs, not secret.
uint32_t address_of_name(Dname qname) {
  uint32_t hash = 2'166'136'261;
  for (uint8_t octet : qname.wire()) hash = (hash ^ fold_octet(octet)) * 16'777'619;
  return uint32_t{10} << 24 | ((hash ^ hash >> 24) & 0xff'ffff);
}

}  // namespace peregrine
