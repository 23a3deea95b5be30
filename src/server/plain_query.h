// The fast path's predicate: a query as nearly all are, read in one pass over its octets.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>

#include "server/query.h"
#include "simd/zero_octet.h"

namespace peregrine {

// A query to be looked up: opcode QUERY, one question of class IN and of a type that can be asked for, no
// answer or authority, at most an OPT of version 0 behind it, and nothing after that.
//
// Its name is not walked: the octets up to the first zero are taken for it. A key of a name in the store that
// equals them (AnswerKey::assign) shows that they are one; where none does, the slow path walks it.
struct PlainQuery {
  QueryFields& fields;
  Bytes name_octets;  // in the message, 1 to 255
  Type qtype;
};

// Octets that a slot must have: more than the longest name and question, whose place is looked at whatever
// the message's size, and enough for a reply without records. That of every engine has
// (UdpOptions::slot_size).
inline constexpr size_t least_plain_slot = 512;

namespace plain_query_parts {

inline constexpr uint16_t response_or_opcode = HeaderBits::qr | HeaderBits::opcode;
inline constexpr uint64_t one_question = one_in(Section::question);
inline constexpr uint64_t and_an_additional = one_question + one_in(Section::additional);

// Types that are looked up: no pseudo-type, no meta type (RFC 6895 section 3.1).
constexpr bool is_plain(unsigned type) {
  constexpr unsigned reserved = 0, opt = 41, nxname = 128, first_meta = 249, last_meta = 255;
  if (type - 1 < opt - 1) return true;  // A, AAAA and most others that are asked for
  return type != reserved && type != opt && type != nxname && (type < first_meta || type > last_meta);
}

// Whether the options are whole and the first cookie (RFC 7873 section 5.2), if any, is well formed.
bool read_options(Bytes options, Cookie& cookie);

// The OPT, which is all of `bytes`. RFC 6891 section 6.1.2.
[[gnu::always_inline]] inline bool read_opt(Bytes bytes, uint16_t largest, QueryFields& fields) {
  constexpr uint32_t root_and_opt = static_cast<uint32_t>(Type::opt);  // 24 bits
  if (bytes.size() < bare_opt_size) return false;
  const uint8_t* p = bytes.data();
  const uint32_t ttl = load_u32(p + 5);
  const bool version_0 = (ttl & 0x00ff0000) == 0;
  if (load_u32(p) >> 8 != root_and_opt || !version_0) return false;
  if (load_u16(p + 9) != bytes.size() - bare_opt_size) return false;
  if (bytes.size() != bare_opt_size && !read_options(bytes.subspan(bare_opt_size), fields.cookie))
    return false;
  fields.has_edns = true;
  fields.dnssec_ok = (ttl & opt_dnssec_ok_bit) != 0;
  fields.limit = std::max(std::min(load_u16(p + 3), largest), classic_udp_size);
  return true;
}

}  // namespace plain_query_parts

// Whether the first `size` octets of `slot`, from UDP, are such a query. What is none may be malformed or
// merely rare: take_in() tells. What this takes and whose name is one, take_in() takes as well, and reads the
// same from it. `largest`: as in take_in().
[[gnu::always_inline]] inline bool read_plain_query(Bytes slot, size_t size, uint16_t largest,
                                                    PlainQuery& query) {
  using namespace plain_query_parts;
  assert(slot.size() >= least_plain_slot && size <= slot.size());
  if (size < header_size) return false;
  const uint8_t* octets = slot.data();
  const uint16_t flags = load_u16(octets + 2);
  const uint64_t counts = load_u64(octets + 4);
  if ((flags & response_or_opcode) != 0 || (counts != one_question && counts != and_an_additional))
    return false;

  const size_t name = size_up_to_zero(octets + header_size, max_dname_size);
  const size_t end = header_size + name + type_and_class_size;
  if (name - 1 >= max_dname_size || end > size) return false;
  const uint32_t type_class = load_u32(octets + end - type_and_class_size);
  const auto type = static_cast<uint16_t>(type_class >> 16);
  if ((type_class & 0xffff) != static_cast<uint16_t>(Class::in) || !is_plain(type)) return false;

  query.fields.flags = flags;
  query.fields.has_edns = query.fields.dnssec_ok = false;
  query.fields.cookie.size = 0;
  query.fields.limit = classic_udp_size;
  query.fields.question_end = static_cast<uint16_t>(end);
  query.name_octets = Bytes(octets + header_size, name);
  query.qtype = Type{type};
  if (counts == one_question) return end == size;
  return read_opt(Bytes(octets + end, size - end), largest, query.fields);
}

}  // namespace peregrine
