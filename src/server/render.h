// The last stage: the reply, written over the query in the buffer that the query came in.
//
// The octets before fields.question_end (header and question) stay where they are, so the id, the letter case
// of the question and the compression pointers to it are right by themselves; the header is patched, the rest
// appended.
#pragma once

#include <cstdint>

#include "cache/answer.h"
#include "server/intake.h"
#include "server/query.h"

namespace peregrine {

// Each returns the reply's octets in `slot`, at most fields.limit and the slot's size; 0 where not even a
// header fits.
struct RenderOptions {
  WallTime now;
  uint16_t udp_size = 1232;  // what our OPT offers
};

// A cached answer; TC and no records where it does not fit (RFC 2181 section 9).
size_t render_answer(MutableBytes slot, const QueryFields& fields, const AnswerBlob& blob,
                     const RenderOptions& options);

// No records: an rcode, and with EDNS the extended error.
size_t render_rejection(MutableBytes slot, const QueryFields& fields, const Rejection& rejection,
                        const RenderOptions& options);

// A message made by a MessageWriter for the same question, without OPT.
size_t render_message(MutableBytes slot, const QueryFields& fields, Bytes message,
                      const RenderOptions& options);

// RFC 8482 section 4.2: an HINFO that says so.
size_t render_minimal_any(MutableBytes slot, const QueryFields& fields, const RenderOptions& options);

}  // namespace peregrine
