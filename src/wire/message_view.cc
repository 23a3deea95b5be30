#include "wire/message_view.h"

#include "wire/label_walk.h"

namespace peregrine {
namespace {

constexpr size_t rr_fixed_size = 10;  // TYPE, CLASS, TTL, RDLENGTH

// Offset after a name that is known to be sound.
size_t skip_name(Bytes message, size_t offset) {
  while (message[offset] != 0) {
    if (message[offset] > max_label_size) return offset + 2;
    offset += message[offset] + 1u;
  }
  return offset + 1;
}

// Offset after the owner. The root, which an OPT has, and a pointer to the question's name, which most other
// owners are, need no walk.
Result<size_t> check_owner(Bytes message, size_t offset, bool has_question) {
  constexpr uint16_t pointer_to_qname = 0xc000 | header_size;
  size_t left = message.size() - offset;
  if (left >= 1 && message[offset] == 0) return offset + 1;
  if (has_question && left >= 2 && load_u16(&message[offset]) == pointer_to_qname) return offset + 2;
  LabelWalk walk(message, offset, message.size());
  while (!walk.next().empty()) {
  }
  if (!walk.ok()) return std::unexpected(walk.error());
  return walk.end_in_place();
}

}  // namespace

Result<Header> Header::read(Bytes message) {
  if (message.size() < header_size) return std::unexpected(Error::truncated);
  Header header;
  std::memcpy(header.octets_.data(), message.data(), header_size);
  return header;
}

DnameBuf PackedName::expand() const {
  DnameBuf name;
  LabelWalk walk(message_, offset_, message_.size());
  for (Bytes label = walk.next(); label.size() > 1; label = walk.next()) name.append_label(label.subspan(1));
  return name;
}

bool PackedName::equals(Dname name) const {
  LabelWalk walk(message_, offset_, message_.size());
  for (Bytes label = walk.next(); label.size() > 1; label = walk.next()) {
    if (name.is_root() || !same_folded(label.subspan(1), name.first_label())) return false;
    name = name.parent();
  }
  return name.is_root();
}

size_t PackedName::packed_size() const { return skip_name(message_, offset_) - offset_; }

Result<MessageView> MessageView::parse(Bytes message) {
  auto header = Header::read(message);
  if (!header) return std::unexpected(header.error());
  MessageView view;
  view.bytes_ = message;
  view.header_ = *header;
  size_t at = header_size;
  if (header->count(Section::question) > 1) return std::unexpected(Error::bad_message);
  if (view.has_question()) {
    auto qname = Dname::parse(message.subspan(at));
    if (!qname) return std::unexpected(qname.error());
    view.qname_size_ = static_cast<uint8_t>(qname->size());
    at += qname->size() + type_and_class_size;
    if (at > message.size()) return std::unexpected(Error::truncated);
  }
  for (Section section : {Section::answer, Section::authority, Section::additional}) {
    view.starts_[static_cast<size_t>(section) - 1] = static_cast<uint32_t>(at);
    for (unsigned left = header->count(section); left > 0; --left) {
      auto next = view.check_rr(section, at);
      if (!next) return std::unexpected(next.error());
      at = *next;
    }
  }
  view.end_ = static_cast<uint32_t>(at);
  return view;
}

Result<size_t> MessageView::check_rr(Section section, size_t offset) {
  auto fixed = check_owner(bytes_, offset, has_question());
  if (!fixed) return std::unexpected(fixed.error());
  if (bytes_.size() - *fixed < rr_fixed_size) return std::unexpected(Error::truncated);
  const uint8_t* at = &bytes_[*fixed];
  size_t rdata_at = *fixed + rr_fixed_size;
  size_t length = load_u16(at + 8);
  if (bytes_.size() - rdata_at < length) return std::unexpected(Error::truncated);
  if (Type(load_u16(at)) != Type::opt) return rdata_at + length;

  if (section != Section::additional || bytes_[offset] != 0 || edns_)
    return std::unexpected(Error::bad_message);
  auto edns = Edns::parse(Class(load_u16(at + 2)), load_u32(at + 4), bytes_.subspan(rdata_at, length));
  if (!edns) return std::unexpected(edns.error());
  edns_ = *edns;
  return rdata_at + length;
}

Question MessageView::question() const {
  const uint8_t* after = &bytes_[header_size + qname_size_];
  return {Dname::from_checked(bytes_.subspan(header_size, qname_size_)), Type(load_u16(after)),
          Class(load_u16(after + 2))};
}

Rcode MessageView::rcode() const {
  unsigned upper = edns_ ? edns_->extended_rcode : 0u;
  return Rcode(upper << 4 | header_.rcode_low());
}

MessageView::Range MessageView::section(Section s) const& {
  unsigned count = header_.count(s);
  return {Iterator(this, starts_[static_cast<size_t>(s) - 1], count), Iterator(this, 0, 0)};
}

RrView MessageView::read_rr(size_t offset, size_t& next) const {
  size_t fixed = skip_name(bytes_, offset);
  const uint8_t* at = &bytes_[fixed];
  size_t rdata_at = fixed + rr_fixed_size;
  size_t length = load_u16(at + 8);
  next = rdata_at + length;
  return {PackedName(bytes_, offset),       Type(load_u16(at)),
          Class(load_u16(at + 2)),          load_u32(at + 4),
          bytes_.subspan(rdata_at, length), bytes_};
}

}  // namespace peregrine
