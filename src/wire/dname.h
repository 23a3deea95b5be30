// Domain names in wire form: Dname is a view of octets known to be a name, DnameBuf owns its octets.
// RFC 1035 sections 2.3.4 and 3.1; case by RFC 4343; order by RFC 4034 section 6.1.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace peregrine {

inline constexpr size_t max_dname_size = 255;  // octets, the root's length octet included
inline constexpr size_t max_label_size = 63;
inline constexpr size_t max_label_count = 127;  // the root not counted

// A-Z to a-z. Length octets are below 'A', so that a whole wire name may be folded octet by octet.
constexpr uint8_t fold_octet(uint8_t c) {
  const bool upper = static_cast<uint8_t>(c - 'A') < 26;
  return static_cast<uint8_t>(c | upper << 5);
}

class DnameBuf;

// A whole, uncompressed, absolute name: 1 to 255 octets. Does not own them. Cheap to copy.
class Dname {
 public:
  constexpr Dname() : data_(root_octets), size_(1) {}  // the root

  // The name at the start of `bytes`; what follows it is not looked at. No compression pointers.
  // truncated, bad_label, name_too_long
  static Result<Dname> parse(Bytes bytes);
  // Octets that parse() has accepted before and that are exactly one name: not checked again.
  static constexpr Dname from_checked(Bytes name) { return {name.data(), static_cast<uint8_t>(name.size())}; }

  Bytes wire() const { return {data_, size_}; }
  size_t size() const { return size_; }
  bool is_root() const { return size_ == 1; }
  unsigned label_count() const;  // the root has 0
  // Offsets of the length octets, from the left, the root's last; how many, the root not counted.
  using LabelStarts = std::array<uint8_t, max_label_count + 1>;
  size_t label_starts(LabelStarts& starts) const;
  Bytes first_label() const { return {data_ + 1, data_[0]}; }  // empty for the root
  Dname parent() const;                                        // the root's parent is the root
  Dname suffix(unsigned labels) const;        // the last `labels` labels; all of it if there are no more
  bool is_at_or_below(Dname ancestor) const;  // equal counts; case-insensitive
  bool is_wildcard() const { return size_ > 2 && data_[0] == 1 && data_[1] == '*'; }

  std::string to_string() const;  // RFC 1035 section 5.1 escapes; absolute, "." for the root

  friend bool operator==(Dname a, Dname b);        // case-insensitive (RFC 4343)
  friend int canonical_compare(Dname a, Dname b);  // < 0, 0, > 0

 private:
  friend class DnameBuf;
  constexpr Dname(const uint8_t* data, uint8_t size) : data_(data), size_(size) {}
  static constexpr uint8_t root_octets[1] = {0};

  const uint8_t* data_;
  uint8_t size_;
};

bool operator==(Dname a, Dname b);
int canonical_compare(Dname a, Dname b);
bool same_octets(Dname a, Dname b);  // equal including letter case (0x20)
bool same_folded(Bytes a, Bytes b);  // octets of labels or of whole names, equal but for letter case

// A name with room for any name, inline. Copying copies only the octets in use.
class DnameBuf {
 public:
  DnameBuf() = default;  // the root
  explicit DnameBuf(Dname name) { *this = name; }
  DnameBuf(const DnameBuf& other) : DnameBuf(Dname(other)) {}
  DnameBuf& operator=(const DnameBuf& other) { return *this = Dname(other); }
  DnameBuf& operator=(Dname name) {
    if (name.data_ != octets_.data()) std::memmove(octets_.data(), name.data_, name.size_);
    size_ = name.size_;
    return *this;
  }

  // Presentation form, relative or absolute (a missing final dot is supplied), with \. and \DDD escapes.
  // bad_text (empty label, bad escape, a blank, control or one of "();  that is not escaped), bad_label (over
  // 63), name_too_long
  static Result<DnameBuf> from_text(std::string_view text) { return from_text(text, Dname()); }
  // The same relative to `origin`, which "@" alone stands for (RFC 1035 section 5.1).
  static Result<DnameBuf> from_text(std::string_view text, Dname origin);

  operator Dname() const {
    return {octets_.data(), size_};
  }  // NOLINT(google-explicit-constructor): a view of itself
  Dname view() const { return *this; }

  // Adds the new last label, just above the root: www, then example, then com, builds www.example.com from
  // left to right. False, and nothing changed, if the label is empty, over 63 octets or does not fit.
  bool append_label(Bytes label);
  bool append(Dname suffix);  // replaces the final root by `suffix`; false if too long
  void fold();                // A-Z to a-z in place (canonical form)
  // 0x20: the name's i-th letter becomes upper case where bit i (LSB first) is set, else lower case.
  void flip_case(Bytes bits);
  std::string to_string() const { return view().to_string(); }

 private:
  std::array<uint8_t, max_dname_size> octets_{};
  uint8_t size_ = 1;
};

inline bool operator==(const DnameBuf& a, const DnameBuf& b) { return a.view() == b.view(); }

}  // namespace peregrine
