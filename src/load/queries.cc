#include "load/queries.h"

#include <algorithm>
#include <sstream>

#include "wire/message_writer.h"

namespace peregrine {
namespace {

// The octets of the OPT, which is what stands behind the question.
size_t write_query(MessageWriter& writer, const QueryForm& form, Dname qname, Type qtype) {
  writer.rd(true);
  writer.question(qname, qtype, Class::in);
  const size_t question_end = writer.size();
  if (form.edns_size != 0) writer.edns({.udp_size = form.edns_size, .dnssec_ok = form.dnssec_ok});
  return writer.size() - question_end;
}

}  // namespace

void QueryList::add(Dname qname, Type qtype) {
  std::array<uint8_t, 512> buffer;  // a header, a question and an OPT take 12 + 259 + 11 at most
  MessageWriter writer(buffer);
  opt_size_ = write_query(writer, form_, qname, qtype);
  octets_.insert(octets_.end(), writer.message().begin(), writer.message().end());
  starts_.push_back(octets_.size());
}

EncodedQuery QueryList::at(size_t index) const {
  const size_t size = starts_[index + 1] - starts_[index];
  return {Bytes(octets_).subspan(starts_[index], size), size - opt_size_};
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

MadeUpQueries::MadeUpQueries(const Numbers& numbers, const QueryForm& form) : numbers_(numbers) {
  Buffer buffer;
  MessageWriter writer(buffer);
  write_query(writer, form, Dname(), Type::a);
  std::ranges::copy(writer.message().first(header_size), header_.begin());
  const Bytes tail = writer.message().subspan(header_size + Dname().size());
  tail_.assign(tail.begin(), tail.end());
}

EncodedQuery MadeUpQueries::encode(const Drawn& drawn, Buffer& buffer) const {
  const uint32_t number = drawn.index < numbers_.count ? numbers_.first + drawn.index
                                                       : numbers_.once_first + (drawn.index - numbers_.count);
  std::ranges::copy(header_, buffer.begin());
  const size_t name =
      write_made_up_name(number, drawn.denied, std::span(buffer).subspan<header_size, max_made_up_size>());
  uint8_t* const tail = &buffer[header_size + name];
  std::memcpy(tail, tail_.data(), tail_.size());
  const size_t question_end = header_size + name + 2 * sizeof(uint16_t);
  return {Bytes(buffer).first(header_size + name + tail_.size()), question_end};
}

}  // namespace peregrine
