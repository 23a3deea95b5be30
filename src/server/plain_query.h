// The fast path's predicate: a query as nearly all are, read in one pass over its octets.
#pragma once

#include <cstdint>

#include "server/query.h"

namespace peregrine {

// A query to be looked up: opcode QUERY, one question of class IN and of a type that can be asked for, no
// answer or authority, at most an OPT of version 0 behind it, and nothing after that.
//
// Its name is not walked: the octets up to the first zero are taken for it. A key of a name in the store that
// equals them (AnswerKey::assign) shows that they are one; where none does, the slow path walks it.
struct PlainQuery {
  QueryFields fields;
  Bytes name_octets;  // in the message, 1 to 255
  Type qtype;
};

// The slot's octets that are looked at, whatever the message's size: the longest name, rounded up.
inline constexpr size_t least_plain_slot = 512;

// Whether the first `size` octets of `slot`, from UDP, are such a query. What is none may be malformed or
// merely rare: take_in() tells. What this takes and whose name is one, take_in() takes as well, and reads the
// same from it. `largest`: as in take_in().
bool read_plain_query(Bytes slot, size_t size, uint16_t largest, PlainQuery& query);

}  // namespace peregrine
