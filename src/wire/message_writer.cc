#include "wire/message_writer.h"

#include <algorithm>

#include "wire/rdata_reader.h"

namespace peregrine {
namespace {

constexpr size_t pointer_reach = 0x4000;
constexpr size_t flags_at = 2;  // offset of the second word: HeaderBits
constexpr size_t count_at = 4;  // offset of QDCOUNT
constexpr size_t opt_rcode_at =
    5;  // from the OPT's start: root, TYPE, CLASS, then the TTL field's first octet

size_t index(Section section) { return static_cast<size_t>(section); }

}  // namespace

MessageWriter::MessageWriter(MutableBytes buffer)
    : out_(buffer.first(std::min(buffer.size(), max_message_size))),
      limit_(std::min(buffer.size(), max_message_size)),
      usable_(limit_ >= header_size) {
  constexpr std::array<uint8_t, header_size> zeros{};
  if (usable_) out_.put(zeros);
}

void MessageWriter::set_bits(uint16_t mask, uint16_t value) {
  if (!usable_) return;
  uint8_t* flags = out_.data() + flags_at;
  store_u16(flags, static_cast<uint16_t>((load_u16(flags) & ~mask) | (value & mask)));
}

void MessageWriter::id(uint16_t v) {
  if (usable_) store_u16(out_.data(), v);
}

void MessageWriter::qr(bool v) { flag(HeaderBits::qr, v); }
void MessageWriter::aa(bool v) { flag(HeaderBits::aa, v); }
void MessageWriter::tc(bool v) { flag(HeaderBits::tc, v); }
void MessageWriter::rd(bool v) { flag(HeaderBits::rd, v); }
void MessageWriter::ra(bool v) { flag(HeaderBits::ra, v); }
void MessageWriter::ad(bool v) { flag(HeaderBits::ad, v); }
void MessageWriter::cd(bool v) { flag(HeaderBits::cd, v); }

void MessageWriter::opcode(Opcode v) {
  set_bits(HeaderBits::opcode, static_cast<uint16_t>(static_cast<unsigned>(v) << HeaderBits::opcode_shift));
}

void MessageWriter::rcode(Rcode v) {
  const auto number = static_cast<uint16_t>(v);
  set_bits(HeaderBits::rcode, number);
  extended_rcode_ = static_cast<uint8_t>(number >> 4);
  if (opt_at_ != 0) out_.data()[opt_at_ + opt_rcode_at] = extended_rcode_;
}

bool MessageWriter::question(Dname qname, Type qtype, Class qclass) {
  if (!may_begin(Section::question) || counts_[0] != 0) return false;
  Mark before = mark();
  put_name(qname, true);
  out_.u16(static_cast<uint16_t>(qtype));
  out_.u16(static_cast<uint16_t>(qclass));
  return finish(Section::question, before, true);
}

bool MessageWriter::rr(Section section, Dname owner, Type type, Class rclass, uint32_t ttl, Bytes rdata) {
  RdataReader reader(type, rdata);
  return put_rr(section, {owner, type, rclass, ttl}, reader);
}

bool MessageWriter::copy(Section section, const RrView& rr, uint32_t ttl) {
  DnameBuf owner = rr.owner.expand();
  RdataReader reader(rr);
  return put_rr(section, {owner, rr.type, rr.rclass, ttl}, reader);
}

bool MessageWriter::edns(const OptFields& opt) {
  uint32_t ttl =
      uint32_t{extended_rcode_} << 24 | uint32_t{opt.version} << 16 | (opt.dnssec_ok ? opt_dnssec_ok_bit : 0);
  RdataReader reader(Type::opt, opt.options);
  return put_rr(Section::additional, {Dname(), Type::opt, Class(opt.udp_size), ttl}, reader);
}

bool MessageWriter::may_begin(Section section) const {
  if (!usable_ || counts_[index(section)] == 0xffff) return false;
  for (size_t later = index(section) + 1; later < counts_.size(); ++later)
    if (counts_[later] != 0) return false;
  return true;
}

bool MessageWriter::may_hold(Section section, const RrHead& head) const {
  if (section == Section::question || !may_begin(section)) return false;
  if (head.type != Type::opt) return true;
  return section == Section::additional && head.owner.is_root() && opt_at_ == 0;
}

bool MessageWriter::put_rr(Section section, const RrHead& head, RdataReader& rdata) {
  if (!may_hold(section, head)) return false;
  Mark before = mark();
  put_name(head.owner, true);
  out_.u16(static_cast<uint16_t>(head.type));
  out_.u16(static_cast<uint16_t>(head.rclass));
  out_.u32(head.ttl);
  size_t length_at = out_.size();
  out_.u16(0);
  bool well_formed = put_rdata(rdata);
  if (!finish(section, before, well_formed)) return false;
  store_u16(out_.data() + length_at, static_cast<uint16_t>(out_.size() - length_at - 2));
  if (head.type == Type::opt) opt_at_ = before.size;
  return true;
}

bool MessageWriter::put_rdata(RdataReader& rdata) {
  while (out_.ok() && rdata.next()) {
    if (!rdata.is_name())
      out_.put(rdata.octets());
    else
      put_name(rdata.name(), rdata.field() == Field::name);
  }
  return rdata.status().has_value();
}

bool MessageWriter::finish(Section section, const Mark& before, bool well_formed) {
  if (!well_formed || !out_.ok() || reserved_ > limit_ - out_.size()) {
    roll_back(before);
    return false;
  }
  uint16_t count = ++counts_[index(section)];
  store_u16(out_.data() + count_at + 2 * index(section), count);
  return true;
}

void MessageWriter::roll_back(const Mark& mark) {
  if (!usable_) return;
  out_.roll_back(mark.size);
  counts_ = mark.counts;
  name_count_ = mark.names;
  if (opt_at_ >= mark.size) opt_at_ = 0;
  for (size_t i = 0; i < counts_.size(); ++i) store_u16(out_.data() + count_at + 2 * i, counts_[i]);
}

bool MessageWriter::same_label(size_t offset, Bytes label) const {
  return same_folded(out_.written().subspan(offset, out_.data()[offset] + 1u), label);
}

void MessageWriter::put_name(Dname n, bool compress) {
  if (!compress) return out_.put(n.wire());
  Dname::LabelStarts starts;
  size_t labels = n.label_starts(starts);
  size_t left = labels;
  auto label = [&](size_t i) { return n.wire().subspan(starts[i], n.wire()[starts[i]] + 1u); };

  uint16_t parent = root_parent;
  for (uint16_t i = 0; i < name_count_ && left > 0; ++i) {
    if (names_[i].parent != parent || !same_label(names_[i].offset, label(left - 1))) continue;
    parent = i;
    --left;
  }
  size_t base = out_.size();
  out_.put(n.wire().first(starts[left]));
  if (parent == root_parent)
    out_.u8(0);
  else
    out_.u16(static_cast<uint16_t>(0xc000 | names_[parent].offset));
  if (out_.ok()) remember(base, Bytes(starts).first(left), parent);
}

void MessageWriter::remember(size_t base, Bytes starts, uint16_t parent) {
  for (size_t i = starts.size(); i-- > 0;) {
    size_t offset = base + starts[i];
    if (name_count_ == max_remembered || offset >= pointer_reach) return;
    names_[name_count_] = {static_cast<uint16_t>(offset), parent};
    parent = name_count_++;
  }
}

bool put_option(ByteWriter& out, EdnsOption code, Bytes value) {
  if (!out.ok() || value.size() > 0xffff || out.room() < 4 + value.size()) return false;
  out.u16(static_cast<uint16_t>(code));
  out.u16(static_cast<uint16_t>(value.size()));
  out.put(value);
  return true;
}

bool put_extended_error(ByteWriter& out, Ede code, std::string_view extra_text) {
  size_t size = 2 + extra_text.size();
  if (!out.ok() || size > 0xffff || out.room() < 4 + size) return false;
  out.u16(static_cast<uint16_t>(EdnsOption::extended_error));
  out.u16(static_cast<uint16_t>(size));
  out.u16(static_cast<uint16_t>(code));
  out.put({reinterpret_cast<const uint8_t*>(extra_text.data()), extra_text.size()});
  return true;
}

}  // namespace peregrine
