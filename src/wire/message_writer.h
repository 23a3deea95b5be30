// Builds a message in a caller's buffer: names compressed, sections counted, rolled back where it does not
// fit. RFC 1035 section 4.1.4; names in RDATA are compressed only for the types of RFC 1035 (RFC 3597 section
// 4).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/message_view.h"

namespace peregrine {

class RdataReader;

class MessageWriter {
 public:
  // Writes into `buffer`, whose size is the limit of the message. Begins with a header of zeros.
  // A buffer of under 12 octets makes every call fail.
  explicit MessageWriter(MutableBytes buffer);

  // Header fields; may be set at any time.
  void id(uint16_t v);
  void qr(bool v);
  void opcode(Opcode v);
  void aa(bool v);
  void tc(bool v);
  void rd(bool v);
  void ra(bool v);
  void ad(bool v);
  void cd(bool v);
  void rcode(Rcode v);  // the upper bits go into the OPT, be it written already or later

  // Each adds one thing whole, or nothing and returns false: no room, a section before the last one written,
  // a second question or OPT, an OPT that is not the root's in the additional section, malformed rdata.
  bool question(Dname qname, Type qtype, Class qclass);
  // RDATA in uncompressed wire form.
  bool rr(Section section, Dname owner, Type type, Class rclass, uint32_t ttl, Bytes rdata);
  // An RR of another message, its names expanded and compressed anew.
  bool copy(Section section, const RrView& rr) { return copy(section, rr, rr.ttl); }
  bool copy(Section section, const RrView& rr, uint32_t ttl);

  struct OptFields {
    uint16_t udp_size = 1232;
    uint8_t version = 0;
    bool dnssec_ok = false;
    Bytes options{};  // already encoded: code, length, value, ...
  };
  bool edns(const OptFields& opt);  // into the additional section

  // Keeps `octets` free at the end for the OPT or a TSIG; give them back with 0 before writing those.
  void reserve(size_t octets) { reserved_ = octets; }

  struct Mark {
    size_t size;
    std::array<uint16_t, 4> counts;
    uint16_t names;
  };
  Mark mark() const { return {out_.size(), counts_, name_count_}; }
  void roll_back(const Mark& mark);  // to add an RRset whole or not at all

  size_t size() const { return out_.size(); }
  bool ok() const { return usable_; }               // false only where the buffer cannot hold a header
  Bytes message() const { return out_.written(); }  // whole and consistent after every call

 private:
  // A label that a pointer may lead to, and what follows it: a tree whose edges lead towards the root,
  // parents first. One pass over it finds the longest known suffix, so the work for a name is bounded
  // whatever the names are.
  struct Remembered {
    uint16_t offset;  // of the label's length octet, below 0x4000
    uint16_t parent;  // index of the label after it, or root_parent
  };
  static constexpr size_t max_remembered = 64;
  static constexpr uint16_t root_parent = 0xffff;

  struct RrHead {
    Dname owner;
    Type type;
    Class rclass;
    uint32_t ttl;
  };

  bool may_begin(Section section) const;
  bool may_hold(Section section, const RrHead& head) const;
  bool finish(Section section, const Mark& before, bool well_formed);
  bool put_rr(Section section, const RrHead& head, RdataReader& rdata);
  void put_name(Dname n, bool compress);
  bool put_rdata(RdataReader& rdata);
  void remember(size_t base, Bytes starts, uint16_t parent);
  bool same_label(size_t offset, Bytes label) const;
  void set_bits(uint16_t mask, uint16_t value);
  void flag(uint16_t bit, bool on) { set_bits(bit, on ? bit : 0); }

  ByteWriter out_;
  size_t limit_;
  size_t reserved_ = 0;
  bool usable_;
  uint8_t extended_rcode_ = 0;
  size_t opt_at_ = 0;  // offset of the OPT; 0: none yet
  std::array<uint16_t, 4> counts_{};
  std::array<Remembered, max_remembered> names_;
  uint16_t name_count_ = 0;
};

// The octets of one EDNS option appended to `out`; false if it does not fit (then nothing is written).
bool put_option(ByteWriter& out, EdnsOption code, Bytes value);
bool put_extended_error(ByteWriter& out, Ede code, std::string_view extra_text);  // RFC 8914 section 2

}  // namespace peregrine
