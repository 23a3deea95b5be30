#include "wire/message.h"

#include "wire/label_walk.h"
#include "wire/message_writer.h"
#include "wire/rdata_reader.h"

namespace peregrine {
namespace {

constexpr std::array sections{Section::answer, Section::authority, Section::additional};

// The rdata with its names expanded; nothing where it is not well formed.
std::optional<std::vector<uint8_t>> expanded(RdataReader reader) {
  std::vector<uint8_t> rdata;
  while (reader.next()) {
    const Bytes part = reader.is_name() ? reader.name().wire() : reader.octets();
    rdata.insert(rdata.end(), part.begin(), part.end());
  }
  return reader.status() ? std::optional(std::move(rdata)) : std::nullopt;
}

}  // namespace

// Reads a message from front to end.
class Message::Parser {
 public:
  Parser(Bytes octets, Message& message) : octets_(octets), message_(message) {}

  Result<> run() {
    auto header = Header::read(octets_);
    if (!header) return std::unexpected(header.error());
    message_.header_ = *header;
    if (header->count(Section::question) > 1) return std::unexpected(Error::bad_message);
    if (header->count(Section::question) == 1) {
      if (auto done = read_question(); !done) return done;
    }
    for (const Section section : sections) {
      for (unsigned left = header->count(section); left > 0; --left) {
        if (auto done = read_record(section); !done) return done;
      }
    }
    message_.has_trailing_octets_ = at_ != octets_.size();
    return {};
  }

 private:
  Result<> read_question() {
    auto qname = Dname::parse(octets_.subspan(at_));  // no pointers: there is nothing before it to point to
    if (!qname) return std::unexpected(qname.error());
    ByteReader reader(octets_, at_ + qname->size());
    message_.qname_.emplace(*qname);
    message_.qtype_ = Type(reader.u16());
    message_.qclass_ = Class(reader.u16());
    if (!reader.ok()) return std::unexpected(Error::truncated);
    message_.question_end_ = at_ = reader.offset();
    return {};
  }

  Result<> read_record(Section section) {
    Record record;
    const size_t owner_at = at_;
    if (auto done = read_name(record.owner); !done) return done;
    ByteReader reader(octets_, at_);
    record.type = Type(reader.u16());
    record.rclass = Class(reader.u16());
    record.ttl = reader.u32();
    const size_t length = reader.u16();
    const size_t rdata_at = reader.offset();
    const Bytes rdata = reader.take(length);
    if (!reader.ok()) return std::unexpected(Error::truncated);
    at_ = reader.offset();
    if (record.type == Type::opt) {
      // RFC 6891 section 6.1.1: one OPT, in the additional section, whose owner is the root's zero octet.
      const bool in_place = section == Section::additional && octets_[owner_at] == 0 && !message_.edns_;
      if (!in_place) return std::unexpected(Error::bad_message);
      if (auto done = take_edns(record, rdata); !done) return done;
    }
    auto whole = expanded(RdataReader(record.type, octets_, rdata_at, length));
    record.well_formed = whole.has_value();
    record.rdata = whole ? std::move(*whole) : std::vector<uint8_t>(rdata.begin(), rdata.end());
    message_.sections_[static_cast<size_t>(section) - 1].push_back(std::move(record));
    return {};
  }

  Result<> read_name(DnameBuf& name) {
    LabelWalk walk(octets_, at_, octets_.size());
    for (Bytes label = walk.next(); label.size() > 1; label = walk.next())
      name.append_label(label.subspan(1));
    if (!walk.ok()) return std::unexpected(walk.error());
    at_ = walk.end_in_place();
    return {};
  }

  Result<> take_edns(const Record& record, Bytes rdata) {
    auto edns = Edns::parse(record.rclass, record.ttl, rdata);
    if (!edns) return std::unexpected(edns.error());
    message_.options_.assign(edns->options.begin(), edns->options.end());
    edns->options = {};
    message_.edns_ = *edns;
    return {};
  }

  Bytes octets_;
  Message& message_;
  size_t at_ = header_size;
};

Result<Message> Message::parse(Bytes octets) {
  Message message;
  if (auto done = Parser(octets, message).run(); !done) return std::unexpected(done.error());
  return message;
}

std::optional<Edns> Message::edns() const& {
  std::optional<Edns> edns = edns_;
  if (edns) edns->options = options_;
  return edns;
}

Rcode Message::rcode() const {
  const unsigned upper = edns_ ? edns_->extended_rcode : 0u;
  return Rcode(upper << 4 | header_.rcode_low());
}

Result<size_t> Message::write(MessageWriter& writer) const {
  writer.id(header_.id());
  writer.qr(header_.qr());
  writer.opcode(header_.opcode());
  writer.aa(header_.aa());
  writer.tc(header_.tc());
  writer.rd(header_.rd());
  writer.ra(header_.ra());
  writer.ad(header_.ad());
  writer.cd(header_.cd());
  writer.rcode(rcode());
  if (qname_ && !writer.question(*qname_, qtype_, qclass_)) return std::unexpected(Error::no_space);
  for (const Section s : sections) {
    for (const Record& record : section(s)) {
      if (!record.well_formed) return std::unexpected(Error::bad_rdata);
      if (!writer.rr(s, record.owner, record.type, record.rclass, record.ttl, record.rdata)) {
        return std::unexpected(Error::no_space);
      }
    }
  }
  return writer.size();
}

}  // namespace peregrine
