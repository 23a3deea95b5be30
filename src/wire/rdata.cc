#include "wire/rdata.h"

#include <algorithm>
#include <optional>

#include "wire/label_walk.h"
#include "wire/rdata_reader.h"

namespace peregrine {
namespace {

using enum Field;

constexpr Field f_a[] = {ipv4};
constexpr Field f_aaaa[] = {ipv6};
constexpr Field f_name[] = {name};
constexpr Field f_two_names[] = {name, name};
constexpr Field f_dname[] = {name_uncompressed};
constexpr Field f_soa[] = {name, name, u32, u32, u32, u32, u32};
constexpr Field f_mx[] = {u16, name};
constexpr Field f_txt[] = {strings};
constexpr Field f_srv[] = {u16, u16, u16, name_uncompressed};
constexpr Field f_rp[] = {name_uncompressed, name_uncompressed};
constexpr Field f_numbered_name[] = {u16, name_uncompressed};
constexpr Field f_px[] = {u16, name_uncompressed, name_uncompressed};
constexpr Field f_naptr[] = {u16, u16, string, string, string, name_uncompressed};
constexpr Field f_opt[] = {options};
constexpr Field f_opaque[] = {rest};

// The commonest first. All types in which a sender may have compressed names (RFC 3597 section 4) have a row,
// but for the dead SIG and NXT: passed on as opaque octets, a pointer would lead astray.
constexpr TypeRow rows[] = {
    {Type::a, f_a, false},
    {Type::aaaa, f_aaaa, false},
    {Type::ns, f_name, true},
    {Type::cname, f_name, true},
    {Type::soa, f_soa, true},
    {Type::opt, f_opt, false},
    {Type::ptr, f_name, true},
    {Type::mx, f_mx, true},
    {Type::txt, f_txt, false},
    {Type::srv, f_srv, true},
    {Type::dname, f_dname, true},
    {Type::naptr, f_naptr, true},
    {Type::mb, f_name, true},
    {Type::mg, f_name, true},
    {Type::mr, f_name, true},
    {Type::md, f_name, true},
    {Type::mf, f_name, true},
    {Type::minfo, f_two_names, true},
    {Type::rp, f_rp, true},
    {Type::afsdb, f_numbered_name, true},
    {Type::rt, f_numbered_name, true},
    {Type::kx, f_numbered_name, true},
    {Type::px, f_px, true},
};

std::optional<size_t> string_size(Bytes left) {
  if (left.empty()) return std::nullopt;
  return 1u + left[0];
}

// Octets of character-strings that fill all there is, at least one.
std::optional<size_t> strings_size(Bytes left) {
  ByteReader reader(left);
  do {
    reader.take(reader.u8());
  } while (reader.ok() && !reader.at_end());
  return reader.ok() ? std::optional(left.size()) : std::nullopt;
}

std::optional<size_t> options_size(Bytes left) {
  return Edns::parse(Class::in, 0, left) ? std::optional(left.size()) : std::nullopt;
}

// Octets of the field at the start of what is left; nothing if it is malformed. Names are read elsewhere.
std::optional<size_t> field_size(Field field, Bytes left) {
  switch (field) {
    case u8:
      return 1;
    case u16:
      return 2;
    case u32:
      return 4;
    case ipv4:
      return 4;
    case ipv6:
      return 16;
    case string:
      return string_size(left);
    case strings:
      return strings_size(left);
    case options:
      return options_size(left);
    case rest:
      return left.size();
    case name:
    case name_uncompressed:
      break;
  }
  return std::nullopt;
}

Result<Bytes> expand(const RrView& rr, MutableBytes out, bool canonical) {
  RdataReader reader(rr);
  ByteWriter writer(out);
  while (reader.next()) {
    if (!reader.is_name()) {
      writer.put(reader.octets());
      continue;
    }
    DnameBuf name(reader.name());
    if (canonical && reader.lower_names()) name.fold();
    writer.put(name.view().wire());
  }
  if (!reader.status()) return std::unexpected(Error::bad_rdata);
  if (!writer.ok()) return std::unexpected(Error::no_space);
  return writer.written();
}

}  // namespace

const TypeRow* find_row(Type type) {
  auto found = std::ranges::find(rows, type, &TypeRow::type);
  return found != std::end(rows) ? found : nullptr;
}

RdataReader::RdataReader(Type type, Bytes message, size_t offset, size_t length, bool compressed)
    : message_(message), at_(offset), end_(offset + length), fields_(f_opaque), compressed_(compressed) {
  const TypeRow* row = find_row(type);
  if (row == nullptr) return;
  fields_ = row->fields;
  lower_names_ = row->lower_names;
}

bool RdataReader::next() {
  if (!ok_ || fields_.empty()) return false;
  field_ = fields_.front();
  fields_ = fields_.subspan(1);
  if (is_name()) return read_name();
  Bytes left = message_.subspan(at_, end_ - at_);
  auto size = field_size(field_, left);
  if (!size || *size > left.size()) return fail(Error::bad_rdata);
  octets_ = left.first(*size);
  at_ += *size;
  return true;
}

bool RdataReader::read_name() {
  name_ = Dname();
  LabelWalk walk(message_, at_, end_);
  for (Bytes label = walk.next(); label.size() > 1; label = walk.next()) name_.append_label(label.subspan(1));
  if (!walk.ok()) return fail(walk.error());
  if (!compressed_ && walk.end_in_place() - at_ != name_.view().size()) return fail(Error::bad_pointer);
  at_ = walk.end_in_place();
  return true;
}

bool RdataReader::fail(Error error) {
  ok_ = false;
  error_ = error;
  return false;
}

Result<> RdataReader::status() const {
  if (!ok_) return std::unexpected(error_);
  if (fields_.empty() && at_ != end_) return std::unexpected(Error::bad_rdata);
  return {};
}

Result<> check_rdata(const RrView& rr) {
  RdataReader reader(rr);
  while (reader.next()) {
  }
  return reader.status();
}

Result<DnameBuf> target_of(const RrView& rr) {
  RdataReader reader(rr);
  std::optional<DnameBuf> target;
  while (reader.next())
    if (reader.is_name() && !target) target = DnameBuf(reader.name());
  if (!reader.status() || !target) return std::unexpected(Error::bad_rdata);
  return *target;
}

Result<Bytes> expand_rdata(const RrView& rr, MutableBytes out) { return expand(rr, out, false); }
Result<Bytes> canonical_rdata(const RrView& rr, MutableBytes out) { return expand(rr, out, true); }

Result<SoaNumbers> soa_numbers(const RrView& rr) {
  if (rr.type != Type::soa || !check_rdata(rr)) return std::unexpected(Error::bad_rdata);
  const uint8_t* numbers = rr.rdata.data() + rr.rdata.size() - 20;
  return SoaNumbers{load_u32(numbers), load_u32(numbers + 4), load_u32(numbers + 8), load_u32(numbers + 12),
                    load_u32(numbers + 16)};
}

std::optional<Type> covered_type(Bytes rrsig) {
  constexpr size_t fixed_size = 18;  // before the signer's name (RFC 4034 section 3.1)
  if (rrsig.size() < fixed_size) return std::nullopt;
  return Type(load_u16(rrsig.data()));
}

Result<DnameBuf> substitute(Dname name, Dname owner, Dname target) {
  DnameBuf made;
  const unsigned kept = name.label_count() - owner.label_count();
  for (unsigned i = 0; i < kept; ++i) {
    if (!made.append_label(name.first_label())) return std::unexpected(Error::name_too_long);
    name = name.parent();
  }
  if (!made.append(target)) return std::unexpected(Error::name_too_long);
  return made;
}

}  // namespace peregrine
