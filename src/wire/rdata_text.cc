#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "wire/escapes.h"
#include "wire/rdata.h"
#include "wire/rdata_reader.h"

namespace peregrine {
namespace {

constexpr size_t max_rdata_size = 65535;

struct Token {
  std::string_view text;  // escapes as written; quotes stripped
  bool quoted = false;
};

// Splits presentation form at blanks (RFC 1035 section 5.1). An error sticks.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) { skip_blanks(); }

  bool ok() const { return ok_; }
  bool at_end() const { return at_ == text_.size(); }
  Token next() {
    if (at_end()) return fail();
    Token token = text_[at_] == '"' ? quoted() : plain();
    skip_blanks();
    return token;
  }
  // A token that may not be quoted.
  std::string_view word() {
    Token token = next();
    return token.quoted ? fail().text : token.text;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  Token fail() {
    ok_ = false;
    at_ = text_.size();
    return {};
  }
  size_t end_of_octet() const { return std::min(text_.size(), at_ + (text_[at_] == '\\' ? 2 : 1)); }

  // Comments and parentheses belong to master files, not to one record's rdata.
  Token plain() {
    size_t start = at_;
    for (; !at_end() && !is_blank(text_[at_]); at_ = end_of_octet())
      if (std::string_view("\"();").contains(text_[at_])) return fail();
    return {text_.substr(start, at_ - start), false};
  }

  Token quoted() {
    size_t start = ++at_;
    while (!at_end() && text_[at_] != '"') at_ = end_of_octet();
    if (at_end()) return fail();
    std::string_view inner = text_.substr(start, at_ - start);
    ++at_;
    if (!at_end() && !is_blank(text_[at_])) return fail();
    return {inner, true};
  }

  std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
};

void put_hex(std::string& out, Bytes octets) {
  constexpr char digits[] = "0123456789ABCDEF";
  for (uint8_t octet : octets) {
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
}

// RFC 3597 section 5.
void put_generic(std::string& out, Bytes rdata) {
  out += "\\# " + std::to_string(rdata.size());
  if (rdata.empty()) return;
  out += ' ';
  put_hex(out, rdata);
}

void put_address(std::string& out, int family, Bytes octets) {
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(family, octets.data(), text, sizeof text) != nullptr) out += text;
}

void put_strings(std::string& out, Bytes octets) {
  for (ByteReader reader(octets); !reader.at_end();) {
    out += '"';
    for (uint8_t octet : reader.take(reader.u8())) put_octet(out, octet, "\"\\");
    out += reader.at_end() ? "\"" : "\" ";
  }
}

void put_field(std::string& out, const RdataReader& field) {
  Bytes octets = field.octets();
  switch (field.field()) {
    case Field::name:
    case Field::name_uncompressed:
      out += field.name().to_string();
      return;
    case Field::u8:
      out += std::to_string(octets[0]);
      return;
    case Field::u16:
      out += std::to_string(load_u16(octets.data()));
      return;
    case Field::u32:
      out += std::to_string(load_u32(octets.data()));
      return;
    case Field::ipv4:
      return put_address(out, AF_INET, octets);
    case Field::ipv6:
      return put_address(out, AF_INET6, octets);
    case Field::string:
    case Field::strings:
      return put_strings(out, octets);
    case Field::options:
    case Field::rest:
      return put_generic(out, octets);
  }
}

std::string print(RdataReader fields, Bytes rdata) {
  std::string out;
  while (fields.next()) {
    if (!out.empty()) out += ' ';
    put_field(out, fields);
  }
  if (fields.status()) return out;
  out.clear();
  put_generic(out, rdata);
  return out;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool read_address(std::string_view text, int family, size_t size, ByteWriter& out) {
  char copy[INET6_ADDRSTRLEN] = {};
  uint8_t octets[16];
  if (text.size() >= sizeof copy || text.contains('\0')) return false;
  std::ranges::copy(text, copy);
  if (inet_pton(family, copy, octets) != 1) return false;
  out.put(Bytes(octets).first(size));
  return true;
}

bool read_string(std::string_view text, ByteWriter& out) {
  std::array<uint8_t, 255> octets;
  size_t size = 0;
  for (size_t at = 0; at < text.size();) {
    auto octet = take_octet(text, at);
    if (!octet || size == octets.size()) return false;
    octets[size++] = *octet;
  }
  out.u8(static_cast<uint8_t>(size));
  out.put(Bytes(octets).first(size));
  return true;
}

bool read_strings(Tokens& in, ByteWriter& out) {
  do {
    if (!read_string(in.next().text, out)) return false;
  } while (in.ok() && !in.at_end());
  return in.ok();
}

template <class Number, class Put>
bool read_number(std::string_view text, Put put) {
  auto value = number<Number>(text);
  if (value) put(*value);
  return value.has_value();
}

bool read_field(Field field, Tokens& in, Dname origin, ByteWriter& out) {
  switch (field) {
    case Field::name:
    case Field::name_uncompressed: {
      auto name = DnameBuf::from_text(in.word(), origin);
      if (name) out.put(name->view().wire());
      return name.has_value();
    }
    case Field::u8:
      return read_number<uint8_t>(in.word(), [&](uint8_t v) { out.u8(v); });
    case Field::u16:
      return read_number<uint16_t>(in.word(), [&](uint16_t v) { out.u16(v); });
    case Field::u32:
      return read_number<uint32_t>(in.word(), [&](uint32_t v) { out.u32(v); });
    case Field::ipv4:
      return read_address(in.word(), AF_INET, 4, out);
    case Field::ipv6:
      return read_address(in.word(), AF_INET6, 16, out);
    case Field::string:
      return read_string(in.next().text, out);
    case Field::strings:
      return read_strings(in, out);
    case Field::options:
    case Field::rest:
      return false;  // these have the generic form only
  }
  return false;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// What follows \#: the length, then hexadecimal digits in any number of words, whole octets each.
bool read_generic(Tokens& in, ByteWriter& out) {
  auto length = number<uint16_t>(in.word());
  size_t count = 0;
  while (in.ok() && !in.at_end()) {
    std::string_view digits = in.word();
    if (digits.size() % 2 != 0) return false;
    for (size_t i = 0; i < digits.size(); i += 2, ++count) {
      int high = hex_value(digits[i]), low = hex_value(digits[i + 1]);
      if (high < 0 || low < 0) return false;
      out.u8(static_cast<uint8_t>(high << 4 | low));
    }
  }
  return in.ok() && length && *length == count;
}

bool read_known(Type type, Tokens& in, Dname origin, ByteWriter& out) {
  const TypeRow* row = find_row(type);
  if (row == nullptr) return false;
  for (Field field : row->fields)
    if (!read_field(field, in, origin, out)) return false;
  return in.ok() && in.at_end();
}

bool is_well_formed(Type type, Bytes rdata) {
  RdataReader reader(type, rdata);
  while (reader.next()) {
  }
  return reader.status().has_value();
}

}  // namespace

std::string rdata_to_text(Type type, Bytes rdata) { return print(RdataReader(type, rdata), rdata); }

std::string to_text(const RrView& rr) {
  return rr.owner.expand().to_string() + '\t' + std::to_string(rr.ttl) + '\t' + to_string(rr.rclass) + '\t' +
         to_string(rr.type) + '\t' + print(RdataReader(rr), rr.rdata);
}

Result<Bytes> rdata_from_text(Type type, std::string_view text, Dname origin, MutableBytes out) {
  constexpr std::string_view generic = "\\#";
  ByteWriter writer(out.first(std::min(out.size(), max_rdata_size)));
  Tokens in(text);
  Tokens ahead = in;
  bool is_generic = ahead.word() == generic;
  if (!(is_generic ? read_generic(ahead, writer) : read_known(type, in, origin, writer)))
    return std::unexpected(Error::bad_text);
  if (!writer.ok()) return std::unexpected(Error::no_space);
  // The generic form of a known type must be what that type allows.
  if (is_generic && !is_well_formed(type, writer.written())) return std::unexpected(Error::bad_text);
  return writer.written();
}

}  // namespace peregrine
