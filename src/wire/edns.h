// EDNS(0), RFC 6891: the OPT pseudo-RR as fields and options.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/types.h"

namespace peregrine {

// What a message over UDP may have without EDNS (RFC 1035 section 4.2.1), and with it at least (RFC 6891
// section 6.2.3). Octets.
inline constexpr uint16_t classic_udp_size = 512;
inline constexpr size_t bare_opt_size = 11;            // the root, TYPE, CLASS, TTL, RDLENGTH: no options
inline constexpr uint32_t opt_dnssec_ok_bit = 0x8000;  // DO, in the OPT's TTL field (RFC 3225 section 3)

enum class EdnsOption : uint16_t {
  nsid = 3,
  client_subnet = 8,
  expire = 9,
  cookie = 10,
  tcp_keepalive = 11,
  padding = 12,
  chain = 13,
  key_tag = 14,
  extended_error = 15,
};

// A received OPT. Its options are a view of the message.
struct Edns {
  uint8_t version = 0;
  uint8_t extended_rcode = 0;  // upper eight bits of the rcode
  bool dnssec_ok = false;
  uint16_t udp_size = classic_udp_size;  // octets; at least that, whatever was sent
  Bytes options;

  // Reads TTL and CLASS fields of an OPT and checks that its options fill the rdata exactly. Of a version
  // other than 0 the options are not read, and empty (RFC 6891 section 6.1.3). bad_rdata
  static Result<Edns> parse(Class udp_size, uint32_t ttl, Bytes rdata);
  // The first option of that code, or nothing.
  std::optional<Bytes> find(EdnsOption code) const;
};

// Walks options: for (EdnsOptions it(edns.options); it.next();) it.code(), it.value()
class EdnsOptions {
 public:
  explicit EdnsOptions(Bytes options) : reader_(options) {}
  bool next() {
    if (reader_.at_end()) return false;
    code_ = EdnsOption(reader_.u16());
    value_ = reader_.take(reader_.u16());
    return reader_.ok();
  }
  bool ok() const { return reader_.ok(); }  // false: next() met one that is cut off; Edns has none
  EdnsOption code() const { return code_; }
  Bytes value() const { return value_; }

 private:
  ByteReader reader_;
  EdnsOption code_{};
  Bytes value_;
};

}  // namespace peregrine
