// The fast path's predicate: a query as nearly all are, read in one pass over its octets.
#pragma once

#include <cstdint>

#include "server/query.h"

namespace peregrine {

// A query to be looked up: opcode QUERY, one question of class IN and of a type that can be asked for, no
// answer or authority, at most an OPT of version 0 behind it, and nothing after that.
struct PlainQuery {
  QueryFields fields;
  Dname qname;  // in the message
  Type qtype;
};

// Whether `message`, from UDP, is such a query. What is none may be malformed or merely rare: take_in()
// tells. Whatever this takes, take_in() takes as well, and reads the same from it. `largest`: as in
// take_in().
bool read_plain_query(Bytes message, uint16_t largest, PlainQuery& query);

}  // namespace peregrine
