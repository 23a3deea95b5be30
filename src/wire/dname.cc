#include "wire/dname.h"

#include <algorithm>

#include "simd/kernels.h"
#include "wire/escapes.h"

namespace peregrine {
namespace {

// Most labels that are compared for an order differ at once: those cost no call.
int compare_folded(const uint8_t* a, const uint8_t* b, size_t size) {
  constexpr size_t looked_at_here = 2;
  for (size_t i = 0; i < std::min(size, looked_at_here); ++i) {
    if (const int difference = fold_octet(a[i]) - fold_octet(b[i]); difference != 0) return difference;
  }
  return size > looked_at_here ? kernels().compare(a, b, size) : 0;
}

// As left-justified octet strings, upper case as lower (RFC 4034 section 6.1).
int compare_labels(const uint8_t* a, const uint8_t* b) {
  const int difference = compare_folded(a + 1, b + 1, std::min(a[0], b[0]));
  return difference != 0 ? difference : a[0] - b[0];
}

}  // namespace

Result<Dname> Dname::parse(Bytes bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    size_t length = bytes[at];
    if (length == 0) return Dname(bytes.data(), static_cast<uint8_t>(at + 1));
    if (length > max_label_size) return std::unexpected(Error::bad_label);
    at += length + 1;
    if (at >= max_dname_size) return std::unexpected(Error::name_too_long);
  }
  return std::unexpected(Error::truncated);
}

unsigned Dname::label_count() const {
  unsigned count = 0;
  for (size_t at = 0; data_[at] != 0; at += data_[at] + 1u) ++count;
  return count;
}

size_t Dname::label_starts(LabelStarts& starts) const {
  size_t count = 0;
  size_t at = 0;
  for (; data_[at] != 0; at += data_[at] + 1u) starts[count++] = static_cast<uint8_t>(at);
  starts[count] = static_cast<uint8_t>(at);
  return count;
}

Dname Dname::parent() const {
  if (is_root()) return *this;
  size_t step = data_[0] + 1u;
  return {data_ + step, static_cast<uint8_t>(size_ - step)};
}

Dname Dname::suffix(unsigned labels) const {
  Dname name = *this;
  for (unsigned count = label_count(); count > labels; --count) name = name.parent();
  return name;
}

bool Dname::is_at_or_below(Dname ancestor) const {
  Dname name = *this;
  while (name.size() > ancestor.size()) name = name.parent();
  return name == ancestor;
}

std::string Dname::to_string() const {
  if (is_root()) return ".";
  std::string text;
  text.reserve(size_);
  for (Dname name = *this; !name.is_root(); name = name.parent()) {
    for (uint8_t octet : name.first_label()) put_octet(text, octet, " \"$().;@\\");
    text += '.';
  }
  return text;
}

// Two names of equal size whose folded octets are equal have their labels at the same places.
bool same_folded(Bytes a, Bytes b) {
  return a.size() == b.size() && kernels().equal(a.data(), b.data(), a.size());
}

bool operator==(Dname a, Dname b) { return same_folded(a.wire(), b.wire()); }

bool same_octets(Dname a, Dname b) { return std::ranges::equal(a.wire(), b.wire()); }

int canonical_compare(Dname a, Dname b) {
  Dname::LabelStarts a_starts, b_starts;
  size_t a_left = a.label_starts(a_starts);
  size_t b_left = b.label_starts(b_starts);
  while (a_left > 0 && b_left > 0) {
    int order = compare_labels(a.data_ + a_starts[--a_left], b.data_ + b_starts[--b_left]);
    if (order != 0) return order;
  }
  return static_cast<int>(a_left) - static_cast<int>(b_left);
}

Result<DnameBuf> DnameBuf::from_text(std::string_view text, Dname origin) {
  if (text.empty()) return std::unexpected(Error::bad_text);
  if (text == ".") return DnameBuf();
  if (text == "@") return DnameBuf(origin);
  DnameBuf name;
  std::array<uint8_t, max_label_size> label;
  for (size_t at = 0, size = 0; at < text.size(); size = 0) {
    while (at < text.size() && text[at] != '.') {
      auto c = static_cast<unsigned char>(text[at]);
      if (c <= ' ' || c == 0x7f || std::string_view("\"();").contains(text[at]))
        return std::unexpected(Error::bad_text);
      auto octet = take_octet(text, at);
      if (!octet) return std::unexpected(Error::bad_text);
      if (size == label.size()) return std::unexpected(Error::bad_label);
      label[size++] = *octet;
    }
    if (size == 0) return std::unexpected(Error::bad_text);
    if (!name.append_label(Bytes(label).first(size))) return std::unexpected(Error::name_too_long);
    if (at == text.size()) {
      if (!name.append(origin)) return std::unexpected(Error::name_too_long);
      return name;
    }
    ++at;
  }
  return name;
}

bool DnameBuf::append_label(Bytes label) {
  if (label.empty() || label.size() > max_label_size || size_ + label.size() + 1 > max_dname_size)
    return false;
  octets_[size_ - 1u] = static_cast<uint8_t>(label.size());
  std::memcpy(&octets_[size_], label.data(), label.size());
  size_ = static_cast<uint8_t>(size_ + label.size() + 1);
  octets_[size_ - 1u] = 0;
  return true;
}

bool DnameBuf::append(Dname suffix) {
  if (size_ - 1u + suffix.size_ > max_dname_size) return false;
  std::memmove(&octets_[size_ - 1u], suffix.data_, suffix.size_);
  size_ = static_cast<uint8_t>(size_ - 1 + suffix.size_);
  return true;
}

void DnameBuf::fold() { kernels().fold(octets_.data(), octets_.data(), size_); }

void DnameBuf::flip_case(Bytes bits) {
  size_t letter = 0;
  for (size_t i = 0; i < size_; ++i) {
    uint8_t lower = fold_octet(octets_[i]);
    if (lower < 'a' || lower > 'z') continue;
    bool upper = letter / 8 < bits.size() && (bits[letter / 8] >> letter % 8 & 1) != 0;
    octets_[i] = upper ? static_cast<uint8_t>(lower & ~0x20) : lower;
    ++letter;
  }
}

}  // namespace peregrine
