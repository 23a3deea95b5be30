// RDATA by type. One table of types drives checking, writing, presentation form and canonical form;
// what has no row is opaque and in the form of RFC 3597.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/message_view.h"
#include "wire/types.h"

namespace peregrine {

// What RDATA is made of, in order. A row ends where its fields end.
enum class Field : uint8_t {
  name,               // a name that senders may compress (RFC 1035 types)
  name_uncompressed,  // a name that is sent whole; a compressed one is read all the same (RFC 3597 section 4)
  u8,
  u16,
  u32,
  ipv4,
  ipv6,
  string,   // one character-string
  strings,  // one or more character-strings to the end
  options,  // EDNS options to the end
  rest,     // opaque octets to the end
};

struct TypeRow {
  Type type;
  std::span<const Field> fields;
  bool lower_names;  // names are lower-cased in canonical form (RFC 4034 section 6.2, RFC 6840 section 5.1)
};

const TypeRow* find_row(Type type);  // nullptr: opaque

// Whether the rdata is what its type allows, to the last octet. bad_rdata, bad_pointer, truncated, ...
Result<> check_rdata(const RrView& rr);

// The first name in the rdata (the target of CNAME, NS, PTR, MX, SRV, SOA's MNAME, DNAME).
// bad_rdata: malformed, or a type without a name
Result<DnameBuf> target_of(const RrView& rr);

// Uncompressed wire form of the rdata, names expanded, into `out`; its octets. no_space, bad_rdata
Result<Bytes> expand_rdata(const RrView& rr, MutableBytes out);
// The same with names lower-cased where the type says so (RFC 4034 section 6.2).
Result<Bytes> canonical_rdata(const RrView& rr, MutableBytes out);

// The type whose RRset an RRSIG with this rdata covers (RFC 4034 section 3.1.1). Nothing: too short to be one
std::optional<Type> covered_type(Bytes rrsig);
// The name with its suffix `owner`, which it is below, replaced by `target` (RFC 6672 section 2.2).
// name_too_long
Result<DnameBuf> substitute(Dname name, Dname owner, Dname target);

// SOA's numbers (RFC 1035 section 3.3.13). bad_rdata
struct SoaNumbers {
  uint32_t serial, refresh, retry, expire, minimum;
};
Result<SoaNumbers> soa_numbers(const RrView& rr);

// Presentation form of uncompressed rdata; RFC 3597's \# where the type has no row or the octets do not fit
// it.
std::string rdata_to_text(Type type, Bytes rdata);
std::string to_text(const RrView& rr);  // owner TTL class type rdata, tab-separated
// Uncompressed wire form from presentation form; names relative to `origin`. bad_text, no_space
Result<Bytes> rdata_from_text(Type type, std::string_view text, Dname origin, MutableBytes out);

}  // namespace peregrine
