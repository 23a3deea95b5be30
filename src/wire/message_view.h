// A DNS message read in place: checked once, then every access is sound and nothing is copied.
// RFC 1035 section 4, RFC 6891 section 6.1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/dname.h"
#include "wire/edns.h"
#include "wire/types.h"

namespace peregrine {

inline constexpr size_t header_size = 12;
inline constexpr size_t type_and_class_size = 4;   // behind the name of a question
inline constexpr size_t max_message_size = 65535;  // what the length before a message on a stream can say

// The header's second word: RFC 1035 section 4.1.1; AD and CD: RFC 4035 section 3.2.
struct HeaderBits {
  static constexpr uint16_t qr = 0x8000, opcode = 0x7800, aa = 0x0400, tc = 0x0200, rd = 0x0100;
  static constexpr uint16_t ra = 0x0080, ad = 0x0020, cd = 0x0010, rcode = 0x000f;
  static constexpr unsigned opcode_shift = 11;
};
constexpr Opcode opcode_of(uint16_t flags) {
  return Opcode((flags & HeaderBits::opcode) >> HeaderBits::opcode_shift);
}

// The header's four counts as one number, QDCOUNT the most significant: what one more in a section adds.
constexpr uint64_t one_in(Section s) { return uint64_t{1} << (48 - 16 * static_cast<unsigned>(s)); }
inline constexpr uint64_t record_counts = one_in(Section::question) - 1;  // those but for QDCOUNT

// The twelve octets at the front, unchecked but for their number.
class Header {
 public:
  static Result<Header> read(Bytes message);  // truncated
  uint16_t id() const { return load_u16(&octets_[0]); }
  uint16_t flags() const { return load_u16(&octets_[2]); }
  bool qr() const { return flags() & HeaderBits::qr; }
  Opcode opcode() const { return opcode_of(flags()); }
  bool aa() const { return flags() & HeaderBits::aa; }
  bool tc() const { return flags() & HeaderBits::tc; }
  bool rd() const { return flags() & HeaderBits::rd; }
  bool ra() const { return flags() & HeaderBits::ra; }
  bool ad() const { return flags() & HeaderBits::ad; }
  bool cd() const { return flags() & HeaderBits::cd; }
  uint8_t rcode_low() const { return flags() & HeaderBits::rcode; }
  uint64_t counts() const { return load_u64(&octets_[4]); }
  uint16_t count(Section s) const { return load_u16(&octets_[4 + 2 * static_cast<size_t>(s)]); }

 private:
  std::array<uint8_t, header_size> octets_{};
};

// A name inside a message, possibly compressed, already validated: expanding it cannot fail.
class PackedName {
 public:
  DnameBuf expand() const;
  bool equals(Dname name) const;  // case-insensitive, without expanding
  size_t packed_size() const;     // octets at its place, a pointer included

 private:
  friend class MessageView;
  PackedName(Bytes message, size_t offset) : message_(message), offset_(offset) {}
  Bytes message_;
  size_t offset_;
};

struct Question {
  Dname qname;  // in the message: the asker's letter case
  Type qtype;
  Class qclass;
  size_t wire_size() const { return qname.size() + type_and_class_size; }
};

// RFC 2181 section 8: a TTL with its top bit set is taken as zero.
constexpr uint32_t effective_ttl(uint32_t ttl) { return ttl >> 31 != 0 ? 0 : ttl; }

struct RrView {
  PackedName owner;
  Type type;
  Class rclass;
  uint32_t ttl;   // as on the wire: see effective_ttl()
  Bytes rdata;    // names inside may be compressed: see wire/rdata.h
  Bytes message;  // the whole, which compressed names in the rdata point into
  size_t rdata_offset() const { return static_cast<size_t>(rdata.data() - message.data()); }
};

class MessageView {
 public:
  // Checks the header, the question (at most one, uncompressed), and the bounds and owner of every RR; finds
  // the OPT. Linear in the message's size, nothing allocated. `message` must outlive the view. truncated,
  // bad_label, name_too_long, bad_pointer; bad_message: QDCOUNT > 1 (RFC 9619), two OPTs, an OPT outside the
  // additional section or below the root (RFC 6891 section 6.1.1)
  static Result<MessageView> parse(Bytes message);

  const Header& header() const { return header_; }
  Bytes bytes() const { return bytes_; }
  bool has_question() const { return header_.count(Section::question) == 1; }
  Question question() const;                          // only if has_question()
  size_t question_end() const { return starts_[0]; }  // offset of the first octet after the question
  const std::optional<Edns>& edns() const { return edns_; }
  Rcode rcode() const;  // with the OPT's upper bits
  bool has_trailing_octets() const { return end_ != bytes_.size(); }

  class Iterator;
  class Range;
  // answer, authority or additional: for (RrView rr : view.section(Section::answer)). The OPT is among them.
  Range section(Section s) const&;
  Range section(Section s) const&& = delete;  // a range refers to its view

 private:
  MessageView() = default;
  Result<size_t> check_rr(Section section, size_t offset);  // offset after it
  RrView read_rr(size_t offset, size_t& next) const;

  Bytes bytes_;
  Header header_;
  std::array<uint32_t, 3> starts_{};  // of answer, authority, additional
  uint32_t end_ = 0;
  uint8_t qname_size_ = 0;
  std::optional<Edns> edns_;
};

class MessageView::Iterator {
 public:
  Iterator(const MessageView* view, size_t offset, unsigned left) : view_(view), next_(offset), left_(left) {}
  RrView operator*() const {
    size_t ignored;
    return view_->read_rr(next_, ignored);
  }
  Iterator& operator++() {
    view_->read_rr(next_, next_);
    --left_;
    return *this;
  }
  bool operator==(const Iterator& other) const { return left_ == other.left_; }

 private:
  const MessageView* view_;
  size_t next_;
  unsigned left_;
};

class MessageView::Range {
 public:
  Range(Iterator first, Iterator last) : first_(first), last_(last) {}
  Iterator begin() const { return first_; }
  Iterator end() const { return last_; }

 private:
  Iterator first_, last_;
};

}  // namespace peregrine
