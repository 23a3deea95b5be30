// Whether a message that came in is the reply to a query of ours (RFC 5452 section 9.1).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace peregrine {

enum class Match : uint8_t {
  none,         // not a reply to this query
  no_question,  // reports an error and leaves out the question: some servers do, and so do guesses
  other_case,   // equal in all but the letter case of the qname
  malformed,    // header and question match, the rest cannot be parsed or does not end where it should
  reply,
};

// The octets of the question in a query of ours. bad_message: there is not exactly one
Result<Bytes> question_octets(Bytes query);

// `received` has come from the right place and its id is the query's. With `exact_case` the qname's octets
// must be equal.
Match match(Bytes received, Bytes query, bool exact_case);

}  // namespace peregrine
