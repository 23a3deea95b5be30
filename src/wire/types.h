// The numbers of DNS: types, classes, opcodes, rcodes, extended errors (IANA "DNS Parameters").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace peregrine {

// Any 16-bit value is a Type; those named here have a row in the type table (wire/rdata.h) or meaning as
// QTYPE.
enum class Type : uint16_t {
  a = 1,
  ns = 2,
  md = 3,
  mf = 4,
  cname = 5,
  soa = 6,
  mb = 7,
  mg = 8,
  mr = 9,
  ptr = 12,
  minfo = 14,
  mx = 15,
  txt = 16,
  rp = 17,
  afsdb = 18,
  rt = 21,
  px = 26,
  aaaa = 28,
  srv = 33,
  naptr = 35,
  kx = 36,
  dname = 39,
  opt = 41,
  ds = 43,
  rrsig = 46,
  nsec = 47,
  dnskey = 48,
  nsec3 = 50,
  nsec3param = 51,
  svcb = 64,
  https = 65,
  tkey = 249,
  tsig = 250,
  ixfr = 251,
  axfr = 252,
  mailb = 253,
  maila = 254,
  any = 255,
};
enum class Class : uint16_t { in = 1, ch = 3, hs = 4, none = 254, any = 255 };
enum class Opcode : uint8_t { query = 0, iquery = 1, status = 2, notify = 4, update = 5, dso = 6 };
// The 12 bits of RFC 6891 section 6.1.3: the header's four below, the OPT's eight above.
enum class Rcode : uint16_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  yxdomain = 6,
  yxrrset = 7,
  nxrrset = 8,
  notauth = 9,
  notzone = 10,
  badvers = 16,
  badkey = 17,
  badtime = 18,
  badcookie = 23,
};
enum class Section : uint8_t { question = 0, answer = 1, authority = 2, additional = 3 };

// RFC 8914 and its registry.
enum class Ede : uint16_t {
  other = 0,
  unsupported_dnskey_algorithm = 1,
  unsupported_ds_digest = 2,
  stale_answer = 3,
  forged_answer = 4,
  dnssec_indeterminate = 5,
  dnssec_bogus = 6,
  signature_expired = 7,
  signature_not_yet_valid = 8,
  dnskey_missing = 9,
  rrsigs_missing = 10,
  no_zone_key_bit_set = 11,
  nsec_missing = 12,
  cached_error = 13,
  not_ready = 14,
  blocked = 15,
  censored = 16,
  filtered = 17,
  prohibited = 18,
  stale_nxdomain_answer = 19,
  not_authoritative = 20,
  not_supported = 21,
  no_reachable_authority = 22,
  network_error = 23,
  invalid_data = 24,
  signature_expired_before_valid = 25,
  too_early = 26,
  unsupported_nsec3_iterations = 27,
  unable_to_conform_to_policy = 28,
  synthesized = 29,
  invalid_query_type = 30,
};

std::string to_string(Type type);  // mnemonic, or TYPE12345 (RFC 3597 section 5)
std::string to_string(Class c);    // mnemonic, or CLASS12345
std::string to_string(Opcode opcode);
std::string to_string(Rcode rcode);
std::string_view to_string(Ede code);                   // its name in the registry, or "" when unknown
std::optional<Type> parse_type(std::string_view text);  // either form, any letter case
std::optional<Class> parse_class(std::string_view text);

// QTYPEs that are no types of data and meta types (RFC 6895 section 3.1): never stored as RRs.
constexpr bool is_meta(Type t) {
  return t == Type::opt || (static_cast<uint16_t>(t) >= 128 && static_cast<uint16_t>(t) <= 255);
}

}  // namespace peregrine
